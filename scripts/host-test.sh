#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The harness of the Linux proof: runs producer and consumer as two processes, carries every message between them,
# and judges the run.
# Exit: 0 PASS, 1 FAIL, 2 CONFIG, 3 HARNESS-BUG, 130 or more when a signal ended it. `--help` lists the options.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
PYTHON=${PYTHON:-python3}
command -v "$PYTHON" >/dev/null 2>&1 || {
    echo "verdict: CONFIG '$PYTHON' was not found; on Debian the package is python3"
    exit 2
}
PYTHONPATH=$here
PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH PYTHONDONTWRITEBYTECODE
exec "$PYTHON" -m judge.host_cli "$@"
