# SPDX-License-Identifier: Apache-2.0
"""Separates a payload's lines from the text of a foreign kernel.

Such a kernel prints lines at any moment, even between two bytes of a payload's line (K-66):

vmo: sha[DEBUG sched] enqueue: pid=17 qos=Normal 256 ok

Most kernel text begins with a known shape (SHAPES) and ends with a newline. Removing it and its
newline restores the payload's line. The expected lines reveal text of unknown shape (`heal`). A
line is joined only if all ways to join it give the same line. Otherwise it is a doubt, which the
caller reports.
"""
import dataclasses
import functools
import itertools
import re

from judge import facts

COLOUR = r"\x1b\[[0-9;?]{0,16}[A-Za-z]"
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
SHAPE = re.compile("|".join(SHAPES))
COLOURS_BEFORE, COLOURS_MAX = re.compile(f"(?:{COLOUR}){{0,4}}$"), 4 * 19
LEVEL = re.compile(SHAPES[0])
LEADING_COLOUR = re.compile(COLOUR)  # a kernel may reset its colour after its newline
LITERAL = re.compile(r"(?:(?:[^\\.^$*+?{}\[\]()]|\\\W)(?![*?{]))*")  # the beginning of a pattern
PATTERN_LINE_MAX = 512  # a longer line that fits a pattern is not joined
REACH_LINES = 8  # lines of unknown shape that may cut an exact line


# A separated log. lines: all but the kernel's texts, joined where they were cut. tail: after the
# last newline. kernel: the kernel's texts, in order, without newlines. doubts: the ambiguous lines,
# in words. joined: the number of lines that had been cut.
Reading = dataclasses.make_dataclass("Reading", ("lines", "tail", "kernel", "doubts", "joined"))


def find_shape(text):
    """Where the kernel's text begins, up to four colours included, and where its shape ends."""
    found = SHAPE.search(text)
    if not found:
        return None
    near = max(0, found.start() - COLOURS_MAX)
    return near + COLOURS_BEFORE.search(text[near : found.start()]).start(), found.end()


class Stream:
    """Removes the text of known shapes, line by line, as the log grows."""

    def __init__(self):
        self.lines, self.kernel, self.doubts = [], [], []
        self.joins = []  # (index of a line, its part before the first cut)
        self.cut = None  # the parts of a line before the kernel's texts that cut it
        self.torn = False  # that text was itself cut, so the next line may belong to either
        self.plain_texts = set()  # lines without any text of a known shape: each is searched once

    def feed(self, log):
        """Takes whole lines. -> the text after the last newline"""
        whole, tail = facts.split_log(log)
        for text in dict.fromkeys(whole).keys() - self.plain_texts:
            if not SHAPE.search(text) and not LEADING_COLOUR.match(text):
                self.plain_texts.add(text)
        for is_plain, run in itertools.groupby(whole, self.plain_texts.__contains__):
            for text in run:
                if is_plain and not self.torn and self.cut is None:
                    self.lines += [text, *run]
                else:
                    self.line(text)
        return tail

    def line(self, text):
        """One line of the log, without its newline."""
        if self.torn:
            self.give_up()
        shape, begin = find_shape(text), 0
        while not (shape and shape[0] == 0) and (colour := LEADING_COLOUR.match(text, begin)):
            begin = colour.end()
        if begin > 0:
            text = text[begin:]
            shape = find_shape(text)
        if shape:
            self.kernel_text(text, *shape)
        else:
            self.plain(text)

    def kernel_text(self, text, start, end):
        if self.cut is not None:
            self.cut.append(text[:start])
        elif start > 0:
            self.cut = [text[:start]]
        self.kernel.append(text[start:])
        self.torn = LEVEL.search(text, end) is not None

    def plain(self, text):
        if self.cut is not None:
            begun = "".join(self.cut)  # the cut may be between CR and LF
            text = begun + text if text else begun.removesuffix("\r")
            self.joins.append((len(self.lines), text[: len(self.cut[0])]))
            self.cut = None
        self.lines.append(text)

    def give_up(self):
        """Does not join a line that may be the rest of a kernel's text."""
        self.torn = False
        if self.cut is not None:
            before = "".join(self.cut)
            self.doubts.append(f"'{before[-60:]}' was cut by a kernel's text that was itself cut")
            self.lines.append(before)
            self.cut = None


def sizes_in(starts, line):
    """Sizes of a line's proper prefixes that are in a set, with all shorter ones."""
    return list(itertools.takewhile(lambda size: line[:size] in starts, range(1, len(line))))


class Expected:
    """The lines that a caller expects, exact or by pattern. A pattern begins with plain text; it
    has no alternative outside of brackets."""

    def __init__(self, exact=(), patterns=()):
        self.exact = frozenset(exact)
        self.starts = {line[:size] for line in exact for size in range(1, len(line))}
        self.ends = {line[size:] for line in exact for size in range(1, len(line))}
        self.patterns = [re.compile(pattern) for pattern in patterns]
        self.heads = tuple(re.sub(r"\\(.)", r"\1", LITERAL.match(text)[0]) for text in patterns)
        self.head_starts = {head[:size] for head in self.heads for size in range(1, len(head) + 1)}

    def fits(self, line):
        may_fit = line.startswith(self.heads)
        return may_fit and any(pattern.fullmatch(line) for pattern in self.patterns)

    def has(self, line):
        return line in self.exact or self.fits(line)

    @functools.lru_cache(maxsize=256)
    def sizes(self, line):
        """Sizes of a line's prefixes that may begin an exact line, and one with a pattern."""
        if line.startswith(self.heads):
            with_pattern = range(1, min(PATTERN_LINE_MAX + 1, len(line)))
        else:
            with_pattern = sizes_in(self.head_starts, line)
        return sizes_in(self.starts, line), with_pattern


