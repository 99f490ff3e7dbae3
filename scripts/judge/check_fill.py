# SPDX-License-Identifier: Apache-2.0
"""The checks of the proof of fills that differ from those of the proof of sharing
(payloads/fill/fill_proof.h)."""
from judge import check_content, check_protocol, check_seen, check_share as share, facts
from judge.check_share import RIGHT_READ, RIGHTS_ALL, TO_CONSUMER, TO_PRODUCER
from judge.facts import CONSUMER_PID, PRODUCER_PID, TAG_ANSWER, TAG_BLOB, TAG_LEND, judged
from siphash import content_hash

TAG_MEMORY, TAG_SEEN = 3, 6
WAYS = [TO_CONSUMER, TO_PRODUCER, TO_PRODUCER]  # given to the consumer, lent, shown with the reply


def maps_of(ctx, pid, prot):
    return [record for record in ctx.audit.maps_of(pid) if record["prot"] == prot]


# ---- Messages and order --------------------------------------------------------------------------
def wanted_messages(ctx):
    handle, length = facts.KIND_HANDLE, len(ctx.host.memory())
    return (
        ("the memory", TO_CONSUMER, handle, 0, TAG_MEMORY, RIGHTS_ALL, length),
        ("the request", TO_PRODUCER, handle, 8, TAG_LEND, RIGHTS_ALL, length),
        ("the answer", TO_CONSUMER, facts.KIND_DATA, 0, TAG_ANSWER, 0, 0),
        ("the reply", TO_PRODUCER, handle, 56, facts.TAG_BLOB, RIGHT_READ, length),
        ("the receipt", TO_CONSUMER, facts.KIND_DATA, 0, TAG_SEEN, 0, 0),
    )


def protocol(ctx):
    """As of the proof of sharing, but five other messages: the memory for the consumer, the request
    that lends it, the answer, the reply, and its receipt; no message claims a seal."""
    outcome = check_protocol.protocol_of(ctx, wanted_messages(ctx))
    headers = enumerate(map(share.header_of, ctx.audit["msg"]))
    sealed = [f"message {n} claims seal {h.seal}" for n, h in headers if h and h.seal]
    lent = share.body_of(ctx.audit["msg"][1]) if len(ctx.audit["msg"]) > 1 else b""
    sealed += [] if lent == facts.FILL_REQUEST else ["the request has another number"]
    text = "5 messages, one VMO and nothing else went between the tasks"
    return judged(outcome.problems() + sealed, text)


LENT, FILLED, HASHED = "vmo: consumer lent memory", "vmo: producer filled memory", "vmo: sha256 ok"
LAST = "SELFTEST: vmo fill ok"
UNMAPPED = "the producer unmapped it"
ORDER = (
    ("the memory was received", "the request was sent"),
    ("the request was received", "the producer mapped it"),
    ("the producer mapped it", UNMAPPED),
    (UNMAPPED, "the answer was sent"),
    ("the producer mapped it", "the answer was sent"),
    ("the answer was received", "the consumer mapped it"),
    ("the consumer mapped it", "the reply was sent"),
    ("the request was sent", LENT),
    (LENT, "the reply was sent"),
    ("the answer was sent", FILLED),
    ("the reply was received", HASHED),
    (FILLED, HASHED),
    (HASHED, facts.EVIDENCE_PREFIX),
    (facts.EVIDENCE_PREFIX, LAST),
)


def order(ctx):
    """By the kernel's sequence numbers the memory is lent, mapped by the producer, on a2 unmapped,
    then answered; only then the consumer maps it, and replies. Each marker comes after its fact."""
    numbers = {}
    for (what, *_), message in zip(wanted_messages(ctx), ctx.audit["msg"]):
        numbers[f"{what} was sent"] = message["sent"]
        numbers[f"{what} was received"] = message["seq"]
    for record in maps_of(ctx, PRODUCER_PID, "rw")[:1]:
        numbers["the producer mapped it"] = record["made"]
        numbers[UNMAPPED] = record["ended"] or None
    for record in ctx.audit.maps_of(CONSUMER_PID)[:1]:
        numbers["the consumer mapped it"] = record["made"]
    for record in ctx.audit["say"]:
        numbers.setdefault(check_protocol.line_of(record), record["seq"])
    pairs = [pair for pair in ORDER if ctx.boot.abi_rev != "a1" or UNMAPPED not in pair]
    found = (check_protocol.order_problem(numbers, *pair) for pair in pairs)
    return judged([text for text in found if text][:4], f"{len(pairs)} pairs of events in order")


