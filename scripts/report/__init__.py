# SPDX-License-Identifier: Apache-2.0
"""Pages to look at: run_page draws one run of the proof, figures_page the recorded figures.

A page is one file without scripts. `markup` escapes every text, so that a task's output cannot add
markup to it. The module reads what the judge has read, and decides nothing.
"""
