# SPDX-License-Identifier: Apache-2.0
"""scripts/qemu-test.sh with stand-ins for host-ref, make and QEMU: verdicts, exit codes, limits, leftover processes."""
import json
import os
import pathlib
import select
import shlex
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fixture import DIGEST, ROOT, exit_codes  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap  # noqa: E402  pylint: disable=wrong-import-position

HARNESS = str(ROOT / "scripts" / "qemu-test.sh")
PROOF_ELF = str(ROOT / "scripts" / "proof-elf.sh")
PATIENCE_SECONDS = 60
TOOLS = pathlib.Path(__file__).resolve().parent / "fake_tools.py"
MARKERS = ["vmo: producer sent handle", "vmo: consumer mapped ok", "vmo: sha256 ok", "SELFTEST: vmo share ok"]

LONG_NAME = "x" * 5000

CUT_OFF = {"limits", "exit-code", "markers", "bad-patterns", "evidence", "audit-form"}  # red if the log is incomplete

# name: (FAKE, options, exit code, text in the verdict line, checks that must be red or None if nothing is judged)
RUNS = {
    "a good run on a2": ("good", [], 0, "verdict: PASS", set()),
    "a good run on a1": ("good", ["--abi", "a1"], 0, "verdict: PASS", set()),
    "a run whose log never ends": ("prints-forever", ["--log-cap", "100000"], 1, "verdict: FAIL", CUT_OFF),
    "a run that hangs": ("hangs", ["--wall", "1"], 1, "verdict: FAIL", CUT_OFF),
    "a run that hangs and ignores SIGTERM": ("hangs-deaf", ["--wall", "1"], 1, "verdict: FAIL", CUT_OFF),
    "a run that closes its serial line and hangs": ("closes-its-line", ["--wall", "1"], 1, "verdict: FAIL", CUT_OFF),
    "QEMU's exit code 0": ("exit-0", [], 1, "verdict: FAIL exit-code", {"exit-code"}),
    "a guest that ends with done-badly": ("done-badly", [], 1, "verdict: FAIL exit-code", {"exit-code"}),
    "a kernel that changed during the run": ("kernel-changes", [], 1, "verdict: FAIL images", {"images"}),
    "a payload that is refused": ("payload-refused", [], 2, "verdict: CONFIG host-ref: nothing.bin", None),
    "a payload whose name begins with a dash": ("good", ["--payload", "-dash"], 0, "verdict: PASS", set()),
    "a payload that does not build": ("build-fails", ["--mutant", "none"], 2, "cc: no such mutant", None),
    "a host-ref that crashes": ("host-ref-crash", [], 3, "verdict: HARNESS-BUG", None),
    "a challenge without its page": ("no-page", [], 3, "verdict: HARNESS-BUG", None),
    "a QEMU that refuses its options": ("qemu-refuses", [], 2, "verdict: CONFIG QEMU refused to start: qemu:", None),
    "an unknown manifest": ("good", ["--manifest", "none"], 2, "verdict: CONFIG no manifest 'none'", None),
    "an unknown option": ("good", ["--fast"], 2, "verdict: CONFIG", None),
    "an unknown ABI revision": ("good", ["--abi", "a3"], 2, "verdict: CONFIG", None),
    "a wall timeout of 0": ("good", ["--wall", "0"], 2, "verdict: CONFIG", None),
    "a wall timeout that is not a number": ("good", ["--wall", "nan"], 2, "verdict: CONFIG", None),
    "an infinite wall timeout": ("good", ["--wall", "1e300"], 2, "verdict: CONFIG", None),
    "a log cap of 5,000 digits": ("good", ["--log-cap", "9" * 5000], 2, "verdict: CONFIG", None),
    "a payload whose name is too long": ("good", ["--payload", LONG_NAME], 2, "xx cannot be read: File name", None),
    "a payload that cannot be read": ("good", ["--payload", "/proc/self/mem"], 2,
                                      "CONFIG the payload /proc/self/mem cannot be read: Input/output error", None),
    "a kernel whose name is too long": ("good", ["--kernel", LONG_NAME], 2, "xx cannot be read: File name", None),
    "a proof whose name is too long": ("good", ["--kernel", sys.executable, "--run", LONG_NAME], 2,
                                       "xx cannot be read: File name", None),
    "a report that cannot be written": ("report-in-the-way", [], 2, "a2/report.json cannot be written: Is a dir", None),
    "two reports that cannot be written": ("reports-in-the-way", [], 2, "verdict: CONFIG not all could be written", None),
    "a page that cannot be written": ("page-in-the-way", [], 2, "/report.html cannot be written: Is a dir", None),
    "too little memory": ("too-little-memory", ["--mem", "128M"], 2,
                          "CONFIG --mem 128M (MEM) is too little for ABI revision a2; give it at least 261M", None),
}


