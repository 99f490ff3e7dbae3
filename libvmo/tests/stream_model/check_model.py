#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the protocol of streams exhaustively with Spin: the protocol itself has no error, and each of its weaker forms
has one.

    check_model.py BUILD-FOLDER

The model has one producer, two consumers, two buffers and three frames. A run searches every interleaving of single
accesses to the shared words, under one memory model: 0 sequentially consistent, 1 total store order, 2 partial store
order. Two runs at a time: each takes up to 1.5 GiB."""
import concurrent.futures
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "tests"))
from tap import Tap  # noqa: E402

MEMORY_MIB = 6000  # a bound for one search; none needs a third of it
SECONDS = 900  # a bound against a hang, far above any run
DEPTH = 400000

BACKPRESSURE = []
LATEST = ["-DLATEST"]
EXPEL = ["-DEXPEL"]
# Any published frame may be recycled. The small model needs it to use a slot again whose old frame is still held.
ANY = ["-DM_TAKENEWEST"]
SC, TSO, PSO = (["-DMEM=0"], ["-DMEM=1"], ["-DMEM=2"])

RIGHT = [
    ("BACKPRESSURE, SC", BACKPRESSURE + SC),
    ("BACKPRESSURE, TSO", BACKPRESSURE + TSO),
    ("BACKPRESSURE with expel, SC", BACKPRESSURE + EXPEL + SC),
    ("LATEST, SC", LATEST + SC),
]

# What the weaker form leaves out, and the run that finds the error.
WEAKER = [
    ("a claim is not seq_cst", "NOFENCE_CLAIM", LATEST + TSO),
    ("the end of an entry is not seq_cst", "NOFENCE_RECYCLE", LATEST + TSO),
    ("an entry is not ended before its buffer is used again", "NOINVALID", LATEST + SC),
    ("an entry stays although a consumer has not taken its frame", "HADNONE", LATEST + SC),
    ("an entry is overwritten without being ended first", "NOINVALID_OVERWRITE", LATEST + SC + ANY),
    ("a consumer announces its sleep without seq_cst", "NOFENCE_SLEEP", BACKPRESSURE + TSO),
    ("a frame is published without seq_cst", "NOFENCE_PUBLISH", BACKPRESSURE + TSO),
    ("the producer announces its sleep without seq_cst", "NOFENCE_PSLEEP", BACKPRESSURE + TSO),
    ("a release is not seq_cst", "NOFENCE_RELEASE", BACKPRESSURE + TSO),
    ("the entry is copied after the second look", "COPYLATE", LATEST + SC + ANY),
    ("a claim that failed is not taken back", "NOUNDO", LATEST + SC),
    ("a claim that failed is taken back without a signal", "UNDO_NOBELL", LATEST + SC + ANY),
    ("a frame that was never claimed counts as released", "SKETCHFREE", BACKPRESSURE + SC),
    ("the sequence of an entry is not a release store", "RELAXED_SEQ", BACKPRESSURE + PSO),
    ("expel has no fence", "NOFENCE_EXPEL", BACKPRESSURE + EXPEL + PSO),
]


def search(folder, flags):
    """Spin's verdict: the number of errors, or a text that says why there is none."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    compiler = ["cc", "-O2", "-DSAFETY", "-DCOLLAPSE", f"-DMEMLIM={MEMORY_MIB}", "-w", "-o", "pan", "pan.c"]
    for command in (["spin", "-a", *flags, str(HERE / "stream.pml")], compiler):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS)
        if done.returncode:
            return f"{command[0]}: {done.stdout[-300:]}{done.stderr[-300:]}"
    try:
        done = subprocess.run(["./pan", f"-m{DEPTH}"], cwd=folder, capture_output=True, text=True, check=False,
                              timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"not finished after {SECONDS} s"
    if "search depth too small" in done.stdout or "out of memory" in done.stdout:
        return "the search was cut short"
    counts = [line for line in done.stdout.splitlines() if "errors:" in line]
    return int(counts[0].split("errors:")[1].split()[0]) if counts else done.stdout[-300:]


def main():
    build = pathlib.Path(sys.argv[1]) / "stream-model"
    tap = Tap()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        right = [(name, pool.submit(search, build / f"right-{i}", flags)) for i, (name, flags) in enumerate(RIGHT)]
        weaker = [(name, pool.submit(search, build / mutant, [*flags, f"-DM_{mutant}"]))
                  for name, mutant, flags in WEAKER]
        for name, run in right:
            tap.check(run.result() == 0, f"stream model: no error: {name}", run.result())
        for name, run in weaker:
            tap.check(run.result() == 1, f"stream model: found: {name}", run.result())
    tap.done()


if __name__ == "__main__":
    main()
