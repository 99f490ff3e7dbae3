# SPDX-License-Identifier: Apache-2.0
"""scripts/progress.py: the line on a terminal, plain lines elsewhere, and the estimate. Prints TAP.

The suites that run-tests.py runs here wait on a FIFO until the line shows what it should.
"""
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

import progress  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap, room  # noqa: E402  pylint: disable=wrong-import-position
from terminal import LIMIT_SECONDS, Terminal, until  # noqa: E402  pylint: disable=wrong-import-position

ABOUT = ((0, "less than a minute"), (44, "less than a minute"), (45, "about 1 min"), (61, "about 2 min"),
         (599, "about 10 min"), (601, "about 10 min"), (5000, "about 85 min"), (5400, "about 1.5 h"), (7201, "about 2 h"))
CLOCK = ((0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3600, "1:00:00"), (36061, "10:01:01"))
# name: steps, known durations, at once, done steps, elapsed seconds, running, seconds left
LEFT = {
    "nothing known, nothing done": ({"a": 4}, {}, 1, 0, 9, [], None),
    "nothing known, just begun": ({"a": 4}, {}, 1, 1, 2, [], None),
    "a rate alone": ({"a": 4}, {}, 1, 1, 20, [], 60),
    "a rate and a half step": ({"a": 4}, {}, 1, 1, 30, [("a", 10, 0.5)], 50),
    "the last run alone": ({"a": 4}, {"a": 100}, 1, 0, 0, [], 400),
    "the last run, two at once": ({"a": 4}, {"a": 100}, 2, 0, 0, [], 200),
    "as fast as the last run": ({"a": 4}, {"a": 100}, 1, 2, 250, [("a", 50, None)], 150),
    "a step that takes longer than before": ({"a": 4}, {"a": 100}, 1, 3, 390, [("a", 900, None)], 0),
    "a new step counts as a typical one": ({"a": 1, "b": 1}, {"a": 100}, 1, 0, 0, [], 200),
    "done": ({"a": 4}, {"a": 100}, 1, 4, 400, [], 0),
}
GOOD = "echo 1..1; echo ok 1 - a"
BAD = "echo 1..1; echo not ok 1 - b; echo '# why it failed'"
WAITS = "read word <%s; echo 1..1; echo ok 1 - c"
SAYS = "echo '# 1 of 4 frames'; echo '# 3 of 4 frames'; "
STAYS = "exec 3>%s; echo up >&3; exec tail -f /dev/null >/dev/null"


def screen(text):
    """-> the lines that a terminal shows after this text, without blanks at their ends"""
    lines, column = [[]], 0
    for character in text:
        if character == "\n":
            lines, column = [*lines, []], 0
        elif character == "\r":
            column = 0
        else:
            lines[-1] += " " * (column + 1 - len(lines[-1]))
            lines[-1][column] = character
            column += 1
    return [cells.rstrip() for cells in map("".join, lines)]


