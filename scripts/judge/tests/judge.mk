# SPDX-License-Identifier: Apache-2.0
# The harness tested by itself: no kernel, no payload and no QEMU are needed.

TEST_SUITES += tests/judge/test_judge.py tests/judge/test_harness.py tests/judge/test_run_tests.py \
               tests/judge/test_noise.py
