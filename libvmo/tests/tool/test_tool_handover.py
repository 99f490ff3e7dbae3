#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vmo send and vmo recv between two processes, and what can be in their way. Prints TAP."""
import os
import signal
import socket
import stat
import subprocess

from tool_case import FORGE, PATIENT, digest_of, run_suite, until

DATA = bytes(range(256)) * 3000 + b"end"
MIB = 1 << 20


def both(case, send, recv=(), data=None, **more):
    """Runs a receiver and a sender -> (what the receiver did, what the sender did)."""
    receiver = case.start("recv", "s", *PATIENT, *recv, **more)
    sender = case.vmo("send", *PATIENT, "s", *send, data=data)
    return case.end(receiver), sender


def handed(case, name, send, expected, **more):
    """Both sides succeed and print the digest, the output has the bytes, and the socket is gone."""
    received, sent = both(case, send, ["-o", "out"], **more)
    digest = digest_of(expected)
    case.check(
        sent == (0, f"{digest}  {send[-1]}\n".encode(), ""), f"{name}: send prints the digest", sent
    )
    case.check(
        received == (0, f"{digest}  out\n".encode(), ""),
        f"{name}: recv prints the digest",
        received,
    )
    case.check(
        case.path("out").read_bytes() == expected and not case.path("s").exists(),
        f"{name}: the output has the bytes, and the socket is gone",
    )


def sources(case):
    case.write("file", DATA)
    handed(case, "a file", ["file"], DATA)
    handed(case, "one byte", [case.write("one", b"1")], b"1")
    handed(case, "an empty file", [case.write("empty", b"")], b"")
    handed(case, "standard input", ["-"], DATA, data=DATA)
    handed(case, "empty standard input", ["-"], b"", data=b"")
    handed(case, "a file of /proc", ["/proc/version"], open("/proc/version", "rb").read())
    case.path("link").symlink_to("file")
    handed(case, "a symbolic link", ["link"], DATA)
    os.mkfifo(case.path("fifo"))
    writer = subprocess.Popen(["cp", "file", "fifo"], cwd=case.room)
    handed(case, "a FIFO", ["fifo"], DATA)
    case.check(writer.wait(60) == 0, "the FIFO's writer ends well")
    done = case.shell(
        "$V recv s -o out --timeout 60 & "
        "{ dd bs=5 count=1 2>/dev/null >&2; $V send --timeout 60 s -; } <file; wait"
    )
    case.check(
        case.path("out").read_bytes() == DATA[5:], "standard input goes on from its position", done
    )


def sparse(case):
    with open(case.path("sparse"), "wb") as file:
        file.truncate(64 * MIB)
        file.seek(20 * MIB + 5)
        file.write(DATA)
    whole = case.path("sparse").read_bytes()
    handed(case, "a sparse file", ["--max", str(2 * MIB), "sparse"], whole)
    case.check(case.path("out").stat().st_blocks * 512 < 4 * MIB, "the output is sparse, too")
    done = both(case, ["--max=1000000", "--no-digest", "sparse"], ["--no-digest", "-o", "out"])
    case.check(
        [d[:2] for d in done] == [(0, b"")] * 2 and case.path("out").read_bytes() == whole,
        "a hole counts as no memory",
        done,
    )


def digests(case):
    digest = digest_of(DATA)
    for send, recv in (
        ([], []),
        (["--no-digest"], []),
        ([], ["--no-digest"]),
        (["--no-digest"], ["--no-digest"]),
    ):
        received, sent = both(case, [*send, "file"], recv)
        expected = [
            (0, b"" if quiet else f"{digest}  {name}\n".encode(), "")
            for quiet, name in ((recv, "-"), (send, "file"))
        ]
        case.check(
            [received, sent] == expected,
            f"send {send}, recv {recv}: the digests that are wanted",
            (received, sent),
        )
    with open(case.path("stdout"), "wb") as stdout:
        received, sent = both(case, ["file"], ["-o", "-"], stdout=stdout)
    case.check(
        (received[0], received[2], sent[0]) == (0, f"{digest}  -\n", 0)
        and case.path("stdout").read_bytes() == DATA,
        "-o -: the bytes on standard output, the digest on standard error",
        received[2],
    )
    done = case.shell(
        "LC_ALL=tr_TR.UTF-8 $V recv --timeout=60.5 s -o - 2>/dev/null | sha256sum & "
        "LC_ALL=de_DE.UTF-8 $V send --timeout=60.5 s file >/dev/null; wait"
    )
    case.check(done[1] == f"{digest}  -\n".encode(), "another locale changes nothing", done)
    received, sent = both(case, [case.write("new\nline", DATA)])
    case.check(
        sent[1] == f"\\{digest}  new\\nline\n".encode(), "a name is escaped as sha256sum does", sent
    )
    case.path("target").write_bytes(b"old" * 1000000)
    case.path("to").symlink_to("target")
    both(case, ["file"], ["-o", "to"])
    case.check(
        case.path("to").is_symlink() and case.path("target").read_bytes() == DATA,
        "-o writes through a symbolic link, over what was there",
    )


