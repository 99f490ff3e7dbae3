# SPDX-License-Identifier: Apache-2.0
"""HTML and SVG as nested calls. A child that is not Markup is text, and is escaped."""
import html


class Markup(str):
    """HTML that needs no more escaping. Only this file makes it from text."""

    __slots__ = ()


def visible(value):
    """A text without characters that would act instead of being seen: controls, surrogates, marks
    that change the direction of writing."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(value))


def text(value):
    return value if isinstance(value, Markup) else Markup(html.escape(visible(value)))


def join(*parts):
    """Several children in a row. Lists and generators are opened; None is left out."""
    found = []
    for part in parts:
        if isinstance(part, str):
            found.append(text(part))
        elif hasattr(part, "__iter__"):
            found.append(join(*part))
        elif part is not None:
            found.append(text(part))
    return Markup("".join(found))


def attribute(name, value):
    """class_ is class; an underscore is a dash, since no attribute that we use has one."""
    return f' {name.rstrip("_").replace("_", "-")}="{html.escape(visible(value))}"'


VOID = {"meta", "br"}


def tag(tag_name, *children, **attributes):
    """An element. An attribute that is None is left out."""
    given = (attribute(name, value) for name, value in attributes.items() if value is not None)
    head = f"<{tag_name}{''.join(given)}>"
    return Markup(head if tag_name in VOID else f"{head}{join(*children)}</{tag_name}>")


def table(caption, heads, rows, class_=None):
    """rows: lists of cells; the first cell of each is its header."""
    head = tag("tr", (tag("th", name, scope="col") for name in heads))
    body = (
        tag("tr", tag("th", first, scope="row"), (tag("td", cell) for cell in rest))
        for first, *rest in rows
    )
    return tag(
        "table", tag("caption", caption), tag("thead", head), tag("tbody", body), class_=class_
    )


def lines(found):
    """Lines of text as they are, one below the other."""
    return tag("pre", Markup("\n".join(text(line) for line in found)))


def style(css):
    """The style sheet is ours; it must not contain the end of its own element."""
    if "</" in css:
        raise ValueError("a style sheet cannot contain '</'")
    return Markup(f"<style>{css}</style>")


def page(title, css, *body):
    """The whole file."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        style(css),
    )
    return Markup("<!DOCTYPE html>\n") + tag("html", head, tag("body", *body), lang="en") + "\n"
