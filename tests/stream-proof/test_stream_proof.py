#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The proof of streams under QEMU and on Linux: runs that must pass, and runs that must fail, each for its own reason.

A run that must fail names the exact set of checks that are red on our kernel and on Linux, and the reason: words of a
check's evidence.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]
from harness import linux_run  # noqa: E402
from judge import facts  # noqa: E402
from judge import verdict as verdicts  # noqa: E402
from tap import Tap, room  # noqa: E402

HARNESS = {"linux": "host-test.sh", "a1": "qemu-test.sh", "a2": "qemu-test.sh"}
WALL_SECONDS = 900  # for a busy machine: a run that ends by a deadline executes 10^9 instructions and more
SMALL = ["--payload", "gen:7:400000"]  # 7 frames
UNMADE = {"a1": {"seal"}, "a2": set(), "linux": verdicts.may_skip(facts.LINUX, facts.STREAM)}
# What is red when the producer refuses the reply, and when there is no reply.
NO_END = {"exit-code", "markers", "failure-lines", "evidence", "audit-result", "digest", "leaks", "tasks"}
NO_REPLY = NO_END | {"protocol", "content", "work", "frames"}
LINUX_NO_END = {"exit-code", "markers", "failure-lines", "evidence", "tasks", "digest", "authors"}
LINUX_NO_REPLY = LINUX_NO_END | {"protocol", "content", "frames", "descriptors", "barriers", "seals", "sharing", "read-only", "accessed",
                                 "return-page"}
BOTH = ("a1", "a2", "linux")

# mutant, red checks on our kernel, red checks on Linux or None where it cannot be shown, a check, words of its evidence
MUST_FAIL = [
    ("stream-early", NO_END, LINUX_NO_END, "failure-lines", "producer check reply: VMO_ERR_PROTOCOL"),
    ("stream-twice", NO_REPLY | {"accessed"}, LINUX_NO_REPLY, "failure-lines", "consumer frames: VMO_ERR_BAD_HANDLE"),
    ("stream-never", NO_REPLY | {"accessed", "return-page"}, LINUX_NO_REPLY, "failure-lines",
     "consumer frames: VMO_ERR_BUSY"),
    ("stream-silent", NO_REPLY | {"return-page"}, LINUX_NO_REPLY, "failure-lines", "producer publish: VMO_ERR_TIMED_OUT"),
    ("stream-wrong-index", NO_REPLY, LINUX_NO_REPLY, "failure-lines", "producer publish: VMO_ERR_PROTOCOL"),
    ("stream-overwrites", NO_END, LINUX_NO_END, "digest", "the consumer replied"),
    ("stream-skips", NO_REPLY | {"accessed"}, LINUX_NO_REPLY, "failure-lines", "consumer frames: VMO_ERR_PROTOCOL"),
    ("stream-repeats", NO_REPLY, LINUX_NO_REPLY, "failure-lines", "consumer frames: VMO_ERR_PROTOCOL"),
    ("stream-unsealed", NO_REPLY | {"audit-complete", "order", "sharing", "accessed", "return-page"}, LINUX_NO_REPLY,
     "failure-lines", "consumer join: VMO_ERR_NOT_SEALED"),
    # Every marker and the digest look right.
    ("stream-repeats-quietly", {"content", "frames"}, {"content", "frames"}, "frames", "the buffers held last the frames"),
    ("stream-writes-for-it", {"return-page"}, None, "return-page", "the producer mapped it [('rw', 1, 0)]"),
    ("stream-copies", {"work"}, None, "work", "(+"),
    ("stream-late-write", {"content"}, None, "content", "pool: at its end it held other bytes"),
]
# On a1 the consumer maps nothing to check a length, and nothing that a VMO leaves behind is a leak.
A1_ALSO, NOT_A1 = {"stream-unsealed": {"read-only"}}, {"leaks"}


def run(where, options):
    """-> (exit code, {check: (status, evidence)}, output)"""
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        out = pathlib.Path(folder) / "run"
        abi = [] if where == "linux" else ["--abi", where]
        words = [str(ROOT / "scripts" / HARNESS[where]), "--proof", "stream", "--out", str(out), "--wall", str(WALL_SECONDS),
                 *abi, *options]
        done = subprocess.run(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        found = [json.loads(path.read_text())["checks"] for path in out.glob("*/report.json")]
        checks = {c["name"]: (c["status"], c["evidence"]) for listed in found for c in listed}
        return done.returncode, checks, done.stdout.decode(errors="replace")


def names(checks, status):
    return {name for name, (found, _) in checks.items() if found == status}


def judge_pass(tap, where, name, result):
    code, checks, text = result
    good = code == 0 and checks and names(checks, "not-checked") == UNMADE[where] and not names(checks, "RED")
    tap.check(good, f"{where}: must pass: {name}", text)


def judge_fail(tap, where, case, result):
    name, ours, linux, check, words = case
    code, checks, text = result
    wanted = {"a1": ours - NOT_A1 | A1_ALSO.get(name, set()), "a2": ours, "linux": linux}[where]
    good = code == 1 and names(checks, "RED") == wanted and words in checks.get(check, ("", ""))[1]
    tap.check(good, f"{where}: must fail: {name}", f"exit {code}, red {sorted(names(checks, 'RED'))}\nexpected "
              f"{sorted(wanted)}, '{words}' in {check}\n{text}")


def check_refused(tap):
    """A payload that is too small to use a buffer again, or too large, is CONFIG."""
    for spec, size in (("gen:1:262143", "262143"), ("gen:1:67108865", "the limit of 67108864")):
        code, _, text = run("a2", ["--payload", spec])
        tap.check(code == 2 and size in text and "CONFIG" in text, f"must be refused: {spec}", text)


def check_descriptors(tap):
    """On Linux a payload may send any descriptors as pool and page."""
    reading, writing = os.pipe()
    short = os.open(ROOT / "LICENSE", os.O_RDONLY)
    over = [linux_run.is_over(pool, page) for pool in (reading, short) for page in (reading, short)]
    tap.check(over == [False] * 4, "linux: a stream of other descriptors is not over", over)
    for descriptor in (reading, writing, short):
        os.close(descriptor)


def main():
    tap = Tap()
    check_descriptors(tap)
    passes = [("the default payload", []), ("4 frames and the challenge", ["--payload", "gen:3:262144"])]
    # One byte of the challenge is in the last frame.
    passes += [("a frame of one byte", ["--payload", f"gen:0xfeed:{5 * 65536 - 31}"]), ("7 frames", SMALL)]
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        passing = [(where, name, pool.submit(run, where, options)) for name, options in passes for where in BOTH]
        failing = [(where, case, pool.submit(run, where, [*SMALL, "--mutant", case[0]])) for case in MUST_FAIL
                   for where in BOTH if where != "linux" or case[2] is not None]
        for where, name, future in passing:
            judge_pass(tap, where, name, future.result())
        for where, case, future in failing:
            judge_fail(tap, where, case, future.result())
    check_refused(tap)
    tap.done()


if __name__ == "__main__":
    main()
