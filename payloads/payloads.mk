# SPDX-License-Identifier: Apache-2.0
# The payloads. The consumer is built once; the producer is linked anew for every run, around that run's content.

PAYLOAD_LDFLAGS := -nostartfiles -static -T linker/payload.ld -Wl,--gc-sections -Wl,--fatal-warnings \
                   -Wl,-z,max-page-size=4096

CRT_SRCS := $(sort $(wildcard payloads/crt/*.c payloads/crt/*.S))
CRT_OBJS := $(addprefix $(BUILD)/target/,$(addsuffix .o,$(basename $(CRT_SRCS))))
CONSUMER_OBJS := $(BUILD)/target/payloads/consumer/consumer.o $(BUILD)/target/payloads/neuron/accept_neuron.o $(CRT_OBJS)
# What of the producer does not change from run to run; content.c, embedded.S and consumer_elf.S do.
PRODUCER_OBJS := $(BUILD)/target/payloads/producer/producer.o $(BUILD)/target/payloads/neuron/connect_neuron.o $(CRT_OBJS)
CONSUMER := $(BUILD)/target/payloads/consumer.elf
ALL += $(CONSUMER) $(PRODUCER_OBJS)

# The file with debug sections serves gdb; the one that boots keeps its symbols (K-12), not its debug sections.
PAYLOAD_LINK = $(Q)$(CROSS)gcc $(TARGET_CFLAGS) $(PAYLOAD_LDFLAGS) -o $(@:.elf=.debug.elf) $(filter %.o,$^) $(LIBVMO) && \
               $(CROSS)objcopy --strip-debug $(@:.elf=.debug.elf) $@

$(CONSUMER): $(CONSUMER_OBJS) $(LIBVMO) linker/payload.ld
	$(PAYLOAD_LINK)

# ---- One run: RUN_DIR/challenge is host-ref's; RUN_DIR gets producer.elf and consumer.elf ---------------
# MUTANT names a file of tests/qemu/mutants that replaces a function of one of the two (tests/qemu/mutants.mk).
include tests/qemu/mutants.mk

RUN_CFLAGS = $(TARGET_CFLAGS) -I$(RUN_DIR)/challenge $(INCLUDES_payloads) -Wa,-I$(RUN_DIR) -Wa,-I$(RUN_DIR)/challenge
CONSUMER_WRAP := $(if $(filter consumer,$(MUTANT_OF)),$(MUTANT_LDFLAGS))
PRODUCER_WRAP := $(if $(filter producer,$(MUTANT_OF)),$(MUTANT_LDFLAGS))

.PHONY: run-elf
run-elf: all
	$(if $(RUN_DIR),,$(error run-elf needs RUN_DIR, whose folder challenge host-ref has filled))
ifneq ($(CONSUMER_WRAP),)
	$(Q)$(CROSS)gcc $(RUN_CFLAGS) $(PAYLOAD_LDFLAGS) $(CONSUMER_WRAP) -o $(RUN_DIR)/consumer.debug.elf \
	    $(MUTANT_SRC) $(CONSUMER_OBJS) $(LIBVMO)
	$(Q)$(CROSS)objcopy --strip-debug $(RUN_DIR)/consumer.debug.elf $(RUN_DIR)/consumer.elf
else
	$(Q)cp $(CONSUMER) $(RUN_DIR)/consumer.elf
	$(Q)cp $(CONSUMER:.elf=.debug.elf) $(RUN_DIR)/consumer.debug.elf
endif
	$(Q)$(CROSS)gcc $(RUN_CFLAGS) $(PAYLOAD_LDFLAGS) $(PRODUCER_WRAP) -o $(RUN_DIR)/producer.debug.elf \
	    payloads/producer/content.c payloads/producer/embedded.S payloads/neuron/consumer_elf.S $(if $(PRODUCER_WRAP),$(MUTANT_SRC)) \
	    $(PRODUCER_OBJS) $(LIBVMO)
	$(Q)$(CROSS)objcopy --strip-debug $(RUN_DIR)/producer.debug.elf $(RUN_DIR)/producer.elf

include payloads/evil/evil.mk
include payloads/linux/run-host.mk
include payloads/probe/probe.mk
