# SPDX-License-Identifier: Apache-2.0
# Random programs under QEMU, held against the model of the contract (docs/testing/differential.md).

DIFFER_TARGET := $(BUILD)/target/boot/tests/differ
DIFFER_ELF := $(DIFFER_TARGET)/differ.elf
DIFFER_MODEL_OBJS := $(addprefix $(BUILD)/target/boot/tests/model/,$(MODEL_PARTS))
DIFFER_OBJS := $(addprefix $(DIFFER_TARGET)/,differ_main.o differ_exec.o differ_puppet.o differ_perform.o) \
               $(DIFFER_MODEL_OBJS)
DIFFER_PUPPET_OBJS := $(addprefix $(DIFFER_TARGET)/,puppet_main.o differ_perform.o) $(DIFFER_MODEL_OBJS)
$(DIFFER_TARGET)/%.o: INCLUDES_boot/tests += -Ilibvmo/backend/neuron

$(DIFFER_TARGET)/puppet.elf: $(DIFFER_PUPPET_OBJS) $(CRT_OBJS) $(LIBVMO) linker/payload.ld
	$(PAYLOAD_LINK)
$(DIFFER_TARGET)/puppet_elf.o: boot/tests/differ/puppet_elf.S $(DIFFER_TARGET)/puppet.elf
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(TARGET_CFLAGS) -Wa,-I$(DIFFER_TARGET) -c -o $@ $<
$(DIFFER_ELF): $(DIFFER_OBJS) $(DIFFER_TARGET)/puppet_elf.o $(CRT_OBJS) $(LIBVMO) linker/payload.ld
	$(PAYLOAD_LINK)

ALL += $(DIFFER_ELF)
TEST_SUITES += boot/tests/differ/test_differ.py

# How many seeds `make soak` boots, from which on, how long a program is (empty: the age's own length).
SEEDS ?= 200
SEED ?= 1
OPS ?=

.PHONY: soak
soak: locked-all ## boot SEEDS random programs from SEED on, of OPS operations, on ABI, against the model
	@$(PYTHON) boot/tests/differ/differ.py --abi $(if $(filter file,$(origin ABI)),all,$(ABI)) --seed $(SEED) --seeds $(SEEDS) \
	    $(if $(OPS),--ops $(OPS))
