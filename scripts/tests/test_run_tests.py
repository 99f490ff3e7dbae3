# SPDX-License-Identifier: Apache-2.0
"""scripts/run-tests.py: suites that lie, crash or print nothing fail, and the last line counts them."""
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests"))

from tap import Tap  # noqa: E402  pylint: disable=wrong-import-position

PATIENCE_SECONDS = 60

# name: (the suite's script, last line of run-tests, text in its output)
SUITES = {
    "plan first": ("echo 1..2; echo ok 1 - a; echo ok 2 - b", "2 passed, 0 failed", ""),
    "plan last": ("echo ok 1 - a; echo ok 2 - b; echo 1..2", "2 passed, 0 failed", ""),
    "two groups": ("echo 1..1; echo ok 1 - a; echo '# ok - g'; echo 1..1; echo ok 1 - b", "2 passed, 0 failed", ""),
    "two groups, plans last": ("echo ok 1 - a; echo 1..1; echo ok 1 - b; echo 1..1", "2 passed, 0 failed", ""),
    "a second group without plan": ("echo ok 1 - a; echo 1..1; echo ok 1 - b", "2 passed, 1 failed", "no plan"),
    "output before a crash": ("echo 1..1; echo ok 1 - a; echo farewell; kill -SEGV $$", "1 passed, 1 failed",
                                  "farewell"),
    "explanations between results": ("echo hello; echo 1..1; echo '# x'; echo ok 1 - a", "1 passed, 0 failed", ""),
    "a failure": ("echo 1..2; echo ok 1 - a; echo not ok 2 - b; echo '# 1 is not 2'; exit 1", "1 passed, 1 failed",
                  "# 1 is not 2"),
    "a failure that exits 0": ("echo 1..1; echo not ok 1 - a", "0 passed, 1 failed", "not ok 1"),
    "no plan": ("echo ok 1 - a", "1 passed, 1 failed", "no plan"),
    "nothing printed": (":", "0 passed, 1 failed", "no plan"),
    "too few results": ("echo 1..3; echo ok 1 - a", "1 passed, 1 failed", "planned 3, ran 1"),
    "too many results": ("echo 1..1; echo ok 1 - a; echo ok 2 - b", "2 passed, 1 failed", "planned 1, ran 2"),
    "wrong number": ("echo 1..2; echo ok 1 - a; echo ok 3 - b", "1 passed, 1 failed", "result 3 where 2 was due"),
    "same number twice": ("echo 1..2; echo ok 1 - a; echo ok 1 - a", "1 passed, 1 failed", "result 1 where 2"),
    "zero tests": ("echo 1..0", "0 passed, 1 failed", "a plan of no tests"),
    "crash after the plan": ("echo 1..2; echo ok 1 - a; kill -SEGV $$", "1 passed, 2 failed", "killed by SIGSEGV"),
    "crash after all": ("echo 1..1; echo ok 1 - a; kill -ABRT $$", "1 passed, 1 failed", "killed by SIGABRT"),
    "non-zero exit status": ("echo 1..1; echo ok 1 - a; exit 3", "1 passed, 1 failed", "ended with 3"),
    "a skip": ("echo 1..1; echo 'ok 1 - a # SKIP no time'", "0 passed, 1 failed", "SKIP no time"),
    "cmocka's skip": ("echo 1..1; echo 'not ok 1 # SKIP a'", "0 passed, 1 failed", "SKIP a"),
    "a result without number": ("echo 1..1; echo ok - a", "0 passed, 2 failed", "not TAP"),
    "a process that stays": ("echo 1..1; echo ok 1 - a; tail -f /dev/null &", "1 passed, 1 failed", "left running"),
    "a process that stays, in another session": ("echo 1..1; setsid -f tail -f /dev/null; echo ok 1 - a",
                                                 "1 passed, 1 failed", "left running"),
    "second group without results": ("echo 1..1; echo ok 1 - a; echo 1..2", "1 passed, 1 failed", "planned 2, ran 0"),
}


