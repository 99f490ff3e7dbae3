#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The harness of the Linux proof: runs producer and consumer as two processes, relays every message, and judges the run.
# Exit: 0 PASS, 1 FAIL, 2 CONFIG, 3 HARNESS-BUG, 130 or more if a signal ended it. `--help` lists the options.
exec "$(dirname -- "$0")/run-judge.sh" linux "$@"
