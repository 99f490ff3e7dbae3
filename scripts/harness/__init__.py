# SPDX-License-Identifier: Apache-2.0
"""The harnesses: run the proof, pass the run to scripts/judge, and show the verdict.

A run's path: cli -> prepare (kernel, challenge, programs) -> qemu or linux_run (the run) -> the
judge -> cli (the report). probe compares the ABI probe's answers with the contract.
"""
