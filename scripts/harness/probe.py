# SPDX-License-Identifier: Apache-2.0
"""The ABI probe's harness: boots the probe on our kernel or on another one and compares its answers
with the contract (docs/testing/probe.md)."""
import dataclasses
import re
import secrets
import shutil

import exit_codes
from harness import audit_faults, cli, log_watch, prepare, qemu, run_folder
from harness.cli import say

from judge import audit as audits, facts, noise, verdict as verdicts
from paths import ConfigError, shown

REVISIONS = ("a1", "a2")
PROGRAMS, HAZARDS_PROGRAM = ("probe", "probe2"), "probe-hazards"
EXPECTED_HAZARDS = {HAZARDS_PROGRAM: ["K-03", "K-55", "K-55"]}
GOLDENS = prepare.ROOT / "boot" / "tests" / "abi"
MUST_FIT = ("task", "hazard")
WATCHDOG_MS = 60000
SHOWN_PROBLEMS, SHOWN_CHARACTERS = 40, 300
LATE_FAILURE = re.compile(r"\bPANIC(?::| )|\bpanicked at\b")
OPTIONS = (
    ("--abi", (*REVISIONS, "all"), "all", None, "ABI revision of our kernel"),
    ("--probe", (*PROGRAMS, HAZARDS_PROGRAM, "all"), "all", None, "which program"),
    *cli.GUEST_OPTIONS,
    *cli.RUN_OPTIONS,
)

ANSWER = rf"-?{audits.NUMBER}|[a-z0-9 -]+"
CASE = r"(K-[0-9]+\.[A-Za-z0-9.-]+)\t([a-z0-9_, -]+)\t([a-z0-9_, -]+)"
ROW = re.compile(rf"{CASE}\t({ANSWER})")
GOLDEN_ROW = re.compile(rf"{CASE}\t({ANSWER}|\?)")
DONE = re.compile(rf"probe: done ({audits.NUMBER}) cases")  # even if kernel text cuts it
OURS = re.compile(r"K-[0-9]+\.|probe: ")
UNDECIDED = "?"
REVISION_CASE = "K-04.revision"


# ---- The probe's output against the contract ---------------------------------------------------
class GoldenError(Exception):
    """A golden file is malformed: a defect of this tree."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One row of a golden file or of a log."""

    name: str
    call: str
    what: str
    answer: str

    @property
    def statement(self):
        return self.name.partition(".")[0]

    @property
    def decided(self):
        return self.answer != UNDECIDED

    def line(self):
        return "\t".join((self.name, self.call, self.what, self.answer))

    def where(self):
        return f"case {self.name} ({self.statement}):"


# Problem messages, rows whose answer the contract leaves open, and the number of rows that agree.
Comparison = dataclasses.make_dataclass("Comparison", ("problems", "undecided", "agreed"))


def golden_path(program, abi_rev):
    return GOLDENS / f"{abi_rev if program == PROGRAMS[0] else f'{abi_rev}-{program}'}.tsv"


def load_golden(path):
    """-> the cases of a file, in order"""
    cases = {}
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        if line.startswith("#"):
            continue
        match = GOLDEN_ROW.fullmatch(line)
        if not match:
            raise GoldenError(f"{path.name} line {number} is not a case: '{line[:80]}'")
        case = Case(*match.groups())
        if case.name in cases:
            raise GoldenError(f"{path.name} line {number}: {case.name} occurs twice")
        cases[case.name] = case
    if not cases:
        raise GoldenError(f"{path.name} has no case")
    return list(cases.values())


def read_log(log, goldens):
    """Reads the log of a kernel that may print among the rows. -> (lines, doubts)"""
    exact, patterns = {f"probe: done {len(golden)} cases" for golden in goldens}, {DONE.pattern}
    for case in (case for golden in goldens for case in golden):
        if case.decided:
            exact.add(case.line())
        else:
            patterns.add(re.escape(case.line()[: -len(UNDECIDED)]) + f"(?:{ANSWER})")
    reading = noise.read(log, noise.Expected(exact, sorted(patterns)))
    return reading.lines, reading.doubts


def told_revision(lines):
    """The ABI revision that the probe found; None if it did not say."""
    rows = [Case(*match.groups()) for match in map(ROW.fullmatch, lines) if match]
    found = [row.answer for row in rows if row.name == REVISION_CASE]
    return found[0] if len(found) == 1 else None


def rows_in(lines, problems):
    """The probe's rows, and its own count of them. A malformed row is a problem."""
    rows, done = [], None
    for line in lines:
        match, last = ROW.fullmatch(line), DONE.fullmatch(line)
        if match and done is not None:
            problems.append(f"case {match.group(1)} after the probe was done")
        elif match:
            rows.append(Case(*match.groups()))
        elif last and done is not None:
            problems.append("the probe was done twice")
        elif last:
            done = int(last.group(1))
        elif OURS.match(line):
            problems.append(f"malformed row: '{line[:100]}'")
    return rows, done


