#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vmo run, inspect and bench, the options of all commands, and the completion. Prints TAP."""
import ctypes
import fcntl
import mmap
import os
import re
import signal
import subprocess

from tool_case import TREE, digest_of, run_suite

DATA = b"words\n" * 1000
COMMANDS = ("run", "send", "recv", "sum", "inspect", "bench")
PAGE = mmap.PAGESIZE
# For `vmo run`: tries to change the first file.
ATTACK = """
import fcntl, mmap, os, sys
fd = int(os.environ["VMO_FD_1"])
both = mmap.PROT_READ | mmap.PROT_WRITE
for name, attempt in (
    ("write", lambda: os.pwrite(fd, b"x", 0)),
    ("truncate", lambda: os.ftruncate(fd, 0)),
    ("map", lambda: mmap.mmap(fd, 4096, mmap.MAP_SHARED, both)),
    ("reopen", lambda: os.pwrite(os.open(f"/proc/self/fd/{fd}", os.O_RDWR), b"x", 0)),
):
    try:
        attempt()
        print(name)
    except OSError:
        pass
print("end")
"""


def run(case):
    case.write("a", DATA)
    case.write("b c", b"1")
    done = case.vmo(
        "run",
        "a",
        "b c",
        "-",
        "--",
        "sh",
        "-c",
        "echo $VMO_FDS $VMO_FD_1 $VMO_FD_2 $VMO_FD_3 $VMO_LEN_1 $VMO_LEN_2 $VMO_LEN_3 "
        '"$VMO_NAME_2" $VMO_NAME_3; '
        "head -c $VMO_LEN_1 <&$VMO_FD_1; head -c $VMO_LEN_3 <&$VMO_FD_3",
        data=b"input",
    )
    case.check(
        done == (0, b"3 3 4 5 6000 1 5 b c -\n" + DATA + b"input", ""),
        "the command finds numbers, lengths and names, and reads the files",
        done,
    )
    for seal in ("forever", "peers"):
        done = case.vmo("run", f"--seal={seal}", "a", "--", "python3", "-c", ATTACK)
        case.check(
            done == (0, b"end\n", ""), f"--seal={seal}: the command cannot change the file", done
        )
        done = case.vmo("run", "--seal", seal, "-", "--", "python3", "-c", ATTACK, data=DATA)
        case.check(done == (0, b"end\n", ""), f"--seal={seal}: nor standard input", done)
    case.path("a").write_bytes(DATA)
    done = case.vmo("run", "a", "--", "sh", "-c", "echo new >a; head -c $VMO_LEN_1 <&$VMO_FD_1")
    case.check(done[1] == DATA, "a later change of the file does not show", done)
    case.check(
        case.vmo("run", "a", "--", "sh", "-c", "exit 7")[0] == 7, "the exit status is the command's"
    )
    case.check(
        case.vmo("run", "a", "--", "sh", "-c", "kill -9 $$")[0] == -9, "so is its end by a signal"
    )
    case.refused(
        "an unknown command", case.vmo("run", "a", "--", "no-such-command"), 127, "No such file"
    )
    case.refused(
        "a command that cannot run", case.vmo("run", "a", "--", "/"), 126, "Permission denied"
    )
    case.refused("a missing file", case.vmo("run", "gone", "--", "true"), 1, "No such file")
    case.refused("an empty file", case.vmo("run", "/dev/null", "--", "true"), 1, "is empty")
    case.refused("a folder", case.vmo("run", ".", "--", "true"), 1, "Is a directory")
    case.refused(
        "--max", case.vmo("run", "--max=3", "a", "--", "true"), 1, "--max raises this limit"
    )
    case.refused("257 files", case.vmo("run", *["a"] * 257, "--", "true"), 2, "more than 256")
    for words, why in (
        ((), "FILE: missing"),
        (("a",), "CMD: missing"),
        (("a", "--"), "CMD: missing"),
        (("--", "true"), "FILE: missing"),
        (("--seal=x", "a", "--", "true"), "neither"),
    ):
        case.refused(f"vmo run {' '.join(words)}", case.vmo("run", *words), 2, why)
    done = case.shell(
        "$V run a -- sh -c 'for i in 0 1 2 3; do [ ! -h /proc/$$/fd/$i ] || echo $i; done' <&- 2>&-"
    )
    case.check(
        done[:2] == (0, b"1\n3\n"), "a closed standard stream is closed for the command", done
    )
    done = case.shell("trap '' INT; $V run a -- sh -c 'kill -INT $$; echo alive'")
    case.check(done[1] == b"alive\n", "an ignored signal stays ignored", done)
    generated = "/sys/devices/system/cpu/online"
    done = case.vmo("run", generated, "--", "sh", "-c", "head -c $VMO_LEN_1 <&$VMO_FD_1")
    case.check(
        done == (0, open(generated, "rb").read(), ""), "a file of /sys has the length of its data", done
    )
    many = case.vmo("run", *["a"] * 256, "--", "sh", "-c", "echo $VMO_FD_256 $VMO_NAME_256")
    case.check(many == (0, b"258 a\n", ""), "256 files", many)


