# SPDX-License-Identifier: Apache-2.0
"""Takes a page apart as a browser does, and says what is wrong with it."""
import collections
import html.parser
import re

from report import run_page

VOID = {"meta", "br"}
OURS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "header",
    "section",
    "footer",
    "div",
    "h1",
    "h2",
    "h3",
    "p",
    "ul",
    "li",
    "span",
    "strong",
    "code",
    "pre",
    "br",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "svg",
    "defs",
    "pattern",
    "path",
    "desc",
    "text",
    "rect",
    "line",
    "polygon",
    "polyline",
    "circle",
    "g",
}
ATTRIBUTES = re.compile(r"on\w+|href|src|style|srcset|action")


class Reader(html.parser.HTMLParser):
    """A page as a browser takes it apart: elements, their nesting, ids, text."""

    def __init__(self, data):
        super().__init__()
        self.open, self.faults, self.ids, self.texts = [], [], collections.Counter(), []
        self.seen, self.attributes = collections.Counter(), []
        self.feed(data.decode("utf-8"))
        self.close()
        self.faults += [f"<{name}> is never closed" for name in self.open]

    def handle_starttag(self, tag, attrs):
        self.seen[tag] += 1
        self.attributes += [(tag, *pair) for pair in attrs]
        self.ids.update(value for name, value in attrs if name == "id")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes another element")

    def handle_data(self, data):
        self.texts.append(data)

    def text(self):
        return " ".join(" ".join(self.texts).split())


def faults_of(data):
    """What is wrong with a page, whatever the run was."""
    page = Reader(data)
    found = list(page.faults)
    found += [f"<{name}> is no element of ours" for name in sorted(set(page.seen) - OURS)]
    found += [
        f"the id {name} is there {count} times" for name, count in page.ids.items() if count > 1
    ]
    found += [
        f'<{tag} {name}="{value}">'
        for tag, name, value in page.attributes
        if ATTRIBUTES.fullmatch(name)
    ]
    found += [f"{len(data)} bytes"] if len(data) > run_page.SIZE_MAX else []
    found += ["no lang"] if ("html", "lang", "en") not in page.attributes else []
    found += (
        ["a drawing without title and desc"]
        if page.seen["desc"] != len(named(page, "svg", "role"))
        else []
    )
    for _, _, ids in named(page, "svg", "aria-labelledby"):
        found += [f"no element has the id {one}" for one in ids.split() if one not in page.ids]
    unnamed = page.seen["th"] - len(named(page, "th", "scope"))
    found += [f"{unnamed} headers without scope"] if unnamed else []
    found += ["tables without captions"] if page.seen["caption"] != page.seen["table"] else []
    found += ["it loads something"] if re.search(rb"(?:url\((?!#)|@import|https?://)", data) else []
    return found


def named(page, tag, name):
    return [found for found in page.attributes if found[:2] == (tag, name)]
