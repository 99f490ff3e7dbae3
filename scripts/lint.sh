#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks format and runs static analysis; any finding fails. `make lint` runs it from the tree's root.
set -eu

# Another version formats differently, so its result does not count.
reference=14
c_files=$(git ls-files --cached --others --exclude-standard -- '*.c' '*.h')
format=clang-format-$reference
command -v "$format" >/dev/null 2>&1 || format=clang-format
version=$("$format" --version | sed 's/.*version \([0-9]*\).*/\1/')
if [ "$version" = "$reference" ]; then
    # shellcheck disable=SC2086  # the tree's file names contain no blanks
    "$format" --dry-run --Werror $c_files
    echo "lint: clang-format, $(echo "$c_files" | wc -l) files"
else
    echo "lint: clang-format $reference is the reference, found $version: the format of $(echo "$c_files" | wc -l) files was NOT CHECKED"
fi

sh_files=$(git ls-files --cached --others --exclude-standard -- '*.sh' .ci/run)
# shellcheck disable=SC2086
shellcheck $sh_files
echo "lint: shellcheck, $(echo "$sh_files" | wc -l) files"

scripts/cppcheck.sh -i libvmo/examples
