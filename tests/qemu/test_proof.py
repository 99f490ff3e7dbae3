#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The proof under QEMU: runs that must pass, and runs that must fail, each for its own reason.

Every run goes through scripts/qemu-test.sh. A run that must fail names the exact set of checks that are red (all
others are green or not checked) and words of the evidence that gives its own reason.
"""
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]
import exit_codes  # noqa: E402
from tap import Tap, room  # noqa: E402

LARGE_FILE_BYTES = 1024 * 1024

# Red if the proof stops early: no reply to the first request, so no page, no evidence and no last marker.
NO_END = {"exit-code", "markers", "failure-lines", "evidence", "audit-result", "tasks", "page-digest", "sharing",
          "leaks", "protocol", "content"}
NO_REPLY = NO_END | {"digest"}

# name, options, red checks, a check, text in its evidence
MUST_FAIL = [
    ("a flipped byte", ["--mutant", "flipped-byte"], NO_REPLY, "digest", "the consumer replied"),
    ("a wrong expected digest", ["--wrong-digest"], NO_END, "failure-lines", "check blob: VMO_ERR_PROTOCOL"),
    ("a skipped transfer", ["--mutant", "no-transfer"], NO_REPLY | {"read-only", "accessed", "order"},
     "sharing", "0 VMOs handed by a message"),
    ("invented replies", ["--mutant", "liar"],
     {"digest", "page-digest", "protocol", "order", "audit-complete"}, "digest",
     "0 replies with tag 1 in the kernel's record"),
    ("a producer that prints the consumer's marker", ["--mutant", "ventriloquist"], {"markers", "authors", "order"},
     "authors", "'vmo: consumer mapped ok' was printed by the producer"),
    ("a consumer that stores through its mapping", ["--mutant", "store"], NO_REPLY | {"bad-patterns"},
     "bad-patterns", "killed: store fault"),
    ("a consumer that ends before it replies", ["--mutant", "dies"], NO_REPLY | {"accessed"}, "tasks",
     "end=exit status=3"),
    ("a consumer that hangs", ["--mutant", "hangs"], NO_REPLY | {"bad-patterns", "accessed"}, "exit-code",
     f"{exit_codes.number('done-badly')} (init is done with another status)"),
]
LARGE = ["--payload", "gen:7:65536"]  # large enough for the check `work`
# Producer and consumer collude: every marker, digest and mapping looks right.
LIES = [
    ("digests after the blob, in its last page", ["--mutant", "slack", *LARGE], {"content", "work"}, "content",
     "blob: at its grant its pages held other bytes"),
    ("digests after a blob too small for `work`", ["--mutant", "slack"], {"content"}, "content",
     "blob: at its reply its pages held other bytes"),
    ("digests written into the consumer's image", ["--mutant", "patched-image", *LARGE], {"image", "work"}, "image",
     "the consumer was loaded from"),
    ("digests written into the image, a small blob", ["--mutant", "patched-image"], {"image"}, "image",
     "the consumer was loaded from"),
    ("one byte of the image changed", ["--mutant", "one-byte"], {"image"}, "image", "the consumer was loaded from"),
    ("a consumer that hashes the result of vmo_read", ["--mutant", "hashes-read", *LARGE], {"work"}, "work", "(+"),
    ("a consumer that hashes a copy of its view", ["--mutant", "hashes-copy", *LARGE], {"work"}, "work", "(+"),
    ("a consumer that hashes through a small buffer", ["--mutant", "hashes-blocks", *LARGE], {"work"}, "work", "(+"),
    ("a word in the stack's size", ["--mutant", "tells-stack"], {"image"}, "image", "with 5 stack pages"),
    ("a word in gp", ["--mutant", "tells-gp"], {"image"}, "image", "with 4 stack pages, gp=0x"),
    ("a word in a message's flags", ["--mutant", "tells-flags"], {"protocol"}, "protocol", "request has flags="),
    ("a word in the slot of a transfer", ["--mutant", "tells-slot"], {"protocol"}, "protocol", "'alias', 4, 77)"),
    ("a page mapped into the consumer by the producer", ["--mutant", "maps-for-consumer"], {"protocol", "order"},
     "protocol", "was mapped into the consumer by as_map"),
    ("the digest as the consumer's name", ["--mutant", "tells-name"], {"messages-clean", "protocol"}, "protocol",
     "the consumer was given the name"),
    ("a word in the consumer's exit status", ["--mutant", "tells-status"],
     NO_END - {"page-digest", "sharing", "protocol", "content"}, "tasks", "end=exit status=24301"),
    ("an additional message", ["--mutant", "extra-message"], {"protocol"}, "protocol", "5 messages instead of 4"),
    ("a seal that was never made", ["--mutant", "noseal"], {"seal"}, "seal", "forever, a message said 0"),
    ("peers stated, forever claimed", ["--mutant", "claims-forever"], {"seal"}, "seal", "forever, a message said 1"),
    ("peers made, forever stated and claimed", ["--mutant", "tells-forever"], {"seal"}, "seal", "sealed for ever, but"),
    ("a blob that changes after its reply", ["--mutant", "late-write"], {"content"}, "content",
     "blob: at its end its pages held other bytes"),
    ("the digest's marker before the handle was sent", ["--mutant", "early-marker"], {"order"}, "order",
     "'vmo: sha256 ok' came before 'the blob's reply was received'"),
]
MUST_FAIL += LIES
# a1 has no cap_transfer_to; a2 refuses as_map of an alias.
NOT_ON = {"a word in the slot of a transfer": "a1", "a page mapped into the consumer by the producer": "a2"}
# Checks that a run cannot make, by ABI revision: on a1 the library enforces the seal; `work` needs 64 KiB.
UNMADE = {"a1": {"seal"}, "a2": set()}
# A cooperative kernel never resumes the producer, which cannot report its failure, so the watchdog ends the run.
OTHERWISE = {("a consumer that hangs", "a1"): ((NO_REPLY | {"bad-patterns", "accessed"}) - {"failure-lines"},
                                               f"{exit_codes.number('watchdog')} (the guest's watchdog)")}


def run(options):
    """-> (exit code, {check: (status, evidence)} by ABI revision, all output)."""
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        out = pathlib.Path(folder) / "run"
        done = subprocess.run([str(ROOT / "scripts" / "qemu-test.sh"), "--out", str(out), *options], cwd=ROOT,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        checks = {}
        for report in out.glob("a?/report.json"):
            facts = json.loads(report.read_text())
            checks[facts["abi"]] = {c["name"]: (c["status"], c["evidence"]) for c in facts["checks"]}
        return done.returncode, checks, done.stdout.decode(errors="replace")


def red(checks):
    return {name for name, (status, _) in checks.items() if status == "RED"}


def judge_pass(tap, name, abi_revs, result, has_work):
    code, checks, text = result
    good = code == 0 and sorted(checks) == abi_revs
    for abi_rev, found in checks.items():
        unmade = UNMADE[abi_rev] | (set() if has_work else {"work"})
        good = good and found and not red(found) and unmade == {
            check for check, (status, _) in found.items() if status != "ok"}
    tap.check(good, name, text)


def judge_fail(tap, case, abi_rev, result):
    name, _, expected, check, words = case
    code, checks, text = result
    found = checks.get(abi_rev, {})
    if (name, abi_rev) in OTHERWISE:
        expected, words = OTHERWISE[name, abi_rev]
    tap.check(code == 1 and red(found) == expected and words in found.get(check, ("", ""))[1],
              f"{abi_rev}: must fail: {name}",
              f"exit {code}, red {sorted(red(found))}\nexpected {sorted(expected)}, '{words}' in {check}\n{text}")


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        large = pathlib.Path(folder) / "large file"
        large.write_bytes(bytes(i * 7 % 251 for i in range(4096)) * (LARGE_FILE_BYTES // 4096))
        passes = [
            ("a file of the tree, both ABI revisions", ["--abi", "all", "--payload", "LICENSE"], ["a1", "a2"]),
            ("any real file, both ABI revisions", ["--abi", "all", "--payload", "/usr/bin/env"], ["a1", "a2"]),
            ("a file of 1 MiB with a blank in its name, both ABI revisions", ["--abi", "all", "--payload", str(large)],
             ["a1", "a2"]),
            ("1 MiB generated, both ABI revisions", ["--abi", "all", "--payload", "gen:7:1048576"], ["a1", "a2"]),
            ("4 MiB generated, both ABI revisions", ["--abi", "all", "--payload", "gen:0xfeed:4194304"], ["a1", "a2"]),
            ("one byte generated, both ABI revisions", ["--abi", "all", "--payload", "gen:1:1"], ["a1", "a2"]),
        ]
        with_work = {name for name, _, _ in passes if "MiB" in name}
        fails = [(case, abi_rev) for case in MUST_FAIL for abi_rev in ("a1", "a2")
                 if NOT_ON.get(case[0]) != abi_rev]
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            passing = [pool.submit(run, options) for _, options, _ in passes]
            failing = [pool.submit(run, [*case[1], "--abi", abi_rev]) for case, abi_rev in fails]
            for (name, _, abi_revs), future in zip(passes, passing):
                judge_pass(tap, f"must pass: {name}", abi_revs, future.result(), name in with_work)
            for (case, abi_rev), future in zip(fails, failing):
                judge_fail(tap, case, abi_rev, future.result())
    tap.done()


if __name__ == "__main__":
    main()
