#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests the build on a copy of the tree with awkward characters in its path: what a change rebuilds, concurrent makes,
other locales, and the one line that explains why make cannot build. Prints TAP.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from tap import Tap, room  # noqa: E402

ODD_NAME = "a b ü $x 'q\" #y % {z}"
OURS = ("BUILD", "CFLAGS", "LDFLAGS", "DESTDIR", "PREFIX", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "HOSTCC", "LC_ALL",
        "PAYLOAD", "KERNEL", "RUN", "OUT")
LOCALE = "tr_TR.UTF-8"
# Drops the version from a shared library's name.
MADE = re.compile(r"(?:-o|rcs) build/(\S+?)(?:(?<=\.so)\.[0-9.]+)?(?:\.new)?(?=\s|$)")
STEP = re.compile(r"  (CC|AS|AR|LD)\t(build/[\w./-]+)")
NOTHING = "make[1]: Nothing to be done for 'everything'."
WAITS = "make: waits for another make in build"
LIBRARY_USERS = {"target/payloads/consumer.elf", "target/libvmo/tests/conformance/suite.elf",
                 "target/libvmo/tests/conformance/suite-life.elf", "target/boot/tests/cost/cost.elf",
                 "target/boot/tests/differ/differ.elf", "host/libvmo.a", "host/libvmo.so"}


