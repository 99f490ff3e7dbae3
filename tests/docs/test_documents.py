#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs each command of the documents and of the manual, compiles each fragment of C, follows links.

exceptions.py lists the commands that cannot run here, with the reason for each. A listed command
that no document has is a failure, and so is a command that changes the tree. Prints TAP.
`make check-docs` runs it.
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
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/docs")]
import exceptions  # noqa: E402
import extract  # noqa: E402
from tap import Tap, room  # noqa: E402

BUILD = os.environ.get("BUILD", "build")
HOSTCC = os.environ.get("HOSTCC", "gcc")
LIMIT_SECONDS = 300  # of one command, on a busy host
# What the outer make hands on, and would change what a command does.
OURS = ("DESTDIR", "PREFIX", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "PAYLOAD",
        "KERNEL", "RUN", "OUT", "INIT", "QEMU_EXTRA", "ABI", "WITNESS")
MARKDOWN = """text `make one` and `make
two`, `scripts/three.sh` alone, `scripts/four.sh --help`

    make five \\\\
        SIX=6   # a comment
    output of make

1. An item that goes on
    with four columns: make nothing

       A=1 sh scripts/seven.sh

```
picture:  make         nothing
host-ref eight
```

```c
int nine;
```
"""
MANUAL = """.Sh SYNOPSIS
.Fd cc ten.c
.Sh EXAMPLES
.Dl vmo eleven \\-x
.Bd -literal
{0}
.Ed
"""
FRAGMENT = """
#include <vmo/descriptor.h>
#include <vmo/sha256.h>
#include <vmo/stream.h>
struct vmo_registry *registry;
vmo_peer_t peer;
vmo_t vmo, luma, chroma;
vmo_status status;
void example(void);
void example(void)
{
    {
%s    }
}
"""
# A page's fragments come in pairs: the first sends, in a child, what the second receives.
PAIR = """
#include <err.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmo/descriptor.h>
#include <vmo/stream.h>
static unsigned char bytes[4096];
static void must(vmo_status status)
{
    if (status != VMO_OK) {
        errx(1, "%%s: %%s", vmo_status_name(status), vmo_status_str(status));
    }
}
static void send_it(struct vmo_registry *registry, vmo_peer_t peer, uint64_t deadline)
{
%s}
static void receive_it(struct vmo_registry *registry, vmo_peer_t peer, uint64_t deadline)
{
%s    if (memcmp(%s, bytes, sizeof(bytes)) != 0) {
        errx(1, "the receiver got other bytes");
    }
}
int main(void)
{
    static _Alignas(16) unsigned char memory[VMO_REGISTRY_BYTES(8, 8, 8, 1)];
    const struct vmo_limits limits = {8, 8, 8, 1, 0, 0};
    int ends[2], done[2], status = 0;
    struct vmo_registry *registry = NULL;
    vmo_peer_t peer;
    char byte;
    memset(bytes, 0x5a, sizeof(bytes));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0 || pipe(done) != 0) {
        err(1, "no channel");
    }
    const pid_t child = fork();
    close(ends[child == 0]);
    must(vmo_registry_init(memory, sizeof(memory), &limits, &registry));
    must(vmo_peer_open(registry, ends[child != 0], &peer));
    must(vmo_peer_allow(registry, peer));
    const uint64_t deadline = vmo_now_ns(registry) + 60000000000;
    if (child == 0) {
        close(done[1]);
        send_it(registry, peer, deadline);
        return read(done[0], &byte, 1) != 0;
    }
    receive_it(registry, peer, deadline);
    close(done[1]);
    return waitpid(child, &status, 0) != child || status != 0;
}
"""
# The source that a compiler of the documents takes, whatever its name there.
COMPILERS = {"cc": "libvmo/examples/hello_share.c",
             "riscv64-unknown-elf-gcc": "payloads/template/hello.c"}
PAIRED = "docs/migration.md"
RECEIVED = ("vmo_view_data(registry, view)", "vmo_view_data(registry, part)", "frame.data")
LINKED = "$(pkg-config --cflags --libs libvmo)"
COMPILED = "-c $(pkg-config --cflags libvmo)"
WARNINGS = ("-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-variable",
            "-Wno-unused-but-set-variable")


