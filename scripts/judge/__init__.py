# SPDX-License-Identifier: Apache-2.0
"""The harness and the judge: boots one proof under QEMU and says whether the run proves it.

The way a run goes through the modules: cli -> prepare (challenge, ELF files) -> qemu (the boot)
-> verdict (the table of checks) -> report. The check_* modules see nothing but a Context.
"""
import sys

sys.dont_write_bytecode = True
