# SPDX-License-Identifier: Apache-2.0
"""A process of the Linux proof: its start, its end, and what Linux reports about its objects."""
import contextlib
import dataclasses
import fcntl
import os
import pathlib
import re
import resource
import signal
import stat
import subprocess

import supervise
from judge import facts

OBJECT_MAX_BYTES = 8 * 1024 * 1024  # larger objects are not read; no run of the proof has one
F_GET_SEALS = 1034
SEAL_BITS = {"seal": 1, "shrink": 2, "grow": 4, "write": 8, "future-write": 16, "exec": 32}
MAPPING = re.compile(
    r"([0-9a-f]+)-([0-9a-f]+) ([r-][w-][x-][sp]) ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) ([0-9]+) *(.*)"
)
RESIDENT = re.compile(r"Rss: +([0-9]+) kB")
READ_BYTES = 65536
CHANNEL = 3  # a payload's channel
CPU_SECONDS = 60  # of CPU time; ends a child that spins


class CannotStart(Exception):
    """A program could not be started."""


# ---- Objects and processes in /proc --------------------------------------------------------------
def identity_of(status):
    """A file's identity, device and inode, in the form of /proc/PID/maps."""
    major, minor = os.major(status.st_dev), os.minor(status.st_dev)
    return f"{major:02x}:{minor:02x} {status.st_ino}"


make = dataclasses.make_dataclass
# One entry of /proc/PID/smaps, and how many of its pages are present (None: unknown).
Mapping = make("Mapping", ("perms", "off", "size", "identity", "name", "present"))
Descriptor = make("Descriptor", ("number", "identity", "name"))  # one entry of /proc/PID/fd
# One process at one moment, with the SHA-256 of its program; empty after its exit.
Snapshot = make("Snapshot", ("state", "mappings", "descriptors", "image"))


def proc_text(pid, name):
    """Reads a file of /proc/PID; empty after the process's exit."""
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def mappings(pid):
    found = []
    for line in proc_text(pid, "smaps").split("\n"):  # a name may contain other line separators
        head, resident = MAPPING.fullmatch(line), RESIDENT.match(line)
        if head:
            start, end, perms, off, device, inode, name = head.groups()
            size, off = int(end, 16) - int(start, 16), int(off, 16)
            found.append(Mapping(perms, off, size, f"{device} {inode}", name, None))
        elif resident and found:
            found[-1].present = int(resident.group(1)) * 1024 // facts.PAGE_BYTES
    return found


def descriptors(pid):
    found = []
    with contextlib.suppress(OSError):
        for number in sorted(int(name) for name in os.listdir(f"/proc/{pid}/fd")):
            path = f"/proc/{pid}/fd/{number}"
            with contextlib.suppress(OSError):  # closed after it was listed
                found.append(Descriptor(number, identity_of(os.stat(path)), os.readlink(path)))
    return found


def state(pid):
    """The state's letter: R runs, S sleeps, Z is a zombie; "-" if there is no such process."""
    return (proc_text(pid, "stat").rpartition(")")[2].split() or "-")[0]


def image(pid):
    """SHA-256 of the program that a process runs; None after its exit."""
    try:
        return facts.sha256_hex(pathlib.Path(f"/proc/{pid}/exe").read_bytes())
    except OSError:
        return None


def snapshot(pid):
    return Snapshot(state(pid), mappings(pid), descriptors(pid), image(pid))


def seals(descriptor):
    """Names of an object's seals; None if it cannot be sealed."""
    try:
        bits = fcntl.fcntl(descriptor, F_GET_SEALS)
    except OSError:
        return None
    return frozenset(name for name, bit in SEAL_BITS.items() if bits & bit)


def content(descriptor):
    """An object's bytes, read through our own descriptor; None if they cannot be read."""
    status, parts, off = os.fstat(descriptor), [], 0
    if not stat.S_ISREG(status.st_mode) or status.st_size > OBJECT_MAX_BYTES:
        return None
    try:
        while part := os.pread(descriptor, status.st_size - off, off):
            parts.append(part)
            off += len(part)
    except OSError:  # for example a descriptor that is open for writing only
        return None
    return b"".join(parts)


# ---- A child -----------------------------------------------------------------------------------
def spawn(argv, channel):
    """Starts a program with pipes as descriptors 0 to 2 and the channel as 3. -> Popen"""
    tie = supervise.tied(signal.SIGKILL)
    source = fcntl.fcntl(channel, fcntl.F_DUPFD_CLOEXEC, CHANNEL + 1)
    # Keep descriptor 3 occupied while Popen runs, so that none of its own descriptors gets it.
    placeholder = fcntl.fcntl(channel, fcntl.F_DUPFD_CLOEXEC, CHANNEL)

    def enter():
        tie()
        os.dup2(source, CHANNEL)

    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    try:
        return subprocess.Popen(  # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
            argv, bufsize=0, start_new_session=True, pass_fds=(CHANNEL,), preexec_fn=enter, **pipes
        )
    except OSError as error:
        raise CannotStart(f"'{argv[0]}' cannot be run: {error.strerror}") from error
    finally:
        os.close(source)
        os.close(placeholder)


class Child:
    """A child process and the pipes to it."""

    def __init__(self, number, argv, channel):
        self.number = number
        self.status = None  # exit status, or the negative number of the signal that ended it
        self.at_exit = None  # its Snapshot before its exit
        self.process = spawn(argv, channel)
        self.pid = self.process.pid
        pipes = (self.process.stdin, self.process.stdout, self.process.stderr)
        self.standard_in, self.out, self.err = pipes
        owned = enumerate([pipe.fileno() for pipe in pipes] + [channel])
        self.own = {place: identity_of(os.fstat(descriptor)) for place, descriptor in owned}
        self.pidfd = os.pidfd_open(self.pid)
        self.tail = {self.out: bytearray(), self.err: bytearray()}  # pipe -> the incomplete line
        for pipe in self.tail:
            os.set_blocking(pipe.fileno(), False)
        with contextlib.suppress(OSError):
            resource.prlimit(self.pid, resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
            resource.prlimit(self.pid, resource.RLIMIT_CORE, (0, 0))

    def read(self, pipe):
        """-> (new bytes, newly completed lines); at the end (None, the incomplete line)"""
        chunk = pipe.read(READ_BYTES)
        if chunk is None:
            return b"", []
        if not chunk:
            rest = bytes(self.tail.pop(pipe))
            pipe.close()
            return None, [rest] if rest else []
        self.tail[pipe] += chunk
        if b"\n" not in chunk:
            return chunk, []
        *lines, self.tail[pipe] = self.tail[pipe].split(b"\n")
        return chunk, [bytes(line) for line in lines]

    def kill(self):
        if self.status is None:
            self.process.kill()
            self.status = self.process.wait()
        os.close(self.pidfd)
        for pipe in (self.standard_in, self.out, self.err):
            pipe.close()
