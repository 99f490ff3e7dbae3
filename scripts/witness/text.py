# SPDX-License-Identifier: Apache-2.0
"""What can be executed of a program: its segments, its text, and each place that is an ecall.

A breakpoint stands on every ecall pattern of the executable segments, even in the middle of another
instruction, so none can be reached unseen. One that is no instruction of the text is a fault.
"""
import collections
import struct

ECALL = b"\x73\x00\x00\x00"
HEADER, PHENTSIZE, SHENTSIZE = 64, 56, 64
LOAD, EXECUTE, WRITE, READ = 1, 1, 2, 4
SECTION_NOBITS, SECTION_EXECUTES = 8, 4
SECTIONS_MAX, SHOWN = 256, 4

Segment = collections.namedtuple("Segment", "flags start data size")


class Program:
    """An ELF file, as a kernel loads it. faults: why nobody could watch it."""

    def __init__(self, name, elf):
        self.name, self.elf, self.faults = name, elf, []
        self.segments, self.sites, self.odd_sites, self.entry = [], set(), set(), 0
        try:
            self.read()
        except (struct.error, ValueError, IndexError) as error:
            self.faults.append(f"it cannot be read: {error}")

    def read(self):
        elf = self.elf
        if elf[:6] != b"\x7fELF\x02\x01":
            raise ValueError("no ELF file of 64 bits")
        self.entry, phoff, shoff = struct.unpack_from("<QQQ", elf, 24)
        count, _, sections = struct.unpack_from("<HHH", elf, 56)
        for number in range(count):
            at = phoff + number * PHENTSIZE
            kind, flags, offset, start, _, held, size = struct.unpack_from("<IIQQQQQ", elf, at)
            if kind == LOAD:
                self.segments.append(Segment(flags, start, elf[offset : offset + held], size))
        ranges = []
        for number in range(min(sections, SECTIONS_MAX)):
            at = shoff + number * SHENTSIZE + 4
            kind, flags, start, _, size = struct.unpack_from("<IQQQQ", elf, at)
            if flags & SECTION_EXECUTES and size and kind != SECTION_NOBITS:
                ranges.append((start, start + size))
        self.find_sites(ranges)

    def find_sites(self, ranges):
        starts, jumps = set(), []
        for segment in (segment for segment in self.segments if segment.flags & EXECUTE):
            found = {
                segment.start + at
                for at in range(0, len(segment.data) - 3, 2)
                if segment.data[at : at + 4] == ECALL
            }
            for low, high in ranges:
                if segment.start <= low and high <= segment.start + len(segment.data):
                    sweep(segment.data[low - segment.start : high - segment.start], low, starts, jumps)
            self.sites |= found & starts
            self.odd_sites |= found - starts
        if not starts:
            self.faults.append("no section of it says what is its text")
        self.faults += [f"the ecall at {at:#x} is no instruction of its text" for at in
                        sorted(self.odd_sites)[:SHOWN]]
        stray = [(at, target) for at, target in jumps if target not in starts]
        self.faults += [f"the jump at {at:#x} leads to {target:#x}, no instruction of its text"
                        for at, target in stray[:SHOWN]]
        if self.entry not in starts:
            self.faults.append(f"its entry {self.entry:#x} is no instruction of its text")

    def pages(self):
        """What its pages hold when it is loaded. -> {page address: (bytes, flags)}"""
        found = {}
        for segment in self.segments:
            first, last = segment.start & ~0xFFF, segment.start + segment.size + 0xFFF & ~0xFFF
            whole = bytes(segment.start - first) + segment.data
            for at in range(first, last, 4096):
                part = whole[at - first : at - first + 4096]
                found[at] = (part + bytes(4096 - len(part)), segment.flags & EXECUTE)
        return found


def sweep(data, base, starts, jumps):
    """Notes each instruction's address and each direct jump, as (address, target)."""
    at, previous = 0, 0
    while at + 2 <= len(data):
        word = int.from_bytes(data[at : at + 4], "little")
        starts.add(base + at)
        offset = offset_of(word, previous)
        if offset is not None:
            jumps.append((base + at, base + at + offset))
        at, previous = at + (4 if word & 3 == 3 else 2), word


def immediate(word, *fields):
    """fields: the highest bit of a run in the word, and the bits of a signed number that it has."""
    bits = [(word >> high - n & 1, to) for high, run in fields for n, to in enumerate(run)]
    sign = max(to for _, to in bits)
    return sum(bit << to for bit, to in bits) - (dict((to, bit) for bit, to in bits)[sign] << sign + 1)


def offset_of(word, previous):
    """How far an instruction jumps: c.j, c.beqz, c.bnez, jal, a branch, auipc with its jalr. None
    for others."""
    if word & 3 != 3:
        kind = word >> 13 & 7 if word & 3 == 1 else 0
        if kind == 5:
            return immediate(word, (12, (11, 4, 9, 8, 10, 6, 7, 3, 2, 1, 5)))
        return immediate(word, (12, (8, 4, 3)), (6, (7, 6, 2, 1, 5))) if kind > 5 else None
    opcode = word & 0x7F
    if opcode == 0x6F:
        return immediate(word, (31, (20, *range(10, 0, -1), 11, *range(19, 11, -1))))
    if opcode == 0x63:
        return immediate(word, (31, (12, *range(10, 4, -1))), (11, (4, 3, 2, 1, 11)))
    if (opcode, previous & 0x7F, previous >> 7 & 31) == (0x67, 0x17, word >> 15 & 31):
        low, high = (range(11, -1, -1), range(31, 11, -1))
        return immediate(word, (31, low)) + immediate(previous, (31, high)) - 4
    return None
