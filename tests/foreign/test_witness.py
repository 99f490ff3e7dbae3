#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The witness: on our kernel it agrees with the audit in every fact, of good runs and of runs that must fail; on the
stand-in for a foreign kernel it makes all checks but a few, and finds every lie; what it cannot watch is red.

TEST_CASE=name runs one case of LIARS alone, on our kernel: for tests/mutants, whose kernels falsify the audit.
"""
import concurrent.futures
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "qemu"), str(ROOT / "scripts")]
import foreign_kernel  # noqa: E402
from judge import facts  # noqa: E402
from judge import verdict as verdicts  # noqa: E402
from tap import Tap, room  # noqa: E402
from test_proof import LIES, MUST_FAIL, NOT_ON, red  # noqa: E402
from witness import stub, watch  # noqa: E402
from witness.text import Program  # noqa: E402

STOPS_HONEST = 1000
KNOWN_UNMADE = {"exit-code", "leaks", "hazards"}
ENDS = {"exit-code", "leaks"}  # what only our own kernel shows of a run that ends badly
# What a witness finds wrong besides.
MORE = {name: {"views"} for name in (
    "a flipped byte", "a wrong expected digest",
    "a consumer that stores through its mapping", "a consumer that ends before it replies",
    "a page mapped into the consumer by the producer")}
MORE.update({name: {"witness"} for name in (
    "digests written into the consumer's image", "digests written into the image, a small blob")})
# Runs in which a task polls until a deadline: how many stops that takes depends on the host's load.
WAITS = {"a consumer that hangs", "a skipped transfer"}
LARGE = ["--payload", "gen:7:65536"]
# What a kernel's audit could hide: name -> options, red checks on an honest kernel.
LIARS = {
    "share": ([], set()),
    "share-a1": (["--abi", "a1"], set()),
    "whispers": (["--mutant", "whispers"], {"messages-clean", "protocol", "counters"}),
    "copies": (["--mutant", "copies"], {"no-kernel-copy", "counters"}),
    "speaks-for-it": (["--mutant", "speaks-for-it"], {"authors"}),
}
FLOOD = f"""
import sys
sys.path.insert(0, {str(ROOT / 'scripts')!r})
from witness import watch
from harness import cli
watch.STOPS_MAX = 500
sys.exit(cli.main(cli.QemuHarness, sys.argv[1:]))
"""
HARNESS = [str(ROOT / "scripts" / "qemu-test.sh")]
# What the log of a foreign kernel shows besides.
LOGGED = {"an additional message": {"evidence"}, "the digest's marker before the handle was sent": {"markers"}}


def run(options, program=(), **environment):
    """-> (exit code, {check: (status, evidence)}, output)"""
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        out = pathlib.Path(folder) / "run"
        done = subprocess.run([*(program or HARNESS), "--out", str(out), "--linger", "0.3", *options], cwd=ROOT,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              env={**os.environ, **environment}, timeout=300)
        reports = [json.loads(path.read_text()) for path in out.glob("*/report.json")]
        checks = {c["name"]: (c["status"], c["evidence"]) for report in reports for c in report["checks"]}
        return done.returncode, checks, done.stdout.decode(errors="replace")


def names(checks, status):
    return {name for name, (found, _) in checks.items() if found == status}


def check_red(tap, name, result, wanted, check="witness", words=""):
    """Exactly these checks are red, and one says why."""
    code, checks, text = result
    found = checks.get(check, ("", ""))[1]
    good = red(checks) == wanted and words in found and code == (1 if wanted else 0) and "witness" in checks
    tap.check(good, name, f"red {sorted(red(checks))}, wanted {sorted(wanted)}, '{words}' in {check}: {found}\n{text}")


# ---- Runs ---------------------------------------------------------------------------------------------------------
def check_liars(tap, only=None):
    """On an honest kernel audit and witness agree, whatever the payload does."""
    for name, (options, wanted) in LIARS.items():
        if only in (None, name):
            check_red(tap, f"audit and witness agree: {name}", run([*options, "--witness", "1"]), wanted)


def check_honest(tap, kernel):
    """What is made on a foreign kernel, and what it costs."""
    for abi_rev in ("a1", "a2"):
        code, checks, text = run(["--kernel", kernel, "--abi", abi_rev, *LARGE])
        unmade = names(checks, "not-checked")
        tap.check(code == 0 and unmade == KNOWN_UNMADE == verdicts.may_skip(facts.WATCHED),
                  f"stand-in, {abi_rev}: all checks but {len(KNOWN_UNMADE)}", text)
        stops = int(checks["witness"][1].split()[0])
        tap.check(20 < stops <= STOPS_HONEST, f"stand-in, {abi_rev}: at most {STOPS_HONEST} stops", f"{stops} stops")
        tap.check("VR..U.A." in checks["views"][1], f"stand-in, {abi_rev}: both views", checks["views"][1])


def wanted_of(case, is_ours):
    """Red checks of a failing run with a witness."""
    name, _, wanted, _, _ = case
    return (wanted if is_ours else wanted - ENDS | LOGGED.get(name, set())) | MORE.get(name, set())


def check_must_fail(tap, kernel):
    """On our kernel, ABI revisions in turn; the lies on the stand-in, too."""
    unknown = {*MORE, *LOGGED, *WAITS} - {case[0] for case in MUST_FAIL}
    tap.check(not unknown, "each name of a run is known", unknown)
    cases = [case for case in MUST_FAIL if case[0] not in WAITS]
    jobs = []
    for number, case in enumerate(cases):
        revisions = [abi_rev for abi_rev in ("a1", "a2") if abi_rev != NOT_ON.get(case[0])]
        jobs.append((case, revisions[number % len(revisions)], ["--witness", "1"]))
        jobs += [(case, revisions[-1], ["--kernel", kernel])] if case in LIES else []
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        results = pool.map(lambda job: run([*job[0][1], "--abi", job[1], *job[2]]), jobs)
        for (case, abi_rev, options), result in zip(jobs, results):
            where = "ours" if options[0] == "--witness" else "stand-in"
            wanted = wanted_of(case, where == "ours")
            check = case[3] if case[3] in wanted else "witness"
            check_red(tap, f"{where}, {abi_rev}: {case[0]}", result, wanted, check, case[4] if check == case[3] else "")


def check_bounds(tap):
    result = run(["--mutant", "hides-a-call", "--witness", "1"])
    check_red(tap, "a call from the middle of an instruction", result, {"witness"}, words="none of its text")
    flood = [sys.executable, "-B", "-c", FLOOD]
    hangs = ["--mutant", "hangs", "--witness", "1", "--abi", "a1"]  # a1 does not preempt it: the producer never runs again
    for name, result, check, words in (
        ("a task that floods the kernel", run(["--mutant", "floods", "--witness", "1"], flood), "limits",
         "the witness gave up: more than 500 stops"),
        ("a task that waits in vain", run(["--mutant", "no-transfer", "--witness", "1"], flood), "limits",
         "the witness gave up: more than 500 stops"),
        ("a task that makes no call", run([*hangs, "--wall", "8"]), "witness",
         "no task made a call until"),
        ("a QEMU that dies", run(hangs, QEMU="timeout -s KILL 6 qemu-system-riscv64"),
         "witness", "QEMU ended before"),
    ):
        code, checks, text = result
        good = code == 1 and {"witness", "exit-code"} <= red(checks) and words in checks[check][1]
        tap.check(good, f"{name} is red, by name", text)
    code, _, text = run(["--witness", "1", "--qemu-extra=-none"])
    tap.check(code == 2 and "QEMU refused to start" in text, "a QEMU that does not start is CONFIG", text)


# ---- The stub and the files, alone --------------------------------------------------------------------------------
def packet(text):
    return b"+$%s#%02x" % (text.encode(), sum(text.encode()) & 255)


def answers(link, mode):
    """A stub that goes wrong."""
    if mode == "silent":
        link.recv(1)
        time.sleep(1)
    elif mode == "endless":
        link.sendall(b"$" + b"x" * (80 << 10))
        link.recv(1)
    elif mode == "nonsense":
        link.sendall(packet("E01") * 2)
        while link.recv(4096):
            pass
    link.close()


def check_stub(tap):
    """Each way in which a stub goes wrong has its name."""
    stub.ANSWER_SECONDS = 0.5
    for mode, words in {"silent": "does not answer", "endless": "without end", "nonsense": "has no target.xml",
                        "closes": "QEMU ended before"}.items():
        seen = watch.Watch(b"", b"", "-")
        theirs = socket.socket(fileno=os.dup(seen.theirs.fileno()))
        server = threading.Thread(target=answers, args=(theirs, mode), daemon=True)
        seen.start(time.monotonic() + 30)
        server.start()
        server.join(20)
        seen.join()
        said = seen.model.faults
        tap.check(any(words in fault for fault in said), f"a stub that is wrong: {mode}", said)


def check_files(tap, elf):
    """elf: a good one. A byte changed at a place makes it one that nobody can watch."""
    good = Program("x", elf)
    tap.check(not good.faults and len(good.sites) >= 8 and good.entry, "a good file", good.faults)
    text = next(segment for segment in good.segments if segment.flags & 1)
    place = elf.index(text.data)

    def changed(at, data):
        at = place + at - text.start if at >= text.start else at
        return Program("x", elf[:at] + data + elf[at + len(data):]).faults

    site = min(good.sites)
    shnum = 60
    for name, faults, words in (
        ("an ecall inside another instruction", changed(site, b"\x13\x00\x73\x00\x00\x00"), "the ecall at"),
        ("a jump into an instruction", changed(site, b"\x6f\x00\x20\xff"), "no instruction of its text"),
        ("no sections", changed(shnum, b"\x00\x00"), "says what is its text"),
        ("an entry elsewhere", changed(24, (good.entry + 1).to_bytes(8, "little")), "its entry"),
        ("no ELF file", Program("x", b"text").faults, "cannot be read"),
        ("a file that is cut off", Program("x", elf[:100]).faults, "cannot be read"),
    ):
        tap.check(any(words in fault for fault in faults), f"a file that cannot be watched: {name}", faults)


def main():
    tap, only = Tap(), os.environ.get("TEST_CASE")
    check_liars(tap, only)
    if only is None:
        build = ROOT / os.environ.get("BUILD", "build")
        check_files(tap, (build / "target" / "payloads" / "consumer.elf").read_bytes())
        check_stub(tap)
        with tempfile.TemporaryDirectory(dir=room()) as folder:
            kernel = str(foreign_kernel.build(folder))
            check_honest(tap, kernel)
            check_must_fail(tap, kernel)
        check_bounds(tap)
    tap.done()


if __name__ == "__main__":
    main()
