# SPDX-License-Identifier: Apache-2.0
"""Makes of what the tasks called, and of what the kernel answered, the records that the judge reads.

A call is one instant, since the kernel runs it where it was made; `at` orders the instants. A
method before_NAME runs before the kernel does, after_NAME once it has answered well, refused_NAME
once it has not. abi/calls.def has the names.
"""
import collections
import re
import struct

from judge import facts
from paths import ROOT
from siphash import content_hash
from witness.mappings import ALIAS, ENDPOINT, PAGE, VMO, Mappings

CALL = re.compile(r"^NX_CALL\(([0-9]+), \w+, (\w+), \w+, \(([^)]*)\)\)$", re.MULTILINE)
TEXT = (ROOT / "abi" / "calls.def").read_text(encoding="utf-8")
NAMES = {int(number): (name, re.findall(r"\w+", args)) for number, name, args in CALL.findall(TEXT)}
RIGHTS_ALL, RIGHT_MAP, MANAGE = 11, 4, 8
NONBLOCK = MOVES = 1
HEADER, DESCRIPTOR = struct.Struct("<IIHHI"), struct.Struct("<8xI4xQQQ8xI")
SLOTS, MESSAGE_MAX, WRITE_MAX, NAME_MAX, ELF_MAX = 1 << 32, 8192, 1024, 64, 4 << 20
ORDERED = {"map": ("made", "ended"), "msg": ("sent", "seq"), "hand": ("seq",), "say": ("seq",)}
ORDERED["hash"] = ("seq",)

Cap = collections.namedtuple("Cap", "kind object rights")
Sent = collections.namedtuple("Sent", "at by header body cap user")


def signed(value):
    return value - (value >> 63 << 64)


class Task:
    def __init__(self, pid, parent, name, image, caps):
        self.pid, self.parent, self.name, self.image, self.caps = pid, parent, name, image, caps
        self.satp, self.program, self.call = None, None, None  # call: not answered yet
        self.maps, self.pending = [], []  # pending: VMOs that it got since it last sent a message
        self.state, self.end, self.status = "live", "none", 0
        # Instructions in user mode; the count when it last got there; those at others' stops since.
        self.user, self.since, self.others = 0, None, []


class Call(dict):
    """One system call: its arguments by name. kept: what was read before the kernel ran it."""

    def __init__(self, at, task, pc, number, values):
        self.name, names = NAMES.get(number, ("unknown", ()))
        super().__init__(zip(names, values))
        self.at, self.task, self.pc, self.first, self.kept = at, task, pc, values[0], None
        self.answer = self.second = 0

    def cap(self, name="slot"):
        return self.task.caps.get(self[name] % SLOTS)


