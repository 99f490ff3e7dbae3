#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Streams under QEMU beside a task that lies, stops or dies, on both ABI revisions.

Init and the honest tasks print what they met. This program compares that with what must be true,
and the kernel's audit with who may write what. On a1 a liar lets others run at random moments. On
a2 it never does: shift=8 makes a time slice 39,000 instructions, so that the kernel interrupts both
sides in the middle of their calls.
"""
import concurrent.futures
import pathlib
import re
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))
import guest_boot  # noqa: E402
from tap import Tap  # noqa: E402

ELF = guest_boot.BUILD / "target" / "libvmo" / "tests" / "hostile" / "hostile.elf"
SHIFTS = {"a1": 0, "a2": 8}
WALL_SECONDS = 60
READER, LIAR = 18, 19
FRAMES, STOP_FRAMES, ROUNDS, SEATS = 400, 3, 4, 8
PAGE = 4096
SLICE_US = 10000
# On a2 each of a wait's yields may cost a time slice, beside a liar that never yields. The wait reads
# the clock after the second one and after each further one.
LATE_US = {"a1": 1000, "a2": 3 * SLICE_US}
# The liar stores into the frame that it holds, in one of the pool's 8 pages: which one is a matter of time.
KILLED = r"kernel: pid=[0-9]+ killed: store fault va=0x[45]000[0-7]000 pc=0x[0-9a-f]+"
POLICIES = ("backpressure", "latest")
GONE, TIMED_OUT = "VMO_ERR_PEER_GONE", "VMO_ERR_TIMED_OUT"
LAST = "done"


# ---- What must be true: for each case its lines, (who, {key: a value, or a test of the value}) ---
def at_most(most):
    return lambda text: int(text) <= most


def at_least(least):
    return lambda text: int(text) >= least


def producer(**met):
    counts = dict.fromkeys(("slow", "timed_out", "false", "gone", "left"), "0")
    return "producer", {**counts, **met}


def reader(policy, who="reader"):
    taken = str(FRAMES) if policy == "backpressure" else at_least(FRAMES // 2)
    return who, {"sum": str(FRAMES), "taken": taken, "end": GONE}


def part(published, end):
    return "reader", {"sum": str(published), "taken": str(published), "end": end}


def mortal(status):
    return "mortal", {"status": status}


def once(policy, key):
    """The liar is named once; under LATEST it holds nobody up."""
    return {key: "1"} if policy == "backpressure" else {}


def expected(name, policy):
    """-> the lines of a case, without their common keys"""
    waits = policy == "backpressure"
    all_read = reader(policy)
    published = STOP_FRAMES + (name.split(" before ")[-1] in ("`published`", "the bell"))
    some = {"timed_out": at_most(SEATS), "left": at_most(SEATS)}
    expelled = ("VMO_ERR_EXPELLED", "0", "VMO_ERR_EXPELLED")
    held = expelled if waits else ("VMO_ERR_BUSY", "1", "VMO_OK")
    refused = {"again": TIMED_OUT, "false": "VMO_ERR_PROTOCOL"}
    return {
        "overwrites its page": [producer(false=at_least(1), **some), all_read],
        "never reads": [producer(**once(policy, "timed_out")), all_read],
        "holds all": [
            producer(**once(policy, "timed_out")),
            all_read,
            ("holder", dict(zip(("more", "same", "released"), held))),
        ],
        "claims all": [producer(false="1"), all_read],
        "floods": [producer(), all_read, ("flood", {"sent": at_least(SEATS), "unread": "0"})],
        "joins twice": [
            producer(**once(policy, "timed_out")),
            all_read,
            ("twin", refused),
            reader(policy, "twin"),
        ],
        "exits holding all": [producer(**once(policy, "gone")), all_read, mortal("7")],
        "faults holding all": [producer(**once(policy, "gone")), all_read, mortal("-22")],
        LIES: [("doubter", {"frames": at_least(1), "timed_out": at_least(1)})],
        **{f"stops before {what}": [part(published, TIMED_OUT)] for what in STORES},
        **{f"dies before {what}": [part(published, GONE), mortal("7")] for what in STORES},
    }[name]


LIES = "overwrites its control block"
LIARS = (
    "overwrites its page",
    "never reads",
    "holds all",
    "claims all",
    "floods",
    "joins twice",
    "exits holding all",
    "faults holding all",
)
STORES = ("the entry", "its sequence", "`published`", "the bell")


def cases(abi_rev):
    """-> the cases in their order. A child on a1 makes no VMO (K-20), and init must not end (K-65):
    there no producer can die."""
    verbs = ("stops", "dies") if abi_rev == "a2" else ("stops",)
    ends = [f"{verb} before {what}" for what in STORES for verb in verbs]
    return [(name, policy) for policy in POLICIES for name in (*LIARS, *[LIES] * ROUNDS, *ends)]


# ---- Reading a run -------------------------------------------------------------------------------
def read(console):
    """-> [(case, policy, [(who, {key: value})])], the lines after the last case, faults"""
    found, after, faults = [], [], []
    ours = [line.removeprefix("hostile: ") for line in console if line.startswith("hostile: ")]
    for line in ours:
        case = re.fullmatch(r"case (.+), (backpressure|latest)", line)
        if case:
            found.append((*case.groups(), []))
        elif line.startswith("FAIL") or not found:
            faults.append(line)
        elif line == LAST or line.startswith(("honest ", "liar ")):
            after.append(line)
        else:
            # The reason behind `wrong=` has spaces.
            who, _, rest = line.partition(" ")
            found[-1][2].append((who, dict(re.findall(r"(\w+)=((?<=wrong=).*|\S+)", rest))))
    return found, after, faults


def complete(values):
    """The sums that the table names."""
    if "taken" in values:
        values["sum"] = str(int(values["taken"]) + int(values["lost"]))
    if "received" in values:
        values["unread"] = str(int(values["sent"]) - int(values["received"]))
    return values


def line_problems(who, values, wanted, abi_rev):
    everybody = {"wrong": "nothing", "late_us": at_most(LATE_US[abi_rev])}
    wanted = {**{key: test for key, test in everybody.items() if key in values}, **wanted}
    for key, test in wanted.items():
        value = values.get(key, "nothing said")
        if not (test(value) if callable(test) and value.lstrip("-").isdigit() else value == test):
            yield f"{who}: {key}={value}" + ("" if callable(test) else f", not {test}")


def case_problems(name, policy, lines, abi_rev):
    wanted = expected(name, policy)
    if sorted(who for who, _ in lines) != sorted(who for who, _ in wanted):
        return [f"lines of {[who for who, _ in lines]}, expected {[who for who, _ in wanted]}"]
    problems, left = [], list(lines)
    for who, values in wanted:  # two tasks may print in any order, but each in its own
        line = next(line for line in left if line[0] == who)
        left.remove(line)
        problems += line_problems(who, complete(line[1]), values, abi_rev)
    return problems


def writers_problems(audit):
    """By the kernel's own record nobody but its creator wrote a pool, or could, and nobody but its
    consumer a return page."""
    problems, pages = [], 0
    for vmo in audit["vmo"]:
        maps = [record for record in audit["map"] if record["vmo"] == vmo["id"]]
        writers = {record["pid"] for record in maps if record["dirtied"]}
        able = {record["pid"] for record in maps if "w" in record["prot"]}
        takers = {record["to"] for record in audit["hand"] if record["vmo"] == vmo["id"]}
        may = {vmo["creator"]} if vmo["bytes"] > PAGE else takers - {vmo["creator"]}
        pages += vmo["bytes"] == PAGE and LIAR in writers
        if (writers | able) - may:
            found = f"written by {writers}, mapped to write by {able}"
            problems.append(f"VMO {vmo['id']}: {found}, not only by {may}")
    if pages < SEATS:
        problems.append(f"the liar wrote {pages} pages of its own")
    return problems


def boot(abi_rev):
    machine = guest_boot.Machine(wall_seconds=WALL_SECONDS, shift=SHIFTS[abi_rev])
    run = guest_boot.start(ELF, abi_rev, guest_boot.WATCHDOG_MS, machine=machine)
    return guest_boot.judge(run, (KILLED,), {*guest_boot.MUST_FIT, "vmo", "map", "hand"})


def run_problems(run):
    """-> faults of the run as a whole"""
    _, after, faults = read(run.console)
    problems = run.faults + faults
    problems += [] if after == ["honest status=0", "liar status=0", LAST] else [f"the end: {after}"]
    killed = [line for line in run.console if re.fullmatch(KILLED, line)]
    problems += [] if len(killed) == len(POLICIES) else [f"{len(killed)} tasks killed for a store"]
    return problems


def check_run(tap, abi_rev, run):
    tap.check(not run_problems(run), f"{abi_rev}: a sound run", "\n".join(run_problems(run)))
    found = read(run.console)[0]
    names = [case[:2] for case in found]
    tap.check(names == cases(abi_rev), f"{abi_rev}: all cases ran, in order", f"{names}")
    for name, policy, lines in found:
        problems = case_problems(name, policy, lines, abi_rev)
        tap.check(not problems, f"{abi_rev}: {name}, {policy}", "\n".join(problems))
    doubts = [values for _, _, lines in found for who, values in lines if who == "doubter"]
    met = {key: sum(int(values[key]) for values in doubts) for key in ("false", "expelled", "gone")}
    tap.check(all(met.values()), f"{abi_rev}: the lies of a producer were of each kind", f"{met}")
    problems = writers_problems(run.audit) if run.audit else ["there is no audit"]
    tap.check(not problems, f"{abi_rev}: nobody wrote what is not its own", "\n".join(problems))


# ---- Each comparison can fail --------------------------------------------------------------------
EDITS = (
    ("an honest reader that misses a frame", r"(reader taken=)400", r"\g<1>399"),
    ("an honest reader of other bytes", r"(reader .*wrong=)nothing", r"\1a held frame changed"),
    ("a loan far past its deadline", r"(producer .*late_us=)[0-9]+", r"\g<1>200000"),
    ("a producer that blames nobody", r"timed_out=1", "timed_out=0"),
    ("a held frame that changed", r"same=1", "same=0"),
    ("a message of the flood that is missing", r"received=[0-9]+", "received=1"),
    ("a frame outside the pool", r"(doubter .*wrong=)nothing", r"\1a frame lies outside the pool"),
    ("a wait that ends otherwise", r"end=VMO_ERR_TIMED_OUT", "end=VMO_ERR_PROTOCOL"),
    ("a line too few", r"hostile: holder.*", ""),
)


def check_edits(tap, abi_rev, run):
    text = "\n".join(run.console)
    for what, old, new in EDITS:
        edited = re.sub(old, new, text, count=1).splitlines()
        red = [case for case in read(edited)[0] if case_problems(*case, abi_rev)]
        tap.check(len(red) == 1, f"the comparison: {what} is red", f"{len(red)} cases are red")
    maps = run.audit["map"]
    edits = (
        (next(record for record in maps if record["prot"] == "r"), {"dirtied": 1}),
        (next(record for record in maps if record["pid"] == READER), {"prot": "rw"}),
    )
    for record, edit in edits:
        kept = dict(record)
        record.update(edit)
        tap.check(writers_problems(run.audit), f"the comparison: a mapping with {edit} is red")
        record.update(kept)


def main():
    tap = Tap()
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        runs = dict(zip(SHIFTS, pool.map(boot, SHIFTS)))
    for abi_rev, run in runs.items():
        check_run(tap, abi_rev, run)
    if tap.failed == 0:
        check_edits(tap, "a2", runs["a2"])
    tap.done()


if __name__ == "__main__":
    main()
