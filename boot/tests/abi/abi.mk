# SPDX-License-Identifier: Apache-2.0
# What every call answers, compared with the contract (docs/testing/probe.md): on our kernel, or on KERNEL=path, which has
# the probe built in as its init.

PROBE_HAZARDS ?= 0
QEMU_EXTRA ?=
export QEMU_EXTRA

TEST_ABI_OPTIONS = $(if $(PROBE),--probe $(PROBE)) $(if $(filter 1,$(V)),--verbose) $(if $(QEMU_EXTRA),--qemu-extra "$$QEMU_EXTRA")
ifneq ($(KERNEL),)
export KERNEL
TEST_ABI_OPTIONS += --kernel "$$KERNEL"
else
TEST_ABI_OPTIONS += --mem $(MEM) $(if $(filter-out file,$(origin ABI)),--abi $(ABI))
endif

.PHONY: test-abi
test-abi: locked-all ## compare each answer of the kernel with the contract; KERNEL=path for one with the probe as init
	@scripts/test-abi.sh $(TEST_ABI_OPTIONS)
ifeq ($(PROBE_HAZARDS)$(KERNEL),1)
	@scripts/test-abi.sh --probe probe-hazards
endif

TEST_SUITES += boot/tests/abi/test_probe_rows.py boot/tests/abi/test_abi.py
