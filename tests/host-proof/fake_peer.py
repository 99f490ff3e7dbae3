# SPDX-License-Identifier: Apache-2.0
"""Fake producer and consumer that use libvmo's packets. Usage: fake_peer.py ROLE MODE FOLDER.

MODE selects one error, listed in the rows of tests/host-proof/test_relay.py; "good" makes none. FOLDER contains
blob.bin and page.bin for the producer, and a fifo for one mode.
"""
import array
import contextlib
import ctypes
import fcntl
import hashlib
import os
import pathlib
import select
import signal
import socket
import struct
import sys

HEADER = struct.Struct("<IHHIHHQQ")
REPLY = struct.Struct("<32sQQQ")  # digest, copies, control bytes, bulk bytes
MAGIC, DATA, HANDLE = 0x314F4D56, 1, 2
GRANT = b"VMOG"
READ_RIGHT, PEERS, FOREVER = 1, 1, 2
PAGE = 4096
PROT_READ, PROT_WRITE, SHARED, PRIVATE = 1, 2, 1, 2
F_ADD_SEALS, PEER_SEALS = 1033, 2 | 4 | 16
WAIT_MS = int(os.environ.get("FAKE_WAIT_MS") or 5000)
FORKS = 200

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

MODE = sys.argv[2]
channel = socket.socket(fileno=3)


def wrong(name):
    return MODE == name


def say(text):
    os.write(1, text.encode() + b"\n")


def fail(text):
    say(f"vmo: FAIL {sys.argv[1]} {text}")
    channel.close()
    end(1)


def end(status):
    if not wrong("ends-at-once"):
        os.close(1)
        while os.read(0, 1):
            pass
    os._exit(status)


def rounded(length):
    return (length + PAGE - 1) // PAGE * PAGE


def message(kind, tag, body=b"", length=0, rights=0, seal=0):
    return HEADER.pack(MAGIC, kind, len(body), tag, rights, seal, length, 0) + body


def send(data, *descriptors):
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    poller = select.poll()
    poller.register(channel, select.POLLOUT)
    while True:
        try:
            channel.sendmsg([data], ancillary, socket.MSG_DONTWAIT)
            return
        except BlockingIOError:
            if not poller.poll(WAIT_MS):
                fail("send: timed out")
        except OSError as error:
            fail(f"send: {error.strerror}")


def receive():
    """-> (data, descriptors). Skips the packets of a flood. The end of the channel is a failure."""
    poller = select.poll()
    poller.register(channel, select.POLLIN)
    if not poller.poll(WAIT_MS):
        fail("receive: timed out")
    data, descriptors, _, _ = socket.recv_fds(channel, 1024, 4)
    if not data:
        fail("receive: the channel has ended")
    return receive() if data == FLOOD else (data, descriptors)


def mapped(descriptor, size, prot, flags=SHARED):
    at = libc.mmap(None, size, prot, flags, descriptor, 0)
    if at in (None, ctypes.c_void_p(-1).value):
        fail(f"map: errno {ctypes.get_errno()}")
    return at


FLOOD = message(DATA, 9)


# ---- Leftover processes ----------------------------------------------------------------------------------------------

def linger():
    """Starts a process whose parent exits."""
    if os.fork() == 0:
        signal.pause()


def leave_processes():
    if wrong("forks"):
        linger()
    if wrong("forks-away"):  # leave the session, the parent and the descriptors
        away = os.fork()
        if away == 0:
            os.setsid()
            for descriptor in range(5):
                with contextlib.suppress(OSError):
                    os.close(descriptor)
            linger()
            os._exit(0)
        os.waitpid(away, 0)


def open_fifo():
    """Opens the suite's fifo, which ends when every process that has it open has exited."""
    path = pathlib.Path(sys.argv[3]) / "fifo"
    return os.open(path, os.O_WRONLY) if path.exists() else None


def say_here():
    if fifo is not None:
        os.write(fifo, b"here\n")


def interrupt():
    """Sends SIGINT to the harness's supervisor."""
    stat = pathlib.Path(f"/proc/{os.getppid()}/stat").read_text(encoding="ascii")
    say_here()
    os.kill(int(stat.rpartition(")")[2].split()[1]), signal.SIGINT)


# ---- Producer -------------------------------------------------------------------------------------------------------

def make_object(data):
    """-> (descriptor, address of a writable mapping)"""
    size = rounded(len(data))
    descriptor = os.memfd_create("vmo", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size)
    at = mapped(descriptor, size, PROT_READ | PROT_WRITE)
    ctypes.memmove(at, data, len(data))
    if wrong("flips-a-byte"):
        ctypes.memset(at, data[0] ^ 1, 1)
    if wrong("writes-behind-the-end") and len(data) < size:
        ctypes.memset(at + len(data), 1, 1)
    if not wrong("unsealed"):
        fcntl.fcntl(descriptor, F_ADD_SEALS, PEER_SEALS)
    return descriptor, at


def digest_reply(tag):
    data, _ = receive()
    if HEADER.unpack_from(data)[3] != tag or len(data) != HEADER.size + REPLY.size:
        fail("check: no reply")
    return data[HEADER.size:HEADER.size + 32]


def start_wrongly():
    leave_processes()
    if wrong("garbage") or wrong("empty-packet"):
        send(os.urandom(40) if wrong("garbage") else b"")
        receive()
    if wrong("closes-early"):
        channel.close()
        end(0)
    if wrong("too-long"):
        send(bytes(2000))
    if wrong("floods"):
        while True:
            send(FLOOD)
    if wrong("prints-for-ever"):
        while True:
            say("vmo: note again")
    if wrong("too-many-descriptors"):
        send(message(DATA, 9), 0, 1, 2, 0, 1, 2)
    if wrong("has-another-file"):
        os.open("/dev/null", os.O_RDONLY)


