# SPDX-License-Identifier: Apache-2.0
"""Checks of what passed between the tasks, and in which order."""
from judge import audit as audits, check_share as share, facts
from judge.check_share import RIGHT_READ
from judge.facts import CONSUMER_PID, MESSAGE_HEADER, judged

RIGHT_SEND, RIGHT_RECV = 1, 2


# ---- Protocol ----------------------------------------------------------------------------------
def wanted_messages(ctx):
    """(what, way, kind, body length or None, tag, rights, length field) of each, in order."""
    length, reply = len(ctx.host.blob), share.REPLY_BODY.size
    return (
        ("the blob's request", share.TO_CONSUMER, facts.KIND_HANDLE, 0, 1, RIGHT_READ, length),
        ("the blob's reply", share.TO_PRODUCER, facts.KIND_DATA, reply, 1, 0, 0),
        ("the page's request", share.TO_CONSUMER, facts.KIND_DATA, share.TICKET.size, 2, 0, 0),
        ("the page's reply", share.TO_PRODUCER, facts.KIND_DATA, reply, 2, 0, 0),
    )


def message_problems(message, wanted, moved):
    """All fields, except the seal of a VMO to read, which check `seal` reads."""
    what, way, kind, body, tag, rights, length = wanted
    header = share.header_of(message)
    if header is None:
        return [f"{what} is shorter than a header"]
    seal = header.seal if rights == RIGHT_READ else 0
    fields = facts.Header(facts.MESSAGE_MAGIC, kind, body, tag, rights, seal, length, 0)
    packet = {"way": way, "len": MESSAGE_HEADER.size + body, "type": 0, "moved": moved}
    wanted = {**packet, "flags": int(moved != "none"), **fields._asdict()}
    found = {**message, **header._asdict(), "way": share.way_of(message)}
    others = (key for key, value in wanted.items() if found.get(key, value) != value)
    wrong = [f"{key}={found[key]}" for key in others]
    return [f"{what} has {' '.join(wrong)}"] if wrong else []


def ticket_problems(message, hand):
    """The ticket has the slot of the transferred VMO, the page's length and the right to read."""
    body = share.body_of(message)
    if len(body) != share.TICKET.size or hand is None:
        return []  # already a problem of the message or the hand-over
    length, name, rights, _ = share.TICKET.unpack(body)
    wanted = (facts.PAGE_BYTES, hand.get("slot", 1), RIGHT_READ)
    return [] if (length, name, rights) == wanted else [f"the ticket says {(length, name, rights)}"]


def hand_problems(ctx):
    """Our kernel handed over two ends of channels, then the VMOs, each in the lowest free slot; a
    producer that closes what it is lent gets it in the same slot again."""
    hands, lent = ctx.audit["hand"], [("move", 5)] * 2 if ctx.form.lends else []
    found = [(h["via"], h["kind"], h["rights"], h["slot"]) for h in hands]
    memory = [hand["kind"] for hand in hands if hand["kind"] != "endpoint"]
    wanted = [("transfer", "endpoint", RIGHT_RECV, 1), ("transfer", "endpoint", RIGHT_SEND, 2)]
    ways = zip(memory + 2 * ["alias"], [*zip(ctx.form.ways, (3, 4)), *lent])
    wanted += [(via, kind, share.RIGHT_MAP, slot) for kind, (via, slot) in ways]
    pairs = enumerate(zip(found, wanted))
    problems = [f"capability {number}: {has}" for number, (has, want) in pairs if has != want]
    if len(found) != len(wanted):
        problems.append(f"{len(found)} capabilities went over instead of {len(wanted)}")
    for hand in hands:
        if hand["kind"] == "endpoint" and (hand["vmo"], hand["wcaps"], hand["wmaps"]) != (0, 0, 0):
            problems.append(f"an endpoint with VMO {hand['vmo']}")
    ways = {share.way_of(h) for h in hands[: -len(lent) or None]} - {share.TO_CONSUMER}
    return problems + [f"a capability went from {way[0]} to {way[1]}" for way in sorted(ways)]


def protocol(ctx):
    """Four messages, request and reply for blob and page, each with its type, flags, tag, length,
    rights, and length of body; the ticket's fields too; no other capability; nothing mapped into
    the consumer by handle; the consumer has no name. (For the bodies: seal, digest, page-digest,
    counters.)"""
    return protocol_of(ctx, wanted_messages(ctx))


