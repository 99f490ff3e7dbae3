#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vmo(1) on a real terminal: progress, its end, and Ctrl-C. Prints TAP."""
import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

from tool_case import LIMIT_SECONDS, VMO, digest_of, run_suite, until

DATA = os.urandom(1 << 20)
BLANK = re.compile(r"\r *\r$")


class Terminal:
    """A program whose standard streams and controlling terminal are a pty."""

    def __init__(self, case, *words, output=None):
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.text = ""
        self.process = subprocess.Popen([VMO, *words], cwd=case.room, stdin=slave, stdout=output or slave, stderr=slave,
                                        start_new_session=True, close_fds=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.slave = slave

    def type(self, text):
        os.write(self.master, text)

    def read(self):
        """Takes what the program has written, without waiting long."""
        while select.select([self.master], [], [], 0.02)[0]:
            self.text += os.read(self.master, 65536).decode()
        return self.text

    def shows(self, pattern):
        return until(lambda: re.search(pattern, self.read()))

    def end(self):
        """Reads until the end -> (exit status, all that was shown)."""
        end = time.monotonic() + LIMIT_SECONDS
        while self.process.poll() is None and time.monotonic() < end:
            self.read()
        status = self.process.wait(1)
        self.read()
        same = termios.tcgetattr(self.slave) == self.before
        os.close(self.slave)
        os.close(self.master)
        return status, self.text, same


def progress(case):
    case.write("file", DATA)
    receiver = Terminal(case, "recv", "s", "-o", "out", "--progress=always", "--timeout=60")
    until(case.path("s").exists)
    sender = Terminal(case, "send", "s", "file", "--progress=always")
    for name, (status, text, same), steps, digest in (
            ("send", sender.end(), ("reading", "hashing"), f"{digest_of(DATA)}  file\r\n"),
            ("recv", receiver.end(), ("hashing", "writing"), f"{digest_of(DATA)}  out\r\n")):
        case.check(status == 0 and all(f"\r{step}: 1 of 1 MiB, 100 %" in text for step in steps),
                   f"{name} shows each step to its end", text)
        head, _, tail = text.rpartition(digest)
        case.check(head and tail == "" and BLANK.search(head), f"{name} clears the line before the digest", repr(text[-200:]))
        case.check("\x1b" not in text and max(map(len, re.split(r"[\r\n]", text))) < 80,
                   f"{name} writes no escape sequence and no line of 80 columns", repr(text[-200:]))
        case.check(same, f"{name} leaves the terminal's settings")
    short = Terminal(case, "sum", "file").end()
    case.check(short[:2] == (0, f"{digest_of(DATA)}  file\r\n"), "a short step shows no progress", short)
    never = Terminal(case, "sum", "--progress=never", "file").end()
    case.check(never[1] == short[1], "--progress=never shows none", never)
    failed = Terminal(case, "run", "--progress=always", "--max=1000000", "/dev/zero", "--", "true").end()
    case.check(failed[0] == 1 and re.search(r"\r *\rvmo: /dev/zero: needs more [^\r\n]*\r\n$", failed[1]),
               "a message begins on a clear line", repr(failed[1][-200:]))


def long_work(case):
    """Without an option, a step that takes long shows progress. The FIFO's writer waits until it does."""
    os.mkfifo(case.path("fifo"))
    terminal = Terminal(case, "sum", "fifo")
    with open(case.path("fifo"), "wb") as writer:
        def feed():
            writer.write(b"x" * 4096)
            writer.flush()
            return "hashing: " in terminal.read()
        case.check(until(feed), "a long step shows progress on a terminal")
    status, text, _ = terminal.end()
    case.check(status == 0 and re.search(r"\r *\r[0-9a-f]{64}  fifo\r\n$", text), "and clears it", repr(text[-200:]))


def interrupts(case):
    receiver = Terminal(case, "recv", "s")
    until(case.path("s").exists)
    receiver.type(b"\x03")
    status, text, same = receiver.end()
    case.check(status == -signal.SIGINT and text.strip() == "^C" and same and not case.path("s").exists(),
               "Ctrl-C ends a receiver that waits: its socket is gone, the terminal as before", (status, text, same))
    if not case.path("fifo").exists():
        os.mkfifo(case.path("fifo"))
    terminal = Terminal(case, "sum", "--progress=always", "fifo")
    with open(case.path("fifo"), "wb") as writer:
        writer.write(b"x" * 300000)
        writer.flush()
        case.check(terminal.shows("hashing: "), "progress shows before Ctrl-C")
        terminal.type(b"\x03")
        status, text, same = terminal.end()
    case.check(status == -signal.SIGINT and BLANK.search(text) and same, "Ctrl-C clears the line of progress",
               repr(text[-200:]))
    terminal = Terminal(case, "recv", "s")
    until(case.path("s").exists)
    terminal.type(b"\x1c")
    case.check(terminal.end()[0] == -signal.SIGQUIT and not case.path("s").exists(), "so does Ctrl-\\ for the socket")


def typed(case):
    receiver = Terminal(case, "recv", "s", "-o", "out")
    until(case.path("s").exists)
    sender = Terminal(case, "send", "s", "-")
    sender.type(b"typed\n\x04")
    status, text, _ = sender.end()
    case.check(status == 0 and text.endswith(f"{digest_of(b'typed' + bytes([10]))}  -\r\n"), "send reads a terminal", text)
    case.check(receiver.end()[0] == 0 and case.path("out").read_bytes() == b"typed\n", "and recv has what was typed")
    with open(os.devnull, "wb") as null:
        quiet = Terminal(case, "sum", "--progress=always", "file", output=null).end()
    case.check(quiet[0] == 0 and "hashing: " in quiet[1], "progress goes to standard error alone", quiet)


if __name__ == "__main__":
    run_suite(progress, long_work, interrupts, typed)
