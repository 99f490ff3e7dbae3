# SPDX-License-Identifier: Apache-2.0
"""The judge survives anything that a hostile task can print or map, within limits of CPU time and memory.

Each case runs in a separate process with a limit of CPU_SECONDS. `--show` prints the time and memory of each case.
"""
import contextlib
import io
import json
import os
import pathlib
import resource
import sys
import tempfile
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fixture import LOG_CAP, Fixture  # noqa: E402  pylint: disable=wrong-import-position
from harness import cli  # noqa: E402  pylint: disable=wrong-import-position
from harness import linux_proc  # noqa: E402  pylint: disable=wrong-import-position
from harness import log_watch  # noqa: E402  pylint: disable=wrong-import-position
from harness import probe  # noqa: E402  pylint: disable=wrong-import-position
from harness import linux_run  # noqa: E402  pylint: disable=wrong-import-position
from judge import facts  # noqa: E402  pylint: disable=wrong-import-position
from judge import noise  # noqa: E402  pylint: disable=wrong-import-position
from judge import verdict as verdicts  # noqa: E402  pylint: disable=wrong-import-position
from judge.facts import RED  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap  # noqa: E402  pylint: disable=wrong-import-position

CPU_SECONDS, MEMORY_KIB = 10, 200 * 1024
LONG_NUMBER = "9" * 5000
PAGE = 4096
SHOWN_BYTES = 16384  # limit of a report on a terminal


