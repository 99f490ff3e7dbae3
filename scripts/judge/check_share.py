# SPDX-License-Identifier: Apache-2.0
"""Checks of the record of messages, mappings and copies: the core of the proof.

On Linux the harness keeps the record, and some checks read another fact (check_linux.py).
"""
import math
import struct

from judge import audit as audits, check_run, facts
from judge.facts import CONSUMER_PID, MESSAGE_HEADER, PRODUCER_PID
from judge.facts import judged, not_checked, not_made, red

TO_CONSUMER, TO_PRODUCER = (PRODUCER_PID, CONSUMER_PID), (CONSUMER_PID, PRODUCER_PID)
SEALS = {"none": 0, "peers": 1, "forever": 2}
RIGHT_READ, RIGHTS_ALL = 1, 3  # of the library
RIGHT_MAP = 4  # of the kernel
NOTHING_MAPPED = "the consumer mapped nothing"
NO_EVIDENCE = "there is no evidence line to compare"
REPLY_BODY = struct.Struct("<32sQQQ")  # digest, copies, control_bytes, bulk_bytes
TICKET = struct.Struct("<QIHH")  # length, name, rights, seal


def way_of(record):
    return record["from"], record["to"]


def handed(audit):
    """The hand-overs of memory from the producer to the consumer."""
    records = [record for record in audit["hand"] if record["kind"] != "endpoint"]
    return [record for record in records if way_of(record) == TO_CONSUMER]


def written(ctx):
    """The VMO that the consumer may write: the second one of a stream. None in other proofs."""
    hands = handed(ctx.audit)
    return hands[1]["vmo"] if ctx.form.writes and len(hands) == 2 else None


def for_readers(ctx, records):
    """The hand-overs or mappings of what the consumer may only read."""
    return [record for record in records if record["vmo"] != written(ctx)]


def in_order(hands):
    """Hand-overs in the order of the VMOs of facts.HostFacts.vmos."""
    return sorted(hands, key=lambda hand: hand["via"])  # a message first, then a transfer


def memory(ctx):
    """The hand-overs of memory that this proof has: a consumer that lends hands it over, too."""
    records = [record for record in ctx.audit["hand"] if record["kind"] != "endpoint"]
    return records if ctx.form.lends else handed(ctx.audit)


def handed_once(audit, via):
    """The only hand-over of memory to the consumer by this way, or None."""
    found = [hand for hand in handed(audit) if hand["via"] == via]
    return found[0] if len(found) == 1 else None


# ---- Messages ----------------------------------------------------------------------------------
def header_of(message):
    """-> a facts.Header, or None if the message is shorter"""
    head = audits.head_bytes(message)
    whole = len(head) >= MESSAGE_HEADER.size
    return facts.Header._make(MESSAGE_HEADER.unpack_from(head)) if whole else None


def body_of(message):
    return audits.head_bytes(message)[MESSAGE_HEADER.size :]


def first_message(audit, way, tag):
    """The first message of this way and tag, or None."""
    on_way = (message for message in audit["msg"] if way_of(message) == way)
    tags = ((message, header_of(message)) for message in on_way)
    return next((message for message, header in tags if header and header.tag == tag), None)


def reply_in(message, size=REPLY_BODY.size, kind=facts.KIND_DATA):
    """-> (tag, first fields of the body, or None if it has another size) of the consumer's reply,
    or (None, None)"""
    header = header_of(message) if way_of(message) == TO_PRODUCER else None
    if header is None or header[:2] != (facts.MESSAGE_MAGIC, kind):
        return None, None
    whole = header.body == size == message["len"] - MESSAGE_HEADER.size
    return header.tag, REPLY_BODY.unpack_from(body_of(message)) if whole else None


def reply_of(ctx, message):
    kind = facts.KIND_HANDLE if ctx.form.lends else facts.KIND_DATA
    return reply_in(message, ctx.form.reply_bytes, kind)


def reply_check(ctx, shared):
    """Compares the consumer's reply with the digest computed afresh from the bytes on disk."""
    computed, problems = facts.sha256_hex(shared.data), []
    replies = [reply_of(ctx, message) for message in ctx.audit["msg"]]
    bodies = [body for tag, body in replies if tag == shared.tag]
    found = [body[0].hex() if body else "malformed" for body in bodies]
    gives = f"the {shared.what} gives {computed[:16]}.."
    if computed != shared.digest:
        problems.append(f"host-ref says {shared.digest[:16]}.., {gives}")
    if len(found) != 1:
        problems.append(f"{len(found)} replies with tag {shared.tag} in the kernel's record")
    elif found[0] != computed:
        problems.append(f"the consumer replied {found[0][:16]}.., {gives}")
    return judged(problems, f"{computed} in the consumer's reply")