class Model(Mappings):
    def __init__(self, machine, nonce):
        super().__init__(machine, nonce)
        self.tasks, self.copies, self.views = {}, collections.Counter(), []
        self.queues, self.owners = collections.defaultdict(list), [facts.PRODUCER_PID]
        self.line, self.writers, self.line_at = b"", set(), None
        self.clock, self.init_status = 0, None

    def tick(self):
        self.clock += 1
        return self.clock

    def run(self, when, call):
        method = getattr(self, f"{when}_{call.name}", None)
        try:
            if method:
                method(call)
        except (AttributeError, KeyError, TypeError, ValueError):
            self.fault(f"{call.name} of pid {call.task.pid} does not fit what went before")

    # ---- Tasks -----------------------------------------------------------------------------------
    def start_init(self):
        caps = {0: Cap(ENDPOINT, 0, 3), 1: Cap("factory", 0, MANAGE)}
        self.tasks[facts.PRODUCER_PID] = Task(facts.PRODUCER_PID, 0, "init", {}, caps)

    def before_exec(self, call):
        task, size = call.task, call["len"]
        data = self.read(task, call["elf"], size) if size <= ELF_MAX else b""
        if len(data) != size:
            self.fault(f"pid {task.pid} executes {size} bytes that cannot be read")
        name = self.read(task, call.get("name", 0), min(call.get("name_len", 0), NAME_MAX))
        sip = content_hash(self.nonce, data)
        image = {"bytes": size, "sip": sip, "gp": call["gp"], "stack_pages": call["stack_pages"]}
        caps = {0: task.caps[0]} if 0 in task.caps else {}
        call.kept = Task(None, task.pid, name.decode("latin-1") or "-", image, caps)

    def after_exec(self, call):
        call.kept.pid = call.answer
        if self.tasks.setdefault(call.answer, call.kept) is not call.kept:
            self.fault(f"exec answered pid {call.answer} a second time")

    before_exec_v2, after_exec_v2 = before_exec, after_exec

    def before_exit(self, call):
        self.end_task(call.task, "exited", "exit", signed(call["status"]))

    def end_task(self, task, state, end, status):
        for record in task.maps:
            self.look(task, record)
            record["with_task"] = True
        task.state, task.end, task.status = state, end, status
        for endpoint in (at for at, owner in enumerate(self.owners) if owner == task.pid):
            self.queues[endpoint].clear()

    def after_wait(self, call):
        child = self.tasks.get(call.answer)
        if child is None or child.parent != call.task.pid:
            self.fault(f"wait answered pid {call.answer}, which is no child of the task")
            return
        if child.state == "live":  # it made no call before its end
            self.end_task(child, "faulted", "fault", signed(call.second))
        child.state = "reaped"
        for part, record in enumerate(child.maps):
            self.unmap(record, (call.at, part))
        child.maps, child.caps = [], {}

    def after_wait_nohang(self, call):
        if call.answer:
            self.after_wait(call)

    def after_getpid(self, call):
        if call.answer != call.task.pid:
            self.fault(f"getpid answered {call.answer} to the task with pid {call.task.pid}")

    # ---- Memory ----------------------------------------------------------------------------------
    def after_vmo_create(self, call):
        number, size = len(self.vmos) + 1, facts.whole_pages(call["len"])
        self.vmos[number], self.places[number] = self.add(
            "vmo", id=number, creator=call.task.pid, base=0, bytes=size, state="live"
        ), {}
        call.task.caps[call.answer] = Cap(VMO, number, RIGHT_MAP)

    def after_vmo_share_ro(self, call):
        call.task.caps[call.answer] = call.cap()._replace(kind=ALIAS, rights=RIGHT_MAP)

    def before_vmo_destroy(self, call):
        vmo = self.vmos.get(call.cap().object) if call.cap() else None
        call.kept = vmo and (vmo, self.content(vmo))

    def after_vmo_destroy(self, call):
        vmo, data = call.kept
        vmo["state"] = "destroyed"
        self.hash(vmo, "destroyed", 0, (call.at, 0), data)
        self.after_cap_close(call)

    def after_vmo_write(self, call):
        self.copies[call.task.pid, "into" if call.name == "vmo_write" else "from"] += call.answer

    after_vmo_read = after_vmo_write

    def after_map(self, call):
        self.map(call.task, call.cap(), call["va"], call["off"] & -PAGE, PAGE, "map", call.at)

    def after_vm_map(self, call):
        size, off = call["len"], call["off"]
        self.map(call.task, call.cap(), call.answer, off, size, "vm_map", call.at)

    def after_as_map(self, call):
        """The handle names an address space; the page tables show which."""
        vmo = self.vmos.get(call.cap().object) if call.cap() else {"bytes": 0}
        size = min(facts.whole_pages(call["len"]), vmo["bytes"])
        for task in (task for task in self.tasks.values() if task.satp and task.state == "live"):
            known = any(r["va"] <= call["va"] < r["va"] + r["bytes"] for r in task.maps)
            if not known and self.leaves(task, call["va"], PAGE) != [None]:
                self.map(task, call.cap(), call["va"], 0, size, "as_map", call.at)
                return
        self.fault(f"as_map of pid {call.task.pid} answered 0, and no known task has the pages")

    def before_vm_unmap(self, call):
        found = (call["va"], call["len"])
        call.kept = next((r for r in call.task.maps if (r["va"], r["bytes"]) == found), None)
        if call.kept:
            self.look(call.task, call.kept)

    def after_vm_unmap(self, call):
        if call.kept is None:
            self.fault(f"pid {call.task.pid} unmapped {call['va']:#x}, where nothing was mapped")
            return
        self.unmap(call.kept, (call.at, 0))
        call.task.maps.remove(call.kept)

    # ---- Capabilities ----------------------------------------------------------------------------
    def after_cap_transfer(self, call):
        cap, receiver = call.cap(), self.tasks.get(call["pid"] % SLOTS)
        if cap is None or receiver is None:
            self.fault(f"pid {call.task.pid} gave away a capability that is not known")
            return
        cap = cap._replace(rights=call["rights"] % SLOTS)
        self.hand(call.task, receiver, "transfer", cap, call.answer, (call.at, 0))

    after_cap_transfer_to = after_cap_transfer

    def hand(self, giver, task, via, cap, slot, at):
        task.caps[slot] = cap
        vmo = self.vmos[cap.object] if cap.kind != ENDPOINT else None
        able = [c for t in self.tasks.values() for c in t.caps.values() if vmo and c.kind == VMO]
        maps = [r for t in self.tasks.values() for r in t.maps if vmo and r["vmo"] == vmo["id"]]
        ways = {"from": giver.pid, "to": task.pid, "via": via, "kind": cap.kind}
        self.add("hand", **ways, vmo=vmo["id"] if vmo else 0, rights=cap.rights, slot=slot, seq=at,
                 wcaps=sum(c.object == cap.object for c in able),
                 wmaps=sum("w" in record["prot"] for record in maps))
        if vmo:
            self.hash(vmo, "grant", task.pid, (at[0], at[1] + 1), self.content(vmo))
            task.pending.append(vmo)

    def after_cap_clone(self, call):
        call.task.caps[call.answer] = call.cap()

    def after_cap_close(self, call):
        call.task.caps.pop(call["slot"] % SLOTS, None)

    def after_endpoint_create(self, call):
        self.owners.append(call.get("pid", call.task.pid))
        call.task.caps[call.answer] = Cap(ENDPOINT, len(self.owners) - 1, RIGHTS_ALL)

    after_endpoint_create_for = after_endpoint_create

    def after_endpoint_close(self, call):
        if call.cap() and call.cap().rights & MANAGE:
            self.queues[call.cap().object].clear()
        self.after_cap_close(call)

    # ---- Messages --------------------------------------------------------------------------------
    def before_ipc_send(self, call):
        task, cap, header = call.task, call.cap(), self.read(call.task, call["hdr"], HEADER.size)
        if cap is None or len(header) < HEADER.size:
            return
        fields, body = HEADER.unpack(header), self.read(task, call["buf"], min(call["len"], MESSAGE_MAX))
        moved = task.caps.get(fields[0]) if fields[3] & MOVES else None
        sent = Sent((call.at, 0), task, fields, body, moved, task.user)
        self.queues[cap.object].append(sent)
        call.kept = sent, self.queues[cap.object], [self.view(vmo) for vmo in task.pending]

    def view(self, vmo):
        """A VMO in every task that maps it, before a message leaves. -> (vmo, content, looks)"""
        maps = [(t, r) for t in self.tasks.values() for r in t.maps if r["vmo"] == vmo["id"]]
        return vmo, self.content(vmo), [(record, self.look(task, record)) for task, record in maps]

    def after_ipc_send(self, call):
        if call.kept is None:
            self.fault(f"a message of pid {call.task.pid} could not be read, and was sent")
            return
        sent, _, views = call.kept
        for part, (vmo, data, looks) in enumerate(views, 1):
            self.hash(vmo, "reply", call.task.pid, (call.at, part), data)
            self.views.append((call.task.pid, vmo["id"], looks))
            call.task.pending.remove(vmo)  # another may have come before we saw the answer
        self.leave(sent)

    def leave(self, sent):
        """A moved capability leaves its sender, whose answer we may see only after the receipt."""
        if sent.cap and sent.by.caps.get(sent.header[0]) is sent.cap:
            del sent.by.caps[sent.header[0]]

    def refused_ipc_send(self, call):
        if call.kept and call.kept[0] in call.kept[1]:
            call.kept[1].remove(call.kept[0])

    def before_ipc_recv_v2(self, call):
        words = self.read(call.task, call["desc"], 64)
        if len(words) == 64:
            call.update(zip(("slot", "hdr", "buf", "max", "flags"), DESCRIPTOR.unpack_from(words)))

    def after_ipc_recv(self, call):
        task, cap = call.task, call.cap()
        header, queue = self.read(task, call["hdr"], HEADER.size), cap and self.queues[cap.object]
        if not queue or len(header) < HEADER.size:
            self.fault(f"pid {task.pid} received a message that nobody sent")
            return
        sent, at = queue.pop(0), call.at if call["flags"] & NONBLOCK else self.tick()
        slot, by, kind, _, size = HEADER.unpack(header)
        body = self.read(task, call["buf"], min(size, call["max"], call.answer))
        if (by, kind, size, body) != (sent.by.pid, *sent.header[2::2], sent.body[: len(body)]):
            self.fault(f"the message of pid {sent.by.pid} reached pid {task.pid} changed")
        self.add("msg", **{"from": sent.by.pid, "to": task.pid}, len=size, type=kind,
                 flags=sent.header[3], moved=sent.cap.kind if sent.cap else "none", sent=sent.at,
                 seq=(at, 0), user=sent.user, head=sent.body[:128].hex() or "-", n=len(self.audit["msg"]))
        if sent.cap:
            self.leave(sent)
            self.hand(sent.by, task, "move", sent.cap, slot, (at, 1))

    after_ipc_recv_v2 = after_ipc_recv

    # ---- The console -----------------------------------------------------------------------------
    def before_debug_write(self, call):
        call.kept = self.read(call.task, call["ptr"], min(call["len"], WRITE_MAX))

    def after_debug_write(self, call):
        try:
            call.kept.decode("utf-8")  # the kernel prints nothing of another text
        except UnicodeDecodeError:
            return
        self.print(call.task, call.kept, call.at)

    def before_debug_putc(self, call):
        byte = call["byte"] & 0xFF
        self.print(call.task, bytes([byte]) if byte < 128 else b"", call.at)

    def print(self, task, text, at):
        for byte in text:
            self.line_at = self.line_at or (at, len(self.audit["say"]))
            self.writers.add(task.pid)
            if byte != ord("\n"):
                self.line += bytes([byte])
                continue
            by = str(task.pid) if len(self.writers) == 1 else "several"
            self.add("say", by=by, seq=self.line_at, len=len(self.line), line=self.line,
                     head=self.line[:64].hex() or "-", n=len(self.audit["say"]))
            self.line, self.writers, self.line_at = b"", set(), None

    # ---- The end ---------------------------------------------------------------------------------
    def finish(self):
        """Looks at everything once more, while the guest stands still at init's end."""
        at = self.tick()
        for task, record in [(t, r) for t in self.tasks.values() for r in t.maps]:
            if task.state == "live":
                self.look(task, record)
        for vmo in (vmo for vmo in self.vmos.values() if vmo["state"] == "live"):
            self.hash(vmo, "end", 0, (at, vmo["id"]), self.content(vmo))
        self.add("result", init="done", status=signed(self.init_status), instret=0)

    def close(self):
        """The records that need an end, good or bad, and the numbers of all instants: 1, 2, 3."""
        for pid, task in sorted(self.tasks.items()):
            ends = {"state": task.state, "end": task.end, "status": task.status}
            self.add("task", pid=pid, parent=task.parent, name=task.name, **ends)
            into, out = (self.copies[pid, way] for way in ("into", "from"))
            self.add("copy", pid=pid, into=into, **{"from": out})
            if task.image:
                self.add("image", pid=pid, **task.image)
        self.add("lost", msgs=0, undelivered=sum(len(queue) for queue in self.queues.values()))
        self.add("begin", hashes=1)
        if not self.audit["result"]:
            self.add("result", init="unknown", status=0, instret=0)
        found = [(record[key], kind, index, key) for kind, keys in ORDERED.items() for key in keys
                 for index, record in enumerate(self.audit[kind]) if record[key]]
        for number, (_, kind, index, key) in enumerate(sorted(found), 1):
            self.audit[kind][index][key] = number
        for kind, keys in ORDERED.items():
            self.audit[kind].sort(key=lambda record, key=keys[-1 if kind == "msg" else 0]: record[key])
