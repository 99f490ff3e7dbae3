# SPDX-License-Identifier: Apache-2.0
"""The probe on our kernel: both ABI revisions pass, and a kernel that lacks a call fails."""
import concurrent.futures
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import abi_bench as bench  # noqa: E402  pylint: disable=wrong-import-position
import foreign_kernel  # noqa: E402  pylint: disable=wrong-import-position
import exit_codes  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap, room  # noqa: E402  pylint: disable=wrong-import-position

DONE, WATCHDOG = exit_codes.number("done"), exit_codes.number("watchdog")
# Runs that must fail: (ABI revision, program, additional boot arguments, texts in the output).
MUST_FAIL = (
    ("a1", "probe", "without=24", ("case K-41.clone (K-41): cap_clone, a vmo: expected lowest-free-slot, got -38",)),
    ("a1", "probe", "slots=63", ("case K-15.table (K-15): cap_clone, until the table is full: expected 64-slots",)),
    ("a1", "probe2", "without=17", ("case K-59.name-64 (K-59)", "expected -22, got -38")),
    ("a1", "probe", "tables=51", ("hazard K-17", "case K-62.fault (K-62)")),
    ("a2", "probe", "without=49", ("case K-04.as-self (K-04): as_self, own address space: expected handle, got -38",
                                   "case K-04.revision (K-04)")),
    ("a2", "probe", "without=51", ("case K-28.share (K-28): vmo_share_ro, a vmo: expected lowest-free-slot, got -38",)),
    ("a2", "probe", "ep_ids=40", ("case K-17.rounds (K-17)",)),
    ("a2", "probe", "watchdog_ms=5", (f"QEMU ended with {WATCHDOG} instead of {DONE}", "'probe: done N cases' is missing")),
)

# a1 never reclaims some resources (K-17, K-20, K-56). The probe must pass within these limits.
MUST_PASS = (
    ("a1", "probe", "tables=160 arena_bytes=1048576 ep_ids=40"),
    ("a1", "probe2", "tables=130 arena_bytes=1048576 ep_ids=40"),
)

FOREIGN = (("a1", "probe"), ("a2", "probe"))


def boot(abi_rev, program, append=""):
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        words = ["--abi", abi_rev, "--probe", program, "--out", str(pathlib.Path(folder) / "run")]
        return bench.harness(words + (["--append", append] if append else []))


def check_boots(tap, pool):
    waiting = {key: pool.submit(boot, *key) for key in bench.FILES}
    for (abi_rev, program), future in waiting.items():
        code, output = future.result()
        cases = bench.golden(abi_rev, program)
        decided = sum(case.decided for case in cases)
        undecided = len(cases) - decided
        words = f"verdict: PASS 1 boots, {decided} decided cases agree with the contract, {undecided} undecided"
        tap.check(code == 0 and words in output and output.count("\nundecided ") == undecided,
                  f"{abi_rev}: {program}, {decided} decided cases", output)


def check_failures(tap, pool):
    waiting = [(case, pool.submit(boot, *case[:3])) for case in MUST_FAIL]
    for (abi_rev, program, append, words), future in waiting:
        code, output = future.result()
        good = code == 1 and "verdict: FAIL" in output and all(word in output for word in words)
        tap.check(good, f"{abi_rev}: {program} with {append} must fail", output)


def check_limits(tap, pool):
    waiting = [(case, pool.submit(boot, *case)) for case in MUST_PASS]
    for (abi_rev, program, append), future in waiting:
        code, output = future.result()
        tap.check(code == 0, f"{abi_rev}: {program} with {append} must pass", output)


def foreign(abi_rev, program):
    """Requires the same answers of a kernel that embeds the program, prints log lines in between, and never exits."""
    elf = bench.BUILD / "target" / "payloads" / f"{program}.elf"
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        kernel = foreign_kernel.build(folder, abi_rev, elf)
        return bench.harness(["--kernel", str(kernel), "--out", f"{folder}/run"])


def check_foreign(tap, pool):
    waiting = {key: pool.submit(foreign, *key) for key in FOREIGN}
    for (abi_rev, program), future in waiting.items():
        code, output = future.result()
        decided = sum(case.decided for case in bench.golden(abi_rev, program))
        words = f"verdict: PASS 1 boots, {decided} decided cases agree with the contract"
        tap.check(code == 0 and words in output and f"with {program} built in" in output,
                  f"{abi_rev}: {program} on a foreign kernel", output)


def main():
    tap = Tap()
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        check_boots(tap, pool)
        check_failures(tap, pool)
        check_limits(tap, pool)
        check_foreign(tap, pool)
    tap.check(tap.count == len(bench.FILES) + len(MUST_FAIL) + len(MUST_PASS) + len(FOREIGN), "all cases ran", tap.count)
    tap.done()


if __name__ == "__main__":
    main()
