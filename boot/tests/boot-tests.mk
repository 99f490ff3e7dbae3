# SPDX-License-Identifier: Apache-2.0
# Tests of the kernel: its core on the host, the model of its contract, and the suites that boot it.

# ---- core: the portable kernel on the host, under ASan and UBSan. A test is boot/tests/core/<name>.c and one line here,
# ---- which names the sources to link if it does not link the whole core.
CORE_SRCS_test_elf := boot/core/elf.c
CORE_SRCS_test_elf_damage := boot/core/elf.c
CORE_SRCS_test_fdt := boot/core/fdt.c
CORE_SRCS_test_fdt_damage := boot/core/fdt.c
CORE_SRCS_test_bootargs := boot/init/bootargs.c
CORE_SRCS_test_siphash := boot/core/siphash.c
CORE_SRCS_test_panic := boot/core/panic.c boot/core/kprint.c boot/tests/core/port_host.c
CORE_KERNEL_TESTS := test_frames test_arena test_cap test_endpoint test_ipc test_ipc_wait test_task test_exec test_run \
                     test_aspace test_aspace_va test_usercopy test_vmo test_audit test_audit_lines test_hazards test_storm \
                     test_random_calls
CORE_TESTS := $(patsubst CORE_SRCS_%,%,$(sort $(filter CORE_SRCS_%,$(.VARIABLES)))) $(CORE_KERNEL_TESTS)

