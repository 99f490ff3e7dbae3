# SPDX-License-Identifier: Apache-2.0
"""Makes what a run needs: its private folder, a fresh challenge, and the two ELF files that carry it."""
import contextlib
import fcntl
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

from judge import facts
from judge import qemu
from judge import supervise

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOST_REF_REFUSED = 2
SOURCE_LIMIT_BYTES = 64 * 1024 * 1024


class ConfigError(Exception):
    """The caller asked for what cannot be run; the text says what to change."""


class HarnessError(Exception):
    """A tool of the harness misbehaved."""


def setting(name, default):
    return os.environ.get(name) or default


def split_words(name, text):
    """Words as a shell would split them."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from error


def build_folder():
    return ROOT / setting("BUILD", "build")


def shown(path):
    """A path as people type it: relative to the tree when it lies inside."""
    path = pathlib.Path(path)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def run_folder(asked):
    """A folder of this run alone: two runs at once do not meet."""
    try:
        if asked is None:
            parent = build_folder() / "runs"
            parent.mkdir(parents=True, exist_ok=True)
            return pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=parent))
        folder = pathlib.Path(asked).absolute()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(f"--out {asked} exists and is not an empty folder")
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    except OSError as error:
        raise ConfigError(f"the folder of the run cannot be made: {error}") from error


def need_tools(kernel):
    """Says what is missing before anything is written."""
    words = need_qemu()
    need_files(kernel)
    return words, need_host_ref()


def need_qemu():
    words = shlex.split(setting("QEMU", "qemu-system-riscv64"))
    if not words or shutil.which(words[0]) is None:
        raise ConfigError(f"QEMU '{' '.join(words)}' was not found; on Debian the package is {qemu.PACKAGE}")
    return words


def run_qemu(argv, folder, limits, **until):
    """One boot; folder gets serial.log and qemu.stderr. limits: .wall and .log_cap. A QEMU that does not start is CONFIG."""
    try:
        ran = qemu.run(argv, folder / "serial.log", folder / "qemu.stderr", limits.wall, limits.log_cap, **until)
    except qemu.QemuMissing as error:
        raise ConfigError(str(error)) from error
    if ran.exit_code == qemu.OWN_ERROR and not ran.log:
        words = (folder / "qemu.stderr").read_text(errors="replace").strip().splitlines()
        raise ConfigError(f"QEMU refused to start: {words[0] if words else 'it gave no reason'}")
    return ran


def need_files(*paths):
    for path in paths:
        if not path.is_file():
            raise ConfigError(f"{shown(path)} is missing; run make first")


def need_host_ref():
    host_ref = build_folder() / "host" / "host-ref" / "host-ref"
    need_files(host_ref)
    return host_ref


def read_source(spec):
    """The payload file as we read it ourselves, to compare with what host-ref took; None when it is generated."""
    path = pathlib.Path(spec)
    if not path.is_file() or path.stat().st_size > SOURCE_LIMIT_BYTES:
        return None
    return path.read_bytes()


def make_challenge(host_ref, spec, folder):
    done = subprocess.run([str(host_ref), "challenge", "--payload", spec, "--out", str(folder)], check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          preexec_fn=supervise.tied())
    said = done.stdout.decode(errors="replace").strip()
    if done.returncode == HOST_REF_REFUSED:
        raise ConfigError(said or f"host-ref refused the payload '{spec}'")
    if done.returncode != 0:
        raise HarnessError(f"host-ref ended with {done.returncode}: {said[:200]}")


def make_input(host_ref, spec, folder, wrong_digest):
    """host-ref's files of a fresh challenge around a payload. -> facts.HostFacts"""
    source = None if spec.startswith(facts.GENERATED) else read_source(spec)
    make_challenge(host_ref, spec, folder)
    host = facts.load_host_facts(folder, source)
    if wrong_digest:
        spoil_digest(folder / "expected.h", host.digest_hex)
    return host


def byte_list(hex_digest):
    """The digest as a C initializer: 0x12, 0x34, ... with whatever stands between the numbers."""
    return r"[\s,]+".join(f"0x{hex_digest[i:i + 2]}" for i in range(0, len(hex_digest), 2))


def spoil_digest(path, hex_digest):
    """Flips one digit of the digest that the producer expects, in expected.h; the judge does not read that file."""
    text = path.read_text(encoding="ascii")
    flipped = "0" if hex_digest[-1] != "0" else "1"
    found = list(re.finditer(f"{hex_digest}|{byte_list(hex_digest)}", text, re.IGNORECASE))
    if len(found) != 1:
        raise HarnessError(f"expected.h names the digest {len(found)} times instead of once")
    end = found[0].end()
    path.write_text(text[:end - 1] + flipped + text[end:], encoding="ascii")


@contextlib.contextmanager
def one_build_at_a_time():
    build_folder().mkdir(parents=True, exist_ok=True)
    with open(build_folder() / ".run-elf.lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_elfs(run, mutant):
    """Goal run-elf: RUN/producer.elf (init, with the consumer inside) and RUN/consumer.elf."""
    make_programs(run, mutant, "run-elf", ("producer.elf", "consumer.elf"))


def make_command(goal, *variables):
    """-> (words, environment). An outer make's job server and flags are its own; what its caller set arrives through
    the environment, but for what is set here."""
    words = shlex.split(setting("MAKE", "make")) + ["--no-print-directory", "-C", str(ROOT), goal, *variables]
    ours = {variable.partition("=")[0] for variable in variables}
    environment = {key: value for key, value in os.environ.items()
                   if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MUTANT") and key not in ours}
    return words, environment


def make_programs(run, mutant, goal, names):
    command, environment = make_command(goal, f"RUN_DIR={shown(run)}", *([f"MUTANT={mutant}"] if mutant else []))
    log = run / "make.log"
    with one_build_at_a_time(), open(log, "wb") as out:
        try:
            done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                  env=environment, preexec_fn=supervise.tied())
        except OSError as error:
            raise ConfigError(f"'{command[0]}' cannot be run ({error.strerror}); the package is make") from error
    if done.returncode != 0:
        tail = log.read_text(errors="replace").strip().splitlines()[-3:]
        raise ConfigError(f"the payload could not be built ({shown(log)}): {' | '.join(tail)}")
    for name in names:
        if not (run / name).is_file():
            raise HarnessError(f"make {goal} made no {name}")


def sha256_file(path):
    return facts.sha256_hex(path.read_bytes())


def private_copy(source, target):
    """-> (hash of the original, hash of the copy): the copy is what is booted."""
    shutil.copyfile(source, target)
    return sha256_file(source), sha256_file(target)
