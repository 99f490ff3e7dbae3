# SPDX-License-Identifier: Apache-2.0
"""A stand-in for QEMU: prints a log that was kept, and, when the harness has seen its last marker, what comes late.

REPLAY is the log, LATE the file with what comes late (none: nothing does), SERIAL where the harness keeps what it
read, UNTIL the words after which it is late. Without LATE it waits to be ended, as a kernel does that has no end.
"""
import os
import pathlib
import signal
import sys
import time

PATIENCE_SECONDS = 20
GUEST_DONE = 85


def seen(serial, words):
    return serial.is_file() and words in serial.read_bytes()


def main():
    sys.stdout.buffer.write(pathlib.Path(os.environ["REPLAY"]).read_bytes())
    sys.stdout.flush()
    late = os.environ.get("LATE")
    if late:
        end = time.monotonic() + PATIENCE_SECONDS
        while not seen(pathlib.Path(os.environ["SERIAL"]), os.environ["UNTIL"].encode()) and time.monotonic() < end:
            time.sleep(0.01)
        sys.stdout.buffer.write(pathlib.Path(late).read_bytes())
        sys.stdout.flush()
        sys.exit(GUEST_DONE)
    signal.pause()


if __name__ == "__main__":
    main()
