# SPDX-License-Identifier: Apache-2.0
"""Page tables of Sv39, walked in physical memory. `page` reads a page of it, by its address."""
import collections
import struct

V, R, W, X, U, G, A, D = (1 << bit for bit in range(8))
PAGE, ENTRIES, LEVELS, MODE_SV39 = 4096, 512, 3, 8
LEAVES_MAX = 1 << 17

Leaf = collections.namedtuple("Leaf", "va pa bits")


def letters(bits):
    return "".join(name if bits >> at & 1 else "." for at, name in enumerate("VRWXUGAD"))


def root_of(satp):
    """The physical address of the root table, or None if no Sv39 table is in use."""
    return target(satp << 10) if satp >> 60 == MODE_SV39 else None


def target(entry):
    return (entry >> 10 & (1 << 44) - 1) * PAGE


def leaf_at(page, satp, va):
    """-> Leaf of the 4 KiB page that holds va, or None"""
    table = root_of(satp)
    for level in reversed(range(LEVELS)):
        if table is None or va >> 39:
            return None
        at = (va >> 12 + 9 * level) % ENTRIES * 8
        entry = int.from_bytes(page(table)[at : at + 8], "little")
        if not entry & V:
            return None
        table = target(entry)
        if entry & (R | W | X):
            return Leaf(va & -PAGE, table + (va & (PAGE << 9 * level) - PAGE), entry & 0xFF)
    return None


def user_leaves(page, satp):
    """A Leaf for each 4 KiB page that user mode may use."""
    tables, found = [(root_of(satp), 0, LEVELS - 1)], []
    while tables and len(tables) + len(found) < LEAVES_MAX:
        table, base, level = tables.pop()
        entries = struct.unpack("<512Q", page(table))
        for index, entry in enumerate(entries):
            place, va, size = target(entry), base + (index * PAGE << 9 * level), PAGE << 9 * level
            if entry & V and not entry & (R | W | X):
                tables += [(place, va, level - 1)] if level else []
            elif entry & V and entry & U:
                found += [Leaf(va + at, place + at, entry & 0xFF) for at in range(0, size, PAGE)]
    return found
