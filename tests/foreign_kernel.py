# SPDX-License-Identifier: Apache-2.0
"""Builds the kernel that behaves like one that is not ours (tests/foreign/foreign.mk), around any init ELF."""
import os
import pathlib
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]


def build(folder, age="a2", init=None, audits=False):
    """-> the kernel's file, folder/kernel.elf. Without an init it takes one by -initrd."""
    words = [*shlex.split(os.environ.get("MAKE") or "make"), "--no-print-directory", "-C", str(ROOT), "foreign-kernel",
             f"BUILD={os.environ.get('BUILD') or 'build'}", f"FOREIGN_OUT={folder}", f"FOREIGN_AGE={age}",
             f"EMBED_INIT_ELF={init or ''}", f"FOREIGN_AUDITS={'1' if audits else ''}"]
    environment = {key: value for key, value in os.environ.items()
                   if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}
    done = subprocess.run(words, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=environment)
    if done.returncode != 0:
        raise RuntimeError(done.stdout.decode(errors="replace"))
    return pathlib.Path(folder) / "kernel.elf"
