# SPDX-License-Identifier: Apache-2.0
"""One run of the proof on Linux: two children, a relay between them, two barriers, and a model.

A barrier is a moment at which the consumer has replied and its mapping still exists. The relay
holds back the first reply. The consumer closes everything right after the second one, so it must
block in that send: Gate fills its send queue before it gets the request, and the relay drains the
queue after both processes have been inspected.
"""
import array
import contextlib
import dataclasses
import fcntl
import os
import secrets
import select
import socket
import struct
import termios
import time

import supervise
from harness import linux_proc
from judge import audit as audits, check_linux, check_share, check_stream, facts
from judge.facts import CONSUMER_PID, PRODUCER_PID, TAG_BLOB, TAG_PAGE

BARRIER_SECONDS = 0.2  # below the payloads' own timeout (payloads/proof.h)
STEP_MS = 2
GATE_WORD_BYTES = 16
ASLEEP_OR_GONE = "SZX-"
PACKET_MAX_BYTES = 1024  # libvmo's longest message has 480 bytes
DESCRIPTORS_MAX = 4
PACKETS_MAX = 64  # of one side; the proof sends 3
DESCRIPTOR_BYTES = array.array("i").itemsize
# A transfer is a separate packet: this word, its sequence number, and one descriptor.
GRANT, GRANT_MAGIC = struct.Struct("<II"), 0x474F4D56
BASE_STEP = 1 << 40  # distance between the objects' model addresses


# ---- Packets -----------------------------------------------------------------------------------
class RelayLimit(Exception):
    """A peer exceeded a limit of the relay."""


# The harness's duplicate of a descriptor that it relayed.
Held = dataclasses.make_dataclass("Held", ("descriptor", "identity", "size"))


@dataclasses.dataclass
class Packet:
    """A packet with any content: the relay records and forwards it; the judge decides."""

    sender: int
    receiver: int
    data: bytes
    held: list
    delivered: bool = False

    def header(self):
        """The header of a libvmo message, or None."""
        if len(self.data) < facts.MESSAGE_HEADER.size:
            return None
        header = facts.Header._make(facts.MESSAGE_HEADER.unpack_from(self.data))
        return header if header.magic == facts.MESSAGE_MAGIC else None

    def is_message(self):
        """A packet with a message header, or without a descriptor, is a message."""
        return self.header() is not None or not self.held

    def is_grant(self):
        is_formed = len(self.data) == GRANT.size and len(self.held) == 1
        return is_formed and GRANT.unpack(self.data)[0] == GRANT_MAGIC

    def tag(self):
        header = self.header()
        return header.tag if header else None

    def release(self):
        for held in self.held:
            os.close(held.descriptor)


def held_in(ancillary):
    found = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(data[: len(data) - len(data) % DESCRIPTOR_BYTES])
    seen = [(descriptor, os.fstat(descriptor)) for descriptor in found]
    return [Held(number, linux_proc.identity_of(status), status.st_size) for number, status in seen]


