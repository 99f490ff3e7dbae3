# SPDX-License-Identifier: Apache-2.0
# Tests. A suite is a program that prints TAP with a plan; scripts/run-tests.py runs and counts them.

include libvmo/tests/unit/unit.mk
include boot/tests/core/core.mk
include boot/tests/model/model.mk
include scripts/judge/tests/judge.mk

TEST_SUITES += tests/qemu/test_proof.py

include tests/host-proof/host-proof.mk
include tests/foreign/foreign.mk
include libvmo/tests/packaging/packaging.mk
include boot/tests/evil/evil-suite.mk
include scripts/tests/lint-suite.mk
include libvmo/tests/linux/linux.mk
include libvmo/tests/neuron/neuron.mk
include libvmo/tests/conformance/conformance.mk
include boot/tests/cost/cost.mk
include boot/tests/fault/fault.mk
include boot/tests/abi/abi.mk
include boot/tests/differ/differ.mk
include scripts/analyze.mk
