# SPDX-License-Identifier: Apache-2.0
"""A client of QEMU's gdb stub, on a socket that nobody else can reach. It writes no register and no
memory of the guest: only breakpoints, which QEMU keeps beside the guest."""
import re
import select
import time

ANSWER_SECONDS = 20  # to a question; a guest that runs may take until the run's wall timeout
PACKET_BYTES, PACKET_MAX = 4000, 1 << 16  # QEMU's own buffer has 4096
READ_BYTES, RAM_BASE = 1024, 0x80000000
SATP, INSTRUCTIONS = "satp", "minstret"


class StubError(Exception):
    """The stub hung, or said what nobody asked for."""


class Ended(Exception):
    """QEMU ended, or was ended."""


class Stub:
    def __init__(self, link, end):
        """link: a connected socket; end: the moment (time.monotonic) at which all waiting ends."""
        self.link, self.end, self.received = link, end, b""
        self.numbers, self.held = {}, {}

    def hear(self, end, silence="QEMU's gdb stub does not answer"):
        """The next packet's text. silence: what it means if none comes."""
        while not (found := re.search(rb"\$([^#]*)#..", self.received, re.DOTALL)):
            if len(self.received) > PACKET_MAX:
                raise StubError("QEMU's gdb stub sends a packet without end")
            left = max(0, end - time.monotonic())
            if not select.select([self.link], [], [], left)[0]:
                raise StubError(silence)
            try:
                data = self.link.recv(PACKET_MAX)
            except OSError:
                data = b""
            if not data:
                raise Ended
            self.received += data
        self.received = self.received[found.end() :]
        self.send(b"+")
        return found[1].decode("latin-1")

    def send(self, data):
        try:
            self.link.sendall(data)
        except OSError as error:
            raise Ended from error

    def ask(self, text):
        data = text.encode("ascii")
        self.send(b"$%s#%02x" % (data, sum(data) & 255))
        return self.hear(min(self.end, time.monotonic() + ANSWER_SECONDS))

    def order(self, text):
        answer = self.ask(text)
        if answer != "OK":
            raise StubError(f"QEMU's gdb stub answers {answer[:40]!r} to {text[:40]!r}")

    def document(self, name):
        text, last = "", "m"
        while last == "m":
            part = self.ask(f"qXfer:features:read:{name}:{len(text):x},{PACKET_BYTES:x}")
            last, text = part[:1], text + part[1:]
            if last not in "ml" or len(part) < 2 or len(text) > 1 << 20:
                raise StubError(f"QEMU's gdb stub has no {name}")
        return text

    def begin(self):
        """Before the documents are read the stub knows no CSR."""
        self.ask("qSupported")
        self.document("target.xml")
        csrs = self.document("riscv-csr.xml")
        self.numbers = dict(re.findall(r'name="(\w+)"[^>]*?regnum="(\d+)"', csrs))
        if not {SATP, INSTRUCTIONS} <= set(self.numbers):
            raise StubError(f"QEMU's gdb stub does not show {SATP} and {INSTRUCTIONS}")
        self.order("Qqemu.PhyMemMode:1")

    def csr(self, name):
        answer = self.ask(f"p{int(self.numbers[name]):x}")
        if not re.fullmatch("[0-9a-f]{16}", answer):
            raise StubError(f"QEMU's gdb stub does not show {name}")
        return int.from_bytes(bytes.fromhex(answer), "little")

    def registers(self):
        """-> x0 to x31 and pc"""
        answer = self.ask("g")
        if not re.fullmatch("(?:[0-9a-f]{16}){33}", answer):
            raise StubError("QEMU's gdb stub has other registers than x0 to x31 and pc")
        data = bytes.fromhex(answer)
        return [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]

    def page(self, address):
        """A page of physical memory, read once a stop; zeros where the machine has no RAM, since to
        read a device may change it."""
        if address < RAM_BASE:
            return bytes(4096)
        if address not in self.held:
            parts = (f"m{address + at:x},{READ_BYTES:x}" for at in range(0, 4096, READ_BYTES))
            answers = "".join(map(self.ask, parts))
            good = re.fullmatch("[0-9a-f]{8192}", answers)
            self.held[address] = bytes.fromhex(answers) if good else bytes(4096)
        return self.held[address]

    def put(self, address):
        self.order(f"Z0,{address:x},4")

    def take(self, address):
        self.order(f"z0,{address:x},4")

    def resume(self, how):
        """how: `c` or `s`, one instruction. Returns at the next stop."""
        self.held.clear()
        data = how.encode()
        self.send(b"$%s#%02x" % (data, sum(data) & 255))
        limit = self.end if how == "c" else min(self.end, time.monotonic() + ANSWER_SECONDS)
        answer = self.hear(limit, "no task made a call until the run's wall timeout")
        if answer.startswith(("W", "X")):
            raise Ended
        if not answer.startswith("T05"):
            raise StubError(f"QEMU's gdb stub reports an unknown stop {answer[:40]!r}")

    def leave(self):
        """The guest runs on, unwatched."""
        self.order("D")
        self.link.close()
