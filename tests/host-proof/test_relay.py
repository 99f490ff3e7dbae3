#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests the harness of the Linux proof with fake programs that each do one thing wrong.

Every row names the exact set of red checks. No compiler and no library are needed.
"""
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "scripts/judge/tests")]

from fixture import Fixture  # noqa: E402  pylint: disable=wrong-import-position
import supervise  # noqa: E402  pylint: disable=wrong-import-position
from harness import cli  # noqa: E402  pylint: disable=wrong-import-position
from harness import prepare  # noqa: E402  pylint: disable=wrong-import-position
from judge import facts  # noqa: E402  pylint: disable=wrong-import-position
from judge import verdict as verdicts  # noqa: E402  pylint: disable=wrong-import-position
from judge.facts import NOT_CHECKED, OK, RED  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap  # noqa: E402  pylint: disable=wrong-import-position

PEER = HERE / "fake_peer.py"
SKIPPED = verdicts.may_skip(facts.LINUX)
MADE = set(verdicts.names_on(facts.LINUX)) - SKIPPED

P, C = "producer", "consumer"
LOG_CAP = 1 << 16
PATIENCE_SECONDS = 60

# Red in a run without a marker, a reply, a barrier and a good end.
NOTHING = {"exit-code", "markers", "evidence", "tasks", "digest", "page-digest", "sharing", "read-only", "accessed",
           "authors", "barriers", "seals", "content", "descriptors", "protocol"}
REFUSED = NOTHING | {"failure-lines"}  # a program printed a failure line
RUBBISH = REFUSED - {"descriptors"} | {"messages-clean"}  # no descriptor was open, either
CUT_OFF = NOTHING | {"limits", "image"}  # the harness ended the run before it inspected the processes
LEFT_PIPES = {"tasks", "limits", "exit-code", "descriptors"}  # a leftover process keeps the pipes open
BLOB_ONLY = REFUSED - {"read-only", "accessed"}  # the blob was mapped, but its digest was wrong

# program, its mode (fake_peer.py), the exact red checks, a check, text in its evidence
ROWS = [
    (P, "garbage", RUBBISH, "messages-clean", "message 0 is no libvmo message"),
    (P, "empty-packet", RUBBISH, "messages-clean", "message 0 has 0 bytes"),
    (P, "closes-early", REFUSED - {"descriptors"}, "exit-code", "producer 0, consumer 1"),
    (P, "too-long", CUT_OFF, "limits", "pid 17 sent a packet that is too long"),
    (P, "floods", CUT_OFF, "limits", "pid 17 sent more than 64 packets"),
    (P, "prints-for-ever", CUT_OFF, "limits", "the output reached its cap"),
    (P, "too-many-descriptors", CUT_OFF, "limits", "pid 17 sent a packet that is too long"),
    (P, "has-another-file", {"descriptors"}, "descriptors", "producer at reply 1: descriptor 4 is /dev/null"),
    (P, "two-descriptors", {"messages-clean", "sharing", "counters", "descriptors"}, "messages-clean",
     "packet 0 carries 2 descriptors"),
    (P, "tells-the-digest", {"messages-clean", "protocol"}, "messages-clean", "the consumer was told the digest"),
    (P, "tells-in-the-grant", {"messages-clean"}, "messages-clean", "packet 2 holds the challenge"),
    (P, "grants-writing", {"read-only", "protocol"}, "read-only", "handed over with rights 3"),
    (P, "speaks-too-early", {"barriers"}, "barriers", "reply 1: 'vmo: sha256 ok' was there before it"),
    (P, "miscounts", {"counters"}, "counters", "control_bytes=257, the audit has 256"),
    (P, "says-the-consumers-part", {"markers", "evidence", "authors"}, "authors", "was printed by the producer"),
    (P, "unsealed", {"seal", "seals"}, "seals", "blob: seals none"),
    (P, "promises-a-blob-for-ever", {"seal"}, "seal", "the evidence says peers, a message said 2"),
    (P, "promises-a-page-for-ever", {"seal"}, "seal", "the evidence says peers, a message said 2"),
    (P, "flips-a-byte", BLOB_ONLY, "content", "blob: its object gives"),
    (P, "writes-behind-the-end", {"content"}, "content", "its object is not zero after 12420 bytes"),
    (P, "ends-at-once", {"descriptors"}, "descriptors", "producer: ended before it could be looked at"),
    (C, "ends-at-once", {"descriptors"}, "descriptors", "consumer: ended before it could be looked at"),
    (C, "maps-a-copy", {"sharing", "read-only", "accessed"}, "sharing", "the consumer did not map page 0"),
    (C, "maps-privately", {"read-only"}, "read-only", "VMO 1 mapped r--p"),
    (C, "maps-executable", {"read-only"}, "read-only", "VMO 1 mapped r-xs"),
    (C, "maps-writable", REFUSED, "failure-lines", "map: errno 1"),
    (C, "maps-too-little", {"sharing", "accessed"}, "sharing", "blob: the consumer did not map page 0 of 4"),
    (C, "reads-without-the-mapping", {"accessed"}, "accessed", "VMO 1: 0 of 4 pages accessed"),
    (C, "keeps-quiet", {"markers", "authors", "barriers"}, "barriers", "'vmo: consumer mapped ok' was not there yet"),
    (C, "never-reads", CUT_OFF, "limits", "stopped at the wall timeout"),
    (C, "spins", CUT_OFF, "limits", "stopped at the wall timeout"),
    (C, "dies", REFUSED | {"image"}, "exit-code", "producer 1, consumer 3"),
    (C, "faults", REFUSED | {"image"}, "exit-code", "producer 1, consumer signal 11"),
    (C, "floods-the-producer", CUT_OFF, "limits", "pid 18 sent more than 64 packets"),
    (C, "duplicates", {"descriptors"}, "descriptors", "consumer at reply 1: 2 descriptors of 1 objects"),
    (C, "replies-garbage", BLOB_ONLY, "digest", "the consumer replied malformed"),
    (C, "sends-it-back", {"messages-clean", "read-only", "sharing", "descriptors", "protocol"}, "messages-clean",
     "packet 1 comes from the consumer and carries a descriptor"),
    (C, "copies", {"counters"}, "counters", "by reply 1 the consumer counted (1, 32, 16384)"),
    (C, "runs-another-program", {"image"}, "image", "the consumer ran"),
    (C, "keeps-its-mappings", {"descriptors"}, "descriptors", "consumer: still maps"),
    (P, "forks", LEFT_PIPES, "tasks", "left 1 other processes running: python"),
    (C, "forks", LEFT_PIPES, "tasks", "left 1 other processes running: python"),
    (P, "forks-away", {"tasks"}, "tasks", "left 1 other processes running: python"),
    (C, "forks-away", {"tasks"}, "tasks", "left 1 other processes running: python"),
    (C, "stops-itself", CUT_OFF | {"failure-lines"}, "limits", "one process outlived the other"),
    (C, "ends-with-4", {"exit-code", "tasks"}, "tasks", "consumer: state=reaped end=exit status=4"),
]
# Checks that no fake program can turn red: they depend on the manifest and on the host's files.
ELSEWHERE = {"manifest", "images", "input", "bad-patterns", "audit-complete"} | SKIPPED
SHORT_WALL = {"never-reads": 2.0, "spins": 2.0}  # seconds; the other modes exit
LONG_WAIT_MS = 5000  # seconds that the producer waits for a reply
SHORT_WAIT = {"stops-itself": 300}


class Bench:
    """A payload, and runs of it with two fake programs."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.host = Fixture("a2").host
        (self.folder / "blob.bin").write_bytes(self.host.blob)
        (self.folder / "page.bin").write_bytes(self.host.page)
        python = pathlib.Path(sys.executable).read_bytes()
        self.interpreter, other = facts.sha256_hex(python), self.folder / "other"
        other.write_bytes(python + b"!")
        other.chmod(0o700)

    def excuse_interpreter(self, boot):
        """Makes Python the expected program, because a fake program is a script."""
        observed = boot.observed
        sights = [sight for barrier in observed.barriers.values() for sight in barrier.sights.items()]
        sights += [(number, child.at_exit) for number, child in observed.children.items() if child.at_exit]
        for number, sight in sights:
            if sight.image == self.interpreter:
                sight.image = boot.images[facts.ROLES[number]].before

    def run(self, who, mode):
        """-> (verdict, facts.Boot)"""
        modes = {role: mode if role == who else "good" for role in (P, C)}
        os.environ.update(LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")  # else Python maps a charset
        os.environ["FAKE_WAIT_MS"] = str(SHORT_WAIT.get(mode, LONG_WAIT_MS))
        programs = {number: [sys.executable, "-B", str(PEER), role, modes[role], str(self.folder)]
                    for number, role in facts.ROLES.items()}
        copies = prepare.PrivateCopies(**{role: (PEER, self.folder / role) for role in (P, C)})
        boot = cli.observe(programs, copies, SHORT_WALL.get(mode, 30.0), LOG_CAP)
        self.excuse_interpreter(boot)
        return verdicts.judge(verdicts.load_manifest("host"), boot, self.host), boot


def own_state():
    """This process's descriptors and children, which a run must not change."""
    children = pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    return sorted(os.listdir("/proc/self/fd")), children


def show(verdict, boot):
    lines = [f"{name}: {outcome.status} {outcome.evidence[:200]}" for name, outcome in verdict.outcomes.items()]
    said = [f"{number}: {line!r}" for number, line in boot.observed.lines[:20]]
    return "\n".join([verdict.reason, verdict.trace or "", *lines, *said, str(boot.observed.errors)[:2000]])


def check_good(tap, bench):
    before = own_state()
    for turn in range(1, 4):
        verdict, boot = bench.run(P, "good")
        unmade = verdict.names(NOT_CHECKED)
        good = verdict.word == verdicts.PASS and unmade == SKIPPED and verdict.names(OK) == MADE
        tap.check(good, f"good fake programs pass, run {turn}", show(verdict, boot))
    tap.check(own_state() == before, "no descriptor and no process is left", f"{before}\n{own_state()}")


def check_rows(tap, bench):
    before = own_state()
    for who, mode, red, check, words in ROWS:
        verdict, boot = bench.run(who, mode)
        unmade = SKIPPED | ({"counters", "seal"} if verdict.outcomes["evidence"].status == RED and
                            boot.log.count(b"vmo: evidence") != 1 else set())
        good = (verdict.word == verdicts.FAIL and verdict.names(RED) == red and verdict.names(NOT_CHECKED) == unmade
                and words in verdict.outcomes[check].evidence)
        tap.check(good, f"must fail: a {who} that {mode.replace('-', ' ')}",
                  f"red {sorted(verdict.names(RED))}\nnot {sorted(red)}, '{words}' in {check}\n{show(verdict, boot)}")
    tap.check(own_state() == before, "no descriptor and no process is left after red runs", f"{before}\n{own_state()}")
    reached = set().union(*(red for _, _, red, _, _ in ROWS)) | ELSEWHERE
    missing = {name for name in verdicts.names_on(facts.LINUX) if name not in reached}
    tap.check(not missing, "every check has a red row", " ".join(sorted(missing)))


# A signal at an exact moment: name, consumer's mode, receiver and signal. A consumer that "interrupts" sends the signal
# itself; "never-reads" reports that it runs, and the suite sends it.
SIGNALS = [
    ("SIGINT while the consumer waits", "never-reads", signal.SIGINT),
    ("SIGTERM while the consumer waits", "never-reads", signal.SIGTERM),
    ("SIGHUP while the consumer waits", "never-reads", signal.SIGHUP),
    ("SIGKILL of the supervisor", "never-reads", signal.SIGKILL),
    ("SIGINT right after a reply, which the relay holds back", "interrupts-after-its-reply", None),
    ("SIGINT between forks", "interrupts-while-it-forks", None),
]


def check_signal(tap, folder, fifo, name, mode, number):
    """Both processes and their children have the fifo open for writing, so it ends with the last one."""
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    harness = subprocess.Popen([sys.executable, "-B", __file__, "hold", folder, mode], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    said = bool(select.select([reader], [], [], PATIENCE_SECONDS)[0]) and os.read(reader, 64)
    if number is not None:
        harness.send_signal(number)
    code = harness.wait(timeout=PATIENCE_SECONDS)
    gone = bool(select.select([reader], [], [], PATIENCE_SECONDS)[0]) and not os.read(reader, 64)
    os.close(reader)
    output = harness.stdout.read().decode()
    wanted = -signal.SIGKILL if number == signal.SIGKILL else 128 + (number or signal.SIGINT)
    tap.check(said == b"here\n" and gone and code == wanted and "Traceback" not in output, f"{name}: no process is left",
              f"{said} {gone} {code}\n{output}")


def check_signals(tap, folder):
    fifo = pathlib.Path(folder) / "fifo"
    os.mkfifo(fifo)
    for name, mode, number in SIGNALS:
        check_signal(tap, folder, fifo, name, mode, number)
    fifo.unlink()


def hold(folder, mode):
    """The harness of check_signals."""
    supervise.enter()
    Bench(folder).run(C, mode)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        check_good(tap, bench)
        check_rows(tap, bench)
        check_signals(tap, folder)
    tap.check(tap.count == 3 + 1 + len(ROWS) + 2 + len(SIGNALS) and len(ROWS) > 30, "all cases ran", str(tap.count))
    tap.done()


if __name__ == "__main__":
    if sys.argv[1:2] == ["hold"]:
        hold(sys.argv[2], sys.argv[3])
    else:
        main()
