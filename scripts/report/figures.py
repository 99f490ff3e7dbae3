# SPDX-License-Identifier: Apache-2.0
"""Reads what benchmarks have recorded (tests/figure_rows.py), and the cost suite's records."""
import collections
import dataclasses
import math

from paths import shown

HEADS = ("command", "made", "machine", "title")
UNKNOWN = "-"  # a figure that nobody measured

Row = collections.namedtuple("Row", "group row way unit low median high")
Cost = collections.namedtuple(
    "Cost", "path what ours real bound"
)  # each: {revision: figure or None}


class RecordError(Exception):
    """A recorded file has another form; the text names the file."""


@dataclasses.dataclass
class Record:
    """One recorded file."""

    name: str
    heads: dict
    rows: list

    def groups(self):
        """-> {group: its rows}, in the order of the file"""
        found = {}
        for row in self.rows:
            found.setdefault(row.group, []).append(row)
        return found


def number(text):
    value = float(text)
    if not 0 <= value < math.inf:
        raise ValueError(text)
    return value


def read_record(path):
    """-> Record"""
    heads, rows = {}, []
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("# "):
                key, _, value = line[2:].partition(": ")
                heads[key] = value
                continue
            group, row, way, unit, *figures = line.split("\t")
            low, median, high = map(number, figures)
            rows.append(Row(group, row, way, unit, low, median, high))
    except ValueError as error:
        raise RecordError(f"{shown(path)}: {error}; make it anew") from error
    if set(heads) != set(HEADS) or not rows:
        raise RecordError(f"{shown(path)}: it lacks its head or its rows; make it anew")
    return Record(path.stem, heads, rows)


def rows_of(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def figure(text):
    return None if text == UNKNOWN else int(text)


def read_costs(folder):
    """The cost suite's folder -> [Cost], in the order of cost-paths.tsv"""
    ours = {rev: dict(rows_of(folder / f"cost-{rev}.tsv")) for rev in ("a1", "a2")}
    found = []
    for path, bound1, bound2, real1, real2, what in rows_of(folder / "cost-paths.tsv"):
        mine = {rev: figure(ours[rev].get(path, UNKNOWN)) for rev in ours}
        real = {"a1": figure(real1), "a2": figure(real2)}
        found.append(Cost(path, what, mine, real, {"a1": figure(bound1), "a2": figure(bound2)}))
    return found
