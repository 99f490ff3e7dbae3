# SPDX-License-Identifier: Apache-2.0
# What the kernel's main paths cost, in instructions: an init that measures, with its peer and its smallest child inside.

COST := $(BUILD)/target/boot/tests/cost
COST_ELF := $(COST)/cost.elf
ALL += $(COST_ELF)

$(COST)/cost_peer.elf: $(COST)/cost_peer.o $(COST)/cost_call.o $(CRT_OBJS) $(LIBVMO) linker/payload.ld
	$(PAYLOAD_LINK)
$(COST)/cost_child.elf: $(COST)/cost_child.o $(LIBVMO) linker/payload.ld
	$(PAYLOAD_LINK)
$(COST)/cost_elves.o: boot/tests/cost/cost_elves.S $(COST)/cost_peer.elf $(COST)/cost_child.elf
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(TARGET_CFLAGS) -Wa,-I$(COST) -c -o $@ $<
$(COST_ELF): $(addprefix $(COST)/,cost.o cost_paths.o cost_call.o cost_registers.o cost_elves.o) $(CRT_OBJS) $(LIBVMO) linker/payload.ld
	$(PAYLOAD_LINK)

TEST_SUITES += boot/tests/cost/test_cost.py

.PHONY: cost-record
cost-record: locked-all ## write what the kernel's main paths cost to boot/tests/cost/*.tsv and docs/testing/figures.md
	@$(PYTHON) boot/tests/cost/test_cost.py --record
