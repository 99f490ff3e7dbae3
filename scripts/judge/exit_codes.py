# SPDX-License-Identifier: Apache-2.0
"""The exit codes of the guest, read from the kernel's own list: by outcome, in small letters ("done")."""
import collections
import functools
import re

from judge.prepare import ROOT, ConfigError, shown

SOURCE = ROOT / "boot" / "core" / "exit_codes.def"
ROW = re.compile(r'EXIT_CODE\(([0-9]+), ([A-Z][A-Z_]*), "([^"]+)"\)')
DONE = "done"  # the outcome of a good run

ExitCode = collections.namedtuple("ExitCode", "number meaning")


def read(path):
    """-> {outcome: ExitCode}. A list that cannot be relied on is refused."""
    def refuse(what):
        raise ConfigError(f"{shown(path)}: {what}")

    if not path.is_file():
        refuse("the list of the guest's exit codes is missing")
    codes = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("EXIT_CODE"):
            continue
        row = ROW.fullmatch(line)
        if row is None:
            refuse(f"not a row: {line}")
        number, outcome = int(row.group(1)), row.group(2).lower().replace("_", "-")
        if not 2 <= number <= 255:
            refuse(f"{number} is not a code that only the guest can give (2 to 255)")
        if outcome in codes or number in {code.number for code in codes.values()}:
            refuse(f"{number} or {outcome} stands twice")
        codes[outcome] = ExitCode(number, row.group(3))
    if DONE not in codes:
        refuse(f"there is no code for '{DONE}'")
    return codes


@functools.lru_cache(maxsize=None)
def load():
    return read(SOURCE)


def number(outcome):
    return load()[outcome].number


def meanings():
    """{number: meaning}"""
    return {code.number: code.meaning for code in load().values()}
