# SPDX-License-Identifier: Apache-2.0
"""The table of docs/testing/conformance.md: which platform cannot express which case, and why."""
import pathlib
import re

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "testing" / "conformance.md"
ROW = re.compile(r"\| (?P<cases>`[^|]+`) \| (?P<platforms>[^|]+) \| (?P<reason>[^|]+) \|")
BEGIN = "| case | cannot be expressed on | because |\n|---|---|---|\n"


def rows():
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        match = ROW.fullmatch(line)
        if match:
            yield match["cases"][1:-1], match["platforms"].split(", "), match["reason"]


def stated(platform):
    """-> {case: reason} of one platform."""
    return {case: reason for case, platforms, reason in rows() if platform in platforms}


def differences(wanted, found):
    lines = [f"not in the table: {case} - {found[case]}" for case in sorted(found.keys() - wanted.keys())]
    lines += [f"in the table, but it ran: {case}" for case in sorted(wanted.keys() - found.keys())]
    lines += [f"another reason: {case}: {found[case]} / {wanted[case]}"
              for case in sorted(found.keys() & wanted.keys()) if found[case] != wanted[case]]
    return lines


def update(found):
    """Writes the rows of these platforms; those of others stay."""
    table = {}
    for case, platforms, reason in rows():
        kept = [name for name in platforms if name not in found]
        table.setdefault((case, reason), []).extend(kept)
    for platform, cases in found.items():
        for case, reason in cases.items():
            table.setdefault((case, reason), []).append(platform)
    text = PAGE.read_text(encoding="utf-8")
    head = text[:text.index(BEGIN) + len(BEGIN)]
    lines = [f"| `{case}` | {', '.join(sorted(names))} | {reason} |" for (case, reason), names in sorted(table.items())
             if names]
    PAGE.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