class Bench:
    """A folder with suites, and the words that run them."""

    def __init__(self, tap, folder):
        self.tap, self.check, self.folder = tap, tap.check, pathlib.Path(folder)
        self.fifo, self.build = self.folder / "fifo", self.folder / "build"
        self.build.mkdir()
        os.mkfifo(self.fifo)

    def suite(self, name, script):
        path = self.folder / name
        path.write_text("#!/bin/sh\n" + (script % self.fifo if "%s" in script else script) + "\n", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    def environment(self, **more):
        wanted = {**os.environ, "BUILD": str(self.build), "TERM": "xterm", **more}
        return {key: value for key, value in wanted.items() if value is not None}

    def start(self, *suites, term="xterm", **more):
        words = [sys.executable, "-B", str(ROOT / "scripts/run-tests.py"), *suites]
        return Terminal(words, env=self.environment(TERM=term), **more)

    def release(self):
        """Lets the suite that waits go on."""
        with open(self.fifo, "w", encoding="ascii") as writer:
            writer.write("go\n")


def numbers(tap):
    for seconds, text in ABOUT:
        tap.check(progress.about(seconds) == text, f"{seconds} s are {text}", progress.about(seconds))
    for seconds, text in CLOCK:
        tap.check(progress.clock(seconds) == text, f"{seconds} s measured are {text}", progress.clock(seconds))
    for name, (steps, known, at_once, done, elapsed, running, wanted) in LEFT.items():
        work = progress.Work(steps, known, at_once)
        work.done = done * work.seconds_of["a"]
        left = work.left(elapsed, running)
        tap.check(left == wanted if left is None or wanted is None else abs(left - wanted) < 1e-6,
                  f"time left: {name}", left)


def on_a_terminal(bench):
    suites = [bench.suite("good", GOOD), bench.suite("bad", BAD), bench.suite("waits", WAITS)]
    shown = bench.start(*suites, columns=200)
    line = r"\r2/3 suites, 1 failed, 0:\d\d: " + re.escape(suites[2])
    bench.check(shown.shows(line), "the line: done, failures, elapsed time, what runs", repr(shown.text))
    bench.release()
    status, text, same = shown.end()
    said = [f"{suites[1]}: not ok 1 - b", "    # why it failed", f"suite {suites[1]}: 0 passed, 1 failed",
            "2 passed, 1 failed", ""]
    bench.check(status == 1 and screen(text) == said, "the end: the failure and the count, on clear lines", screen(text))
    bench.check("\x1b" not in text and same, "no escape sequence; the terminal's settings stay")
    bench.check((bench.build / "durations/test").read_text(encoding="utf-8").count("\n") == 3,
                "the durations are kept")
    narrow = bench.start(*suites, columns=30)
    bench.check(narrow.shows(r"\r2/3 suites, 1 failed, 0:\d\d, "), "a narrow terminal", repr(narrow.text))
    bench.release()
    longest = max(len(part) for part in re.split(r"[\r\n]+", narrow.end()[1]) if re.match(r"\d/\d", part))
    bench.check(longest == 29, "the line leaves the last column free", longest)


def estimates(bench):
    waits = bench.suite("waits", WAITS)
    (bench.build / "durations/test").write_text(f"7200.0\t{waits}\nnonsense\n", encoding="utf-8")
    shown = bench.start(waits, columns=200)
    bench.check(shown.shows(r"\r0/1 suites, 0 failed, 0:\d\d, about 2 h left"), "the last run gives the time left",
                repr(shown.text))
    bench.release()
    status, text, _ = shown.end()
    bench.check(status == 0 and screen(text) == ["1 passed, 0 failed", ""], "a green run leaves its count alone", screen(text))
    (bench.build / "durations/test").write_text(f"7200.0\t{waits}\n", encoding="utf-8")
    bench.suite("waits", SAYS + WAITS)
    shown = bench.start(waits, columns=200)
    bench.check(shown.shows(r", less than a minute left: "), "what a suite says about itself counts more", repr(shown.text))
    bench.release()
    shown.end()


def plain_elsewhere(bench):
    suites = [bench.suite("good", GOOD), bench.suite("bad", BAD)]
    wanted = [f"suite {suites[0]}: 1 passed, 0 failed", f"{suites[1]}: not ok 1 - b", "    # why it failed",
              f"suite {suites[1]}: 0 passed, 1 failed", "1 passed, 1 failed"]
    for name, term in (("TERM=dumb", "dumb"), ("TERM empty", ""), ("no TERM", None)):
        status, text, _ = bench.start(*suites, term=term).end()
        bench.check((status, text.split("\r\n")) == (1, [*wanted, ""]), f"{name}: plain lines", repr(text))
    words = [sys.executable, "-B", str(ROOT / "scripts/run-tests.py"), *suites]
    done = subprocess.run(words, env=bench.environment(), check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=LIMIT_SECONDS)
    bench.check(done.stdout.decode() == "\n".join([*wanted, ""]) and not done.stderr, "a pipe: plain lines, no control character",
                done)
    reader, writer = os.pipe()
    shown = bench.start(*suites, output=writer)
    os.close(writer)
    text = shown.end()[1]
    with open(reader, encoding="utf-8") as said:
        bench.check(text == "" and said.read() == "\n".join([*wanted, ""]),
                    "standard output a pipe, standard error a terminal: the same", repr(text))


def interrupted(bench):
    reader = os.open(bench.fifo, os.O_RDONLY | os.O_NONBLOCK)
    shown = bench.start(bench.suite("stays", STAYS))
    began = until(lambda: read_some(reader) == b"up\n") and shown.shows("0/1 suites")
    shown.type(b"\x03")
    status, text, same = shown.end()
    os.set_blocking(reader, True)
    gone = os.read(reader, 1) == b""
    os.close(reader)
    bench.check(began and status == 128 + signal.SIGINT and screen(text)[-2:] ==
                ["interrupted by SIGINT; all processes were ended", ""] and same,
                "Ctrl-C: the cursor is on a fresh line", screen(text))
    bench.check(gone, "and no process is left")


def read_some(reader):
    with contextlib.suppress(BlockingIOError):
        return os.read(reader, 64)
    return b""


def nobody_reads(bench):
    words = [sys.executable, "-B", str(ROOT / "scripts/run-tests.py"), bench.suite("good", GOOD), bench.suite("waits", WAITS)]
    with subprocess.Popen(words, env=bench.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        first = process.stdout.readline()
        process.stdout.close()
        bench.release()
        said = process.stderr.read()
        status = process.wait(LIMIT_SECONDS)
    bench.check(first.startswith(b"suite ") and (status, said) == (128 + signal.SIGPIPE, b""),
                "nobody reads the output: a quiet end", (first, status, said))


def main():
    tap = Tap()
    numbers(tap)
    for part in (on_a_terminal, estimates, plain_elsewhere, interrupted, nobody_reads):
        with tempfile.TemporaryDirectory(prefix="progress-", dir=room()) as folder:
            bench = Bench(tap, folder)
            (bench.build / "durations").mkdir()
            part(bench)
    tap.done()


if __name__ == "__main__":
    main()
