#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs clang-tidy with the checks of .clang-tidy, then cppcheck, also on the examples; any finding fails.
# `make analyze` runs it from the tree's root, after gcc's own analyzer.
set -eu

tidy_files=$(find libvmo/src libvmo/stream libvmo/hosted libvmo/backend host-ref abi -name '*.c' -not -path '*/tests/*' | LC_ALL=C sort)
# shellcheck disable=SC2086  # the tree's file names contain no blanks
# shellcheck disable=SC2016  # the inner shell expands them
printf '%s\n' $tidy_files | xargs -P 2 -n 4 sh -c '
    for file do
        case $file in
        libvmo/backend/*) backend=${file%/*} ;;
        *) backend=libvmo/backend/linux ;;
        esac
        case $file in
        libvmo/*) clang-tidy --quiet "$file" -- -std=c11 -Ilibvmo/include -Ilibvmo/src -Ilibvmo/stream -Iabi "-I$backend" ;;
        *) clang-tidy --quiet "$file" -- -std=c11 ;;
        esac 2>/dev/null || { echo "analyze: clang-tidy has findings in $file, or cannot compile it" >&2; exit 255; }
    done' sh
echo "analyze: clang-tidy, $(echo "$tidy_files" | wc -l) files, zero findings"

scripts/cppcheck.sh
