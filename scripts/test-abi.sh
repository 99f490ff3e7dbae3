#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The harness of the ABI probe: boots it and compares each answer with the contract (docs/testing/probe.md).
# Exit: 0 PASS, 1 FAIL, 2 CONFIG, 3 HARNESS-BUG, 130 or more if a signal ended it. `--help` lists the options.
exec "$(dirname -- "$0")/run-judge.sh" probe "$@"
