# SPDX-License-Identifier: Apache-2.0
"""The judge of the probe: goldens are well-formed, wrong logs are red, and noise is tolerated. Needs no kernel."""
import dataclasses
import os
import pathlib
import random
import re
import select
import shlex
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import abi_bench as bench  # noqa: E402  pylint: disable=wrong-import-position
from abi_bench import probe  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap  # noqa: E402  pylint: disable=wrong-import-position

DECIDED_MIN = {"a1": 290, "a2": 390}
NOISE = "[DEBUG sched] enqueue: pid=17 qos=Normal"
FAKE = pathlib.Path(__file__).resolve().parent / "fake_neuron.py"
SIGNAL_SECONDS = 30


def index_of(lines, name):
    return next(index for index, line in enumerate(lines) if line.startswith(name + "\t"))


def replaced(lines, name, text):
    """Replaces the line of a case; removes it if the text is empty."""
    at = index_of(lines, name)
    return lines[:at] + ([text] if text else []) + lines[at + 1:]


def swapped(lines, name):
    at = index_of(lines, name)
    return lines[:at] + [lines[at + 1], lines[at]] + lines[at + 2:]


def recounted(lines):
    return lines[:-1] + [f"probe: done {len(lines) - 1} cases"]


COUNT = len(bench.golden("a2"))
NULL = "K-21.write-null"
ROW = "K-21.write-null\tvmo_write\tnull pointer\t"


def with_row(line):
    """Inserts a line between the cases, and counts it."""
    return lambda lines: recounted(lines[:9] + [line] + lines[9:])


def null_is(text):
    return lambda lines: replaced(lines, NULL, text)


# name: (change to a good a2 log, texts in the problems)
WRONG = {
    "a missing case": (lambda lines: recounted(null_is("")(lines)),
                       [f"case {NULL} (K-21): vmo_write, null pointer: missing"]),
    "a missing case that is counted": (null_is(""), ["missing", f"counted {COUNT} cases, the log has {COUNT - 1}"]),
    "a missing first case": (lambda lines: recounted(lines[1:]), ["case K-04.revision (K-04)"]),
    "another error": (null_is(ROW + "-1"), [f"case {NULL} (K-21): vmo_write, null pointer: expected -22, got -1"]),
    "success instead of an error": (null_is(ROW + "0"), ["expected -22, got 0"]),
    "a relation instead of an error": (null_is(ROW + "len"), ["expected -22, got len"]),
    "another call": (null_is(ROW.replace("vmo_write", "vmo_read") + "-22"), ["printed as vmo_read, null pointer"]),
    "another description": (null_is(ROW.replace("null pointer", "no pointer") + "-22"),
                            ["printed as vmo_write, no pointer"]),
    "an unknown case": (with_row("K-21.new\tvmo_write\tnew\t0"), ["case K-21.new (K-21): unknown"]),
    "a case of the other revision": (with_row("K-22.wx\tmap\twrite and exec\t-1"), ["case K-22.wx (K-22): unknown"]),
    "a repeated case": (lambda lines: recounted(lines[:9] + [lines[8]] + lines[9:]), ["printed again"]),
    "two cases swapped": (lambda lines: swapped(lines, NULL), ["out of order"]),
    "a second boot": (lambda lines: lines[:50] + lines,
                                 ["printed again", f"counted {COUNT} cases, the log has {COUNT + 50}"]),
    "a wrong count": (lambda lines: lines[:-1] + [f"probe: done {COUNT - 1} cases"],
                      [f"counted {COUNT - 1} cases, the log has {COUNT}"]),
    "no count": (lambda lines: lines[:-1], ["'probe: done N cases' is missing"]),
    "done twice": (lambda lines: lines + lines[-1:], ["done twice"]),
    "a case after the end": (lambda lines: lines + [ROW + "-22"], [f"case {NULL} after the probe was done"]),
    "three fields": (null_is(ROW[:-1]), ["malformed row", "missing"]),
    "five fields": (null_is(ROW + "-22\t0"), ["malformed row", "missing"]),
    "an empty answer": (null_is(ROW), ["malformed row", "missing"]),
    "a golden's own question mark": (null_is(ROW + "?"), ["malformed row", "missing"]),
    "another last line": (lambda lines: lines[:-1] + ["probe: gave up"],
                          ["malformed row", "'probe: done N cases' is missing"]),
    "nothing": (lambda lines: [], ["printed no case"]),
}


def compared(lines, abi_rev="a2", open_case=None):
    """open_case: the name of a case that the golden leaves undecided."""
    golden = [dataclasses.replace(case, answer=probe.UNDECIDED) if case.name == open_case else case
              for case in bench.golden(abi_rev)]
    found, doubts = probe.read_log(("\r\n".join(lines) + "\r\n").encode("latin-1"), [golden])
    result = probe.compare(golden, found)
    result.problems += doubts
    return result


