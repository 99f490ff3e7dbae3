#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the proofs of streams and of fills check otherwise on Linux, and with a witness: each of
these checks passes on what a good run shows, and is red on each change of it."""
import os
import pathlib
import sys
import types

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from fill_fixture import FillFixture  # noqa: E402  pylint: disable=wrong-import-position
from stream_fixture import StreamFixture  # noqa: E402  pylint: disable=wrong-import-position
from judge import check_fill as fill, check_stream as stream, facts  # noqa: E402
from judge.check_seen import READ, WRITTEN  # noqa: E402  pylint: disable=wrong-import-position
from judge.facts import CONSUMER_PID, OK, PRODUCER_PID, RED  # noqa: E402
from tap import Tap  # noqa: E402  pylint: disable=wrong-import-position

POOL, PAGE, MEMORY, OTHER = "pool", "page", "memory", "other"
BASE = 0x84000000
some = types.SimpleNamespace
CASES = []  # (name, context, check, change; None: a good run)


def case(name, made, check):
    def keep(change):
        CASES.append((name, made, check, change))
        return change

    return keep


def packets(*identities):
    return [some(receiver=CONSUMER_PID, held=[some(identity=name)]) for name in identities]


# ---- Streams -------------------------------------------------------------------------------------
def stream_context():
    ctx = StreamFixture("a2").context()
    said = stream.told(ctx)
    pool = stream.pool_bytes(ctx, said, 0).ljust(facts.whole_pages(facts.STREAM_POOL_BYTES), b"\0")
    contents = {POOL: pool, PAGE: stream.page_bytes(said, 2, 0)}
    barriers = {1: some(tag=1, contents=contents)}
    ctx.boot.observed = some(packets=packets(POOL, PAGE), barriers=barriers)
    for record in ctx.audit["map"]:
        record["perms"] = {"r": "r--s", "rw": "rw-s"}[record["prot"]]
    return ctx


def page_map(ctx, pid):
    return next(r for r in ctx.audit["map"] if (r["pid"], r["vmo"]) == (pid, 2))


def flip(ctx, name, at):
    contents = ctx.boot.observed.barriers[1].contents
    contents[name] = bytes(b ^ (n == at) for n, b in enumerate(contents[name]))


CASES += [
    ("stream content: a good run", stream_context, stream.linux_content, None),
    ("stream return-page: a good run", stream_context, stream.linux_return_page, None),
]


@case("stream content: a byte of the pool", stream_context, stream.linux_content)
def _(ctx):
    flip(ctx, POOL, 3 * facts.FRAME_BYTES + 5)


@case("stream content: a word of the return page", stream_context, stream.linux_content)
def _(ctx):
    flip(ctx, PAGE, 9)


@case("stream content: a return page that ends in a word", stream_context, stream.linux_content)
def _(ctx):
    contents = ctx.boot.observed.barriers[facts.TAG_BLOB].contents
    contents[PAGE] = contents[PAGE][: stream.LEFT + 1]


@case("stream content: a consumer that says it left", stream_context, stream.linux_content)
def _(ctx):
    flip(ctx, PAGE, stream.LEFT)


@case("stream content: a barrier that was not reached", stream_context, stream.linux_content)
def _(ctx):
    ctx.boot.observed.barriers.clear()


@case("stream content: an object too few", stream_context, stream.linux_content)
def _(ctx):
    ctx.boot.observed.packets.pop()


@case("stream return-page: writable in the producer", stream_context, stream.linux_return_page)
def _(ctx):
    page_map(ctx, PRODUCER_PID)["perms"] = "rw-s"


@case("stream return-page: read-only in the consumer", stream_context, stream.linux_return_page)
def _(ctx):
    page_map(ctx, CONSUMER_PID)["perms"] = "r--s"


@case("stream return-page: mapped by the producer alone", stream_context, stream.linux_return_page)
def _(ctx):
    page_map(ctx, CONSUMER_PID)["vmo"] = 3


# ---- Fills ---------------------------------------------------------------------------------------
def fill_context():
    run = FillFixture("a2")
    run.hash_vmos()
    ctx = facts.Context(run.manifest, run.boot(), run.host)
    data = run.memory()
    full = data.ljust(facts.whole_pages(len(data)), b"\0")
    held = ((facts.TAG_LEND, bytes(len(full))), (facts.TAG_ANSWER, full), (facts.TAG_BLOB, full))
    barriers = {
        tag: some(
            contents={MEMORY: bytes_then},
            sights={PRODUCER_PID: some(state="S", descriptors=[], mappings=[])},
        )
        for tag, bytes_then in held
    }
    ctx.boot.observed = some(packets=packets(MEMORY), barriers=barriers)
    pages = len(full) // facts.PAGE_BYTES
    maps = [
        {"pid": pid, "prot": prot, "off": 0, "last": [(BASE + n * 4096, b) for n in range(pages)]}
        for pid, prot, b in ((PRODUCER_PID, "rw", WRITTEN), (CONSUMER_PID, "r", READ))
    ]
    ctx.boot.watch = some(model=some(audit={"map": maps}))
    return ctx


def barrier_of(ctx, tag):
    return ctx.boot.observed.barriers[tag]


def last_of(ctx, number):
    return ctx.boot.watch.model.audit["map"][number]["last"]


CASES += [
    ("fill content: a good run", fill_context, fill.linux_content, None),
    ("fill lending: a good run", fill_context, fill.linux_lending, None),
    ("fill views: a good run", fill_context, fill.views, None),
]


@case("fill content: not zero when lent", fill_context, fill.linux_content)
def _(ctx):
    contents = barrier_of(ctx, facts.TAG_LEND).contents
    contents[MEMORY] = b"x" + contents[MEMORY][1:]


@case("fill content: not filled at the answer", fill_context, fill.linux_content)
def _(ctx):
    barrier_of(ctx, facts.TAG_ANSWER).contents[MEMORY] = bytes(4096)


@case("fill content: changed at the reply", fill_context, fill.linux_content)
def _(ctx):
    contents = barrier_of(ctx, facts.TAG_BLOB).contents
    contents[MEMORY] = contents[MEMORY][:-1] + b"x"


@case("fill content: a barrier that was not reached", fill_context, fill.linux_content)
def _(ctx):
    del ctx.boot.observed.barriers[facts.TAG_ANSWER]


@case("fill lending: a descriptor at the answer", fill_context, fill.linux_lending)
def _(ctx):
    sight = barrier_of(ctx, facts.TAG_ANSWER).sights[PRODUCER_PID]
    sight.descriptors.append(some(identity=MEMORY, name="memfd"))


@case("fill lending: a mapping at the reply", fill_context, fill.linux_lending)
def _(ctx):
    sight = barrier_of(ctx, facts.TAG_BLOB).sights[PRODUCER_PID]
    sight.mappings.append(some(identity=MEMORY, name="memfd"))


@case("fill lending: a producer that ran when it was lent", fill_context, fill.linux_lending)
def _(ctx):
    barrier_of(ctx, facts.TAG_LEND).sights[PRODUCER_PID].state = "R"


@case("fill views: a page that the consumer could write", fill_context, fill.views)
def _(ctx):
    last_of(ctx, 1)[1] = (last_of(ctx, 1)[1][0], WRITTEN)


@case("fill views: a page that the producer never wrote", fill_context, fill.views)
def _(ctx):
    last_of(ctx, 0)[1] = (last_of(ctx, 0)[1][0], READ)


@case("fill views: a page elsewhere", fill_context, fill.views)
def _(ctx):
    last_of(ctx, 1)[1] = (BASE - 4096, READ)


@case("fill views: a page that nobody saw", fill_context, fill.views)
def _(ctx):
    last_of(ctx, 1).pop()


def main():
    tap, wanted = Tap(), os.environ.get("TEST_CASE")
    for name, made, check, change in CASES:
        if wanted not in (None, name):
            continue
        ctx = made()
        if change:
            change(ctx)
        outcome = check(ctx)
        expected = RED if change else OK
        tap.check(outcome.status == expected, f"{name}: {expected}", outcome.evidence)
    return tap.done()


if __name__ == "__main__":
    main()
