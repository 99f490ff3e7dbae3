#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a benchmark that prints tables several times; prints the medians, and records their spread.

    bench_again.py bytes|sha256

`make bench-bytes` and `make bench-sha256` run it.
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]
import progress  # noqa: E402
from figure_rows import FigureRows  # noqa: E402

FOLDER = ROOT / os.environ.get("BUILD", "build") / "host/libvmo/tests/bench"
RUNS, LIMIT_SECONDS = 5, 600
# name: (title, tables in the order of the output); a table: (group, unit, what a row's number is, the columns used)
TABLES = {
    "bytes": ("Filling and copying on Linux", (
        ("one shot: create, fill, destroy", "us", "bytes", ("vmo_write", "view", "vmo_copy", "read to view")),
        ("vmo_copy_in, then the read by another processor", "us", "bytes", ("near: copy", "near: read", "far: copy", "far: read")),
    )),
    "sha256": ("SHA-256 on Linux", (("hashed in a second of processor time", "MB/s", "bytes", ("libvmo", "EVP", "portable")),)),
}
NUMBERS = re.compile(r"\s*\d[\d.]*(?:\s+\d[\d.]*)+\s*")


def run(name):
    """-> the output's lines"""
    done = subprocess.run([FOLDER / f"bench_{name}"], capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    if done.returncode != 0:
        sys.exit(f"bench_again.py: bench_{name} failed: {done.stderr}")
    return done.stdout.splitlines()


def middle(words):
    return sorted(words, key=float)[len(words) // 2]


def main(name):
    title, tables = TABLES[name]
    outputs, rows = [], FigureRows(f"bench-{name}", f"make bench-{name}", title)
    with progress.Meter(f"bench-{name}", {name: RUNS}, "runs", can_fail=False) as meter:
        for _ in range(RUNS):
            meter.begin(name)
            outputs.append(run(name))
            meter.end(name)
    table = -1
    for lines in zip(*outputs):
        if not NUMBERS.fullmatch(lines[0]):
            print(lines[0])
            table += lines[0].lstrip().startswith("bytes")
            continue
        columns = list(zip(*map(str.split, lines)))
        medians = map(middle, columns)
        print(re.sub(r" *\S+", lambda found: next(medians).rjust(len(found[0])), lines[0]))
        group, unit, what, ways = tables[table]
        for way, words in zip(ways, columns[1:]):
            rows.add(group, f"{int(columns[0][0]):,} {what}", way, unit, list(map(float, words)))
    rows.write()


if __name__ == "__main__":
    progress.run(main, sys.argv[1])
