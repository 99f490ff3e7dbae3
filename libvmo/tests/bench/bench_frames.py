#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Frames by streams beside other ways, on two processors. `make bench-host` runs it.

    bench_frames.py PROGRAM ...

Rounds of single measurements, in a new order each, so that all ways meet the same load. A probe before and after each
tells near processors, which share a cache, from far ones; a measurement between which they changed is dropped. Prints
the medians of each kind, and their ratios to `stream`.
"""
import collections
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "scripts"))
import progress  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "9"))
NEAR_BELOW_NS = 100  # to hand a cache line over, the clock included
LIMIT_SECONDS = 10
KIB, MIB = 1024, 1024 * 1024
# title, bytes, frames, fill, ways (None: all that carry frames), what the ratios refer to
ROWS = [
    ("4 KiB", 4 * KIB, 5000, "all", None, "stream"),
    ("4 KiB, hint", 4 * KIB, 5000, "hint", ("stream", "ring", "iceoryx"), "stream"),
    ("64 KiB", 64 * KIB, 2000, "all", None, "stream"),
    ("64 KiB, hint", 64 * KIB, 2000, "hint", ("stream", "ring", "iceoryx"), "stream"),
    ("1 MiB", MIB, 150, "all", None, "stream"),
    ("1 MiB, hint", MIB, 150, "hint", ("stream", "ring", "iceoryx"), "stream"),
    ("64 MiB", 64 * MIB, 4, "all", ("stream", "ring", "pipe", "unix", "process_vm_readv", "iceoryx"), "stream"),
    ("round trip, looks", 64, 20000, "none", ("stream-trip", "ring-trip", "iceoryx-trip"), "stream-trip"),
    ("round trip, sleeps", 64, 3000, "none", ("stream-trip-sleeping", "futex-trip"), "stream-trip-sleeping"),
    ("loan + publish, LATEST", 64, 100000, "none", ("publish", "publish-2", "publish-read", "publish-read-2"), "publish"),
]


def first(programs):
    """-> the command that keeps other programs off both processors, if this user may."""
    command = ["chrt", "-f", "1"]
    try:
        tried = subprocess.run([*command, programs[0]], capture_output=True, timeout=LIMIT_SECONDS, check=False)
    except FileNotFoundError:
        return []
    return command if tried.returncode == 0 else []


def ways_of(programs):
    """{way: program}."""
    ways = {}
    for program in programs:
        run = subprocess.run([program], capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True)
        ways.update({way: program for way in run.stdout.split()})
    return ways


def measure(command, way, row, meter):
    """-> (near or far or None, ns, faults + sleeps) of one run."""
    start = time.monotonic()
    words = [*command, way, str(row[1]), str(row[2]), row[3]]
    try:
        run = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True)
    except subprocess.SubprocessError as error:
        meter.say(f"# {way}, {row[0]}: {error}")
        return None, 0, []
    time.sleep((time.monotonic() - start) / 3)
    took, before, after, *events = run.stdout.splitlines()[-1].split("\t")
    kinds = {int(line) < NEAR_BELOW_NS for line in (before, after)}
    kind = None if len(kinds) > 1 else "near" if kinds.pop() else "far"
    return kind, float(took), [int(count) for count in events]


def show(row, found, say):
    for kind in ("near", "far"):
        medians = {way: statistics.median(took for took, _ in runs)
                   for (way, seen), runs in found.items() if seen == kind}
        for way, took in sorted(medians.items(), key=lambda pair: pair[1]):
            runs = found[way, kind]
            ratio = f"{took / medians[row[5]]:7.2f}" if row[5] in medians else "      -"
            faults = sum(sum(events[:2]) for _, events in runs) / len(runs) / row[2]
            sleeps = sum(sum(events[2:]) for _, events in runs) / len(runs) / row[2]
            say(f"{row[0]:23} {kind:5} {way:21} {took:12.1f} {ratio} {len(runs):6} {faults:8.3f} {sleeps:8.3f}")


def wanted_ways(row, ways):
    return [way for way in row[4] or ways if way in ways and (row[4] or not ("-trip" in way or "publish" in way))]


def main(programs):
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("bench_frames.py: needs two processors")
    ways, command = ways_of(programs), first(programs)
    print(f"frames, {ROUNDS} rounds, {'alone on' if command else 'beside other programs on'} two processors")
    print(f"{'':23} {'':5} {'':21} {'ns a frame':>12} {'ratio':>7} {'rounds':>6} {'faults':>8} {'sleeps':>8}")
    steps = {f"{way}, {row[0]}": ROUNDS for row in ROWS for way in wanted_ways(row, ways)}
    with progress.Meter("bench-frames", steps, "measurements", can_fail=False) as meter:
        for row in ROWS:
            wanted, found = wanted_ways(row, ways), collections.defaultdict(list)
            for _ in range(ROUNDS):
                random.shuffle(wanted)
                for way in wanted:
                    meter.begin(f"{way}, {row[0]}")
                    kind, *result = measure([*command, ways[way]], way, row, meter)
                    meter.end(f"{way}, {row[0]}")
                    if kind is not None:
                        found[way, kind].append(tuple(result))
            show(row, found, meter.say)


if __name__ == "__main__":
    progress.run(main, sys.argv[1:])
