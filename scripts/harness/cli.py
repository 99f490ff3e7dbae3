# SPDX-License-Identifier: Apache-2.0
"""The proof's harnesses, under QEMU and on Linux: from the options to the exit code."""
import argparse
import contextlib
import dataclasses
import errno
import itertools
import json
import os
import re
import secrets
import sys
import time
import traceback

import exit_codes
import supervise
from harness import linux_proc, linux_run, log_watch, prepare, proofs, qemu, run_folder
from witness import watch as witness

from judge import audit as audits, facts, notable, verdict as verdicts
from report import run_page
from paths import ConfigError, named, shown

LOG_CAP_BYTES, FOREIGN_LOG_CAP_BYTES, LINUX_LOG_CAP_BYTES = 4 << 20, 16 << 20, 1 << 20
LINGER_SECONDS = 2.0
NONCE_BYTES = 16
SECONDS_MAX = 1000000
REASON_CHARACTERS, LINE_CHARACTERS, FAILURES_SHOWN = 1500, 160, 20
CONTROL = re.compile(r"[^\t -~]")
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}  # unwritable file
NAME_WIDTH = max(len(row.name) for rows in verdicts.CHECKS_OF.values() for row in rows)
LAST_SEEN_LINES = 5


# ---- Options: name, type or choices, default, placeholder, help ---------------------------------
PAYLOAD_OPTIONS = (
    ("--proof", tuple(proofs.PROOFS), None, None, "what is proved; default share"),
    ("--payload", str, None, "SPEC", "a file, or gen:<seed>:<len>; default: the proof's"),
    ("--mutant", str, None, "NAME", "build a payload with this deliberate fault"),
    ("--wrong-digest", bool, False, None, "give the producer a wrong digest to expect"),
)
RUN_OPTIONS = (
    ("--verbose", bool, False, None, "show the whole log"),
    ("--wall", float, 120.0, "SECONDS", "timeout of one run"),
    ("--log-cap", int, None, "BYTES", "limit of the log"),
    ("--out", str, None, "DIR", "folder for the run (default: a fresh one)"),
)
GUEST_OPTIONS = (
    ("--mem", str, "320M", "SIZE", "memory of the guest"),
    ("--kernel", str, None, "FILE", "the kernel to boot"),
    ("--append", str, "", "ARGS", "more boot arguments"),
    ("--qemu-extra", str, "", "WORDS", "more words, put last on QEMU's command line"),
    ("--linger", float, LINGER_SECONDS, "SECONDS", "time to watch a kernel that does not exit"),
)
MANIFEST_OPTION = ("--manifest", str, None, "NAME", "what the run must show; default: the proof's")
WITNESS_OPTION = ("--witness", ("0", "1"), None, None, "watch both tasks; default: foreign kernels")
ABI_OPTION = ("--abi", ("a1", "a2", "all"), None, None, "ABI revision of the kernel; default a2")
RUN_OPTION = ("--run", str, None, "DIR", "folder of the proof-elf that is built into the kernel")
LINUX_OPTIONS = (*PAYLOAD_OPTIONS, *RUN_OPTIONS, MANIFEST_OPTION)
QEMU_OPTIONS = (*LINUX_OPTIONS, *GUEST_OPTIONS, ABI_OPTION, RUN_OPTION, WITNESS_OPTION)
EXITS = "Exit: 0 PASS, 1 FAIL, 2 CONFIG, 3 HARNESS-BUG."


class Parser(argparse.ArgumentParser):
    """Turns wrong options into a CONFIG verdict."""

    def error(self, message):
        raise ConfigError(f"{message}; see --help")


def parse(words, prog, does, rows, platform=None, **defaults):
    """Parses a program's options. platform: the platform of its manifests. defaults: replace the
    rows' defaults."""
    parser = Parser(prog=prog, description=f"{does} {EXITS}", allow_abbrev=False)
    valued = set()
    for name, kind, default, placeholder, text in rows:
        if kind is bool:
            parser.add_argument(name, action="store_true", help=text)
            continue
        kinds = {"choices": kind} if isinstance(kind, tuple) else {"type": kind}
        parser.add_argument(name, default=default, metavar=placeholder, help=text, **kinds)
        valued.add(name)
    parser.set_defaults(**defaults)
    # A value may begin with a dash, so join each value to its option.
    joined, rest = [], iter(words)
    for word in rest:
        value = next(rest, None) if word in valued else None
        joined.append(word if value is None else f"{word}={value}")
    options = parser.parse_args(joined)
    limits = {"wall": 1, "log_cap": None, "linger": 0, **vars(options)}
    good = limits["log_cap"] is None or limits["log_cap"] > 0
    if not good or not 0 < limits["wall"] <= SECONDS_MAX:
        raise ConfigError(f"--wall and --log-cap must be more than 0, --wall at most {SECONDS_MAX}")
    if not 0 <= limits["linger"] <= SECONDS_MAX:
        raise ConfigError(f"--linger must be between 0 and {SECONDS_MAX}")
    known = verdicts.manifest_names(platform) if platform else ()
    if platform and options.manifest not in (None, *known):
        raise ConfigError(f"no manifest '{options.manifest}'; choose one of: {' '.join(known)}")
    return options


