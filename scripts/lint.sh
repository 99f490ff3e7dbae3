#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Format and static analysis; any finding fails. Run by `make lint`, from the tree's root.
set -eu

c_files=$(git ls-files --cached --others --exclude-standard -- '*.c' '*.h')
# shellcheck disable=SC2086  # the tree's file names hold no blanks
clang-format --dry-run --Werror $c_files
echo "lint: clang-format, $(echo "$c_files" | wc -l) files"

scripts/cppcheck.sh -i libvmo/examples
echo "lint: cppcheck, zero findings"