def row(text, name):
    """The columns of the line of `vmo inspect` for a memory file."""
    found = [line.split(maxsplit=5) for line in text.splitlines() if line.endswith(f" {name}")]
    return found[0][:5] if len(found) == 1 else found


def inspect(case):
    text = case.vmo("run", "a", "--", "sh", "-c", "$V inspect $$")[1].decode()
    case.check(
        row(text, "a") == [str(PAGE), "forever", "sghw", "3:r", "-"],
        "a file of vmo run, sealed forever",
        text,
    )
    text = case.vmo("run", "--seal=peers", "a", "--", "sh", "-c", "$V inspect $$")[1].decode()
    case.check(
        row(text, "a") == [str(PAGE), "peers", "ghf", "3:r", "-"], "sealed against peers", text
    )
    text = case.vmo("run", "a", "a", "--", "sh", "-c", "$V inspect --fd $VMO_FD_2")[1].decode()
    case.check(
        row(text, "a")[:3] == [str(PAGE), "forever", "sghw"] and len(text.splitlines()) == 2,
        "--fd describes a descriptor that was inherited",
        text,
    )
    memory = os.memfd_create("new\nline \\", os.MFD_ALLOW_SEALING)
    os.ftruncate(memory, 3 * PAGE)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    held = [mmap.mmap(memory, 3 * PAGE), mmap.mmap(memory, PAGE, mmap.MAP_SHARED, mmap.PROT_READ)]
    again = os.dup(memory)
    text = case.vmo("inspect", os.getpid())[1].decode()
    fds = f"{memory}:rw,{again}:rw"
    copies = [
        m
        for m in os.listdir("/proc/self/fd")
        if os.path.islink(f"/proc/self/fd/{m}") and "new\nline" in os.readlink(f"/proc/self/fd/{m}")
    ]
    found = row(text, r"new\012line \134")
    case.check(
        found[:3] == [str(3 * PAGE), "none", "-"]
        and fds.split(",")[0] in found[3]
        and found[3].count(":rw") == len(copies)
        and found[4] == f"r--:{PAGE},rw-:{3 * PAGE}",
        "this process: descriptors, mappings by permission, and a name with control characters",
        text,
    )
    fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL)
    os.set_inheritable(memory, True)
    done = case.vmo("inspect", "--fd", memory, pass_fds=(memory,))
    case.check(row(done[1].decode(), r"new\012line \134")[2] == "s", "seals are shown", done)
    del held
    with open(case.path(case.write("memfd:file", b"12")), "r+b") as file:
        mapped = mmap.mmap(file.fileno(), 2)
        text = case.vmo("inspect", os.getpid())[1].decode()
        case.check(not row(text, "file"), "a mapped file whose name has 'memfd:' is no memory", text)
        mapped.close()
    for name, words, code, why in (
        ("a process that is gone", ["4194304999"], 1, "no such process"),
        ("a word", ["self"], 2, "no number"),
        ("nothing", [], 2, "NUMBER: missing"),
        ("two", ["1", "2"], 2, "one operand too many"),
        ("a descriptor of another kind", ["--fd", "0"], 1, "no descriptor of a memory file"),
        ("a closed descriptor", ["--fd", "77"], 1, "no descriptor of a memory file"),
    ):
        case.refused(f"inspect of {name}", case.vmo("inspect", *words), code, why)
    sleeper = subprocess.Popen(["sleep", "60"])
    done = case.vmo("inspect", sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    case.check(
        done[0] == 0 and len(done[1].splitlines()) == 1,
        "a process without memory files: the head alone",
        done,
    )


def bench(case):
    done = case.vmo("bench", "--bytes=4096", "--rounds=1")
    rows = re.findall(r"^ +4096 (\w+) +\d+\.\d\d +\d+ +\d+\.\d\d$", done[1].decode(), re.M)
    case.check(
        done[0] == 0 and rows == ["pipe", "socket", "fresh", "resend", "stream"] and not done[2],
        "bench measures each way",
        done,
    )
    done = case.vmo(
        "bench",
        "--bytes=4096",
        "--rounds=1",
        preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
    )
    case.check(
        done[0] == 0 and len(done[1].splitlines()) == 6, "so it does if SIGCHLD was ignored", done
    )
    for words, why in (
        ("--bytes=12", "multiple of 8"),
        ("--bytes=0", "whole number"),
        ("--rounds=x", "whole number"),
        ("--rounds=1001", "1 to 1000"),
        ("x", "operand"),
    ):
        case.refused(f"vmo bench {words}", case.vmo("bench", words), 2, why)


def usage(case):
    for words, why in (
        ([], "no command"),
        (["x"], "no such command"),
        (["--x"], "no such command"),
        (["-h"], "no such command"),
        ([""], "no such command"),
        (["a\nb"], r"a\012b"),
    ):
        case.refused(f"vmo {words}", case.vmo(*words), 2, why)
    for command in COMMANDS:
        case.refused(f"vmo {command} --x", case.vmo(command, "--x"), 2, "--x: no such option")
        case.refused(f"vmo {command} -X", case.vmo(command, "-X"), 2, "-X: no such option")
        status, out, err = case.vmo(command, "--help")
        case.check(
            status == 0 and out.startswith(f"Usage: vmo {command} ".encode()) and not err,
            f"vmo {command} --help",
        )
        done = case.vmo(command, "--help", stdout=open("/dev/full", "wb"))
        case.check(
            done[0] == 1 and "standard output: No space left on device" in done[2],
            f"vmo {command} --help on a full device",
            done,
        )
    for command, words, why in (
        ("recv", ["s", "--timeout=x"], "no number of seconds"),
        ("recv", ["s", "--timeout=1,5"], "no number"),
        ("recv", ["s", "--timeout"], "needs a value"),
        ("recv", ["s", "-o"], "needs a value"),
        ("recv", ["s", "--timeout=9999999999"], "no number"),
        ("recv", [], "SOCKET: missing"),
        ("recv", ["s", "t"], "one operand too many"),
        ("send", ["s"], "FILE: missing"),
        ("send", [], "SOCKET: missing"),
        ("send", ["s", "f", "g"], "one operand too many"),
        ("send", ["s", "f", "--max=0"], "whole number"),
        ("send", ["s", "f", "--max=99999999999999999999"], "whole number"),
        ("send", ["--no-digest=1"], "takes no value"),
        ("send", ["--progress=x"], "not auto, always or never"),
    ):
        case.refused(f"vmo {command} {' '.join(words)}", case.vmo(command, *words), 2, why)
    done = case.shell("$V --help >&-; echo $?; $V --version; $V </dev/null 2>&-; echo $?")
    case.check(
        re.fullmatch(rb"1\nvmo \(libvmo\) \d+\.\d+\.\d+\n2\n", done[1]),
        "--version, and closed streams",
        done,
    )


def completions(case, *words):
    """What the completion offers for the last word."""
    script = (
        f'source {TREE}/libvmo/tool/vmo.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vmo; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script, "bash", "vmo", *words],
        cwd=case.room,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return set(done.stdout.split("\n")) - {""}


def completion(case):
    case.check(
        completions(case, "") == {*COMMANDS, "--help", "--version"}, "completion of the commands"
    )
    for command in COMMANDS:
        text = case.vmo(command, "--help")[1].decode()
        options = {f"--{name}" for name in re.findall(r"^ +(?:-\w, )?--([a-z-]+)", text, re.M)} | {
            "--help"
        }
        case.check(
            completions(case, command, "-") == options,
            f"completion of each option of {command}",
            (completions(case, command, "-"), options),
        )
    case.check(completions(case, "run", "--seal", "=", "p") == {"peers"}, "completion of a value")
    case.check(
        completions(case, "recv", "--progress", "=") == {"auto", "always", "never"},
        "completion of all values",
    )
    case.check("a" in completions(case, "send", "s", "a"), "completion of a file")
    case.check(
        "sha256sum" in completions(case, "run", "a", "--", "sha256s"), "completion of a command"
    )
    case.check(
        "a" in completions(case, "run", "a", "--", "cat", "a"), "completion of the command's files"
    )
    case.check(str(os.getpid()) in completions(case, "inspect", ""), "completion of a process")
    case.check(digest_of(b"") == case.vmo("sum")[1].decode()[:64], "and no input is no error")


if __name__ == "__main__":
    run_suite(run, inspect, bench, usage, completion)