def tool(role):
    return f"{shlex.quote(sys.executable)} -B {shlex.quote(str(TOOLS))} {role}"


class Bench:
    """A build folder with stand-ins."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "host" / "host-ref").mkdir(parents=True)
        (self.folder / "kernel").mkdir()
        (self.folder / "kernel" / "kernel.elf").write_bytes(b"kernel")
        host_ref = self.folder / "host" / "host-ref" / "host-ref"
        host_ref.write_text(f'#!/bin/sh\nexec {tool("host-ref")} "$@"\n', encoding="utf-8")
        host_ref.chmod(0o755)
        self.pid_file = self.folder / "pid"
        self.count = 0

    def environment(self, mode, **more):
        return dict(os.environ, BUILD=str(self.folder), QEMU=tool("qemu"), MAKE=tool("make"), PYTHON=sys.executable,
                    FAKE=mode, FAKE_PID=str(self.pid_file), **more)

    def out(self):
        self.count += 1
        return self.folder / "runs" / str(self.count)

    def run(self, mode, options, **more):
        """-> (exit code, output, folder of the run)."""
        out = self.out()
        done = subprocess.run([HARNESS, "--payload", "gen:1:12388", "--out", str(out), *options], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment(mode, **more),
                              timeout=60)
        return done.returncode, done.stdout.decode(), out


def red_checks(report):
    return {check["name"] for check in report["checks"] if check["status"] == "RED"}


def gone(pid):
    """Whether no process has the id, or only a zombie."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
        return state in "ZX"
    except OSError:
        return True


def check_runs(tap, bench):
    for name, (mode, options, code, said, red) in RUNS.items():
        got, output, out = bench.run(mode, options)
        verdict = output.splitlines()[-1]
        problems = [] if got == code and said in verdict else [f"exit {got}, wanted {code} and '{said}'"]
        if red is not None:
            abi_rev = "a1" if "a1" in options else "a2"
            report = json.loads((out / abi_rev / "report.json").read_text(encoding="utf-8"))
            if red_checks(report) != red:
                problems.append(f"red: {sorted(red_checks(report))}")
        problems += [] if "Traceback" not in output else ["a traceback on the terminal"]
        tap.check(not problems, f"{name}: exit {code}", "\n".join(problems + [output[-3000:]]))


def check_output(tap, bench):
    _, output, out = bench.run("good", [])
    lines = output.splitlines()
    tap.check([line for line in lines if line in MARKERS] == MARKERS, "the four markers are shown in order", output)
    shown = [line.split(" ... ") for line in lines if line.startswith("check ")]
    other = [name.split()[1] for name, rest in shown if not rest.startswith("ok ")]
    tap.check(other == ["work"] and len(shown) > 20, "each check has a line; the payload is too small for work", output)
    report = json.loads((out / "a2" / "report.json").read_text(encoding="utf-8"))
    code = report["qemu"]["exit_code"]
    good = report["verdict"] == "PASS" and len(report["checks"]) > 20 and code == exit_codes.number("done")
    tap.check(good, "the report agrees", json.dumps(report)[:500])
    page = (out / "report.html").read_text(encoding="utf-8")
    tap.check(f"report: {out}/report.html" in lines[-2] and ">PASS<" in page and "0x84000000" in page,
              "the line before the verdict names the page", f"{lines[-2:]}\n{page[-500:]}")
    _, output, out = bench.run("payload-refused", [])
    page = (out / "report.html").read_text(encoding="utf-8")
    tap.check(">CONFIG<" in page and "nothing.bin" in page, "the page of a run that was not judged has the reason", page[-500:])
    for mode, asked in (("good", False), ("zfa-needs-f", True)):
        _, output, out = bench.run(mode, [])
        argv = json.loads((out / "a2" / "report.json").read_text(encoding="utf-8"))["qemu"]["argv"]
        tap.check(("zfa=off" in argv[argv.index("-cpu") + 1]) == asked,
                  f"a QEMU {'with Zfa' if asked else 'without Zfa'} boots a CPU that it accepts", argv)
    append = report["qemu"]["argv"][report["qemu"]["argv"].index("-append") + 1]
    tap.check(append == f"abi=a2 nonce={report['nonce']} hashes=1 watchdog_ms=1226", "the boot arguments", append)
    _, output, _ = bench.run("good", ["--verbose", "--append", "slots=64 watchdog_ms=9"])
    tap.check("OpenSBI" in output and "audit " in output, "--verbose shows the whole log", output)
    bench.pid_file.write_text("1234567890\n", encoding="ascii")  # an earlier, longer pid
    _, output, _ = bench.run("hangs", ["--wall", "1"])
    tap.check("last seen: vmo: note the last words" in output, "a hang shows the last output", output)
    tap.check(gone(int(bench.pid_file.read_text(encoding="ascii"))), "QEMU is gone after a hang")
    _, _, out = bench.run("no-page", [])
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    tap.check("Traceback" in (report["traceback"] or ""), "a HARNESS-BUG keeps its traceback", str(report))


