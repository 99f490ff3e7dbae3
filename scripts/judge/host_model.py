# SPDX-License-Identifier: Apache-2.0
"""What was observed of a run on Linux, in the model of the kernel's audit (docs/testing/audit.md).

So the checks that read an audit read this as well. Producer and consumer keep their numbers, 17 and 18. An object
is a file, told by device and inode; two mappings show the same memory when they show the same page of the same
file, so an object's base is a number of our own, as far from every other's as it takes.
"""
from judge import audit as audit_form

BASE_STEP = 1 << 40
PEER_SEALS = frozenset({"shrink", "grow", "future-write"})
SHARED_NAME = "/memfd:"


def is_sealed(seals):
    """No peer can write: not through a mapping made from here on, nor by writing."""
    return seals is not None and {"shrink", "grow"} <= seals and bool({"future-write", "write"} & seals)


class Model:
    """Fills an audit out of a finished HostRun."""

    def __init__(self, run):
        self.run = run
        self.audit = audit_form.Audit()
        self.numbers = {}  # Identity -> id of the VMO
        self.seals = {}
        for barrier in run.barriers.values():
            self.seals.update(barrier.seals)
        self.fill()

    def add(self, what, **record):
        self.audit[what].append(record)

    def fill(self):
        self.add("begin", v=1, age="linux")
        for number in sorted(self.run.children):
            self.add_task(number, self.run.statuses.get(number))
        for packet in self.run.packets:
            self.add_packet(packet)
        for barrier in self.run.barriers.values():
            for number, sight in barrier.sights.items():
                self.add_maps(number, sight)
        undelivered = sum(1 for packet in self.run.packets if not packet.delivered)
        self.add("lost", msgs=0, undelivered=undelivered)
        self.audit.line_count = sum(len(records) for records in self.audit.records.values())

    def add_task(self, number, status):
        end = "none" if status is None else "exit" if status >= 0 else "fault"
        self.add("task", pid=number, parent=0, state="live" if status is None else "reaped", end=end,
                 status=status or 0, name="-")

    def vmo(self, identity, creator, size):
        """The id of an object, which is new when nobody has shown it before."""
        if identity not in self.numbers:
            number = self.numbers[identity] = len(self.numbers) + 1
            self.add("vmo", id=number, creator=creator, base=number * BASE_STEP, bytes=size, state="live")
        return self.numbers[identity]

    def add_packet(self, packet):
        head = packet.data[:audit_form.HEAD_BYTES].hex() or "-"
        way = {"from": packet.sender, "to": packet.receiver}
        kind = "none"
        for held in packet.held:
            number = self.vmo(held.identity, packet.sender, held.size)
            kind = "alias" if is_sealed(self.seals.get(held.identity)) else "vmo"
            via = "move" if packet.is_message() else "transfer"
            self.add("hand", **way, via=via, kind=kind, vmo=number, rights=0)
        if packet.is_message():
            self.add("msg", n=len(self.audit["msg"]), **way, len=len(packet.data), type=0, moved=kind, head=head)

    def add_maps(self, number, sight):
        """What a process shows of objects, and everything else that it could share with another."""
        for mapping in sight.mappings:
            shared = mapping.perms[3] == "s" or mapping.name.startswith(SHARED_NAME)
            if mapping.identity not in self.numbers and not shared:
                continue
            vmo = self.vmo(mapping.identity, number, mapping.size)
            prot = mapping.perms[:3].replace("-", "")
            record = {"pid": number, "vmo": vmo, "off": mapping.off, "bytes": mapping.size, "prot": prot,
                      "via": "map", "alias": int(is_sealed(self.seals.get(mapping.identity))), "state": "live",
                      "accessed": mapping.present, "dirtied": None, "base": vmo * BASE_STEP + mapping.off,
                      "perms": mapping.perms}
            if record not in self.audit["map"]:
                self.audit["map"].append(record)


def audit_of(run):
    return Model(run).audit
