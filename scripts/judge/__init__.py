# SPDX-License-Identifier: Apache-2.0
"""The judge: says whether a run of the proof proves it, from what a harness observed (facts.Boot).

verdict has the table of checks. A check (check_*.py) sees nothing but a facts.Context. Nothing here
starts a process or imports the harnesses.
"""