def filled(text):
    """Fills the log up to its cap with copies of a text."""
    return lambda run: run.log_edits.append(lambda log: (text * (LOG_CAP // len(text)))[: LOG_CAP - len(log) - 10]
                                            .rpartition(b"\n")[0] + b"\n" + log)


def distinct(form):
    """Fills the log up to its cap with distinct lines."""
    def edit(log):
        words, size, room = [], 0, LOG_CAP - len(log) - 10
        while size < room:
            words.append(form % len(words))
            size += len(words[-1])
        return b"".join(words[:-1]) + log
    return lambda run: run.log_edits.append(edit)


def audit_lines(kind, record, count):
    return lambda run: run.audit[kind].extend(dict(record) for _ in range(count))


def hostile_map(run):
    run.maps(18)[0]["bytes"] = 10 ** 17


# name: (change to a good run on a2, red checks)
LOGS = {
    "5,000 digits in the evidence": (lambda run: run.evidence.update(len=LONG_NUMBER), {"evidence"}),
    "a last line with 5,000 digits": (lambda run: run.log_edits.append(
        lambda log: log + f"audit - end lines={LONG_NUMBER}\n".encode()), {"audit-form"}),
    "5,000 digits in the audit": (lambda run: run.audit["result"][0].update(instret=LONG_NUMBER), {"audit-form"}),
    "5,000 digits as the author of a line": (lambda run: run.say_edits.append(
        lambda says: says[0].update(by=LONG_NUMBER)), {"audit-form"}),
    "a mapping of 10^17 bytes": (hostile_map, {"audit-form"}),
    "20,000 mappings of a VMO": (lambda run: run.audit["map"].extend([run.maps(18)[0]] * 20000), {"audit-form"}),
    "40,000 hazards": (audit_lines("hazard", {"pid": 17, "call": 1, "id": "K-64", "what": "x"}, 40000), {"hazards"}),
    "60,000 lines `vmo: x`": (lambda run: run.log_edits.append(lambda log: b"vmo: x\n" * 60000 + log),
                              {"markers", "authors"}),
    "4 MiB of empty lines": (filled(b"\n"), set()),
    "4 MiB of one-byte lines": (filled(b"a\n"), set()),
    "4 MiB of lines `vmo: x`": (filled(b"vmo: x\n"), {"markers", "authors"}),
    "4 MiB of lines that contain a marker": (filled(b"xvmo: sha256 ok\n"), {"markers"}),
    "4 MiB of failure lines": (filled(b"vmo: FAIL x\n"), {"markers", "failure-lines", "authors"}),
    "one line of 4 MiB": (filled(b"a" * LOG_CAP), set()),
    "4 MiB of different lines": (distinct(b"%x\n"), set()),
    "4 MiB of different payload lines": (distinct(b"vmo: %x\n"), {"markers", "authors"}),
    "4 MiB of different kernel lines": (distinct(b"kernel:%x\n"), {"bad-patterns"}),
}

MANIFEST = verdicts.load_manifest("foreign")
# Logs of a foreign kernel, up to 4 MiB.
FOREIGN_LOGS = {
    "a line of 4 MiB": lambda: b"a" * LOG_CAP + b"\nb\nc\n",
    "a line of 600,000 bytes": lambda: b"a" * 600000 + b"\nbbbb\ncccc\n",
    "a line of 4 MiB that begins like a marker": lambda: b"vmo: evidence abi=a2" + b"a" * LOG_CAP + b"\nb\nc\n",
    "4 MiB of colours": lambda: b"\x1b[m" * (LOG_CAP // 3) + b"\nb\n",
    "a colour of 4 MiB": lambda: b"\x1b[" + b"0" * LOG_CAP + b"\nb\n",
    "4 MiB of unknown lines": lambda: b"abcdefghijklmnopqrstuvwxyz0123456789\n" * (LOG_CAP // 37),
    "4 MiB of beginnings of a marker": lambda: b"vmo: sha\n" * (LOG_CAP // 9),
    "4 MiB of short beginnings": lambda: b"vm\n" * (LOG_CAP // 3),
    "4 MiB of cut markers": lambda: b"vmo: sha256\n ok\n" * (LOG_CAP // 16),
    "4 MiB of beginnings of the evidence": lambda: b"vmo: evidence abi=a1 len=9\n" * (LOG_CAP // 27),
    "4 MiB of empty lines": lambda: b"\n" * LOG_CAP,
    "a line cut by 4 MiB of kernel text": lambda: b"ab[INFO x] y\n" * (LOG_CAP // 13),
    "kernel text cut by kernel text": lambda: b"ab[INFO x] y[INFO x] z\n" * (LOG_CAP // 23),
}


def in_process(work):
    """Runs work in a child with limits. -> (its result, None) or (None, why it has none)"""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        try:
            answer = json.dumps(work())
        except BaseException:  # pylint: disable=broad-except
            answer = json.dumps({"traceback": traceback.format_exc()})
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    answer = b""
    while part := os.read(reader, 65536):
        answer += part
    os.close(reader)
    _, status, used = os.wait4(child, 0)
    if not answer:
        return None, f"no answer, status {status}, {used.ru_utime:.1f} s"
    if "--show" in sys.argv:
        print(f"# {used.ru_utime + used.ru_stime:.2f} s, {used.ru_maxrss // 1024} MiB")
    if used.ru_maxrss > MEMORY_KIB:
        return None, f"{used.ru_maxrss} KiB of memory"
    return json.loads(answer), None


def judge_and_show(run):
    """-> the verdict, and the size and control bytes of its report."""
    boot = run.boot()
    verdict = verdicts.judge(run.manifest, boot, run.host)
    shown = io.BytesIO()
    kept, cli.put = cli.put, shown.write
    cli.show(run.manifest, verdict, boot.lines()[0], False)
    cli.put = kept
    return {"word": verdict.word, "red": sorted(verdict.names(RED)), "reason": verdict.reason,
            "shown": len(shown.getvalue()), "control": any(byte < 9 for byte in shown.getvalue())}


def check_logs(tap):
    for name, (change, red) in LOGS.items():
        run = Fixture("a2")
        change(run)
        found, why = in_process(lambda run=run: judge_and_show(run))
        wanted = verdicts.FAIL if red else verdicts.PASS
        good = found and found.get("word") == wanted and found["red"] == sorted(red) and found["shown"] < SHOWN_BYTES
        tap.check(good, f"judged within limits: {name}", why or found)


def read_foreign(log):
    return len(noise.read(log, noise.expected_of(MANIFEST, Fixture("a2").host)).lines) >= 0


def watch_foreign(log):
    watch, seen = log_watch.proof_watch(MANIFEST), bytearray()
    for start in range(0, len(log), 65536):
        seen += log[start : start + 65536]
        watch(seen)
    return True


def check_foreign_logs(tap):
    for name, log in FOREIGN_LOGS.items():
        for what, work in (("read", read_foreign), ("watched", watch_foreign)):
            found, why = in_process(lambda log=log, work=work: work(log()))
            tap.check(found is True, f"{what} within limits: {name}", why or found)
    found, why = in_process(watch_bytes)
    tap.check(found is True, "watched within limits: 200,000 bytes, one at a time", why or found)


def probe_rows(log):
    """-> the size of the report about a probe's log."""
    goldens = [probe.load_golden(probe.golden_path("probe", name)) for name in probe.REVISIONS]
    lines, doubts = probe.read_log(log, goldens)
    shown, compared = io.BytesIO(), probe.compare(goldens[1], lines)
    kept, cli.put = cli.put, shown.write
    probe.say_differences("foreign", doubts + compared.problems, compared)
    cli.put = kept
    return len(shown.getvalue())


def check_probe(tap):
    for name, text in (("unknown rows", b"K-03.x\tcall\twhat\t1\n"), ("beginnings of rows", b"K-04.revision\tget\n"),
                       ("ends of rows", b"K-04.revision\tgetpid\n0\n")):
        found, why = in_process(lambda text=text: probe_rows(text * (LOG_CAP // len(text))))
        good = isinstance(found, int) and found < SHOWN_BYTES
        tap.check(good, f"compared within limits: 4 MiB of {name}", why or found)


def watch_bytes():
    watch, seen = log_watch.proof_watch(MANIFEST), bytearray()
    for _ in range(200000):
        seen += b"a"
        watch(seen)
    return True


def check_shown(tap):
    """A task's control characters never reach the terminal."""
    run = Fixture("a2")
    run.log_edits.append(lambda log: b"vmo: FAIL x\rverdict: PASS 25 checks ok\x1b[8m\x9b2J\x7f\n" + log)
    boot = run.boot()
    verdict = verdicts.judge(run.manifest, boot, run.host)
    for verbose in (False, True):
        shown = io.BytesIO()
        kept, cli.put = cli.put, shown.write
        cli.show(run.manifest, verdict, boot.lines()[0], verbose)
        cli.say(f"verdict: {verdict.word} {verdict.reason}")
        cli.put = kept
        raw = sorted(set(shown.getvalue()) - set(range(32, 127)) - {9, 10})
        good = not raw and b"x\\rverdict: PASS 25 checks ok\\x1b[8m\\x9b2J\\x7f\n" in shown.getvalue()
        tap.check(good, f"control characters are escaped{', --verbose' if verbose else ''}", f"{raw}")
    listed = facts.judged([f"problem {n}" for n in range(60000)], "").evidence
    tap.check(len(listed) < 200 and listed.endswith("and 59992 more"), "unlisted problems are counted", listed[:300])
    long = facts.red("x" * 5000).evidence
    tap.check(long == "x" * 1000 + ".. and 4000 more characters", "a cut text says how much is cut", long[:300])


# ---- A process in /proc ---------------------------------------------------------------------------------------------
def many_mappings():
    """Models a process that mapped one object 60,000 times. -> number of mappings"""
    run = linux_run.HostRun(1.0, LOG_CAP)
    maps = [linux_proc.Mapping("r--s", page * PAGE, PAGE, "00:01 5", "/memfd:x", 1) for page in range(60000)]
    run.barriers[1] = linux_run.Barrier(1, {18: linux_proc.Snapshot("S", maps * 2, [], None)}, {}, {}, {})
    return len(linux_run.Model(run).audit["map"])


def check_linux(tap):
    found, why = in_process(many_mappings)
    tap.check(found == 60000, "a process with 60,000 mappings", why or found)
    with tempfile.TemporaryFile() as file, open(f"/proc/self/fd/{file.fileno()}", "wb") as other:
        other.write(b"x")
        other.flush()
        with contextlib.suppress(OSError):
            found = linux_proc.content(other.fileno())
    tap.check(found is None, "an unreadable object has no content", found)
    smaps = ("7f0000000000-7f0000001000 r--s 00000000 00:01 5    /memfd:a\x0b7f0-7f1 rw-s 0 00:01 6 /b\r"
             "7f2-7f3 rw-s 0 00:01 7 /c\n" "Rss:                   4 kB\n")
    kept, linux_proc.proc_text = linux_proc.proc_text, lambda *_: smaps
    found = linux_proc.mappings(1)
    linux_proc.proc_text = kept
    good = [(mapping.identity, mapping.present) for mapping in found] == [("00:01 5", 1)]
    tap.check(good, "line separators in a name add no mapping", found)


def main():
    tap = Tap()
    check_logs(tap)
    check_foreign_logs(tap)
    check_probe(tap)
    check_shown(tap)
    check_linux(tap)
    tap.check(tap.count == len(LOGS) + 2 * len(FOREIGN_LOGS) + 1 + 3 + 4 + 3, "all cases ran", tap.count)
    tap.done()


if __name__ == "__main__":
    main()
