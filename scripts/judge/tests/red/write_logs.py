#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the red logs that our kernel would print: the good run with the changes below.

    python3 scripts/judge/tests/red/write_logs.py

Run it after a change of the audit's form, and review the diff. forged-audit and words-only are
written by hand, as a forger would.
"""
import pathlib
import sys

sys.dont_write_bytecode = True
FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

from fixture import CONSUMER_SAYS, Fixture, message  # noqa: E402  pylint: disable=wrong-import-position

LICENCE = b"# SPDX-License-Identifier: Apache-2.0\n"


def stolen_marker(run):
    run.say_edits.append(lambda says: says[run.console.index(CONSUMER_SAYS)].update(by=17))


def consumer_fault(run):
    """The kernel killed the consumer while it hashed the blob: no reply, no page."""
    run.console = ["vmo: producer sent handle", CONSUMER_SAYS,
                   "vmo: FAIL producer: the consumer ended before it replied"]
    run.audit["task"][1].update(end="fault", status=-22)
    run.audit["vmo"] = run.audit["vmo"][:1]
    run.audit["hand"] = run.audit["hand"][:3]
    run.audit["map"] = run.audit["map"][:2]
    run.audit["map"][1]["accessed"] = 0
    run.audit["msg"] = []
    run.add_message(17, 18, message(2, 1, length=len(run.blob)), "alias", 104)
    run.audit["hash"] = [record for record in run.audit["hash"] if record["vmo"] == 1 and record["when"] != "reply"]
    run.audit["result"][0]["status"] = 1


def main():
    for name, change in (("stolen-marker", stolen_marker), ("consumer-fault", consumer_fault)):
        run = Fixture("a2")
        change(run)
        (FOLDER / f"{name}.log").write_bytes(LICENCE + run.log())


if __name__ == "__main__":
    main()
