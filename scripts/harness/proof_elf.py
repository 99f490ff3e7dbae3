# SPDX-License-Identifier: Apache-2.0
"""Prepares a challenge's two ELF files, to be built into a kernel that has its init inside."""
import pathlib
import secrets
import shlex
import shutil

import supervise
from harness import cli
from harness import prepare
from harness.cli import say, say_path
from harness.prepare import HarnessError
from judge.facts import ConfigError, named, shown

OUT_OPTION = ("--out", str, None, "DIR", "where to; what was prepared there is replaced")
DOES = "Prepares the proof's init for a kernel that has it built in."
OK, CONFIG, HARNESS_BUG = 0, 2, 3


def check_out(out):
    """Only what this program wrote is replaced."""
    with named(f"{shown(out)} cannot be read"):
        good = (
            not out.exists()
            or out.is_dir()
            and not (any(out.iterdir()) and prepare.missing_of(out))
        )
    if not good:
        raise ConfigError(f"{shown(out)} exists and holds something else than a prepared proof")


def replace(fresh, out):
    """Gives the new folder the old one's name, in one step where the file system can. The old
    folder stays until the new one is complete."""
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


def run(words):
    options = cli.parse(words, "proof-elf.sh", DOES, (*cli.PAYLOAD_OPTIONS, OUT_OPTION))
    standard = prepare.default_folder()
    out = pathlib.Path(options.out).absolute() if options.out else standard
    check_out(out)
    fresh = supervise.unfinished(out.with_name(f".fresh-{secrets.token_hex(8)}"))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir(mode=0o700)
        challenge = fresh / prepare.CHALLENGE
        host = prepare.make_input(prepare.need_host_ref(), options, challenge)
        prepare.make_elfs(fresh, options.mutant)
        replace(fresh, out)
    except OSError as error:
        raise ConfigError(f"{shown(out)} cannot be written: {error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    size = f"{len(host.payload)} bytes and a fresh challenge"
    say(f"prepared {host.spec}, {size}, in {shown(out)}")
    say_path(f"EMBED_INIT_ELF={shlex.quote(str(out / prepare.PRODUCER))}")
    say("next: build the kernel with that in its environment, then")
    where = "" if out == standard else f" RUN={shlex.quote(str(out))}"
    say_path(f"    make run-qemu KERNEL=<the kernel's file>{where}")


def main(words):
    """-> exit code"""
    try:
        run(words)
        return OK
    except ConfigError as error:
        say(f"proof-elf: CONFIG {error}")
        return CONFIG
    except (HarnessError, ValueError) as error:
        say(f"proof-elf: HARNESS-BUG {error}")
        return HARNESS_BUG
