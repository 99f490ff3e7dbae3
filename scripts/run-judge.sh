#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a harness of scripts/harness (its __main__.py lists them) with its options, under the supervisor.
#   run-judge.sh harness [option...]
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
exec "$PYTHON" -m launch harness "$@"
