# SPDX-License-Identifier: Apache-2.0
# The tree's own checks, on trees that are wrong.

TEST_SUITES += tests/lint/test_check_abi.py
