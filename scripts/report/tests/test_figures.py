#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of figures: it shows what was recorded, names what was not, and refuses what it cannot read."""
import contextlib
import io
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent)]

import samples  # noqa: E402  pylint: disable=wrong-import-position
import figure_rows  # noqa: E402  pylint: disable=wrong-import-position
from pages import Reader, faults_of  # noqa: E402  pylint: disable=wrong-import-position
from report import (
    charts,
    figures,
    figures_page,
)  # noqa: E402  pylint: disable=wrong-import-position
from paths import shown  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap, room  # noqa: E402  pylint: disable=wrong-import-position

HEAD = "# command: c\n# made: m\n# machine: x\n# title: t\n"
REFUSED = {
    "a figure that is no number": HEAD + "g\tr\tw\tns\t1\ttwo\t3\n",
    "a figure without end": HEAD + "g\tr\tw\tns\t1\tinf\t3\n",
    "a figure below zero": HEAD + "g\tr\tw\tns\t-1\t2\t3\n",
    "a row that is too short": HEAD + "g\tr\tw\tns\t1\t2\n",
    "a file without a head": "g\tr\tw\tns\t1\t2\t3\n",
    "a file without rows": HEAD,
}


def run(folder):
    """-> (exit code, both outputs)"""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = figures_page.main([str(folder)])
    return code, said.getvalue()


def check_recorded(tap, folder):
    """What a benchmark records is what the page shows."""
    rows = figure_rows.FigureRows("bench-host", "make bench-host", "Messages")
    rows.path = folder / "figures" / "bench-host.tsv"
    rows.add("fresh", "send", "by hand", "ns", [900, 100, 500, 300, 700])
    rows.add("fresh", "send", "libvmo", "ns", [7])
    rows.write()
    read = figures.read_record(rows.path)
    quartiles = [row[4:] for row in read.rows]
    tap.check(
        quartiles == [(300, 500, 700), (7, 7, 7)],
        "the quartiles of the runs are recorded",
        quartiles,
    )
    tap.check(
        [path.name for path in rows.path.parent.iterdir()] == ["bench-host.tsv"],
        "and nothing else is left",
    )
    for bad in ("a\tb", "a\nb"):
        try:
            rows.add(bad, "r", "w", "ns", [1])
            said = "accepted"
        except ValueError as error:
            said = str(error)
        tap.check("a tab or a newline" in said, f"{bad!r} is no word of a record", said)
    code, said = run(folder)
    page = (folder / "report.html").read_bytes()
    text = Reader(page).text()
    tap.check(
        code == 0 and f"report: {shown(folder)}/report.html" in said,
        "the program says where the page is",
        said,
    )
    for words in (
        "send, by hand 300 500 700",
        "make bench-host",
        figure_rows.machine(),
        "getpid, a1 real kernel",
    ):
        tap.check(words in text, f"the page has '{words}'", text[:3000])
    for name in ("make bench-bytes", "make bench-sha256", "test_growth.py"):
        tap.check(name in said and name in text, f"{name} is named as not recorded", said)
    tap.check(
        not faults_of(page),
        "the page is well-formed, self-contained and labelled",
        "\n".join(faults_of(page)),
    )


def check_refused(tap, folder):
    for name, content in REFUSED.items():
        path = folder / "figures" / "bench-host.tsv"
        path.write_text(content, encoding="utf-8")
        code, said = run(folder)
        tap.check(
            code == 2 and shown(path) in said and said.count("\n") == 1,
            f"refused in a line: {name}",
            said,
        )
    path.unlink()
    (folder / "report.html").unlink()
    (folder / "report.html").mkdir()
    code, said = run(folder)
    tap.check(
        code == 2 and "cannot be written: Is a directory" in said,
        "a page that cannot be written",
        said,
    )


def check_sample(tap):
    page = samples.figures_sample()
    tap.check(
        not faults_of(page),
        "a full page is well-formed, self-contained and labelled",
        "\n".join(faults_of(page)),
    )
    hostile = figures.Record(
        "bench-host",
        {"command": samples.HOSTILE, "made": "m", "machine": "x", "title": samples.HOSTILE},
        [figures.Row(samples.HOSTILE, samples.HOSTILE, samples.HOSTILE, "ns", 0, 0, 0)],
    )
    page = figures_page.render([hostile], samples.costs(), "now")
    tap.check(
        not faults_of(page) and b"<script" not in page,
        "names stay text, and zeros are drawn",
        "\n".join(faults_of(page)),
    )
    for value, words in ((0, "0"), (1.25, "1.2"), (12.0, "12"), (1234.5, "1,234"), (99.94, "99.9")):
        tap.check(charts.short(value) == words, f"{value} is written {words}", charts.short(value))


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        check_recorded(tap, pathlib.Path(folder))
        check_refused(tap, pathlib.Path(folder))
    check_sample(tap)
    tap.done()


if __name__ == "__main__":
    main()
