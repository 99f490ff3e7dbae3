#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks the sizes that the project promises (docs/testing/figures.md), and that libvmo calls no heap function. Run by
# `make lint`.
#   check-sizes.sh build-folder tool-prefix
set -eu
build=$1
cross=$2
kernel_max=$((96 * 1024))
libvmo_max=$((24 * 1024))

# Bytes of an object or archive that are loaded from the file: text and data, not .bss.
loaded() {
    "${cross}size" -t "$1" | awk 'END { print $1 + $2 }'
}

kernel=$("${cross}size" "$build/kernel/kernel.elf" | awk 'END { print $1 + $2 }')
libvmo=$(loaded "$build/target/libvmo.a")
heap=$("${cross}nm" --undefined-only "$build/target/libvmo.a" 2>/dev/null |
    awk '$2 ~ /^(malloc|calloc|realloc|free|sbrk|_sbrk)$/ { print $2 }')

echo "check-sizes: kernel image $kernel bytes, at most $kernel_max"
echo "check-sizes: libvmo for the target $libvmo bytes of text and data, at most $libvmo_max"
echo "check-sizes: heap functions that libvmo calls: ${heap:-none}"
[ "$kernel" -gt 0 ] && [ "$kernel" -le "$kernel_max" ]
[ "$libvmo" -gt 0 ] && [ "$libvmo" -le "$libvmo_max" ]
[ -z "$heap" ]
