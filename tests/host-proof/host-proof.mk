# SPDX-License-Identifier: Apache-2.0
# The Linux proof: its relay with stand-ins, and the proof itself.

TEST_SUITES += tests/host-proof/test_relay.py tests/host-proof/test_host_proof.py
