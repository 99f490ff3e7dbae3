# SPDX-License-Identifier: Apache-2.0
"""What the probe printed, against what the contract says (docs/testing/probe.md)."""
import dataclasses
import re

from judge import noise

ID = r"K-[0-9]+\.[A-Za-z0-9.-]+"
FIELD = r"[a-z0-9_, -]+"
ANSWER = r"-?[0-9]+|[a-z0-9 -]+"
ROW = re.compile(f"({ID})\t({FIELD})\t({FIELD})\t({ANSWER})")
GOLDEN_ROW = re.compile(rf"({ID})\t({FIELD})\t({FIELD})\t({ANSWER}|\?)")
DONE = re.compile(r"probe: done ([0-9]+) cases")
DONE_PREFIX = "probe: "
ROW_PREFIX = re.compile(r"K-[0-9]+\.")
UNDECIDED = "?"
AGE_CASE = "K-04.age"


class GoldenError(Exception):
    """A golden file is not in form: a defect of this tree."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One line, of a golden file or of a log."""
    name: str
    call: str
    what: str
    answer: str

    @property
    def statement(self):
        return self.name.split(".", 1)[0]

    @property
    def decided(self):
        return self.answer != UNDECIDED

    def line(self):
        return "\t".join((self.name, self.call, self.what, self.answer))


@dataclasses.dataclass
class Comparison:
    """What came of it. Problems are in words; undecided are the rows that the contract says nothing about."""
    problems: list
    undecided: list
    agreed: int


def load_golden(path):
    """-> the cases of a file, in order."""
    cases, names = [], set()
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        if line.startswith("#"):
            continue
        match = GOLDEN_ROW.fullmatch(line)
        if not match:
            raise GoldenError(f"{path.name} line {number} is no case: '{line[:80]}'")
        case = Case(*match.groups())
        if case.name in names:
            raise GoldenError(f"{path.name} line {number}: {case.name} stands there twice")
        names.add(case.name)
        cases.append(case)
    if not cases:
        raise GoldenError(f"{path.name} has no case")
    return cases


def expected_lines(goldens):
    """What a reader of noisy logs may expect: (lines by heart, patterns of the others)."""
    exact, patterns = set(), {DONE.pattern}
    for golden in goldens:
        exact |= {case.line() for case in golden if case.decided}
        patterns |= {re.escape("\t".join((case.name, case.call, case.what)) + "\t") + f"(?:{ANSWER})"
                     for case in golden if not case.decided}
        exact.add(f"probe: done {len(golden)} cases")
    return exact, sorted(patterns)


def read_log(log, goldens):
    """A log's bytes, possibly of a noisy kernel. -> (lines, doubts)"""
    exact, patterns = expected_lines(goldens)
    reading = noise.read(log, exact, patterns)
    return reading.lines, reading.doubts


def plain_lines(log):
    """A log's bytes, of a kernel whose own lines stand apart."""
    return [line.rstrip("\r") for line in log.decode("latin-1").split("\n")]


def told_age(lines):
    """Which age the probe found; None when it did not say."""
    found = [match.group(4) for match in map(ROW.fullmatch, lines) if match and match.group(1) == AGE_CASE]
    return found[0] if len(found) == 1 else None


def is_done(lines):
    return any(DONE.fullmatch(line) for line in lines)


def rows_in(lines, problems):
    """The probe's rows, up to and with its last line; whatever looks like a row and is none is a problem."""
    rows, done = [], None
    for line in lines:
        match, last = ROW.fullmatch(line), DONE.fullmatch(line)
        if match and done is not None:
            problems.append(f"case {match.group(1)} after the probe was done")
        elif match:
            rows.append(Case(*match.groups()))
        elif last and done is not None:
            problems.append("the probe was done twice")
        elif last:
            done = int(last.group(1))
        elif ROW_PREFIX.match(line) or line.startswith(DONE_PREFIX):
            problems.append(f"not in form: '{line[:100]}'")
    return rows, done


def check_set(golden, rows, problems):
    """Each case of the golden once, in its order, and no other."""
    order = {case.name: index for index, case in enumerate(golden)}
    seen, latest = set(), -1
    for row in rows:
        if row.name not in order:
            problems.append(f"case {row.name} ({row.statement}): unknown, {row.call}, {row.what}: {row.answer}")
        elif row.name in seen:
            problems.append(f"case {row.name} ({row.statement}): printed again")
        elif order[row.name] < latest:
            problems.append(f"case {row.name} ({row.statement}): out of order")
        latest = max(latest, order.get(row.name, -1))
        seen.add(row.name)
    for case in golden:
        if case.name not in seen:
            problems.append(f"case {case.name} ({case.statement}): {case.call}, {case.what}: missing")


def compare(golden, lines):
    """The golden's cases against the lines of a log."""
    problems, undecided, agreed = [], [], 0
    rows, done = rows_in(lines, problems)
    if not rows:
        return Comparison(problems + ["the probe printed no case: it is not this kernel's init, or never began"], [], 0)
    if done is None:
        problems.append("the line 'probe: done N cases' is missing")
    elif done != len(rows):
        problems.append(f"the probe counted {done} cases, the log has {len(rows)}")
    by_name = {case.name: case for case in golden}
    for row in rows:
        case = by_name.get(row.name)
        if case is None:
            continue
        where = f"case {case.name} ({case.statement}): {case.call}, {case.what}:"
        if (row.call, row.what) != (case.call, case.what):
            problems.append(f"{where} printed as {row.call}, {row.what}")
        elif not case.decided:
            undecided.append(row)
        elif row.answer != case.answer:
            problems.append(f"{where} expected {case.answer}, got {row.answer}")
        else:
            agreed += 1
    check_set(golden, rows, problems)
    return Comparison(problems, undecided, agreed)
