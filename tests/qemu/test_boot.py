#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the proof as a user does, for `make test-fast`: under QEMU on both revisions, with much and with minimum memory, and
as two Linux processes."""
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]
from harness import prepare  # noqa: E402
from tap import Tap, room  # noqa: E402

RUNS = (("QEMU, a1", "qemu-test.sh", ("--abi", "a1")), ("QEMU, a2", "qemu-test.sh", ("--abi", "a2")),
        *((f"QEMU, {abi_rev}, the minimum memory that CONFIG names", "qemu-test.sh", ("--abi", abi_rev, "--mem", size))
          for abi_rev, size in prepare.MEM_MINIMUM.items()), ("Linux", "host-test.sh", ()))
# QEMU puts the device tree at the end of RAM, which is inside the arena here.
TOO_LITTLE = ("--abi", "a2", "--mem", "260M")


def run(harness, options):
    """-> (exit code, output)"""
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        command = [ROOT / "scripts" / harness, "--payload", ROOT / "LICENSE", "--out", pathlib.Path(folder) / "run", *options]
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=300)
    return done.returncode, done.stdout.decode(errors="replace")


def main():
    tap = Tap()
    for name, harness, options in RUNS:
        code, said = run(harness, options)
        tap.check(code == 0 and said.splitlines()[-1].startswith("verdict: PASS "), f"{name}: PASS", said)
    code, said = run("qemu-test.sh", TOO_LITTLE)
    tap.check(code == 2 and "--mem 260M (MEM) is too little" in said,
              "QEMU, a2, a device tree in the arena: CONFIG", said)
    tap.done()


if __name__ == "__main__":
    main()