def run_tests(*words):
    done = subprocess.run([sys.executable, "-B", str(ROOT / "scripts" / "run-tests.py"), *words], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    output = done.stdout.decode()
    return done.returncode, output, output.splitlines()[-1]


def write_suite(folder, number, script):
    path = pathlib.Path(folder) / f"suite{number}.sh"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


# A signal at an exact moment. name: (options, number of suites, script of each, signal that the test sends when the first
# suite is up or None if a suite sends it to RUNNER, the runner's pid, exit code).
STAYS = "echo up >&3; exec tail -f /dev/null >/dev/null"
INTERRUPTS = {
    "SIGINT while a suite runs": ([], 1, STAYS, signal.SIGINT, 130),
    "SIGTERM while a suite runs": ([], 1, STAYS, signal.SIGTERM, 143),
    "SIGHUP while a suite runs": ([], 1, STAYS, signal.SIGHUP, 129),
    "SIGKILL while a suite runs": ([], 1, STAYS, signal.SIGKILL, -9),
    "SIGINT while more suites wait": ([], 3, STAYS, signal.SIGINT, 130),
    "SIGINT while suites are being started": (["-j", "40"], 40, f"kill -INT $RUNNER; {STAYS}", None, 130),
    "SIGINT while a suite forks, in other sessions": (
        [], 1, "trap '' INT TERM HUP; for i in 1 2 3 4 5 6 7 8; do\nsetsid tail -f /dev/null >/dev/null &\n[ $i != 4 ] ||"
        " { echo up >&3; kill -INT $RUNNER; }\ndone; wait", None, 130),
    "SIGINT while a suite's orphan runs": (
        [], 1, f"(setsid sh -c '{STAYS}' &); exec tail -f /dev/null >/dev/null", signal.SIGINT, 130),
    "SIGINT after the last suite, while no one reads the output": (
        ["-v"], 1, "echo 1..1; yes ok | head -n 100000; echo up >&3", signal.SIGINT, 130),
}


def comes_to_end(reader):
    """Whether every process that has the fifo open for writing has exited."""
    while select.select([reader], [], [], PATIENCE_SECONDS)[0]:
        if not os.read(reader, 64):
            return True
    return False


def check_interrupt(tap, folder, name):
    """A line on the fifo means that a suite is up; its end means that no process is left."""
    options, count, script, number, wanted = INTERRUPTS[name]
    fifo, room = pathlib.Path(folder) / "fifo", pathlib.Path(folder) / "room"
    os.mkfifo(fifo)
    room.mkdir()
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    suites = [write_suite(folder, f"-up{i}", f"exec 3>{fifo}; {script}") for i in range(count)]
    command = [sys.executable, "-B", str(ROOT / "scripts" / "run-tests.py"), *options, *suites]
    process = subprocess.Popen(["sh", "-c", 'RUNNER=$$ exec "$@"', "sh", *command], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=dict(os.environ, TMPDIR=str(room), BUILD=str(room)))
    up = bool(select.select([reader], [], [], PATIENCE_SECONDS)[0]) and os.read(reader, 3) == b"up\n"
    if number is not None:
        process.send_signal(number)
    code = process.wait(timeout=PATIENCE_SECONDS)
    gone = comes_to_end(reader)
    process.stdout.close()
    os.close(reader)
    fifo.unlink()
    left = os.listdir(room) if number != signal.SIGKILL else []
    shutil.rmtree(room)
    tap.check(up and gone and code == wanted and not left, f"{name}: no process is left", f"{up} {gone} {code} {left}")


def check_rooms(tap, folder):
    """A suite's temporary folders are removed with it."""
    script = "for room in $TMPDIR $TEST_ROOM; do echo room $room; touch $room/a; done; echo 1..1; echo ok 1 - a"
    code, output, _ = run_tests("-v", write_suite(folder, 96, script))
    rooms = [line.split()[1] for line in output.splitlines() if line.startswith("room ")]
    good = len(rooms) == 2 and not any(os.path.exists(room) for room in rooms)
    tap.check(code == 0 and good, "a suite's temporary folders are removed with it", output)


def main():
    tap = Tap()
    tap.check(len(SUITES) > 10, "there are suites to test")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BUILD"] = folder  # for the durations
        paths = {}
        for number, (name, (script, last, said)) in enumerate(SUITES.items()):
            paths[name] = write_suite(folder, number, script)
            code, output, line = run_tests(paths[name])
            good = line == last and code == (0 if last.endswith(" 0 failed") else 1) and said in output
            tap.check(good, f"a suite with {name}", f"exit {code}\n{output}")
        three = [paths[name] for name in ("plan first", "a failure", "plan last")]
        code, output, line = run_tests("-j", "2", *three)
        tap.check((code, line) == (1, "5 passed, 1 failed"), "the results of several suites are added", output)
        shown = [word.split(":")[0] for word in output.splitlines() if word.startswith("suite ")]
        tap.check(shown == [f"suite {path}" for path in three], "suites are shown in the order of the arguments", output)
        code, output, _ = run_tests("-v", paths["explanations between results"])
        tap.check(code == 0 and "hello" in output, "-v shows everything", output)
        slow = write_suite(folder, 98, "echo 1..1; exec tail -f /dev/null")
        code, output, line = run_tests("--timeout", "0.5", slow)
        tap.check((code, line) == (1, "0 passed, 1 failed") and "still running" in output, "a suite that hangs", output)
        code, output, line = run_tests(folder + "/none")
        tap.check((code, line) == (1, "0 passed, 1 failed"), "a suite that does not exist", output)
        code, output, line = run_tests()
        tap.check((code, line) == (1, "0 passed, 0 failed"), "no suite at all", output)
        for name in INTERRUPTS:
            check_interrupt(tap, folder, name)
        check_rooms(tap, folder)
        snake = pathlib.Path(folder) / "suite.py"
        snake.write_text("print('1..1')\nprint('ok 1 - a')\n", encoding="utf-8")
        code, output, line = run_tests(str(snake))
        tap.check((code, line) == (0, "1 passed, 0 failed"), "a Python suite", output)
    tap.check(tap.count == len(SUITES) + len(INTERRUPTS) + 9, "all cases ran")
    tap.done()


if __name__ == "__main__":
    main()
