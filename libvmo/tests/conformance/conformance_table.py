# SPDX-License-Identifier: Apache-2.0
"""The table cannot.tsv: the cases that a platform cannot run, and why."""
import pathlib

TABLE = pathlib.Path(__file__).resolve().parent / "cannot.tsv"
HEAD = "# SPDX-License-Identifier: Apache-2.0\n# case\tcannot run because\ton these platforms\n"


def rows():
    """Yields (case, reason, platforms) of each row."""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            case, reason, platforms = line.split("\t")
            yield case, reason, platforms.split(", ")


def stated(platform):
    """-> {case: reason} of one platform."""
    return {case: reason for case, reason, platforms in rows() if platform in platforms}


def differences(wanted, found):
    lines = [
        f"not run, but not in the table: {case}: {found[case]}"
        for case in sorted(found.keys() - wanted.keys())
    ]
    lines += [f"run, but in the table: {case}" for case in sorted(wanted.keys() - found.keys())]
    lines += [
        f"another reason than in the table: {case}: {found[case]}, not {wanted[case]}"
        for case in sorted(found.keys() & wanted.keys())
        if found[case] != wanted[case]
    ]
    return lines


def update(found):
    """Rewrites the rows of these platforms. Other platforms keep theirs."""
    table = {}
    for case, reason, platforms in rows():
        table.setdefault((case, reason), []).extend(name for name in platforms if name not in found)
    for platform, cases in found.items():
        for case, reason in cases.items():
            table.setdefault((case, reason), []).append(platform)
    lines = [
        f"{case}\t{reason}\t{', '.join(sorted(names))}\n"
        for (case, reason), names in sorted(table.items())
        if names
    ]
    TABLE.write_text(HEAD + "".join(lines), encoding="utf-8")
