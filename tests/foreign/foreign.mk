# SPDX-License-Identifier: Apache-2.0
# A kernel that behaves like a foreign one: ours with some files replaced. It never exits and prints no audit
# (FOREIGN_AUDITS=1: it does both), and it logs between and inside the tasks' lines. With EMBED_INIT_ELF its init is built
# in and it takes no boot arguments; without, it takes both as ours does.
#   make foreign-kernel EMBED_INIT_ELF=init.elf FOREIGN_ABI=a1 FOREIGN_OUT=folder     -> folder/kernel.elf

EMBED_INIT_ELF ?=
FOREIGN_ABI ?= a2
FOREIGN_AUDITS ?=
FOREIGN_OUT ?= $(BUILD)/foreign/$(FOREIGN_ABI)

FOREIGN_SWAPS := boot/arch/uart.c $(if $(FOREIGN_AUDITS),,boot/arch/finisher.c boot/core/audit_print.c) \
                 $(if $(EMBED_INIT_ELF),boot/core/fdt.c)
FOREIGN_FILES := $(patsubst %,tests/foreign/foreign_%,$(notdir $(FOREIGN_SWAPS)))
FOREIGN_FILES += $(if $(EMBED_INIT_ELF),tests/foreign/foreign_$(FOREIGN_ABI).c)
FOREIGN_FILES += $(filter-out $(FOREIGN_SWAPS),$(KERNEL_SRCS))
FOREIGN_INIT := $(if $(EMBED_INIT_ELF),-T tests/foreign/foreign_init.ld -Xassembler $(call quote,-I$(FOREIGN_OUT)) \
                  tests/foreign/foreign_init.S)
INCLUDES_tests/foreign := $(INCLUDES_boot)
ALL += $(call objects,kernel,$(sort $(wildcard tests/foreign/*.c)))

.PHONY: foreign-kernel foreign-kernel-files
NEEDS_foreign-kernel := foreign-kernel-files
foreign-kernel: built
foreign-kernel-files: $(call objects,kernel,$(FOREIGN_FILES))
	@mkdir -p $(call quote,$(FOREIGN_OUT))
	$(if $(EMBED_INIT_ELF),$(Q)cp $(call quote,$(EMBED_INIT_ELF)) $(call quote,$(FOREIGN_OUT)/init.elf))
	$(call Q,LD,$(FOREIGN_OUT)/kernel.elf)$(CC_kernel) $(INCLUDES_tests/foreign) $(KERNEL_LDFLAGS) $(FOREIGN_INIT) -T linker/kernel.ld \
	    -o $(call quote,$(FOREIGN_OUT)/kernel.elf) $^ -lc -lgcc
