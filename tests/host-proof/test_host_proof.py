#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The proof as two Linux processes: runs that must pass, and runs that must fail, each for its own reason.

Every run goes through scripts/host-test.sh. A run that must fail names the exact set of checks that are red (all
others are green or not checked, but for RACES) and words of the evidence that gives its own reason.
"""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]
from judge import facts  # noqa: E402
from judge import verdict  # noqa: E402
from tap import Tap, room  # noqa: E402

HARNESS = str(ROOT / "scripts" / "host-test.sh")
LARGE_FILE_BYTES = 1024 * 1024
MAY_SKIP = verdict.may_skip(facts.LINUX)
MARKERS = ["vmo: producer sent handle", "vmo: consumer mapped ok", "vmo: sha256 ok", "SELFTEST: vmo share ok"]

# Red if the proof stops early: no page, no evidence, no last marker, and the failing process releases nothing.
NO_END = {"exit-code", "markers", "failure-lines", "evidence", "tasks", "page-digest", "sharing", "authors", "barriers",
          "seals", "content", "descriptors", "protocol"}
NO_REPLY = NO_END | {"digest", "read-only", "accessed"}

# name, options, red checks, a check, text in its evidence
MUST_FAIL = [
    ("a flipped byte", ["--mutant", "flipped-byte"], NO_END | {"digest"}, "content", "blob: its object gives"),
    ("a wrong expected digest", ["--wrong-digest"], NO_END, "failure-lines", "check blob: VMO_ERR_PROTOCOL"),
    ("a skipped transfer", ["--mutant", "no-transfer"], NO_REPLY, "sharing", "0 VMOs handed by a message"),
    ("invented replies", ["--mutant", "liar"], {"counters", "barriers"}, "barriers",
     "reply 1: 'vmo: sha256 ok' was there before it"),
    ("a consumer that stores through its mapping", ["--mutant", "store"], NO_REPLY | {"image"}, "exit-code",
     "consumer signal 11"),
    ("a consumer that ends before it replies", ["--mutant", "dies"], NO_REPLY | {"image"}, "tasks",
     "consumer: state=reaped end=exit status=3"),
    ("a consumer that hangs", ["--mutant", "hangs"], NO_REPLY | {"limits", "image"}, "limits", "outlived the other"),
    ("a consumer that maps a copy", ["--mutant", "private-copy"], {"sharing", "read-only", "accessed"}, "sharing",
     "the consumer did not map page 0"),
    ("a producer that does not seal", ["--mutant", "unsealed"], {"evidence", "seals"}, "seals", "blob: seals"),
    ("digests after the blob, in its last page", ["--mutant", "slack"], {"content"}, "content",
     "its object is not zero after"),
    ("an additional message", ["--mutant", "extra-message"], {"protocol"}, "protocol", "5 messages instead of 4"),
    ("a wrong digest of the page", ["--mutant", "wrong-page"],
     {"exit-code", "markers", "failure-lines", "evidence", "tasks", "page-digest", "authors", "descriptors"},
     "failure-lines", "check page: VMO_ERR_PROTOCOL"),
    ("a leaked descriptor", ["--mutant", "leak"], {"descriptors"}, "descriptors", "is still open"),
]

# Red in some runs only: the liar waits for nobody, so the scheduler decides how far each process is at a barrier.
RACES = {"invented replies": {"accessed", "audit-complete", "descriptors", "protocol", "sharing"}}


def environment():
    """The environment without the variables of an outer make."""
    return {key: value for key, value in os.environ.items() if key not in ("MUTANT", "PAYLOAD")}


def run(options):
    """-> (exit code, {check: (status, evidence)}, all output)."""
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        out = pathlib.Path(folder) / "run"
        done = subprocess.run([HARNESS, "--out", str(out), *options], cwd=ROOT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, env=environment())
        report = out / "linux" / "report.json"
        checks = {}
        if report.is_file():
            checks = {c["name"]: (c["status"], c["evidence"]) for c in json.loads(report.read_text())["checks"]}
        return done.returncode, checks, done.stdout.decode(errors="replace")


def names(checks, status):
    return {name for name, (its_status, _) in checks.items() if its_status == status}


def judge_pass(tap, name, result):
    code, checks, text = result
    good = (code == 0 and checks and names(checks, "not-checked") == MAY_SKIP and not names(checks, "RED")
            and all(text.splitlines().count(marker) == 1 for marker in MARKERS))
    tap.check(good, f"must pass: {name}", text)


def judge_fail(tap, case, result):
    name, _, expected, check, words = case
    code, checks, text = result
    red = names(checks, "RED")
    exact = expected <= red <= expected | RACES.get(name, set())
    tap.check(code == 1 and exact and words in checks.get(check, ("", ""))[1], f"must fail: {name}",
              f"exit {code}, red {sorted(red)}\nexpected {sorted(expected)}, '{words}' in {check}\n{text}")


def processes_below(folder):
    """The pids of all processes that run a program of this folder."""
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):  # no process, it has exited, or it is a kernel thread
            if name.isdigit() and os.readlink(f"/proc/{name}/exe").startswith(str(folder)):
                found.append(int(name))
    return found


def check_signal(tap):
    """A harness that is interrupted while the consumer spins leaves nothing running."""
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        out = pathlib.Path(folder).resolve() / "run"
        harness = subprocess.Popen([HARNESS, "--out", str(out), "--mutant", "hangs"], cwd=ROOT, env=environment(),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        seen = []
        while harness.poll() is None and not seen:
            seen = processes_below(out)
        harness.send_signal(signal.SIGINT)
        output = harness.communicate(timeout=60)[0].decode(errors="replace")
        left = processes_below(out)
        tap.check(seen and not left and harness.returncode == 128 + signal.SIGINT and "Traceback" not in output,
                  "SIGINT while the consumer spins: no process is left", f"{seen} {left}\n{output}")


def check_configuration(tap):
    for name, options, words in (("a refused payload", ["--payload", "/no/such/file"], "CONFIG host-ref"),
                                 ("an unknown mutant", ["--mutant", "none"], "there is no mutant 'none'"),
                                 ("a manifest of the other kind", ["--manifest", "proof"], "no manifest 'proof'"),
                                 ("an unknown option", ["--abi", "a1"], "CONFIG unrecognized arguments")):
        code, _, text = run(options)
        tap.check(code == 2 and words in text.splitlines()[-1], f"{name}: exit 2", text)


def one_case(tap, name):
    """For scripts/mutants.py: a run that must pass, and this case."""
    judge_pass(tap, "a file of the tree", run(["--payload", "LICENSE"]))
    for case in MUST_FAIL:
        if case[0] == name:
            judge_fail(tap, case, run(case[1]))
    tap.done()


def main():
    tap = Tap()
    if "TEST_CASE" in os.environ:
        one_case(tap, os.environ["TEST_CASE"])
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        large = pathlib.Path(folder) / "large file"
        large.write_bytes(bytes(i * 7 % 251 for i in range(4096)) * (LARGE_FILE_BYTES // 4096))
        passes = [
            ("a file of the tree", ["--payload", "LICENSE"]),
            ("any real file", ["--payload", "/usr/bin/env"]),
            ("a file of 1 MiB with a blank in its name", ["--payload", str(large)]),
            ("4 MiB generated", ["--payload", "gen:0xfeed:4194304"]),
            ("one byte generated", ["--payload", "gen:1:1"]),
        ]
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:  # two runs do not interfere
            passing = [pool.submit(run, options) for _, options in passes]
            failing = [pool.submit(run, case[1]) for case in MUST_FAIL]
            for (name, _), future in zip(passes, passing):
                judge_pass(tap, name, future.result())
            for case, future in zip(MUST_FAIL, failing):
                judge_fail(tap, case, future.result())
    check_signal(tap)
    check_configuration(tap)
    tap.check(tap.count == len(passes) + len(MUST_FAIL) + 5, "all cases ran", str(tap.count))
    tap.done()


if __name__ == "__main__":
    main()
