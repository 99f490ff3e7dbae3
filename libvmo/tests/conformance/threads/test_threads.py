#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The conformance suite in two threads, each with its own registries, under ThreadSanitizer."""
import os
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT / "tests"))
from tap import Tap  # noqa: E402

BUILD = ROOT / os.environ.get("BUILD", "build")
PROGRAM = "libvmo/tests/conformance/threads/conf_threads"
CASES_MIN = 480  # in both threads together
WALL_SECONDS = 300
BAD = re.compile(r"^not ok|found|instead of")


def run(program):
    done = subprocess.run(
        [program],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=WALL_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout.decode("latin-1").splitlines()


def main():
    tap = Tap()
    for name, folder in (("fake", "tsan/fake"), ("linux", "tsan")):
        code, lines = run(BUILD / folder / PROGRAM)
        bad = [line for line in lines if BAD.search(line)]
        races = [line for line in lines if "ThreadSanitizer" in line]
        ran = sum(line.startswith("ok ") for line in lines)
        tap.check(not bad, f"{name}: every case is ok in both threads", "\n".join(bad))
        tap.check(
            not races,
            f"{name}: the threads share nothing without an atomic",
            "\n".join(lines[:80] if races else []),
        )
        tap.check(ran >= CASES_MIN, f"{name}: at least {CASES_MIN} cases ran", str(ran))
        tap.check(
            code == 0 and lines[-1:] == ["# threads: end 0 0"],
            f"{name}: both threads finished",
            str(code),
        )
    tap.done()


if __name__ == "__main__":
    main()
