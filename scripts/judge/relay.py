# SPDX-License-Identifier: Apache-2.0
"""Carries packets between two sockets, with the descriptors in them, and keeps a record of each.

A packet may be any rubbish: it is recorded and carried on as it is, within bounds; the judge decides.
"""
import array
import collections
import dataclasses
import fcntl
import os
import select
import socket
import struct
import termios

from judge import proc_facts
from judge import proof

PACKET_MAX_BYTES = 1024  # libvmo's longest message has 480
DESCRIPTORS_MAX = 4
PACKETS_MAX = 64  # of one side; the proof's has 3
DESCRIPTOR_BYTES = array.array("i").itemsize


class RelayLimit(Exception):
    """A peer went over a bound of the relay."""


@dataclasses.dataclass
class Held:
    """The harness's own duplicate of a descriptor that passed."""

    descriptor: int
    identity: proc_facts.Identity
    size: int


@dataclasses.dataclass
class Packet:
    sender: int
    receiver: int
    data: bytes
    held: list
    delivered: bool = False

    def header(self):
        """The fields of a libvmo message, or None."""
        if len(self.data) < proof.MESSAGE_HEADER.size:
            return None
        fields = proof.MESSAGE_HEADER.unpack_from(self.data)
        return fields if fields[0] == proof.MESSAGE_MAGIC else None

    def is_message(self):
        """Everything is taken for a message, but for what carries a descriptor without being one."""
        return self.header() is not None or not self.held

    def tag(self):
        fields = self.header()
        return fields[3] if fields else None


def hold(descriptor):
    facts = os.fstat(descriptor)
    return Held(descriptor, proc_facts.identity_of(facts), facts.st_size)


def descriptors_in(ancillary):
    found = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(data[:len(data) - len(data) % DESCRIPTOR_BYTES])
    return list(found)


class End:
    """The relay's end of one channel."""

    def __init__(self, sock, owner, other):
        self.sock = sock
        self.sock.setblocking(False)
        self.owner, self.other = owner, other
        self.packets = 0
        self.waiting = collections.deque()  # what the peer has had no room for
        self.ended = False  # nothing more comes
        self.closing = False  # nothing more goes, once the queue is empty

    def receive(self):
        """-> Packet, or None at the end of the channel. Raises BlockingIOError when there is nothing."""
        try:
            data, ancillary, flags, _ = self.sock.recvmsg(
                PACKET_MAX_BYTES, socket.CMSG_SPACE(DESCRIPTORS_MAX * DESCRIPTOR_BYTES), socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError:
            data, ancillary, flags = b"", [], 0
        held = [hold(descriptor) for descriptor in descriptors_in(ancillary)]
        if not data and not held and self.hung_up():
            self.ended = True
            return None
        self.packets += 1
        packet = Packet(self.owner, self.other, data, held)
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC) or self.packets > PACKETS_MAX:
            what = f"more than {PACKETS_MAX} packets" if self.packets > PACKETS_MAX else "a packet that is too long"
            release([packet])
            raise RelayLimit(f"pid {self.owner} sent {what}")
        return packet

    def hung_up(self):
        """An empty packet looks like the end; the socket knows which it is."""
        poller = select.poll()
        poller.register(self.sock, select.POLLRDHUP)
        return bool(poller.poll(0))

    def give(self, packet):
        self.waiting.append(packet)
        self.flush()

    def flush(self):
        """Sends what there is room for. What the peer can no longer take stays undelivered."""
        while self.waiting:
            packet = self.waiting[0]
            ancillary = []
            if packet.held:
                numbers = array.array("i", [held.descriptor for held in packet.held])
                ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)]
            try:
                self.sock.sendmsg([packet.data], ancillary)
                packet.delivered = True
            except BlockingIOError:
                return
            except OSError:
                pass
            self.waiting.popleft()
        if self.closing:
            self.shut()

    def close_soon(self):
        """Tells the peer that nothing more comes, after what still waits."""
        self.closing = True
        self.flush()

    def shut(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def unread_bytes(self):
        """What was given and the peer has not taken yet, as the kernel counts it."""
        return struct.unpack("i", fcntl.ioctl(self.sock, termios.TIOCOUTQ, bytes(4)))[0]


class Gate:
    """Holds a peer in its next send, by filling its way to us with packets of our own.

    It is a duplicate of the peer's end, so while it is open the channel's end cannot be seen: it is given up
    as soon as it is shut, and when the peer has ended.
    """

    def __init__(self, sock, word):
        self.sock = sock
        self.sock.setblocking(False)
        self.word = word  # random: no packet of the peer's is taken for one of ours
        self.filled = 0

    def shut(self):
        if self.sock is None:
            return
        try:
            while True:
                self.sock.send(self.word)
                self.filled += 1
        except OSError:
            pass
        self.release()

    def release(self):
        if self.sock is not None:
            self.sock.close()
            self.sock = None


def release(packets):
    for packet in packets:
        for held in packet.held:
            os.close(held.descriptor)
