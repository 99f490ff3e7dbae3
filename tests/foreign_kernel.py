# SPDX-License-Identifier: Apache-2.0
"""Builds the stand-in for a foreign kernel (tests/foreign/foreign.mk) with any init ELF."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scripts"))
from harness import prepare  # noqa: E402  pylint: disable=wrong-import-position


def build(folder, abi_rev="a2", init=None, audits=False):
    """Builds folder/kernel.elf. -> its path. Without an embedded init, the kernel takes one by -initrd."""
    words, environment = prepare.make_command(
        "foreign-kernel", f"FOREIGN_OUT={folder}", f"FOREIGN_ABI={abi_rev}", f"EMBED_INIT_ELF={init or ''}",
        f"FOREIGN_AUDITS={'1' if audits else ''}")
    done = subprocess.run(words, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=environment)
    if done.returncode != 0:
        raise RuntimeError(done.stdout.decode(errors="replace"))
    return pathlib.Path(folder) / "kernel.elf"
