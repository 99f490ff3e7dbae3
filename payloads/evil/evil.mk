# SPDX-License-Identifier: Apache-2.0
# Programs that do what a real kernel does not survive, one a file (docs/testing/hazards.md). They use no library.

EVIL := $(BUILD)/target/payloads/evil
EVIL_NAMES := $(patsubst payloads/evil/%.c,%,$(sort $(wildcard payloads/evil/evil_*.c)))
EVIL_OBJS := $(EVIL)/evil.o $(EVIL)/evil_call.o $(EVIL)/evil_child.o $(CRT_OBJS)
EVIL_ELFS := $(EVIL_NAMES:%=$(EVIL)/%.elf)
ALL += $(EVIL_ELFS)
.SECONDARY: $(EVIL_NAMES:%=$(EVIL)/%.o)

$(EVIL_ELFS): $(EVIL)/%.elf: $(EVIL)/%.o $(EVIL_OBJS) linker/payload.ld
	$(Q)$(CROSS)gcc $(TARGET_CFLAGS) $(PAYLOAD_LDFLAGS) -o $@ $< $(EVIL_OBJS)
