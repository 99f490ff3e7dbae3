# SPDX-License-Identifier: Apache-2.0
# The tree's own checks, on trees that are wrong.

TEST_SUITES += scripts/tests/test_check_abi.py scripts/tests/test_check_graph.py
