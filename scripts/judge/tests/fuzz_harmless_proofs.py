# SPDX-License-Identifier: Apache-2.0
"""The edits of a green run of the proofs of streams and of fills that may leave it green (fuzz_harmless.py)."""
from judge import facts
from fuzz_harmless import ANY, LINUX, free_values, harmless, joined, map_lines, number_of, record_of


def only(proof):
    """Applies an entry to the runs of one proof."""
    return lambda strip: lambda view: strip(view) if view.facts["host"]["proof"] == proof else None


def keep(name, reason, proof, *platforms):
    return lambda strip: harmless(name, reason, *platforms)(only(proof)(strip))


@harmless("the page where none is shared", "only the proof of sharing has a second VMO with a digest", *ANY)
def _(view):
    if view.facts["host"]["proof"] != facts.SHARE:
        view.facts["host"]["page_digest_hex"] = ""


@keep("what a pool holds at its hand-over", "the producer may be filling it; the digest, the reply and the end bind the bytes", facts.STREAM)
def _(view):
    hands = [found[1] for found in map(record_of, view.lines) if found and found[1] and found[0][2] == b"hand"]
    pool = next((hand.get(b"vmo", b"") for hand in hands if hand.get(b"via") == b"move"), b"")
    free_values(b"hash", rb"[0-9a-f]{16}", [b"sip"], when=b"grant", vmo=pool)(view)


@keep("how the producer reads the memory", "it may look at any of its pages, by its capability or on a2 by an alias; on a2 the consumer may, too", facts.FILL)
def _(view):
    vmos = [found[1] for found in map(record_of, view.lines) if found and found[1] and found[0][2] == b"vmo"]
    size = number_of(vmos[0], b"bytes") if vmos else None
    for number, words, fields in map_lines(view):
        off, length = number_of(fields, b"off"), number_of(fields, b"bytes")
        if None in (off, length, size) or fields.get(b"prot") != b"r":
            continue
        if fields.get(b"pid") in (b"17", b"*") and length > 0 and length % 4096 == 0 and off + length <= size:
            fields = {**fields, b"bytes": b"*"}
        if view.facts["abi_rev"] == "a2" and fields.get(b"alias") in (b"0", b"1"):
            fields = {**fields, b"alias": b"*"}
        view.lines[number] = joined(words, fields)


# ---- On Linux --------------------------------------------------------------------------------------
@keep("seals of memory that is lent", "who lends wants it written, so nothing is sealed; `lending` shows that the provider holds nothing",
      facts.FILL, LINUX)
def _(view):
    for barrier in view.seen["barriers"].values():
        barrier["seals"] = {}


@keep("the size of memory, told again", "`content` reads all of it at each look; it has the size that it was made with", facts.FILL, LINUX)
def _(view):
    packets, known = [], set()
    for *packet, held in view.seen["packets"]:
        packets.append((*packet, [(identity, size if identity not in known else 0) for identity, size in held]))
        known.update(identity for identity, _ in held)
    view.seen["packets"] = packets


@keep("the seals of a return page", "the consumer must be able to write it", facts.STREAM, LINUX)
def _(view):
    pages = [held[0][0] for *_, held in view.seen["packets"] if len(held) == 1][1:2]
    for barrier in view.seen["barriers"].values():
        barrier["seals"] = {identity: names for identity, names in barrier["seals"].items() if identity not in pages}
