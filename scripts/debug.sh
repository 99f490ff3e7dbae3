#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Boots the proof, stopped at its first instruction, with a gdb stub on port 1234. Run by `make debug`.
#   debug.sh [a1|a2] [memory]
set -eu
age=${1:-a2}
memory=${2:-320M}
run=$(mktemp -d "$BUILD/debug-XXXXXX")
trap 'rm -rf "$run"' EXIT INT TERM

"$BUILD/host/host-ref/host-ref" challenge --payload "${PAYLOAD:-LICENSE}" --out "$run/challenge"
make --no-print-directory -s run-elf RUN_DIR="$run"
cat <<TEXT
The guest waits at its first instruction. In another terminal, from here (Debian package gdb-multiarch):

  gdb-multiarch $BUILD/kernel/kernel.elf \\
      -ex 'add-symbol-file $run/producer.debug.elf' \\
      -ex 'target remote localhost:1234' -ex 'break main' -ex 'continue'

The consumer's symbols: add-symbol-file $run/consumer.debug.elf (same addresses, other page table: load one
at a time). End with Ctrl-A X here. The watchdog is off for 10 minutes of guest time.
TEXT
cpu=$(PYTHONPATH=$(dirname -- "$0") "${PYTHON:-python3}" -B -m harness.qemu "${QEMU:-qemu-system-riscv64}")
"${QEMU:-qemu-system-riscv64}" -M virt -cpu "$cpu" -m "$memory" -smp 1 \
    -icount shift=0,sleep=off -nographic -no-reboot -S -gdb tcp:localhost:1234 \
    -kernel "$BUILD/kernel/kernel.elf" -initrd "$run/producer.elf" \
    -append "abi=$age watchdog_ms=600000" || echo "debug: the guest ended with exit code $?"
