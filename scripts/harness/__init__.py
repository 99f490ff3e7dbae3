# SPDX-License-Identifier: Apache-2.0
"""The harnesses: they run the proof, have the run judged (scripts/judge), and show the verdict.

The way of a run: cli -> prepare (kernel, challenge, programs) -> qemu or linux_run (the run) -> the
judge -> cli (the report). probe compares the ABI probe's answers with the contract.
"""
