# SPDX-License-Identifier: Apache-2.0
"""The table cannot.tsv: which case which platform cannot express, and why."""
import pathlib

TABLE = pathlib.Path(__file__).resolve().parent / "cannot.tsv"
HEAD = "# SPDX-License-Identifier: Apache-2.0\n# case\tcannot be expressed because\ton these platforms\n"


def rows():
    """(case, reason, platforms) of each row."""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            case, reason, platforms = line.split("\t")
            yield case, reason, platforms.split(", ")


def stated(platform):
    """-> {case: reason} of one platform."""
    return {case: reason for case, reason, platforms in rows() if platform in platforms}


def differences(wanted, found):
    lines = [f"not in the table: {case} - {found[case]}" for case in sorted(found.keys() - wanted.keys())]
    lines += [f"in the table, but it ran: {case}" for case in sorted(wanted.keys() - found.keys())]
    lines += [f"another reason: {case}: {found[case]} / {wanted[case]}"
              for case in sorted(found.keys() & wanted.keys()) if found[case] != wanted[case]]
    return lines


def update(found):
    """Writes the rows of these platforms; those of others stay."""
    table = {}
    for case, reason, platforms in rows():
        table.setdefault((case, reason), []).extend(name for name in platforms if name not in found)
    for platform, cases in found.items():
        for case, reason in cases.items():
            table.setdefault((case, reason), []).append(platform)
    lines = [f"{case}\t{reason}\t{', '.join(sorted(names))}\n" for (case, reason), names in sorted(table.items()) if names]
    TABLE.write_text(HEAD + "".join(lines), encoding="utf-8")
