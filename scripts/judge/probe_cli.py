# SPDX-License-Identifier: Apache-2.0
"""Boots the probe and compares its answers with the contract: on our kernel, or on one that has the probe built in."""
import re
import secrets
import shutil
import sys

from judge import audit as audit_form
from judge import cli
from judge import exit_codes
from judge import noise
from judge import prepare
from judge import probe_rows
from judge import qemu
from judge import target
from judge import verdict as verdicts
from judge.prepare import ConfigError, shown
from judge.report import say

AGES = ("a1", "a2")
PROGRAMS = ("probe", "probe2")
HAZARDS_PROGRAM = "probe-hazards"
EXPECTED_HAZARDS = {HAZARDS_PROGRAM: ["K-03", "K-55", "K-55"]}
GOLDENS = prepare.ROOT / "boot" / "tests" / "abi"
MUST_FIT = ("task", "hazard")
WATCHDOG_MS = 60000
LINGER_SECONDS = 1.0
SHOWN_PROBLEMS = 40
LATE_FAILURE = re.compile(r"\bPANIC(?::| )|\bpanicked at\b")


def parse_options(words):
    parser = cli.Parser(prog="test-abi.sh", description="Boots the ABI probe and compares what it prints with "
                        "boot/tests/abi. Exit: 0 PASS, 1 FAIL, 2 CONFIG, 3 HARNESS-BUG.", allow_abbrev=False)
    parser.add_argument("--abi", choices=(*AGES, "all"), default="all", help="age of our kernel")
    parser.add_argument("--probe", choices=(*PROGRAMS, HAZARDS_PROGRAM, "all"), default="all", help="which program")
    parser.add_argument("--kernel", metavar="FILE", default=None, help="a kernel with the probe built in as its init")
    parser.add_argument("--qemu-extra", metavar="WORDS", default="", help="more words for QEMU, which come last")
    parser.add_argument("--linger", metavar="SECONDS", type=float, default=LINGER_SECONDS,
                        help="how long a kernel without an end is watched after the probe's last line")
    parser.add_argument("--mem", default="320M", help="memory of the guest")
    parser.add_argument("--append", metavar="ARGS", default="", help="more boot arguments for our kernel")
    parser.add_argument("--wall", metavar="SECONDS", type=float, default=120.0, help="timeout of one run")
    parser.add_argument("--log-cap", metavar="BYTES", type=int, default=cli.LOG_CAP_BYTES, help="cap of the log")
    parser.add_argument("--out", metavar="DIR", default=None, help="folder of the run (default: a fresh one)")
    parser.add_argument("--verbose", action="store_true", help="show all that was printed")
    options = parser.parse_args(words)
    if options.wall <= 0 or options.log_cap <= 0 or options.linger < 0:
        raise ConfigError("--wall and --log-cap are more than 0, --linger is not less")
    if options.kernel is not None and (options.append or options.abi != "all"):
        raise ConfigError("a kernel with the probe built in takes no --abi and no --append: the probe tells its age")
    return options


def golden_path(program, age):
    return GOLDENS / (f"{age}.tsv" if program == PROGRAMS[0] else f"{age}-{program}.tsv")


def golden_of(program, age):
    return probe_rows.load_golden(golden_path(program, age))


def say_differences(title, problems, undecided):
    for row in undecided:
        say(f"undecided {row.name} ({row.statement}): {row.call}, {row.what}: {row.answer}")
    for problem in problems[:SHOWN_PROBLEMS]:
        say(f"difference {problem}")
    if len(problems) > SHOWN_PROBLEMS:
        say(f"difference ... and {len(problems) - SHOWN_PROBLEMS} more")
    say(title)


def check_audit(ran, nonce, age, program):
    """Our kernel's own record of the run. -> problems"""
    if ran.stopped:
        return [f"the run was ended by the {ran.stopped} limit"]
    problems = []
    if ran.exit_code != exit_codes.number(exit_codes.DONE):
        problems.append(f"QEMU ended with {ran.exit_code} instead of {exit_codes.number(exit_codes.DONE)}")
    lines = probe_rows.plain_lines(ran.log)
    try:
        audit = audit_form.parse(lines[:-1], lines[-1], nonce, age)
    except audit_form.FormError as error:
        return problems + [f"the audit: {error}"]
    hazards = [record["id"] for record in audit["hazard"]]
    if hazards != EXPECTED_HAZARDS.get(program, []):
        problems += audit_form.hazard_faults(audit) or ["the hazards that it should have recorded are missing"]
    return problems + audit_form.end_faults(audit, MUST_FIT)


def is_done(log):
    """Whether the probe's last line is there, be it cut by a kernel's text of a known shape."""
    stream = noise.Stream()
    for part in bytes(log).decode("latin-1").split("\n")[:-1]:
        stream.line(part)
    return probe_rows.is_done(stream.lines)


