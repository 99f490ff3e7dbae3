# SPDX-License-Identifier: Apache-2.0
# Tests of the portable kernel, built for the host under ASan and UBSan. A test program is
# tests/core/<name>.c and two lines here: its name, and the other objects it is linked with.

CORE_TESTS += test_elf
CORE_OBJS_test_elf := boot/core/elf.o

CORE_TESTS += test_elf_damage
CORE_OBJS_test_elf_damage := boot/core/elf.o

CORE_TESTS += test_fdt
CORE_OBJS_test_fdt := boot/core/fdt.o

CORE_TESTS += test_fdt_damage
CORE_OBJS_test_fdt_damage := boot/core/fdt.o

CORE_TESTS += test_bootargs
CORE_OBJS_test_bootargs := boot/init/bootargs.o

define CORE_TEST_RULE
TEST_SUITES += $(BUILD)/san/tests/core/$(1)
$(BUILD)/san/tests/core/$(1): $(addprefix $(BUILD)/san/,tests/core/$(1).o $(CORE_OBJS_$(1)))
	$$(Q)$$(HOSTCC) $$(SAN_CFLAGS) -o $$@ $$^ -lcmocka
endef
$(foreach test,$(CORE_TESTS),$(eval $(call CORE_TEST_RULE,$(test))))