# ---- Output and the JSON report -----------------------------------------------------------------
lost = []  # why output or a report could not be written


def put(data):
    """Writes bytes to standard output. Ignores a closed pipe; records any other error."""
    if sys.stdout is None:
        lost.append("standard output is closed")
        return
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        if error.errno != errno.EPIPE:
            lost.append(f"standard output: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text):
    """Prints one line. Escapes control characters, so that a guest cannot drive the terminal."""
    put(CONTROL.sub(lambda found: ascii(found[0])[1:-1], text).encode("ascii") + b"\n")


def say_path(text):
    """Prints a line with a file's name unescaped, so that a user can copy it."""
    put(os.fsencode(text) + b"\n")


def show(manifest, verdict, lines, verbose):
    """Shows the markers or the whole log, the checks, and the last lines of a failed run."""
    wanted, failures = {*manifest.get("markers", []), manifest.get("last_marker", "")}, 0
    told = lines if verbose else notable.lines_of(lines, wanted)
    for line in told:
        failures += line.startswith(facts.FAIL_PREFIX)
        if verbose:
            say(line)
        elif line in wanted or line.startswith(facts.FAIL_PREFIX) and failures <= FAILURES_SHOWN:
            say(facts.cut(line, LINE_CHARACTERS))
    if failures > FAILURES_SHOWN and not verbose:
        say(f"and {failures - FAILURES_SHOWN} more lines that begin with '{facts.FAIL_PREFIX}'")
    for name, outcome in verdict.outcomes.items():
        say(f"check {name:<{NAME_WIDTH}} ... {outcome.status:<11}  {outcome.evidence}")
    if verdict.word != verdicts.PASS:
        spoken = (x for x in reversed(lines) if x.strip() and not x.startswith(audits.PREFIX))
        for line in reversed(list(itertools.islice(spoken, LAST_SEEN_LINES))):
            say(f"last seen: {facts.cut(line, LINE_CHARACTERS)}")


def plain(value):
    """Converts what json cannot. Leaves out an object's contents, because they are the payload."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if dataclasses.is_dataclass(value):
        return {key: item for key, item in vars(value).items() if key != "contents"}
    return str(value)


def write_json(path, record):
    text = json.dumps(record, indent=2, sort_keys=True, default=plain)
    with named(f"{shown(path)} cannot be written"):
        supervise.write_whole(path, (text + "\n").encode())


def write_reports(folder, word, reason, trace, boots):
    """Writes the run's report.json, and for a proof its page, report.html. boots: None if the run
    is no proof. -> the verdict's word, which is HARNESS-BUG if the page cannot be made"""
    record = {"verdict": word, "reason": reason, "traceback": trace}
    page = folder / "report.html"
    try:
        if boots is not None:
            made = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
            data = run_page.render(record, boots, shown(folder), made)
    except Exception as error:  # pylint: disable=broad-except
        boots, record["page"] = None, traceback.format_exc()
        lost.append(f"{shown(page)}: {type(error).__name__}: {error}")
        word = record["verdict"] = verdicts.HARNESS_BUG
    try:
        write_json(folder / "report.json", record)
        if boots is not None:
            with named(f"{shown(page)} cannot be written"):
                supervise.write_whole(page, data)
            say_path(f"report: {shown(page)}")
    except ConfigError as error:
        lost.append(str(error))
    return word


def report(harness, folder, verdict, boot, lines, **more):
    """Writes the report of one boot, shows it, and keeps it for the run's page."""
    record = {
        "verdict": verdict.word,
        "reason": verdict.reason,
        "traceback": verdict.trace,
        "abi": boot.abi_rev,
        "nonce": boot.nonce,
        "manifest": harness.manifest.get("name"),
        "payload_spec": harness.host.spec,
        "images": boot.images,
        "checks": [{"name": name, **vars(found)} for name, found in verdict.outcomes.items()],
        **more,
    }
    write_json(folder / "report.json", record)
    page = run_page.Boot(record, boot.column(), lines, verdict.audit, harness.host)
    harness.boots.append(page)
    show(harness.manifest, verdict, lines, harness.options.verbose)


# ---- Under QEMU ---------------------------------------------------------------------------------
def boot_arguments(options, abi_rev, nonce, blob_len, watched):
    """While a witness stops the guest, guest time passes: the watchdog is then patient."""
    words, patience = [f"abi={abi_rev}", f"nonce={nonce}", "hashes=1"], 60000 if watched else 1000
    if "watchdog_ms=" not in options.append:
        words.append(f"watchdog_ms={patience + 2 * (100 + (blob_len + 999) // 1000)}")
    return " ".join(words + options.append.split())


class QemuHarness:
    """Builds one challenge's ELF files, and boots them once for each ABI revision."""

    def __init__(self, words):
        defaults = {"qemu_extra": prepare.setting("QEMU_EXTRA", "")}
        does = "Boots the proof under QEMU and judges the run."
        self.options = options = parse(
            words, "qemu-test.sh", does, QEMU_OPTIONS, facts.QEMU, **defaults
        )
        self.extra = prepare.split_words("--qemu-extra", options.qemu_extra)
        self.target = prepare.choose_kernel(options.kernel, options.run)
        if self.target.prepared:
            run_folder.hold(self.target.prepared)
        self.foreign = not self.target.audits or self.target.prepared is not None
        self.watched = self.foreign if options.witness is None else options.witness == "1"
        self.check_target()
        if options.log_cap is None:
            options.log_cap = FOREIGN_LOG_CAP_BYTES if self.foreign else LOG_CAP_BYTES
        self.qemu_words = prepare.need_qemu()
        exit_codes.load()
        prepare.need_files(self.target.kernel)
        self.host_ref = prepare.need_host_ref()
        self.manifest = verdicts.load_manifest(options.manifest or self.own_manifest())
        self.run = run_folder.choose(options.out, prepare.runs_folder(), say)
        self.elfs = self.target.prepared or self.run
        self.host, self.boots = None, []

    def own_manifest(self):
        """The proof's; that of a kernel with a built-in init is known from its folder."""
        name = self.options.proof or facts.SHARE
        if self.target.prepared:
            name = proofs.read_name(self.target.prepared / prepare.CHALLENGE)
            if self.options.proof not in (None, name):
                what = f"the kernel's init is that of --proof {name}"
                raise ConfigError(f"{what}; for another run make proof-elf")
        return proofs.PROOFS[name].manifests[facts.FOREIGN if self.foreign else facts.QEMU]

    def check_target(self):
        options = self.options
        if self.foreign and options.abi == "all":
            reason = "this kernel has one ABI revision"
            raise ConfigError(f"{reason}; --abi all needs the kernel of this tree")
        for name in ("payload", "mutant", "wrong_digest"):
            if getattr(options, name) and self.target.prepared:
                option = f"--{name.replace('_', '-')}"
                raise ConfigError(f"the kernel's init is built in; give {option} to make proof-elf")

    def prepare(self):
        challenge = self.elfs / prepare.CHALLENGE
        if self.target.prepared:
            self.host = prepare.load_host_facts(challenge, None)
            self.host.drawn = "the challenge of its preparation"
        else:
            self.host = prepare.make_input(self.host_ref, self.options, challenge)
            prepare.make_elfs(self.run, self.host.proof, self.options.mutant)

    def command(self, abi_rev, nonce, copies, watch):
        """QEMU's arguments. A kernel with a built-in init gets no -initrd and no -append."""
        initrd, append = None, None
        if not self.target.prepared:
            asked = "a2" if abi_rev == facts.ANY_ABI else abi_rev
            initrd = copies.paths["init"]
            size = len(self.host.blob)
            append = boot_arguments(self.options, asked, nonce, size, watch is not None)
        kernel = copies.paths["kernel"]
        mem, foreign = self.options.mem, self.options.kernel is not None
        extra = [*(watch.words() if watch else ()), *self.extra]
        return qemu.command(self.qemu_words, mem, kernel, initrd, append, extra, foreign=foreign)

    def boot(self, abi_rev):
        """-> (facts.Boot, QemuRun)"""
        options, prepared = self.options, self.target.prepared
        folder = self.run / abi_rev
        folder.mkdir()
        nonce = audits.NO_NONCE if prepared else secrets.token_hex(NONCE_BYTES)
        copies = prepare.PrivateCopies(
            kernel=(self.target.kernel, folder / "kernel.elf"),
            init=(self.elfs / prepare.PRODUCER, folder / "init.elf"),
            consumer=(self.elfs / prepare.CONSUMER, folder / prepare.CONSUMER),
        )
        until = log_watch.proof_watch(self.manifest) if self.foreign else None
        elfs = copies.read("init"), copies.read("consumer")
        watch = witness.Watch(*elfs, nonce) if self.watched else None
        argv, linger = self.command(abi_rev, nonce, copies, watch), options.linger
        limits = {"until": until, "linger_seconds": linger, "watch": watch}
        ran = prepare.run_qemu(argv, folder, options, **limits)
        if not self.foreign:
            prepare.check_memory(ran, options, abi_rev)
        boot = facts.Boot(
            platform=facts.FOREIGN if self.foreign else facts.QEMU,
            abi_rev=abi_rev,
            nonce=nonce,
            log=ran.log,
            exit_code=ran.exit_code,
            stopped=ran.stopped,
            log_cap=options.log_cap,
            seconds=ran.seconds,
            images=copies.images(),
            init_elf=copies.read("init"),
            consumer_elf=copies.read("consumer"),
            icount=qemu.counts(argv),
            cost_known=prepare.cost_known(),
            kernel_image=copies.read("kernel"),
            built_in=bool(prepared),
            must_audit=self.target.audits,
            linger=options.linger,
            watch=watch,
        )
        return boot, ran

    def judge(self, abi_rev):
        boot, ran = self.boot(abi_rev)
        verdict = verdicts.judge(self.manifest, boot, self.host)
        record = {key: value for key, value in vars(ran).items() if key != "log"}
        lines, tail = boot.lines()
        said = [*lines, tail] if tail else lines
        report(self, self.run / abi_rev, verdict, boot, said, qemu=record)
        return boot, verdict

    def judge_all(self):
        """-> (verdict word, reason)"""
        revisions = [self.options.abi or (facts.ANY_ABI if self.foreign else "a2")]
        revisions = ["a1", "a2"] if revisions == ["all"] else revisions
        boots, found = [], {}
        for abi_rev in revisions:
            where, size = shown(self.run / abi_rev), len(self.host.payload)
            say(f"boot {abi_rev}: {self.host.spec}, {size} bytes, run {where}")
            boot, found[abi_rev] = self.judge(abi_rev)
            boots.append(boot)
        if len(found) == 1:
            return found[revisions[0]].word, found[revisions[0]].reason
        said = [f"{name} {verdict.word}: {verdict.reason}" for name, verdict in found.items()]
        for text in said:
            say(f"ABI revision {text}")
        words = [verdict.word for verdict in found.values()]
        if same_elfs(boots):
            return worst(words), "; ".join(said)
        reason = "same-elfs: the ABI revisions booted different files"
        return worst([*words, verdicts.FAIL]), "; ".join([reason, *said])


def same_elfs(boots):
    """Checks that both ABI revisions booted the same two ELF files."""
    hashes = {name: {boot.images[name].before for boot in boots} for name in ("init", "consumer")}
    text = " ".join(f"{name}={' '.join(sorted(found))}" for name, found in hashes.items())
    same = all(len(found) == 1 for found in hashes.values())
    say(f"check same-elfs ... {'ok' if same else 'RED'}  {text}")
    return same


def worst(words):
    return max(words, key=lambda word: verdicts.EXIT_CODES[word])


# ---- On Linux -----------------------------------------------------------------------------------
class LinuxHarness:
    """Builds one challenge's two programs, and runs them once."""

    def __init__(self, words):
        defaults = {"wall": 30.0, "log_cap": LINUX_LOG_CAP_BYTES}
        does = "Runs the proof as two Linux processes and judges the run."
        self.options = parse(words, "host-test.sh", does, LINUX_OPTIONS, facts.LINUX, **defaults)
        self.host_ref = prepare.need_host_ref()
        own = proofs.PROOFS[self.options.proof or facts.SHARE].manifests[facts.LINUX]
        self.manifest = verdicts.load_manifest(self.options.manifest or own)
        self.run = run_folder.choose(self.options.out, prepare.runs_folder(), say)
        self.host, self.boots = None, []

    def prepare(self):
        challenge, names = self.run / prepare.CHALLENGE, tuple(facts.ROLES.values())
        self.host = prepare.make_input(self.host_ref, self.options, challenge)
        prepare.make_programs(self.run, self.host.proof, self.options.mutant, "host-elf", names)

    def boot(self, folder):
        """Runs both programs once. -> facts.Boot"""
        folder.mkdir()
        roles = facts.ROLES.values()
        copies = prepare.PrivateCopies(**{role: (self.run / role, folder / role) for role in roles})
        for role in roles:
            copies.paths[role].chmod(0o700)
        programs = {number: [str(copies.paths[role])] for number, role in facts.ROLES.items()}
        wall, log_cap = self.options.wall, self.options.log_cap
        return observe(programs, copies, wall, log_cap, self.host.proof)

    def judge_all(self):
        """-> (verdict word, reason)"""
        folder = self.run / "linux"
        say(f"run linux: {self.host.spec}, {len(self.host.payload)} bytes, run {shown(folder)}")
        boot = self.boot(folder)
        seen, verdict = boot.observed, verdicts.judge(self.manifest, boot, self.host)
        supervise.write_whole(folder / "output.log", b"".join(x + b"\n" for x in seen.lines_of()))
        for number, said in seen.errors.items():
            supervise.write_whole(folder / f"{facts.ROLES[number]}.stderr", said)
        keys = ("statuses", "stopped", "seconds", "strays", "packets", "barriers")
        more = {key: vars(seen)[key] for key in keys}
        lines = [line.decode("latin-1") for line in seen.lines_of()]
        report(self, folder, verdict, boot, lines, **more)
        return verdict.word, verdict.reason


def observe(programs, copies, wall_seconds, log_cap, proof=facts.SHARE):
    """Runs two programs. programs: process number -> argv. -> facts.Boot"""
    seen = linux_run.HostRun(wall_seconds, log_cap, proof)
    try:
        seen.run(programs)
    except linux_proc.CannotStart as error:
        raise ConfigError(str(error)) from error
    # Lines of two pipes have no common order. The check `barriers` judges when each line was
    # printed; here the producer's lines come last.
    said = seen.lines_of(facts.CONSUMER_PID) + seen.lines_of(facts.PRODUCER_PID)
    return facts.Boot(
        platform=facts.LINUX,
        abi_rev="linux",
        nonce="",
        log=b"".join(line + b"\n" for line in said),
        exit_code=None,
        stopped=seen.stopped,
        log_cap=log_cap,
        seconds=seen.seconds,
        images=copies.images(),
        init_elf=copies.read("producer"),
        consumer_elf=copies.read("consumer"),
        audit=linux_run.Model(seen).audit,
        observed=seen,
    )


# ---- Every harness ------------------------------------------------------------------------------
def run(make_harness, words):
    """-> (verdict word, reason, the harness if it could be made, traceback or None)"""
    harness = None
    try:
        harness = make_harness(words)
        harness.prepare()
        return (*harness.judge_all(), harness, None)
    except ConfigError as error:
        return verdicts.CONFIG, str(error), harness, None
    except verdicts.ManifestError as error:
        return verdicts.HARNESS_BUG, f"manifest: {error}", harness, None
    except Exception as error:  # pylint: disable=broad-except
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            where = f"{shown(error.filename)}: " if error.filename else ""
            return (
                verdicts.CONFIG,
                f"a file cannot be written: {where}{error.strerror}",
                harness,
                None,
            )
        reason = f"{type(error).__name__}: {error}"
        return verdicts.HARNESS_BUG, reason, harness, traceback.format_exc()


def main(make_harness, words, title="verdict"):
    """-> exit code. With another title than "verdict", a PASS prints no line."""
    word, reason, harness, trace = run(make_harness, words)
    if harness is not None and harness.run is not None:
        word = write_reports(harness.run, word, reason, trace, harness.boots)
    if word != verdicts.PASS or title == "verdict":
        say(f"{title}: {word} {facts.cut(reason, REASON_CHARACTERS)}")
    if lost:
        word = worst([word, verdicts.CONFIG])
        text = f"{title}: {word} not all could be written: {lost[0]}\n"
        with contextlib.suppress(OSError):
            os.write(2, text.encode(errors="replace"))
    return verdicts.EXIT_CODES[word]
