#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Boots the proof with a gdb stub on port 1234 and stops at the first instruction. Run by `make debug`.
#   debug.sh [a1|a2] [memory]
set -eu
revision=${1:-a2}
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

For the consumer's symbols: add-symbol-file $run/consumer.debug.elf. Both programs have the same addresses, so load one
at a time. Ctrl-A X here ends QEMU. The watchdog waits 10 minutes of guest time.
TEXT
cpu=$(PYTHONPATH=$(dirname -- "$0") "${PYTHON:-python3}" -B -m harness.qemu "${QEMU:-qemu-system-riscv64}")
"${QEMU:-qemu-system-riscv64}" -M virt -cpu "$cpu" -m "$memory" -smp 1 \
    -icount shift=0,sleep=off -nographic -no-reboot -S -gdb tcp:localhost:1234 \
    -kernel "$BUILD/kernel/kernel.elf" -initrd "$run/producer.elf" \
    -append "abi=$revision watchdog_ms=600000" || echo "debug: the guest ended with exit code $?"
