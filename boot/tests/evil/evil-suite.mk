# SPDX-License-Identifier: Apache-2.0
# The hazards of payloads/evil, each booted on both ages.

TEST_SUITES += boot/tests/evil/test_evil.py
