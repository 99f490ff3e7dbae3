#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs tests of the coverage build and prints their coverage of some sources. Run by `make coverage`.
#   coverage.sh folder-of-the-build pattern-of-the-sources lines-min branches-min test...
# Fails if a test fails or the coverage is below these percentages (docs/testing/figures.md).
set -eu
[ $# -ge 4 ] || {
    echo "coverage: name a folder, sources and two percentages" >&2
    exit 2
}
folder=$1
sources=$2
lines_min=$3
branches_min=$4
shift 4
[ $# -gt 0 ] || {
    echo "coverage: name at least one test" >&2
    exit 2
}

# Remove the counts of an earlier run: gcov adds to them.
find "$folder" -name '*.gcda' -delete
for test in "$@"; do
    CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "$test" >"$test.log" 2>&1 || {
        cat "$test.log"
        echo "coverage: $test failed" >&2
        exit 1
    }
done
# Branches are the compiler's, at -O0. The file branches-* in the build folder lists the lines of branches not taken.
missed=$folder/branches-$(printf %s "$sources" | tr -cs 'a-z\n' - | sed 's/-*$//').txt
gcovr --root . --object-directory "$folder" --filter "$sources" --branches "$folder" >"$missed"
gcovr --root . --object-directory "$folder" --filter "$sources" --print-summary --sort-percentage \
    --fail-under-line "$lines_min" --fail-under-branch "$branches_min" "$folder"
echo "coverage: $sources by $# test programs; required: $lines_min% of lines and $branches_min% of branches"
