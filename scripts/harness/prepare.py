# SPDX-License-Identifier: Apache-2.0
"""Prepares a run: the kernel, a private folder, a fresh challenge, and the programs around it."""
import collections
import contextlib
import os
import pathlib
import re
import shlex
import shutil
import subprocess

import exit_codes
import supervise
from harness import proofs, qemu
from judge import facts
from paths import ROOT, ConfigError, named, shown

HOST_REF_REFUSED = 2
SOURCE_LIMIT_BYTES = 64 * 1024 * 1024
PRODUCER, CONSUMER, CHALLENGE = "producer.elf", "consumer.elf", "challenge"
# The start of our audit lines: a kernel that contains these bytes, outside of a built-in init, must
# print an audit. No other kernel prints one.
AUDIT_WORD = b"audit \0"
ELF_MAGIC, ELF_RV64 = b"\x7fELF", (b"\x02", b"\xf3\x00")  # class 64, machine RISC-V
KERNEL_LIMIT_BYTES = 256 * 1024 * 1024
MAKES_OWN = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MUTANT")
MEM_MINIMUM = {"a1": "68M", "a2": "261M"}  # tests/qemu/test_boot.py boots with it


class HarnessError(Exception):
    """A tool of the harness misbehaved."""


# ---- Settings, folders, tools ------------------------------------------------------------------
def setting(name, default):
    return os.environ.get(name) or default


def split_words(name, text):
    """Splits words as a shell does."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"{name}: {error}") from error


def build_folder():
    return ROOT / setting("BUILD", "build")


def cost_known():
    """Whether gcc 12, the compiler of the cost suite's records, built the payloads."""
    flags = build_folder() / "flags"
    text = flags.read_text("utf-8") if flags.is_file() else ""
    return re.search(r"gcc \([^)]*\) 12\.", text) is not None


def runs_folder():
    return build_folder() / "runs"


def need_files(*paths):
    for path in paths:
        with named(shown(path)):
            if not path.is_file():
                raise ConfigError(f"{shown(path)} is missing; run make first")


def need_qemu():
    words = split_words("QEMU", setting("QEMU", "qemu-system-riscv64"))
    if not words or shutil.which(words[0]) is None:
        what = f"QEMU '{' '.join(words)}' was not found"
        raise ConfigError(f"{what}; on Debian the package is {qemu.PACKAGE}")
    return words


def need_host_ref():
    host_ref = build_folder() / "host" / "host-ref" / "host-ref"
    need_files(host_ref)
    return host_ref


# ---- The kernel: ours, another with -initrd, or one with a built-in init ------------------------
# The kernel to boot: its file; whether it prints an audit and exits QEMU, as ours does; the folder
# of the prepared proof that is built into it, or None.
Target = collections.namedtuple("Target", "kernel audits prepared")


def default_folder():
    """The default output folder of `make proof-elf`."""
    return build_folder() / "neuron"


def read_kernel(name):
    path = pathlib.Path(name)
    with named(f"the kernel {name} cannot be read"):
        if not path.is_file():
            what = "is not a file" if path.exists() else "is missing"
            raise ConfigError(f"the kernel {name} {what}; --kernel names the file to boot")
        if not 0 < path.stat().st_size <= KERNEL_LIMIT_BYTES:
            what = f"the kernel {name} has {path.stat().st_size} bytes"
            raise ConfigError(f"{what}; a kernel has 1 to {KERNEL_LIMIT_BYTES}")
        return path.absolute(), path.read_bytes()


def is_kernel(image):
    """Whether a file is a RISC-V ELF. QEMU would run any other file from its first byte."""
    return image.startswith(ELF_MAGIC) and (image[4:5], image[18:20]) == ELF_RV64


def missing_of(folder):
    """The first file that a folder lacks to be a prepared proof, or None."""
    names = (PRODUCER, CONSUMER, f"{CHALLENGE}/digest")
    return next((name for name in names if not (folder / name).is_file()), None)


def prepared_init(folder):
    """The init ELF of a prepared proof."""
    with named(f"the prepared proof {shown(folder)} cannot be read"):
        missing = missing_of(folder)
        if missing:
            what = f"{shown(folder)} is not a prepared proof: {missing} is missing"
            raise ConfigError(f"{what}; run make proof-elf")
        return (folder / PRODUCER).read_bytes()


