# SPDX-License-Identifier: Apache-2.0
"""Runs QEMU: reads its serial line itself, caps log and time, and leaves no process behind."""
import dataclasses
import os
import select
import signal
import subprocess
import time

from judge import supervise

CPU = "rv64,f=off,d=off,zba=off,zbb=off,zbc=off,zbs=off"
PACKAGE = "qemu-system-misc"
OWN_ERROR = 1
READ_BYTES = 65536
STOP_SECONDS = 2


class QemuMissing(Exception):
    """QEMU could not be started."""


@dataclasses.dataclass
class QemuRun:
    argv: list
    log: bytes
    exit_code: object
    stopped: object  # None, "log-cap", "wall" or "linger"
    seconds: float


def command(qemu_words, mem, kernel, initrd, append, extra=()):
    """QEMU's arguments. None as initrd or append: the kernel has its init built in, and takes no arguments of ours.

    The extra words come last: of -m, -smp, -cpu and -icount QEMU takes the later one.
    """
    words = list(qemu_words) + [
        "-M", "virt", "-cpu", CPU, "-m", mem, "-smp", "1", "-icount", "shift=0,sleep=off",
        "-display", "none", "-monitor", "none", "-parallel", "none", "-serial", "stdio", "-no-reboot",
        "-kernel", str(kernel),
    ]
    words += [] if initrd is None else ["-initrd", str(initrd)]
    words += [] if append is None else ["-append", append]
    return words + list(extra)


def stop(process):
    """Ends our own child and whatever it started; it leads a process group of its own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=STOP_SECONDS)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


class Patience:
    """Until when the serial line is read: to the wall timeout, or for a moment after what was waited for."""

    def __init__(self, deadline, until, linger_seconds):
        self.end, self.reason = deadline, "wall"
        self.until, self.linger_seconds = until, linger_seconds

    def left(self):
        return self.end - time.monotonic()

    def look(self, log):
        """New output came. Once `until` was true it is not asked again."""
        if self.until is None or not self.until(log):
            return
        self.until = None
        over = time.monotonic() + self.linger_seconds
        if over < self.end:
            self.end, self.reason = over, "linger"


def read_serial(process, log_file, log_cap, patience):
    """Copies the serial line to the log until its end. -> (log, None, "log-cap", "wall" or "linger")."""
    log = bytearray()
    source = process.stdout.fileno()
    while True:
        left = patience.left()
        if left <= 0:
            return bytes(log), patience.reason
        if not select.select([source], [], [], left)[0]:
            continue
        chunk = os.read(source, READ_BYTES)
        if not chunk:
            return bytes(log), None
        chunk = chunk[:log_cap - len(log)]
        log += chunk
        log_file.write(chunk)
        log_file.flush()
        if len(log) >= log_cap:
            return bytes(log), "log-cap"
        patience.look(log)


def wait_for_end(process, deadline):
    try:
        process.wait(timeout=max(0, deadline - time.monotonic()))
        return None
    except subprocess.TimeoutExpired:
        return "wall"


def run(argv, log_path, stderr_path, wall_seconds, log_cap, until=None, linger_seconds=0):
    """One boot, to the end of its serial line. A run that ends by itself is never killed.

    A kernel without an end of its own needs `until`: asked with the log so far whenever output came; once it says
    true the run goes on for linger_seconds and is then ended, with `stopped` = "linger".
    """
    begin = time.monotonic()
    process = None
    with open(log_path, "wb") as log_file, open(stderr_path, "wb") as stderr_file:
        try:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr_file,
                                       bufsize=0, start_new_session=True, preexec_fn=supervise.tied())
            patience = Patience(begin + wall_seconds, until, linger_seconds)
            log, stopped = read_serial(process, log_file, log_cap, patience)
            if not stopped:
                stopped = wait_for_end(process, begin + wall_seconds)
        except OSError as error:
            if process is None:
                raise QemuMissing(f"'{argv[0]}' cannot be run ({error.strerror}); the package is {PACKAGE}") from error
            raise
        finally:
            if process is not None:
                stop(process)
                process.stdout.close()
    exit_code = None if stopped else process.returncode
    return QemuRun(argv, log, exit_code, stopped, time.monotonic() - begin)
