# SPDX-License-Identifier: Apache-2.0
# Tests of the portable kernel, built for the host under ASan and UBSan. A test program is
# boot/tests/core/<name>.c and two lines here: its name, and the other objects it is linked with.

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

CORE_TESTS += test_panic
CORE_OBJS_test_panic := boot/core/panic.o boot/core/kprint.o boot/tests/core/port_host.o

# The whole kernel core on the host port, and the rig that plays its tasks.
CORE_KERNEL_OBJS := $(addsuffix .o,$(basename $(sort $(wildcard boot/core/*.c boot/sys/*.c)))) \
                    $(addprefix boot/tests/core/,port_host.o kernel_rig.o rig_moves.o rig_mmu.o)
CORE_KERNEL_TESTS := test_frames test_arena test_cap test_endpoint test_ipc test_ipc_wait test_task test_exec \
                     test_aspace test_aspace_va test_usercopy test_vmo test_audit test_hazards test_storm \
                     test_random_calls

CORE_TESTS += $(CORE_KERNEL_TESTS)
$(foreach test,$(CORE_KERNEL_TESTS),$(eval CORE_OBJS_$(test) := $(CORE_KERNEL_OBJS)))

define CORE_TEST_RULE
TEST_SUITES += $(BUILD)/san/boot/tests/core/$(1)
$(BUILD)/san/boot/tests/core/$(1): $(addprefix $(BUILD)/san/,boot/tests/core/$(1).o $(CORE_OBJS_$(1)))
	$$(Q)$$(HOSTCC) $$(SAN_CFLAGS) -o $$@ $$^ -lcmocka
endef
$(foreach test,$(CORE_TESTS),$(eval $(call CORE_TEST_RULE,$(test))))