class Shell:
    """Runs commands as a reader would, in the root of the tree, with libvmo installed elsewhere."""

    def __init__(self, folder):
        self.room = folder
        self.installed = folder / "installed"
        self.sources = folder / "sources"
        path = os.pathsep.join
        self.env = {key: value for key, value in os.environ.items() if key not in OURS} | {
            "BUILD": BUILD, "HOSTCC": HOSTCC,
            "ROOM": str(folder / "made"), "OUT": str(folder / "neuron"),
            "PREFIX": str(self.installed), "STAGE": str(folder / "stage"),
            "PROGRAMS": str(self.sources),
            "PATH": path((str(ROOT / BUILD / "host/host-ref"), str(self.installed / "bin"), os.environ["PATH"])),
            "PKG_CONFIG_PATH": path(str(self.installed / below / "pkgconfig")
                                    for below in ("lib", "share")),
            "LD_LIBRARY_PATH": str(self.installed / "lib")}

    def run(self, command, folder=ROOT):
        """-> (exit code, output)"""
        with subprocess.Popen(["bash", "-c", command], cwd=folder, env=self.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as process:
            try:
                said = process.communicate(timeout=LIMIT_SECONDS)[0]
            except subprocess.TimeoutExpired:
                process.kill()
                said = process.communicate()[0] + f"\nended after {LIMIT_SECONDS} s\n".encode()
        return process.returncode, said.decode(errors="replace")


def git(*words):
    return subprocess.run(["git", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                          check=True).stdout


def check_extraction(tap):
    found = extract.markdown(MARKDOWN.replace("\\\\", "\\"))
    wanted = ["make five SIX=6", "A=1 sh scripts/seven.sh", "host-ref eight", "make one",
              "make two", "scripts/four.sh --help"]
    tap.check(found.commands == wanted and found.fragments == ["int nine;\n"],
              "commands and fragments of a document are found", found)
    found = extract.manual(MANUAL.format("vmo twelve"), "1")
    tap.check(found.commands == ["cc ten.c", "vmo eleven -x", "vmo twelve"] and not found.fragments,
              "commands of a manual page are found", found)
    found = extract.manual(MANUAL.format("int thirteen;"), "3")
    good = found.fragments == ["int thirteen;\n"]
    tap.check(good, "the example of a manual page is found", found)


def check_exceptions(tap, commands):
    """Each command that is not run exists, and its reason holds."""
    named = exceptions.NOT_RUN.keys() | exceptions.EXPECTED.keys() | exceptions.PRINTS.keys()
    gone = sorted(named - set(commands))
    tap.check(not gone, "each command of exceptions.py is in a document", "\n".join(gone))
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8")
    goals = set(re.findall(r"^(?:make|sh scripts/setup.sh) ([\w-]+)", ci, re.M))
    makefiles = "".join((ROOT / name).read_text(encoding="utf-8")
                        for name in git("ls-files", "*.mk").split())
    false = [command for command, reason in exceptions.NOT_RUN.items()
             if reason == exceptions.CI and command.split()[1] not in goals
             or reason == exceptions.SUITE and re.search(r"(\w+\.py)", command)[1] not in makefiles
             or reason == exceptions.APT and command.rpartition(" ")[0] not in ci]
    tap.check(not false, "each reason holds: CI makes the goal, a .mk file names the suite",
              "\n".join(false))


def program_of(command, shell):
    """A command that compiles runs in a folder with the source, and then what it made with cc."""
    compiler = extract.first_word(command)
    if compiler not in COMPILERS:
        return command, ROOT
    source = re.search(r"\w+\.c\b", command)[0]
    shell.sources.mkdir(exist_ok=True)
    shutil.copyfile(ROOT / COMPILERS[compiler], shell.sources / source)
    output = re.search(r"-o (\S+)", command)
    run = f" && ./{output[1] if output else 'a.out'}" if compiler == "cc" else ""
    return command + run, shell.sources


def check_commands(tap, shell, commands):
    # First what later commands use: the installed libraries, then the programs.
    for command in sorted(commands, key=lambda text: (not text.startswith("make install"),
                                                      extract.first_word(text) not in COMPILERS)):
        if command in exceptions.NOT_RUN:
            continue
        text, folder = program_of(command, shell)
        for placeholder, value in exceptions.PLACEHOLDERS if folder == ROOT else ():
            pattern = rf"(?<![\w.]){re.escape(placeholder)}(?![\w.])"
            text = re.sub(pattern, lambda _, value=value: value, text)
        code, said = shell.run(text.replace("build/", BUILD + "/"), folder)
        good = code == exceptions.EXPECTED.get(command, 0)
        begins = exceptions.PRINTS.get(command, "")
        good = good and any(line.startswith(begins) for line in [*said.splitlines(), begins[:0]])
        tap.check(good, f"{commands[command]}: {command}", f"exit code {code}\n{said[-4000:]}")


def compile_c(shell, text, name, words):
    source = shell.room / f"{name}.c"
    source.write_text(text, encoding="utf-8")
    return shell.run(f"{HOSTCC} {' '.join(WARNINGS)} {source} -o {shell.room / name} {words}")


def check_fragments(tap, shell, found):
    for path, fragments in found.items():
        if path == PAIRED:
            tap.check(len(fragments) == 2 * len(RECEIVED), f"{path} has {len(RECEIVED)} pairs",
                      len(fragments))
            for number, received in enumerate(RECEIVED):
                name, pair = f"pair_{number}", fragments[2 * number:2 * number + 2]
                code, said = compile_c(shell, PAIR % (*pair, received), name, LINKED)
                if code == 0:
                    code, said = shell.run(shell.room / name)
                tap.check(code == 0, f"{path}: pair {number + 1} hands the bytes over", said)
            continue
        for number, fragment in enumerate(fragments):
            code, said = compile_c(shell, FRAGMENT % fragment, f"fragment_{number}", COMPILED)
            tap.check(code == 0, f"{path}: example {number + 1} compiles", said)


def main():
    tap = Tap()
    before = git("status", "--porcelain")
    check_extraction(tap)
    commands, fragments = {}, {}
    tracked = git("ls-files", "--cached", "--others", "--exclude-standard").split("\n")
    for path in extract.documents(ROOT, tracked):
        found, name = extract.document(path), str(path.relative_to(ROOT))
        for command in found.commands:
            commands.setdefault(command, name)
        if found.fragments:
            fragments[name] = found.fragments
        if path.suffix == ".md":
            broken = extract.broken_links(path)
            tap.check(not broken, f"{name}: its links lead somewhere", "\n".join(broken))
    check_exceptions(tap, commands)
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        shell = Shell(pathlib.Path(folder))
        check_commands(tap, shell, commands)
        check_fragments(tap, shell, fragments)
    after = git("status", "--porcelain")
    tap.check(before == after, "no command changed the tree", after)
    count = len(exceptions.NOT_RUN)
    print(f"# {len(commands) - count} commands ran, {count} are exceptions", flush=True)
    tap.done()


if __name__ == "__main__":
    main()
