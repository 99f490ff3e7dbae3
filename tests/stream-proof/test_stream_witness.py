#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The proof of streams under the witness: it agrees with our kernel's audit, makes all checks but a few on the stand-in
for a foreign kernel, also with a prepared init built in, and finds the lies there. A stream polls a bounded number of
times: the stops stay far below the witness's limit."""
import concurrent.futures
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "stream-proof"), str(ROOT / "scripts")]
import foreign_kernel  # noqa: E402
from judge import facts  # noqa: E402
from judge import verdict as verdicts  # noqa: E402
from tap import Tap, room  # noqa: E402
from test_stream_proof import MUST_FAIL, SMALL, names, run  # noqa: E402

STOPS_MOST = 2500  # of 7 frames, on a busy host; a1 maps 131 pages with two stops each
# On a2 the tasks preempt each other, so nobody knows whose the instructions between two stops are.
UNMADE = {"a1": set(), "a2": {"work"}}
OURS = {"a1": {"seal"}, "a2": set()}
# Lies that change no marker, and one that does; what the witness sees besides.
LIES = {"stream-repeats-quietly": set(), "stream-writes-for-it": {"views"}, "stream-late-write": set(),
        "stream-overwrites": set()}
ENDS = {"exit-code", "leaks"}  # what only our own kernel shows


def stops_of(checks):
    return int(checks["witness"][1].split()[0])


def check_good(tap, name, result, unmade):
    code, checks, text = result
    tap.check(code == 0 and names(checks, "not-checked") == unmade, f"must pass: {name}", text)
    stops = stops_of(checks) if "witness" in checks else 0
    tap.check(20 < stops <= STOPS_MOST, f"at most {STOPS_MOST} stops: {name}", f"{stops} stops")


def check_lie(tap, name, result, wanted):
    code, checks, text = result
    red = names(checks, "RED")
    tap.check(code == 1 and red == wanted, f"must fail: {name}", f"red {sorted(red)}, wanted {sorted(wanted)}\n{text}")


def check_other_proof(tap, kernel, proof):
    """A kernel that was built around a stream's init is not run as another proof."""
    words = [str(ROOT / "scripts" / "qemu-test.sh"), "--proof", "share", "--kernel", str(kernel), "--run", str(proof)]
    done = subprocess.run(words, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=ROOT)
    tap.check(done.returncode == 2 and b"is that of --proof stream" in done.stdout,
              "must be refused: another proof than the built-in one", done.stdout.decode(errors="replace"))


def prepared(folder):
    """Builds the stand-in around a proof that proof-elf prepared. -> (kernel, folder of the proof)"""
    proof = folder / "proof"
    words = [str(ROOT / "scripts" / "proof-elf.sh"), "--proof", "stream", *SMALL, "--out", str(proof)]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return foreign_kernel.build(folder / "built-in", "a1", proof / "producer.elf"), proof


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        folder = pathlib.Path(folder)
        kernel = foreign_kernel.build(folder / "stand-in")
        built_in, proof = prepared(folder)
        stand_in = ["--kernel", str(kernel), "--linger", "0.3"]
        excused = verdicts.may_skip(facts.WATCHED, facts.STREAM)
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            ours = {abi: pool.submit(run, abi, [*SMALL, "--witness", "1"]) for abi in UNMADE}
            theirs = {abi: pool.submit(run, abi, [*SMALL, *stand_in]) for abi in UNMADE}
            inside = pool.submit(run, "a1", ["--kernel", str(built_in), "--run", str(proof), "--linger", "0.3"])
            lies = [(case, abi, pool.submit(run, abi, [*SMALL, *stand_in, "--mutant", case[0]]))
                    for number, case in enumerate(case for case in MUST_FAIL if case[0] in LIES)
                    for abi in [("a1", "a2")[number % 2]]]
            for abi in UNMADE:
                check_good(tap, f"our kernel and its audit, {abi}", ours[abi].result(), OURS[abi] | UNMADE[abi])
                check_good(tap, f"stand-in, {abi}", theirs[abi].result(), excused | UNMADE[abi])
            check_good(tap, "stand-in with a prepared init built in, a1", inside.result(), excused)
            check_other_proof(tap, built_in, proof)
            for (name, wanted, *_), abi, future in lies:
                check_lie(tap, f"stand-in, {abi}: {name}", future.result(), (wanted - ENDS) | LIES[name])
    tap.done()


if __name__ == "__main__":
    main()
