#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libvmo beside the same exchanges by hand: times, and user instructions by callgrind.

`make bench-host` runs it.

    bench_host.py [BYTES ...]     default: 4096 65536
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]
import progress  # noqa: E402
from figure_rows import FigureRows  # noqa: E402

PROGRAM = ROOT / os.environ.get("BUILD", "build") / "host/libvmo/tests/bench/bench_host"
WAITING = PROGRAM.with_name("bench_wait")
MESSAGES, RUNS = "400", "15"
WAIT = re.compile(r", (\d+) looks before a sleep: (\d+) ns, (\d+) to (\d+)$", re.M)
COUNTED = 64  # messages under callgrind
LIMIT_SECONDS = 600


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    if done.returncode != 0:
        sys.exit(f"bench_host.py: {command[0]} failed: {done.stderr}")
    return done.stdout


def instructions(size):
    """{(exchange, way): user instructions of a message}."""
    counts = {}
    with tempfile.TemporaryDirectory() as folder:
        run("valgrind", "--tool=callgrind", "--collect-atstart=no",
            f"--callgrind-out-file={folder}/out", str(PROGRAM), "count", size, str(COUNTED))
        for path in sorted(pathlib.Path(folder).iterdir()):
            text = path.read_text()
            name = re.search(r"^desc: Trigger: Client Request: (\S+)-(\S+)$", text, re.M)
            if name:
                total = int(re.search(r"^(?:totals|summary): (\d+)", text, re.M)[1])
                counts[name[1], name[2]] = total // COUNTED
    return counts


def line(kind, exchange, step, hand, vmo):
    ratio = vmo / max(hand, 1)
    return f"{kind:14} {exchange:8} {step:16} {hand:>8} {vmo:>8} {ratio:7.2f}"


def add(rows, group, row, unit, hand, vmo):
    for way, figures in (("by hand", hand), ("libvmo", vmo)):
        rows.add(group, row, way, unit, figures)


def times(size, rows):
    """-> the table's lines"""
    told = [f"{size} bytes, {RUNS} runs of {MESSAGES} messages each way",
            f"{'':14} {'exchange':8} {'step':16} {'by hand':>8} {'libvmo':>8} {'ratio':>7}"]
    for text in run(str(PROGRAM), "times", size, MESSAGES, RUNS).splitlines():
        exchange, step, *figures = text.split("\t")
        hand, vmo = (list(map(int, way)) for way in (figures[:3], figures[3:]))
        told.append(line("ns", exchange, step, hand[1], vmo[1]))
        add(rows, f"{exchange}, {size} bytes", step, "ns", hand, vmo)
    return told


def counts(size, rows):
    """-> the table's lines"""
    told, counted = [], instructions(size)
    for exchange in ("fresh", "guarded", "resend", "pool"):
        hand, vmo = counted[exchange, "hand"], counted[exchange, "vmo"]
        told.append(line("instructions", exchange, "all", hand, vmo))
        add(rows, f"a message, {size} bytes", exchange, "instructions", [hand], [vmo])
    return told


def waits(rows):
    """-> the table's lines"""
    text = run(str(WAITING))
    for looks, median, low, high in WAIT.findall(text):
        rows.add("round trip of two processes", "all", f"{looks} looks", "ns", list(map(int, (low, median, high))))
    return text.splitlines()


def main():
    rows = FigureRows("bench-host", "make bench-host", "Messages on Linux")
    steps = {}
    for size in sys.argv[1:] or ["4096", "65536"]:
        steps[f"times, {size} bytes"] = lambda size=size: times(size, rows)
        steps[f"instructions, {size} bytes"] = lambda size=size: counts(size, rows)
    steps["waits"] = lambda: waits(rows)
    with progress.Meter("bench-host", list(steps), "measurements", can_fail=False) as meter:
        for name, step in steps.items():
            meter.begin(name)
            meter.say("\n".join(step()))
            meter.end(name)
    rows.write()


if __name__ == "__main__":
    progress.run(main)
