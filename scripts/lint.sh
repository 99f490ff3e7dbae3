#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Format and static analysis; any finding fails. Run by `make lint`, from the tree's root.
set -eu

c_files=$(git ls-files --cached --others --exclude-standard -- '*.c' '*.h')
# shellcheck disable=SC2086  # the tree's file names hold no blanks
clang-format --dry-run --Werror $c_files
echo "lint: clang-format, $(echo "$c_files" | wc -l) files"

# The product's sources, as C: what nexus_abi.h has for assembler alone is none.
# unmatchedSuppression is off because the list of suppressions is empty by intent.
cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,style,performance,portability \
    --inline-suppr --suppress=missingIncludeSystem -U__ASSEMBLER__ -j 2 \
    -Ilibvmo/include -Ilibvmo/src -Iabi -Iboot -Ipayloads -i boot/tests -i libvmo/tests -i libvmo/examples -i host-ref/tests \
    abi libvmo boot payloads host-ref
echo "lint: cppcheck, zero findings"