def protocol_of(ctx, wanted):
    """wanted: the rows of its messages."""
    audit, messages, problems = ctx.audit, ctx.audit["msg"], []
    kinds = iter([hand["kind"] for hand in share.memory(ctx) if hand["via"] == "move"])
    if len(messages) != len(wanted):
        problems.append(f"{len(messages)} messages instead of {len(wanted)}")
    for message, row in zip(messages, wanted):
        moves = row[2] == facts.KIND_HANDLE
        problems += message_problems(message, row, next(kinds, "none") if moves else "none")
    if len(messages) > 2 and "transfer" in ctx.form.ways:
        problems += ticket_problems(messages[2], share.handed_once(audit, "transfer"))
    if ctx.boot.platform != facts.LINUX:
        problems += hand_problems(ctx)
        maps = [r["vmo"] for r in audit.maps_of(CONSUMER_PID) if r["via"] == "as_map"]
        problems += [f"VMO {vmo} was mapped into the consumer by as_map" for vmo in maps]
        names = {record["pid"]: record["name"] for record in audit["task"]}
        if names.get(CONSUMER_PID, "-") != "-":
            problems.append(f"the consumer was given the name '{names[CONSUMER_PID][:40]}'")
    return judged(problems[:4], "4 messages, 2 VMOs and nothing else went between the tasks")


# ---- Order ---------------------------------------------------------------------------------------
SENT, MAPPED, HASHED = "vmo: producer sent handle", "vmo: consumer mapped ok", "vmo: sha256 ok"
LAST = "SELFTEST: vmo share ok"
# Without one of these there is nothing to order: checks `markers`, `evidence` and `content` say so.
NOT_OWED = (SENT, MAPPED, HASHED, facts.EVIDENCE_PREFIX, LAST)
NOT_OWED += ("was hashed for the consumer", "was hashed at the reply")
# (earlier, later). The first markers of the two tasks are concurrent, so no pair has both.
ORDER = (
    ("the blob's request was sent", "the blob's request was received"),
    ("the blob's request was received", "the blob was mapped"),
    ("the blob was mapped", "the blob's reply was sent"),
    ("the blob was handed over", "the blob was hashed for the consumer"),
    ("the blob was hashed for the consumer", "the blob was mapped"),
    ("the blob's reply was sent", "the blob was hashed at the reply"),
    ("the blob was hashed at the reply", "the blob's reply was received"),
    ("the page was handed over", "the page was hashed for the consumer"),
    ("the page was hashed for the consumer", "the page was mapped"),
    ("the page's reply was sent", "the page was hashed at the reply"),
    ("the page was hashed at the reply", "the page's reply was received"),
    ("the blob's reply was received", "the page was handed over"),
    ("the page was handed over", "the page's request was sent"),
    ("the page's request was sent", "the page's request was received"),
    ("the page's request was received", "the page was mapped"),
    ("the page was mapped", "the page's reply was sent"),
    ("the blob's request was sent", SENT),
    ("the blob was mapped", MAPPED),
    ("the blob's reply was received", HASHED),
    (SENT, HASHED),
    (MAPPED, HASHED),
    ("the page's reply was received", facts.EVIDENCE_PREFIX),
    (facts.EVIDENCE_PREFIX, LAST),
)


def line_of(record):
    """The console line, or for the evidence line its beginning."""
    text = audits.head_bytes(record).rstrip(b"\r").decode("latin-1")
    return facts.EVIDENCE_PREFIX if text.startswith(facts.EVIDENCE_PREFIX) else text


def event_numbers(audit, objects):
    """-> {event: its sequence number, or None if it did not happen}"""
    numbers = {}
    for shared in objects:
        hand = share.handed_once(audit, shared.via)
        vmo = hand and hand["vmo"]
        request = share.first_message(audit, share.TO_CONSUMER, shared.tag)
        reply = share.first_message(audit, share.TO_PRODUCER, shared.tag)
        hashes = {r["when"]: r for r in reversed(audit["hash"]) if r["vmo"] == vmo}
        maps = [record for record in audit.maps_of(CONSUMER_PID) if record["vmo"] == vmo]
        for event, record, key in (
            (" was handed over", hand, "seq"),
            ("'s request was sent", request, "sent"),
            ("'s request was received", request, "seq"),
            (" was hashed for the consumer", hashes.get("grant"), "seq"),
            (" was mapped", maps[0] if maps else None, "made"),
            ("'s reply was sent", reply, "sent"),
            (" was hashed at the reply", hashes.get("reply"), "seq"),
            ("'s reply was received", reply, "seq"),
        ):
            numbers[f"the {shared.what}{event}"] = record and record[key]
    for record in audit["say"]:
        numbers.setdefault(line_of(record), record["seq"])
    return numbers


def order_problem(numbers, early, late):
    """Why the first event did not come before the second, or None."""
    before, after = numbers.get(early), numbers.get(late)
    if after is None:
        return None
    if before is None:
        return None if early.endswith(NOT_OWED) else f"'{late}' without '{early}'"
    return None if before < after else f"'{late}' came before '{early}'"


def order(ctx):
    """By the kernel's sequence numbers, each VMO is handed over, then mapped, then answered, the
    blob before the page. Each marker comes after its fact, and after the markers it depends on."""
    numbers = event_numbers(ctx.audit, ctx.host.objects())
    problems = [problem for pair in ORDER if (problem := order_problem(numbers, *pair))]
    return judged(problems[:4], f"{len(ORDER)} pairs of events, each in its order")
