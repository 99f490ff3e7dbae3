#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs libvmo from a copy of the tree, checks the installed files, builds programs with them, and uninstalls.

Prints TAP. The copy makes visible if a goal writes into the source tree or outside DESTDIR.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TREE = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(TREE / "tests"), str(TREE / "libvmo/tests/packaging")]
from interface import Page, abi_lines, header_errors, header_prototypes, map_symbols  # noqa: E402
from tap import Tap, room  # noqa: E402

BUILD = TREE / os.environ.get("BUILD", "build")
CC, CXX = os.environ.get("HOSTCC", "gcc"), os.environ.get("CXX", "g++")
MUSL = "musl" in CC
VERSION_USER = """#include <stdio.h>
#include <vmo/vmo.h>
int main(void)
{
    const unsigned version = vmo_version();
    printf("%u %u %u\\n", version / 10000, version / 100 % 100, version % 100);
    return version == VMO_VERSION ? 0 : 1;
}
"""
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
HEADERS = sorted((TREE / "libvmo/include/vmo").glob("*.h"))
CXX_HEADERS = sorted((TREE / "libvmo/include/vmo").glob("*.hpp"))
CMAKE_USER = """cmake_minimum_required(VERSION 3.18)
project(user C)
find_package(libvmo {asked} REQUIRED)
foreach(flavour vmo vmo_static)
    add_executable(user_${{flavour}} {source})
    target_link_libraries(user_${{flavour}} vmo::${{flavour}})
endforeach()
"""
PAGES = [Page(p) for p in sorted((TREE / "libvmo/man").glob("*.[137]"))]
EXAMPLES = sorted((TREE / "libvmo/examples").glob("*.c"))
SMALLEST_LINES = 40
WRAP_BYTES_SAYS = """slice: the part that matters
in place: yes
seal of wrapped bytes: VMO_ERR_UNSUPPORTED
seal of the copy: VMO_OK, copies made: 1
"""
TEMPLATE_DIGEST = hashlib.sha256(b"hello from a VMO\0").hexdigest()
FOREIGN = "include/vmo/somebody_elses.h"
# Ids of kernel facts, requirements and proof steps (K-20, R6), ABI revisions (a1, a2), documents of the tree.
CITATION = re.compile(r"\b[KRP]-?[0-9]+\b|\ba[12]\b|\bdocs/|\bADR\b|\.md\b")


def run(*command, **more):
    more.setdefault("timeout", 300)
    return subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", **more)


def said(done):
    return f"exit {done.returncode}\n{done.stdout}{done.stderr}"


def files(root):
    """-> the relative paths of the files and links below a folder."""
    return {str(p.relative_to(root)) for p in root.rglob("*") if p.is_symlink() or not p.is_dir()}


def fingerprint(root):
    """-> {relative path: (mode, hash of the content)} below a folder."""
    return {str(p.relative_to(root)): (p.lstat().st_mode,
                                       hashlib.sha256(p.read_bytes()).hexdigest() if p.is_file() else "")
            for p in sorted(root.rglob("*"))}


