# SPDX-License-Identifier: Apache-2.0
"""One run of the proof on Linux: two children, every message between them through our hands, and two barriers.

A barrier is the moment at which the consumer's reply is on its way and its mapping still there. The first reply
is held back here. The second is held back in the consumer: it closes everything right behind it, so its way to
us is filled before it gets the request (relay.Gate), and it stands in its send until we have looked.
"""
import contextlib
import dataclasses
import secrets
import select
import socket
import time

from judge import proc_facts
from judge import proof
from judge import relay
from judge import supervise
from judge.host_child import Child

WALL, LOG_CAP, GRACE, PACKETS = "wall", "log-cap", "grace", "packets"
GRACE_SECONDS = 3  # of one process, once the other has ended
BARRIER_SECONDS = 0.2  # within the payloads' own patience (payloads/proof.h)
LOOK_SECONDS = 0.2
STEP_MS = 2
GATE_WORD_BYTES = 16
ASLEEP_OR_GONE = "SZX-"


@dataclasses.dataclass
class Sight:
    """One process at one moment."""

    state: str
    mappings: list
    descriptors: list


@dataclasses.dataclass
class Barrier:
    """Both processes, the objects and what was printed, when a reply was held back."""

    tag: int
    sights: dict  # number of the process -> Sight
    printed: dict  # number of the process -> its lines so far
    seals: dict  # Identity -> names of the seals on our own duplicate
    contents: dict  # Identity -> its bytes, read through our own duplicate


def look(pid):
    return Sight(proc_facts.state(pid), proc_facts.mappings(pid), proc_facts.descriptors(pid))