# The kernel core, the host port, and the rig that plays the tasks.
CORE_KERNEL_SRCS := $(sort $(wildcard boot/core/*.c boot/sys/*.c)) \
                    $(addprefix boot/tests/core/,port_host.c kernel_rig.c rig_moves.c rig_mmu.c)
core_srcs = boot/tests/core/$(1).c $(or $(CORE_SRCS_$(1)),$(CORE_KERNEL_SRCS))
$(foreach flavour,san cov,$(foreach test,$(CORE_TESTS),$(eval $(call \
    HOST_PROGRAM,$(flavour),boot/tests/core/$(test),$(call core_srcs,$(test)),-lcmocka))))
TEST_SUITES += $(CORE_TESTS:%=$(BUILD)/san/boot/tests/core/%)

# ---- model: random programs on the kernel's core on the host, judged by a model of the contract
MODEL_RIG_SRCS := $(addprefix boot/tests/model/,model_host.c model_walk.c model_shrink.c)
MODEL_SRCS := $(filter-out $(MODEL_RIG_SRCS),$(sort $(wildcard boot/tests/model/model*.c)))
MODEL_HOST_SRCS := $(MODEL_SRCS) $(MODEL_RIG_SRCS) boot/tests/model/test_model_core.c
MODEL_TEST := $(BUILD)/san/boot/tests/model/test_model_core
$(foreach flavour,san cov,$(eval $(call \
    HOST_PROGRAM,$(flavour),boot/tests/model/test_model_core,$(MODEL_HOST_SRCS) $(CORE_KERNEL_SRCS),-lcmocka)))
TEST_SUITES += $(MODEL_TEST)

# `make test` runs 100,000 operations, `make property` OPS, from seed SEED on.
.PHONY: property
NEEDS_property := $(MODEL_TEST)
TOOLS_property := cmocka
property: built ## OPS random operations (1000000) from SEED (1) against the kernel core
	@OPS=$(or $(OPS),1000000) SEED=$(or $(SEED),1) $(PYTHON) scripts/run-tests.py --name property $(MODEL_TEST)

# ---- differ: random programs under QEMU, compared with the same model (docs/testing/random.md)
DIFFER_SRCS := $(addprefix boot/tests/differ/,differ_main.c differ_exec.c differ_puppet.c differ_perform.c puppet_elf.S) \
               $(MODEL_SRCS) $(CRT_SRCS)
DIFFER_PUPPET_SRCS := $(addprefix boot/tests/differ/,puppet_main.c differ_perform.c) $(MODEL_SRCS) $(CRT_SRCS)
INCLUDES_boot/tests/differ := $(INCLUDES_boot/tests) -Ilibvmo/backend/neuron
$(eval $(call PAYLOAD_PROGRAM,boot/tests/differ/puppet.elf,$(DIFFER_PUPPET_SRCS),$(LIBVMO)))
$(eval $(call CARRIES,boot/tests/differ/puppet_elf,$(BUILD)/target/boot/tests/differ/puppet.elf))
$(eval $(call PAYLOAD_PROGRAM,boot/tests/differ/differ.elf,$(DIFFER_SRCS),$(LIBVMO)))
ALL += $(BUILD)/target/boot/tests/differ/differ.elf
TEST_SUITES += boot/tests/differ/test_differ.py boot/tests/differ/test_differ_foreign.py

# `make soak`: number of seeds, the first seed, operations of a program (empty: the ABI revision decides).
SEEDS ?= 200
SEED ?= 1
OPS ?=

.PHONY: soak
NEEDS_soak := everything
TOOLS_soak := qemu
soak: built ## boot SEEDS random programs from SEED on, of OPS operations, on ABI, against the model
	@$(PYTHON) boot/tests/differ/differ.py --abi $(if $(filter file,$(origin ABI)),all,$(ABI)) --seed $(SEED) --seeds $(SEEDS) \
	    $(if $(OPS),--ops $(OPS))

# The same on KERNEL, which has differ.elf as its built-in init; LEAVE_OUT names classes of operations.
LEAVE_OUT ?=
.PHONY: differ
NEEDS_differ := everything
TOOLS_differ := qemu
differ: built ## compare SEEDS random programs on ABI with the model; KERNEL=path for one with differ.elf as init
	@$(PYTHON) boot/tests/differ/differ.py --abi $(ABI) --seed $(SEED) --seeds $(SEEDS) $(if $(OPS),--ops $(OPS)) \
	    $(if $(KERNEL),--kernel "$$KERNEL") $(if $(LEAVE_OUT),--leave-out $(LEAVE_OUT))

# ---- cost: the kernel's main paths in instructions, measured by an init that embeds its peer and its smallest child
INCLUDES_boot/tests/cost := $(INCLUDES_boot/tests) -Ilibvmo/include
COST_DIR := $(BUILD)/target/boot/tests/cost
COST_SRCS := $(addprefix boot/tests/cost/,cost.c cost_paths.c cost_sha256.c cost_stream.c cost_stream_count.c cost_call.S cost_registers.S cost_elves.S) $(CRT_SRCS)
COST_PEER_SRCS := $(addprefix boot/tests/cost/,cost_peer.c cost_call.S) $(CRT_SRCS)
$(eval $(call PAYLOAD_PROGRAM,boot/tests/cost/cost_peer.elf,$(COST_PEER_SRCS),$(LIBVMO)))
$(eval $(call PAYLOAD_PROGRAM,boot/tests/cost/cost_child.elf,boot/tests/cost/cost_child.S))
COST_YIELDS := -Wl,--wrap=be_stream_relax -Wl,--wrap=be_stream_sleep
$(eval $(call PAYLOAD_PROGRAM,boot/tests/cost/cost_stream_peer.elf,$(addprefix boot/tests/cost/,cost_stream_peer.c cost_stream_count.c) $(CRT_SRCS),$(LIBVMO),$(COST_YIELDS)))
$(eval $(call CARRIES,boot/tests/cost/cost_elves,$(addprefix $(COST_DIR)/,cost_peer.elf cost_child.elf cost_stream_peer.elf)))
$(eval $(call PAYLOAD_PROGRAM,boot/tests/cost/cost.elf,$(COST_SRCS),$(LIBVMO),$(COST_YIELDS)))
ALL += $(COST_DIR)/cost.elf
TEST_SUITES += boot/tests/cost/test_cost.py

.PHONY: cost-record
NEEDS_cost-record := everything
TOOLS_cost-record := qemu
cost-record: built ## record the cost of the kernel's main paths in boot/tests/cost/cost-a1.tsv and cost-a2.tsv
	@$(PYTHON) boot/tests/cost/test_cost.py --record

# ---- fault: kernels that fault in their own code; each replaces one file of the kernel by one that faults
FAULT_SWAPS := early:fdt address:storm stack:storm guard:storm text:storm
fault_name = $(firstword $(subst :, ,$(1)))
fault_srcs = $(filter-out boot/core/$(lastword $(subst :, ,$(1))).c,$(KERNEL_SRCS)) boot/tests/fault/fault_$(fault_name).c
$(foreach swap,$(FAULT_SWAPS),$(eval $(call KERNEL_PROGRAM,$(BUILD)/fault/$(call fault_name,$(swap)).elf,$(call fault_srcs,$(swap)))))
ALL += $(foreach swap,$(FAULT_SWAPS),$(BUILD)/fault/$(call fault_name,$(swap)).elf)
TEST_SUITES += boot/tests/fault/test_fault.py

# ---- abi: compares every call's answer with the contract (docs/testing/probe.md), on our kernel or on KERNEL=path,
# ---- which has the probe built in as its init
PROBE_HAZARDS ?= 0
TEST_ABI_OPTIONS = $(if $(PROBE),--probe $(PROBE)) $(if $(filter 1,$(V)),--verbose) $(if $(QEMU_EXTRA),--qemu-extra "$$QEMU_EXTRA")
TEST_ABI_OPTIONS += $(if $(KERNEL),--kernel "$$KERNEL",--mem $(MEM) $(if $(filter-out file,$(origin ABI)),--abi $(ABI)))

.PHONY: test-abi
NEEDS_test-abi := everything
TOOLS_test-abi := qemu
test-abi: built ## compare each answer of the kernel with the contract; KERNEL=path for one with the probe as init
	@scripts/test-abi.sh $(TEST_ABI_OPTIONS)
	$(if $(filter 1,$(PROBE_HAZARDS)$(KERNEL)),@scripts/test-abi.sh --probe probe-hazards)

TEST_SUITES += boot/tests/abi/test_probe_rows.py boot/tests/abi/test_abi.py
# The hazards of payloads/evil, each booted on both ABI revisions.
TEST_SUITES += boot/tests/evil/test_evil.py