def digest(ctx):
    """The consumer sent one reply with the blob's tag, with the blob's SHA-256, computed afresh;
    host-ref computed the same."""
    return reply_check(ctx, ctx.host.objects()[0])


def page_digest(ctx):
    """As `digest`, for the page."""
    return reply_check(ctx, ctx.host.objects()[1])


def message_problem(message):
    """Why the record does not show one whole and valid libvmo message, or None."""
    length, header = message["len"], header_of(message)
    if length > audits.HEAD_BYTES["msg"]:
        return f"has {length} bytes, more than the record shows"
    if header is None:
        return f"has {length} bytes, less than a header"
    is_whole = MESSAGE_HEADER.size + header.body == length
    is_ours = header.magic == facts.MESSAGE_MAGIC and not header.zero and is_whole
    return None if is_ours else "is no libvmo message"


def messages_clean(ctx):
    """Each message to the consumer is a libvmo message, whole in the record. No 8-byte piece of
    challenge or digests is in one of them, in all of them joined, or in a task's name."""
    told = [message for message in ctx.audit["msg"] if message["to"] == CONSUMER_PID]
    problems = [f"message {m['n']} {fault}" for m in told if (fault := message_problem(m))]
    # All bodies joined show a secret that was sent in pieces.
    heads, joined = map(audits.head_bytes, told), b"".join(map(body_of, told))
    names = [record["name"].encode() for record in ctx.audit["task"]]
    searched, secrets = [*heads, *names, joined], ctx.host.secrets()
    found = {name for data in searched for name in check_run.secrets_in(data, secrets)}
    problems += [f"the consumer was told the {name}" for name in sorted(found)]
    count = sum(message["len"] for message in told)
    return judged(problems, f"{len(told)} to the consumer, {count} bytes, no secret in them")