# ---- Memory --------------------------------------------------------------------------------------
def sharing(ctx):
    """The producer made one VMO and gave it to the consumer, which lent it back and showed it with
    its reply, each time by message. The consumer mapped each page of it, once, and each is the
    producer's physical page. (On Linux the producer has unmapped it when the harness looks: there
    they are pages of the same file.)"""
    hands, problems = share.memory(ctx), []
    if [share.way_of(hand) for hand in hands] != WAYS or len({h["vmo"] for h in hands}) != 1:
        ways = ", ".join(f"VMO {h['vmo']} from {h['from']} to {h['to']}" for h in hands)
        return facts.red(f"handed over: {ways or 'nothing'}")
    maps, count = ctx.audit.maps_of(CONSUMER_PID), facts.pages_of(len(ctx.host.memory()))
    found = [(r["vmo"], r["off"], r["bytes"] // facts.PAGE_BYTES) for r in maps]
    if found != [(hands[0]["vmo"], 0, count)]:
        problems.append(f"the consumer mapped (VMO, offset, pages) {found}")
    problems += share.misplaced(ctx)
    if ctx.boot.platform != facts.LINUX:
        fault = share.share_problem(ctx, hands[0], len(ctx.host.memory()))
        problems += [fault] if fault else []
        ways = {(hand["via"], hand["rights"]) for hand in hands} - {("move", share.RIGHT_MAP)}
        problems += [f"it went over by {via} with rights {rights}" for via, rights in ways]
    pages = f"{count} {ctx.boot.page_word()}s, the same for both"
    return judged(problems, f"VMO {hands[0]['vmo']}: {pages}")


def read_only(ctx):
    """All mappings of the consumer are `r`: it could write the memory that it lent, and did not."""
    maps = ctx.audit.maps_of(CONSUMER_PID)
    problems = [] if maps else [share.NOTHING_MAPPED]
    bad = [r for r in maps if (r["prot"], r.get("perms", "r--s")) != ("r", "r--s")]
    problems += [f"mapped {record['prot']}" for record in bad]
    return judged(problems, f"{len(maps)} mapping of the consumer, prot=r")


@check_content.needs_hashes
def lending(ctx):
    """The producer had the memory mapped once to write, and dirtied each page. When the consumer
    was given the memory, and when it lent it, it alone held a capability. When the producer
    received the reply it held none that can write, and on a2 no task had the memory mapped to
    write. (a1 cannot unmap: there the mapping stays. That the capability was closed before the
    answer, no record shows.)"""
    hands, pages = share.memory(ctx), facts.pages_of(len(ctx.host.memory()))
    is_a1 = ctx.boot.abi_rev == "a1"
    replied = (2, 1) if is_a1 else (1, 0)
    wanted = (("when given", (1, 0)), ("when lent", (2, 0)), ("at the reply", replied))
    problems = []
    for hand, (when, want) in zip(hands, wanted):
        if (hand["wcaps"], hand["wmaps"]) != want:
            counts = "{wcaps} capabilities and {wmaps} mappings".format_map(hand)
            problems.append(f"{when}: {counts} that can write, not {want}")
    found = [(r["accessed"], r["dirtied"]) for r in maps_of(ctx, PRODUCER_PID, "rw")]
    if found != [(pages, pages)]:
        problems.append(f"the producer's mappings to write have {found} pages accessed and dirtied")
    clean = [r for r in ctx.audit.maps_of(PRODUCER_PID) if r["prot"] != "rw" and r["dirtied"]]
    problems += [f"the producer dirtied {record['dirtied']} pages mapped r" for record in clean]
    left = "it stays mapped: this ABI revision cannot unmap" if is_a1 else "then given back"
    return judged(problems, f"{pages} pages dirtied by the producer; {left}")


@check_content.needs_hashes
def content(ctx):
    """By the kernel's keyed hash the memory was zero when given and when lent, and held header,
    blob and zeros when the producer answered, when it received the reply, and at its end."""
    nonce, data, hands = ctx.boot.nonce, ctx.host.memory(), share.memory(ctx)
    zero, full = content_hash(nonce, bytes(len(data))), content_hash(nonce, data)
    wanted = [("grant", CONSUMER_PID, zero), ("reply", CONSUMER_PID, zero)]
    wanted += [("grant", PRODUCER_PID, zero), ("reply", PRODUCER_PID, full)]
    wanted += [("grant", PRODUCER_PID, full), ("reply", PRODUCER_PID, full)]
    wanted += [("end", 0, full)]
    mine = [r for r in ctx.audit["hash"] if hands and r["vmo"] == hands[0]["vmo"]]
    found = [(r["when"].replace("destroyed", "end"), r["pid"], r["sip"]) for r in mine]
    pairs = zip(found, wanted)
    problems = [f"at {want[:2]} its pages held other bytes" for has, want in pairs if has != want]
    if len(found) != len(wanted):
        problems.append(f"hashed {len(found)} times, not {len(wanted)}")
    return judged(problems, "whole pages: zero when lent, filled at the answer, reply and end")


def linux_content(ctx):
    """Read through the harness's own duplicate, the memory was zero when the consumer lent it, and
    held header, blob and zeros when the producer answered and when the consumer replied."""
    data, problems = ctx.host.memory(), []
    full = data.ljust(facts.whole_pages(len(data)), b"\0")
    for tag, wanted in ((TAG_LEND, bytes(len(full))), (TAG_ANSWER, full), (TAG_BLOB, full)):
        barrier = ctx.boot.observed.barriers.get(tag)
        if [*(barrier.contents.values() if barrier else ())] != [wanted]:
            problems.append(f"at message {tag} it held other bytes")
    return judged(problems, "zero when lent, filled at the answer and at the reply")


def linux_lending(ctx):
    """When the consumer lent the memory, when the producer answered, and when the consumer replied,
    the producer had no descriptor and no mapping of it. How it wrote in between Linux does not
    tell; that the bytes came then, `content` shows."""
    problems, memory = [], {h.identity for p in ctx.boot.observed.packets for h in p.held}
    for tag in (TAG_LEND, TAG_ANSWER, TAG_BLOB):
        barrier = ctx.boot.observed.barriers.get(tag)
        sight = barrier and barrier.sights[PRODUCER_PID]
        if sight is None or sight.state != "S":
            problems.append(f"at message {tag} the producer was not seen asleep")
            continue
        kept = [x.name for x in (*sight.descriptors, *sight.mappings) if x.identity in memory]
        problems += [f"at message {tag} the producer holds {name}" for name in kept]
    return judged(problems, "the producer holds nothing when it is lent, answered and replied")


def views(ctx):
    """When each mapping ended, or the run did, each page of it had in the consumer the bits V R U
    A, in the producer, where it was mapped to write, also W and D; a page was at the same physical
    address in both tasks."""
    places, problems, seen = {}, [], {PRODUCER_PID: set(), CONSUMER_PID: set()}
    for record in (r for r in ctx.boot.watch.model.audit["map"] if "last" in r):
        wanted = {CONSUMER_PID: check_seen.READ, PRODUCER_PID: check_seen.WRITTEN}
        if record["prot"] == "r":
            del wanted[PRODUCER_PID]
        first = record["off"] // facts.PAGE_BYTES
        problems += check_seen.view_problems(record, record["last"], places, wanted)
        seen.get(record["pid"], set()).update(range(first, first + len(record["last"])))
    pages = set(range(facts.pages_of(len(ctx.host.memory()))))
    short = [(pid, len(found)) for pid, found in seen.items() if found != pages]
    problems += [f"{count} of {len(pages)} pages seen in pid {pid}" for pid, count in short]
    return judged(problems, f"{len(pages)} pages in both tasks, at {places.get(0, 0):#x}")