class End:
    """The relay's end of one process's channel."""

    def __init__(self, sock, owner, other):
        self.sock, self.owner, self.other = sock, owner, other
        self.sock.setblocking(False)
        # Room for everything that the other side may send, so that no send waits.
        room = PACKETS_MAX * PACKET_MAX_BYTES * 2
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room)
        self.packets = 0
        self.ended = False  # the channel is at its end

    def receive(self):
        """-> Packet, or None at the channel's end. BlockingIOError: no packet yet."""
        room = socket.CMSG_SPACE(DESCRIPTORS_MAX * DESCRIPTOR_BYTES)
        try:
            received = self.sock.recvmsg(PACKET_MAX_BYTES, room, socket.MSG_CMSG_CLOEXEC)
            data, ancillary, flags, _ = received
        except ConnectionResetError:
            data, ancillary, flags = b"", [], 0
        held = held_in(ancillary)
        if not data and not held and self.hung_up():
            self.ended = True
            return None
        self.packets += 1
        packet = Packet(self.owner, self.other, data, held)
        if self.packets > PACKETS_MAX or flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            packet.release()
            many = self.packets > PACKETS_MAX
            what = f"more than {PACKETS_MAX} packets" if many else "a packet that is too long"
            raise RelayLimit(f"pid {self.owner} sent {what}")
        return packet

    def hung_up(self):
        """Distinguishes the channel's end from an empty packet."""
        poller = select.poll()
        poller.register(self.sock, select.POLLRDHUP)
        return bool(poller.poll(0))

    def send(self, packet):
        """Forwards a packet. A packet that the process can no longer take stays undelivered."""
        numbers = array.array("i", [held.descriptor for held in packet.held])
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)] if packet.held else []
        with contextlib.suppress(OSError):
            self.sock.sendmsg([packet.data], rights)
            packet.delivered = True

    def finish(self):
        """Shuts the channel down towards the process."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def unread_bytes(self):
        """Bytes that the process has not read yet, as the kernel counts them."""
        return struct.unpack("i", fcntl.ioctl(self.sock, termios.TIOCOUTQ, bytes(4)))[0]


class Gate:
    """Blocks a process in its next send by filling its send queue with our packets.

    The gate is a duplicate of the process's end of the channel. While it is open, the channel has
    no end, so it is closed as soon as the queue is full, and when the process has exited.
    """

    def __init__(self, sock):
        self.sock = sock
        self.sock.setblocking(False)
        self.word = secrets.token_bytes(GATE_WORD_BYTES)  # no payload sends it

    def shut(self):
        with contextlib.suppress(OSError):
            while True:
                self.sock.send(self.word)
        self.sock.close()


# ---- The run -----------------------------------------------------------------------------------
# The state while a reply was held back: process number -> Snapshot; process number -> lines so far;
# object identity -> seals of our duplicate; object identity -> bytes read through our duplicate.
Barrier = dataclasses.make_dataclass("Barrier", ("tag", "sights", "printed", "seals", "contents"))


def is_over(pool, page):
    """Whether each of a stream's last frames was released, read through two descriptors, which may
    be of anything."""
    buffers, ring = facts.STREAM_BUFFERS, check_stream.RING
    begin = buffers * facts.FRAME_BYTES
    try:
        control = os.pread(pool, facts.STREAM_POOL_BYTES - begin, begin)
        words = struct.unpack(f"<{buffers}Q", os.pread(page, 8 * buffers, 0))
    except (OSError, struct.error):
        return False
    if len(control) < facts.STREAM_POOL_BYTES - begin:
        return False
    places = range(ring, len(control), check_stream.ENTRY_BYTES)
    entries = [struct.unpack_from("<QQ", control, at) for at in places]
    released = [words[where >> 56 & buffers - 1] > 2 * number for number, where in entries]
    return struct.unpack_from("<Q", control)[0] > 0 and all(released)


class HostRun:
    """The two children and the relay between them, from start to exit."""

    def __init__(self, wall_seconds, log_cap, proof=facts.SHARE):
        self.log_cap, self.begin = log_cap, time.monotonic()
        self.deadline = self.begin + wall_seconds
        self.children, self.ends, self.gate = {}, {}, None
        self.statuses = {}  # number -> exit status, negative signal, or None if we ended it
        self.packets, self.barriers = [], {}
        self.lines = []  # (process number, line), in order of arrival
        self.errors = {}  # number -> its standard error
        self.bytes_said, self.seconds = 0, 0.0
        self.stopped, self.stop_reason = None, ""
        self.earlier_children = frozenset()  # children that the caller had before
        self.strays = {}  # pid -> name of a process that a payload left running
        self.streams = proof == facts.STREAM
        self.looks = facts.FORMS[proof].looks
        self.waits = False  # for the stream's end: the consumer then blocks at the gate
        self.grace = False  # one has exited; the other has GRACE_SECONDS left

    def start(self, programs):
        """programs: process number -> argv"""
        for number, other in zip(programs, reversed(programs)):
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.ends[number] = End(ours, number, other)
            with theirs:
                if number == CONSUMER_PID:
                    # The kernel's minimum, so that a few packets fill it.
                    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
                    self.gate = Gate(theirs.dup())
                self.errors[number] = bytearray()
                self.children[number] = linux_proc.Child(number, programs[number], theirs.fileno())

    def stop(self):
        """Ends all processes and closes all descriptors."""
        for child in self.children.values():
            child.kill()
        self.end_strays()
        for end in self.ends.values():
            end.sock.close()
        if self.gate:
            self.gate.sock.close()
        for packet in self.packets:
            packet.release()

    def end_strays(self):
        """Ends processes that a payload left running; this process adopted them."""
        living = {child.pid for child in self.children.values() if child.status is None}
        self.strays.update(supervise.end_strays(self.earlier_children | living))

    def over(self):
        done = [child.status is not None and not child.tail for child in self.children.values()]
        return all(done) and all(end.ended for end in self.ends.values())

    def run(self, programs):
        supervise.adopt_orphans()
        self.earlier_children = frozenset(supervise.children())
        try:
            self.start(programs)
            while not self.stopped and not self.over():
                self.step()
        finally:
            self.seconds = time.monotonic() - self.begin
            self.statuses = {number: child.status for number, child in self.children.items()}
            self.stop()
        return self

    def halt(self, word, why=""):
        if not self.stopped:
            self.stopped, self.stop_reason = word, why

    def step(self):
        """Waits for an event, then handles every pipe, channel and exit."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            self.halt(facts.GRACE if self.grace else facts.WALL)
            return
        poller = select.poll()
        for child in self.children.values():
            for source in (*child.tail, *([child.pidfd] if child.status is None else [])):
                poller.register(source, select.POLLIN)
        for end in self.ends.values():
            if not end.ended and not self.is_held(end):
                poller.register(end.sock, select.POLLIN)
        poller.poll(STEP_MS if self.waits else left * 1000)
        if self.waits and self.stream_ended():
            self.take_barrier(TAG_BLOB, self.stream_ended)
            self.waits = False
        for child in self.children.values():
            for pipe in list(child.tail):
                self.read_output(child, pipe)
            self.relay(self.ends[child.number])
            if child.status is None:
                child.status = child.process.poll()
                if child.status is not None:
                    self.ended(child)

    def read_output(self, child, pipe):
        chunk, lines = child.read(pipe)
        self.bytes_said += len(chunk or b"")
        if self.bytes_said >= self.log_cap:
            self.halt(facts.LOG_CAP)
        if pipe is child.err:
            self.errors[child.number] += chunk or b""
            return
        self.lines += [(child.number, line) for line in lines]
        if chunk is None:  # a payload closes it last, then waits on its standard input
            self.wait_until_still([child])
            child.at_exit = linux_proc.snapshot(child.pid)
            child.standard_in.close()  # lets the payload exit

    def ended(self, child):
        self.waits = False
        self.end_strays()
        child.standard_in.close()
        self.grace = True
        if child.number == CONSUMER_PID:
            self.gate.sock.close()
        self.deadline = min(self.deadline, time.monotonic() + facts.GRACE_SECONDS)

    # ---- The relay and its barriers ----
    def is_held(self, end):
        """Whether nothing is read from this end, so that the process blocks in its next send."""
        return self.waits and end.owner == CONSUMER_PID

    def relay(self, end):
        if end.ended or self.is_held(end):
            return
        try:
            packet = end.receive()
        except BlockingIOError:
            return
        except RelayLimit as error:
            self.halt(facts.PACKETS, str(error))
            return
        if packet is None:
            self.ends[end.other].finish()
            if end.owner == PRODUCER_PID:
                self.gate.sock.close()
        elif packet.data != self.gate.word:
            self.packets.append(packet)
            self.forward(packet)

    def forward(self, packet):
        if self.streams:
            self.forward_of_stream(packet)
            return
        tag = packet.tag() if packet.tag() not in self.barriers else None
        if (packet.sender, tag) in self.looks:
            self.take_barrier(tag, lambda: True)
        gated = (packet.sender, tag) == (PRODUCER_PID, TAG_PAGE)
        if gated:
            self.gate.shut()
        self.ends[packet.receiver].send(packet)
        if gated:
            self.take_barrier(tag, self.is_blocked_at_gate)

    def forward_of_stream(self, packet):
        """The reply is the consumer's first packet. The gate is shut before the consumer gets the
        last packet of the offer, which carries the return page."""
        header = packet.header()
        if packet.sender == PRODUCER_PID and header and header.rights == check_share.RIGHTS_ALL:
            self.gate.shut()
            self.waits = True
        self.ends[packet.receiver].send(packet)

    def stream_ended(self):
        """Whether each published frame was released, and both processes sleep: the consumer in the
        send of its reply."""
        held = [item.descriptor for packet in self.packets for item in packet.held]
        living = [child for child in self.children.values() if child.status is None]
        asleep = all(linux_proc.state(child.pid) == "S" for child in living)
        return asleep and len(held) > 1 and is_over(*held[:2])

    def is_blocked_at_gate(self):
        """Whether the consumer has read the request and mapped what it was given."""
        end, mapped = self.ends[CONSUMER_PID], linux_proc.mappings(self.children[CONSUMER_PID].pid)
        if end.unread_bytes():
            return False
        mine = [packet for packet in self.packets if packet.receiver == CONSUMER_PID]
        given = {held.identity for packet in mine for held in packet.held}
        return given <= {mapping.identity for mapping in mapped}

    def wait_until_still(self, children, ready=lambda: True):
        """Waits, at most BARRIER_SECONDS, until the children sleep and ready() is true."""
        limit = time.monotonic() + BARRIER_SECONDS
        while time.monotonic() < limit:
            pids = [child.pid for child in children if child.status is None]
            still = all(linux_proc.state(pid) in ASLEEP_OR_GONE for pid in pids)
            self.drain_output(children)
            if still and ready():
                return
            select.select([], [], [], STEP_MS / 1000)

    def take_barrier(self, tag, ready):
        """Waits until both processes sleep, then records everything at one moment."""
        children = self.children.values()
        self.wait_until_still(children, ready)
        held = {held.identity: held.descriptor for packet in self.packets for held in packet.held}
        sights = {child.number: linux_proc.Snapshot("-", [], [], None) for child in children}
        living = [child for child in children if child.status is None]
        sights.update({child.number: linux_proc.snapshot(child.pid) for child in living})
        printed = {number: self.lines_of(number) for number in self.children}
        seals = {key: linux_proc.seals(descriptor) for key, descriptor in held.items()}
        contents = {key: linux_proc.content(descriptor) for key, descriptor in held.items()}
        self.barriers[tag] = Barrier(tag, sights, printed, seals, contents)

    def lines_of(self, number=None):
        """Lines of one process, or of both in order of arrival."""
        return [line for who, line in self.lines if number in (None, who)]

    def drain_output(self, children):
        """Reads the output so far, which belongs before the barrier."""
        for child in children:
            while child.out in child.tail and select.select([child.out], [], [], 0)[0]:
                if self.stopped:
                    return
                self.read_output(child, child.out)


