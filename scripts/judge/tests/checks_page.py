#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The tables of checks in docs/testing/index.md, made of the judge's own table and its docstrings.

checks_page.py --write puts them into the page; test_judge.py fails while they differ.
"""
import pathlib
import re
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

from judge import verdict  # noqa: E402  pylint: disable=wrong-import-position
from judge.facts import FOREIGN, LINUX, QEMU  # noqa: E402  pylint: disable=wrong-import-position

PAGE = ROOT / "docs" / "testing" / "index.md"
PART = re.compile(r"(<!-- checks (\w+):[^\n]*-->\n).*?(<!-- end of checks -->)", re.DOTALL)


def sentence(function):
    return " ".join(function.__doc__.split())


def rows_of(platform):
    """What differs from our kernel on this platform; on our kernel all."""
    if platform == QEMU:
        yield verdict.MANIFEST_CHECK, "manifest", sentence(verdict.manifest_faults)
    for row in verdict.CHECKS:
        made = getattr(row, platform)
        if made is None or platform != QEMU and made is row.qemu:
            continue
        yield row.name, row.reads, f"not made: {made}" if isinstance(made, str) else sentence(made)


def table_of(platform):
    lines = ["| check | reads | is ok when |", "|---|---|---|"]
    return "\n".join(lines + [f"| `{name}` | {reads} | {text} |" for name, reads, text in rows_of(platform)])


def page_with_tables(text):
    found = [platform for _, platform, _ in PART.findall(text)]
    assert found == [QEMU, LINUX, FOREIGN], found
    return PART.sub(lambda part: f"{part[1]}\n{table_of(part[2])}\n\n{part[3]}", text)


def is_current():
    text = PAGE.read_text(encoding="utf-8")
    return page_with_tables(text) == text


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page_with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0 if is_current() else 1)