def producer(folder):
    blob, page = ((pathlib.Path(folder) / name).read_bytes() for name in ("blob.bin", "page.bin"))
    start_wrongly()
    blob_object, blob_at = make_object(blob)
    page_object, page_at = make_object(page)
    more = [page_object] if wrong("two-descriptors") else []
    body = hashlib.sha256(blob).digest()[:8] if wrong("tells-the-digest") else b""
    rights = 3 if wrong("grants-writing") else READ_RIGHT
    request = message(HANDLE, 1, body, len(blob), rights, FOREVER if wrong("promises-a-blob-for-ever") else PEERS)
    send(request, blob_object, *more)
    say("vmo: producer sent handle")
    if wrong("speaks-too-early"):
        say("vmo: sha256 ok")
    carried = len(request) + HEADER.size + REPLY.size
    digest = digest_reply(1)
    if digest != hashlib.sha256(blob).digest():
        fail("check blob: differs")
    if not wrong("speaks-too-early"):
        say("vmo: sha256 ok")
    send(struct.pack("<4sI", GRANT, 1) + (blob[-16:] if wrong("tells-in-the-grant") else b""), page_object)
    seal = FOREVER if wrong("promises-a-page-for-ever") else PEERS
    request = message(DATA, 2, struct.pack("<QIHH", len(page), 1, READ_RIGHT, seal))
    send(request)
    carried += len(request) + HEADER.size + REPLY.size
    if digest_reply(2) != hashlib.sha256(page).digest():
        fail("check page: differs")
    libc.munmap(blob_at, rounded(len(blob)))
    libc.munmap(page_at, rounded(len(page)))
    os.close(blob_object)
    os.close(page_object)
    channel.close()
    bulk = rounded(len(blob)) + rounded(len(page))
    say(f"vmo: evidence abi=linux len={len(blob)} challenge={blob[-32:].hex()} digest={digest.hex()} seal=peers"
        f" enforced=kernel copies=0 control_bytes={carried + wrong('miscounts')} bulk_bytes={bulk}")
    if wrong("says-the-consumers-part"):
        say("vmo: consumer mapped ok")
    say("SELFTEST: vmo share ok")
    end(0)


# ---- Consumer -------------------------------------------------------------------------------------------------------

def take(descriptor, length, tag):
    """-> (address, digest of the mapped bytes)"""
    size = rounded(length)
    if wrong("maps-a-copy"):
        at = mapped(-1, size, PROT_READ | PROT_WRITE, PRIVATE | 0x20)
        ctypes.memmove(at, os.pread(descriptor, length, 0), length)
    elif wrong("maps-privately"):
        at = mapped(descriptor, size, PROT_READ, PRIVATE)
    elif wrong("maps-executable"):
        at = mapped(descriptor, size, PROT_READ | 4)
    elif wrong("maps-writable"):
        at = mapped(descriptor, size, PROT_READ | PROT_WRITE)
    else:
        at = mapped(descriptor, size, PROT_READ)
    if tag == 1 and not wrong("keeps-quiet"):
        say("vmo: consumer mapped ok")
    if wrong("maps-too-little"):
        libc.munmap(at, PAGE)
    if wrong("maps-too-little") or wrong("reads-without-the-mapping"):
        return at, hashlib.sha256(os.pread(descriptor, length, 0)).digest()
    return at, hashlib.sha256(ctypes.string_at(at, length)).digest()


def consumer_wrongly():
    leave_processes()
    if wrong("runs-another-program"):
        other = pathlib.Path(sys.argv[3]) / "other"
        os.execv(other, [str(other), "-B", __file__, sys.argv[1], "good", sys.argv[3]])
    if wrong("never-reads"):
        say_here()
        signal.pause()
    if wrong("stops-itself"):
        os.kill(os.getpid(), signal.SIGSTOP)
    if wrong("interrupts-while-it-forks"):
        for count in range(FORKS):
            linger()
            if count == FORKS // 4:
                interrupt()
        signal.pause()
    if wrong("spins"):
        while True:
            pass
    if wrong("floods-the-producer"):
        while True:
            send(FLOOD)


def consumer(folder):
    consumer_wrongly()
    kept, control, bulk = [], 0, 0
    for tag in (1, 2):
        data, descriptors = receive()
        if data[:4] == GRANT:
            data, _ = receive()
        length = HEADER.unpack_from(data)[6] or struct.unpack_from("<Q", data, HEADER.size)[0]
        if not descriptors:
            fail("take: no descriptor")
        if wrong("dies"):
            os._exit(3)
        if wrong("faults"):
            os.kill(os.getpid(), signal.SIGSEGV)
        at, digest = take(descriptors[0], length, tag)
        kept.append((descriptors[0], at, length))
        if wrong("duplicates"):
            os.dup(descriptors[0])
        control, bulk = control + len(data), bulk + rounded(length)
        body = REPLY.pack(digest, wrong("copies"), control, bulk)
        if wrong("replies-garbage"):
            body = body[:20]
        more = [descriptors[0]] if wrong("sends-it-back") else []
        send(message(DATA, tag, body), *more)
        control += HEADER.size + REPLY.size
        if wrong("interrupts-after-its-reply"):
            interrupt()
            signal.pause()
    if wrong("keeps-its-mappings"):
        kept = []
    for descriptor, at, length in kept:
        libc.munmap(at, rounded(length))
        os.close(descriptor)
    channel.close()
    end(4 if wrong("ends-with-4") else 0)


if __name__ == "__main__":
    fifo = open_fifo()
    if sys.argv[1] == "producer":
        producer(sys.argv[3])
    else:
        consumer(sys.argv[3])
