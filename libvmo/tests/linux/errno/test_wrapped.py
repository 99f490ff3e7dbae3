#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the tables of the errno suite: errnos.def against the functions that the Linux backend's objects import, and
documented.def against the headers, and the functions of the ABI against the stories. A call without a row would never
be failed."""
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[3]
OBJECTS = ROOT / os.environ.get("BUILD", "build") / "host/libvmo/backend/linux"
# Functions of the C library that make no system call which can fail.
HARMLESS = {"__errno_location", "_exit", "environ", "getauxval", "getpid", "memcmp", "memcpy", "memset", "memmove",
            "strlen", "abort", "snprintf", "sched_yield"}
THROUGH = {"fcntl", "syscall"}  # their commands and numbers are rows; lx_wrap.c aborts at one without
COMMON = {"BAD_HANDLE", "NO_MEMORY", "UNSUPPORTED", "IO"}


def rows(kind):
    return re.findall(rf"^{kind}\((\w+),", (HERE / "errnos.def").read_text(), re.M)


def imported():
    found = set()
    objects = sorted(OBJECTS.glob("*.o"))
    if not objects:
        raise SystemExit(f"no objects in {OBJECTS}: run make")
    text = subprocess.run(["nm", "-u", *objects], capture_output=True, text=True, check=True).stdout
    for name in re.findall(r"^\s+U (\S+)$", text, re.M):
        if not re.match(r"lx_|be_|vmo_|sha256_|__stack_chk|_GLOBAL", name):
            found.add(name)
    return found


def missing_rows():
    return sorted(imported() - set(rows("CALL")) - HARMLESS - THROUGH)


def blocks():
    """function -> the comment above its declaration, with those of the functions that it refers to."""
    headers = ("vmo.h", "channel.h", "descriptor.h", "stream.h")
    text = "".join((ROOT / "libvmo/include/vmo" / name).read_text() for name in headers)
    found = {}
    for comment, declarations in re.findall(r"/\*((?:[^*]|\*(?!/))*)\*/\n((?:VMO_CHECK [^;]*;\n?)+)", text):
        for function in re.findall(r"\b(vmo_\w+)\(", declarations):
            found[function] = comment
    return found


def statuses(function, found):
    comment = found.get(function, "")
    own = set(re.findall(r"\b[A-Z][A-Z_]+\b", comment))
    for other in set(re.findall(r"\b(vmo_\w+)\b", comment)) - {function}:
        own |= set(re.findall(r"\b[A-Z][A-Z_]+\b", found.get(other, "")))
    return own


def undocumented():
    found, bad = blocks(), []
    for function, listed in re.findall(r"^FUNCTION\((\w+),(.*)\)$", (HERE / "documented.def").read_text(), re.M):
        if function not in found and listed.strip():
            bad.append(f"{function}: no comment found")
        bad += [f"{function}: {name}" for name in re.findall(r"S\((\w+)\)", listed)
                if name not in statuses(function, found)]
    return bad


def without_step():
    """Functions of the ABI with a status that no story calls as a step."""
    stories = "".join(path.read_text() for path in sorted(HERE.glob("errno_*.c")))
    steps = set(re.findall(r"\bSTEP(?:_ANSWERS\(VMO_ERR_\w+, |\()(vmo_\w+),", stories))
    functions = re.findall(r"^vmo_status (vmo_\w+)\(", (ROOT / "libvmo/libvmo.abi").read_text(), re.M)
    return sorted(set(functions) - steps) if functions else ["libvmo.abi: no function found"]


def uncommon():
    head = (ROOT / "libvmo/include/vmo/vmo.h").read_text().split("*/")[1]
    return sorted(name for name in COMMON if not re.search(rf"^ \*\s+.*\b{name}\b", head, re.M))


def main():
    failed = 0
    checks = (("each system call of the backend has a row", missing_rows),
              ("each status is in the header's comment", undocumented),
              ("each function with a status is a step of a story", without_step),
              ("the head of vmo.h names what any function may return", uncommon))
    for number, (title, check) in enumerate(checks, 1):
        bad = check()
        for each in bad:
            print(f"# {each}")
        print(f"{'not ok' if bad else 'ok'} {number} - {title}")
        failed += bool(bad)
    print(f"1..{len(checks)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
