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

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
from judge import exit_codes  # noqa: E402  pylint: disable=wrong-import-position

PATIENCE_SECONDS = 20


def seen(serial, words):
    return serial.is_file() and words in serial.read_bytes()


def main():
    if "-S" in sys.argv:
        return  # asked for the CPU that it takes
    sys.stdout.buffer.write(pathlib.Path(os.environ["REPLAY"]).read_bytes())
    sys.stdout.flush()
    late = os.environ.get("LATE")
    if late:
        end = time.monotonic() + PATIENCE_SECONDS
        while not seen(pathlib.Path(os.environ["SERIAL"]), os.environ["UNTIL"].encode()) and time.monotonic() < end:
            time.sleep(0.01)
        sys.stdout.buffer.write(pathlib.Path(late).read_bytes())
        sys.stdout.flush()
        sys.exit(exit_codes.number(exit_codes.DONE))
    signal.pause()


if __name__ == "__main__":
    main()
