# SPDX-License-Identifier: Apache-2.0
"""What Linux tells about a process and about an object: /proc of our own children, and descriptors of our own."""
import dataclasses
import fcntl
import os
import pathlib
import re
import stat

from judge.facts import PAGE_BYTES

OBJECT_MAX_BYTES = 8 * 1024 * 1024  # more is not read: no run of the proof has it
F_GET_SEALS = 1034
SEAL_BITS = {"seal": 1, "shrink": 2, "grow": 4, "write": 8, "future-write": 16, "exec": 32}
MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) ([r-][w-][x-][sp]) ([0-9a-f]+) ([0-9a-f]+):([0-9a-f]+) ([0-9]+) *(.*)")
RESIDENT = re.compile(r"Rss: +([0-9]+) kB")


@dataclasses.dataclass(frozen=True)
class Identity:
    """What tells one file of this machine from every other, whatever its name."""

    major: int
    minor: int
    inode: int


def identity_of(facts):
    return Identity(os.major(facts.st_dev), os.minor(facts.st_dev), facts.st_ino)


@dataclasses.dataclass
class Mapping:
    """One line of /proc/PID/smaps, and how many of its pages are present in the page table."""

    perms: str
    off: int
    size: int
    identity: Identity
    name: str
    present: object = None  # None: the kernel does not tell


def mappings(pid):
    """All mappings of a process; none once it has ended."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        head, resident = MAPPING.fullmatch(line), RESIDENT.match(line)
        if head:
            start, end, off, major, minor = (int(head.group(n), 16) for n in (1, 2, 4, 5, 6))
            where = Identity(major, minor, int(head.group(7)))
            found.append(Mapping(head.group(3), off, end - start, where, head.group(8)))
        elif resident and found:
            found[-1].present = int(resident.group(1)) * 1024 // PAGE_BYTES
    return found


@dataclasses.dataclass
class Descriptor:
    """One entry of /proc/PID/fd with the access mode that /proc/PID/fdinfo gives."""

    number: int
    identity: Identity
    name: str
    access: str  # "r", "w", "rw"


def access_of(pid, number):
    for line in pathlib.Path(f"/proc/{pid}/fdinfo/{number}").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("flags:"):
            return {os.O_RDONLY: "r", os.O_WRONLY: "w"}.get(int(line.split()[1], 8) & os.O_ACCMODE, "rw")
    return "?"


def descriptors(pid):
    """All descriptors of a process in order; none once it has ended."""
    found = []
    try:
        numbers = sorted(int(name) for name in os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return []
    for number in numbers:
        path = f"/proc/{pid}/fd/{number}"
        try:
            found.append(Descriptor(number, identity_of(os.stat(path)), os.readlink(path), access_of(pid, number)))
        except OSError:
            continue  # closed since it was listed
    return found


def state(pid):
    """The state's letter: R runs, S sleeps, Z has ended; "-" when there is no such process."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return text.rsplit(")", 1)[1].split()[0]
    except OSError:
        return "-"


def seals(descriptor):
    """Names of an object's seals; None for what cannot be sealed."""
    try:
        bits = fcntl.fcntl(descriptor, F_GET_SEALS)
    except OSError:
        return None
    return frozenset(name for name, bit in SEAL_BITS.items() if bits & bit)


def content(descriptor):
    """The bytes of an object, read through a descriptor of our own; None for what has no bytes to read."""
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > OBJECT_MAX_BYTES:
        return None
    parts, off = [], 0
    while off < facts.st_size:
        part = os.pread(descriptor, facts.st_size - off, off)
        if not part:
            break
        parts.append(part)
        off += len(part)
    return b"".join(parts)
