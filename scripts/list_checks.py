#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lists the judge's checks on a platform: when each is ok, or why it is not made."""
import argparse
import sys
import textwrap

sys.dont_write_bytecode = True

from judge import facts, verdict  # noqa: E402  pylint: disable=wrong-import-position

WRAP = textwrap.TextWrapper(100, initial_indent="    ", subsequent_indent="    ")


def sentence(function):
    return " ".join((function.__doc__ or "").split())


def rows_of(platform, proof=facts.SHARE):
    """(name, what it reads, when it is ok or why it is not made) of each check, in order."""
    yield verdict.MANIFEST_CHECK, "manifest", sentence(verdict.manifest_faults)
    for row in verdict.CHECKS_OF[proof]:
        made = getattr(row, platform)
        if made is not None:
            text = f"not made: {made}" if isinstance(made, str) else sentence(made)
            yield row.name, row.reads, text


def main(words):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("platform", choices=facts.PLATFORMS)
    parser.add_argument("proof", choices=tuple(verdict.CHECKS_OF), nargs="?", default=facts.SHARE)
    chosen = parser.parse_args(words)
    for name, reads, text in rows_of(chosen.platform, chosen.proof):
        print(f"{name} (reads: {reads})", WRAP.fill(text), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