class ProbeHarness:
    """One call of the harness."""

    def __init__(self, options):
        self.options = options
        self.qemu_words = prepare.need_qemu()
        exit_codes.load()
        build = prepare.build_folder()
        programs = PROGRAMS if options.probe == "all" else (options.probe,)
        self.elfs = {program: build / "target" / "payloads" / f"{program}.elf" for program in programs}
        self.kernel = build / "kernel" / "kernel.elf"
        if options.kernel is None:
            prepare.need_files(self.kernel, *self.elfs.values())
        else:
            self.kernel, image = target.read_kernel(options.kernel)
            if not target.is_kernel(image) and not self.inside(image):
                raise ConfigError(f"the kernel {options.kernel} is no RISC-V ELF file, and no probe is built into it")
        self.extra = prepare.split_words("--qemu-extra", options.qemu_extra)
        self.run = prepare.run_folder(options.out)

    def prepare(self):
        """All is built already."""

    def start(self, name, initrd, append, **until):
        """One boot, in a folder of its own."""
        folder = self.run / name
        folder.mkdir()
        kernel = folder / "kernel.elf"
        shutil.copyfile(self.kernel, kernel)
        argv = qemu.command(self.qemu_words, self.options.mem, kernel, initrd, append, self.extra)
        ran = prepare.run_qemu(argv, folder, self.options, **until)
        if self.options.verbose:
            for line in ran.log.decode("latin-1").split("\n"):
                say(line.rstrip("\r"))
        return ran

    def judge_own(self, age, program):
        """-> (problems, Comparison)"""
        nonce = secrets.token_hex(cli.NONCE_BYTES)
        words = [f"abi={age}", f"nonce={nonce}", *self.options.append.split()]
        words += [] if "watchdog_ms=" in self.options.append else [f"watchdog_ms={WATCHDOG_MS}"]
        say(f"boot {age} {program}: {shown(self.run / f'{age}-{program}')}")
        ran = self.start(f"{age}-{program}", self.elfs[program], " ".join(words))
        compared = probe_rows.compare(golden_of(program, age), probe_rows.plain_lines(ran.log))
        return check_audit(ran, nonce, age, program) + compared.problems, compared

    def inside(self, image):
        """The probes that stand in a kernel's file byte for byte."""
        return [program for program, elf in self.elfs.items() if elf.is_file() and elf.read_bytes() in image]

    def program_inside(self):
        """Which probe a foreign kernel was built with. -> (the one that stands in its file, None), or (the one that was
        named, its file): then it is given as -initrd, which a kernel with an init of its own does not look at."""
        inside = self.inside(self.kernel.read_bytes())
        if len(inside) == 1:
            return inside[0], None
        named = "probe" if self.options.probe == "all" else self.options.probe
        say(f"note: no {'/'.join(self.elfs)}.elf stands in {shown(self.kernel)} byte for byte; {named} is its -initrd")
        prepare.need_files(self.elfs[named])
        return named, self.elfs[named]

    def judge_foreign(self):
        """-> (problems, Comparison). There is no exit code and no audit."""
        program, initrd = self.program_inside()
        say(f"boot {shown(self.kernel)} with {program} {'built in' if initrd is None else 'as -initrd'}: {shown(self.run / 'foreign')}")
        ran = self.start("foreign", initrd, None, until=is_done, linger_seconds=self.options.linger)
        goldens = {age: golden_of(program, age) for age in AGES}
        lines, doubts = probe_rows.read_log(ran.log, goldens.values())
        age = probe_rows.told_age(lines)
        problems = doubts
        if ran.stopped == "log-cap":
            problems.append("the run was ended by the log-cap limit")
        if age not in goldens:
            problems.append("the probe did not tell the kernel's age; compared with a2")
        compared = probe_rows.compare(goldens.get(age, goldens["a2"]), lines)
        text = ran.log.decode("latin-1")
        problems += [f"the kernel says '{line.strip()[:100]}'" for line in text.split("\n")
                     if LATE_FAILURE.search(line)]
        say("note: no exit code and no audit: only what the probe printed is compared")
        return problems + compared.problems, compared


def title_of(name, compared, problems):
    return (f"probe {name}: {compared.agreed} decided cases as the contract says, {len(problems)} differences, "
            f"{len(compared.undecided)} undecided")


def judge_all(harness):
    """-> (verdict word, reason)"""
    found = []
    if harness.options.kernel is not None:
        found.append(("foreign", *harness.judge_foreign()))
    else:
        for age in AGES if harness.options.abi == "all" else (harness.options.abi,):
            found += [(f"{age} {program}", *harness.judge_own(age, program)) for program in harness.elfs]
    for name, problems, compared in found:
        say_differences(title_of(name, compared, problems), problems, compared.undecided)
    agreed = sum(compared.agreed for _, _, compared in found)
    undecided = sum(len(compared.undecided) for _, _, compared in found)
    wrong = [problem for _, problems, _ in found for problem in problems]
    reason = f"{len(found)} boots, {agreed} decided cases as the contract says, {undecided} undecided"
    if wrong:
        return verdicts.FAIL, f"{len(wrong)} differences, the first: {wrong[0]}; {reason}"
    return verdicts.PASS, reason


if __name__ == "__main__":
    sys.exit(cli.main(sys.argv[1:], lambda words: ProbeHarness(parse_options(words)), judge_all))
