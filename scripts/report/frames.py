# SPDX-License-Identifier: Apache-2.0
"""Frames of a stream over time: one row for each frame, from its fill to its release.

A harness that proves a stream gives `frames`, a list of Frame. Without any, the page has no such
part.
"""
import collections

from report import draw
from report.draw import counted, label, rect

# Instants of one clock, in any unit: the producer began to write and published the frame, the
# consumer took it and gave it back. An instant that was not recorded is None.
Frame = collections.namedtuple("Frame", "number slot begun sent taken released")

ROWS_MAX = 64
LEFT, RIGHT, ROW, HEAD, SIZE = 66, 326, 13, 42, 9
SPANS = (
    ("begun", "sent", "map write"),
    ("sent", "taken", "cell"),
    ("taken", "released", "map read"),
)


def instants(frame):
    return [at for at in frame[2:] if at is not None]


def scale_of(frames):
    """-> a function from an instant to x"""
    found = [at for frame in frames for at in instants(frame)]
    first, last = min(found), max(found)
    return lambda at: LEFT + (RIGHT - LEFT) * (at - first) / max(1, last - first)


def row_of(frame, y, x_of):
    yield label(
        LEFT - 4, y + 8, f"{frame.number} in slot {frame.slot}", "small", "end", LEFT - 4, SIZE
    )
    for start, end, kind in SPANS:
        first, last = getattr(frame, start), getattr(frame, end)
        if first is not None and last is not None:
            yield rect(x_of(first), y, max(1.5, x_of(last) - x_of(first)), ROW - 3, kind)


def picture(name, frames, unit):
    """name: prefix of the drawing's ids. unit: what the instants count."""
    shown = [frame for frame in frames if instants(frame)][:ROWS_MAX]
    if not shown:
        return None
    x_of, height = scale_of(shown), HEAD + ROW * len(shown) + 4
    first, last = (edge(at for frame in shown for at in instants(frame)) for edge in (min, max))
    parts = [
        label(LEFT, 14, "frame by frame", "head"),
        label(LEFT, 30, f"{first:,}", "small", None, 120, SIZE),
        label(RIGHT, 30, f"{last:,} {unit}", "small", "end", 140, SIZE),
        draw.line(LEFT, 34, RIGHT, 34, "rule"),
        (row_of(frame, HEAD + ROW * n, x_of) for n, frame in enumerate(shown)),
    ]
    told = f"{counted(len(shown), 'frame')} from {first:,} to {last:,} {unit}."
    drawn = draw.drawing(f"{name}-frames", "Frames over time", told, height, *parts)
    return [drawn, draw.rest_of(frames, len(shown), "frame")]
