# SPDX-License-Identifier: Apache-2.0
"""Runs QEMU: reads its serial line, caps log and time, and leaves no process behind."""
import contextlib
import dataclasses
import functools
import os
import select
import signal
import subprocess
import sys
import time

import supervise
from judge import facts

# The contract's machine: no floating point, no bit-manipulation. QEMU from 8.1 on has Zfa, which
# needs F; an older QEMU refuses the word zfa. The first line that this QEMU accepts is used.
CPU = "rv64,f=off,d=off,zba=off,zbb=off,zbc=off,zbs=off"
CPUS = (CPU, f"{CPU},zfa=off")
# Another kernel may have been built with Zbb: it prints nothing on a CPU without.
FOREIGN_CPU = "rv64"
PROBE = "-M none -S -display none -serial none -parallel none -monitor stdio".split()
PROBE_SECONDS = 30
MACHINE = "-M virt -smp 1 -icount shift=0,sleep=off"
LINES = "-display none -monitor none -parallel none -serial stdio -no-reboot"
PACKAGE = "qemu-system-misc"
OWN_ERROR = 1
READ_BYTES = 65536
STOP_SECONDS = 2


class QemuMissing(Exception):
    """QEMU could not be started."""


# stopped: None, "log-cap", "wall" or "linger"
QemuRun = dataclasses.make_dataclass("QemuRun", ("argv", "log", "exit_code", "stopped", "seconds"))


@functools.lru_cache(maxsize=None)
def cpu(qemu_words):
    """The words for -cpu: asks this QEMU (a tuple of words) once. A QEMU that accepts none of them
    says why when it boots."""
    for words in CPUS[:-1]:
        try:
            asked = subprocess.run(
                [*qemu_words, *PROBE, "-cpu", words],
                check=False,
                input=b"quit\n",
                timeout=PROBE_SECONDS,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                preexec_fn=supervise.tied(),
            )
        except (OSError, subprocess.TimeoutExpired):
            return words
        if asked.returncode == 0:
            return words
    return CPUS[-1]


def command(qemu_words, mem, kernel, initrd, append, extra=(), *, foreign=False):
    """QEMU's arguments. None as initrd or append: the kernel has its init built in, and takes none.
    foreign: the kernel was named by the caller.

    The extra words come last: of -m, -smp, -cpu and -icount QEMU takes the later one.
    """
    chosen = FOREIGN_CPU if foreign else cpu(tuple(qemu_words))
    words = [*qemu_words, *MACHINE.split(), "-cpu", chosen, "-m", mem]
    words += [*LINES.split(), "-kernel", str(kernel)]
    words += [] if initrd is None else ["-initrd", str(initrd)]
    words += [] if append is None else ["-append", append]
    return words + list(extra)


def stop(process):
    """Ends our own child and whatever it started; it leads a process group of its own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, number)
                process.wait(timeout=STOP_SECONDS)
    process.stdout.close()


def read_serial(process, log_file, log_cap, end, until, linger_seconds):
    """Copies the serial line to the log, until its end, the cap, the moment `end`, or some seconds
    after `until` came true. -> (log, None or why it stopped)"""
    log, source, reason = bytearray(), process.stdout.fileno(), facts.WALL
    while len(log) < log_cap:
        left = end - time.monotonic()
        if left <= 0:
            return bytes(log), reason
        if not select.select([source], [], [], left)[0]:
            continue
        chunk = os.read(source, READ_BYTES)[: log_cap - len(log)]
        if not chunk:
            return bytes(log), None
        log += chunk
        log_file.write(chunk)
        log_file.flush()
        if until is not None and until(log):
            until, over = None, time.monotonic() + linger_seconds
            if over < end:
                end, reason = over, facts.LINGER
    return bytes(log), facts.LOG_CAP


def run(argv, log_path, stderr_path, wall_seconds, log_cap, until=None, linger_seconds=0):
    """One boot, to the end of its serial line. A run that ends by itself is never killed.

    A kernel without an end of its own needs `until`: asked with the log so far after each output.
    Once it is true the run goes on for linger_seconds and is then ended, with `stopped` = "linger".
    """
    begin = time.monotonic()
    end = begin + wall_seconds
    with open(log_path, "wb") as log_file, open(stderr_path, "wb") as stderr_file:
        try:
            process = subprocess.Popen(  # pylint: disable=consider-using-with
                argv,
                bufsize=0,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr_file,
                start_new_session=True,
                preexec_fn=supervise.tied(),
            )
        except OSError as error:
            what = f"'{argv[0]}' cannot be run ({error.strerror})"
            raise QemuMissing(f"{what}; the package is {PACKAGE}") from error
        try:
            log, stopped = read_serial(process, log_file, log_cap, end, until, linger_seconds)
            if not stopped:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=max(0, end - time.monotonic()))
                stopped = facts.WALL if process.returncode is None else None
        finally:
            stop(process)
    exit_code = None if stopped else process.returncode
    return QemuRun(argv, log, exit_code, stopped, time.monotonic() - begin)


if __name__ == "__main__":
    print(cpu(tuple(sys.argv[1:])))
