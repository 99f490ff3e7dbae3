# SPDX-License-Identifier: Apache-2.0
# The probe: init ELF files that print what every call answers, and the child that they carry.

PROBE_DIR := $(BUILD)/target/payloads/probe
# All but the first instructions, of which the probe has its own.
PROBE_CRT_OBJS := $(filter-out %/crt_start.o,$(CRT_OBJS))
PROBE_CHILD_OBJS := $(addprefix $(PROBE_DIR)/,probe_start.o probe_child.o)
PROBE_COMMON_OBJS := $(addprefix $(PROBE_DIR)/,probe_start.o probe_call.o probe_row.o probe_tools.o probe_child_tools.o probe_age.o \
                     probe_regs.o probe_child_elf.o) $(PROBE_CRT_OBJS)
PROBE_PARTS := vmo map_a1 map_a2 as share cap endpoint ipc move life children memory last
PROBE_ELFS := $(addprefix $(BUILD)/target/payloads/,probe.elf probe2.elf probe-hazards.elf)
ALL += $(PROBE_ELFS)

PROBE_LINK = $(Q)$(CROSS)gcc $(TARGET_CFLAGS) $(PAYLOAD_LDFLAGS) -o $(@:.elf=.debug.elf) $(filter %.o,$^) && \
             $(CROSS)objcopy --strip-debug $(@:.elf=.debug.elf) $@

$(PROBE_DIR)/probe_child.elf: $(PROBE_CHILD_OBJS) linker/payload.ld
	$(PROBE_LINK)
$(PROBE_DIR)/probe_child_elf.o: payloads/probe/probe_child_elf.S $(PROBE_DIR)/probe_child.elf
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(TARGET_CFLAGS) -Wa,-I$(PROBE_DIR) -c -o $@ $<
$(BUILD)/target/payloads/probe.elf: $(addprefix $(PROBE_DIR)/probe_,$(addsuffix .o,main $(PROBE_PARTS)))
$(BUILD)/target/payloads/probe2.elf: $(addprefix $(PROBE_DIR)/,probe2_main.o probe_refused_elf.o)
$(BUILD)/target/payloads/probe-hazards.elf: $(PROBE_DIR)/probe_hazards_main.o
$(PROBE_ELFS): $(PROBE_COMMON_OBJS) linker/payload.ld
	$(PROBE_LINK)
