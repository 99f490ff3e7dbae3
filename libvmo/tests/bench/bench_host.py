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
PROGRAM = ROOT / os.environ.get("BUILD", "build") / "host/libvmo/tests/bench/bench_host"
WAITING = PROGRAM.with_name("bench_wait")
MESSAGES, RUNS = "400", "15"
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


def show(kind, exchange, step, hand, vmo):
    ratio = int(vmo) / max(int(hand), 1)
    print(f"{kind:14} {exchange:8} {step:16} {hand:>8} {vmo:>8} {ratio:7.2f}")


def main():
    for size in sys.argv[1:] or ["4096", "65536"]:
        print(f"{size} bytes, {RUNS} runs of {MESSAGES} messages each way")
        print(f"{'':14} {'exchange':8} {'step':16} {'by hand':>8} {'libvmo':>8} {'ratio':>7}")
        for line in run(str(PROGRAM), "times", size, MESSAGES, RUNS).splitlines():
            show("ns", *line.split("\t"))
        counts = instructions(size)
        for exchange in ("fresh", "guarded", "resend", "pool"):
            show("instructions", exchange, "all", counts[exchange, "hand"], counts[exchange, "vmo"])
    print(run(str(WAITING)), end="")


if __name__ == "__main__":
    main()