def failures(case):
    for name, output, why in (
        ("a full device", "/dev/full", "No space left"),
        ("a folder", ".", "Is a directory"),
        ("a missing folder", "no/out", "No such file"),
    ):
        received, sent = both(case, ["file"], ["-o", output])
        case.refused(f"recv -o {name}", received, 1, why)
        case.refused(f"send when recv writes to {name}", sent, 1, "the receiver failed")
    received, sent = both(case, ["file"], stdout=open("/dev/full", "wb"))
    case.check(
        received[0] == 1 and "standard output: No space" in received[2] and sent[0] == 0,
        "a digest that cannot be written is a failure",
        received,
    )
    receiver = case.start("recv", "s", *PATIENT)
    for name, words, why in (
        ("a missing file", ["missing"], "No such file"),
        ("a folder", ["."], "Is a directory"),
        ("too much", ["--max", "1000", "file"], "--max raises this limit"),
        ("endless input", ["--max", "1000000", "/dev/zero"], "--max raises this limit"),
    ):
        case.refused(f"send {name}", case.vmo("send", *PATIENT, "s", *words), 1, why)
    sent = case.vmo("send", *PATIENT, "s", "file")
    received = case.end(receiver)
    case.check(
        sent[0] == received[0] == 0 and received[2].count("waiting for another\n") == 4,
        "the receiver waits on when a sender leaves without a file",
        received,
    )
    listener = case.start("recv", "s", *PATIENT)
    until(case.path("s").exists)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as liar:
        # The socket exists before the receiver listens.
        until(lambda: liar.connect_ex(str(case.path("s"))) == 0)
        liar.send(b"x" * 200)
        case.refused("recv of a malformed message", case.end(listener), 1, "a malformed message")
    case.check(not case.path("s").exists(), "and the socket is gone")


def lies(case):
    """A false sender gets nothing done, and a false receiver does not look like a true one."""
    for kind, why in (
        ("unsealed", "not sealed"),
        ("peers", "not sealed"),
        ("longer", "false length"),
        ("none", "false length"),
        ("nothing", "false length"),
        ("digest", "that of other bytes"),
        ("tag", "no vmo command of this version"),
        ("short", "no vmo command of this version"),
    ):
        receiver = case.start("recv", "s", "-o", "untouched", *PATIENT)
        until(case.path("s").exists)
        forger = subprocess.run([FORGE, kind, case.path("s")], capture_output=True, timeout=60)
        case.refused(f"recv of a false sender: {kind}", case.end(receiver), 1, why)
        case.check(
            forger.returncode == 0 and not case.path("untouched").exists(),
            f"{kind}: nothing was taken, no output made",
            forger,
        )
    for kind, why in (("digest", "the receiver read other bytes"), ("leave", "has ended")):
        forger = subprocess.Popen([FORGE, kind, case.path("s"), "-"])
        case.refused(
            f"send to a false receiver: {kind}", case.vmo("send", *PATIENT, "s", "file"), 1, why
        )
        case.check(forger.wait(60) == 0, f"{kind}: the false receiver was heard")


