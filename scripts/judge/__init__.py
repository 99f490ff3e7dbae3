# SPDX-License-Identifier: Apache-2.0
"""The harnesses and the judge: they run one proof and say whether the run proves it.

The way of a run: cli -> prepare (kernel, challenge, programs) -> qemu or linux_run (the run, as
facts.Boot) -> verdict (the table of checks, check_*.py) -> cli (the report). A check sees nothing
but a facts.Context. probe compares the ABI probe's answers with the contract, by the same means.
"""
import sys

sys.dont_write_bytecode = True