def find_built_in(image):
    """The folder whose init is in the kernel's file: `make proof-elf`'s, or an older run's."""
    for folder in [default_folder(), *sorted(runs_folder().glob("*"))]:
        with contextlib.suppress(FileNotFoundError):  # another run removes old folders
            if not missing_of(folder) and (folder / PRODUCER).read_bytes() in image:
                return folder
    return None


def choose_kernel(kernel, run):
    """kernel: the file of --kernel; run: the folder of --run; each may be None. -> Target"""
    if kernel is None:
        if run is not None:
            raise ConfigError("--run needs --kernel, the kernel that the folder is built into")
        return Target(build_folder() / "kernel" / "kernel.elf", True, None)
    path, image = read_kernel(kernel)
    folder = find_built_in(image) if run is None else pathlib.Path(run)
    init = prepared_init(folder) if folder is not None else b""
    built_in = init != b"" and init in image
    if not built_in and not is_kernel(image):
        what = f"the kernel {kernel} is not a RISC-V ELF file"
        raise ConfigError(f"{what}, and no prepared init is built into it; see docs/neuron.md")
    kernel_s = image.replace(init, b"") if built_in else image
    return Target(path, AUDIT_WORD in kernel_s, folder and folder.absolute())


# ---- The input and the two programs ------------------------------------------------------------
def call(words, **more):
    """Runs a tool that ends with this process. -> CompletedProcess"""
    return subprocess.run(
        words,
        check=False,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        preexec_fn=supervise.tied(),
        **more,
    )


def read_source(spec):
    """The payload file's bytes, to compare with host-ref's copy; None if it is generated."""
    path = pathlib.Path(spec)
    with named(f"the payload {spec} cannot be read"):
        if spec.startswith(facts.GENERATED) or not path.is_file():
            return None
        return path.read_bytes() if path.stat().st_size <= SOURCE_LIMIT_BYTES else None


def load_host_facts(folder, source):
    """Reads the folder that host-ref wrote. source: the payload file's bytes, or None. A folder
    that lacks a file, or a digest, is CONFIG."""
    folder, names = pathlib.Path(folder), ("challenge", "digest", "page.digest")
    with named(f"the challenge {shown(folder)} is not whole, so run make proof-elf again"):
        words = [(folder / name).read_bytes().decode("latin-1").strip().lower() for name in names]
        spec = (folder / "payload_spec").read_text("utf-8", errors="surrogateescape").strip()
        files = ("blob.bin", "page.bin", "payload.bin")
        blob, page, payload = ((folder / name).read_bytes() for name in files)
    for name in (n for n, word in zip(names, words) if not re.fullmatch(facts.HEX_64, word)):
        raise ConfigError(f"{shown(folder / name)} is not 64 hex digits; run make proof-elf again")
    if spec.startswith(facts.GENERATED) and not payload:
        payload = blob[
            : -facts.CHALLENGE_BYTES
        ]  # host-ref keeps a generated payload in the blob alone
    proof = proofs.read_name(folder)
    return facts.HostFacts(spec, payload, blob, page, *words, source, proof=proof)


def make_input(host_ref, options, folder):
    """Lets host-ref make a fresh challenge from the payload. -> facts.HostFacts"""
    name = options.proof or facts.SHARE
    spec = options.payload
    if spec is None:
        spec = proofs.PROOFS[name].payload
        spec = spec if spec.startswith(facts.GENERATED) else os.path.relpath(ROOT / spec)
    source = read_source(spec)
    words = [str(host_ref), "challenge", "--payload", spec, "--out", str(folder)]
    done = call(words, stdout=subprocess.PIPE)
    said = done.stdout.decode(errors="replace").strip()
    if done.returncode == HOST_REF_REFUSED:
        raise ConfigError(said or f"host-ref refused the payload '{spec}'")
    if done.returncode != 0:
        raise HarnessError(f"host-ref ended with {done.returncode}: {said[:200]}")
    proofs.write_name(folder, name)
    try:
        host = load_host_facts(folder, source)
    except ConfigError as error:
        raise HarnessError(f"host-ref made no challenge: {error}") from error
    proofs.check_size(name, spec, len(host.payload))
    if options.wrong_digest:
        spoil_digest(folder / "expected.h", host.digest_hex)
    return host


