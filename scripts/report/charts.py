# SPDX-License-Identifier: Apache-2.0
"""Charts of figures: bars with their spread, and curves over the number of live objects."""
import math

from report import draw
from report.draw import label, rect
from report.markup import join, tag

NAMES, BARS, END = (
    82,
    88,
    268,
)  # x: the end of a bar's name, the bars' start, the end of the longest
BAR, TITLE, GAP, SIZE = 13, 17, 9, 9.5  # heights
OURS = ("libvmo", "ours")
PLOT = (34, 318, 14, 190)  # left, right, top, bottom
TICK = 9


def short(value):
    """A figure with as many digits as it deserves."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"


def bar(y, name, figures, kind, scale):
    """One bar: its name, the median as its length, low and high as a line over it, the median."""
    low, median, high = figures
    middle, end = y + BAR / 2 - 1, BARS + scale * median
    yield label(NAMES, middle + 3.5, name, "small", "end", NAMES, SIZE)
    yield rect(BARS, y, max(0.8, scale * median), BAR - 2, kind)
    if high > low:
        yield draw.line(BARS + scale * low, middle, BARS + scale * high, middle, "spread")
        for at in (low, high):
            yield draw.line(BARS + scale * at, middle - 3, BARS + scale * at, middle + 3, "spread")
    after = max(end, BARS + scale * high) + 5
    yield label(after, middle + 3.5, short(median), "value", None, draw.WIDTH - after, SIZE)


def scale_of(rows):
    """Units for one of what the bars show."""
    most = max(figures[2] for ways in rows for _, figures in ways)
    return (END - BARS) / max(most, 1e-9)


def bars(name, title, unit, rows, each=False):
    """rows: {row: [(way, (low, median, high))]}. each: every row has a scale of its own."""
    y, parts, told, scale = 0, [], [], scale_of(rows.values())
    names = {way for ways in rows.values() for way, _ in ways}
    are_ours = names.isdisjoint(OURS)  # ways of ours alone
    for row, ways in rows.items():
        parts.append(label(0, y + 10, row, "strong"))
        y += TITLE
        scale = scale_of([ways]) if each else scale
        for way, figures in ways:
            kind = "bar ours" if are_ours or way in OURS else "bar other"
            parts.append(join(bar(y, way, figures, kind, scale)))
            told.append(f"{row}, {way}: {short(figures[1])} {unit}")
            y += BAR
        y += GAP
    return draw.drawing(name, f"{title}, {unit}", "; ".join(told), y, *parts)


def round_count(count):
    """A number of objects in few letters; the table has it exactly."""
    for size, letter in ((1000000, "M"), (1000, "k")):
        if count >= size:
            return f"{count / size:.0f} {letter}"
    return f"{count}"


def curves(name, title, lines, bound):
    """How figures grow with the number of live objects, each as a multiple of its first one.
    lines: {what: [(objects, figure)]}; bound: the multiple that the suite allows."""
    left, right, top, bottom = PLOT
    counts = [count for points in lines.values() for count, _ in points]
    first, last = math.log10(min(counts)), math.log10(max(counts))
    ratios = {
        what: [figure / points[0][1] for _, figure in points] for what, points in lines.items()
    }
    every = [ratio for found in ratios.values() for ratio in found]
    lowest, highest = min(0.9, *every), max(bound + 0.05, *every)

    def x_of(count):
        return left + (right - left) * (math.log10(count) - first) / max(1e-9, last - first)

    def y_of(ratio):
        return bottom - (bottom - top) * (ratio - lowest) / (highest - lowest)

    parts = []
    for ratio in (1.0, 1.1, 1.2, bound):
        kind = "limit" if ratio == bound else "scale"
        parts.append(draw.line(left, y_of(ratio), right, y_of(ratio), kind))
        parts.append(label(left - 4, y_of(ratio) + 3, f"{ratio:.1f}", "small", "end", left, TICK))
    parts.append(label(right, y_of(bound) - 4, "allowed", "small", "end", 100, TICK))
    for count in sorted(set(counts)):
        parts.append(
            label(x_of(count), bottom + 14, round_count(count), "small", "middle", 40, TICK)
        )
    parts.append(label(left, bottom + 28, "live objects", "small", None, 120, TICK))
    worst = max(ratios, key=lambda what: max(ratios[what]))
    for what, points in lines.items():
        pairs = zip(points, ratios[what])
        at = " ".join(f"{draw.num(x_of(n))},{draw.num(y_of(ratio))}" for (n, _), ratio in pairs)
        parts.append(tag("polyline", points=at, class_="curve worst" if what == worst else "curve"))
    most = max(ratios[worst])
    words = f"worst: {worst}, {most:.2f} times"
    parts.append(
        label(right, y_of(1.2) + (y_of(1.1) - y_of(1.2)) / 2 + 3, words, "strong", "end", 280)
    )
    said = f"{len(lines)} calls; the worst is {worst}: {most:.2f} times; {bound} is allowed"
    return draw.drawing(name, title, said, bottom + 34, *parts)