class HostRun:
    """The two children and the relay between them, from their start to their end."""

    def __init__(self, wall_seconds, log_cap):
        self.wall_seconds, self.log_cap = wall_seconds, log_cap
        self.begin = time.monotonic()
        self.deadline = self.begin + wall_seconds
        self.children, self.ends = {}, {}
        self.statuses = {}  # number -> exit status, minus the signal that ended it, or None: we had to
        self.packets, self.barriers = [], {}
        self.lines = []  # (number of the process, line), as they came
        self.errors = {}  # number -> what it said on its standard error
        self.bytes_said = 0
        self.stopped, self.stopped_why = None, ""
        self.bystanders = frozenset()  # children that the caller has already
        self.strays = {}  # pid -> name: processes that a payload left running
        self.grace = False  # one has ended: the other gets GRACE_SECONDS
        self.seconds = 0.0
        self.gate = None

    # ---- Start and end ------------------------------------------------------------------------------

    def start(self, programs):
        """programs: number of the process -> (role, argv)."""
        others = dict(zip(programs, reversed(programs)))
        for number, (role, argv) in programs.items():
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with ours, theirs:
                if number == proof.CONSUMER_PID:
                    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the kernel's least; see Gate
                    self.gate = relay.Gate(theirs.dup(), secrets.token_bytes(GATE_WORD_BYTES))
                self.errors[number] = b""
                self.ends[number] = relay.End(ours.dup(), number, others[number])
                self.children[number] = Child(role, number, argv, theirs.fileno())

    def stop(self):
        """Leaves nothing behind: no process, no descriptor."""
        for child in self.children.values():
            child.kill()
            child.close()
        self.end_strays()
        for end in self.ends.values():
            end.sock.close()
        if self.gate:
            self.gate.release()
        relay.release(self.packets)

    def end_strays(self):
        """Ends what a payload left running: its own parent has ended, and this process has adopted it."""
        living = {child.pid for child in self.children.values() if child.status is None}
        self.strays.update(supervise.end_strays(self.bystanders | living))

    def over(self):
        return (all(child.status is not None and child.out is None and child.err is None
                    for child in self.children.values()) and all(end.ended for end in self.ends.values()))

    def run(self, programs):
        supervise.adopt_orphans()
        self.bystanders = frozenset(supervise.children())
        try:
            self.start(programs)
            while not self.stopped and not self.over():
                self.step()
        finally:
            self.seconds = time.monotonic() - self.begin
            self.statuses = {number: child.status for number, child in self.children.items()}
            self.stop()
        return self

    def halt(self, word, why):
        if not self.stopped:
            self.stopped, self.stopped_why = word, why

    # ---- The loop -----------------------------------------------------------------------------------

    def sources(self):
        """descriptor -> (events, what to do)."""
        found = {}
        for number, child in self.children.items():
            for descriptor in (child.out, child.err):
                if descriptor is not None:
                    found[descriptor] = (select.POLLIN, lambda c=child, d=descriptor: self.listen(c, d))
            if child.pidfd is not None:
                found[child.pidfd] = (select.POLLIN, lambda c=child: self.ended(c))
            end = self.ends[number]
            events = select.POLLOUT if end.waiting else 0
            if not end.ended and not self.ends[end.other].waiting:
                events |= select.POLLIN
            if events:
                found[end.sock.fileno()] = (events, lambda e=end: self.carry(e))
        return found

    def step(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            self.halt(GRACE if self.grace else WALL, "")
            return
        sources = self.sources()
        poller = select.poll()
        for descriptor, (events, _) in sources.items():
            poller.register(descriptor, events)
        try:
            for descriptor, _ in poller.poll(left * 1000):
                sources[descriptor][1]()
        except relay.RelayLimit as error:
            self.halt(PACKETS, str(error))

    def listen(self, child, descriptor):
        if descriptor not in child.tail:
            return  # it came to its end since we asked
        is_error = descriptor == child.err
        chunk, lines = child.read(descriptor)
        self.bytes_said += len(chunk or b"")
        if self.bytes_said >= self.log_cap:
            self.halt(LOG_CAP, "")
        if is_error:
            self.errors[child.number] += chunk or b""
            return
        self.lines += [(child.number, line) for line in lines]
        if chunk is None:
            self.look_at_end(child)

    def look_at_end(self, child):
        """It has closed its standard output: the last thing a payload does before it waits to be let go."""
        limit = time.monotonic() + LOOK_SECONDS
        while proc_facts.state(child.pid) not in ASLEEP_OR_GONE and time.monotonic() < limit:
            select.select([], [], [], STEP_MS / 1000)
        child.looked = look(child.pid)
        child.let_go()

    def ended(self, child):
        child.reap()
        self.end_strays()
        child.let_go()
        self.grace = True
        if child.number == proof.CONSUMER_PID:
            self.gate.release()
        self.deadline = min(self.deadline, time.monotonic() + GRACE_SECONDS)

    # ---- The relay ----------------------------------------------------------------------------------

    def carry(self, end):
        end.flush()
        if end.ended or self.ends[end.other].waiting:
            return
        try:
            packet = end.receive()
        except BlockingIOError:
            return
        if packet is None:
            self.ends[end.other].close_soon()
            if end.owner == proof.PRODUCER_PID:
                self.gate.release()
            return
        if packet.data == self.gate.word:
            return
        self.packets.append(packet)
        self.pass_on(packet)

    def pass_on(self, packet):
        tag = packet.tag()
        if packet.sender == proof.CONSUMER_PID and tag == proof.TAG_BLOB and tag not in self.barriers:
            self.take(tag, lambda: True)
        gated = packet.sender == proof.PRODUCER_PID and tag == proof.TAG_PAGE and tag not in self.barriers
        if gated:
            self.gate.shut()
        self.ends[packet.receiver].give(packet)
        if gated:
            self.take(tag, lambda: self.stands_at_gate(packet))

    def stands_at_gate(self, packet):
        """The consumer has taken the request, and has mapped what was handed over."""
        end = self.ends[proof.CONSUMER_PID]
        if end.waiting or end.unread_bytes():
            return False
        given = {held.identity for sent in self.packets if sent.receiver == packet.receiver for held in sent.held}
        seen = {mapping.identity for mapping in proc_facts.mappings(self.children[packet.receiver].pid)}
        return given <= seen

    def take(self, tag, ready):
        """Waits, not for long, until both processes stand still; then looks at everything at once."""
        limit = time.monotonic() + BARRIER_SECONDS
        while True:
            still = all(child.status is not None or proc_facts.state(child.pid) in ASLEEP_OR_GONE
                        for child in self.children.values())
            self.hear()
            if still and ready() or time.monotonic() >= limit:
                break
            select.select([], [], [], STEP_MS / 1000)
        held = {held.identity: held.descriptor for packet in self.packets for held in packet.held}
        self.barriers[tag] = Barrier(
            tag=tag,
            sights={number: look(child.pid) if child.status is None else Sight("-", [], [])
                    for number, child in self.children.items()},
            printed={number: self.said(number) for number in self.children},
            seals={identity: proc_facts.seals(descriptor) for identity, descriptor in held.items()},
            contents={identity: proc_facts.content(descriptor) for identity, descriptor in held.items()})

    def said(self, number=None):
        """Lines of one process, or of both as they came."""
        return [line for who, line in self.lines if number in (None, who)]

    def hear(self):
        """What was printed up to here belongs before the barrier."""
        for child in self.children.values():
            with contextlib.suppress(OSError):
                while child.out is not None and select.select([child.out], [], [], 0)[0] and not self.stopped:
                    self.listen(child, child.out)
