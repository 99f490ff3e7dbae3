# SPDX-License-Identifier: Apache-2.0
"""The judge of the probe: the goldens are in form, logs that are wrong are red, noise is not; no kernel is needed."""
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

DECIDED_MIN = {"a1": 150, "a2": 200}
NOISE = "[DEBUG sched] enqueue: pid=17 qos=Normal"
FAKE = pathlib.Path(__file__).resolve().parent / "fake_neuron.py"
SIGNAL_SECONDS = 30


def index_of(lines, name):
    return next(index for index, line in enumerate(lines) if line.startswith(name + "\t"))


def replaced(lines, name, text):
    """The line of a case with another in its place; none when the text is empty."""
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
    """One more line in the place where other cases stand, and counted."""
    return lambda lines: recounted(lines[:9] + [line] + lines[9:])


def null_is(text):
    return lambda lines: replaced(lines, NULL, text)


# name: (what is done to a good a2 log, what the problems must say)
WRONG = {
    "a missing case": (lambda lines: recounted(null_is("")(lines)),
                       [f"case {NULL} (K-21): vmo_write, null pointer: missing"]),
    "a missing case that was counted": (null_is(""), ["missing", f"counted {COUNT} cases, the log has {COUNT - 1}"]),
    "the first case is missing": (lambda lines: recounted(lines[1:]), ["case K-04.age (K-04)"]),
    "another error": (null_is(ROW + "-1"), [f"case {NULL} (K-21): vmo_write, null pointer: expected -22, got -1"]),
    "success instead of an error": (null_is(ROW + "0"), ["expected -22, got 0"]),
    "a relation instead of an error": (null_is(ROW + "len"), ["expected -22, got len"]),
    "another call": (null_is(ROW.replace("vmo_write", "vmo_read") + "-22"), ["printed as vmo_read, null pointer"]),
    "other words": (null_is(ROW.replace("null pointer", "no pointer") + "-22"), ["printed as vmo_write, no pointer"]),
    "an unknown case": (with_row("K-21.new\tvmo_write\tnew\t0"), ["case K-21.new (K-21): unknown"]),
    "a case of the other age": (with_row("K-22.wx\tmap\twrite and exec\t-1"), ["case K-22.wx (K-22): unknown"]),
    "a repeated case": (lambda lines: recounted(lines[:9] + [lines[8]] + lines[9:]), ["printed again"]),
    "two cases swapped": (lambda lines: swapped(lines, NULL), ["out of order"]),
    "a boot that starts again": (lambda lines: lines[:50] + lines,
                                 ["printed again", f"counted {COUNT} cases, the log has {COUNT + 50}"]),
    "a wrong count": (lambda lines: lines[:-1] + [f"probe: done {COUNT - 1} cases"],
                      [f"counted {COUNT - 1} cases, the log has {COUNT}"]),
    "no count": (lambda lines: lines[:-1], ["'probe: done N cases' is missing"]),
    "done twice": (lambda lines: lines + lines[-1:], ["done twice"]),
    "a case after the end": (lambda lines: lines + [ROW + "-22"], [f"case {NULL} after the probe was done"]),
    "three fields": (null_is(ROW[:-1]), ["not in form", "missing"]),
    "five fields": (null_is(ROW + "-22\t0"), ["not in form", "missing"]),
    "an empty answer": (null_is(ROW), ["not in form", "missing"]),
    "a golden's own question mark": (null_is(ROW + "?"), ["not in form", "missing"]),
    "another last line": (lambda lines: lines[:-1] + ["probe: gave up"],
                          ["not in form", "'probe: done N cases' is missing"]),
    "nothing": (lambda lines: [], ["printed no case"]),
}


def compared(lines, age="a2"):
    golden = bench.golden(age)
    found, doubts = probe.read_log(("\r\n".join(lines) + "\r\n").encode("latin-1"), [golden])
    result = probe.compare(golden, found)
    result.problems += doubts
    return result


