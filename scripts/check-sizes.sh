#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks the promised sizes (docs/testing/figures.md), and that libvmo calls no heap function. Run by `make lint`.
#   check-sizes.sh build-folder tool-prefix
set -eu
build=$1
cross=$2
kernel_max=$((96 * 1024))
libvmo_max=$((24 * 1024)) # without the streams
stream_max=$((6 * 1024))
consumer_max=11641 # a tenth more than the 10,583 bytes of version 0.2.0

# Bytes of an object or archive that are loaded: text and data, not .bss.
loaded() {
    "${cross}size" -t "$1" | awk 'END { print $1 + $2 }'
}

kernel=$("${cross}size" "$build/kernel/kernel.elf" | awk 'END { print $1 + $2 }')
libvmo=$(loaded "$build/target/libvmo.a")
stream=$("${cross}size" "$build/target/libvmo.a" | awk '$6 ~ /^(nx_)?stream/ { sum += $1 + $2 } END { print sum + 0 }')
heap=$("${cross}nm" --undefined-only "$build/target/libvmo.a" 2>/dev/null |
    awk '$2 ~ /^(malloc|calloc|realloc|free|sbrk|_sbrk)$/ { print $2 }')

# Bytes of text and data that a program links from libvmo.a, by its link map; 0 if it links nothing. A long section name
# is on a separate line.
linked() {
    sizes=$(awk '/^Linker script and memory map/ { map = 1 }
        !map { next }
        /^ \.[a-z]/ { kept = $1 ~ /^\.(text|rodata|srodata|data|sdata)/ ? 1 : 0 }
        NF == 1 { next }
        kept && $NF ~ /libvmo\.a\(/ { print $(NF - 1) }
        { kept = 0 }' "$1" | tr '\n' ' ')
    total=0
    for size in $sizes; do
        total=$((total + size))
    done
    echo "$total"
}

consumer=$(linked "$build/target/payloads/consumer.map")

echo "check-sizes: kernel image $kernel bytes, at most $kernel_max"
echo "check-sizes: libvmo for the target $((libvmo - stream)) bytes of text and data without streams, at most $libvmo_max"
echo "check-sizes: streams for the target $stream bytes of text and data, at most $stream_max"
echo "check-sizes: libvmo in the proof's consumer $consumer bytes of text and data, at most $consumer_max"
echo "check-sizes: heap functions that libvmo calls: ${heap:-none}"
[ "$kernel" -gt 0 ] && [ "$kernel" -le "$kernel_max" ]
[ "$libvmo" -gt "$stream" ] && [ $((libvmo - stream)) -le "$libvmo_max" ]
[ "$stream" -gt 0 ] && [ "$stream" -le "$stream_max" ]
[ "$consumer" -gt 0 ] && [ "$consumer" -le "$consumer_max" ]
[ -z "$heap" ]
