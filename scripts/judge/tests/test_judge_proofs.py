#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The judge passes a good run of the proofs of streams and of fills, and fails each case of red/cases_stream.py and
red/cases_fill.py with exactly its red checks."""
import collections
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parent / "red")]

from fill_fixture import FillFixture  # noqa: E402  pylint: disable=wrong-import-position
from stream_fixture import StreamFixture  # noqa: E402  pylint: disable=wrong-import-position
from cases_fill import FILL_CASES  # noqa: E402  pylint: disable=wrong-import-position
from cases_stream import STREAM_CASES  # noqa: E402  pylint: disable=wrong-import-position
from judge import facts, verdict as verdicts  # noqa: E402  pylint: disable=wrong-import-position
from judge.facts import NOT_CHECKED, OK, RED  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap  # noqa: E402  pylint: disable=wrong-import-position

# name; fixture; red cases; the checks that the proof changes; the checks that a run cannot make, by ABI revision
Proof = collections.namedtuple("Proof", "name fixture cases changed unmade")
FILL_CHANGES = {row.name for row in verdicts.FILL_CHECKS if row.qemu and row.reads != verdicts.WITNESS}
PROOFS = (
    Proof(facts.STREAM, StreamFixture, STREAM_CASES, {row.name for row in verdicts.STREAM_CHECKS if row.qemu},
          {"a1": {"seal"}, "a2": set()}),
    Proof(facts.FILL, FillFixture, FILL_CASES, FILL_CHANGES, {"a1": {"work"}, "a2": {"work"}}),  # the blob is too small
)


def differences(proof, verdict, abi_rev, red):
    """Each check whose status is not the wanted one."""
    unmade = proof.unmade[abi_rev] - red
    for name in verdicts.names_on(facts.QEMU, proof=proof.name):
        wanted, outcome = RED if name in red else NOT_CHECKED if name in unmade else OK, verdict.outcomes[name]
        if outcome.status != wanted:
            yield f"{name} is {outcome.status}, not {wanted}: {outcome.evidence}"


def check_run(tap, proof, name, abi_rev, red, change):
    run = proof.fixture(abi_rev)
    change(run)
    verdict = run.judge()
    detail = "\n".join(differences(proof, verdict, abi_rev, red))
    good = verdict.word == (verdicts.FAIL if red else verdicts.PASS) and not detail
    tap.check(good, f"{proof.name} on {abi_rev}: {name}", f"{verdict.word}: {verdict.reason}\n{detail}\n{verdict.trace or ''}")


def one_case(tap, wanted):
    """For scripts/mutants.py."""
    for proof in PROOFS:
        for name, abi_revs, red, change in proof.cases:
            for abi_rev in abi_revs if f"{proof.name}: {name}" == wanted else ():
                check_run(tap, proof, name, abi_rev, red, change)


def main():
    tap = Tap()
    if "TEST_CASE" in os.environ:
        one_case(tap, os.environ["TEST_CASE"])
        return tap.done()
    for proof in PROOFS:
        for abi_rev in ("a1", "a2"):
            check_run(tap, proof, "a good run", abi_rev, set(), lambda run: None)
        for name, abi_revs, red, change in proof.cases:
            for abi_rev in abi_revs:
                check_run(tap, proof, name, abi_rev, red, change)
        missing = proof.changed - set().union(*(red for _, _, red, _ in proof.cases))
        tap.check(not missing, f"each check of the proof of a {proof.name} alone has a red case", missing)
    return tap.done()


if __name__ == "__main__":
    main()
