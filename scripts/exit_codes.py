# SPDX-License-Identifier: Apache-2.0
"""The guest's exit codes by outcome, in small letters ("done"), read from the kernel's list."""
import collections
import functools
import re

from paths import ROOT, ConfigError, shown

SOURCE = ROOT / "boot" / "core" / "exit_codes.def"
ROW = re.compile(r'EXIT_CODE\(([0-9]+), ([A-Z][A-Z_]*), "([^"]+)"\)')
DONE = "done"  # the outcome of a good run

ExitCode = collections.namedtuple("ExitCode", "number meaning")


def read(path):
    """-> {outcome: ExitCode}, or ConfigError for a list with a mistake."""
    if not path.is_file():
        raise ConfigError(f"{shown(path)}: the list of the guest's exit codes is missing")
    codes, lines = {}, path.read_text(encoding="utf-8").splitlines()
    for line in (line for line in lines if line.startswith("EXIT_CODE")):
        row = ROW.fullmatch(line)
        if row is None:
            raise ConfigError(f"{shown(path)}: not a row: {line}")
        code, outcome = int(row.group(1)), row.group(2).lower().replace("_", "-")
        if not 2 <= code <= 255:
            what = f"{code} is not a code that only the guest can give (2 to 255)"
            raise ConfigError(f"{shown(path)}: {what}")
        if outcome in codes or code in dict(codes.values()):
            raise ConfigError(f"{shown(path)}: {code} or {outcome} stands twice")
        codes[outcome] = ExitCode(code, row.group(3))
    if DONE not in codes:
        raise ConfigError(f"{shown(path)}: there is no code for '{DONE}'")
    return codes


@functools.lru_cache(maxsize=None)
def load():
    return read(SOURCE)


def number(outcome):
    return load()[outcome].number
