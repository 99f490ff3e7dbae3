#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The judge passes a good run of the proof of fills and fails each case of red/cases_fill.py with exactly its red
checks."""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parent / "red")]

from fill_fixture import FillFixture  # noqa: E402  pylint: disable=wrong-import-position
from cases_fill import FILL_CASES  # noqa: E402  pylint: disable=wrong-import-position
from judge import facts, verdict as verdicts  # noqa: E402  pylint: disable=wrong-import-position
from judge.facts import NOT_CHECKED, OK, RED  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap  # noqa: E402  pylint: disable=wrong-import-position

UNMADE = {"work"}  # the blob is too small
CHANGED = {row.name for row in verdicts.FILL_CHECKS if row.qemu and row.reads != verdicts.WITNESS}


def differences(verdict, red):
    """Each check whose status is not the wanted one."""
    for name in verdicts.names_on(facts.QEMU, proof=facts.FILL):
        wanted, outcome = RED if name in red else NOT_CHECKED if name in UNMADE else OK, verdict.outcomes[name]
        if outcome.status != wanted:
            yield f"{name} is {outcome.status}, not {wanted}: {outcome.evidence}"


def check_run(tap, name, abi_rev, red, change):
    run = FillFixture(abi_rev)
    change(run)
    verdict = run.judge()
    detail = "\n".join(differences(verdict, red))
    good = verdict.word == (verdicts.FAIL if red else verdicts.PASS) and not detail
    tap.check(good, f"{abi_rev}: {name}", f"{verdict.word}: {verdict.reason}\n{detail}\n{verdict.trace or ''}")


def main():
    tap = Tap()
    for abi_rev in ("a1", "a2"):
        check_run(tap, "a good run", abi_rev, set(), lambda run: None)
    for name, abi_revs, red, change in FILL_CASES:
        for abi_rev in abi_revs:
            check_run(tap, name, abi_rev, red, change)
    missing = CHANGED - set().union(*(red for _, _, red, _ in FILL_CASES))
    tap.check(not missing, "each check of a fill alone has a red case", missing)
    return tap.done()


if __name__ == "__main__":
    main()