def check_goldens(tap):
    statements = set(re.findall(r"\*\*(K-[0-9]+)", (bench.ROOT / "docs" / "abi.md").read_text(encoding="utf-8")))
    decided = dict.fromkeys(bench.AGES, 0)
    for (age, program), path in bench.FILES.items():
        cases = bench.golden(age, program)
        tap.check(cases[0].line().split("\t")[::3] == ["K-04.age", age], f"{path.name} begins with its age", cases[0])
        unknown = sorted({case.statement for case in cases} - statements)
        tap.check(not unknown, f"{path.name}: each case belongs to a statement of docs/abi.md", unknown)
        decided[age] += sum(case.decided for case in cases)
    for age in bench.AGES:
        tap.check(decided[age] >= DECIDED_MIN[age], f"{age}: at least {DECIDED_MIN[age]} decided cases", decided[age])
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "bad.tsv"
        for name, text in (("three fields", "K-20.a\tmap\tx\n"), ("a case twice", 2 * "K-20.a\tmap\tx\t0\n"),
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
    for age in bench.AGES:
        cases = bench.golden(age)
        result = compared(bench.good_lines(cases), age)
        undecided = sum(not case.decided for case in cases)
        good = not result.problems and (result.agreed, len(result.undecided)) == (len(cases) - undecided, undecided)
        tap.check(good and undecided > 0, f"{age}: a log as the golden has it is good", result)
    lines = bench.good_lines(bench.golden("a2"))
    for name, (change, words) in WRONG.items():
        text = "\n".join(compared(change(lines)).problems)
        tap.check(all(word in text for word in words), f"must be red: {name}", text[:2000])
    result = compared(replaced(lines, "K-40.empty-slot", "K-40.empty-slot\tcap_transfer\tan empty slot\tlen"))
    tap.check(not result.problems, "any answer is good where nothing is decided", result.problems)
    swap = {"a1": bench.good_lines(bench.golden("a1")), "a2": lines}
    for age, other in (("a1", "a2"), ("a2", "a1")):
        problems = compared(swap[other], age).problems
        told = any(f"expected {age}, got {other}" in problem for problem in problems)
        tap.check(told, f"must be red: {other}'s log for {age}", problems[:3])


def check_noise(tap):
    """A kernel's lines at any place; a cut never makes another answer."""
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
    tap.check(not wrong, "a kernel's lines between and in mid-line are tolerated", "\n".join(wrong[:5]))
    at = index_of(lines, NULL)
    row = lines[at]
    split = lines[:at] + [row[:-1] + "tick 17", row[-1:]] + lines[at + 1:]
    tap.check(not compared(split, "a1").problems, "so is a line of no known shape", compared(split, "a1").problems)
    changed = lines[:at] + [row[:-2] + "1" + NOISE, ""] + lines[at + 1:]
    problems = compared(changed, "a1").problems
    tap.check(any("expected -22, got -1" in text for text in problems), "a changed answer before noise is red", problems)


class Stage:
    """The harness with a stand-in for QEMU that prints a log and hangs."""

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
        """The kernel's file: what makes it a RISC-V ELF, and what is built into it."""
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
    tap.check(good and "no exit code and no audit" in output, "a foreign kernel, a1, with noise", output)
    stage.build_in("probe2")
    code, output = stage.run(bench.good_lines(bench.golden("a2", "probe2")))
    tap.check(code == 0 and "with probe2 built in" in output, "another program, a2", output)
    stage.build_in()
    code, output = stage.run(bench.good_lines(bench.golden("a2", "probe2")), ["--probe", "probe2", "--verbose"])
    tap.check(code == 0 and "with probe2 as -initrd" in output and "-initrd " in output, "none built in: as -initrd", output)
    stage.build_in("probe")
    code, output = stage.run(lines + ["PANIC: task 3"])
    tap.check(code == 1 and "the kernel says 'PANIC: task 3'" in output, "a panic a moment later is red", output)
    code, output = stage.run(replaced(lines, NULL, ROW + "0"))
    tap.check(code == 1 and f"difference case {NULL} (K-21)" in output, "a difference is red", output)
    code, output = stage.run(lines[:-1], ["--wall", "2"])
    tap.check(code == 1 and "'probe: done N cases' is missing" in output, "a probe that stands still is red", output)
    code, output = stage.run(lines, ["--log-cap", "2000"])
    tap.check(code == 1 and "log-cap" in output, "a log that is cut off is red", output)
    code, output = stage.run(lines, ["--qemu-extra", "-m 1G -bios 'a b'", "--verbose"])
    tap.check(code == 0 and "-m 1G -bios a b" in output, "more words for QEMU come last", output)


def check_configuration(tap, stage):
    cases = (
        ("a kernel that is missing", ["--kernel", "/no/kernel"], {}, "/no/kernel is missing"),
        ("a kernel that is a folder", ["--kernel", str(stage.folder)], {}, "is no file"),
        ("a kernel that is none", ["--kernel", str(bench.ROOT / "LICENSE")], {}, "no RISC-V ELF"),
        ("an age for a foreign kernel", ["--abi", "a1"], {}, "takes no --abi"),
        ("an unknown program", ["--probe", "probe9"], {}, "see --help"),
        ("an open quote", ["--qemu-extra", "'"], {}, "--qemu-extra"),
        ("a timeout of 0", ["--wall", "0"], {}, "more than 0"),
        ("a QEMU that is missing", [], {"QEMU": "no-such-qemu"}, "qemu-system-misc"),
        ("a QEMU that refuses", [], {"FAKE_REFUSES": "1"}, "QEMU refused to start: qemu: invalid memory size"),
        ("a Python that is missing", [], {"PYTHON": "no-such-python"}, "python3"),
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
    stage.log.write_bytes(b"K-04.age\n")
    process = subprocess.Popen([bench.HARNESS, *stage.words([])], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env=dict(os.environ, FAKE_PID=str(fifo_path), **stage.environment))
    pid = int(os.read(fifo, 64)) if select.select([fifo], [], [], SIGNAL_SECONDS)[0] else 0
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=SIGNAL_SECONDS)[0].decode()
    os.close(fifo)
    good = pid and process.returncode == 128 + signal.SIGINT and not pathlib.Path(f"/proc/{pid}").exists()
    tap.check(good, "SIGINT: 130, and no QEMU is left", f"{process.returncode}\n{output}")


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
    tap.check(tap.count == len(WRONG) + 46, "all of them ran", tap.count)
    tap.done()


if __name__ == "__main__":
    main()
