# SPDX-License-Identifier: Apache-2.0
# The suites that run the whole, and those of the scripts. A suite is a program that prints TAP with a plan;
# scripts/run-tests.py runs and counts them. Those of boot and libvmo stand in the parts' own files.

# The judge, its harness and the test runner by themselves: no kernel, no payload and no QEMU are needed.
SCRIPT_SUITES := scripts/judge/tests/test_judge.py scripts/judge/tests/test_noise.py scripts/tests/test_run_tests.py \
                 scripts/judge/tests/test_harness.py scripts/tests/test_supervise.py \
                 scripts/judge/tests/test_exit_codes.py
# The tree's own checks, on trees that are wrong.
LINT_SUITES := scripts/tests/test_check_abi.py scripts/tests/test_check_graph.py
TEST_SUITES += $(SCRIPT_SUITES) $(LINT_SUITES)

# The proof, and the runs that must not pass, under QEMU and on Linux; a kernel that is not ours.
TEST_SUITES += tests/qemu/test_proof.py tests/host-proof/test_relay.py tests/host-proof/test_host_proof.py
TEST_SUITES += tests/foreign/test_foreign.py
include tests/foreign/foreign.mk
# The build itself, on a copy of the tree.
TEST_SUITES += tests/build/test_build.py

# `make test-fast`, what one runs while working: all that runs on the host alone in a second or some, the answers of the
# kernel's core and of libvmo's backends, the judge against its red logs, and one boot of the proof on each revision.
FAST_SUITES := $(filter $(BUILD)/%,$(TEST_SUITES)) $(BUILD)/san/fake/$(CONF)/conf_fake $(BUILD)/san/$(CONF)/conf_linux \
               scripts/judge/tests/test_judge.py scripts/judge/tests/test_noise.py $(LINT_SUITES) \
               boot/tests/abi/test_probe_rows.py boot/tests/cost/test_cost.py tests/qemu/test_boot.py