def check_goldens(tap):
    statements = set(re.findall(r"\*\*(K-[0-9]+)", (bench.ROOT / "docs" / "abi.md").read_text(encoding="utf-8")))
    decided = dict.fromkeys(bench.REVISIONS, 0)
    for (abi_rev, program), path in bench.FILES.items():
        cases = bench.golden(abi_rev, program)
        first = cases[0].line().split("\t")[::3]
        tap.check(first == ["K-04.revision", abi_rev], f"{path.name} starts with its ABI revision", cases[0])
        unknown = sorted({case.statement for case in cases} - statements)
        tap.check(not unknown, f"{path.name}: each case cites a statement of docs/abi.md", unknown)
        decided[abi_rev] += sum(case.decided for case in cases)
    for abi_rev in bench.REVISIONS:
        least = DECIDED_MIN[abi_rev]
        tap.check(decided[abi_rev] >= least, f"{abi_rev}: at least {least} decided cases", decided[abi_rev])
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "bad.tsv"
        for name, text in (("three fields", "K-20.a\tmap\tx\n"), ("a duplicate case", 2 * "K-20.a\tmap\tx\t0\n"),
                           ("upper case", "K-20.a\tMap\tx\t0\n"), ("no case", "# nothing\n")):
            path.write_text(text, encoding="ascii")
            tap.check(refused(path), f"a golden with {name} is refused")


def refused(path):
    try:
        probe.load_golden(path)
        return False
    except probe.GoldenError:
        return True


def check_wrong(tap):
    for abi_rev in bench.REVISIONS:
        cases = bench.golden(abi_rev)
        result = compared(bench.good_lines(cases), abi_rev)
        good = not result.problems and (result.agreed, len(result.undecided)) == (len(cases), 0)
        tap.check(good, f"{abi_rev}: a log that matches the golden is good", result)
    lines = bench.good_lines(bench.golden("a2"))
    for name, (change, words) in WRONG.items():
        text = "\n".join(compared(change(lines)).problems)
        tap.check(all(word in text for word in words), f"{name} must be red", text[:2000])
    result = compared(replaced(lines, "K-40.empty-slot", "K-40.empty-slot\tcap_transfer\tan empty slot\tlen"),
                      open_case="K-40.empty-slot")
    good = not result.problems and len(result.undecided) == 1
    tap.check(good, "an undecided case accepts any answer", result.problems)
    swap = {"a1": bench.good_lines(bench.golden("a1")), "a2": lines}
    for abi_rev, other in (("a1", "a2"), ("a2", "a1")):
        problems = compared(swap[other], abi_rev).problems
        named = any(f"expected {abi_rev}, got {other}" in problem for problem in problems)
        tap.check(named, f"{other}'s log for {abi_rev} must be red", problems[:3])


def check_noise(tap):
    """Kernel log lines may appear anywhere; a line cut in two never yields another answer."""
    draw = random.Random(11)
    lines = bench.good_lines(bench.golden("a1"))
    text = "\n".join(lines) + "\n"
    wrong = []
    for _ in range(20):
        log = ""
        for char in text:
            log += (draw.choice([NOISE, "[INFO neuron::task] exit 18"]) + "\n" if draw.random() < 0.01 else "") + char
        problems = compared(log.split("\n")[:-1], "a1").problems
        wrong += problems
    tap.check(not wrong, "kernel log lines between and inside lines are tolerated", "\n".join(wrong[:5]))
    at = index_of(lines, NULL)
    row = lines[at]
    split = lines[:at] + [row[:-1] + "tick 17", row[-1:]] + lines[at + 1:]
    problems = compared(split, "a1").problems
    tap.check(not problems, "a log line of unknown shape is tolerated", problems)
    changed = lines[:at] + [row[:-2] + "1" + NOISE, ""] + lines[at + 1:]
    problems = compared(changed, "a1").problems
    tap.check(any("expected -22, got -1" in text for text in problems), "a changed answer before noise is red", problems)


class Stage:
    """The harness with a fake QEMU that prints a log and hangs."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.kernel = self.folder / "neuron.elf"
        self.programs = {program: f"this is {program}.elf".encode() for program in ("probe", "probe2")}
        (self.folder / "target" / "payloads").mkdir(parents=True)
        for program, content in self.programs.items():
            (self.folder / "target" / "payloads" / f"{program}.elf").write_bytes(content)
        self.build_in("probe")
        self.log = self.folder / "log"
        self.count = 0
        self.environment = {"QEMU": f"{shlex.quote(sys.executable)} -B {shlex.quote(str(FAKE))}",
                            "FAKE_LOG": str(self.log), "BUILD": str(self.folder)}

    def build_in(self, *programs):
        """Writes the kernel's file: the start of a RISC-V ELF header, then the embedded programs."""
        header = b"\x7fELF\x02".ljust(18, b"\0") + b"\xf3\0"
        self.kernel.write_bytes(header + b"".join(self.programs[program] for program in programs))

    def words(self, options):
        self.count += 1
        return ["--kernel", str(self.kernel), "--out", str(self.folder / f"out{self.count}"), "--linger", "0.1",
                *options]

    def run(self, lines, options=(), **more):
        self.log.write_bytes("".join(line + "\n" for line in lines).encode("latin-1"))
        return bench.harness(self.words(options), **self.environment, **more)


