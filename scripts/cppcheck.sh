#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs cppcheck over the product's sources; any finding fails. Passes its arguments to cppcheck. lint.sh and analyze.sh
# run it from the tree's root.
set -eu

# Newer versions report errors in correct code: 2.17 cannot parse a register variable.
reference='Cppcheck 2.10'
version=$(cppcheck --version)
if [ "$version" != "$reference" ]; then
    echo "cppcheck: $reference is the reference, found $version: the sources were NOT CHECKED"
    exit 0
fi

# -U__ASSEMBLER__: nexus_abi.h has parts for the assembler only. unmatchedSuppression is off because the list of
# suppressions is deliberately empty.
check() {
    cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,style,performance,portability \
        --inline-suppr --suppress=missingIncludeSystem -U__ASSEMBLER__ -j 2 \
        -Ilibvmo/include -Ilibvmo/src -Iabi -Iboot -Ipayloads "$@"
}

# The library's core is checked with each backend's types (docs/adr/0011-types-by-folder.md).
for backend in neuron linux fake; do
    check "$@" "-Ilibvmo/backend/$backend" libvmo/src "libvmo/backend/$backend"
done
check "$@" -i boot/tests -i libvmo/tests -i libvmo/src -i libvmo/backend -i host-ref/tests abi libvmo boot payloads host-ref
echo "cppcheck: zero findings"