def check_all_revisions(tap, bench):
    code, output, _ = bench.run("good", ["--abi", "all"])
    verdicts = [line for line in output.splitlines() if line.startswith("verdict: ")]
    good = code == 0 and len(verdicts) == 1 and "check same-elfs ... ok" in output
    tap.check(good, "both ABI revisions: one verdict", output)
    code, output, _ = bench.run("init-differs", ["--abi", "all"])
    tap.check(code == 1 and "check same-elfs ... RED" in output, "both ABI revisions: different ELF files fail", output)
    code, output, _ = bench.run("exit-0", ["--abi", "all"])
    both = "ABI revision a1 FAIL: " in output and "ABI revision a2 FAIL: " in output
    tap.check(code == 1 and both, "both ABI revisions: the worse verdict counts", output)


def check_configuration(tap, bench):
    code, output, _ = bench.run("good", [], QEMU_GONE="1")
    tap.check(code == 0, "the bench works", output)
    environment = dict(bench.environment("good"), QEMU="no-such-qemu")
    done = subprocess.run([HARNESS], check=False, stdout=subprocess.PIPE, env=environment, timeout=60)
    good = done.returncode == 2 and b"qemu-system-misc" in done.stdout
    tap.check(good, "without QEMU, the message names the package", done.stdout.decode())
    environment = dict(bench.environment("good"), PYTHON="no-such-python")
    done = subprocess.run([HARNESS], check=False, stdout=subprocess.PIPE, env=environment, timeout=60)
    good = done.returncode == 2 and b"CONFIG" in done.stdout
    tap.check(good, "without Python, the verdict is CONFIG", done.stdout.decode())
    code, output, _ = bench.run("good", ["--kernel", "/no/kernel"])
    tap.check(code == 2 and "is missing" in output, "a missing kernel", output)
    full = bench.out()
    full.mkdir(parents=True)
    (full / "old").write_text("", encoding="ascii")
    code, output, _ = bench.run("good", ["--out", str(full)])
    tap.check(code == 2 and "not an empty folder" in output, "an output folder that is not empty", output)
    for mode in ("good", "wrong-digest-text"):
        _, _, out = bench.run(mode, ["--wrong-digest"])
        text = (out / "challenge" / "expected.h").read_text(encoding="ascii").replace("0x", "").replace(", ", "")
        kept, last = DIGEST.hex()[:-1], DIGEST.hex()[-1]
        good = kept in text and f"{kept}{last}" not in text and (out / "challenge" / "digest").read_text()[63] == last
        tap.check(good, f"--wrong-digest flips one digit ({mode})", text)
    _, _, out = bench.run("good", ["--mutant", "flip"], MAKEFLAGS="-n", MUTANT="other")
    words = (out / "make.words").read_text(encoding="utf-8").split("\n")
    tap.check("MUTANT=flip" in words and "run-elf" in words, "the mutant reaches make", str(words))


# (FAKE, program to interrupt, signal)
SIGNALS = [
    ("hangs", HARNESS, signal.SIGINT),
    ("hangs", HARNESS, signal.SIGHUP),
    ("hangs-with-child", HARNESS, signal.SIGTERM),
    ("hangs-deaf", HARNESS, signal.SIGINT),
    ("hangs", HARNESS, signal.SIGKILL),
    ("make-hangs", HARNESS, signal.SIGINT),
    ("host-ref-hangs", HARNESS, signal.SIGTERM),
    ("make-hangs", PROOF_ELF, signal.SIGINT),
]


