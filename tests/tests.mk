# SPDX-License-Identifier: Apache-2.0
# The suites of the whole tree and of the scripts. A suite is a program that prints TAP with a plan;
# scripts/run-tests.py runs and counts suites. The suites of boot, libvmo and host-ref are in their own .mk files.

REPORT_SUITES := scripts/report/tests/test_run_page.py scripts/report/tests/test_figures.py
# The judge, its harness and the test runner, without kernel, payload and QEMU.
SCRIPT_SUITES := scripts/judge/tests/test_judge.py scripts/judge/tests/test_judge_proofs.py \
                 scripts/judge/tests/test_judge_linux.py \
                 scripts/judge/tests/test_noise.py scripts/judge/tests/test_hostile.py \
                 scripts/judge/tests/test_each_edit.py scripts/tests/test_run_folder.py \
                 scripts/tests/test_run_tests.py scripts/tests/test_progress.py scripts/tests/test_mutants.py \
                 scripts/judge/tests/test_harness.py scripts/tests/test_supervise.py \
                 scripts/judge/tests/test_exit_codes.py $(REPORT_SUITES)
# The checks of `make lint`, on faulty trees.
LINT_SUITES := scripts/tests/test_check_abi.py scripts/tests/test_check_graph.py
TEST_SUITES += $(SCRIPT_SUITES) $(LINT_SUITES)

# The proof and the runs that must fail, under QEMU and on Linux, and on a foreign kernel.
TEST_SUITES += tests/qemu/test_proof.py tests/host-proof/test_relay.py tests/host-proof/test_host_proof.py
TEST_SUITES += tests/stream-proof/test_stream_proof.py tests/stream-proof/test_stream_witness.py
TEST_SUITES += tests/foreign/test_foreign.py tests/foreign/test_witness.py
TEST_SUITES += tests/fill-proof/test_fill_proof.py
include tests/foreign/foreign.mk
include tests/docs/docs.mk
# The judge's fuzzer. It is not in `make test`, because it edits fresh runs, whose nonces differ.
.PHONY: fuzz-judge
NEEDS_fuzz-judge := everything
TOOLS_fuzz-judge := qemu
fuzz-judge: built ## EDITS random edits (10000) of green runs, from SEED (1): the judge must find each one
	@$(PYTHON) scripts/judge/tests/fuzz_judge.py --seed $(or $(SEED),1) \
	    $(if $(FUZZ_SECONDS),--seconds $(FUZZ_SECONDS),--edits $(or $(EDITS),10000))
# Any program as init, on our kernel.
.PHONY: boot
NEEDS_boot = $(KERNEL_ELF)
TOOLS_boot := qemu
boot: built ## boot INIT=program.elf on ABI, show what it prints, and judge the end
	@$(PYTHON) tests/boot_init.py "$$INIT" $(call quote,$(ABI))
# The build itself, on a copy of the tree.
TEST_SUITES += tests/build/test_build.py

# `make test-host`: the suites whose programs HOSTCC compiles. CI runs them with the second compiler.
HOST_SUITES := $(filter-out $(SCRIPT_SUITES) $(LINT_SUITES) boot/tests/% tests/qemu/% tests/foreign/% tests/build/% \
               tests/stream-proof/% tests/fill-proof/% $(SHA_ISA)/%,$(TEST_SUITES))

# `make test-fast`, for use while working: the tests that run on the host in about a second, the judge against its red
# logs, and one boot of the proof on each revision.
FAST_SUITES := $(filter $(BUILD)/%,$(TEST_SUITES)) $(BUILD)/san/fake/$(CONF)/conf_fake $(BUILD)/san/$(CONF)/conf_linux \
               scripts/judge/tests/test_judge.py scripts/judge/tests/test_noise.py $(REPORT_SUITES) \
               $(LINT_SUITES) boot/tests/abi/test_probe_rows.py boot/tests/cost/test_cost.py tests/qemu/test_boot.py
