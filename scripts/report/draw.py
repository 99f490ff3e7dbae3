# SPDX-License-Identifier: Apache-2.0
"""The parts of a drawing: SVG inside the page, coloured by the page's style sheet.

A drawing is WIDTH units wide, the width of a phone, so its text is readable there and grows on a
larger screen. A label is cut before it can leave its place: WIDE is the width of its widest font.
"""
from judge import facts
from report.markup import join, tag

WIDTH = 330
LETTER = 10  # height of the letters, in units
ELLIPSIS = "\u2026"
WIDE = 0.6  # of a letter's height; the widest sans-serif fonts in use have this on average


def fit(words, room, size=LETTER):
    """A text that fits into `room` units; a cut one ends with an ellipsis."""
    most = max(1, int(room / (size * WIDE)))
    return words if len(words) <= most else words[: most - 1] + ELLIPSIS


def label(x, y, words, class_=None, anchor=None, room=WIDTH, size=LETTER):
    """anchor: None, "middle" or "end"."""
    fitted = fit(words, room, size)
    return tag("text", fitted, x=num(x), y=num(y), class_=class_, text_anchor=anchor)


def num(value):
    return f"{value:.1f}".removesuffix(".0")


def rect(x, y, width, height, class_):
    at = {"x": num(x), "y": num(y), "width": num(width), "height": num(height)}
    return tag("rect", **at, rx="2", class_=class_)


def line(x1, y1, x2, y2, class_):
    return tag("line", x1=num(x1), y1=num(y1), x2=num(x2), y2=num(y2), class_=class_)


def shape(points, class_):
    return tag("polygon", points=" ".join(f"{num(x)},{num(y)}" for x, y in points), class_=class_)


def arrow(x1, x2, y, class_):
    """A level arrow from x1 to x2."""
    back = -5 if x2 > x1 else 5
    head = [(x2, y), (x2 + back, y - 3), (x2 + back, y + 3)]
    return join(line(x1, y, x2 + back, y, class_), shape(head, f"{class_} head"))


def drawing(name, title, description, height, *parts):
    """name: unique in the page."""
    about = (tag("title", title, id=f"{name}-t"), tag("desc", description, id=f"{name}-d"))
    box = f"0 0 {WIDTH} {num(height)}"
    names = f"{name}-t {name}-d"
    return tag(
        "svg", about, *parts, viewBox=box, role="img", aria_labelledby=names, class_="drawing"
    )


def counted(number, noun):
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def who(pid):
    return facts.ROLES.get(pid, f"pid {pid}")


def rest_of(found, most, noun):
    """A sentence about what a list does not show, or None."""
    more = len(found) - most
    words = f"And {counted(more, noun)} more; the log has all."
    return tag("p", words, class_="note") if more > 0 else None
