# SPDX-License-Identifier: Apache-2.0
"""Checks that are the proof: what the kernel recorded of messages, mappings and copies."""
from judge import audit as audit_form
from judge import check_run
from judge import facts
from judge import proof
from judge.context import judged, not_checked, red

RIGHT_MAP = 4


def reply_check(ctx, tag, data, stated, what):
    """The consumer's reply, as the kernel recorded it, is the digest computed afresh from the bytes on disk."""
    computed = facts.sha256_hex(data)
    replies = proof.digest_replies(ctx.audit, tag)
    problems = []
    if computed != stated:
        problems.append(f"host-ref says {stated[:16]}.., the {what} gives {computed[:16]}..")
    if len(replies) != 1:
        problems.append(f"{len(replies)} replies with tag {tag} in the kernel's record")
    elif replies[0] != computed:
        problems.append(f"the consumer replied {replies[0][:16]}.., the {what} gives {computed[:16]}..")
    return judged(problems, f"{computed} in the consumer's reply")


def digest(ctx):
    return reply_check(ctx, proof.TAG_BLOB, ctx.host.blob, ctx.host.digest_hex, "blob")


def page_digest(ctx):
    return reply_check(ctx, proof.TAG_PAGE, ctx.host.page, ctx.host.page_digest_hex, "page")


def message_problem(message, head):
    """A message to the consumer is a libvmo message, whole in the record, with nothing beside its fields."""
    if message["len"] > proof.MESSAGE_HEADER.size + proof.DIGEST_BYTES:
        return f"has {message['len']} bytes, more than the record shows"
    if len(head) < proof.MESSAGE_HEADER.size:
        return f"has {len(head)} bytes, less than a header"
    magic, _, body_len, _, _, _, _, zero = proof.MESSAGE_HEADER.unpack_from(head)
    if magic != proof.MESSAGE_MAGIC or zero or proof.MESSAGE_HEADER.size + body_len != message["len"]:
        return "is no libvmo message"
    return None


def messages_clean(ctx):
    """Nothing that the consumer was told could have stood in for hashing."""
    told = [message for message in ctx.audit["msg"] if message["to"] == proof.CONSUMER_PID]
    heads = [audit_form.head_bytes(message) for message in told]
    problems = []
    for message, head in zip(told, heads):
        problem = message_problem(message, head)
        problems += [f"message {message['n']} {problem}"] if problem else []
    # Once each message, once all bodies joined: a secret cut into crumbs shows in the second.
    joined = b"".join(head[proof.MESSAGE_HEADER.size:] for head in heads)
    names = [record["name"].encode() for record in ctx.audit["task"]]
    found = {name for data in heads + names + [joined] for name in check_run.secrets_in(data, ctx.host.secrets())}
    problems += [f"the consumer was told the {name}" for name in sorted(found)]
    return judged(problems, f"{len(told)} to the consumer, {sum(m['len'] for m in told)} bytes, no secret in them")


