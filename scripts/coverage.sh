#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the tests of the coverage build and prints what they reach of libvmo/src. Run by `make coverage`.
#   coverage.sh folder-of-the-build test...
# Fails if a test fails, or below the project's targets (docs/testing/figures.md).
set -eu
lines_min=98
branches_min=90
folder=$1
shift
[ $# -gt 0 ] || {
    echo "coverage: no tests were given" >&2
    exit 2
}

# Counts of an earlier run would add up with this one's.
find "$folder" -name '*.gcda' -delete
for test in "$@"; do
    CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "$test" >"$test.log" 2>&1 || {
        cat "$test.log"
        echo "coverage: $test failed" >&2
        exit 1
    }
done
# A branch is one of the compiler's at -O0. branches.txt, beside the objects, names the lines of those not taken.
gcovr --root . --object-directory "$folder" --filter 'libvmo/src/' --branches "$folder" >"$folder/branches.txt"
gcovr --root . --object-directory "$folder" --filter 'libvmo/src/' --print-summary --sort-percentage \
    --fail-under-line "$lines_min" --fail-under-branch "$branches_min" "$folder"
echo "coverage: $# test programs; at least $lines_min% of lines and $branches_min% of branches are asked for"
