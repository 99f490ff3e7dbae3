# SPDX-License-Identifier: Apache-2.0
"""Prints test results as TAP, the form that every suite of this tree uses (scripts/run-tests.py)."""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def room():
    """Where a suite makes folders for a run. run-tests.py removes it at the end, even if a signal ends the suite."""
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
                print(f"# {line}", flush=True)
        return good

    def done(self):
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.failed or not self.count else 0)