def page_table(records):
    """Mappings -> {(vmo, page offset): physical page}; None where two of them disagree."""
    table = {}
    for record in records:
        for page in range(record["bytes"] // facts.PAGE_BYTES):
            key = (record["vmo"], record["off"] // facts.PAGE_BYTES + page)
            place = record["base"] // facts.PAGE_BYTES + page
            table[key] = place if table.get(key, place) == place else None
    return table


def share_problems(ctx, hand, length, what):
    """One object: made by the producer, and the same physical pages in both tasks."""
    vmo = ctx.audit.vmo(hand["vmo"])
    if vmo is None or vmo["creator"] != proof.PRODUCER_PID:
        return [f"{what}: VMO {hand['vmo']} was not made by the producer"]
    count = facts.pages_of(length)
    if vmo["bytes"] != count * facts.PAGE_BYTES:
        return [f"{what}: VMO {vmo['id']} has {vmo['bytes']} bytes for {length}"]
    mine = page_table(proof.maps_of(ctx.audit, proof.PRODUCER_PID))
    theirs = page_table(proof.maps_of(ctx.audit, proof.CONSUMER_PID))
    for page in range(count):
        key = (vmo["id"], page)
        if theirs.get(key) is None:
            return [f"{what}: the consumer did not map page {page} of {count}"]
        if not mine.get(key) == theirs[key] == vmo["base"] // facts.PAGE_BYTES + page:
            return [f"{what}: page {page} of the consumer is not the producer's {ctx.boot.page_word}"]
    return []


def sharing(ctx):
    hands = proof.handed(ctx.audit)
    moved = [hand for hand in hands if hand["via"] == "move"]
    transferred = [hand for hand in hands if hand["via"] == "transfer"]
    if len(moved) != 1 or len(transferred) != 1:
        return red(f"{len(moved)} VMOs handed by a message and {len(transferred)} by transfer, instead of one each")
    problems = share_problems(ctx, moved[0], len(ctx.host.blob), "blob")
    problems += share_problems(ctx, transferred[0], len(ctx.host.page), "page")
    known = {moved[0]["vmo"], transferred[0]["vmo"]}
    if len(known) != 2:
        problems.append("blob and page are the same VMO")
    elsewhere = [hand for hand in ctx.audit["hand"] if hand["kind"] != "endpoint" and hand not in hands]
    problems += [f"VMO {hand['vmo']} went from {hand['from']} to {hand['to']}" for hand in elsewhere]
    for record in proof.maps_of(ctx.audit, proof.CONSUMER_PID):
        if record["vmo"] not in known:
            problems.append(f"the consumer mapped VMO {record['vmo']}, which nobody handed it")
    ids = f"VMO {moved[0]['vmo']} by message, VMO {transferred[0]['vmo']} by transfer"
    count = facts.pages_of(len(ctx.host.blob)) + facts.pages_of(len(ctx.host.page))
    return judged(problems, f"{ids}: {count} of {count} {ctx.boot.page_word}s are the producer's")


def read_only(ctx):
    alias = 1 if ctx.boot.age == "a2" else 0
    records = proof.maps_of(ctx.audit, proof.CONSUMER_PID)
    problems = [] if records else ["the consumer mapped nothing"]
    for record in records:
        if record["prot"] != "r" or record["alias"] != alias:
            problems.append(f"VMO {record['vmo']} mapped prot={record['prot']} alias={record['alias']}")
    for hand in proof.handed(ctx.audit):
        if hand["rights"] != RIGHT_MAP:
            problems.append(f"VMO {hand['vmo']} handed with rights {hand['rights']}")
    return judged(problems, f"{len(records)} mappings of the consumer, all prot=r alias={alias}")


def accessed_problems(records):
    """-> (problems, number of different pages mapped)"""
    problems = [] if records else ["the consumer mapped nothing"]
    whole = [record for record in records if record["accessed"] * facts.PAGE_BYTES == record["bytes"]]
    missing = set(page_table(records)) - set(page_table(whole))
    for vmo in sorted({vmo for vmo, _ in missing}):
        counts = [f"{r['accessed']} of {r['bytes'] // facts.PAGE_BYTES}" for r in records if r["vmo"] == vmo]
        problems.append(f"VMO {vmo}: {', '.join(counts)} pages accessed")
    problems += [f"VMO {r['vmo']}: {r['dirtied']} pages dirtied" for r in records if r["dirtied"]]
    return problems, len(page_table(records))


def accessed(ctx):
    """Of every object that the consumer mapped, each page was read through a mapping, and none written."""
    problems, count = accessed_problems(proof.maps_of(ctx.audit, proof.CONSUMER_PID))
    return judged(problems, f"{count} of {count} pages accessed, 0 dirtied")


def copied_bytes(ctx):
    return sum(record["into"] + record["from"] for record in ctx.audit["copy"])


def no_kernel_copy(ctx):
    listed = {record["pid"] for record in ctx.audit["copy"]}
    missing = {record["pid"] for record in ctx.audit["task"]} - listed
    problems = [f"no 'copy' line for pid {pid}" for pid in sorted(missing)]
    problems += [f"pid {record['pid']}: {record['into']} bytes into VMOs, {record['from']} out of them"
                 for record in ctx.audit["copy"] if record["into"] or record["from"]]
    return judged(problems, f"0 bytes for {len(listed)} tasks")


def counter_problems(ctx):
    """What the library counted of messages and objects, against the record. -> (problems, what was counted)"""
    control = sum(message["len"] for message in ctx.audit["msg"])
    sizes = [(ctx.audit.vmo(hand["vmo"]) or {"bytes": 0})["bytes"] for hand in proof.handed(ctx.audit)]
    problems = []
    for key, value in (("control_bytes", control), ("bulk_bytes", sum(sizes))):
        if ctx.evidence[key] != value:
            problems.append(f"{key}={ctx.evidence[key]}, the audit has {value}")
    return problems, f"control_bytes={control} bulk_bytes={sum(sizes)}"


def counters(ctx):
    """The library counts what the kernel counts."""
    if ctx.evidence is None:
        return not_checked("there is no evidence line to compare")
    problems, text = counter_problems(ctx)
    if (ctx.evidence["copy_fallbacks"] == 0) != (copied_bytes(ctx) == 0):
        problems.append(f"copy_fallbacks={ctx.evidence['copy_fallbacks']}, the kernel copied {copied_bytes(ctx)} bytes")
    return judged(problems, f"{text} copy_fallbacks={ctx.evidence['copy_fallbacks']}, as the audit has")


def seal(ctx):
    """What the evidence says of the seal is what the kernel saw."""
    if ctx.evidence is None:
        return not_checked("there is no evidence line to compare")
    hands = proof.handed(ctx.audit)
    by_kernel = bool(hands) and all(hand["kind"] == "alias" for hand in hands)
    problems = []
    if (ctx.evidence["enforced"] == "kernel") != by_kernel:
        kinds = " ".join(hand["kind"] for hand in hands) or "nothing"
        problems.append(f"enforced={ctx.evidence['enforced']}, but handed over: {kinds}")
    shared = {hand["vmo"] for hand in hands}
    writable = [record for record in ctx.audit["map"]
                if record["vmo"] in shared and "w" in record["prot"] and record["state"] == "live"]
    if ctx.evidence["seal"] == "forever" and writable:
        problems.append(f"sealed for ever, but VMO {writable[0]['vmo']} is still mapped writable")
    return judged(problems, f"{ctx.evidence['seal']}, enforced by the {ctx.evidence['enforced']}")
