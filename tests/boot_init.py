#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boots a program as init on the test kernel, shows what it printed, and judges the end.

    boot_init.py ELF [a1|a2|all]

PASS: init ended with status 0, and the kernel's audit shows no hazard, no fault and no frame that was lost.
Exit: 0 PASS, 1 FAIL, 2 CONFIG.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import guest_boot  # noqa: E402  pylint: disable=wrong-import-position
from harness import prepare  # noqa: E402  pylint: disable=wrong-import-position
from harness.cli import say  # noqa: E402  pylint: disable=wrong-import-position
from paths import ConfigError, named, shown  # noqa: E402  pylint: disable=wrong-import-position

REVISIONS = ("a1", "a2")
LINES_SHOWN = 1000
FIRMWARES_LAST = "Boot HART MEDELEG"


def checked(words):
    """-> (ELF file, revisions), or ConfigError."""
    if not words or not words[0]:
        raise ConfigError("which program? make boot INIT=hello.elf")
    elf, asked = pathlib.Path(words[0]), words[1] if words[1:] else "a2"
    if asked not in (*REVISIONS, "all"):
        raise ConfigError(f"ABI={asked}: choose a1, a2 or all")
    with named(shown(elf)), elf.open("rb") as file:
        head = file.read(20)
    if (head[:4], (head[4:5], head[18:20])) != (prepare.ELF_MAGIC, prepare.ELF_RV64):
        raise ConfigError(f"{shown(elf)}: not an ELF file for 64-bit RISC-V")
    prepare.need_qemu()
    return elf, REVISIONS if asked == "all" else (asked,)


def after_firmware(lines):
    last = (number for number, line in enumerate(lines) if line.startswith(FIRMWARES_LAST))
    return lines[next(last, -1) + 1:]


def boot(elf, revision):
    """-> 0 or 1, with a verdict."""
    run = guest_boot.boot(elf, revision)
    lines = after_firmware(run.console)
    for line in lines[:LINES_SHOWN]:
        say(line)
    if len(lines) > LINES_SHOWN:
        say(f"and {len(lines) - LINES_SHOWN} more lines")
    for fault in run.faults:
        say(f"fault: {fault}")
    say(f"verdict: {'FAIL' if run.faults else 'PASS'} {shown(elf)} on {revision}")
    return 1 if run.faults else 0


def main(words):
    try:
        elf, revisions = checked(words)
        return max(boot(elf, revision) for revision in revisions)
    except ConfigError as error:
        say(f"verdict: CONFIG {error}")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
