# SPDX-License-Identifier: Apache-2.0
"""scripts/supervise.py: a signal at any moment leaves no process and no partial file.

Each case is a small program below a supervisor. It writes "here" to a fifo at an exact moment. Every process of the
case has the fifo open for writing, so the fifo ends with the last one. No test sleeps; the only timeout is PATIENCE_SECONDS.
"""
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

import supervise  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap  # noqa: E402  pylint: disable=wrong-import-position

PATIENCE_SECONDS = 60
INT, TERM, HUP, QUIT, KILL = signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGKILL

BEGIN = """
import os, pathlib, signal, subprocess, sys
sys.dont_write_bytecode = True
sys.path[:0] = [sys.argv[1]]
import supervise
fifo, folder = int(sys.argv[2]), pathlib.Path(sys.argv[3])
supervisor = os.getpid()
def here():
    os.write(fifo, b"here\\n")
def stay():
    here()
    while True:
        signal.pause()
def deaf():
    for number in supervise.ENDING:
        signal.signal(number, signal.SIG_IGN)
"""

MAKES = """
makefile = folder.parent / "Makefile"
makefile.write_text(f"{folder}/file:\\n\\t@echo half >$@; echo here >/dev/fd/{fifo}; exec tail -f /dev/null >/dev/null\\n")
supervise.enter()
subprocess.run(["make", "-f", makefile], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[fifo],
               preexec_fn=supervise.tied())
"""

NESTED = """
supervise.enter()
if len(sys.argv) == 4:
    inner = [sys.executable, "-c", sys.orig_argv[2], *sys.argv[1:], "inner"]
    subprocess.run(["sh", "-c", '"$@"; exit 1', "sh", *inner], pass_fds=[fifo], preexec_fn=supervise.tied())
elif os.fork() == 0:
    deaf()
    stay()
while True:
    signal.pause()
"""

# name: (program after BEGIN, signal that the suite sends after "here", exit code)
CASES = {
    "SIGINT while it waits": ("supervise.enter(); stay()", INT, 130),
    "SIGTERM while it waits": ("supervise.enter(); stay()", TERM, 143),
    "SIGHUP while it waits": ("supervise.enter(); stay()", HUP, 129),
    "SIGQUIT while it waits": ("supervise.enter(); stay()", QUIT, 131),
    "SIGINT while it computes": ("supervise.enter(); here()\nwhile True: pass", INT, 130),
    "a program that ignores signals": ("supervise.enter(); deaf(); stay()", INT, 130),
    "a program that is stopped": ("supervise.enter(); here(); os.kill(os.getpid(), signal.SIGSTOP)", INT, 130),
    "a signal before the supervisor exists": (
        "signal.pthread_sigmask(signal.SIG_BLOCK, supervise.ENDING); os.kill(os.getpid(), signal.SIGINT); here()\n"
        "supervise.enter(); stay()", None, 130),
    "a signal as the program begins": (
        "supervise.enter(); here(); os.kill(supervisor, signal.SIGINT)\nwhile True: signal.pause()", None, 130),
    "two signals": (
        "supervise.enter(); deaf(); here(); os.kill(supervisor, signal.SIGTERM); os.kill(supervisor, signal.SIGTERM)\n"
        "while True: signal.pause()", None, 143),
    "a child in another session": (
        "supervise.enter()\nif os.fork() == 0: os.setsid(); stay()\nwhile True: signal.pause()", TERM, 143),
    "an orphan in another session": (
        "supervise.enter()\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0: stay()\n  os._exit(0)\n"
        "while True: signal.pause()", INT, 130),
    "an orphan that ignores signals": (
        "supervise.enter()\nif os.fork() == 0:\n  deaf()\n  if os.fork() == 0: stay()\n  os._exit(0)\n"
        "while True: signal.pause()", INT, 130),
    "a signal between forks": (
        "supervise.enter()\nfor count in range(200):\n  if os.fork() == 0:\n    while True: signal.pause()\n"
        "  if count == 50: here(); os.kill(supervisor, signal.SIGINT)\nwhile True: signal.pause()", None, 130),
    "a chain of forks whose parents exit": (
        "supervise.enter(); deaf()\nif os.fork() == 0:\n  for count in range(200):\n    if os.fork() != 0: os._exit(0)\n"
        "    if count == 50: here(); os.kill(supervisor, signal.SIGINT)\nwhile True: signal.pause()", None, 130),
    "a supervisor below a supervisor": (
        "supervise.enter()\nif os.fork() == 0: supervise.enter(); stay()\nwhile True: signal.pause()", INT, 130),
    "output that nobody reads": (
        "supervise.enter(); here()\nwhile True: os.write(1, bytes(65536))", INT, 130),
    "SIGKILL of the supervisor": ("supervise.enter(); stay()", KILL, -9),
    "SIGKILL of the supervisor, with a child tied to the program": (
        "supervise.enter()\nsubprocess.run(['tail', '-f', '/dev/null'], pass_fds=[fifo],"
        " preexec_fn=lambda tie=supervise.tied(): (tie(), here()))", KILL, -9),
    "SIGKILL of a supervisor with another below a shell": (NESTED, KILL, -9),
    "SIGTERM of a supervisor with another below a shell": (NESTED, TERM, 143),
    "a program that ends and leaves a child": (
        "supervise.enter()\nif os.fork() == 0: deaf(); stay()\nsys.exit(3)", None, 3),
    "a program that ends and leaves an orphan": (
        "supervise.enter()\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0: stay()\n  os._exit(0)\n"
        "os.wait(); here(); sys.exit(4)", None, 4),
    "a program that is killed": ("supervise.enter(); here(); os.kill(os.getpid(), signal.SIGKILL)", None, 137),
    "a program that exits with 0": ("supervise.enter(); here()", None, 0),
    "make with a partial file": (MAKES, INT, 130),
    "SIGKILL of the supervisor, and make with a partial file": (MAKES, KILL, -9),
    "a partial file": (
        "supervise.enter()\npathlib.Path.rename = lambda *_: stay()\nsupervise.write_whole(folder / 'report', b'x')", INT, 130),
    "a partial folder": (
        "supervise.enter()\nroom = supervise.unfinished(folder / 'room'); room.mkdir(); (room / 'a').touch(); stay()", INT, 130),
    "a partial file at the program's exit": (
        "supervise.enter(); here()\npathlib.Path.rename = lambda *_: sys.exit(5)\n"
        "supervise.write_whole(folder / 'report', b'x')", None, 5),
}


