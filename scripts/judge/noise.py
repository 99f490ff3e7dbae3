# SPDX-License-Identifier: Apache-2.0
"""Separates a payload's lines from the text of a kernel that is not ours.

Such a kernel prints lines of its own at any moment, also between two bytes of a payload's line
(K-66):

vmo: sha[DEBUG sched] enqueue: pid=17 qos=Normal 256 ok

Most of a kernel's text begins in a known shape (SHAPES) and ends with a newline. Removing it,
newline included, restores the payload's line. Text of no known shape is found by what the caller
expects (`heal`). A line is put together only if every way to do it gives the same line. What can be
read in two ways is a doubt, which the caller reports.
"""
import dataclasses
import re

from judge import check_run
from judge import facts

COLOUR = r"\x1b\[[0-9;?]*[A-Za-z]"
SHAPES = (
    r"\[(?:ERROR|WARN|INFO|DEBUG|TRACE) [A-Za-z0-9_:.-]+\] ",  # log.rs, diag/log.rs; sched/mod.rs
    r"\[USER-PF\] ",  # a task's page fault, byte by byte: trap.rs, core/trap/fault.rs
    r"EXC: scause=",  # an exception: trap.rs, core/trap/fault.rs
    r"PANIC(?::| ra=| )",  # panic.rs, core/panic.rs
    r"SCHED: (?:new |timeslice=)",  # the scheduler's start: sched/mod.rs
    r"YIELD-I: ",  # with debug_uart: syscall/api.rs
    r"VMO-WRITE slot=",  # with debug_uart: syscall/api.rs
    r"IPC-SEND ",  # with debug_uart: syscall/api/ipc
    r"AS: (?:activating|pc check|sp check|ensure_rx_guard|post-satp)",  # a1: mm/satp.rs
    r"CAP: (?:new |with_capacity )",  # a1, at each exec: cap/mod.rs
    r"CAP-E: ",  # a slot out of range: cap/mod.rs
    r"KINIT: ",  # a2's slow calls: core/trap
    r"KSELFTEST: ",  # the kernel's own tests: selftest/mod.rs; mostly behind [INFO selftest]
)
SHAPE = re.compile(f"(?:{COLOUR})*(?:{'|'.join(SHAPES)})")
LEVEL = re.compile(SHAPES[0])
LEADING_COLOUR = re.compile(f"(?:{COLOUR})+")  # a kernel may reset its colour behind its newline
REACH_LINES = 8  # how many lines of unknown shape may stand inside a line that is known by heart


@dataclasses.dataclass
class Reading:
    """A log taken apart."""

    lines: list  # all that is not known to be the kernel's, put together where it was cut
    tail: str  # what follows the last newline
    kernel: list  # the kernel's own texts, in order, without their newlines
    doubts: list  # what could be read in two ways, in words
    joined: int  # how many of the lines had been cut


class Stream:
    """Removes the text of known shapes, line by line, as the log grows."""

    def __init__(self):
        self.lines, self.kernel, self.doubts = [], [], []
        self.joins = []  # (index of a line, its part before the first cut)
        self.cut = None  # the part of a line before the kernel's text that cut it
        self.first_cut = 0
        self.torn = False  # that text was itself cut, so the next line may belong to either

    def feed(self, log):
        """Takes whole lines. -> what follows the last newline"""
        *whole, tail = log.decode("latin-1").split("\n")
        for text in whole:
            self.line(text)
        return tail

    def line(self, text):
        """One line of the log, without its newline."""
        text = text[:-1] if text.endswith("\r") else text
        if self.torn:
            self.give_up()
        shape, colour = SHAPE.search(text), LEADING_COLOUR.match(text)
        if colour and not (shape and shape.start() == 0):
            text = text[colour.end() :]
            shape = SHAPE.search(text)
        if shape:
            self.kernel_text(text, shape)
        else:
            self.plain(text)

    def kernel_text(self, text, shape):
        before = text[: shape.start()]
        if self.cut is None and before:
            self.cut, self.first_cut = "", len(before)
        if self.cut is not None:
            self.cut += before
        self.kernel.append(text[shape.start() :])
        self.torn = LEVEL.search(text, shape.end()) is not None

    def plain(self, text):
        if self.cut is not None:
            text = (self.cut + text).rstrip("\r")
            self.joins.append((len(self.lines), text[: self.first_cut]))
            self.cut = None
        self.lines.append(text)

    def give_up(self):
        """Joins nothing with a line that may be the rest of a kernel's text."""
        self.torn = False
        if self.cut is not None:
            self.doubts.append(f"'{self.cut[-60:]}' was cut by a kernel's text that was itself cut")
            self.lines.append(self.cut)
            self.cut = None