# ---- The model ---------------------------------------------------------------------------------
class Model:
    """Fills an audit from a finished HostRun, so that one set of checks reads both.

    Producer and consumer keep their numbers, 17 and 18. An object is a file, identified by device
    and inode. Two mappings share memory if they map the same page of the same file. So the model
    invents a base address for each object, far enough from every other object's.
    """

    def __init__(self, run):
        self.audit = audits.Audit()
        self.numbers, self.maps = {}, set()  # identity -> id of the VMO; mappings added so far
        self.seals = {}
        for barrier in run.barriers.values():
            self.seals.update(barrier.seals)
        self.add("begin", v=1, abi="linux")
        for number in sorted(run.children):
            status = run.statuses.get(number)
            end = "none" if status is None else "exit" if status >= 0 else "fault"
            how = {"state": "live" if status is None else "reaped", "end": end}
            self.add("task", pid=number, parent=0, **how, status=status or 0, name="-")
        for packet in run.packets:
            self.add_packet(packet)
        for barrier in run.barriers.values():
            for number, sight in barrier.sights.items():
                self.add_maps(number, sight)
        lost = sum(1 for packet in run.packets if not packet.delivered)
        self.add("lost", msgs=0, undelivered=lost)
        self.audit.line_count = sum(len(records) for records in self.audit.records.values())

    def add(self, what, **record):
        key = tuple(record.items())
        if what != "map" or key not in self.maps:
            self.audit[what].append(record)
            self.maps.add(key)

    def is_alias(self, identity):
        return check_linux.is_sealed(self.seals.get(identity))

    def vmo(self, identity, creator, size):
        """The id of an object; a new object gets a new one."""
        if identity not in self.numbers:
            number = self.numbers[identity] = len(self.numbers) + 1
            base = number * BASE_STEP
            self.add("vmo", id=number, creator=creator, base=base, bytes=size, state="live")
        return self.numbers[identity]

    def add_packet(self, packet):
        way, kind = {"from": packet.sender, "to": packet.receiver}, "none"
        via = "move" if packet.is_message() else "transfer"
        for held in packet.held:
            number = self.vmo(held.identity, packet.sender, held.size)
            kind = "alias" if self.is_alias(held.identity) else "vmo"
            self.add("hand", **way, via=via, kind=kind, vmo=number, rights=0)
        if packet.is_message():
            head, count = packet.data[: audits.HEAD_BYTES["msg"]], len(self.audit["msg"])
            length = len(packet.data)
            self.add("msg", n=count, **way, len=length, type=0, moved=kind, head=head.hex() or "-")

    def add_maps(self, number, sight):
        """Adds a process's mappings of objects and every other mapping that could be shared."""
        for mapping in sight.mappings:
            shared = mapping.perms[3] == "s" or mapping.name.startswith("/memfd:")
            if mapping.identity in self.numbers or shared:
                vmo = self.vmo(mapping.identity, number, mapping.size)
                where = {"vmo": vmo, "off": mapping.off, "base": vmo * BASE_STEP + mapping.off}
                prot, alias = mapping.perms[:3].replace("-", ""), self.is_alias(mapping.identity)
                how = {"prot": prot, "perms": mapping.perms, "alias": int(alias), "via": "map"}
                pages = {"bytes": mapping.size, "accessed": mapping.present, "dirtied": None}
                self.add("map", pid=number, **where, **how, **pages, state="live")
