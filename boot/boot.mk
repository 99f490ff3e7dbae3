# SPDX-License-Identifier: Apache-2.0
# The test kernel. The caller's variable KERNEL names a kernel that is not built here.

KERNEL_ELF := $(BUILD)/kernel/kernel.elf
KERNEL_SRCS := $(sort $(wildcard boot/arch/*.S boot/arch/*.c boot/core/*.c boot/sys/*.c boot/init/*.c))
# A stack frame of half a page or more could skip the guard page below the stack.
KERNEL_LDFLAGS := -nostartfiles -nostdlib -static -Wl,--gc-sections -Wl,--fatal-warnings -Wl,-z,max-page-size=4096 \
                  -Wframe-larger-than=2048
ALL += $(KERNEL_ELF)

# A kernel: $(call KERNEL_PROGRAM,file,sources).
define KERNEL_PROGRAM
$(1): $(call objects,kernel,$(2)) linker/kernel.ld $(FLAGS_FILE) $(PARTS_FILE)
	@mkdir -p $$(@D)
	$$(call Q,LD)$$(CC_kernel) $$(KERNEL_LDFLAGS) -T linker/kernel.ld -o $$@.new $$(filter %.o,$$^) -lc -lgcc && mv -f $$@.new $$@
endef
$(eval $(call KERNEL_PROGRAM,$(KERNEL_ELF),$(KERNEL_SRCS)))