def sockets(case):
    case.refused(
        "send without a receiver", case.vmo("send", "s", "file"), 1, "no receiver listens there"
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as left:
        left.bind(str(case.path("s")))
    case.refused(
        "send to a stale socket", case.vmo("send", "s", "file"), 1, "no receiver listens there"
    )
    handed(case, "a stale socket", ["file"], DATA)
    first = case.start("recv", "s", "-o", "out", *PATIENT)
    until(case.path("s").exists)
    case.check(stat.S_IMODE(case.path("s").stat().st_mode) == 0o600, "only this user can connect")
    case.refused(
        "a second receiver", case.vmo("recv", "s", *PATIENT), 1, "another program listens there"
    )
    sent, received = case.vmo("send", *PATIENT, "s", "file"), case.end(first)
    case.check(
        sent[0] == received[0] == 0 and case.path("out").read_bytes() == DATA,
        "the first receiver still gets its file",
        (sent, received),
    )
    case.path("dangling").symlink_to("nowhere")
    for name, path in (("a file", "file"), ("a folder", "."), ("a dangling link", "dangling")):
        before = case.path(path).lstat()
        case.refused(f"recv on {name}", case.vmo("recv", path), 1, "no socket")
        after = case.path(path).lstat()
        case.check(
            (before.st_ino, before.st_size) == (after.st_ino, after.st_size),
            f"{name} is left alone",
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(case.path("stream")))
        other.listen()
        case.refused(
            "recv on another program's socket",
            case.vmo("recv", "stream"),
            1,
            "another program listens",
        )
        case.refused(
            "send to another program's socket", case.vmo("send", "stream", "file"), 1, "stream: "
        )
    case.refused("recv in a missing folder", case.vmo("recv", "no/s"), 1, "No such file")
    for name, path in (("a long path", "x" * 108), ("an empty path", "")):
        case.refused(
            f"recv on {name}", case.vmo("recv", path), 2, "a socket's path has 1 to 107 bytes"
        )
        case.refused(
            f"send to {name}",
            case.vmo("send", path, "file"),
            2,
            "a socket's path has 1 to 107 bytes",
        )
    senders = [case.start("send", *PATIENT, "s", "file") for _ in range(3)]
    received = case.vmo("recv", "s", *PATIENT)
    case.check(received[0] == 0, "of three waiting senders one is served", received)
    until(lambda: any(sender.poll() == 0 for sender in senders))
    for sender in senders:
        sender.terminate()
    codes = sorted(case.end(s)[0] for s in senders)
    case.check(codes.count(0) == 1, "and one succeeds", codes)


def ends(case):
    case.refused(
        "recv --timeout", case.vmo("recv", "s", "--timeout", "0.05"), 1, "the time is over"
    )
    case.check(not case.path("s").exists(), "the time is over: the socket is gone")
    case.refused(
        "send --timeout", case.vmo("send", "--timeout", "0.05", "s", "file"), 1, "the time is over"
    )
    everything = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
    for words in (("recv", "s"), ("send", "s", "file")):
        done = case.vmo(
            *words,
            "--timeout=0.05",
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, everything),
        )
        case.refused(f"{words[0]} --timeout, all signals blocked", done, 1, "the time is over")
    receiver = case.start("recv", "s", *PATIENT)
    until(case.path("s").exists)
    if not case.path("lonely").exists():
        os.mkfifo(case.path("lonely"))
    case.refused(
        "send --timeout of a FIFO that nobody writes",
        case.vmo("send", "--timeout=0.2", "s", "lonely"),
        1,
        "the time is over",
    )
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        receiver.send_signal(number)
        case.check(
            case.end(receiver)[0] == -number and not case.path("s").exists(),
            f"{number.name} ends recv, which removes its socket",
        )
        receiver = case.start("recv", "s", *PATIENT)
        until(case.path("s").exists)
    case.path("s").unlink()
    other = case.start("recv", "s", *PATIENT)
    until(case.path("s").exists)
    receiver.terminate()
    case.end(receiver)
    case.check(case.path("s").exists(), "a receiver does not remove another one's socket")
    other.terminate()
    case.end(other)
    done = case.shell(
        "$V recv s --timeout 60 -o - & p=$!; $V send --timeout 60 s file >/dev/null; wait $p",
        stdout=open("/dev/full", "wb"),
    )
    case.check(
        done[0] == 1 and "standard output: No space" in done[2],
        "-o - to a full device is a failure",
        done,
    )
    done = case.shell(
        "{ $V recv s --timeout 60 -o - 2>/dev/null; echo $? >&2; } | : & "
        "$V send --timeout 60 s file >/dev/null 2>&1; wait"
    )
    case.check(done[2].strip() == "141", "SIGPIPE ends recv as it ends cat", done)


def closed(case):
    """Closed standard streams: no file gets their numbers."""
    for stream, recv in (
        ("<&-", "-o out"),
        (">&-", "-o out --no-digest"),
        ("2>&-", "-o out"),
        ("<&- >&- 2>&-", "-o out --no-digest"),
    ):
        case.path("out").unlink(missing_ok=True)
        done = case.shell(
            f"$V recv s --timeout 60 {recv} {stream} & p=$!; "
            f"$V send --timeout 60 --no-digest s file {stream}; echo $?; wait $p; echo $?"
        )
        case.check(
            done[1].split()[-2:] == [b"0", b"0"] and case.path("out").read_bytes() == DATA,
            f"{stream}: the file arrives whole",
            done,
        )
    done = case.shell(
        "$V recv s --timeout 60 -o out & p=$!; $V send --timeout 60 s file >&-; echo $?; wait $p"
    )
    case.check(
        b"1" in done[1].split() and "standard output: Bad file descriptor" in done[2],
        "a digest that cannot be printed is a failure",
        done,
    )
    receiver = case.start("recv", "s", *PATIENT)
    done = case.shell("$V send --timeout 60 s - <&-")
    case.refused("send - without standard input", done, 1, "standard input: Bad file descriptor")
    receiver.terminate()
    case.end(receiver)


if __name__ == "__main__":
    run_suite(sources, sparse, digests, failures, lies, sockets, ends, closed)