class Suite:
    def __init__(self, tap, room):
        self.tap, self.check, self.room = tap, tap.check, room
        self.source, self.out = room / "tree", room / "out"
        self.prototypes = {}
        for header in HEADERS:
            self.prototypes.update({name: (header.name, *p) for name, p in header_prototypes(header).items()})
        text = (TREE / "libvmo/include/vmo/vmo.h").read_text()
        self.version = ".".join(re.search(rf"^#define VMO_VERSION_{part} (\d+)$", text, re.M).group(1)
                                for part in ("MAJOR", "MINOR", "PATCH"))

    def make(self, *words):
        """Runs make in the copy of the tree, without the variables of an outer make."""
        environment = {k: v for k,
                       v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR", "PREFIX")}
        return run("make", "-C", self.source, f"BUILD={self.out}", *words, env=environment, timeout=600)

    def expected(self):
        """-> the paths below PREFIX of an installation for the host."""
        pages = {f"share/man/man{p.path.suffix[1:]}/{p.path.name}" for p in PAGES}
        names = {f"share/man/man3/{function}.3" for function in self.prototypes}
        libraries = {"lib/libvmo.a", "lib/libvmo.so", "lib/libvmo.so.1", f"lib/libvmo.so.{self.version}"}
        configs = {"lib/pkgconfig/libvmo.pc", "lib/cmake/libvmo/libvmo-config.cmake", "lib/cmake/libvmo/libvmo-config-version.cmake"}
        tool = {"bin/vmo", "share/bash-completion/completions/vmo"}
        return {f"include/vmo/{h.name}" for h in HEADERS + CXX_HEADERS} | libraries | configs | tool | pages | names

    # ---- Installing ------------------------------------------------------------------------------

    def install(self):
        shutil.copytree(TREE, self.source, symlinks=True,
                        ignore=lambda folder, names: {
                            name for name in names
                            if name in (".git", "__pycache__") or folder == str(TREE) and name.startswith("build")})
        before = fingerprint(self.source)
        system = [Path("/usr/local") / f for f in sorted(self.expected())]
        there = [p.lstat().st_mtime_ns if os.path.lexists(p) else None for p in system]
        stage = self.room / "stage with a blank"
        done = self.make("install", f"DESTDIR={stage}")
        if not self.check(done.returncode == 0, "make install DESTDIR=... from a fresh tree", said(done)):
            return
        self.check(files(stage) == {f"usr/local/{f}" for f in self.expected()},
                   "exactly the expected files are installed",
                   sorted(files(stage) ^ {f"usr/local/{f}" for f in self.expected()}))
        self.check({p.name for p in self.room.iterdir()} == {"tree", "out", stage.name},
                   "nothing is written outside DESTDIR")
        now = [p.lstat().st_mtime_ns if os.path.lexists(p) else None for p in system]
        self.check(there == now, "nothing is written to PREFIX itself when DESTDIR is given")
        plain = [p for p in stage.rglob("*") if p.is_file() and not p.is_symlink()]
        modes = {str(p.relative_to(stage)): oct(p.stat().st_mode & 0o7777) for p in plain}
        self.check(plain and modes.pop("usr/local/bin/vmo", "") == oct(0o755) and set(modes.values()) == {oct(0o644)},
                   "every file has mode 0644, but for vmo, which has 0755", modes)
        links = [p for p in stage.rglob("*") if p.is_symlink()]
        self.check(links and all("/" not in os.readlink(p) and p.exists() for p in links),
                   "each link names a file in its own folder")
        pc = (stage / "usr/local/lib/pkgconfig/libvmo.pc").read_text()
        self.check(str(stage) not in pc and "prefix=/usr/local\n" in pc and "@" not in pc,
                   "libvmo.pc names PREFIX, not DESTDIR", pc)
        self.refusals()
        self.uninstall(stage)
        self.check(fingerprint(self.source) == before, "the source tree is unchanged",
                   sorted(set(fingerprint(self.source).items()) ^ set(before.items())))

    def refusals(self):
        for name, prefix in (("relative", "usr"), ("with a blank", "/usr/my own"), ("with a bar", "/usr|local")):
            stage = self.room / "refused"
            done = self.make("install", f"DESTDIR={stage}", f"PREFIX={prefix}")
            self.check(done.returncode != 0 and not stage.exists() and "install:" in done.stderr,
                       f"a PREFIX {name} is refused and nothing is written", said(done))

    def uninstall(self, stage):
        foreign = stage / "usr/local" / FOREIGN
        foreign.write_text("")
        done = self.make("uninstall", f"DESTDIR={stage}")
        self.check(done.returncode == 0 and files(stage) == {f"usr/local/{FOREIGN}"},
                   "uninstall removes its files and no other", said(done))
        foreign.unlink()
        done = self.make("uninstall", f"DESTDIR={stage}")
        self.check(done.returncode == 0 and not files(stage) and not (stage / "usr/local/include/vmo").exists(),
                   "a second uninstall leaves no file and no folder of headers", said(done))

    def install_target(self):
        stage = self.room / "target"
        done = self.make("install-target", f"DESTDIR={stage}", "PREFIX=/opt/x")
        below = "opt/x/riscv64-unknown-elf"
        expected = {f"{below}/include/vmo/{h.name}" for h in HEADERS + CXX_HEADERS} | {"opt/x/share/pkgconfig/libvmo-neuron.pc"}
        expected |= {f"{below}/lib/{name}" for name in ("libvmo.a", "libvmo-start.a", "neuron.ld")}
        self.check(done.returncode == 0 and files(stage) == expected,
                   "install-target: headers, library, start code, linker script and pkg-config file", said(done))
        elf = run("readelf", "-h", stage / below / "lib/libvmo.a").stdout
        machines = re.findall(r"Machine:\s+(\S+)", elf)
        self.check(machines and set(machines) == {"RISC-V"}, "each object of the target's library is for RISC-V", machines)
        done = self.make("uninstall-target", f"DESTDIR={stage}", "PREFIX=/opt/x")
        self.check(done.returncode == 0 and not files(stage), "uninstall-target leaves no file", said(done))

    def template(self):
        """The template payload, with the installed target package alone, boots as init on both ABI revisions."""
        prefix, work = self.room / "neuron", self.room / "template"
        done = self.make("install-target", f"PREFIX={prefix}")
        shutil.copytree(TREE / "payloads/template", work)
        environment = dict(os.environ, PKG_CONFIG_PATH=str(prefix / "share/pkgconfig"))
        built = run("make", "-C", work, env={k: v for k, v in environment.items() if not k.endswith("FLAGS")})
        if not self.check((done.returncode, built.returncode, built.stderr) == (0, 0, ""),
                          "the template builds with the installed target package alone", said(done) + said(built)):
            return
        for revision in ("a1", "a2"):
            booted = run(TREE / "tests/boot_init.py", work / "hello.elf", revision)
            good = f"hello: hello from a VMO, on {revision}, sha256 {TEMPLATE_DIGEST}\nhello: done\n" in booted.stdout
            self.check(good and booted.returncode == 0, f"the template runs on {revision}", said(booted))
        for words, reason in (([], "which program?"), (["/etc/passwd"], "not an ELF file"), ([work / "none"], "No such file"),
                              ([work / "hello.elf", "a3"], "choose a1, a2 or all")):
            refused = run(TREE / "tests/boot_init.py", *words)
            self.check(refused.returncode == 2 and reason in refused.stdout, f"a boot is refused: {reason}", said(refused))

    def debian(self):
        newest = re.match(r"libvmo \((.*)-\d+\)", (TREE / "libvmo/debian/changelog").read_text()).group(1)
        self.check(newest == self.version, "Debian's changelog begins with the header's version", newest)
        rules = (TREE / "libvmo/debian/rules").read_text()
        self.check("libvmo.so.1 libvmo1 " in rules, "Debian's package is named by the soname")

    # ---- The interface ---------------------------------------------------------------------------

    def headers(self):
        for header in HEADERS + CXX_HEADERS:
            standards = ((CC, "c", "c11"), (CXX, "c++", "c++17")) if header.suffix == ".h" else ((CXX, "c++", "c++17"),)
            for compiler, language, standard in standards:
                source = f"#include <vmo/{header.name}>\n" * 2
                done = subprocess.run([compiler, f"-std={standard}", f"-x{language}", *STRICT, "-Wundef", "-Wshadow",
                                       "-fsyntax-only",
                                       f"-I{self.prefix}/include", "-"], input=source, capture_output=True, text=True)
                self.check(done.returncode == 0, f"<vmo/{header.name}> compiles alone, included twice, as {standard}", said(done))

    def narrow_targets(self):
        """The Linux backend refuses a 32-bit target, before it includes any system header."""
        compiler = os.environ.get("CROSS", "riscv64-unknown-elf-") + "gcc"
        for machine, accepted in ((("-march=rv64imac", "-mabi=lp64"), True), (("-march=rv32imac", "-mabi=ilp32"), False)):
            done = subprocess.run([compiler, *machine, "-ffreestanding", "-fsyntax-only", "-xc",
                                   f"-I{TREE}/libvmo/backend/linux", "-"], input='#include "be_types.h"\n',
                                  capture_output=True, text=True)
            named = "libvmo on Linux needs a 64-bit target" in done.stderr
            self.check((done.returncode == 0, named) == (accepted, not accepted),
                       f"the Linux backend {'accepts' if accepted else 'refuses'} {machine[1][6:]}", said(done))

    def symbols(self):
        library = self.prefix / "lib/libvmo.so"
        public = sorted(self.prototypes)
        self.check(len(public) > 40, "more than 40 functions are found in the headers", public)
        abi = [line for line in (TREE / "libvmo/libvmo.abi").read_text().splitlines() if not line.startswith("#")]
        self.check(abi == abi_lines(HEADERS), "libvmo.abi lists the headers' ABI (libvmo/README.md says what a change means)",
                   sorted(set(abi) ^ set(abi_lines(HEADERS))))
        listed = map_symbols(TREE / "libvmo/libvmo.map")
        self.check(listed == public, "the symbol map lists the headers' functions, in order",
                   sorted(set(listed) ^ set(public)))
        table = run("nm", "-D", "--defined-only", library).stdout.split("\n")
        found = sorted(line.split()[2] for line in table if line and line.split()[1] != "A")
        self.check(found == [f"{name}@@VMO_1" for name in public], "libvmo.so exports the headers' functions and nothing else", found)
        functions = [re.search(r"\b(vmo_\w+)\(", line).group(1) for line in abi if "(" in line]
        self.check([f"{name}@@VMO_1" for name in sorted(functions)] == found, "libvmo.abi lists the functions that libvmo.so exports",
                   set(functions) ^ {name.partition("@")[0] for name in found})
        dynamic = run("readelf", "-dW", library).stdout
        self.check(re.findall(r"\(SONAME\).*\[(.*)\]", dynamic) == ["libvmo.so.1"], "its soname is libvmo.so.1",
                   dynamic)
        self.check(set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)) <= {"libc.so" if MUSL else "libc.so.6"}, "it needs nothing but libc",
                   dynamic)
        self.check("TEXTREL" not in dynamic and "NOW" in dynamic, "it has no text relocations and binds at once",
                   dynamic)
        archive = run("nm", "-g", "--defined-only", self.prefix / "lib/libvmo.a").stdout
        missing = [name for name in public if not re.search(rf" T {name}$", archive, re.M)]
        self.check(not missing, "libvmo.a defines each public function", missing)

    def pkg_config(self, *words):
        environment = dict(os.environ, PKG_CONFIG_PATH=str(self.prefix / "lib/pkgconfig"))
        environment.pop("PKG_CONFIG_SYSROOT_DIR", None)
        return run("pkg-config", *words, "libvmo", env=environment)

    def pc_file(self):
        for words, expected in ((["--modversion"], self.version), (["--cflags"], f"-I{self.prefix}/include"),
                                (["--libs"], f"-L{self.prefix}/lib -lvmo"), (["--static", "--libs"],
                                                                             f"-L{self.prefix}/lib -lvmo")):
            done = self.pkg_config(*words)
            self.check(done.returncode == 0 and done.stdout.strip() == expected, f"pkg-config {' '.join(words)}",
                       said(done))
        self.check(self.pkg_config("--validate").returncode == 0, "pkg-config --validate")

    # ---- The manual ------------------------------------------------------------------------------

    def citations(self):
        """Installed files cite nothing of the tree: their readers do not have it."""
        for path in [*HEADERS, *CXX_HEADERS, TREE / "linker/payload.ld", *(page.path for page in PAGES)]:
            cited = CITATION.findall(path.read_text())
            self.check(not cited, f"{path.name} cites no id, revision or document of the tree", cited)

    def manual(self):
        self.citations()
        for page in PAGES:
            done = run("mandoc", "-T", "lint", "-W", "warning", page.path)
            self.check(done.returncode == 0, f"mandoc has no warning for {page.path.name}", said(done))
        documented = [(name, page) for page in PAGES for name in page.names if page.path.suffix == ".3"]
        once = sorted(name for name, _ in documented)
        self.check(once == sorted(self.prototypes), "each function has exactly one manual page",
                   set(once) ^ set(self.prototypes))
        for page in PAGES:
            if page.path.suffix != ".3":
                continue
            self.check([p[0] for p in page.prototypes] == page.names,
                       f"{page.path.name}: each name has a prototype", page.prototypes)
            wrong = [p for p in page.prototypes if self.prototypes.get(p[0], ("",))[1:] != (p[1], p[2])]
            self.check(not wrong, f"{page.path.name}: the prototypes are those of the headers", wrong)
            needed = {f"vmo/{self.prototypes[n][0]}" for n in page.names if n in self.prototypes}
            self.check(needed == set(page.includes), f"{page.path.name}: lists the headers of its functions", page.includes)
            silent = [n for n in page.names if f".Fn {n}" not in page.body]
            self.check(not silent, f"{page.path.name}: describes each function", silent)
        self.members()
        self.statuses()

    def members(self):
        text, page = (TREE / "libvmo/include/vmo/vmo.h").read_text(), (TREE / "libvmo/man/vmo_registry.3").read_text()
        explained = {name for line in re.findall(r"^\.It Va (.*)$", page, re.M) for name in line.split(" , ")}
        for struct in ("vmo_limits", "vmo_counters"):
            members = set(re.findall(r"^ +uint\d+_t (\w+);",
                                     re.search(rf"^struct {struct} {{(.*?)^}}", text, re.S | re.M).group(1), re.M))
            self.check(members and members <= explained, f"vmo_registry(3) explains each member of {struct}",
                       members - explained)

    def statuses(self):
        declared = re.findall(r"^\s+(VMO_ERR_\w+)\s*=", (TREE / "libvmo/include/vmo/vmo.h").read_text(), re.M)
        known, named = set(declared), {error for page in PAGES for error in page.errors}
        self.check(known and named <= known, "the manual names only existing statuses", named - known)
        status_page = next(page for page in PAGES if page.path.name == "vmo_status.3")
        self.check(status_page.errors == known, "vmo_status(3) explains every status", known ^ status_page.errors)
        targets = {f"{n}.{p.path.suffix[1:]}" for p in PAGES for n in p.names} | {p.path.name for p in PAGES}
        listed = {name: errors for header in HEADERS for name, errors in header_errors(header).items()}
        silent = {name: sorted((errors & known) - page.errors) for page in PAGES for name in page.names
                  if (errors := listed.get(name, set())) & known - page.errors}
        self.check(len(listed) > 40 and not silent,
                   "a page explains each status that a header lists for its functions", silent)
        broken = [f"{p.path.name}: {n}({s})" for p in PAGES for n,
                  s in p.references if "vmo" in n and f"{n}.{s}" not in targets]
        self.check(not broken, "cross-references name only existing pages", broken)

    # ---- The command -----------------------------------------------------------------------------

    def tool(self):
        """vmo(1) runs from where it is installed; test_tool_* test what it does."""
        vmo = self.prefix / "bin/vmo"
        done = run(vmo, "--version", env={"PATH": os.environ["PATH"]})
        self.check((done.stdout, done.returncode) == (f"vmo (libvmo) {self.version}\n", 0), "vmo --version", said(done))
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-dW", vmo).stdout))
        self.check(needed <= {"libc.so" if MUSL else "libc.so.6"}, "vmo needs nothing but libc", needed)
        page = (TREE / "libvmo/man/vmo.1").read_text()
        commands = re.findall(r"^  vmo ([a-z]+) ", run(vmo, "--help").stdout, re.M)
        self.check(len(commands) == 6, "vmo --help lists six commands", commands)
        for command in commands:
            options = set(re.findall(r"^ +(?:-\w, )?--([a-z-]+)", run(vmo, command, "--help").stdout, re.M))
            section = re.search(rf"^\.Ss {command}$(.*?)(?=^\.S[sh] )", page, re.S | re.M)
            explained = set(re.findall(r"Fl -([a-z-]+)", " ".join(
                re.findall(r"^\.It (Fl .*)$", section[1], re.M)))) if section else None
            self.check(options == explained, f"vmo(1) explains each option of vmo {command}", (options, explained))

    # ---- Programs --------------------------------------------------------------------------------

    def build(self, source, flavour):
        """Compiles as a user would -> the program, or None after a failed check."""
        program = self.room / f"{source.stem}.{flavour}"
        flags = self.pkg_config("--cflags", "--libs", *(["--static"] if flavour == "static" else [])).stdout.split()
        cxx = source.suffix == ".cpp"
        command = [CXX if cxx else CC, "-std=c++17" if cxx else "-std=gnu11", *STRICT, "-O2", source, "-o", program,
                   *flags]
        done = run(*command, *(["-static"] if flavour == "static" else []))
        good = self.check(done.returncode == 0, f"{source.name} builds, {flavour}", said(done))
        return program if good else None

    def start(self, program, *words):
        environment = dict(os.environ, LD_LIBRARY_PATH=str(self.prefix / "lib"))
        return run(program, *words, env=environment, timeout=30)

    def outputs(self, name):
        """-> [(arguments, expected output, expected exit status)] of a program"""
        blob = self.room / "blob"
        data = bytes(i * 7 & 255 for i in range(10_000))
        blob.write_bytes(data)
        text = self.room / "text"
        text.write_text("checked\n")
        right = hashlib.sha256(b"checked\n").hexdigest()
        whole, part = hashlib.sha256(data).hexdigest(), hashlib.sha256(data[4095:4095 + 5]).hexdigest()
        return {
            "hello_share": [([], "hello\n", 0)],
            "wrap_bytes": [([], WRAP_BYTES_SAYS, 0)],
            "two_processes": [([], "digests: the same\nhanded over: 1048576 bytes, copied: 0 times\n", 0)],
            "checked_copy": [([text, right], "checked\n", 0), ([text, whole], "", 1), ([text], "", 2)],
            "file_digest": [([blob], f"{whole}  {blob}\n", 0), ([blob, "4095", "5"], f"{part}  {blob}\n", 0),
                            ([blob, "9999", "2"], "", 1), ([blob, "0", "0"], "", 1), ([blob, "-", "2"], "", 2)],
            "camera": [([], "each picture was shown, or counted as lost\n", 0)],
            "fanout": [([], "the same digest: 8 of 8\n", 0)],
            "fill": [([], "request 1: good, copies: 0\nrequest 2: good, copies: 1\n", 0)],
            "planes": [([], "pictures: 3 of 3\n", 0)],
            "version_user": [([], self.version.replace(".", " ") + "\n", 0)],
            "cxx_user": [([], "VMO_OK VMO_ERR_BAD_HANDLE\n", 0)],
            "raii_user": [([], "through C++, C++, Through\n", 0)],
        }[name]

    def programs(self):
        smallest = (TREE / "libvmo/examples/hello_share.c").read_text().splitlines()
        self.check(len(smallest) < SMALLEST_LINES, f"the smallest example has fewer than {SMALLEST_LINES} lines", len(smallest))
        shown = "\n".join(f"    {line}".rstrip() for line in smallest[1:])  # without its licence line
        self.check(shown in (TREE / "README.md").read_text(), "README shows the smallest example unchanged", shown)
        version = self.room / "version_user.c"
        version.write_text(VERSION_USER)
        # There is no C++ compiler for musl.
        for source in [*EXAMPLES, version, *([] if MUSL else sorted((TREE / "libvmo/tests/packaging").glob("*.cpp")))]:
            for flavour in ("shared", "static"):
                program = self.build(source, flavour)
                if not program:
                    continue
                needed = run("readelf", "-dW", program).stdout
                self.check(("[libvmo.so.1]" in needed) == (flavour == "shared"),
                           f"{source.name}, {flavour}: {'needs' if flavour == 'shared' else 'does not need'} libvmo.so.1",
                           needed)
                for words, expected, code in self.outputs(source.stem):
                    done = self.start(program, *words)
                    name = " ".join([source.stem, *(str(w) for w in words[1:])])
                    self.check((done.stdout, done.returncode) == (expected, code),
                               f"{name}, {flavour}: output and exit status are right", said(done))

    def cmake(self):
        """A user of find_package, with the shared library and the static one; a version that is newer is not found."""
        work = self.room / "cmake"
        work.mkdir()
        source = TREE / "libvmo/examples/hello_share.c"

        def configure(asked):
            (work / "CMakeLists.txt").write_text(CMAKE_USER.format(asked=asked, source=source))
            return run("cmake", "-S", work, "-B", work / asked, f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_C_COMPILER={CC}")

        done = configure("0.3")
        built = run("cmake", "--build", work / "0.3")
        if self.check((done.returncode, built.returncode) == (0, 0), "a CMake project builds with find_package", said(done) + said(built)):
            for flavour in ("vmo", "vmo_static"):
                ran = self.start(work / "0.3" / f"user_{flavour}")
                self.check((ran.stdout, ran.returncode) == ("hello\n", 0), f"its program with vmo::{flavour} runs", said(ran))
        self.check("version" in configure("9.0").stderr, "CMake does not find a version newer than the installed one")

    def run(self):
        self.install()
        self.install_target()
        self.debian()
        if not MUSL:  # which changes nothing for the target
            self.template()
        self.prefix = self.room / "prefix"
        done = self.make("install", f"PREFIX={self.prefix}")
        if self.check(done.returncode == 0, "make install PREFIX=... without DESTDIR", said(done)):
            self.headers()
            self.narrow_targets()
            self.symbols()
            self.pc_file()
            self.tool()
            self.programs()
            self.cmake()
        self.manual()


def main():
    tap = Tap()
    BUILD.mkdir(parents=True, exist_ok=True)
    # PREFIX and BUILD must not have blanks, but the path of the tree may.
    plain = re.fullmatch(r"[A-Za-z0-9/._+@~-]+", str(BUILD))
    with tempfile.TemporaryDirectory(prefix="packaging-", dir=room() if plain else None) as folder:
        Suite(tap, Path(folder)).run()
    tap.done()


if __name__ == "__main__":
    main()