def join_doubts(stream, expected):
    """Finds lines that are expected both before and after the join, and precede an empty line: the
    joined part may be the kernel's."""
    doubts = []
    for index, first in stream.joins:
        line, after = stream.lines[index], stream.lines[index + 1 : index + 2]
        if after == [""] and first != line and expected.has(first) and expected.has(line):
            doubts.append(f"'{line[-60:]}' may be '{first[-60:]}' and a text of the kernel's")
    return doubts


def ways(first, later_lines, expected, is_known):
    """Joins prefixes of the first line with later ones. -> {expected line: the later one's number}

    Only exact lines may have lines between: of any other, these could contain a part. A line that
    begins as one of the payload is no kernel text.
    """
    found, (sizes, next_sizes) = {}, expected.sizes(first)
    for number, later in enumerate(later_lines, 1):
        if is_known[later] or later.startswith(facts.OWN):
            break
        if later in expected.ends:
            own = (size for size in sizes if not first.startswith(facts.OWN, size))
            made = (first[:size] + later for size in own)
            for line in filter(expected.exact.__contains__, made):
                found.setdefault(line, number)
        if number == 1 and 0 < len(later) <= PATTERN_LINE_MAX:
            made = (first[:size] + later for size in next_sizes)
            for line in filter(expected.fits, made):
                found.setdefault(line, number)
    return found


def heal(lines, expected):
    """Joins lines that text of unknown shape cut. -> (lines, kernel texts, doubts, joins)"""
    out, kernel, doubts, joined, index = [], [], [], 0, 0
    is_known = {line: expected.has(line) for line in dict.fromkeys(lines)}
    begins = {line for line, known in is_known.items() if not known and any(expected.sizes(line))}
    ends = (at for at, line in enumerate(lines) if line in expected.ends)
    end = -1  # the next of them

    @functools.lru_cache(maxsize=1024)  # a task may print the same lines a million times
    def ways_of(first, *later_lines):
        return ways(first, later_lines, expected, is_known)

    for start in (at for at, line in enumerate(lines) if line in begins):
        if start < index:
            continue  # it is part of a line already
        out += lines[index:start]
        while end <= start:
            end = next(ends, len(lines) + REACH_LINES + 2)
        reach = REACH_LINES if end <= start + 1 + REACH_LINES else 0
        line, last = lines[start], start
        found = ways_of(*lines[start : start + 2 + reach])
        if len(found) == 1:
            ((whole, number),) = found.items()
            last = start + number
            kernel += [line[len(whole) - len(lines[last]) :], *lines[start + 1 : last]]
            joined += 1
            line = whole
        elif found:
            example = f"as '{min(found)[:60]}' for one"
            doubts.append(f"'{line[:60]}' can be read in {len(found)} ways, {example}")
        out.append(line)
        index = last + 1
    return out + lines[index:], kernel, doubts, joined


def read(log, expected):
    """Separates a log. The caller should make patterns as narrow as possible: if any text fits, a
    cut is ambiguous, and so a doubt."""
    stream = Stream()
    tail = stream.feed(log)
    lines, kernel, doubts, joined = heal(stream.lines, expected)
    doubts = stream.doubts + join_doubts(stream, expected) + doubts
    tail = "".join(stream.cut or []) + tail
    return Reading(lines, tail, stream.kernel + kernel, doubts, len(stream.joins) + joined)


# ---- The proof's log ---------------------------------------------------------------------------
def expected_of(manifest, host):
    """The lines of a good run: exact markers, and the evidence line as far as the host knows it."""
    secrets = host.secrets()
    known = [secrets[name].hex() for name in ("challenge", "digest")]
    others = (re.escape(facts.FAIL_PREFIX) + " .+", re.escape(facts.NOTE_PREFIX) + ".+")
    form = facts.FORMS[host.proof]
    evidence = facts.evidence_pattern(form.seals, "a[12]", len(host.blob), *known)
    return Expected([*manifest["markers"], manifest["last_marker"]], (evidence, *others))


def read_boot(boot, manifest, host):
    """Adds the reading of the log, and the ABI revision if nobody asked for one."""
    boot.reading = read(boot.log, expected_of(manifest, host))
    evidence = facts.read_evidence(boot.reading.lines, facts.FORMS[host.proof])[0]
    maps = boot.watch.model.audit["map"] if boot.watch else []
    if boot.abi_rev == facts.ANY_ABI and maps:
        boot.abi_rev = "a1" if any(record["via"] == "map" for record in maps) else "a2"
    elif boot.abi_rev == facts.ANY_ABI and evidence:
        boot.abi_rev = evidence["abi"]
