# SPDX-License-Identifier: Apache-2.0
# The library as a user gets it: installed, looked at, built against and taken away again.

PACKAGING_SUITE := libvmo/tests/packaging/test_packaging.py
TEST_SUITES += $(PACKAGING_SUITE)

.PHONY: test-packaging

test-packaging: ## test the installed library, its manual and its examples alone
	$(Q)$(PYTHON) -B $(PACKAGING_SUITE)
