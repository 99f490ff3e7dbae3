#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random programs under QEMU (docs/testing/random.md). Good ones must be ok; faulty ones must be red, shrink, and be red
again in a replay."""
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]
import differ  # noqa: E402
import differ_boot  # noqa: E402
import shrink  # noqa: E402
from differ_boot import BROKEN, HUNG, MISMATCH, OK, Program  # noqa: E402
import guest_boot  # noqa: E402
from harness import qemu  # noqa: E402
import exit_codes  # noqa: E402
from tap import Tap  # noqa: E402

GOOD_SEEDS = range(1, 6)
RED_OPS = 150
TAKES_A_SLOT = re.compile(r"differ: op ([0-9]+): 0 (?:vmo_create\(-1|cap_clone)\S* .*= [0-9]+ a1=0")
BLOCK_BYTES_MAX = 8192
COMMAND_SECONDS = 300
FIRST_FAULT = 20  # some ops run before the fault


# ---- Shrinking, without a boot --------------------------------------------------------------------------------

def test_shrink(tap):
    asked = []

    def is_red(part):
        asked.append(part)
        return {3, 77, 150} <= set(part)

    tap.check(shrink.shrink(range(200), is_red) == [3, 77, 150], "shrink: three of two hundred, in order")
    distinct = {tuple(part) for part in asked}
    tap.check(len(distinct) == len(asked) < 100, "shrink: asks fewer than 100 questions, none twice",
              f"{len(asked)} questions")
    tap.check(shrink.shrink(range(10), lambda part: True) == [0], "shrink: one item always remains")
    tap.check(shrink.shrink(range(8), lambda part: len(part) >= 8) == list(range(8)),
              "shrink: keeps all items if all are needed")
    asked.clear()
    found = shrink.shrink(range(200), is_red, 5)
    tap.check(len(asked) == 5 and {3, 77, 150} <= set(found), "shrink: stops at the limit of questions")


# ---- Judging a run, without a boot ----------------------------------------------------------------------------

PROGRAM = Program("a2", 7, 100)
DONE, BADLY, WATCHDOG = (exit_codes.number(outcome) for outcome in ("done", "done-badly", "watchdog"))
GOOD_LINE = "differ: seed 7 ops 100 made 90 ok"
BAD_LINE = "differ: seed 7 op 12: 0 getpid() got 1 expected 17: a0"
# name, lines, exit code, faults of the run, outcome
JUDGED = [
    ("a good end", [GOOD_LINE], DONE, [], OK),
    ("a mismatch", [BAD_LINE], BADLY, [f"QEMU ended with {BADLY} (None) instead of {DONE}"], MISMATCH),
    ("a hazard", [GOOD_LINE], DONE, ["hazard: pid 17 call 5 K-64 unmapped-pointer"], BROKEN),
    ("no final line", ["differ: op 3: 0 getpid() = 17 a1=0"], DONE, [], BROKEN),
    ("no line", [], WATCHDOG, [], BROKEN),
    ("no end", [GOOD_LINE], None, [f"QEMU ended with None (wall) instead of {DONE}"], HUNG),
    ("the good line and another code", [GOOD_LINE], BADLY, [f"QEMU ended with {BADLY} (None) instead of {DONE}"], BROKEN),
    ("a mismatch of another seed", [BAD_LINE.replace("7", "8", 1)], BADLY, [], BROKEN),
    ("the good line of another seed", [GOOD_LINE.replace("7", "8")], DONE, [], BROKEN),
    ("the good line of a shorter program", [GOOD_LINE.replace("100", "99")], DONE, [], BROKEN),
    ("a program that does nothing", [GOOD_LINE.replace("90", "3")], DONE, [], BROKEN),
    ("a line after the good line", [GOOD_LINE, "differ: more"], DONE, [], BROKEN),
]


def test_judge(tap):
    for name, lines, code, faults, kind in JUDGED:
        run = guest_boot.Run(qemu.QemuRun([], b"", code, None, 0.0), "", lines, None, list(faults))
        outcome = differ_boot.judge(run, PROGRAM)
        tap.check(outcome.kind == kind, f"judge: {name} is {kind}", outcome)


def test_patch(tap):
    refused = []
    for elf in (b"no mark", differ_boot.MARK * 2 + bytes(9000)):
        try:
            differ_boot.patched(elf, PROGRAM)
        except differ_boot.SetupError as error:
            refused.append(str(error))
    tap.check(len(refused) == 2, "patch: refuses an ELF file with no mark or two", refused)
    elf = differ_boot.ELF.read_bytes()
    new = differ_boot.patched(elf, dataclasses.replace(PROGRAM, kept=frozenset({1})))
    changed = [at for at, (old, byte) in enumerate(zip(elf, new)) if old != byte]
    start = elf.index(differ_boot.MARK)
    tap.check(len(new) == len(elf) and start < changed[0] and changed[-1] < start + BLOCK_BYTES_MAX,
              "patch: changes only the block")


# ---- With boots -----------------------------------------------------------------------------------------------

def test_good(tap, pool):
    wanted = [Program(abi_rev, seed, differ_boot.OPS[abi_rev]) for seed in GOOD_SEEDS for abi_rev in ("a1", "a2")]
    for outcome in pool.map(differ_boot.boot, wanted):
        name = f"{outcome.program.abi_rev}: seed {outcome.program.seed}"
        tap.check(outcome.kind == OK, name, f"{outcome.text}\nreplay: {differ.replay_words(outcome.program)}")


def some_op(abi_rev, seed):
    """An op of init that takes a slot. The model notices a false answer to it, or that it ran twice."""
    traced = differ_boot.boot(Program(abi_rev, seed, RED_OPS, trace=True))
    found = [int(match.group(1)) for match in map(TAKES_A_SLOT.fullmatch, traced.notes) if match]
    return next((op for op in found if op >= FIRST_FAULT), FIRST_FAULT)


def without_each(program):
    return [dataclasses.replace(program, trace=False, kept=program.kept - {op}) for op in sorted(program.kept)]


def red_case(abi_rev, seed, **faults):
    """-> (the red run, the shrunk one, its replay, the shrunk one without each of its ops)."""
    op = some_op(abi_rev, seed)
    program = Program(abi_rev, seed, RED_OPS,
                      **{name: op if value is None else value for name, value in faults.items()})
    found = differ_boot.boot(program)
    least = differ.smaller(found)
    parts = [differ_boot.boot(part) for part in without_each(least.program)]
    return found, least, differ_boot.boot(least.program), parts


RED = [
    ("a false answer", "a1", 1, {"lie": None}, 1, 1),
    ("a false answer", "a2", 1, {"lie": None}, 1, 1),
    ("a call made twice", "a1", 1, {"repeat": None}, 2, 6),
    ("a call made twice", "a2", 2, {"repeat": None}, 2, 6),
    ("a call that the kernel lacks", "a2", 1, {"without": "51"}, 1, 4),
]


def test_red(tap, pool):
    cases = [pool.submit(red_case, abi_rev, seed, **faults) for _, abi_rev, seed, faults, _, _ in RED]
    for (name, abi_rev, _, _, least_ops, most_ops), case in zip(RED, cases):
        found, least, again, parts = case.result()
        title = f"{abi_rev}: {name}"
        tap.check(found.kind == MISMATCH, f"{title}: is red", found.text)
        tap.check(least.kind == MISMATCH and least_ops <= len(least.program.kept) <= most_ops,
                  f"{title}: {least_ops} to {most_ops} ops are enough", "\n".join(least.notes))
        tap.check((again.kind, again.text) == (MISMATCH, least.text), f"{title}: the replay is red again", again.text)
        # A leftover slot unknown to the model still makes such a run BROKEN at its end.
        tap.check(all(part.kind != MISMATCH for part in parts),
                  f"{title}: without any one of these ops no answer is wrong", "\n".join(part.text for part in parts))


def command(words):
    environment = {**os.environ, "BUILD": str(differ_boot.BUILD)}
    done = subprocess.run([sys.executable, *words], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=COMMAND_SECONDS, check=False, env=environment)
    return done.returncode, done.stdout.decode(errors="replace")


def test_command(tap):
    """The command reports what is wrong and prints a replay that works."""
    words = ["boot/tests/differ/differ.py", "--abi", "a2", "--ops", "40"]
    code, text = command(words)
    tap.check(code == 0 and "\ndiffer: 1 programs, 1 ok, 0 red" in "\n" + text, "command: exit 0 if all are ok", text)
    code, text = command(words + ["--without", "25,5"])
    replay = [line.split()[1:] for line in text.splitlines() if line.startswith("replay: ")]
    tap.check(code == 1 and len(replay) == 1, "command: exit 1 and a replay if one is red", text)
    code, text = command(replay[0]) if replay else (None, "")
    tap.check(code == 1, "command: the replay is red", text)
    code, text = command(words + ["--kernel", "no-such-kernel"])
    tap.check(code == 2 and "refused to start" in text, "command: exit 2 if there is nothing to boot", text)


def main():
    tap = Tap()
    test_shrink(tap)
    test_judge(tap)
    test_patch(tap)
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        test_good(tap, pool)
        test_red(tap, pool)
    test_command(tap)
    tap.done()


if __name__ == "__main__":
    main()
