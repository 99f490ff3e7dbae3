#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vmo(1) on a real terminal: progress, its end, and Ctrl-C. Prints TAP."""
import os
import re
import signal

from tool_case import VMO, digest_of, run_suite, terminal, until

DATA = os.urandom(1 << 20)
BLANK = re.compile(r"\r *\r$")


def terminal_of(case, *words, **more):
    """vmo on a terminal, in the suite's folder."""
    return terminal.Terminal([VMO, *words], cwd=case.room, **more)


def progress(case):
    case.write("file", DATA)
    receiver = terminal_of(case, "recv", "s", "-o", "out", "--progress=always", "--timeout=60")
    until(case.path("s").exists)
    sender = terminal_of(case, "send", "s", "file", "--progress=always")
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
    short = terminal_of(case, "sum", "file").end()
    case.check(short[:2] == (0, f"{digest_of(DATA)}  file\r\n"), "a short step shows no progress", short)
    never = terminal_of(case, "sum", "--progress=never", "file").end()
    case.check(never[1] == short[1], "--progress=never shows none", never)
    failed = terminal_of(case, "run", "--progress=always", "--max=1000000", "/dev/zero", "--", "true").end()
    case.check(failed[0] == 1 and re.search(r"\r *\rvmo: /dev/zero: needs more [^\r\n]*\r\n$", failed[1]),
               "a message begins on a clear line", repr(failed[1][-200:]))


def long_work(case):
    """Without an option, a step that takes long shows progress. The FIFO's writer waits until it does."""
    os.mkfifo(case.path("fifo"))
    shown = terminal_of(case, "sum", "fifo")
    with open(case.path("fifo"), "wb") as writer:
        def feed():
            writer.write(b"x" * 4096)
            writer.flush()
            return "hashing: " in shown.read()
        case.check(until(feed), "a long step shows progress on a terminal")
    status, text, _ = shown.end()
    case.check(status == 0 and re.search(r"\r *\r[0-9a-f]{64}  fifo\r\n$", text), "and clears it", repr(text[-200:]))


def interrupts(case):
    receiver = terminal_of(case, "recv", "s")
    until(case.path("s").exists)
    receiver.type(b"\x03")
    status, text, same = receiver.end()
    case.check(status == -signal.SIGINT and text.strip() == "^C" and same and not case.path("s").exists(),
               "Ctrl-C ends a receiver that waits: its socket is gone, the terminal as before", (status, text, same))
    if not case.path("fifo").exists():
        os.mkfifo(case.path("fifo"))
    shown = terminal_of(case, "sum", "--progress=always", "fifo")
    with open(case.path("fifo"), "wb") as writer:
        writer.write(b"x" * 300000)
        writer.flush()
        case.check(shown.shows("hashing: "), "progress shows before Ctrl-C")
        shown.type(b"\x03")
        status, text, same = shown.end()
    case.check(status == -signal.SIGINT and BLANK.search(text) and same, "Ctrl-C clears the line of progress",
               repr(text[-200:]))
    shown = terminal_of(case, "recv", "s")
    until(case.path("s").exists)
    shown.type(b"\x1c")
    case.check(shown.end()[0] == -signal.SIGQUIT and not case.path("s").exists(), "so does Ctrl-\\ for the socket")


def typed(case):
    receiver = terminal_of(case, "recv", "s", "-o", "out")
    until(case.path("s").exists)
    sender = terminal_of(case, "send", "s", "-")
    sender.type(b"typed\n\x04")
    status, text, _ = sender.end()
    case.check(status == 0 and text.endswith(f"{digest_of(b'typed' + bytes([10]))}  -\r\n"), "send reads a terminal", text)
    case.check(receiver.end()[0] == 0 and case.path("out").read_bytes() == b"typed\n", "and recv has what was typed")
    with open(os.devnull, "wb") as null:
        quiet = terminal_of(case, "sum", "--progress=always", "file", output=null).end()
    case.check(quiet[0] == 0 and "hashing: " in quiet[1], "progress goes to standard error alone", quiet)


if __name__ == "__main__":
    run_suite(progress, long_work, interrupts, typed)
