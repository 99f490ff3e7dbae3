# SPDX-License-Identifier: Apache-2.0
"""The checks that read other facts of a stream, and those that only a stream has.

libvmo/stream/protocol.h has the layout of the pool's control block and of the return page.
"""
import array
import collections
import struct

from judge import check_content, check_linux, check_protocol, check_share as share, facts
from judge.check_share import RIGHT_READ, RIGHTS_ALL, TO_CONSUMER, TO_PRODUCER
from judge.facts import CONSUMER_PID, FRAME_BYTES, PRODUCER_PID, STREAM_BUFFERS as BUFFERS
from judge.facts import judged, red
from siphash import LANES_MAX, content_hash, key_of, page_hashes, siphash

TAG_REQUEST, TAG_OFFER = 1, 3
REQUEST, OFFER = struct.Struct("<Q"), struct.Struct("<IHBBIIIIQQII")
REPLY = struct.Struct("<32sQQQQ4I4BHH")
OFFER_MAGIC, LOOKS = 0x31534D56, 16
# Offsets in the control block and in the return page.
CLOSED, RING, ENTRY_BYTES = 128, 320, 64
BELL, LEFT = 576, 580
# What the consumer says of the frames that it took. last: by buffer, the sequence of the frame that
# it held last; slots: the buffer of the last frames, by their sequence modulo the ring.
# seal: of the pool, and who enforces it, as the consumer's library says.
Told = collections.namedtuple("Told", "frames last slots seal")
ENFORCERS = {"library": 1, "kernel": 2}


