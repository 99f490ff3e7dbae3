# SPDX-License-Identifier: Apache-2.0
"""Takes the log of a kernel that is not ours apart: what the payload printed, and the kernel's own text.

Such a kernel prints lines of its own at any moment, also between two bytes of a payload's line (K-66):

    vmo: sha[DEBUG sched] enqueue: pid=17 qos=Normal
    256 ok

A kernel's text begins in a shape that is known (SHAPES) and goes on to its newline. Taking it out, newline and all,
puts the payload's line together as it was printed, at whatever byte it was cut. Text in no known shape is found by what
the caller expects (`heal`). A line is put together only if every way to do it gives the same line; what can be read in
two ways is a doubt, and the caller's to report.
"""
import dataclasses
import re

COLOUR = r"\x1b\[[0-9;?]*[A-Za-z]"
SHAPES = (
    r"\[(?:ERROR|WARN|INFO|DEBUG|TRACE) [A-Za-z0-9_:.-]+\] ",  # log.rs, diag/log.rs; raw in sched/mod.rs
    r"\[USER-PF\] ",  # a task's page fault, byte by byte: trap.rs, core/trap/fault.rs
    r"EXC: scause=",  # an exception: trap.rs, core/trap/fault.rs
    r"PANIC(?::| ra=| )",  # panic.rs, core/panic.rs
    r"SCHED: (?:new |timeslice=)",  # the scheduler's start: sched/mod.rs
    r"YIELD-I: ",  # with debug_uart: syscall/api.rs
    r"VMO-WRITE slot=",  # with debug_uart: syscall/api.rs
    r"IPC-SEND ",  # with debug_uart: syscall/api/ipc
    r"AS: (?:activating|pc check|sp check|ensure_rx_guard|post-satp)",  # a1's first switches: mm/satp.rs
    r"CAP: (?:new |with_capacity )",  # a1, at each exec: cap/mod.rs
    r"CAP-E: ",  # a slot out of range: cap/mod.rs
    r"KINIT: ",  # a2's slow calls: core/trap
    r"KSELFTEST: ",  # the kernel's own tests: selftest/mod.rs; mostly behind [INFO selftest]
)
SHAPE = re.compile(f"(?:{COLOUR})*(?:{'|'.join(SHAPES)})")
LEVEL = re.compile(SHAPES[0])
LEADING_COLOUR = re.compile(f"(?:{COLOUR})+")  # what ends a coloured kernel line may stand behind its newline
REACH_LINES = 8  # how many lines of unknown shape may stand in the middle of a line that is known by heart


@dataclasses.dataclass
class Reading:
    """A log taken apart."""

    lines: list  # all that is not known to be the kernel's, in order, put together where it was cut
    tail: str  # what follows the last newline
    kernel: list  # the kernel's own texts, in order, without their newlines
    doubts: list  # what could be read in two ways, in words
    joined: int  # how many of the lines had been cut


class Stream:
    """Takes out the text of known shapes, line by line, as the log grows."""

    def __init__(self):
        self.lines, self.kernel, self.doubts = [], [], []
        self.joins = []  # (index of a line, its part before the first cut)
        self.cut = None  # a line that a kernel's text cut, up to there
        self.first_cut = 0
        self.torn = False  # that text was itself cut: whose the next line is, is not known

    def line(self, text):
        """One line of the log, without its newline."""
        text = text[:-1] if text.endswith("\r") else text
        if self.torn:
            self.give_up()
        shape = SHAPE.search(text)
        colour = LEADING_COLOUR.match(text)
        if colour and not (shape and shape.start() == 0):
            text = text[colour.end():]
            shape = SHAPE.search(text)
        if shape:
            self.kernel_text(text, shape)
        else:
            self.plain(text)

    def kernel_text(self, text, shape):
        before = text[:shape.start()]
        if self.cut is None and before:
            self.cut, self.first_cut = "", len(before)
        if self.cut is not None:
            self.cut += before
        self.kernel.append(text[shape.start():])
        self.torn = LEVEL.search(text, shape.end()) is not None

    def plain(self, text):
        if self.cut is not None:
            text = (self.cut + text).rstrip("\r")
            self.joins.append((len(self.lines), text[:self.first_cut]))
            self.cut = None
        self.lines.append(text)

    def give_up(self):
        """Nothing is put together with what may be the rest of a kernel's text."""
        self.torn = False
        if self.cut is not None:
            self.doubts.append(f"'{self.cut[-60:]}' was cut by a kernel's text that was itself cut")
            self.lines.append(self.cut)
            self.cut = None

    def rest(self):
        """What an unfinished line holds."""
        return self.cut or ""


class Expected:
    """The lines that a caller expects: some known by heart, of others the pattern."""

    def __init__(self, exact, patterns):
        self.exact = frozenset(exact)
        self.patterns = [re.compile(pattern) for pattern in patterns]

    def has(self, line):
        return line in self.exact or any(pattern.fullmatch(line) for pattern in self.patterns)


def join_doubts(stream, expected):
    """A line that was whole where it was cut, and is another with what follows: an empty line then shows that what
    follows may have been the kernel's."""
    doubts = []
    for index, first in stream.joins:
        line = stream.lines[index]
        followed = stream.lines[index + 1:index + 2] == [""]
        if followed and first != line and expected.has(first) and expected.has(line):
            doubts.append(f"'{line[-60:]}' may be '{first[-60:]}' and a text of the kernel's")
    return doubts


def ways(lines, start, expected):
    """Lines that lines[start] without its end, and a later line, make together. -> {line: index of the later one}

    Every length of the first piece is tried. Only a line that is known by heart is looked for beyond the next one: of
    any other the lines between could hold a piece.
    """
    found = {}
    first = lines[start]
    for index in range(start + 1, min(start + 2 + REACH_LINES, len(lines))):
        later = lines[index]
        if expected.has(later):
            break
        for size in range(1, len(first)) if later else ():
            line = first[:size] + later
            if line in expected.exact or index == start + 1 and expected.has(line):
                found.setdefault(line, index)
    return found


def heal(lines, expected):
    """Puts lines together that text of no known shape has cut. -> (lines, kernel texts, doubts, how many were cut)"""
    out, kernel, doubts, joined = [], [], [], 0
    index = 0
    while index < len(lines):
        line = lines[index]
        found = {} if not line or expected.has(line) else ways(lines, index, expected)
        if len(found) > 1:
            doubts.append(f"'{line[:60]}' can be read in {len(found)} ways, as '{min(found)[:60]}' for one")
        if len(found) != 1:
            out.append(line)
            index += 1
            continue
        whole, last = next(iter(found.items()))
        kernel += [line[len(whole) - len(lines[last]):], *lines[index + 1:last]]
        out.append(whole)
        joined += 1
        index = last + 1
    return out, kernel, doubts, joined


def read(log, exact=(), patterns=()):
    """A log's bytes, and what the caller expects in it: lines by heart, and patterns of whole lines. -> Reading

    Patterns are to be as narrow as the caller can make them: where any text fits, a cut cannot be told, and is a doubt.
    """
    expected = Expected(exact, patterns)
    stream = Stream()
    parts = log.decode("latin-1").split("\n")
    for part in parts[:-1]:
        stream.line(part)
    lines, kernel, doubts, joined = heal(stream.lines, expected)
    return Reading(lines, stream.rest() + parts[-1], stream.kernel + kernel,
                   stream.doubts + join_doubts(stream, expected) + doubts, len(stream.joins) + joined)
