# SPDX-License-Identifier: Apache-2.0
"""Prepares a challenge's two ELF files for a kernel with a built-in init."""
import pathlib
import secrets
import shlex
import shutil

import supervise
from harness import cli, prepare
from harness.cli import say, say_path
from judge import verdict as verdicts
from paths import ConfigError, named, shown

OUT_OPTION = ("--out", str, None, "DIR", "output folder; replaces an earlier prepared proof")
DOES = "Prepares the proof's init for a kernel that builds it in."


def check_out(out):
    """Refuses to replace a folder that this program did not write."""
    with named(f"{shown(out)} cannot be read"):
        good = (
            not out.exists()
            or out.is_dir()
            and not (any(out.iterdir()) and prepare.missing_of(out))
        )
    if not good:
        raise ConfigError(f"{shown(out)} exists and is not a prepared proof; name another folder")


def replace(fresh, out):
    """Gives the new folder the old one's name, atomically if the file system can. The old folder
    stays until the new one is complete."""
    if not out.exists():
        fresh.rename(out)
        return
    old = fresh
    if not supervise.exchange(fresh, out):
        old = out.with_name(f".old-{secrets.token_hex(8)}")
        out.rename(old)
        fresh.rename(out)
        supervise.unfinished(old)
    if old.is_symlink():
        old.unlink()
    else:
        shutil.rmtree(old)


class ProofElf:
    """Writes a folder with the files of one challenge; it replaces an older one."""

    run = boots = None  # nothing is run

    def __init__(self, words):
        options = (*cli.PAYLOAD_OPTIONS, OUT_OPTION)
        self.options = cli.parse(words, "proof-elf.sh", DOES, options)
        out = self.options.out
        self.out = pathlib.Path(out).absolute() if out else prepare.default_folder()
        check_out(self.out)
        self.host = None

    def prepare(self):
        out = self.out
        fresh = supervise.unfinished(out.with_name(f".fresh-{secrets.token_hex(8)}"))
        try:
            with named(f"{shown(out)} cannot be written"):
                out.parent.mkdir(parents=True, exist_ok=True)
                fresh.mkdir(mode=0o700)
                challenge = fresh / prepare.CHALLENGE
                self.host = prepare.make_input(prepare.need_host_ref(), self.options, challenge)
                prepare.make_elfs(fresh, self.host.proof, self.options.mutant)
                replace(fresh, out)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def judge_all(self):
        """Prints the next step. -> (verdict word, reason)"""
        size = f"{len(self.host.payload)} bytes and a fresh challenge"
        say(f"prepared {self.host.spec}, {size}, in {shown(self.out)}")
        say_path(f"EMBED_INIT_ELF={shlex.quote(str(self.out / prepare.PRODUCER))}")
        say("next: build the kernel with that in its environment, then")
        is_default = self.out == prepare.default_folder()
        where = "" if is_default else f" RUN={shlex.quote(str(self.out))}"
        say_path(f"    make run-qemu KERNEL=<the kernel's file>{where}")
        return verdicts.PASS, "prepared"