def all_gone(fifo):
    """Whether every process that has the fifo open for writing has exited."""
    while select.select([fifo], [], [], PATIENCE_SECONDS)[0]:
        if not os.read(fifo, 64):
            return True
    return False


def content_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_signal(tap, bench, mode, program, number):
    os.mkfifo(bench.pid_file)
    fifo = os.open(bench.pid_file, os.O_RDONLY | os.O_NONBLOCK)
    out = bench.out()
    if program == PROOF_ELF:  # prepare a folder that the interrupted call must not damage
        subprocess.run([program, "--payload", "gen:1:12388", "--out", str(out)], check=True, stdout=subprocess.DEVNULL,
                       env=bench.environment("good"))
    before = content_of(out)
    process = subprocess.Popen([program, "--payload", "gen:1:12388", "--out", str(out)],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=bench.environment(mode))
    up = bool(select.select([fifo], [], [], PATIENCE_SECONDS)[0])
    process.send_signal(number)
    output = process.communicate(timeout=PATIENCE_SECONDS)[0].decode()
    gone = all_gone(fifo)
    code = -number if number == signal.SIGKILL else 128 + number
    half = [str(path) for path in out.parent.rglob("*") if path.name.startswith(".") or path.stem == "report"
            and path.is_relative_to(out)]
    kept = program != PROOF_ELF or before and content_of(out) == before
    good = up and gone and process.returncode == code and not half and kept and "Traceback" not in output
    tap.check(good, f"{number.name} while {mode}, {pathlib.Path(program).name}: no process and no partial file is left",
              f"up {up}, gone {gone}, {process.returncode}, {half}, kept {kept}\n{output}")
    os.close(fifo)
    bench.pid_file.unlink()


def check_signals(tap, bench):
    bench.pid_file.unlink(missing_ok=True)
    for mode, program, number in SIGNALS:
        check_signal(tap, bench, mode, program, number)


def check_closed_output(tap, bench):
    """The reader closes the pipe after the first line; the files are complete nevertheless."""
    out = bench.out()
    process = subprocess.Popen([HARNESS, "--payload", "gen:1:12388", "--out", str(out)], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=bench.environment("good"))
    line = process.stdout.readline()
    process.stdout.close()
    process.wait(timeout=PATIENCE_SECONDS)
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in out.rglob("report.json")]
    half = [path.name for path in out.rglob(".*")]
    tap.check(line.startswith(b"boot a2: ") and len(reports) == 2 and not half and process.returncode == 0,
              "output closed after a line: the verdict's exit code, and complete files",
              f"{line} {process.returncode} {reports} {half}")


def check_unwritten(tap, bench):
    """If the output cannot be written, the harness says CONFIG in a line on standard error."""
    for name, more in (("standard output on a full disk", {"stdout": open("/dev/full", "wb")}),
                       ("closed standard output", {"preexec_fn": lambda: os.close(1)})):
        done = subprocess.run([HARNESS, "--payload", "gen:1:12388", "--out", str(bench.out())], check=False,
                              stderr=subprocess.PIPE, env=bench.environment("good"), timeout=PATIENCE_SECONDS, **more)
        lines = done.stderr.splitlines()
        good = done.returncode == 2 and len(lines) == 1 and lines[0].startswith(b"verdict: CONFIG not all could be")
        tap.check(good, f"{name}: CONFIG in a line", f"{done}")


def check_two_at_once(tap, bench):
    command = [HARNESS, "--payload", "gen:1:12388"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, env=bench.environment("good")) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0].decode() for process in running]
    folders = {line.rsplit(" ", 1)[1] for output in outputs for line in output.splitlines() if line.startswith("boot ")}
    good = len(folders) == 2 and all(process.returncode == 0 for process in running)
    tap.check(good, "two runs at once use separate folders", "\n".join(outputs))


def main():
    tap = Tap()
    tap.check(len(RUNS) > 10, "there are runs to do")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        check_runs(tap, bench)
        check_output(tap, bench)
        check_all_revisions(tap, bench)
        check_configuration(tap, bench)
        check_signals(tap, bench)
        check_closed_output(tap, bench)
        check_unwritten(tap, bench)
        check_two_at_once(tap, bench)
    tap.check(tap.count == len(RUNS) + 28 + len(SIGNALS), "all cases ran", str(tap.count - len(RUNS) - len(SIGNALS)))
    tap.done()


if __name__ == "__main__":
    main()
