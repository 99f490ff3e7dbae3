#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The cost of a call does not grow with the number of live objects.

callgrind counts the instructions in user mode.

    test_growth.py [--table]      also prints the counts as tables for docs/testing/figures.md

The fake kernel runs up to a million objects, Linux as many as its limit of descriptors allows.
"""
import concurrent.futures
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))
from figure_rows import FigureRows  # noqa: E402
from tap import Tap  # noqa: E402

BUILD = ROOT / os.environ.get("BUILD", "build")
SPARE = 64  # table entries for the measured calls
FEW = 16
PROGRAMS = {
    "fake": (
        BUILD / "host/fake/libvmo/tests/growth/growth_fake",
        (FEW, 1000, 15000, 100000, 1048576 - SPARE),
    ),
    "Linux": (BUILD / "host/libvmo/tests/growth/growth_linux", (FEW, 1000, 15000)),
}
DESCRIPTORS = 8000  # enough for 15,000 objects on Linux, since half of them wrap bytes
LIVE_MAX = 1.3
TABLE_MAX = 1.05
REPEATS = {"peer": 1, "peer_close": 1}  # all others: 16
LIMIT_SECONDS = 300


def measure(program, live, entries):
    """-> {call: instructions of one} with `live` live objects in tables of `entries` entries."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                "valgrind",
                "--tool=callgrind",
                "--instr-atstart=no",
                "--collect-atstart=no",
                f"--callgrind-out-file={folder}/out",
                program,
                str(live),
                str(entries),
            ],
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        counts = {}
        for path in sorted(pathlib.Path(folder).iterdir()):
            text = path.read_text()
            name = re.search(r"^desc: Trigger: Client Request: (\S+)$", text, re.M)
            if name:
                counts[name[1]] = int(
                    re.search(r"^(?:totals|summary): (\d+)", text, re.M)[1]
                ) // REPEATS.get(name[1], 16)
        return counts


def check(tap, kernel, pool, rows):
    program, live_counts = PROGRAMS[kernel]
    runs = [(live, live + SPARE) for live in live_counts] + [(FEW, 1048576)]
    results = list(pool.map(lambda run: measure(program, *run), reversed(runs)))[::-1]
    few, wide = results[0], results[-1]
    tap.check(len(few) > 15 and all(few.values()), f"{kernel}: each call is counted", few)
    for (live, _), counts in zip(runs[1:-1], results[1:-1]):
        for name, count in few.items():
            tap.check(
                counts[name] <= LIVE_MAX * count,
                f"{kernel}: {name} with {live} live objects"
                f" costs at most {LIVE_MAX} x as with {FEW}",
                f"{counts[name]} and {count} instructions",
            )
    for name, count in few.items():
        tap.check(
            wide[name] <= TABLE_MAX * count,
            f"{kernel}: {name} in tables of 1048576 entries"
            f" costs at most {TABLE_MAX} x as in tables of {FEW + SPARE}",
            f"{wide[name]} and {count} instructions",
        )
    for (live, _), counts in zip(runs[:-1], results[:-1]):
        for name, count in counts.items():
            rows.add("the fake kernel" if kernel == "fake" else kernel, name, live, "instructions", [count])
    if sys.argv[1:] == ["--table"]:
        print(
            f"# | {kernel} | "
            + " | ".join(f"{live:,}" for live, _ in runs[:-1])
            + f" | {FEW} in a table of 1,048,576 |"
        )
        for name in few:
            print(f"# | {name} | " + " | ".join(f"{counts[name]:,}" for counts in results) + " |")


def main():
    tap = Tap()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    tap.check(
        most >= DESCRIPTORS,
        f"the hard limit of open files is at least {DESCRIPTORS}",
        f"it is {most}: raise it with ulimit -Hn",
    )
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    rows = FigureRows(
        "growth", "python3 libvmo/tests/growth/test_growth.py", "Growth with the number of live objects"
    )
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for kernel in PROGRAMS:
            check(tap, kernel, pool, rows)
    rows.write()
    tap.done()


if __name__ == "__main__":
    main()
