#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The proof as a user runs it: under QEMU on both revisions, and as two Linux processes. For `make test-fast`."""
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from tap import Tap, room  # noqa: E402

RUNS = (("QEMU, a1", "qemu-test.sh", ("--abi", "a1")), ("QEMU, a2", "qemu-test.sh", ("--abi", "a2")),
        ("Linux", "host-test.sh", ()))


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
