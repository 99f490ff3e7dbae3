# SPDX-License-Identifier: Apache-2.0
"""Replaces QEMU: prints a recorded log, and late output once the harness has seen the last marker.

REPLAY is the file with the log. LATE is the file with the late output; without it the program waits for a signal, like
a kernel that never ends. SERIAL is the harness's copy of the log, UNTIL the text in it that starts the late output.
"""
import os
import pathlib
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import exit_codes  # noqa: E402  pylint: disable=wrong-import-position

PATIENCE_SECONDS = 20


def seen(serial, words):
    return serial.is_file() and words in serial.read_bytes()


def main():
    if "-S" in sys.argv:
        return  # the harness asks which CPU this QEMU accepts
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
