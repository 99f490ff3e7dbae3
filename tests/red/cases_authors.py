# SPDX-License-Identifier: Apache-2.0
"""Runs that must fail for who printed what."""
from case_table import case, edit


def said(run, text, by):
    """That line was this one's."""
    def change(records):
        next(record for record in records if bytes.fromhex(record["head"]).startswith(text))["by"] = by
    run.say_edits.append(change)


@case("the producer prints the consumer's marker", "authors")
def _(run):
    said(run, b"vmo: consumer mapped ok", 17)


@case("the consumer prints the producer's marker", "authors")
def _(run):
    said(run, b"vmo: sha256 ok", 18)


@case("the consumer prints the last marker", "authors")
def _(run):
    said(run, b"SELFTEST:", 18)


@case("the consumer prints the evidence", "authors")
def _(run):
    said(run, b"vmo: evidence", 18)


@case("a third task prints a marker", "authors")
def _(run):
    said(run, b"vmo: consumer mapped ok", 19)


@case("two tasks wrote the marker between them", "authors")
def _(run):
    said(run, b"vmo: consumer mapped ok", "several")


@case("the kernel wrote the marker", "authors")
def _(run):
    said(run, b"vmo: consumer mapped ok", "kernel")


@case("a line that the kernel did not record", "authors")
def _(run):
    def forget(records):
        del records[0]
        for number, record in enumerate(records):
            record["n"] = number
    run.say_edits.append(forget)


@case("a line that the log does not have", "authors")
def _(run):
    run.say_edits.append(lambda records: records.append(dict(records[0], n=len(records))))


@case("more lines than the whole log has", "authors")
def _(run):
    def repeat(records):
        records += [dict(records[0], n=number) for number in range(len(records), 30)]
    run.say_edits.append(repeat)


@case("a line that was changed on its way", "authors")
def _(run):
    edit(run, b"vmo: note 4 pages", b"vmo: note 5 pages")


@case("a line that was made longer on its way", "authors")
def _(run):
    edit(run, b" bulk_bytes=", b" bulk_bytes=0")


@case("a line's record without its head", "audit-form")
def _(run):
    run.say_edits.append(lambda records: records[0].update(head="-"))


@case("records of lines that do not count from 0", "audit-form")
def _(run):
    run.say_edits.append(lambda records: records[0].update(n=1))


@case("records of lines that were lost", "audit-complete")
def _(run):
    run.audit["overflow"].append({"kind": "say", "lost": 1})