class Tree:
    """A copy of the tree, in which make runs."""

    def __init__(self, folder):
        self.path, self.build = folder, folder / "build"
        shutil.copytree(ROOT, folder, symlinks=True, ignore=lambda at, names: {
            name for name in names if name in (".git", "__pycache__") or at == str(ROOT) and name.startswith("build")})

    def start(self, *words, **more):
        environment = {key: value for key, value in os.environ.items() if key not in OURS} | more
        return subprocess.Popen(["make", "--no-print-directory", "-C", self.path, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, env=environment)

    def make(self, *words, **more):
        """-> (exit code, output)"""
        process = self.start(*words, **more)
        said = process.communicate(timeout=600)[0].decode(errors="replace")
        return process.returncode, said

    def would_make(self, touched):
        """-> what make rebuilds after a change of this file."""
        path = self.path / touched
        before = path.stat()
        path.touch()
        code, said = self.make("-n", "all")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        return set(MADE.findall(said)) if code == 0 else {said}


def check_nothing(tap, tree, after):
    code, said = tree.make("-q", "all")
    tap.check(code == 0, f"after {after} nothing is left to do", said)


def check_clean(tap, tree):
    """Two makes at once build a clean tree, with more jobs than the machine has processors."""
    both = [tree.start("-j8", "all"), tree.start("-j8", "all")]
    said = [process.communicate(timeout=600)[0].decode(errors="replace") for process in both]
    tap.check([process.returncode for process in both] == [0, 0], "make -j8, twice at once, in a clean tree", "\n".join(said))
    lines = "".join(said).splitlines()
    others = [line for line in lines if not STEP.fullmatch(line)]
    tap.check(sorted(others) == [WAITS, NOTHING] and len(lines) == len({*lines}) > 500,
              "each step prints one line; the second make says that it waits, and finds nothing to do", others)
    check_nothing(tap, tree, "both")
    tap.check(not list(tree.build.rglob("*.new")), "no partial file is left", list(tree.build.rglob("*.new")))


def check_installs(tap, tree):
    stages = {}
    locales = tree.path / "locales"
    locales.mkdir()
    made = subprocess.run(["localedef", "--no-archive", "-i", "tr_TR", "-f", "UTF-8", locales / LOCALE], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    tap.check(made.returncode == 0 and any(locales.iterdir()), f"the locale {LOCALE} can be created", made.stdout)
    for locale in ("C", LOCALE):
        stage = tree.path / f"stage {locale} $y"
        code, said = tree.make("install", "install-target", f"DESTDIR={stage}", LC_ALL=locale, LOCPATH=str(locales))
        stages[locale] = {str(path.relative_to(stage)) for path in stage.rglob("*")}
        tap.check(code == 0 and len(stages[locale]) > 60, f"make install install-target under {locale}", said)
    tap.check(stages["C"] == stages[LOCALE], "both locales install the same files", sorted(stages["C"] ^ stages[LOCALE]))
    check_nothing(tap, tree, "the installs")
    shutil.rmtree(locales)


def check_lines(tap, tree):
    """What make prints when one source has changed. name: words, a pattern of the output."""
    source, library = tree.path / "libvmo/src/status.c", "build/host/libvmo.a"
    for name, words, wanted in (
            ("a line for each step", [], r"  CC\tbuild/host/libvmo/src/status\.o\n  AR\tbuild/host/libvmo\.a\n"),
            ("make -s: none", ["-s"], ""),
            ("V=1: the commands, without the lines", ["V=1"], r"(?s)\S.* -c -o build/host/libvmo/src/status\.o .*\n(?! )[^\t]*"),
            ("make -s -j2 all: none", ["-s", "-j2", "all"], "")):
        source.touch()
        code, said = tree.make(*(words if "all" in words else [*words, library]))
        tap.check(code == 0 and re.fullmatch(wanted, said), f"a changed source: {name}", said)
    tap.check(tree.make(library) == (0, ""), "a file that is up to date: no line")


def check_remade(tap, tree):
    made = tree.would_make("libvmo/src/status.c")
    tap.check(LIBRARY_USERS <= made, "a source of the library: its users are linked again", sorted(LIBRARY_USERS - made))
    foreign = {name for name in made if name.endswith(".o") and "status" not in name and "_el" not in name}
    tap.check(not foreign, "a source of the library: no other object is rebuilt", sorted(foreign))
    made = tree.would_make("libvmo/include/vmo/vmo.h")
    tap.check({"target/payloads/producer/producer.o", "host/libvmo/src/status.o", "target/payloads/consumer.elf"} <= made
              and "kernel/kernel.elf" not in made, "a public header: the files that include it are rebuilt", sorted(made))
    made = tree.would_make("linker/payload.ld")
    tap.check("target/payloads/evil/evil_float.elf" in made and "kernel/kernel.elf" not in made,
              "the payloads' linker script: the payloads are rebuilt", sorted(made))
    made = tree.would_make("linker/kernel.ld")
    kernels = {"kernel/kernel.elf"} | {f"fault/{fault}.elf" for fault in ("address", "early", "guard", "stack", "text")}
    tap.check(made == kernels, "the kernel's linker script: the kernels are rebuilt", sorted(made ^ kernels))
    (tree.path / "libvmo/src/added.c").write_text("extern int added;\nint added;\n", encoding="ascii")
    libraries = ("build/target/libvmo.a", "build/host/libvmo.a")
    added = tree.make(*libraries)
    (tree.path / "libvmo/src/added.c").unlink()
    taken = tree.make(*libraries)
    held = [subprocess.run(["ar", "t", tree.path / name], check=True, stdout=subprocess.PIPE).stdout.decode()
            for name in libraries]
    tap.check((added[0], taken[0]) == (0, 0) and not any("added" in names for names in held), "a removed source leaves no object in a library",
              (added, taken, held))
    makefile = (tree.path / "Makefile").read_text(encoding="utf-8")
    (tree.path / "Makefile").write_text(makefile.replace("TARGET_CFLAGS := ", "TARGET_CFLAGS := -DANOTHER "), encoding="utf-8")
    code, said = tree.make("-n", "all")
    tap.check(code == 0 and "-DANOTHER" in said, "a flag in the Makefile: the files compiled with it are rebuilt", said[-2000:])
    (tree.path / "Makefile").write_text(makefile, encoding="utf-8")


def check_goals(tap, tree):
    code, said = tree.make("-j8", "clean", "build/kernel/kernel.elf")
    tap.check(code == 2 and "one after the other" in said, "files and other goals together: one line", said)
    code, said = tree.make("-j8", "build/host/libvmo.a")
    tap.check(code == 0, "a file by its name", said)
    code, said = tree.make("-n", "run-qemu", "ABI=a1;id", "MEM=1 M")
    tap.check(code == 0 and "--abi 'a1;id'" in said and "--mem '1 M'" in said, "ABI and MEM are one word each, whatever they are", said[-500:])
    code, said = tree.make("-n", "debug", "ABI=all")
    tap.check(code == 0 and "debug.sh '' '320M'" in said, "the memory of debug is its second word", said[-500:])
    code, said = tree.make("clean")
    tap.check(code == 0 and {path.name for path in tree.build.iterdir()} == {".lock"}, "clean removes everything except the lock", said)


# name: words, environment, text of the one line
REFUSED = [
    ("BUILD with a blank", ["BUILD=a b"], "make cannot build in 'a b'"),
    ("BUILD with a colon", ["BUILD=a:b"], "make cannot build in 'a:b'"),
    ("BUILD empty", ["BUILD="], "make cannot build in ''"),
    ("BUILD the tree itself", ["BUILD=."], "make cannot build in '.'"),
    ("PREFIX with a blank", ["install", "PREFIX=/a b"], "install: a character that no path in a .pc file should have: /a b"),
    ("two proofs", ["run-host", "PROOF=share stream"], "PROOF: there is no proof 'share stream'"),
    ("no compiler", ["HOSTCC=no-such-cc"], "make: missing no-such-cc (compiles the host tools"),
    ("no cross compiler", ["CROSS=no-such-"], "make: missing no-such-gcc (compiles the kernel"),
    ("no QEMU", ["run-qemu", "QEMU=no-such-qemu"], "make: missing no-such-qemu (boots"),
    ("clang counts no branches", ["coverage", "HOSTCC=clang"], "make: analyze and coverage need gcc, not clang"),
]


def check_refused(tap, tree):
    """make prints one line and builds nothing."""
    shutil.rmtree(tree.build)
    for name, words, line in REFUSED:
        if "HOSTCC=clang" in words and not shutil.which("clang"):
            continue
        code, said = tree.make(*words)
        tap.check(code == 2 and line in said and len(said.splitlines()) <= 2 and not list(tree.path.rglob("*.o")),
                  f"{name}: one line, and nothing is built", said)
    done = subprocess.run(["sh", tree.path / "scripts/setup.sh", "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    good = done.stdout.startswith("Installs what the build") and len(done.stdout.splitlines()) == 3
    tap.check(good, "setup.sh --help only prints its usage", done.stdout)
    colon = tree.path.with_name("a:b")
    tree.path.rename(colon)
    tree.path, tree.build = colon, colon / "build"
    code, said = tree.make("all")
    tap.check(code == 2 and "move it to a path without ':'" in said and not tree.build.exists(),
              "a colon in the tree's path: one line, and nothing is built", said)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="build-", dir=room()) as folder:
        tree = Tree(pathlib.Path(folder) / ODD_NAME)
        check_clean(tap, tree)
        check_installs(tap, tree)
        check_lines(tap, tree)
        check_remade(tap, tree)
        check_goals(tap, tree)
        check_refused(tap, tree)
    tap.done()


if __name__ == "__main__":
    main()
