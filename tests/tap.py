# SPDX-License-Identifier: Apache-2.0
"""Prints test results as TAP, which scripts/run-tests.py reads from every suite."""
import os
import pathlib
import re
import sys

CONTROL = re.compile("[^\t -~]")  # control characters, which must not reach the terminal
ROOT = pathlib.Path(__file__).resolve().parents[1]


def room():
    """The folder for a suite's temporary files. run-tests.py removes it, even if a signal ends the suite."""
    return os.environ.get("TEST_ROOM") or ROOT / os.environ.get("BUILD", "build")


class Tap:
    """Counts and prints results; `done` prints the plan and ends the program."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, good, name, detail=""):
        self.count += 1
        self.failed += 0 if good else 1
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        if not good and detail:
            for line in str(detail).splitlines():
                print("# " + CONTROL.sub(lambda found: ascii(found[0])[1:-1], line), flush=True)
        return good

    def done(self):
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.failed or not self.count else 0)