# ---- Mappings ----------------------------------------------------------------------------------
def pages_of_maps(records):
    """-> {(vmo, page of it)}"""
    return {
        (record["vmo"], (record["off"] + at) // facts.PAGE_BYTES)
        for record in records
        for at in range(0, record["bytes"], facts.PAGE_BYTES)
    }


def share_problem(ctx, hand, length):
    """Why a VMO is not the producer's, or is not wholly mapped in both tasks, or None."""
    vmo, count = ctx.audit.first("vmo", "id", hand["vmo"]), facts.pages_of(length)
    if vmo is None or vmo["creator"] != PRODUCER_PID:
        return f"VMO {hand['vmo']} was not made by the producer"
    if vmo["bytes"] != count * facts.PAGE_BYTES:
        return f"VMO {vmo['id']} has {vmo['bytes']} bytes for {length}"
    for role, pid in (("producer", PRODUCER_PID), ("consumer", CONSUMER_PID)):
        mapped = pages_of_maps(ctx.audit.maps_of(pid))
        missing = [page for page in range(count) if (vmo["id"], page) not in mapped]
        if missing:
            return f"the {role} did not map page {missing[0]} of {count}"
    return None


def misplaced(ctx):
    """A problem for each mapping that is of no task, or shows what is no page of its VMO."""
    form = "pid {pid} mapped VMO {vmo} at {base:#x}: no task, or not the VMO's pages"
    bounds = {vmo["id"]: (vmo["base"], vmo["base"] + vmo["bytes"]) for vmo in ctx.audit["vmo"]}
    for record in ctx.audit["map"]:
        base, end = bounds.get(record["vmo"], (math.inf, 0))
        pages = [at // facts.PAGE_BYTES for at in (record["base"] - record["off"], base)]
        # On Linux a mapping may be longer: `accessed` judges the consumer's.
        is_within = ctx.boot.platform == facts.LINUX or record["base"] + record["bytes"] <= end
        if record["pid"] not in facts.ROLES or pages[0] != pages[1] or not is_within:
            yield form.format_map(record)


def sharing(ctx):
    """The producer made two VMOs and handed one over by message and one by transfer (of a stream,
    both by message). The consumer mapped each page of both, and each is the producer's physical
    page (on Linux: device, inode and offset). No VMO went another way, and the consumer mapped no
    other. Each mapping is of one of the two tasks and shows pages of its VMO."""
    hands, ways = handed(ctx.audit), ctx.form.ways
    counts = [[hand["via"] for hand in hands].count(via) for via in ("move", "transfer")]
    wanted = [ways.count(via) for via in ("move", "transfer")]
    if counts != wanted:
        text = f"{counts[0]} VMOs handed by a message and {counts[1]} by transfer"
        return red(f"{text}, instead of {wanted[0]} and {wanted[1]}")
    ordered, problems, count = in_order(hands), [], 0
    for (what, length), hand in zip(ctx.host.vmos(), ordered):
        fault = share_problem(ctx, hand, length)
        problems += [f"{what}: {fault}"] if fault else []
        count += facts.pages_of(length)
    known = [hand["vmo"] for hand in ordered]
    if known[0] == known[1]:
        problems.append("both VMOs are the same")
    other = [h for h in ctx.audit["hand"] if h["kind"] != "endpoint" and h not in hands]
    problems += [f"VMO {h['vmo']} went from {h['from']} to {h['to']}" for h in other]
    problems += misplaced(ctx)
    strange = [r["vmo"] for r in ctx.audit.maps_of(CONSUMER_PID) if r["vmo"] not in known]
    problems += [f"the consumer mapped VMO {vmo}, which nobody handed it" for vmo in strange]
    pages = f"{count} of {count} {ctx.boot.page_word()}s are the producer's"
    over = ", ".join(f"VMO {vmo} by {way}" for vmo, way in zip(known, ways))
    return judged(problems, f"{over}: {pages}")


def read_only(ctx):
    """The consumer's mappings, but for the page that it may write, are `r`, on a2 of an alias; both
    VMOs came with right MAP alone."""
    alias = 1 if ctx.boot.abi_rev == "a2" else 0
    records = for_readers(ctx, ctx.audit.maps_of(CONSUMER_PID))
    problems = [] if records else [NOTHING_MAPPED]
    for record in records:
        if (record["prot"], record["alias"]) != ("r", alias):
            problems.append(f"VMO {record['vmo']} mapped {audits.words(record, 'prot alias')}")
    bad = [hand for hand in handed(ctx.audit) if hand["rights"] != RIGHT_MAP]
    problems += [f"VMO {hand['vmo']} handed with rights {hand['rights']}" for hand in bad]
    return judged(problems, f"{len(records)} mappings of the consumer, all prot=r alias={alias}")


def accessed_problems(records):
    """-> (problems, number of different pages mapped)"""
    problems = [] if records else [NOTHING_MAPPED]
    whole = [r for r in records if r["accessed"] * facts.PAGE_BYTES == r["bytes"]]
    missing = pages_of_maps(records) - pages_of_maps(whole)
    for vmo in sorted({vmo for vmo, _ in missing}):
        mine = [record for record in records if record["vmo"] == vmo]
        counts = [f"{r['accessed']} of {r['bytes'] // facts.PAGE_BYTES}" for r in mine]
        problems.append(f"VMO {vmo}: {', '.join(counts)} pages accessed")
    problems += [f"VMO {r['vmo']}: {r['dirtied']} pages dirtied" for r in records if r["dirtied"]]
    return problems, len(pages_of_maps(records))


def accessed(ctx):
    """Each page that the consumer mapped was accessed, through a mapping of which every page was
    accessed; none was dirtied."""
    records = ctx.audit.maps_of(CONSUMER_PID)
    problems, count = accessed_problems(for_readers(ctx, records))
    return judged(problems, f"{count} of {count} pages accessed, 0 dirtied")


# ---- Copies, counters, seal --------------------------------------------------------------------
def no_kernel_copy(ctx):
    """The kernel copied 0 bytes into or out of VMOs, for each task."""
    listed, pids = ({record["pid"] for record in ctx.audit[kind]} for kind in ("copy", "task"))
    problems = [f"no 'copy' line for pid {pid}" for pid in sorted(pids - listed)]
    strangers = sorted(listed - pids)
    problems += [f"a 'copy' line for pid {pid}, which is no task" for pid in strangers]
    copied = [record for record in ctx.audit["copy"] if record["into"] or record["from"]]
    problems += map("pid {pid}: {into} bytes into VMOs, {from} out of them".format_map, copied)
    return judged(problems, f"0 bytes for {len(listed)} tasks")


def consumer_problems(ctx, vmos):
    """In each reply the consumer counted no copy, and the bytes so far."""
    sizes = [vmo["bytes"] if vmo else 0 for vmo in vmos]
    control, problems = 0, []
    for message in ctx.audit["msg"]:
        tag, body = reply_of(ctx, message)
        bulk = sum(sizes[: (tag or 0) * ctx.form.vmos_a_reply])
        if body and body[1:] != (0, control, bulk):
            wanted = f"0 copies, {control} and {bulk} bytes"
            problems.append(f"by reply {tag} the consumer counted {body[1:]} instead of {wanted}")
        control += message["len"]
    return problems


def counters(ctx):
    """The counters of the evidence line are the sums of the record. (Linux does not count copies,
    so `copies` is not compared there.)"""
    if ctx.evidence is None:
        return not_checked(NO_EVIDENCE)
    vmos = [ctx.audit.first("vmo", "id", hand["vmo"]) for hand in memory(ctx)]
    sums = {
        "control_bytes": sum(message["len"] for message in ctx.audit["msg"]),
        "bulk_bytes": sum(vmo["bytes"] for vmo in vmos if vmo),
    }
    problems = check_run.differing(ctx, sums, ", the audit has") + consumer_problems(ctx, vmos)
    copied = sum(record["into"] + record["from"] for record in ctx.audit["copy"])
    copies = ctx.evidence["copies"]
    if ctx.boot.platform != facts.LINUX and (copies == 0) != (copied == 0):
        problems.append(f"copies={copies}, the kernel copied {copied} bytes")
    text = audits.words(sums, "control_bytes bulk_bytes")
    return judged(problems, f"{text} copies={copies}, as the audit has")


def told_seals(ctx):
    """The seals in the messages with a VMO that the consumer may only read, and in the ticket."""
    for message in (message for message in ctx.audit["msg"] if way_of(message) == TO_CONSUMER):
        header, body = header_of(message), body_of(message)
        may_write = header and ctx.form.writes and header.rights == RIGHTS_ALL
        if header and header.kind == facts.KIND_HANDLE and not may_write:
            yield header.seal
        elif header and header.tag == facts.TAG_PAGE and len(body) == TICKET.size:
            yield TICKET.unpack(body)[3]


def seal(ctx):
    """The messages carry the seal of the evidence line; `enforced=kernel` if and only if aliases
    were handed over; `forever` without a writable mapping."""
    if ctx.evidence is None:
        return not_checked(NO_EVIDENCE)
    claimed, enforced = ctx.evidence["seal"], ctx.evidence["enforced"]
    hands = for_readers(ctx, handed(ctx.audit))
    others = {*told_seals(ctx)} - {SEALS[claimed]}
    problems = [f"the evidence says {claimed}, a message said {seal}" for seal in sorted(others)]
    kinds = [hand["kind"] for hand in hands]
    if (enforced == "kernel") != (set(kinds) == {"alias"}):
        over = " ".join(kinds) or "nothing"
        problems.append(f"enforced={enforced}, but handed over: {over}")
    shared = {hand["vmo"] for hand in hands}
    live = [r for r in ctx.audit["map"] if r["vmo"] in shared and r["state"] == "live"]
    writable = [record["vmo"] for record in live if "w" in record["prot"]]
    if claimed == "forever" and writable:
        problems.append(f"sealed for ever, but VMO {writable[0]} is still mapped writable")
    return judged(problems, f"{claimed}, enforced by the {enforced}")


def forever_problems(audit, hand):
    """Nobody could write the VMO when it was handed over, and it was never destroyed (K-29)."""
    but, vmo = f"sealed for ever, but VMO {hand['vmo']}", audit.first("vmo", "id", hand["vmo"])
    if hand["wcaps"] or hand["wmaps"]:
        counts = "{wcaps} writable capabilities and {wmaps} writable mappings"
        yield f"{but} had {counts.format_map(hand)}"
    if vmo and vmo["state"] == "destroyed":
        yield f"{but} was destroyed"


def kernel_seal(ctx):
    """As on Linux. On a2 the kernel enforces it: each memory capability that left the producer was
    an alias; for `forever`, no writable capability or mapping was left at the hand-over, and the
    VMO was never destroyed. On a1 it is the library's word."""
    outcome = seal(ctx)
    if ctx.evidence is None:
        return outcome
    claimed, hands = ctx.evidence["seal"], for_readers(ctx, handed(ctx.audit))
    problems, since = outcome.problems(), {hand["vmo"]: hand["seq"] for hand in hands}
    needs = "r 1" if ctx.boot.abi_rev == "a2" else "r 0"
    for record in ctx.audit.maps_of(PRODUCER_PID):
        is_late = record["made"] > since.get(record["vmo"], math.inf)
        if is_late and "{prot} {alias}".format_map(record) != needs:
            mapped = audits.words(record, "prot alias")
            problems.append(f"after the hand-over the producer mapped VMO {record['vmo']} {mapped}")
    if ctx.boot.abi_rev == "a1":
        text = f"{claimed} is the library's word: this ABI revision has no read-only capability"
        return red("; ".join(problems)) if problems else not_made(text)
    left = [h for h in ctx.audit["hand"] if h["from"] == PRODUCER_PID and h["kind"] == "vmo"]
    left = for_readers(ctx, left)
    problems += [f"VMO {h['vmo']} left as a capability that can write" for h in left]
    if claimed == "forever" and ctx.audit.one("begin")["hashes"]:
        problems += [text for hand in hands for text in forever_problems(ctx.audit, hand)]
    return judged(problems, outcome.evidence)