def frames_of(ctx):
    return -(-len(ctx.host.blob) // FRAME_BYTES)


def told(ctx):
    """-> Told, or None without one whole reply"""
    bodies = [share.body_of(m) for m in ctx.audit["msg"] if share.way_of(m) == TO_PRODUCER]
    if len(bodies) != 1 or len(bodies[0]) != REPLY.size:
        return None
    fields = REPLY.unpack(bodies[0])
    return Told(fields[4], fields[5:9], fields[9:13], fields[13:])


def told_problems(ctx, said):
    """A reply that no honest consumer sends of this many frames."""
    count = frames_of(ctx)
    if said is None:
        return ["there is not one whole reply"]
    problems = [] if said.frames == count else [f"{said.frames} frames taken, {count} are the blob"]
    newest = {number % BUFFERS: number for number in range(count - BUFFERS + 1, count + 1)}
    for slot, number in newest.items():
        if said.slots[slot] >= BUFFERS or said.last[said.slots[slot]] < number:
            where = f"lay in buffer {said.slots[slot]}, {said.last} were last"
            problems.append(f"frame {number} {where}")
    if not 1 <= min(said.last) <= max(said.last) == count:
        problems.append(f"the buffers held last the frames {said.last}")
    return problems


def frames(ctx):
    """The consumer took as many frames as the blob has, ceil(len / 64 KiB), through all four
    buffers, of which each frame but the first four used one again; four messages passed."""
    count, passed = frames_of(ctx), len(ctx.audit["msg"])
    problems = told_problems(ctx, told(ctx))
    problems += [] if passed == 4 else [f"{passed} messages instead of 4"]
    text = f"{count} frames through {BUFFERS} buffers of {FRAME_BYTES} bytes, {passed} messages"
    return judged(problems, text)


# ---- What the memory holds -----------------------------------------------------------------------
def pool_bytes(ctx, said, closed):
    """The pool when all frames were published: the last of each buffer, then the control block."""
    count, blob = frames_of(ctx), ctx.host.blob
    parts = [blob[(number - 1) * FRAME_BYTES : number * FRAME_BYTES] for number in said.last]
    control = bytearray(facts.STREAM_POOL_BYTES - BUFFERS * FRAME_BYTES)
    struct.pack_into("<Q", control, 0, count)
    struct.pack_into("<I", control, CLOSED, closed)
    for number in range(count - BUFFERS + 1, count + 1):
        off, slot = (number - 1) * FRAME_BYTES, number % BUFFERS
        where = said.slots[slot] << 56 | min(FRAME_BYTES, len(blob) - off)
        struct.pack_into("<QQQ", control, RING + slot * ENTRY_BYTES, number, where, off)
    return b"".join(part.ljust(FRAME_BYTES, b"\0") for part in parts) + bytes(control)


def page_bytes(said, bell, left):
    """The return page when all frames were released."""
    page = bytearray(facts.PAGE_BYTES)
    struct.pack_into(f"<{BUFFERS}Q", page, 0, *(2 * number + 1 for number in said.last))
    struct.pack_into("<II", page, BELL, bell, left)
    return bytes(page)


def page_hashes_of(nonce, said, left):
    """The hashes of a return page with each possible number of signals."""
    key, count = key_of(nonce), said.frames + 2
    pages = [page_bytes(said, bell, left) for bell in range(count)]
    parts = [pages[at : at + LANES_MAX] for at in range(0, count, LANES_MAX)]
    words = array.array("Q", b"".join(page_hashes(key, b"".join(part)) for part in parts))
    return {f"{siphash(key, word.to_bytes(8, 'little')):016x}" for word in words}


def hash_problem(ctx, vmo, when, wanted):
    """when: "grant", "reply" or "end". wanted: a set of hashes; None: any."""
    found = [r for r in ctx.audit["hash"] if r["vmo"] == vmo]
    found = [r for r in found if r["when"].replace("destroyed", "end") == when]
    if len(found) != 1:
        return f"hashed {len(found)} times at its {when}"
    pid = 0 if when == "end" else CONSUMER_PID
    if found[0]["sip"] not in (wanted or {found[0]["sip"]}) or found[0]["pid"] != pid:
        return f"at its {when} it held other bytes"
    return None


@check_content.needs_hashes
def content(ctx):
    """By the kernel's keyed hash: at the reply and at its end the pool held the last frame of each
    buffer, zeros behind the last of all, and a control block that names these frames and no other;
    the return page was empty at the hand-over, and at the reply and its end said that each was
    released. What the pool held in between follows from the digest; at the hand-over the producer
    may be filling it."""
    said, hands = told(ctx), share.handed(ctx.audit)
    if told_problems(ctx, said) or len(hands) != 2:
        return red("what the memory should hold is not known; see frames and sharing")
    nonce, pool, page = ctx.boot.nonce, hands[0]["vmo"], hands[1]["vmo"]
    wanted = (
        ("pool", pool, "grant", None),
        ("pool", pool, "reply", {content_hash(nonce, pool_bytes(ctx, said, 0))}),
        ("pool", pool, "end", {content_hash(nonce, pool_bytes(ctx, said, 1))}),
        ("return page", page, "grant", {content_hash(nonce, bytes(facts.PAGE_BYTES))}),
        ("return page", page, "reply", page_hashes_of(nonce, said, 0)),
        ("return page", page, "end", page_hashes_of(nonce, said, 1)),
    )
    faults = ((what, hash_problem(ctx, vmo, when, good)) for what, vmo, when, good in wanted)
    problems = [f"{what}: {fault}" for what, fault in faults if fault]
    return judged(problems, "pool and return page, whole pages, at reply and end")


def linux_content(ctx):
    """Read at the barrier of the reply through the harness's own duplicate, the pool holds the last
    frame of each buffer, zeros behind the last of all, and a control block that names these frames
    and no other; the return page says that each was released."""
    said, (objects, problems) = told(ctx), check_linux.given(ctx)
    if problems or told_problems(ctx, said):
        return red("what the memory should hold is not known; see frames and sharing")
    pool, page = (barrier and barrier.contents.get(identity) for _, _, barrier, identity in objects)
    if pool is None or page is None:
        return red("nothing was read at the barrier of the reply")
    if pool != pool_bytes(ctx, said, 0).ljust(facts.whole_pages(facts.STREAM_POOL_BYTES), b"\0"):
        problems.append("pool: its object held other bytes")
    bell, left = struct.unpack_from("<II", page, BELL) if len(page) > LEFT + 3 else (0, 0)
    if page != page_bytes(said, bell, 0):
        problems.append(f"return page: its object held other bytes ({bell} signals, left={left})")
    return judged(problems, "pool and return page, read through own descriptors")


# ---- Messages and order --------------------------------------------------------------------------
def wanted_messages():
    return (
        ("the request", TO_CONSUMER, facts.KIND_DATA, REQUEST.size, TAG_REQUEST, 0, 0),
        ("the pool's offer", TO_CONSUMER, facts.KIND_HANDLE, OFFER.size, TAG_OFFER, RIGHT_READ,
         facts.STREAM_POOL_BYTES),
        ("the page's offer", TO_CONSUMER, facts.KIND_HANDLE, OFFER.size, TAG_OFFER, RIGHTS_ALL,
         facts.PAGE_BYTES),
        ("the reply", TO_PRODUCER, facts.KIND_DATA, REPLY.size, TAG_REQUEST, 0, 0),
    )


def protocol(ctx, made=check_protocol.protocol_of):
    """As of the proof of sharing, but four other messages: the request with the blob's length, both
    messages of the stream's offer, and the reply; their bodies are what libvmo sends for four
    buffers of 64 KiB and a first consumer; the reply's seal is that of the evidence line."""
    outcome, rows = made(ctx, wanted_messages()), wanted_messages()
    terms = 0, 0, 1, BUFFERS, 1, LOOKS, FRAME_BYTES, 1, 0, 0
    offers = [OFFER.pack(OFFER_MAGIC, part, *terms) for part in (1, 2)]
    bodies = [REQUEST.pack(len(ctx.host.blob)), *offers]
    pairs = zip(ctx.audit["msg"], rows, bodies)
    wrong = [f"{row[0]} has another body" for m, row, body in pairs if share.body_of(m) != body]
    seal, said = ctx.evidence, told(ctx)
    if seal and said and said.seal != (share.SEALS[seal["seal"]], ENFORCERS[seal["enforced"]]):
        wrong.append(f"the reply and the evidence line tell different seals, {said.seal} the reply")
    return judged(outcome.problems() + wrong, outcome.evidence)


JOINED, OFFERED = "vmo: consumer joined stream", "vmo: producer offered stream"
HASHED, LAST = check_protocol.HASHED, "SELFTEST: vmo stream ok"
ORDER = (
    ("the request was sent", "the pool's offer was sent"),
    ("the pool's offer was sent", "the page's offer was sent"),
    ("the page's offer was sent", OFFERED),
    ("the pool's offer was received", "the pool was handed over"),
    ("the page's offer was received", "the page was handed over"),
    ("the pool was handed over", "the pool was mapped"),
    ("the page was handed over", "the page was mapped"),
    ("the page was mapped", JOINED),
    ("the pool was mapped", JOINED),
    (JOINED, "the reply was sent"),
    ("the reply was sent", "the pool was hashed at the reply"),
    ("the pool was hashed at the reply", "the reply was received"),
    ("the reply was received", HASHED),
    (OFFERED, HASHED),
    (HASHED, facts.EVIDENCE_PREFIX),
    (facts.EVIDENCE_PREFIX, LAST),
)


def event_numbers(audit):
    """-> {event: its sequence number, or None if it did not happen}"""
    numbers = {}
    for row, message in zip(wanted_messages(), audit["msg"]):
        numbers[f"{row[0]} was sent"] = message["sent"]
        numbers[f"{row[0]} was received"] = message["seq"]
    for what, hand in zip(("the pool", "the page"), share.handed(audit)):
        maps = [record for record in audit.maps_of(CONSUMER_PID) if record["vmo"] == hand["vmo"]]
        hashes = [r for r in audit["hash"] if (r["vmo"], r["when"]) == (hand["vmo"], "reply")]
        numbers[f"{what} was handed over"] = hand["seq"]
        numbers[f"{what} was mapped"] = maps[0]["made"] if maps else None
        numbers[f"{what} was hashed at the reply"] = hashes[0]["seq"] if hashes else None
    for record in audit["say"]:
        numbers.setdefault(check_protocol.line_of(record), record["seq"])
    return numbers


def order(ctx):
    """By the kernel's sequence numbers: request and offer, then both VMOs mapped, then the marker
    of the join, then the reply, then the digest's marker, the evidence and the last marker."""
    numbers = event_numbers(ctx.audit)
    pairs = (check_protocol.order_problem(numbers, *pair) for pair in ORDER)
    problems = [problem for problem in pairs if problem]
    return judged(problems[:4], f"{len(ORDER)} pairs of events, each in its order")


# ---- Memory --------------------------------------------------------------------------------------
def sharing(ctx):
    """As of the proof of sharing, of pool and return page, both by message; and the consumer mapped
    the pool once, for all frames."""
    outcome = share.sharing(ctx)
    problems, hands = outcome.problems(), share.handed(ctx.audit)
    maps = [r for r in ctx.audit.maps_of(CONSUMER_PID) if hands and r["vmo"] == hands[0]["vmo"]]
    if not problems and len(maps) != 1:
        problems.append(f"the consumer mapped the pool {len(maps)} times")
    return judged(problems, f"{outcome.evidence}, the pool mapped once")


def page_maps(ctx):
    """The return page's mappings. -> ([the producer's], [the consumer's])"""
    maps = [record for record in ctx.audit["map"] if record["vmo"] == share.written(ctx)]
    return [[r for r in maps if r["pid"] == pid] for pid in (PRODUCER_PID, CONSUMER_PID)]


def return_page(ctx):
    """The consumer alone could write the return page, and wrote it: its one mapping is `rw` and
    dirty, the producer's `r` and clean; the capability is no alias, with right MAP alone."""
    hands = share.handed(ctx.audit)
    if share.written(ctx) is None:
        return red(f"{len(hands)} VMOs handed over instead of 2")
    problems = []
    good = ("r", 0, 0), ("rw", 1, 0)  # prot, pages dirtied, alias
    for who, maps, wanted in zip(("producer", "consumer"), page_maps(ctx), good):
        found = [(record["prot"], record["dirtied"], record["alias"]) for record in maps]
        if found != [wanted]:
            problems.append(f"the {who} mapped it {found or 'never'} instead of {[wanted]}")
    hand = (hands[1]["kind"], hands[1]["rights"], hands[1]["via"])
    if hand != ("vmo", share.RIGHT_MAP, "move"):
        problems.append(f"it was handed over as {hand}")
    return judged(problems, "rw and dirty in the consumer alone, r and clean in the producer")


def linux_return_page(ctx):
    """The consumer alone could write the return page: its mapping is `rw-s`, the producer's `r--s`;
    the packet gave it with both rights. That it was written, `content` shows."""
    if share.written(ctx) is None:
        return red("there are not two objects")
    problems = []
    for who, maps, wanted in zip(("producer", "consumer"), page_maps(ctx), ("r--s", "rw-s")):
        found = [record["perms"] for record in maps]
        if set(found) != {wanted}:
            problems.append(f"the {who} mapped it {found or 'never'} instead of {wanted}")
    return judged(problems, "rw-s in the consumer alone, r--s in the producer")
