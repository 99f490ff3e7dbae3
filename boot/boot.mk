# SPDX-License-Identifier: Apache-2.0
# The test kernel. (KERNEL is a caller's variable: a kernel that is not built here.)

KERNEL_ELF := $(BUILD)/kernel/kernel.elf
KERNEL_SRCS := $(sort $(wildcard boot/arch/*.S boot/arch/*.c boot/core/*.c boot/sys/*.c boot/init/*.c))
KERNEL_OBJS := $(addprefix $(BUILD)/kernel/,$(addsuffix .o,$(basename $(KERNEL_SRCS))))
# A frame of half a page or more could step over the guard page below the stack.
KERNEL_LDFLAGS := -nostartfiles -nostdlib -static -Wl,--gc-sections -Wl,--fatal-warnings -Wl,-z,max-page-size=4096 \
                  -Wframe-larger-than=2048
ALL += $(KERNEL_ELF)

$(KERNEL_ELF): $(KERNEL_OBJS) linker/kernel.ld
	$(Q)$(CROSS)gcc $(KERNEL_CFLAGS) $(KERNEL_LDFLAGS) -T linker/kernel.ld -o $@ $(KERNEL_OBJS) -lc -lgcc
