# SPDX-License-Identifier: Apache-2.0
# Tests. A suite is a program that prints TAP with a plan; scripts/run-tests.py runs and counts them.

include tests/unit/unit.mk
include tests/core/core.mk
include tests/model/model.mk
include tests/judge/judge.mk

TEST_SUITES += tests/qemu/test_proof.py

include tests/host-proof/host-proof.mk
include tests/foreign/foreign.mk
include tests/packaging/packaging.mk
include tests/evil/evil-suite.mk
include tests/lint/lint-suite.mk
include tests/linux/linux.mk
include tests/conformance/conformance.mk
include tests/cost/cost.mk
include tests/abi/abi.mk
include tests/differ/differ.mk
include scripts/analyze.mk
