#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The builds of SHA-256 for harts with Zbb and Zknh, each on such a hart and on one without.

Each program hashes known examples on QEMU's bare machine. On a hart without the extension its first
instruction of it traps: the build is for harts that have it.
"""
import os
import pathlib
import shlex
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))
from guest_boot import OUTLIVED  # noqa: E402
from tap import Tap  # noqa: E402

PROGRAMS = ROOT / os.environ.get("BUILD", "build") / "target/libvmo/tests/sha256_isa"
QEMU = shlex.split(os.environ.get("QEMU") or "qemu-system-riscv64")
MACHINE = "-M virt -smp 1 -m 32M -display none -monitor none -serial none -parallel none -bios none"
ILLEGAL_INSTRUCTION = 2  # the trap's cause, and then the exit code
WALL_SECONDS = 60

# A build of the Makefile's SHA256_ISA, and what a hart needs for it.
BUILDS = {"plain": (), "zbb": ("zbb",), "zknh": ("zknh",), "zbb_zknh": ("zbb", "zknh")}


def exit_code(build, extensions):
    """The exit code of a build's program on a hart with these of the two extensions alone."""
    on = ",".join(f"{name}={'on' if name in extensions else 'off'}" for name in ("zbb", "zknh"))
    command = [*OUTLIVED, *QEMU, *MACHINE.split(), "-cpu", f"rv64,f=off,d=off,{on}"]
    command += ["-kernel", str(PROGRAMS / f"hart_sha256-{build}.elf")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=WALL_SECONDS)
    return done.returncode, done.stderr


def main():
    tap = Tap()
    for build, needed in BUILDS.items():
        code, errors = exit_code(build, needed)
        tap.check(code == 0, f"{build} hashes the examples", f"exit code {code}; {errors}")
        if needed:
            code, errors = exit_code(build, ())
            tap.check(code == ILLEGAL_INSTRUCTION, f"{build} traps on a hart without {needed}",
                      f"exit code {code}, not {ILLEGAL_INSTRUCTION}; {errors}")
        else:
            code, errors = exit_code(build, ("zbb", "zknh"))
            tap.check(code == 0, f"{build} hashes the examples on any hart",
                      f"exit code {code}; {errors}")
    tap.done()


if __name__ == "__main__":
    main()
