# SPDX-License-Identifier: Apache-2.0
"""Memory as the machine holds it: what a task can read, where the pages of a VMO are, and what the
page tables say of each mapping."""
from judge import audit as audits
from judge import facts
from siphash import content_hash
from witness import sv39
from witness.stub import RAM_BASE
from witness.sv39 import PAGE

ALIAS, VMO, ENDPOINT = "alias", "vmo", "endpoint"
USED = sv39.A | sv39.D
STACK_TOP, STACK_PAGES_MAX, STACK_EXTRA = 0x2000A000, 4096, 11


class Mappings:
    """audit: the records so far. faults: why they cannot be relied on."""

    def __init__(self, machine, nonce):
        self.machine, self.nonce, self.audit, self.faults = machine, nonce, audits.Audit(), []
        self.vmos, self.places = {}, {}  # by id: the record; {page: physical address}

    def fault(self, text):
        if len(self.faults) < facts.PROBLEMS_SHOWN:
            self.faults.append(text)

    def add(self, kind, /, **record):
        self.audit[kind].append(record)
        return record

    def read(self, task, va, size):
        """A task's memory by its own page table; shorter where nothing is mapped."""
        data = b""
        while len(data) < size:
            leaf, at = sv39.leaf_at(self.machine.page, task.satp, va + len(data)), va + len(data)
            if leaf is None:
                break
            data += self.machine.page(leaf.pa)[at % PAGE :][: size - len(data)]
        return data

    def check_pages(self, task, program, loaded):
        """Whatever a task can execute is its file's text. loaded: at its first instruction, when
        all else that it can read is its file's, too, or zeros. -> the pages of its stack"""
        left, stack = program.pages(), 0
        for leaf in sv39.user_leaves(self.machine.page, task.satp):
            held, executes = left.pop(leaf.va, (bytes(PAGE), False))
            stack += STACK_TOP - STACK_PAGES_MAX * PAGE <= leaf.va < STACK_TOP
            is_code = leaf.bits & sv39.X
            is_other = leaf.pa < RAM_BASE or (loaded or is_code) and held != self.machine.page(leaf.pa)
            if is_other or is_code and not executes:
                self.fault(f"page {leaf.va:#x} of pid {task.pid} is not what its file has there")
        if loaded and left:
            self.fault(f"{len(left)} pages of pid {task.pid} were not loaded")
        return stack - STACK_EXTRA

    # ---- VMOs ------------------------------------------------------------------------------------
    def content(self, vmo):
        """What its pages hold now; None if no mapping has shown where they all are."""
        places = self.places[vmo["id"]]
        if len(places) * PAGE != vmo["bytes"]:
            return None
        return b"".join(self.machine.page(place) for _, place in sorted(places.items()))

    def hash(self, vmo, when, pid, at, data):
        """Records a VMO that has been another task's: when, and what it held."""
        if data is not None and any(hand["vmo"] == vmo["id"] for hand in self.audit["hand"]):
            sip = content_hash(self.nonce, data)
            self.add("hash", vmo=vmo["id"], when=when, pid=pid, seq=at, bytes=len(data), sip=sip)

    # ---- Mappings --------------------------------------------------------------------------------
    def leaves(self, task, va, size):
        pages = range(va, va + min(size, facts.MAPPED_PAGES_MAX * PAGE), PAGE)
        return [sv39.leaf_at(self.machine.page, task.satp, at) for at in pages]

    def map(self, task, cap, va, off, size, via, at):
        vmo = cap and cap.kind != ENDPOINT and self.vmos.get(cap.object)
        leaves = self.leaves(task, va, size)
        if not vmo or not leaves or None in leaves:
            self.fault(f"pid {task.pid} mapped {size} bytes at {va:#x}: what is not there")
            return
        places, vmo["base"] = self.places[vmo["id"]], vmo["base"] or leaves[0].pa - off
        for page, leaf in enumerate(leaves, off // PAGE):
            places[page] = leaf.pa
            if leaf.pa != vmo["base"] + page * PAGE:
                self.fault(f"page {page} of VMO {vmo['id']} is at {leaf.pa:#x} in pid {task.pid}")
        bits = {leaf.bits & ~USED for leaf in leaves}
        prot = "".join(name for name, bit in zip("rwx", (sv39.R, sv39.W, sv39.X)) if max(bits) & bit)
        if len(bits) > 1 or not max(bits) & sv39.U:
            self.fault(f"pid {task.pid} mapped VMO {vmo['id']} with the bits {bits}")
        if "x" in prot:
            self.fault(f"pid {task.pid} can execute VMO {vmo['id']}, where no call is watched")
        # What the kernel sets itself says nothing of what the task did.
        early = [leaf.bits & USED for leaf in leaves]
        wanted = {"vmo": vmo["id"], "prot": prot, "via": via, "alias": int(cap.kind == ALIAS)}
        for last in task.maps[-1:] if via == "map" else ():
            ends = last["off"] + last["bytes"], last["va"] + last["bytes"]
            if ends == (off, va) and wanted.items() <= last.items():
                last["bytes"] += size
                last["early"] += early
                return
        record = self.add(
            "map", pid=task.pid, off=off, bytes=size, state="live", base=leaves[0].pa, made=(at, 0),
            ended=0, accessed=0, dirtied=0, user=task.user, va=va, early=early, with_task=False, **wanted,
        )
        task.maps.append(record)

    def look(self, task, record):
        """Reads a mapping's bits now. -> [(physical address, bits as letters)] of its pages"""
        leaves = self.leaves(task, record["va"], record["bytes"])
        if None in leaves:
            self.fault(f"pid {task.pid} lost pages of VMO {record['vmo']} under its mapping")
            leaves = []
        for key, bit in (("accessed", sv39.A), ("dirtied", sv39.D)):
            pairs = zip(leaves, record["early"])
            record[key] = sum(1 for leaf, early in pairs if leaf.bits & ~early & bit)
        record["last"] = [(leaf.pa, sv39.letters(leaf.bits)) for leaf in leaves]
        return record["last"]

    def unmap(self, record, at):
        record.update(state="unmapped", ended=at)