def spoil_digest(path, hex_digest):
    """Flips one digit of the digest in expected.h, which only the producer reads."""
    text = path.read_text(encoding="ascii")
    # The digest is one word, or a C initializer: 0x12, 0x34, ...
    listed = r"[\s,]+".join(f"0x{hex_digest[i:i + 2]}" for i in range(0, len(hex_digest), 2))
    found = list(re.finditer(f"{hex_digest}|{listed}", text, re.IGNORECASE))
    if len(found) != 1:
        raise HarnessError(f"expected.h names the digest {len(found)} times instead of once")
    end, flipped = found[0].end(), "0" if hex_digest[-1] != "0" else "1"
    path.write_text(text[: end - 1] + flipped + text[end:], encoding="ascii")


def make_command(goal, *variables):
    """-> (words, environment). Drops an outer make's own variables. A variable that the caller set
    still arrives by the environment, unless it is set here."""
    words = shlex.split(setting("MAKE", "make")) + ["--no-print-directory", "-C", str(ROOT)]
    taken = {*MAKES_OWN, *(variable.partition("=")[0] for variable in variables)}
    environment = {key: value for key, value in os.environ.items() if key not in taken}
    return [*words, goal, *variables], environment


def make_programs(run, proof, mutant, goal, names):
    """Builds a challenge's programs into the run's folder."""
    more = [f"PROOF={proof}", *([f"MUTANT={mutant}"] if mutant else [])]
    words, environment = make_command(goal, f"RUN_DIR={shown(run)}", *more)
    log = run / "make.log"
    with open(log, "wb") as out:  # make's own lock keeps two builds apart
        with named(f"'{words[0]}' cannot be run; the package is make"):
            done = call(words, stdout=out, env=environment)
    if done.returncode != 0:
        tail = " | ".join(log.read_text(errors="replace").strip().splitlines()[-3:])
        raise ConfigError(f"the payload could not be built ({shown(log)}): {tail}")
    for name in names:
        if not (run / name).is_file():
            raise HarnessError(f"make {goal} made no {name}")


def make_elfs(run, proof, mutant):
    """Builds RUN/producer.elf (init, which contains the consumer) and RUN/consumer.elf."""
    make_programs(run, proof, mutant, "run-elf", (PRODUCER, CONSUMER))


# ---- The run ------------------------------------------------------------------------------------
def run_qemu(argv, folder, limits, **until):
    """Boots once; writes serial.log and qemu.stderr to the folder. limits: .wall and .log_cap. If
    QEMU does not start, the verdict is CONFIG."""
    log, errors = folder / "serial.log", folder / "qemu.stderr"
    try:
        ran = qemu.run(argv, log, errors, limits.wall, limits.log_cap, **until)
    except qemu.QemuMissing as error:
        raise ConfigError(str(error)) from error
    if ran.exit_code == qemu.OWN_ERROR and not ran.log:
        reasons = errors.read_text(errors="replace").strip().splitlines()
        raise ConfigError(f"QEMU refused to start: {(reasons or ['it gave no reason'])[0]}")
    return ran


def check_memory(ran, options, abi_rev):
    """Makes it CONFIG if our kernel refused to boot for lack of memory."""
    if ran.exit_code == exit_codes.number("refused") and b"kernel: refused: memory: " in ran.log:
        what = f"--mem {options.mem} (MEM) is too little for ABI revision {abi_rev}"
        raise ConfigError(f"{what}; give it at least {MEM_MINIMUM[abi_rev]}")


class PrivateCopies:
    """Copies to run instead of the originals, with the SHA-256 of both before the run."""

    def __init__(self, **files):
        """files: name=(original, copy)"""
        self.paths, self.before = {name: copy for name, (_, copy) in files.items()}, {}
        for name, (original, copy) in files.items():
            shutil.copyfile(original, copy)
            self.before[name] = [facts.sha256_hex(path.read_bytes()) for path in (original, copy)]

    def images(self):
        """Hashes the copies after the run. -> {name: facts.Image}"""
        after = {name: facts.sha256_hex(self.read(name)) for name in self.paths}
        return {name: facts.Image(*self.before[name], after[name]) for name in after}

    def read(self, name):
        return self.paths[name].read_bytes()
