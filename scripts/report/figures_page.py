# SPDX-License-Identifier: Apache-2.0
"""`make report`: the recorded figures as a page, each with the command that makes it anew.

    figures_page.py BUILD

A benchmark records its figures below BUILD/figures. The page names those that are not recorded.
"""
import pathlib
import sys
import time

sys.dont_write_bytecode = True

from paths import ROOT, ConfigError, named, shown  # noqa: E402
from report import charts, figures  # noqa: E402
from report.draw import counted  # noqa: E402
from report.markup import page, table, tag  # noqa: E402
from report.run_page import CSS, SIZE_MAX  # noqa: E402
import supervise  # noqa: E402

# name of the record: (the command that makes it, what it has)
KNOWN = {
    "bench-host": ("make bench-host", "messages on Linux beside the same exchanges by hand"),
    "bench-bytes": ("make bench-bytes", "ways to fill and to copy a VMO"),
    "bench-sha256": ("make bench-sha256", "SHA-256 beside OpenSSL's"),
    "growth": ("python3 libvmo/tests/growth/test_growth.py", "growth with the number of objects"),
}
SIZES = " bytes"  # rows of different sizes differ too much for one scale
EACH = ", each row to its own scale"
CURVES, GROWTH_BOUND = "growth", 1.3  # the suite's LIVE_MAX
REVISIONS = ("a1", "a2")


def made_by(heads):
    words = [tag("code", heads["command"]), f", {heads['made']}, on {heads['machine']}."]
    return tag("p", "Made by ", words, class_="note")


def by_row(rows):
    """-> {row: [(way, (low, median, high))]}"""
    found = {}
    for row in rows:
        found.setdefault(row.row, []).append((row.way, (row.low, row.median, row.high)))
    return found


def numbers(group, unit, rows):
    cells = [[f"{row.row}, {row.way}", *map(charts.short, row[4:])] for row in rows]
    return table(
        f"{group}, {unit}", ["what", "lower quartile", "median", "upper"], cells, class_="grid"
    )


def bars_of(record):
    """Each group of a record: its chart, and its numbers."""
    for index, (group, rows) in enumerate(record.groups().items()):
        unit = rows[0].unit
        found = by_row(rows)
        each = all(row.endswith(SIZES) for row in found)
        chart = charts.bars(f"{record.name}-{index}", group, unit, found, each)
        head = [group, tag("span", f" {unit}{EACH if each else ''}", class_="unit")]
        yield tag("section", tag("h3", head), chart, numbers(group, unit, rows), class_="part")


def curves_of(record):
    """Each kernel of the growth suite: its curves, and the counts."""
    for index, (group, rows) in enumerate(record.groups().items()):
        lines = {}
        for row in rows:
            lines.setdefault(row.row, []).append((int(row.way), row.median))
        counts = [charts.round_count(count) for count, _ in next(iter(lines.values()))]
        cells = [
            [what, *(f"{value:,.0f}" for _, value in points)] for what, points in lines.items()
        ]
        chart = charts.curves(f"growth-{index}", f"Growth on {group}", lines, GROWTH_BOUND)
        exact = ", ".join(f"{count:,}" for count, _ in next(iter(lines.values())))
        words = f"Instructions of a call on {group}, with {exact} live objects"
        grid = table(words, ["call", *counts], cells, class_="grid")
        yield tag("section", tag("h3", group), chart, grid, class_="part")


def record_of(record):
    parts = curves_of(record) if record.name == CURVES else bars_of(record)
    head = tag("h2", record.heads["title"])
    return tag(
        "section", head, made_by(record.heads), tag("div", parts, class_="parts"), class_="boot"
    )


# ---- The kernel's paths --------------------------------------------------------------------------
def shown_figure(value):
    return "\u2013" if value is None else f"{value:,}"


def compared(costs):
    """Paths that were once measured on the real kernels. -> {row: [(way, figures)]}"""
    found = {}
    for cost in costs:
        for rev in REVISIONS:
            if cost.real[rev] is not None and cost.ours[rev] is not None:
                pair = (("real kernel", cost.real[rev]), ("ours", cost.ours[rev]))
                found[f"{cost.path}, {rev}"] = [(way, (value,) * 3) for way, value in pair]
    return found


def costs_of(costs):
    rows = [
        [cost.path, *(shown_figure(cost.ours[rev]) for rev in REVISIONS), cost.what]
        for cost in costs
    ]
    grid = table("Records of our kernel", ["path", *REVISIONS, "what"], rows, class_="grid")
    chart = charts.bars("costs", "Beside the real kernels", "instructions", compared(costs), True)
    head = ["Beside the real kernels", tag("span", f" instructions{EACH}", class_="unit")]
    beside = tag("section", tag("h3", head), chart, class_="part")
    every = tag("section", tag("h3", "Every path"), grid, class_="part")
    note = tag(
        "p",
        "Recorded by ",
        tag("code", "make cost-record"),
        ", checked by ",
        tag("code", "boot/tests/cost/test_cost.py"),
        "; the real kernels were measured once.",
        class_="note",
    )
    head = tag("h2", "Instructions of the kernel\u2019s main paths")
    return tag("section", head, note, tag("div", beside, every, class_="parts"), class_="boot")


# ---- The page -----------------------------------------------------------------------------------
def missing_of(records):
    names = {record.name for record in records}
    return [f"{does}: {command}" for name, (command, does) in KNOWN.items() if name not in names]


def body(records, costs, made):
    yield tag("header", tag("p", "libvmo", class_="kicker"), tag("h1", "Figures"))
    count = sum(len(record.rows) for record in records)
    yield tag(
        "p",
        f"{counted(count, 'figure')} of {counted(len(records), 'benchmark')}; a bar is "
        "the median of the runs; half of them are within the line over it.",
        class_="claim",
    )
    missing = missing_of(records)
    if missing:
        yield tag("p", "Not recorded here:", class_="note")
        yield tag("ul", (tag("li", words) for words in missing), class_="note")
    yield costs_of(costs)
    yield map(record_of, records)
    yield tag(
        "footer",
        tag("p", f"{made}. docs/testing/figures.md has the figures that the project promises."),
    )


def render(records, costs, made):
    """-> the page's bytes"""
    return page("libvmo: figures", CSS, *body(records, costs, made)).encode()


def read(build):
    """-> (records, costs)"""
    paths = sorted((build / "figures").glob("*.tsv"), key=lambda path: path.name)
    order = list(KNOWN)
    records = sorted(
        map(figures.read_record, paths),
        key=lambda record: order.index(record.name) if record.name in order else len(order),
    )
    return records, figures.read_costs(ROOT / "boot" / "tests" / "cost")


def main(words):
    build = ROOT / words[0]
    target = build / "report.html"
    try:
        records, costs = read(build)
        data = render(records, costs, time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()))
        if len(data) > SIZE_MAX:
            raise ConfigError(
                f"the page has {len(data)} bytes; remove a record from {build}/figures"
            )
        with named(f"{shown(target)} cannot be written"):
            target.parent.mkdir(parents=True, exist_ok=True)
            supervise.write_whole(target, data)
    except (ConfigError, figures.RecordError) as error:
        print(f"report: {error}", file=sys.stderr)
        return 2
    for text in missing_of(records):
        print(f"report: not recorded: {text}")
    print(f"report: {shown(target)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
