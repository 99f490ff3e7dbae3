#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Computes the include and call graph of boot, libvmo and the payloads; fails on a circle or an upward arrow.

    check-graph.py [--show] build-folder nm-command

A file is a .c or .S file with the header of the same name and folder. It has an arrow to each file whose header it
includes, and to each file that defines a symbol which its object file (`nm`) leaves undefined. Tests are left out.

A lower floor may use a higher one only through a declared hook: a function or types that the higher floor defines.
"""
import argparse
import collections
import pathlib
import re
import subprocess
import sys

# From the bottom up. Files on one floor may use each other, but not in a circle.
FLOORS = ("abi/",
          "libvmo/include/", "libvmo/src/", "libvmo/hosted/", "libvmo/stream/", "libvmo/backend/",
          "boot/core/", "boot/sys/", "boot/arch/", "boot/init/",
          "payloads/")
# Header -> the part that defines its functions.
HOOK_HEADERS = {
    "libvmo/src/backend.h": "a backend, one in a program",
    "libvmo/stream/backend_stream.h": "a backend, one in a program",
    "boot/core/port.h": "boot/arch, or a stand-in on the host",
    "payloads/connect.h": "payloads/neuron or payloads/linux, one in a program",
}
# Header of a higher floor -> the one file that may include it: a backend fills in the port's types (ADR 0011).
HOOK_TYPES = {"be_types.h": "libvmo/src/backend.h"}
# Functions that start code calls: start code is at the bottom of a program, its main function at the top.
HOOKS = {"boot_main": "boot/arch/entry.S", "main": "payloads/crt/crt_start.S", "probe_main": "payloads/probe/probe_start.S"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
DECLARED = re.compile(r"\b([a-z]\w*)\(")
SYMBOL = re.compile(r"^(?:[0-9a-fA-F]+)?\s+([A-Za-z])\s+(\S+)$")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def unit(path):
    """The node of a file: a source and the header of the same name are one."""
    return str(pathlib.PurePosixPath(path).with_suffix(""))


def floor(path):
    return next((number for number, folder in enumerate(FLOORS) if path.startswith(folder)), None)


def in_graph(path):
    return floor(path) is not None and "/tests/" not in path


class Graph:
    def __init__(self):
        self.arrows = collections.defaultdict(lambda: collections.defaultdict(set))  # from -> to -> names

    def add(self, source, target, name):
        if unit(source) != unit(target):
            self.arrows[unit(source)][unit(target)].add(name)

    def files(self):
        return sorted(set(self.arrows) | {target for targets in self.arrows.values() for target in targets})

    def upward(self):
        return [f"{a} -> {b}: {' '.join(sorted(names))}" for a in sorted(self.arrows)
                for b, names in sorted(self.arrows[a].items()) if floor(a + ".") < floor(b + ".")]

    def reach(self, start):
        """All files that are reachable from this one."""
        found, open_files = set(), [start]
        while open_files:
            new = set(self.arrows.get(open_files.pop(), ())) - found
            found |= new
            open_files += new
        return found

    def circles(self):
        """The arrows between files that reach each other."""
        reach = {a: self.reach(a) for a in self.files()}
        return [f"{a} -> {b}: {' '.join(sorted(names))}" for a in sorted(self.arrows)
                for b, names in sorted(self.arrows[a].items()) if a in reach[b]]


def hook_functions(root):
    names = set(HOOKS)
    for header in HOOK_HEADERS:
        path = root / header
        if path.exists():
            names |= set(DECLARED.findall(COMMENT.sub("", path.read_text(encoding="utf-8"))))
    return names


def is_leftover(made, source):
    path = pathlib.Path(source)
    return not path.exists() or made.stat().st_mtime < path.stat().st_mtime


def objects(build):
    """(link set, object, source) of each object of the graph. A link set is a folder of objects that may be linked with
    each other; it never contains two backends. An object older than its source is a leftover, because lint runs after
    a build. A .d file without an object is not of a compiler: a Debian in the build folder has such names, too."""
    for depfile in sorted(build.rglob("*.d")):
        made = depfile.with_suffix(".o")
        if not made.exists():
            continue
        words = depfile.read_text(encoding="utf-8").replace("\\\n", " ").split("\n", 1)[0].split()
        source = words[1]
        inner = str(pathlib.PurePosixPath(source).with_suffix(".o"))
        if in_graph(source) and str(made).endswith(inner) and not is_leftover(made, source):
            yield str(made)[:-len(inner)], made, source


def symbols(nm, made):
    """(defined, undefined) names of an object."""
    out = subprocess.run([nm, str(made)], check=True, capture_output=True, text=True).stdout
    defined, undefined = set(), set()
    for kind, name in (match.groups() for match in map(SYMBOL.match, out.splitlines()) if match):
        if kind == "U":
            undefined.add(name)
        elif kind in "TDBRCVW":
            defined.add(name)
    return defined, undefined


def add_calls(graph, build, nm, hooks):
    sets = collections.defaultdict(list)
    for link_set, made, source in objects(build):
        sets[link_set].append((source, *symbols(nm, made)))
    for members in sets.values():
        where = collections.defaultdict(set)
        for source, defined, _ in members:
            for name in defined - hooks:
                where[name].add(source)
        for source, _, undefined in members:
            for name in undefined - hooks:
                for target in where.get(name, ()):
                    graph.add(source, target, name)
    return sum(len(members) for members in sets.values())


def add_includes(graph, root):
    found = [path for top in sorted({folder.split("/")[0] for folder in FLOORS}) for path in (root / top).rglob("*.[chS]")]
    known = {str(path.relative_to(root)): path for path in found if in_graph(str(path.relative_to(root)))}
    for name, path in sorted(known.items()):
        for included in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if HOOK_TYPES.get(included) == name:
                continue
            beside = str(pathlib.PurePosixPath(name).parent / included)
            targets = [beside] if beside in known else [other for other in known if other.endswith("/" + included)]
            for target in targets:
                graph.add(name, target, pathlib.PurePosixPath(included).name)


def main(words):
    parser = argparse.ArgumentParser(description="Checks the include and call graph for circles and upward arrows.")
    parser.add_argument("--show", action="store_true", help="print every arrow and the names behind it")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(), help="the tree (default: here)")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("nm")
    options = parser.parse_args(words)
    graph = Graph()
    hooks = hook_functions(options.root)
    read = add_calls(graph, options.build, options.nm, hooks)
    add_includes(graph, options.root)
    if options.show:
        for a in sorted(graph.arrows):
            for b, names in sorted(graph.arrows[a].items()):
                print(f"{a} -> {b}: {' '.join(sorted(names))}")
    upward, circles = graph.upward(), graph.circles()
    for line in upward:
        print(f"check-graph: upward: {line}")
    for line in circles:
        print(f"check-graph: in a circle: {line}")
    if not read:
        print(f"check-graph: no object file below {options.build}: build first")
    arrows = sum(len(targets) for targets in graph.arrows.values())
    print(f"check-graph: {len(graph.files())} files, {arrows} arrows, {len(upward)} upward, {len(circles)} in circles; "
          f"{len(hooks)} functions are declared hooks")
    return 1 if upward or circles or not read else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