def check_foreign(tap, stage):
    lines = bench.good_lines(bench.golden("a1"))
    noisy = [NOISE] + lines[:20] + [lines[20][:7] + NOISE, lines[20][7:]] + lines[21:]
    code, output = stage.run(noisy)
    decided = sum(case.decided for case in bench.golden("a1"))
    good = code == 0 and f"verdict: PASS 1 boots, {decided} decided" in output and "-initrd" not in output
    tap.check(good and "no exit code and no audit" in output, "a foreign a1 kernel with noise passes", output)
    stage.build_in("probe2")
    code, output = stage.run(bench.good_lines(bench.golden("a2", "probe2")))
    tap.check(code == 0 and "with probe2 built in" in output, "a foreign a2 kernel that embeds probe2 passes", output)
    stage.build_in()
    code, output = stage.run(bench.good_lines(bench.golden("a2", "probe2")), ["--probe", "probe2", "--verbose"])
    tap.check(code == 0 and "with probe2 as -initrd" in output and "-initrd " in output,
              "a kernel that embeds no program gets it as -initrd", output)
    stage.build_in("probe")
    code, output = stage.run(lines + ["PANIC: task 3"])
    tap.check(code == 1 and "the kernel says 'PANIC: task 3'" in output, "a panic after the last case is red", output)
    code, output = stage.run(replaced(lines, NULL, ROW + "0"))
    tap.check(code == 1 and f"difference case {NULL} (K-21)" in output, "a difference is red", output)
    code, output = stage.run(lines[:-1], ["--wall", "2"])
    tap.check(code == 1 and "'probe: done N cases' is missing" in output, "a probe that hangs is red", output)
    code, output = stage.run(lines, ["--log-cap", "2000"])
    tap.check(code == 1 and "log-cap" in output, "a truncated log is red", output)
    code, output = stage.run(lines, ["--qemu-extra", "-m 1G -bios 'a b'", "--verbose"])
    tap.check(code == 0 and "-m 1G -bios a b" in output, "--qemu-extra comes last on QEMU's command line", output)


def check_configuration(tap, stage):
    cases = (
        ("a missing kernel", ["--kernel", "/no/kernel"], {}, "/no/kernel is missing"),
        ("a kernel that is a folder", ["--kernel", str(stage.folder)], {}, "is not a file"),
        ("a kernel that is not an ELF file", ["--kernel", str(bench.ROOT / "LICENSE")], {}, "not a RISC-V ELF"),
        ("--abi for a foreign kernel", ["--abi", "a1"], {}, "takes no --abi"),
        ("an unknown program", ["--probe", "probe9"], {}, "see --help"),
        ("an open quote", ["--qemu-extra", "'"], {}, "--qemu-extra"),
        ("a timeout of 0", ["--wall", "0"], {}, "more than 0"),
        ("a missing QEMU", [], {"QEMU": "no-such-qemu"}, "qemu-system-misc"),
        ("a QEMU that refuses", [], {"FAKE_REFUSES": "1"}, "QEMU refused to start: qemu: invalid memory size"),
        ("a missing Python", [], {"PYTHON": "no-such-python"}, "python3"),
    )
    for name, options, environment, words in cases:
        code, output = bench.harness(stage.words(options), **{**stage.environment, **environment})
        tap.check(code == 2 and "verdict: CONFIG" in output and words in output, f"CONFIG: {name}", output)
    code, output = bench.harness(["--out", str(stage.folder / "own")], **stage.environment)
    tap.check(code == 2 and "run make first" in output, "CONFIG: nothing is built", output)


def check_signal(tap, stage):
    fifo_path = stage.folder / "pid"
    os.mkfifo(fifo_path)
    fifo = os.open(fifo_path, os.O_RDWR)
    stage.log.write_bytes(b"K-04.revision\n")
    process = subprocess.Popen([bench.HARNESS, *stage.words([])], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env=dict(os.environ, FAKE_PID=str(fifo_path), **stage.environment))
    pid = int(os.read(fifo, 64)) if select.select([fifo], [], [], SIGNAL_SECONDS)[0] else 0
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=SIGNAL_SECONDS)[0].decode()
    os.close(fifo)
    good = pid and process.returncode == 128 + signal.SIGINT and not pathlib.Path(f"/proc/{pid}").exists()
    tap.check(good, "SIGINT: exit 130, and QEMU has exited", f"{process.returncode}\n{output}")


def main():
    tap = Tap()
    check_goldens(tap)
    check_wrong(tap)
    check_noise(tap)
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(folder)
        check_foreign(tap, stage)
        check_configuration(tap, stage)
        check_signal(tap, stage)
    tap.check(tap.count == len(WRONG) + 46, "all cases ran", tap.count)
    tap.done()


if __name__ == "__main__":
    main()
