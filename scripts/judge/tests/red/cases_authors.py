# SPDX-License-Identifier: Apache-2.0
"""Runs in which the wrong task printed a line."""
import functools

from case_table import case, edit


def said(run, text, by):
    """Makes `by` the author of the line that starts with the text."""
    def change(records):
        next(record for record in records if bytes.fromhex(record["head"]).startswith(text))["by"] = by
    run.say_edits.append(change)


for _name, _text, _by in (
        ("the producer prints the consumer's marker", b"vmo: consumer mapped ok", 17),
        ("the consumer prints the producer's marker", b"vmo: sha256 ok", 18),
        ("the consumer prints the last marker", b"SELFTEST:", 18),
        ("the consumer prints the evidence", b"vmo: evidence", 18),
        ("a third task prints a marker", b"vmo: consumer mapped ok", 19),
        ("two tasks wrote one marker together", b"vmo: consumer mapped ok", "several"),
        ("the kernel wrote the marker", b"vmo: consumer mapped ok", "kernel")):
    case(_name, "authors")(functools.partial(said, text=_text, by=_by))


@case("a line that the kernel did not record", "authors")
def _(run):
    def forget(records):
        del records[0]
        for number, record in enumerate(records):
            record["n"] = number
    run.say_edits.append(forget)


@case("a line that the log does not have", "authors")
def _(run):
    run.say_edits.append(lambda records: records.append(dict(records[-1], n=len(records))))


@case("more lines than the whole log has", "authors")
def _(run):
    def repeat(records):
        records += [dict(records[-1], n=number) for number in range(len(records), 30)]
    run.say_edits.append(repeat)


@case("a line changed after the kernel recorded it", "authors")
def _(run):
    edit(run, b"vmo: note 4 pages", b"vmo: note 5 pages")


@case("a line extended after the kernel recorded it", "authors")
def _(run):
    run.console.insert(0, "vmo: note " + "x" * 100)
    edit(run, b"note xx", b"note xxx")


@case("a line's record without a head", "audit-form")
def _(run):
    run.say_edits.append(lambda records: records[0].update(head="-"))


@case("line records that do not count from 0", "audit-form")
def _(run):
    run.say_edits.append(lambda records: records[0].update(n=1))


@case("lost line records", "audit-complete")
def _(run):
    run.audit["overflow"].append({"kind": "say", "lost": 1})
