# SPDX-License-Identifier: Apache-2.0
# The harness tested by itself: no kernel, no payload and no QEMU are needed.

TEST_SUITES += scripts/judge/tests/test_judge.py scripts/judge/tests/test_harness.py scripts/tests/test_run_tests.py \
               scripts/tests/test_supervise.py scripts/judge/tests/test_noise.py scripts/judge/tests/test_exit_codes.py
