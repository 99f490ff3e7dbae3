#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vmo send and vmo recv beside the same hand-over written by hand, and beside pipes.

`make bench-tool` runs it. Each way takes its turn in each round; prints the medians and the ratio to the program by hand.

    bench_tool.py [MIB [ROUNDS]]     default: 1024 7
"""
import hashlib
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "scripts"))
import progress  # noqa: E402

BUILD = ROOT / os.environ.get("BUILD", "build")
VMO, HAND = BUILD / "host/libvmo/tool/vmo", BUILD / "host/libvmo/tests/bench/hand_over"
LIMIT_SECONDS = 300
MIB = 1 << 20


def start(*command):
    return subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE)


def finish(process):
    out, _ = process.communicate(timeout=LIMIT_SECONDS)
    if process.returncode != 0:
        sys.exit(f"bench_tool.py: {process.args} failed")
    return out.decode().split(" ")[0]


def pair(program, folder):
    """A receiver that waits, then a sender; the time is from the sender's start to both ends."""
    path = folder / "socket"
    receiver = start(program, "recv", path)
    end = time.monotonic() + LIMIT_SECONDS
    while not path.exists() and receiver.poll() is None and time.monotonic() < end:
        time.sleep(0.001)
    time.sleep(0.01)  # from the socket's file to the call that listens
    began = time.monotonic()
    sender = start(program, "send", path, folder / "file")
    digests = {finish(sender), finish(receiver)}
    return time.monotonic() - began, digests


def pipe(line, folder):
    began = time.monotonic()
    digest = finish(start("sh", "-c", line, "sh", folder / "file"))
    return time.monotonic() - began, {digest or None}


def processor_seconds():
    """Of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def make_file(path, mib):
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        for _ in range(mib):
            part = os.urandom(MIB)
            digest.update(part)
            file.write(part)
    return digest.hexdigest()


def main():
    mib, rounds = (int(word) for word in (sys.argv[1:] + ["1024", "7"][len(sys.argv) - 1:]))
    ways = {"by hand": lambda f: pair(HAND, f), "vmo": lambda f: pair(VMO, f),
            "cat | cat": lambda f: pipe('cat "$1" | cat >/dev/null', f),
            "cat | sha256sum": lambda f: pipe('cat "$1" | sha256sum', f),
            "cat | vmo sum": lambda f: pipe(f'cat "$1" | {VMO} sum', f)}
    times, work = {way: [] for way in ways}, {way: [] for way in ways}
    meter = progress.Meter("bench-tool", {way: rounds for way in ways}, "measurements", can_fail=False)
    with tempfile.TemporaryDirectory(dir=BUILD) as name, meter:
        folder = pathlib.Path(name)
        expected = make_file(folder / "file", mib)
        for _ in range(rounds):
            for way, run in ways.items():
                meter.begin(way)
                before = processor_seconds()
                seconds, digests = run(folder)
                work[way].append(processor_seconds() - before)
                if digests not in ({expected}, {None}):
                    sys.exit(f"bench_tool.py: {way}: a false digest: {digests}")
                times[way].append(seconds)
                meter.end(way)
    medians = {way: (statistics.median(times[way]), statistics.median(work[way])) for way in ways}
    hand = medians["by hand"]
    print(f"{mib} MiB, {rounds} rounds; of by hand: its time divided by this one")
    print(f"{'':16} {'ms':>8} {'MiB/s':>8} {'of by hand':>11} {'processor ms':>13} {'of by hand':>11}")
    for way, (elapsed, used) in medians.items():
        print(f"{way:16} {elapsed * 1000:8.0f} {mib / elapsed:8.0f} {hand[0] / elapsed:11.2f} "
              f"{used * 1000:13.0f} {hand[1] / used:11.2f}")


if __name__ == "__main__":
    progress.run(main)
