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

# The contract's machine: no floating point, no bit manipulation. QEMU 8.1 and later have Zfa, which
# needs F; an older QEMU refuses the word zfa. cpu() takes the first line that this QEMU accepts.
CPU = "rv64,f=off,d=off,zba=off,zbb=off,zbc=off,zbs=off"
CPUS = (CPU, f"{CPU},zfa=off")
# Another kernel may be built with Zbb; without Zbb it would print nothing.
FOREIGN_CPU = "rv64"
PROBE = "-M none -S -display none -serial none -parallel none -monitor stdio".split()
PROBE_SECONDS = 30
MACHINE = "-M virt -smp 1 -icount shift=0,sleep=off"
LINES = "-display none -monitor none -parallel none -serial stdio -no-reboot"
PACKAGE = "qemu-system-misc"
OWN_ERROR = 1
READ_BYTES = 65536
STOP_SECONDS = 2
WATCH_SECONDS = 30  # for a watch, once the log is at its end


class QemuMissing(Exception):
    """QEMU could not be started."""


# stopped: None, "log-cap", "wall", "linger" or "watch"
QemuRun = dataclasses.make_dataclass("QemuRun", ("argv", "log", "exit_code", "stopped", "seconds"))


@functools.lru_cache(maxsize=None)
def cpu(qemu_words):
    """The value for -cpu. Asks this QEMU (a tuple of words) once. If it accepts none, the boot
    shows its error."""
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
    """QEMU's arguments. initrd and append are None for a kernel with a built-in init. foreign: the
    caller named the kernel.

    The extra words come last, because QEMU uses the last of several -m, -smp, -cpu or -icount.
    """
    chosen = FOREIGN_CPU if foreign else cpu(tuple(qemu_words))
    words = [*qemu_words, *MACHINE.split(), "-cpu", chosen, "-m", mem]
    words += [*LINES.split(), "-kernel", str(kernel)]
    words += [] if initrd is None else ["-initrd", str(initrd)]
    words += [] if append is None else ["-append", append]
    return words + list(extra)


def counts(argv):
    """Whether one nanosecond of guest time is one instruction."""
    values = [value for word, value in zip(argv, argv[1:]) if word == "-icount"]
    return bool(values) and values[-1].startswith(("0", "shift=0"))


def stop(process):
    """Ends our child and its process group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, number)
                process.wait(timeout=STOP_SECONDS)
    process.stdout.close()


def read_serial(process, log_file, log_cap, end, until, linger_seconds, watch):
    """Copies the serial line to the log until its end, the cap, the time `end`, linger_seconds
    after `until` returned true and the watch ended, or until the watch gave up.
    -> (log, None or why it stopped)"""
    log, source, reason = bytearray(), process.stdout.fileno(), facts.WALL
    sources, is_over = [source] + ([watch] if watch else []), False
    while len(log) < log_cap:
        left = end - time.monotonic()
        if left <= 0:
            return bytes(log), reason
        ready = select.select(sources, [], [], left)[0]
        if source in ready:
            chunk = os.read(source, READ_BYTES)[: log_cap - len(log)]
            if not chunk:
                return bytes(log), None
            log += chunk
            log_file.write(chunk)
            log_file.flush()
            if until is not None and until(log):
                until, is_over = None, True
                end, reason = sooner(end, reason, WATCH_SECONDS if watch else linger_seconds)
        if watch in ready:
            sources.remove(watch)
            if watch.gave_up:
                return bytes(log), facts.WATCH
        if is_over and sources == [source]:
            is_over, (end, reason) = False, sooner(end, reason, linger_seconds)
    return bytes(log), facts.LOG_CAP


def sooner(end, reason, seconds):
    """Ends the run after some seconds, unless it ends before. -> (end, why)"""
    over = time.monotonic() + seconds
    return (over, facts.LINGER) if over < end else (end, reason)


def run(
    argv, log_path, stderr_path, wall_seconds, log_cap, until=None, linger_seconds=0, watch=None
):
    """Boots once and reads the serial line to its end. A run that exits is never killed.

    A kernel that does not exit needs `until`, which is called with the log after each output. When
    it returns true, the run continues for linger_seconds and is stopped, with `stopped` = "linger".
    watch: a witness.watch.Watch, whose words are in argv; the run lasts until it has seen all.
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
                pass_fds=[watch.theirs.fileno()] if watch else (),
                preexec_fn=supervise.tied(),
            )
        except OSError as error:
            what = f"'{argv[0]}' cannot be run ({error.strerror})"
            raise QemuMissing(f"{what}; the package is {PACKAGE}") from error
        try:
            if watch:
                watch.start(end)
            log, stopped = read_serial(
                process, log_file, log_cap, end, until, linger_seconds, watch
            )
            if not stopped:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=max(0, end - time.monotonic()))
                stopped = facts.WALL if process.returncode is None else None
        finally:
            stop(process)
            if watch:
                watch.join()
    exit_code = None if stopped else process.returncode
    return QemuRun(argv, log, exit_code, stopped, time.monotonic() - begin)


if __name__ == "__main__":
    print(cpu(tuple(sys.argv[1:])))
