#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prepares the proof's init ELF for a kernel that builds it in, and prints its path (docs/neuron.md).
# Exit: 0 done, 2 CONFIG, 3 HARNESS-BUG. `--help` lists the options.
exec "$(dirname -- "$0")/run-judge.sh" proof-elf "$@"
