#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The conformance suite on the host, and under QEMU: on each ABI revision, without each newer call.

The judge's checks judge each boot (limits, exit code, bad patterns, the audit's form, its result,
hazards). Then the guest's TAP is parsed strictly, and each guest case is reported as a case here.
The cases that a platform cannot run must be exactly those of cannot.tsv. `--update-table` rewrites
that table instead.
"""
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "libvmo/tests/conformance")]
import conformance_table  # noqa: E402
import guest_boot  # noqa: E402
from tap import Tap  # noqa: E402

BUILD = ROOT / os.environ.get("BUILD", "build")
ELFS = BUILD / "target" / "libvmo" / "tests" / "conformance"
FAKE = BUILD / "san" / "fake" / "libvmo" / "tests" / "conformance" / "conf_fake"
LINUX = BUILD / "san" / "libvmo" / "tests" / "conformance" / "conf_linux"
WALL_SECONDS = 300
CASES_MIN = 120

# CONF_GROUPS in libvmo-tests.mk is the same list. On a kernel that never frees memory each group
# needs its own boot.
GROUPS = (
    "life handles bytes views slices dup wrap descriptors seals messages channel transfer claims many"
    " ends ends-with-vmos stream stream-sizes fill rounds full-slots full-maps full-memory"
).split()

# name, ABI revision, removed calls, whether each group needs its own boot
PLATFORMS = [
    ("a1", "a1", "", True),
    ("a2", "a2", "", False),
    ("a2-without-28-31-44-49-52", "a2", "28,31,44,49,52", False),  # the library uses none of these
    ("a2-without-32", "a2", "32", False),
    ("a2-without-46", "a2", "46", True),
    ("a2-without-47", "a2", "47", False),
    ("a2-without-51", "a2", "51", False),
    ("a2-without-53", "a2", "53", True),
    ("a2-without-54", "a2", "54", True),
    ("a2-without-46-47-51", "a2", "46,47,51", True),
]

# The same suite as a program on the host.
HOST_PLATFORMS = [("fake", [FAKE]), ("fake-small", [FAKE, "small"])]
if any((ROOT / "libvmo" / "backend" / "linux").glob("*.c")):
    HOST_PLATFORMS.append(("linux", [LINUX]))

HEAD = "TAP version 13"
LAST = "# conformance: end"
RESULT = re.compile(r"(ok|not ok) ([0-9]+) - ([a-z-]+: .+)")
CANNOT = re.compile(r"# cannot: ([a-z-]+: .+) - ([^-]+)")
KERNEL_LINES = (r"kernel: pid=[0-9]+ killed: store fault va=0x0 pc=0x[0-9a-f]+",)
PLAN = re.compile(r"1\.\.([0-9]+)")


@dataclasses.dataclass
class Guest:
    results: list = dataclasses.field(default_factory=list)  # (good, name, explanation)
    cannot: dict = dataclasses.field(default_factory=dict)  # name -> reason
    faults: list = dataclasses.field(default_factory=list)  # in the run as a whole
    regions: int = 0  # at the end minus at the start

    def cases(self):
        return [name for _, name, _ in self.results] + list(self.cannot)


def read_guest(console, guest):
    """Accepts only TAP between the two marks: results numbered from 1, comments, one plan, last."""
    if console.count(HEAD) != 1 or console.count(LAST) != 1:
        guest.faults.append(f"'{HEAD}' or '{LAST}' is missing or printed twice")
        return
    lines = console[console.index(HEAD) + 1 : console.index(LAST)]
    plan, notes = None, []
    for line in lines:
        result, cannot, planned = (
            RESULT.fullmatch(line),
            CANNOT.fullmatch(line),
            PLAN.fullmatch(line),
        )
        if plan is not None and not line.startswith("#"):
            guest.faults.append(f"output after the plan: '{line}'")
        elif result:
            if int(result.group(2)) != len(guest.results) + 1:
                guest.faults.append(f"result {result.group(2)}, expected {len(guest.results) + 1}")
            guest.results.append((result.group(1) == "ok", result.group(3), "\n".join(notes)))
            notes = []
        elif cannot:
            guest.cannot[cannot.group(1)] = cannot.group(2)
        elif planned:
            plan = int(planned.group(1))
        elif line.startswith("#"):
            notes.append(line[1:].strip())
        elif not line.startswith("kernel: "):  # the judge checks those
            guest.faults.append(f"not a line of TAP: '{line[:80]}'")
    if plan is None or plan != len(guest.results):
        guest.faults.append(f"{plan} cases planned, {len(guest.results)} run")
    if notes and any("found" in note or "instead of" in note for note in notes):
        guest.faults.append("; ".join(notes))


def judge_audit(audit, guest):
    """The end must leave as many slots and endpoints as the start. The suite itself counts VMOs."""
    start, done = (audit.res(when) for when in ("start", "done"))
    for key in ("slots", "endpoints"):
        if start[key] != done[key]:
            guest.faults.append(f"{key}: {start[key]} at the start, {done[key]} at the end")
    guest.regions = done["regions"] - start["regions"]


def boot(revision, without, group):
    guest = Guest()
    elf = ELFS / (f"suite-{group}.elf" if group else "suite.elf")
    run = guest_boot.boot(elf, revision, f"without={without}" if without else "", KERNEL_LINES)
    guest.faults += run.faults
    read_guest(run.console, guest)
    if run.audit:
        judge_audit(run.audit, guest)
    # Without unmap (54) used addresses stay mapped.
    if revision == "a2" and "54" not in without.split(",") and guest.regions:
        guest.faults.append(f"{guest.regions} regions more than at the start")
    return guest


def run_host(words):
    guest = Guest()
    try:
        done = subprocess.run(
            [str(word) for word in words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=WALL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        guest.faults.append(str(error))
        return guest
    lines = done.stdout.decode("latin-1").splitlines()
    read_guest(lines, guest)
    if done.returncode != 0:
        guest.faults.append(f"exit status {done.returncode}")
    if LAST in lines and lines[-1] != LAST:
        guest.faults += lines[lines.index(LAST) + 1 :][:40]  # a sanitizer's report
    return guest


def report(tap, platform, guests):
    """Reports each guest case, the boot as a whole, and the number of cases."""
    cannot, ran = {}, 0
    for group, guest in guests:
        for good, name, notes in guest.results:
            tap.check(good, f"{platform}: {name}", notes)
        tap.check(
            not guest.faults,
            f"{platform}: sound run of {group or 'all groups'}",
            "\n".join(guest.faults),
        )
        cannot.update(guest.cannot)
        ran += len(guest.results)
    expected = CASES_MIN if "without-53" not in platform and "without-32" not in platform else 0
    tap.check(ran >= expected, f"{platform}: at least {expected} cases ran", f"{ran}")
    return cannot


def main(arguments):
    tap = Tap()
    found, groups = {}, set()
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        waiting = [
            (
                name,
                [
                    (group, pool.submit(boot, revision, without, group))
                    for group in (GROUPS if alone else [None])
                ],
            )
            for name, revision, without, alone in PLATFORMS
        ]
        waiting += [
            (name, [(None, pool.submit(run_host, words))]) for name, words in HOST_PLATFORMS
        ]
        for name, boots in waiting:
            guests = [(group, future.result()) for group, future in boots]
            found[name] = report(tap, name, guests)
            groups |= {case.split(":")[0] for _, guest in guests for case in guest.cases()}
    if arguments == ["--update-table"]:
        conformance_table.update(found)
    tap.check(groups == set(GROUPS), "GROUPS lists the groups of the suite", sorted(groups))
    for name in found:
        stated = conformance_table.stated(name)
        lines = conformance_table.differences(stated, found[name])
        tap.check(
            not lines, f"{name}: cannot.tsv lists the cases that it cannot run", "\n".join(lines)
        )
    tap.done()


if __name__ == "__main__":
    main(sys.argv[1:])
