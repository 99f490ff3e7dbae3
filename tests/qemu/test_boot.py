#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The proof as a user runs it: under QEMU on both revisions, with much memory and with the least, and as two Linux processes. For `make test-fast`."""
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
        *((f"QEMU, {abi_rev}, the least memory that CONFIG names", "qemu-test.sh", ("--abi", abi_rev, "--mem", size))
          for abi_rev, size in prepare.MEM_MINIMUM.items()), ("Linux", "host-test.sh", ()))


def main():
    tap = Tap()
    for name, harness, options in RUNS:
        with tempfile.TemporaryDirectory(dir=room()) as folder:
            command = [ROOT / "scripts" / harness, "--payload", ROOT / "LICENSE", "--out", pathlib.Path(folder) / "run", *options]
            done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=300)
        said = done.stdout.decode(errors="replace")
        tap.check(done.returncode == 0 and said.splitlines()[-1].startswith("verdict: PASS "), f"{name}: PASS", said)
    tap.done()


if __name__ == "__main__":
    main()
