#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks at the pages in a headless Chromium: no text is cut or covered, no page scrolls sideways.

    check_report.py [--pictures DIR] [PAGE...]     default: sample pages of every kind

`make check-report` runs it. Each page is shown at three widths, light and dark, and on paper.
"""
import argparse
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent)]

import samples  # noqa: E402  pylint: disable=wrong-import-position
import chromium  # noqa: E402  pylint: disable=wrong-import-position
from report import run_page  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap, room  # noqa: E402  pylint: disable=wrong-import-position

LAYOUT = pathlib.Path(__file__).with_name("layout.js").read_text(encoding="utf-8")
WIDTHS, SCHEMES, PAPER_WIDTH = (360, 800, 1600), ("light", "dark"), 680  # 180 mm at 96 dpi
# Pages that must not pass: what is wrong, its style, what the check says.
BROKEN = {
    "a table that is too wide": ("table { width: 2000px; }", "px wide, the window"),
    "text over other text": ("h2 { position: absolute; }", "text over"),
    "text that is cut": (
        ".kicker { overflow: hidden; white-space: nowrap; width: 50px; }",
        "text is cut",
    ),
    "a drawing with large letters": (
        ".drawing text { font-size: 30px; }",
        "text leaves its drawing",
    ),
    "small letters": (".drawing text.number { font-size: 5px; }", "letters of"),
    "pale letters": (":root { --soft: #c8c8c8 !important; }", "contrast"),
}


def views():
    """(name, width, scheme, whether on paper)"""
    yield from (
        (f"{width} px, {scheme}", width, scheme, False) for width in WIDTHS for scheme in SCHEMES
    )
    yield "on paper", PAPER_WIDTH, "light", True


def check_page(tap, browser, path, pictures):
    for name, width, scheme, is_print in views():
        browser.open(path, width, scheme, is_print)
        found = browser.run(LAYOUT)
        tap.check(found == [], f"{path.stem}: {name}", "\n".join(found))
        if pictures:
            browser.picture(
                pictures / f"{path.stem}-{name.replace(' px, ', '-').replace(' ', '-')}.png"
            )
    size = path.stat().st_size
    tap.check(size <= run_page.SIZE_MAX, f"{path.stem}: at most {run_page.SIZE_MAX} bytes", size)
    if pictures:
        browser.paper(pictures / f"{path.stem}.pdf")


def check_broken(tap, browser, folder, data):
    """The check itself finds what it is for."""
    for name, (css, words) in BROKEN.items():
        path = folder / "broken.html"
        path.write_bytes(data.replace(b"</style>", css.encode() + b"</style>"))
        browser.open(path, WIDTHS[0], "light")
        found = "\n".join(browser.run(LAYOUT))
        tap.check(words in found, f"the check finds {name}", found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=pathlib.Path, help="folder for a picture of each view")
    parser.add_argument("pages", nargs="*", type=pathlib.Path)
    options, tap = parser.parse_args(), Tap()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=room()) as folder, chromium.Browser(
        chromium.program()
    ) as browser:
        folder, pages = pathlib.Path(folder), list(options.pages)
        for name, data in {} if pages else samples.all_pages().items():
            pages.append(folder / f"{name}.html")
            pages[-1].write_bytes(data)
        for path in pages:
            check_page(tap, browser, path, options.pictures)
        check_broken(tap, browser, folder, samples.all_pages()["good"])
    tap.done()


if __name__ == "__main__":
    main()
