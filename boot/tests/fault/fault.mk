# SPDX-License-Identifier: Apache-2.0
# Kernels that fault in their own code: our kernel with one file in place of one of its own.

FAULT_KERNELS := $(addprefix $(BUILD)/fault/,early.elf address.elf stack.elf guard.elf)
ALL += $(FAULT_KERNELS)

# The kernel's objects but for boot/core/$(1).o, and boot/tests/fault/fault_$(2).o.
fault_objs = $(filter-out $(BUILD)/kernel/boot/core/$(1).o,$(KERNEL_OBJS)) $(BUILD)/kernel/boot/tests/fault/fault_$(2).o

$(BUILD)/fault/early.elf: $(call fault_objs,fdt,early)
$(BUILD)/fault/address.elf: $(call fault_objs,storm,address)
$(BUILD)/fault/stack.elf: $(call fault_objs,storm,stack)
$(BUILD)/fault/guard.elf: $(call fault_objs,storm,guard)
$(FAULT_KERNELS): linker/kernel.ld
	@mkdir -p $(@D)
	$(Q)$(CROSS)gcc $(KERNEL_CFLAGS) $(KERNEL_LDFLAGS) -T linker/kernel.ld -o $@ $(filter %.o,$^) -lc -lgcc

TEST_SUITES += boot/tests/fault/test_fault.py