class Expected:
    """The lines that a caller expects: some known by heart, of others the pattern."""

    def __init__(self, exact=(), patterns=()):
        self.exact = frozenset(exact)
        self.patterns = [re.compile(pattern) for pattern in patterns]

    def has(self, line):
        return line in self.exact or any(pattern.fullmatch(line) for pattern in self.patterns)


def join_doubts(stream, expected):
    """Finds lines that are expected both as cut and as joined, with an empty line behind them: what
    was joined may have been the kernel's."""
    doubts = []
    for index, first in stream.joins:
        line, after = stream.lines[index], stream.lines[index + 1 : index + 2]
        if after == [""] and first != line and expected.has(first) and expected.has(line):
            doubts.append(f"'{line[-60:]}' may be '{first[-60:]}' and a text of the kernel's")
    return doubts


def ways(lines, start, expected):
    """Lines that a beginning of lines[start] makes with a later line. -> {line: index of the later
    one}

    Only a line that is known by heart is looked for beyond the next line: of any other, the lines
    between could hold a piece.
    """
    found, first = {}, lines[start]
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
    """Joins lines that unknown text has cut. -> (lines, kernel texts, doubts, number of joins)"""
    out, kernel, doubts, joined = [], [], [], 0
    index = 0
    while index < len(lines):
        line = lines[index]
        found = {} if not line or expected.has(line) else ways(lines, index, expected)
        if len(found) == 1:
            ((whole, last),) = found.items()
            kernel += [line[len(whole) - len(lines[last]) :], *lines[index + 1 : last]]
            joined += 1
            index = last
            line = whole
        elif found:
            example = f"as '{min(found)[:60]}' for one"
            doubts.append(f"'{line[:60]}' can be read in {len(found)} ways, {example}")
        out.append(line)
        index += 1
    return out, kernel, doubts, joined


def read(log, expected):
    """Takes a log's bytes apart. Patterns are to be as narrow as the caller can make them: where
    any text fits, a cut cannot be told, and is a doubt."""
    stream = Stream()
    tail = stream.feed(log)
    lines, kernel, doubts, joined = heal(stream.lines, expected)
    doubts = stream.doubts + join_doubts(stream, expected) + doubts
    tail = (stream.cut or "") + tail
    return Reading(lines, tail, stream.kernel + kernel, doubts, len(stream.joins) + joined)


# ---- The proof's log ---------------------------------------------------------------------------
def expected_of(manifest, host):
    """The lines of a good run: markers by heart, the evidence as far as the host knows it."""
    secrets = host.secrets()
    known = [secrets[name].hex() for name in ("challenge", "digest")]
    others = (re.escape(facts.FAIL_PREFIX) + " .+", re.escape(facts.NOTE_PREFIX) + ".+")
    evidence = facts.evidence_pattern("a[12]", len(host.blob), *known)
    return Expected([*manifest["markers"], manifest["last_marker"]], (evidence, *others))


def read_boot(boot, manifest, host):
    """Adds what only the log says: its reading, and the ABI revision where nobody asked for one."""
    boot.reading = read(boot.log, expected_of(manifest, host))
    evidence = facts.read_evidence(boot.reading.lines)[0]
    if boot.abi_rev == facts.ANY_ABI and evidence:
        boot.abi_rev = evidence["abi"]
    return boot


class Watch:
    """Asked with the log while a run lasts: was the last marker printed, or a fatal text?"""

    def __init__(self, manifest):
        self.last_marker, self.allowed = manifest["last_marker"], manifest["kernel_lines"]
        self.stream, self.expected = Stream(), Expected([self.last_marker])
        self.seen_bytes = self.seen_texts = 0

    def is_fatal(self, text):
        return facts.FAIL_PREFIX in text or check_run.is_foreign_bad(text, self.allowed)

    def __call__(self, log):
        end = log.rfind(b"\n") + 1
        if end <= self.seen_bytes:
            return False
        known = max(0, len(self.stream.lines) - REACH_LINES - 1)
        self.stream.feed(log[self.seen_bytes : end])
        self.seen_bytes = end
        lines, kernel = heal(self.stream.lines[known:], self.expected)[:2]
        texts = lines + kernel + self.stream.kernel[self.seen_texts :]
        self.seen_texts = len(self.stream.kernel)
        return self.last_marker in lines or any(self.is_fatal(text) for text in texts)
