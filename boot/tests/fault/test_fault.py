#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A fault in the kernel ends the run with a panic line and the panic's exit code, however early the fault is.

Each kernel under test replaces one file of the kernel by one that faults (boot/tests/boot-tests.mk).
"""
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests"))
import guest_boot  # noqa: E402  puts scripts on the path
import exit_codes  # noqa: E402
from tap import Tap  # noqa: E402

REVISIONS = ("a1", "a2")
EXIT_PANIC = exit_codes.number("panic")
WALL_SECONDS = 60  # seconds; then the kernel is stopped and the case fails
PAGE_BYTES = 4096
FIRMWARE = 0x80000000
NOWHERE = 0x50001238
TEXT = 0x80200000
INIT = guest_boot.BUILD / "target" / "boot" / "tests" / "cost" / "cost.elf"  # any ELF: these kernels never start it
PANIC = re.compile(r"kernel: panic: kernel (load|store) fault at pc 0x([0-9a-f]+) va=0x([0-9a-f]+)")
ENTRIES = "fault: entries open_to_tasks=0 writable_code=0"
GUARD = re.compile(r"fault: guard va=0x([0-9a-f]+)")


def boot(kernel, revision):
    machine = guest_boot.Machine(kernel=guest_boot.BUILD / "fault" / f"{kernel}.elf", wall_seconds=WALL_SECONDS)
    return guest_boot.start(INIT, revision, guest_boot.WATCHDOG_MS, machine=machine)


def matches(run, pattern):
    return [match for match in map(pattern.fullmatch, run.console) if match]


def guard_of(run):
    """The addresses of the guard page, which the kernel prints before it touches the page."""
    lines = matches(run, GUARD)
    first = int(lines[0].group(1), 16) if lines else 0
    return range(first, first + PAGE_BYTES)


# kernel: (the access that faults, its possible addresses, whether the audit is printed)
CASES = {
    "early": ("load", lambda run: range(FIRMWARE, FIRMWARE + 1), False),
    "address": ("load", lambda run: range(NOWHERE, NOWHERE + 1), True),
    "stack": ("store", guard_of, True),
    "guard": ("store", lambda run: guard_of(run)[:1], True),
    "text": ("store", lambda run: range(TEXT, TEXT + 1), True),
}


def check(tap, kernel, revision):
    access, addresses, audits = CASES[kernel]
    run = boot(kernel, revision)
    log = "\n".join(run.console[-20:])
    name = f"{kernel} on {revision}"
    tap.check(run.ran.exit_code == EXIT_PANIC and not run.ran.stopped, f"{name}: the exit code is {EXIT_PANIC}",
              f"exit code {run.ran.exit_code}, stopped: {run.ran.stopped}\n{log}")
    panics = matches(run, PANIC)
    good = len(panics) == 1 and panics[0].group(1) == access and int(panics[0].group(3), 16) in addresses(run)
    tap.check(good, f"{name}: one panic line, with a {access} fault at the address", log)
    printed = run.audit is not None and run.audit["result"][0]["init"] == "panic"
    tap.check(printed == audits, f"{name}: {'an' if audits else 'no'} audit is printed", "\n".join(run.faults))
    if kernel == "text":
        tap.check(ENTRIES in run.console, f"{name}: no page of the kernel is open to tasks, and no code is writable", log)


def main():
    tap = Tap()
    for kernel in CASES:
        for revision in REVISIONS:
            check(tap, kernel, revision)
    tap.done()


if __name__ == "__main__":
    main()
