#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random programs on a foreign kernel (tests/foreign), and omitted classes."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]
import differ_boot  # noqa: E402
import differ_foreign  # noqa: E402
from differ_boot import BROKEN, HUNG, MISMATCH, OK, Program  # noqa: E402
import foreign_kernel  # noqa: E402
from harness import qemu  # noqa: E402
from judge import facts  # noqa: E402
from tap import Tap, room  # noqa: E402

COMMAND = "boot/tests/differ/differ.py"
COMMAND_SECONDS = 300
ONE = "vmo_share_ro"
BOTH = "vmo_share_ro,cap_transfer_to"  # calls that the differing stand-in lacks
SUM = re.compile(r"differ: ([0-9]+) programs, ([0-9]+) ok, [0-9]+ red; [0-9]+ operations, "
                 r"(?:([0-9]+) left out, )?")


def command(words):
    """-> (exit code, output)"""
    done = subprocess.run([sys.executable, COMMAND, *words], cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          env={**os.environ, "BUILD": str(differ_boot.BUILD)},
                          timeout=COMMAND_SECONDS)
    return done.returncode, done.stdout.decode(errors="replace")


def summed(text):
    """-> (programs, of these ok, operations left out or None)"""
    found = SUM.search(text)
    return tuple(number and int(number) for number in found.groups()) if found else None


# ---- Judging a run, without a boot ----------------------------------------------------------

PROGRAM = Program("a2", 7, 100, classes=("getpid",), foreign=True)
GOOD = b"differ: seed 7 ops 100 made 90 left out 4 ok\r\n"
BAD = b"differ: seed 7 op 12: 0 getpid() got 1 expected 17: a0\r\n"
# name, log, why the run was stopped, outcome
JUDGED = [
    ("a good end", GOOD, facts.LINGER, OK),
    ("a good end in pieces", GOOD.replace(b"ops", b"ops[INFO x] y\r\n"), facts.LINGER, OK),
    ("a mismatch", BAD, facts.LINGER, MISMATCH),
    ("a mismatch of another seed", BAD.replace(b"7", b"8", 1), facts.LINGER, BROKEN),
    ("a panic", b"differ: op 3: 0 x() = 1 a1=0\r\nPANIC: at kmain.rs\r\n", facts.LINGER, BROKEN),
    ("a panic after the good line", GOOD + b"PANIC: at kmain.rs\r\n", facts.LINGER, BROKEN),
    ("a panic without a newline", GOOD + b"PANIC: at kmain.rs", facts.LINGER, BROKEN),
    ("silence", b"", facts.WALL, HUNG),
    ("a program that omitted nothing", GOOD.replace(b"left out 4 ", b""), facts.LINGER, BROKEN),
]


def test_judge(tap):
    for name, log, stopped, kind in JUDGED:
        outcome = differ_foreign.judge(qemu.QemuRun([], log, None, stopped, 0.0), PROGRAM)
        tap.check(outcome.kind == kind, f"judge: {name} is {kind}", outcome)


# ---- With boots -----------------------------------------------------------------------------

def test_names(tap):
    code, text = command(["--leave-out", "vmo_destroy,vmo_shred"])
    listed = all(name in text for name in differ_boot.CLASSES)
    good = code == 2 and "'vmo_shred'" in text and listed
    tap.check(good, "an unknown class is refused by name, with the list", text)


def test_own(tap):
    words = ["--abi", "a2", "--seeds", "2", "--ops", "400"]
    code, text = command(words)
    tap.check(code == 0 and summed(text) == (2, 2, None), "our kernel, all classes", text)
    code, text = command([*words, "--leave-out", "cap-move"])
    found = summed(text)
    said = "differ: leaves out the operations of cap-move" in text
    tap.check(code == 0 and found and found[2] and said,
              "our kernel, an omitted class, which is counted", text)


def test_foreign(tap, folder):
    kernels = {name: str(foreign_kernel.build(f"{folder}/{name}", name, differ_boot.ELF))
               for name in ("a1", "a2", "lacks")}
    for abi_rev in ("a1", "a2"):
        code, text = command(["--abi", abi_rev, "--kernel", kernels[abi_rev], "--seeds", "2"])
        tap.check(code == 0 and summed(text) == (2, 2, None),
                  f"{abi_rev}: a foreign kernel, all classes", text)
    words = ["--abi", "a2", "--kernel", kernels["lacks"], "--ops", "400", "--seeds", "2"]
    code, text = command([*words, "--leave-out", ONE])
    replay = [line.split()[2:] for line in text.splitlines() if line.startswith("replay: ")]
    tap.check(code == 1 and "cap_transfer_to" in text and replay,
              "a foreign kernel that lacks two calls is red if one of them is made", text)
    code, text = command(replay[0]) if replay else (None, "")
    tap.check(code == 1, "the replay on a foreign kernel is red", text)
    code, text = command([*words, "--leave-out", BOTH])
    found = summed(text)
    tap.check(code == 0 and found and found[:2] == (2, 2) and found[2],
              "a foreign kernel that lacks two calls is ok without both", text)
    code, text = command(["--kernel", kernels["a2"]])
    tap.check(code == 2 and "has one --abi" in text,
              "the ABI revision of a foreign kernel must be named", text)
    empty = foreign_kernel.build(f"{folder}/empty")
    code, text = command(["--abi", "a2", "--kernel", str(empty)])
    tap.check(code == 2 and "EMBED_INIT_ELF" in text,
              "a foreign kernel without the program is refused", text)


def main():
    tap = Tap()
    test_judge(tap)
    test_names(tap)
    test_own(tap)
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        test_foreign(tap, folder)
    tap.done()


if __name__ == "__main__":
    main()