def check_set(golden, rows, problems):
    """Checks that the log has each case of the golden once, in order, and no other."""
    order = {case.name: index for index, case in enumerate(golden)}
    seen, latest = set(), -1
    for row in rows:
        if row.name not in order:
            problems.append(f"{row.where()} unknown, {row.call}, {row.what}: {row.answer}")
        elif row.name in seen:
            problems.append(f"{row.where()} printed again")
        elif order[row.name] < latest:
            problems.append(f"{row.where()} out of order")
        latest = max(latest, order.get(row.name, -1))
        seen.add(row.name)
    for case in (case for case in golden if case.name not in seen):
        problems.append(f"{case.where()} {case.call}, {case.what}: missing")


def compare(golden, lines):
    """Compares the golden's cases with the lines of a log."""
    problems, undecided, agreed = [], [], 0
    rows, done = rows_in(lines, problems)
    if not rows:
        none = "the probe printed no case: it is not this kernel's init, or never began"
        return Comparison([*problems, none], [], 0)
    if done is None:
        problems.append("the line 'probe: done N cases' is missing")
    elif done != len(rows):
        problems.append(f"the probe counted {done} cases, the log has {len(rows)}")
    by_name = {case.name: case for case in golden}
    for row in (row for row in rows if row.name in by_name):
        case = by_name[row.name]
        where = f"{case.where()} {case.call}, {case.what}:"
        if (row.call, row.what) != (case.call, case.what):
            problems.append(f"{where} printed as {row.call}, {row.what}")
        elif not case.decided:
            undecided.append(row)
        elif row.answer != case.answer:
            problems.append(f"{where} expected {case.answer}, got {row.answer}")
        else:
            agreed += 1
    check_set(golden, rows, problems)
    return Comparison(problems, undecided, agreed)


# ---- The harness -------------------------------------------------------------------------------
def check_audit(ran, nonce, abi_rev, program):
    """Checks our kernel's exit code and audit. -> problems"""
    if ran.stopped:
        return [f"the run was ended by the {ran.stopped} limit"]
    problems, wanted = [], exit_codes.number(exit_codes.DONE)
    if ran.exit_code != wanted:
        problems.append(f"QEMU ended with {ran.exit_code} instead of {wanted}")
    try:
        audit = audits.parse(*facts.split_log(ran.log), nonce, abi_rev)
    except audits.FormError as error:
        return problems + [f"the audit: {error}"]
    if [record["id"] for record in audit["hazard"]] != EXPECTED_HAZARDS.get(program, []):
        missing = ["the hazards that it should have recorded are missing"]
        problems += audit_faults.hazard_faults(audit) or missing
    return problems + audit_faults.end_faults(audit, MUST_FIT)


