#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs test programs under valgrind; an error, a leak or a failed test fails. Run by `make memcheck`.
#   memcheck.sh test...
set -eu
[ $# -gt 0 ] || {
    echo "memcheck: name at least one test" >&2
    exit 2
}
results=0
for test in "$@"; do
    CMOCKA_MESSAGE_OUTPUT=TAP timeout 600 valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=all \
        --errors-for-leak-kinds=all "$test" >"$test.memcheck.log" 2>&1 || {
        cat "$test.memcheck.log"
        echo "memcheck: $test failed" >&2
        exit 1
    }
    results=$((results + $(grep -c '^ok ' "$test.memcheck.log")))
done
echo "memcheck: $# programs, $results tests, zero errors, zero leaks"
