#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the citations of the kernel's contract, docs/abi.md, whose statements have ids (K-xx).

Each statement is cited by at least one probe case (boot/tests/abi/*.tsv), test of the kernel, of the library or of a
backend, or hazard program (payloads/evil); and whatever is cited exists. Prints how many are covered; --table shows where each is.
"""
import argparse
import collections
import pathlib
import re
import sys

CONTRACT = "docs/abi.md"
DEFINED = re.compile(r"^\*\*(K-[0-9]+) ", re.M)
CITED = re.compile(r"\bK-[0-9]+\b")
CASE = re.compile(r"^(K-[0-9]+)", re.M)

PROBE = "boot/tests/abi"
TESTS = ("boot/tests/core", "libvmo/tests/unit", "libvmo/tests/conformance", "libvmo/tests/linux", "boot/tests/model")
HAZARDS = "payloads/evil"
CITING = ("abi", "boot", "libvmo", "payloads", "tests", "docs", "scripts", "linker")
SUFFIXES = {".c", ".h", ".S", ".py", ".md", ".tsv", ".ld", ".mk", ".3", ".7"}
# Made up on purpose, to be no statement's.
NOT_MEANT = {"K-00"}


def sources(root, top, suffixes):
    return sorted(path for path in (root / top).rglob("*") if path.is_file() and path.suffix in suffixes)


def read(path):
    return path.read_text(encoding="utf-8")


def covered_by(root):
    """-> {statement: [where], in the order probe, tests, hazards}."""
    found = collections.defaultdict(list)
    for top, suffixes, pattern in ([(PROBE, {".tsv"}, CASE)] + [(top, {".c", ".py"}, CITED) for top in TESTS]
                                   + [(HAZARDS, {".c"}, CITED)]):
        for path in sources(root, top, suffixes):
            for statement in sorted(set(pattern.findall(read(path)))):
                found[statement].append(str(path.relative_to(root)))
    return found


def strays(root, statements):
    """Citations of what does not exist: ["file: K-xx"]."""
    return [f"{path.relative_to(root)}: {name}" for top in CITING for path in sources(root, top, SUFFIXES)
            for name in sorted(set(CITED.findall(read(path))) - statements - NOT_MEANT)]


def main(words):
    parser = argparse.ArgumentParser(description="Checks the citations of the kernel's contract.")
    parser.add_argument("--table", action="store_true", help="show where each statement is covered")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(), help="the tree (default: here)")
    options = parser.parse_args(words)
    listed = DEFINED.findall(read(options.root / CONTRACT))
    found = covered_by(options.root)
    bad = [f"{name} is defined twice" for name, count in collections.Counter(listed).items() if count > 1]
    bad += [f"no test, probe case or hazard cites {name}" for name in listed if name not in found]
    bad += [f"cites what does not exist: {stray}" for stray in strays(options.root, set(listed))]
    if options.table:
        for name in listed:
            print(f"{name}\t{' '.join(found.get(name, ['-']))}")
    for line in bad:
        print(f"check-abi: {line}")
    print(f"check-abi: {sum(1 for name in listed if name in found)} of {len(listed)} statements, {len(bad)} findings")
    return 1 if bad or not listed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