def comes_to_end(reader):
    """Whether every process that can write has exited. Discards the bytes written meanwhile."""
    while select.select([reader], [], [], PATIENCE_SECONDS)[0]:
        if not os.read(reader, 64):
            return True
    return False


def run_case(folder, program, number):
    """-> (whether it wrote "here", whether all processes are gone, exit code, output)"""
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(fifo, os.O_WRONLY)
    words = [sys.executable, "-c", BEGIN + program, str(ROOT / "scripts"), str(writer), str(folder / "room")]
    with open(folder / "stderr", "w+b") as stderr:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=stderr, pass_fds=[writer])
        os.close(writer)
        here = bool(select.select([reader], [], [], PATIENCE_SECONDS)[0]) and os.read(reader, 5) == b"here\n"
        if number is not None:
            process.send_signal(number)
        code = process.wait(timeout=PATIENCE_SECONDS)
        gone = comes_to_end(reader)
        stderr.seek(0)
        said = stderr.read().decode()
    process.stdout.close()
    os.close(reader)
    return here, gone, code, said


def check_cases(tap):
    for name, (program, number, wanted) in CASES.items():
        with tempfile.TemporaryDirectory() as name_of_folder:
            folder = pathlib.Path(name_of_folder)
            (folder / "room").mkdir()
            here, gone, code, said = run_case(folder, program, number)
            left = os.listdir(folder / "room")
            good = here and gone and not left and code == wanted and "Traceback" not in said
            tap.check(good, f"{name}: exit {wanted}",
                      f"here {here}, gone {gone}, exit {code}, left {left}\n{said}")


def check_strays(tap):
    """Some children stay, with their descendants; all others are ended and named."""
    supervise.adopt_orphans()
    told, tell = os.pipe()
    kept = subprocess.Popen(["sh", "-c", "tail -f /dev/null & echo $! >&2; wait"], stderr=tell)
    grandchild = int(os.read(told, 16))
    stray = subprocess.Popen(["sh", "-c", "tail -f /dev/null & echo $! >&2; wait"], stderr=tell)
    below_stray = int(os.read(told, 16))
    found = supervise.end_strays({kept.pid})
    alive = set(supervise.below(os.getpid()))
    tap.check(found.keys() == {stray.pid, below_stray} and found[below_stray] == "tail", "strays are named", found)
    tap.check(alive == {kept.pid, grandchild}, "a child that stays keeps its descendants", alive)
    supervise.end_strays(grace=supervise.GRACE_SECONDS)
    tap.check(not supervise.has_children(), "no process is left if none may stay", supervise.children())
    for descriptor in (told, tell):
        os.close(descriptor)


def check_identity(tap):
    """A process that reused a pid gets no signal."""
    process = subprocess.Popen(["tail", "-f", "/dev/null"])
    begin = supervise.look_at(process.pid).begin
    supervise.send(process.pid, begin - 1, signal.SIGKILL)
    # Signals from one process to another arrive in order. If the first had been sent, it would be the cause of death.
    supervise.send(process.pid, begin, signal.SIGTERM)
    tap.check(process.wait() == -signal.SIGTERM, "a signal is for a process, not for a pid", process.returncode)
    supervise.send(process.pid, begin, signal.SIGKILL)
    tap.check(supervise.look_at(process.pid) is None, "a process that is gone gets no signal")


def check_files(tap):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for text in (b"one", b"two"):
            supervise.write_whole(folder / "file", text)
        tap.check(os.listdir(folder) == ["file"] and (folder / "file").read_bytes() == b"two", "a file is replaced atomically")
        (folder / "new").mkdir()
        (folder / "old").mkdir()
        (folder / "new" / "a").touch()
        swapped = supervise.exchange(folder / "new", folder / "old")
        tap.check(swapped == (folder / "old" / "a").exists() and swapped != (folder / "new" / "a").exists(),
                  "two folders are swapped, unless the file system cannot")
        tap.check(not supervise.exchange(folder / "none", folder / "old") and (folder / "old").is_dir(),
                  "a missing folder: nothing changes")


def main():
    tap = Tap()
    check_cases(tap)
    check_strays(tap)
    check_identity(tap)
    check_files(tap)
    tap.check(tap.count == len(CASES) + 8 and len(CASES) > 20, "all cases ran", str(tap.count))
    tap.done()


if __name__ == "__main__":
    main()
