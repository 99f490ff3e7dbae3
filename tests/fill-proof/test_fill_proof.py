#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The proof of fills: runs that must pass, and providers that lie, each red for its own reason.

Under QEMU on both ABI revisions, on the stand-in for a foreign kernel under the witness, and as two Linux processes.
"""
import concurrent.futures
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / path) for path in ("tests", "scripts", "tests/qemu", "tests/host-proof")]
import foreign_kernel  # noqa: E402
import test_host_proof as on_linux  # noqa: E402
import test_proof as on_qemu  # noqa: E402
from judge import facts, verdict  # noqa: E402
from tap import Tap, room  # noqa: E402

PROOF = ["--proof", "fill"]
LARGE = ["--payload", "gen:0xfeed:300000"]  # large enough for the check `work`
BOTH = ["--abi", "all"]
REFUSED = "vmo: FAIL consumer check: VMO_ERR_PROTOCOL"
UNANSWERED = "vmo: FAIL producer check reply: VMO_ERR_TIMED_OUT"
# Red if the consumer refuses what it got: no reply, no evidence, no last marker.
NO_REPLY = {"exit-code", "markers", "failure-lines", "evidence", "tasks", "digest", "protocol", "sharing", "accessed",
            "content"}
QEMU_NO_REPLY = NO_REPLY | {"audit-result"}
LINUX_NO_REPLY = NO_REPLY | {"read-only", "authors", "barriers", "descriptors", "lending"}
KEPT = {"lending", "order", "protocol"}  # what is lent again comes in another slot

# A lie: red checks on a2, the same on Linux (None: see below), a check, text in its evidence.
# On a1 the mapping stays in any case, so `order` says nothing of it.
LIES = {
    "nothing": (QEMU_NO_REPLY | {"lending"}, LINUX_NO_REPLY, "failure-lines", REFUSED),
    "length": (QEMU_NO_REPLY, LINUX_NO_REPLY, "failure-lines", REFUSED),
    "silent": (QEMU_NO_REPLY | {"order", "read-only"}, LINUX_NO_REPLY, "failure-lines", UNANSWERED),
    # On Linux the harness delivers the answer when both processes sleep: the late bytes are there then.
    "late": ({"content", "order"}, None, "content", "at ('reply', 17) its pages held other bytes"),
    "keeps": (KEPT, {"lending"}, "lending", ""),
    "writes": (KEPT | {"content"}, {"lending"}, "lending", ""),
    "early-marker": ({"order"}, {"barriers"}, "order", ""),
    "client-writes": ({"read-only", "lending"}, {"read-only"}, "read-only", "mapped rw"),
}
LATER = {"late", "keeps", "writes"}


def check_red(tap, name, checks, text, wanted, words):
    """words: (check, text in its evidence)"""
    red = on_qemu.red(checks)
    tap.check(red == wanted and words[1] in checks.get(words[0], ("", ""))[1], name,
              f"red {sorted(red)}\nexpected {sorted(wanted)}, '{words[1]}' in {words[0]}\n{text}")


def check_lies(tap, pool):
    guests = {lie: pool.submit(on_qemu.run, [*PROOF, *BOTH, "--mutant", f"fill-{lie}"]) for lie in LIES}
    hosts = {lie: pool.submit(on_linux.run, [*PROOF, "--mutant", f"fill-{lie}"]) for lie in LIES if LIES[lie][1]}
    for lie, (wanted, linux_s, *words) in LIES.items():
        _, checks, text = guests[lie].result()
        for abi_rev in ("a1", "a2"):
            mine = wanted - {"order"} if abi_rev == "a1" and lie in LATER else wanted
            check_red(tap, f"{abi_rev}: must fail: {lie}", checks.get(abi_rev, {}), text, mine, words)
        if linux_s:
            _, checks, text = hosts[lie].result()
            check_red(tap, f"Linux: must fail: {lie}", checks, text, linux_s, words)


def check_passes(tap, pool):
    options = {"LICENSE": [], "300,000 bytes": LARGE}
    guests = {name: pool.submit(on_qemu.run, [*PROOF, *BOTH, *more]) for name, more in options.items()}
    hosts = {name: pool.submit(on_linux.run, [*PROOF, *more]) for name, more in options.items()}
    for name in options:
        code, checks, text = guests[name].result()
        unmade = {"work"} if name == "LICENSE" else set()
        found = [{check for check, (word, _) in checks.get(abi, {}).items() if word != "ok"} for abi in ("a1", "a2")]
        tap.check(code == 0 and found == [unmade, unmade], f"both revisions: must pass: {name}", text)
        code, checks, text = hosts[name].result()
        skipped = verdict.may_skip(facts.LINUX, facts.FILL)
        tap.check(code == 0 and on_linux.names(checks, "not-checked") == skipped, f"Linux: must pass: {name}", text)


def check_foreign(tap, pool, folder):
    """What the stand-in hides the witness sees."""
    kernel = ["--kernel", str(foreign_kernel.build(folder))]
    good = {abi: pool.submit(on_qemu.run, [*PROOF, *kernel, "--abi", abi]) for abi in ("a1", "a2")}
    bad = pool.submit(on_qemu.run, [*PROOF, *kernel, "--abi", "a2", "--mutant", "fill-keeps"])
    skipped = verdict.may_skip(facts.WATCHED, facts.FILL) | {"work"}
    for abi, future in good.items():
        code, checks, text = future.result()
        unmade = {check for check, (word, _) in checks.get(abi, {}).items() if word != "ok"}
        tap.check(code == 0 and unmade == skipped, f"{abi}, stand-in, witness: must pass", text)
    _, checks, text = bad.result()
    check_red(tap, "a2, stand-in, witness: must fail: keeps", checks.get("a2", {}), text, KEPT, ("lending", "2 cap"))


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            check_passes(tap, pool)
            check_lies(tap, pool)
            check_foreign(tap, pool, folder)
    tap.done()


if __name__ == "__main__":
    main()