class ProbeHarness:
    """Runs each program on each ABI revision of our kernel, or one program on another kernel."""

    boots = None  # no proof, so no page

    def __init__(self, words):
        does = "Boots the ABI probe and compares its output with boot/tests/abi."
        self.options = options = cli.parse(words, "test-abi.sh", does, OPTIONS, linger=1.0)
        options.log_cap = cli.LOG_CAP_BYTES if options.log_cap is None else options.log_cap
        if options.kernel is not None and (options.append or options.abi != "all"):
            reason = "a kernel with the probe built in takes no --abi and no --append"
            raise ConfigError(f"{reason}; the probe finds the ABI revision")
        self.qemu_words, build = prepare.need_qemu(), prepare.build_folder()
        exit_codes.load()
        programs = PROGRAMS if options.probe == "all" else (options.probe,)
        payloads = build / "target" / "payloads"
        self.elfs = {program: payloads / f"{program}.elf" for program in programs}
        self.kernel = build / "kernel" / "kernel.elf"
        if options.kernel is None:
            prepare.need_files(self.kernel, *self.elfs.values())
        else:
            self.kernel, image = prepare.read_kernel(options.kernel)
            if not prepare.is_kernel(image) and not self.inside(image):
                what = f"the kernel {options.kernel} is not a RISC-V ELF file"
                raise ConfigError(f"{what}, and no probe is built into it")
        self.extra = prepare.split_words("--qemu-extra", options.qemu_extra)
        self.run = run_folder.choose(options.out, prepare.runs_folder(), say)

    def prepare(self):
        """Nothing to do: make has built everything."""

    def start(self, name, initrd, append, **until):
        """Boots once, in a separate folder."""
        folder = self.run / name
        folder.mkdir()
        kernel, mem = folder / "kernel.elf", self.options.mem
        shutil.copyfile(self.kernel, kernel)
        foreign = self.options.kernel is not None
        argv = qemu.command(
            self.qemu_words, mem, kernel, initrd, append, self.extra, foreign=foreign
        )
        ran = prepare.run_qemu(argv, folder, self.options, **until)
        if self.options.verbose:
            for line in ran.log.decode("latin-1").split("\n"):
                say(line.rstrip("\r"))
        return ran

    def judge_own(self, abi_rev, program):
        """-> (title, problems, Comparison)"""
        nonce, name = secrets.token_hex(cli.NONCE_BYTES), f"{abi_rev}-{program}"
        words = [f"abi={abi_rev}", f"nonce={nonce}", *self.options.append.split()]
        words += [] if "watchdog_ms=" in self.options.append else [f"watchdog_ms={WATCHDOG_MS}"]
        say(f"boot {abi_rev} {program}: {shown(self.run / name)}")
        ran = self.start(name, self.elfs[program], " ".join(words))
        prepare.check_memory(ran, self.options, abi_rev)
        golden = load_golden(golden_path(program, abi_rev))
        compared = compare(golden, facts.split_log(ran.log)[0])
        problems = check_audit(ran, nonce, abi_rev, program) + compared.problems
        return f"{abi_rev} {program}", problems, compared

    def inside(self, image):
        """The probes that a kernel's file contains."""
        elfs = {program: elf for program, elf in self.elfs.items() if elf.is_file()}
        return [program for program, elf in elfs.items() if elf.read_bytes() in image]

    def program_inside(self):
        """-> (the one probe in the kernel's file, None), or (the probe of --probe, its file).

        The file becomes the -initrd, which a kernel with a built-in init does not read.
        """
        inside = self.inside(self.kernel.read_bytes())
        if len(inside) == 1:
            return inside[0], None
        named = PROGRAMS[0] if self.options.probe == "all" else self.options.probe
        what = f"{shown(self.kernel)} contains no {'/'.join(self.elfs)}.elf"
        say(f"note: {what}; {named} is its -initrd")
        prepare.need_files(self.elfs[named])
        return named, self.elfs[named]

    def judge_foreign(self):
        """Judges another kernel, without exit code and audit. -> (title, problems, Comparison)"""
        program, initrd = self.program_inside()
        how = "built in" if initrd is None else "as -initrd"
        say(f"boot {shown(self.kernel)} with {program} {how}: {shown(self.run / 'foreign')}")
        linger = self.options.linger
        ran = self.start(
            "foreign", initrd, None, until=log_watch.Watch(DONE.fullmatch), linger_seconds=linger
        )
        goldens = {name: load_golden(golden_path(program, name)) for name in REVISIONS}
        lines, problems = read_log(ran.log, goldens.values())
        abi_rev = told_revision(lines)
        if ran.stopped == facts.LOG_CAP:
            problems.append("the run was ended by the log-cap limit")
        if abi_rev not in goldens:
            problems.append("the probe did not report the ABI revision; compared with a2")
        compared = compare(goldens.get(abi_rev, goldens["a2"]), lines)
        late = [x for x in ran.log.decode("latin-1").split("\n") if LATE_FAILURE.search(x)]
        problems += [f"the kernel says '{line.strip()[:100]}'" for line in late]
        say("note: no exit code and no audit; only the probe's output is compared")
        return "foreign", problems + compared.problems, compared

    def judge_all(self):
        """-> (verdict word, reason)"""
        if self.options.kernel is not None:
            found = [self.judge_foreign()]
        else:
            revisions = REVISIONS if self.options.abi == "all" else (self.options.abi,)
            found = [self.judge_own(name, program) for name in revisions for program in self.elfs]
        wrong, agreed, undecided = [], 0, 0
        for title, problems, compared in found:
            say_differences(title, problems, compared)
            wrong += problems
            agreed += compared.agreed
            undecided += len(compared.undecided)
        cases = f"{agreed} decided cases agree with the contract, {undecided} undecided"
        reason = f"{len(found)} boots, {cases}"
        if wrong:
            first = f"{len(wrong)} differences, the first: {wrong[0]}"
            return verdicts.FAIL, f"{first}; {reason}"
        return verdicts.PASS, reason


def say_differences(title, problems, compared):
    rows = compared.undecided
    undecided = [f"{r.name} ({r.statement}): {r.call}, {r.what}: {r.answer}" for r in rows]
    for kind, texts in (("undecided", undecided), ("difference", problems)):
        for text in texts[:SHOWN_PROBLEMS]:
            say(f"{kind} {facts.cut(text, SHOWN_CHARACTERS)}")
        if len(texts) > SHOWN_PROBLEMS:
            say(f"{kind} ... and {len(texts) - SHOWN_PROBLEMS} more")
    cases = f"{compared.agreed} decided cases agree with the contract"
    counts = f"{len(problems)} differences, {len(compared.undecided)} undecided"
    say(f"probe {title}: {cases}, {counts}")
