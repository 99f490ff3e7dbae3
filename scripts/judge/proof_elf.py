# SPDX-License-Identifier: Apache-2.0
"""Prepares the two ELF files of one challenge, to be built into a kernel that has its init inside (make proof-elf)."""
import pathlib
import secrets
import shutil
import sys

from judge import cli
from judge import prepare
from judge import supervise
from judge import target as targets
from judge.prepare import ConfigError, HarnessError
from judge.report import say

OK, CONFIG, HARNESS_BUG = 0, 2, 3


def parse_options(words):
    parser = cli.Parser(prog="proof-elf.sh", description="Prepares the proof's init for a kernel that has it built in. "
                        "Exit: 0 done, 2 CONFIG, 3 HARNESS-BUG.", allow_abbrev=False)
    parser.add_argument("--payload", metavar="SPEC", default="LICENSE", help="a file, or gen:<seed>:<len>")
    parser.add_argument("--out", metavar="DIR", default=None, help="where to; what was prepared there is replaced")
    parser.add_argument("--mutant", metavar="NAME", default=None, help="build a payload with a fault, on purpose")
    parser.add_argument("--wrong-digest", action="store_true", help="let the producer expect a wrong digest")
    return parser.parse_args(words)


def make(options, folder):
    """-> facts.HostFacts"""
    challenge = folder / targets.CHALLENGE
    host = prepare.make_input(prepare.need_host_ref(), options.payload, challenge, options.wrong_digest)
    prepare.make_elfs(folder, options.mutant)
    return host


def check_out(out):
    """Only what this program wrote is replaced."""
    if not out.exists():
        return
    if not out.is_dir() or any(out.iterdir()) and not targets.is_prepared(out):
        raise ConfigError(f"{prepare.shown(out)} exists and holds something else than a prepared proof")


def take_place(fresh, out):
    """The new folder gets the old one's name. -> the old one, under another name

    In one step, where the file system can; elsewhere an interrupt between the two steps leaves the old one hidden.
    """
    if supervise.exchange(fresh, out):
        return fresh
    old = out.with_name(f".old-{secrets.token_hex(8)}")
    out.rename(old)
    fresh.rename(out)
    return supervise.unfinished(old)


def replace(fresh, out):
    """The old folder stays until the new one is complete."""
    if not out.exists():
        fresh.rename(out)
        return
    old = take_place(fresh, out)
    if old.is_symlink():
        old.unlink()
    else:
        shutil.rmtree(old)


def run(words):
    options = parse_options(words)
    out = pathlib.Path(options.out).absolute() if options.out else targets.default_folder()
    check_out(out)
    fresh = supervise.unfinished(out.with_name(f".fresh-{secrets.token_hex(8)}"))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir(mode=0o700)
        host = make(options, fresh)
        replace(fresh, out)
    except OSError as error:
        raise ConfigError(f"{prepare.shown(out)} cannot be written: {error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    say(f"prepared {host.spec}, {len(host.payload)} bytes and a fresh challenge, in {prepare.shown(out)}")
    say(f"EMBED_INIT_ELF={out / targets.PRODUCER}")
    say("next: build the kernel with that in its environment, then")
    where = "" if out == targets.default_folder() else f" RUN={out}"
    say(f"    make run-qemu KERNEL=<the kernel's file>{where}")


def main(words):
    try:
        run(words)
        return OK
    except ConfigError as error:
        say(f"proof-elf: CONFIG {error}")
        return CONFIG
    except (HarnessError, ValueError) as error:
        say(f"proof-elf: HARNESS-BUG {error}")
        return HARNESS_BUG


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
