#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the kernel's contract, docs/abi.md: the citations of its statements (K-xx), and its table of calls.

Each statement is cited by at least one probe case (boot/tests/abi/*.tsv), test of the kernel, of the library or of a
backend, or hazard program (payloads/evil); every cited statement exists. The table of calls has the rows of abi/calls.def.
Prints how many statements are covered and calls compared; --table shows where each statement is covered.
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
# Test data that deliberately cites no statement.
NOT_MEANT = {"K-00"}

CALLS = "abi/calls.def"
CALL = re.compile(r"^NX_CALL\(([0-9]+), [A-Z0-9_]+, ([a-z0-9_]+), (A1|A2|BOTH), (\([a-z0-9_*, ]*\))\)$")
TABLE_HEAD = "\nnr  on    call\n"
TABLE_END = "```"
TABLE_ROW = re.compile(r"^ ?([0-9]+)  (a1|a2|both) +([a-z0-9_]+\([^)]*\))")


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
    """Citations of statements that do not exist: ["file: K-xx"]."""
    return [f"{path.relative_to(root)}: {name}" for top in CITING for path in sources(root, top, SUFFIXES)
            for name in sorted(set(CITED.findall(read(path))) - statements - NOT_MEANT)]


def calls_of_code(root):
    """The rows of calls.def -> ({number: "name(arguments) revisions"}, faults)."""
    rows, faults, last = {}, [], -1
    path = root / CALLS
    for line in read(path).splitlines() if path.is_file() else []:
        match = CALL.match(line)
        if match is None:
            faults += [f"{CALLS}: not a row: {line}"] if line.lstrip().startswith("NX_CALL") else []
            continue
        number, name, revisions, arguments = match.groups()
        if int(number) <= last:
            faults.append(f"{CALLS}: {number} ({name}) does not come after {last}: a number is used once, in order")
        last = int(number)
        rows[int(number)] = f"{name}{arguments} {revisions}"
    return rows, faults


def calls_of_contract(text):
    """The rows of the contract's table -> ({number: "name(arguments) revisions"}, faults)."""
    rows, faults = {}, []
    for line in text.partition(TABLE_HEAD)[2].partition(TABLE_END)[0].splitlines():
        match = TABLE_ROW.match(line)
        if match is None:
            faults.append(f"{CONTRACT}: not a row of the table of calls: {line}")
            continue
        number, revisions, call = match.groups()
        if int(number) in rows:
            faults.append(f"{CONTRACT}: call {number} has two rows")
        rows[int(number)] = f"{call} {revisions.upper()}"
    return rows, faults


def check_calls(root):
    """Compares the code's table of calls with the contract's. -> (rows in the code, faults)"""
    code, faults = calls_of_code(root)
    contract, more = calls_of_contract(read(root / CONTRACT))
    faults += more
    for number in sorted(set(code) | set(contract)):
        ours, theirs = code.get(number, "no such row"), contract.get(number, "no such row")
        if ours != theirs:
            faults.append(f"call {number}: {CALLS} has {ours}; {CONTRACT} has {theirs}")
    return len(code), faults if code else faults + [f"{CALLS} has no row"]


def main(words):
    parser = argparse.ArgumentParser(description="Checks the kernel's contract: its citations and its table of calls.")
    parser.add_argument("--table", action="store_true", help="show where each statement is covered")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(), help="the tree (default: here)")
    options = parser.parse_args(words)
    listed = DEFINED.findall(read(options.root / CONTRACT))
    found = covered_by(options.root)
    bad = [f"{name} is defined twice" for name, count in collections.Counter(listed).items() if count > 1]
    bad += [f"no test, probe case or hazard cites {name}" for name in listed if name not in found]
    bad += [f"cites a statement that does not exist: {stray}" for stray in strays(options.root, set(listed))]
    calls, faults = check_calls(options.root)
    bad += faults
    if options.table:
        for name in listed:
            print(f"{name}\t{' '.join(found.get(name, ['-']))}")
    for line in bad:
        print(f"check-abi: {line}")
    print(f"check-abi: {sum(1 for name in listed if name in found)} of {len(listed)} statements, "
          f"{calls} calls, {len(bad)} findings")
    return 1 if bad or not listed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
