#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that every file of the tree has an SPDX line at its head, a unique name, and no trailing blanks.

Limits the line length of the judge, its harnesses and the pages. `sizeof` has parentheses in all C files, and a
header's list of errors keeps its lines. The judge starts no process and imports neither
harness nor pages.
"""
import collections
import pathlib
import re
import subprocess
import sys

NO_SPDX = {"LICENSE", ".gitignore"}       # the licence itself; a list of two patterns
NO_SPDX_SUFFIX = {".json", ".log"}        # formats without comments, and recorded logs
NO_SPDX_FOLDER = "libvmo/debian/"         # some of its formats have no comments; its copyright file licenses them
LINE_MAX = 100
BOUNDED = re.compile(r"scripts/(judge|harness|report)/\w+\.py")  # without their tests
NOT_THE_JUDGES = re.compile(r"\s*(?:from|import) (?:harness|report|subprocess|socket|supervise)\b")
BARE_SIZEOF = re.compile(r"\bsizeof [a-z_*]")
REFLOWED = re.compile(r"^ \* .*\S Errors: [A-Z_]+ {2,}|^ \* .*[a-z;] [A-Z_]{6,}  +[a-z]")  # a list of errors in a paragraph
SHARED_NAMES = {"README.md", "__init__.py", "Makefile"}
BACKENDS = "libvmo/backend"
SWAPPED = "be_types.h"                    # one in each backend, chosen by include path (ADR 0011)


def tracked():
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                         check=True, capture_output=True).stdout
    return [pathlib.Path(p) for p in out.decode().split("\0") if p and pathlib.Path(p).is_file()]


def main():
    bad, names = [], collections.defaultdict(list)
    files = tracked()
    for path in files:
        text = path.read_text(encoding="utf-8")
        names[path.name].append(str(path))
        exempt = path.name in NO_SPDX or path.suffix in NO_SPDX_SUFFIX or str(path).startswith(NO_SPDX_FOLDER)
        if not exempt:
            if "SPDX-License-Identifier: Apache-2.0" not in "\n".join(text.splitlines()[:3]):
                bad.append(f"{path}: no SPDX line among the first three")
        if path.suffix != ".log" and path.name != "LICENSE":
            for number, line in enumerate(text.splitlines(), 1):
                if line != line.rstrip():
                    bad.append(f"{path}:{number}: trailing blanks")
                if path.suffix in (".c", ".h") and BARE_SIZEOF.search(line):
                    bad.append(f"{path}:{number}: sizeof without parentheses")
                if path.suffix == ".h" and REFLOWED.search(line):
                    bad.append(f"{path}:{number}: the formatter has joined a list of errors to a paragraph: shorten its lines")
                bounded = BOUNDED.fullmatch(str(path))
                if bounded and len(line) > LINE_MAX:
                    bad.append(f"{path}:{number}: {len(line)} columns, more than {LINE_MAX}")
                if bounded and bounded[1] == "judge" and NOT_THE_JUDGES.match(line):
                    bad.append(f"{path}:{number}: the judge must not {line.strip()}")
    backends = {p.parent for p in files if p.parts[:-2] == pathlib.Path(BACKENDS).parts}
    swapped = {pathlib.Path(p).parent for p in names.pop(SWAPPED, [])}
    bad += [f"{SWAPPED} belongs into each folder of {BACKENDS} and nowhere else: {p}" for p in sorted(swapped ^ backends)]
    bad += [f"one name, several files: {' '.join(p)}" for n, p in names.items() if len(p) > 1 and n not in SHARED_NAMES]
    for line in bad:
        print(f"check-tree: {line}")
    print(f"check-tree: {len(files)} files, {len(bad)} findings")
    return 1 if bad or not files else 0


if __name__ == "__main__":
    sys.exit(main())
