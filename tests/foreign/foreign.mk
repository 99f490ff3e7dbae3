# SPDX-License-Identifier: Apache-2.0
# A kernel that behaves like one that is not ours: ours with other files in place of four of its own. Its init is built
# in, it has no end, no audit and no boot arguments, and its log stands between and in the tasks' lines.
#   make foreign-kernel EMBED_INIT_ELF=init.elf FOREIGN_AGE=a1 FOREIGN_OUT=folder     -> folder/kernel.elf

FOREIGN_AGE ?= a2
FOREIGN_OUT ?= $(BUILD)/foreign/$(FOREIGN_AGE)
FOREIGN_SRCS := tests/foreign/foreign_fdt.c tests/foreign/foreign_finisher.c tests/foreign/foreign_audit_print.c \
                tests/foreign/foreign_console.c
FOREIGN_REPLACED := boot/core/fdt.c boot/arch/finisher.c boot/core/audit_print.c boot/arch/console.c
FOREIGN_OBJS := $(patsubst %,$(BUILD)/kernel/%.o,$(basename $(filter-out $(FOREIGN_REPLACED),$(KERNEL_SRCS)) $(FOREIGN_SRCS)))
FOREIGN_AGE_OBJS := $(BUILD)/kernel/tests/foreign/foreign_a1.o $(BUILD)/kernel/tests/foreign/foreign_a2.o
ALL += $(FOREIGN_OBJS) $(FOREIGN_AGE_OBJS)

.PHONY: foreign-kernel
foreign-kernel: $(FOREIGN_OBJS) $(FOREIGN_AGE_OBJS)
	$(if $(EMBED_INIT_ELF),,$(error foreign-kernel needs EMBED_INIT_ELF, the ELF file that it starts as init))
	@mkdir -p "$(FOREIGN_OUT)"
	$(Q)cp "$(EMBED_INIT_ELF)" "$(FOREIGN_OUT)/init.elf"
	$(Q)$(CROSS)gcc $(KERNEL_CFLAGS) -nostartfiles -nostdlib -static -Wl,--gc-sections -Wl,--fatal-warnings \
	    -Wl,-z,max-page-size=4096 -T tests/foreign/foreign_init.ld -T linker/kernel.ld -Wa,-I"$(FOREIGN_OUT)" \
	    -o "$(FOREIGN_OUT)/kernel.elf" $(FOREIGN_OBJS) $(BUILD)/kernel/tests/foreign/foreign_$(FOREIGN_AGE).o \
	    tests/foreign/foreign_init.S -lc -lgcc
