# SPDX-License-Identifier: Apache-2.0
"""Checks that bind the evidence to what happened: the bytes of memory and images, the protocol, the
order of events, the work done, the seal. Under QEMU they read what the kernel records with the boot
argument witness=1."""
import pathlib
import re

from judge import audit as audits
from judge import check_share as share
from judge import facts
from judge.facts import CONSUMER_PID, MESSAGE_HEADER, PRODUCER_PID
from judge.facts import judged, not_checked, not_made, red
from judge.siphash import content_hash

TO_CONSUMER, TO_PRODUCER = (PRODUCER_PID, CONSUMER_PID), (CONSUMER_PID, PRODUCER_PID)
SEALS = {"none": 0, "peers": 1, "forever": 2}
RIGHT_READ, RIGHT_SEND, RIGHT_RECV = 1, 1, 2
CONSUMER_STACK_PAGES = 4
COSTS = facts.ROOT / "boot" / "tests" / "cost"
WORK_BYTES_MIN = 64 * 1024
WINDOW_PERMILLE = 2
NO_WITNESS = "the kernel recorded no hashes: it was booted without witness=1"


def way_of(record):
    return record["from"], record["to"]


def given(audit, via):
    """The one VMO that went from the producer to the consumer this way, or None."""
    found = [hand for hand in share.handed(audit) if hand["via"] == via]
    return found[0] if len(found) == 1 else None


def needs_witness(check):
    """Our own kernel is always asked to record hashes; another one may not have been."""

    def made(ctx):
        if ctx.audit.one("begin")["witness"]:
            return check(ctx)
        return red(NO_WITNESS) if ctx.boot.platform == facts.QEMU else not_checked(NO_WITNESS)

    made.__doc__ = check.__doc__
    return made


# ---- Content -----------------------------------------------------------------------------------
def is_destroyed(ctx, number):
    vmo = ctx.audit.first("vmo", "id", number)
    return vmo is not None and vmo["state"] == "destroyed"


def content_problems(ctx, what, hand, data):
    """A VMO held these bytes, and zeros to the end of its pages, each time the kernel looked."""
    if hand is None:
        return [f"{what}: not handed over once"]
    wanted, found = content_hash(ctx.boot.nonce, data), {}
    for record in ctx.audit["hash"]:
        if record["vmo"] == hand["vmo"]:
            found.setdefault(record["when"].replace("destroyed", "end"), []).append(record)
    problems = []
    for when in ("grant", "reply", "end"):
        records = found.get(when, [])
        if len(records) != 1:
            problems.append(f"{what}: hashed {len(records)} times at its {when}")
        elif (records[0]["sip"], records[0]["bytes"]) != (wanted, facts.whole_pages(len(data))):
            problems.append(f"{what}: at its {when} its pages held other bytes")
        elif records[0]["pid"] != (0 if when == "end" else CONSUMER_PID):
            problems.append(f"{what}: at its {when} it was hashed for pid {records[0]['pid']}")
        elif when == "end" and (records[0]["when"] == "destroyed") != is_destroyed(
            ctx, hand["vmo"]
        ):
            problems.append(
                f"{what}: hashed when={records[0]['when']}, but its VMO ended otherwise"
            )
    return problems


@needs_witness
def content(ctx):
    """When it was handed over, when the consumer replied and at its end, each of the two VMOs held
    its bytes and zeros to the end of its last page, by the kernel's keyed hash."""
    problems = content_problems(ctx, "blob", given(ctx.audit, "move"), ctx.host.blob)
    problems += content_problems(ctx, "page", given(ctx.audit, "transfer"), ctx.host.page)
    return judged(problems, "blob and page, whole pages, at hand-over, reply and end")


@needs_witness
def image(ctx):
    """The kernel loaded exactly the two files, by its keyed hash; exec gave the consumer nothing
    else: its stack has the usual size, and gp is the kernel's choice."""
    files = {PRODUCER_PID: ctx.boot.init_elf, CONSUMER_PID: ctx.boot.consumer_elf}
    found, problems = {record["pid"]: record for record in ctx.audit["image"]}, []
    for pid, elf in files.items():
        record, role = found.pop(pid, None), facts.ROLES[pid]
        if record is None:
            problems.append(f"no image of the {role}")
            continue
        loaded = record["bytes"], record["sip"]
        if loaded != (len(elf), content_hash(ctx.boot.nonce, elf)):
            problems.append(f"the {role} was loaded from {record['bytes']} other bytes")
        extra = record["stack_pages"], record["gp"]
        if pid == CONSUMER_PID and extra != (CONSUMER_STACK_PAGES, 0):
            problems.append(f"exec of the {role} with {extra[0]} stack pages, gp={extra[1]:#x}")
    problems += [f"an image of pid {pid}" for pid in found]
    return judged(problems, "both tasks were loaded from the files that were hashed")


# ---- Protocol ----------------------------------------------------------------------------------
def wanted_messages(ctx):
    """(what, way, kind, body length or None, tag, rights, length field) of each, in order."""
    length, reply = len(ctx.host.blob), share.REPLY_BODY.size
    return (
        ("the blob's request", TO_CONSUMER, facts.KIND_HANDLE, 0, 1, RIGHT_READ, length),
        ("the blob's reply", TO_PRODUCER, facts.KIND_DATA, reply, 1, 0, 0),
        ("the page's request", TO_CONSUMER, facts.KIND_DATA, share.TICKET.size, 2, 0, 0),
        ("the page's reply", TO_PRODUCER, facts.KIND_DATA, reply, 2, 0, 0),
    )


def message_problems(message, wanted, moved):
    """Everything but a handed VMO's seal (check `seal`), the digest and the counters."""
    what, way, kind, body, tag, rights, length = wanted
    head = audits.head_bytes(message)
    if len(head) < MESSAGE_HEADER.size:
        return [f"{what} is shorter than a header"]
    fields = MESSAGE_HEADER.unpack_from(head)
    found = (way_of(message), *(message[key] for key in ("len", "type", "moved")))
    named = (way, MESSAGE_HEADER.size + body, 0, moved)
    found += (*fields[:5], *fields[6:])  # without the seal
    named += (facts.MESSAGE_MAGIC, kind, body, tag, rights, length, 0)
    names = "way len type moved magic kind body tag rights length zero".split()
    wrong = [f"{key}={has}" for key, has, want in zip(names, found, named) if has != want]
    if kind == facts.KIND_DATA and fields[5]:
        wrong.append(f"seal={fields[5]}")
    flags = 0 if moved == "none" else 1
    if message.get("flags", flags) != flags:
        wrong.append(f"flags={message['flags']}")
    return [f"{what} has {' '.join(wrong)}"] if wrong else []


def ticket_problems(message, hand):
    """The ticket names what was transferred, with the page's length and the right to read."""
    head = audits.head_bytes(message)[MESSAGE_HEADER.size :]
    if len(head) != share.TICKET.size or hand is None:
        return []  # another problem says so
    length, name, rights, _ = share.TICKET.unpack(head)
    wanted = (facts.PAGE_BYTES, hand.get("slot", 1), RIGHT_READ)
    return [] if (length, name, rights) == wanted else [f"the ticket says {(length, name, rights)}"]


def hand_problems(audit):
    """Under QEMU: two ends of channels, then the two VMOs, each in the lowest free slot."""
    wanted = [("transfer", "endpoint", RIGHT_RECV, 1), ("transfer", "endpoint", RIGHT_SEND, 2)]
    kinds = {hand["vmo"]: hand["kind"] for hand in audit["hand"]}
    found = [(h["via"], h["kind"], h["rights"], h["slot"]) for h in audit["hand"]]
    memory = [kinds.get(hand["vmo"]) for hand in audit["hand"] if hand["kind"] != "endpoint"]
    for number, via in enumerate(("move", "transfer")):
        kind = memory[number] if number < len(memory) else "alias"
        wanted.append((via, kind, share.RIGHT_MAP, 3 + number))
    pairs = enumerate(zip(found, wanted))
    problems = [f"capability {number}: {has}" for number, (has, want) in pairs if has != want]
    if len(found) != len(wanted):
        problems.append(f"{len(found)} capabilities went over instead of {len(wanted)}")
    for hand in (hand for hand in audit["hand"] if hand["kind"] == "endpoint"):
        if (hand["vmo"], hand["wcaps"], hand["wmaps"]) != (0, 0, 0):
            problems.append(f"an endpoint with VMO {hand['vmo']}")
    ways = {way_of(hand) for hand in audit["hand"]} - {TO_CONSUMER}
    return problems + [f"a capability went from {way[0]} to {way[1]}" for way in sorted(ways)]


def protocol(ctx):
    """Exactly four messages, request and reply for blob and page, each with its type, flags, tag,
    length, rights and body's length, the ticket's fields as well; no other capability; nothing
    mapped into the consumer by handle; the consumer has no name. (What the bodies say: seal,
    digest, page-digest, counters.)"""
    audit, messages, wanted = ctx.audit, ctx.audit["msg"], wanted_messages(ctx)
    kinds = [hand["kind"] for hand in share.handed(audit) if hand["via"] == "move"]
    problems = []
    if len(messages) != len(wanted):
        problems.append(f"{len(messages)} messages instead of {len(wanted)}")
    for number, (message, row) in enumerate(zip(messages, wanted)):
        problems += message_problems(message, row, kinds[0] if kinds and number == 0 else "none")
    if len(messages) > 2:
        problems += ticket_problems(messages[2], given(audit, "transfer"))
    if ctx.boot.platform != facts.LINUX:
        problems += hand_problems(audit)
        maps = [r["vmo"] for r in audit.maps_of(CONSUMER_PID) if r["via"] == "as_map"]
        problems += [f"VMO {vmo} was mapped into the consumer by as_map" for vmo in maps]
        names = {record["pid"]: record["name"] for record in audit["task"]}
        if names.get(CONSUMER_PID, "-") != "-":
            problems.append(f"the consumer was given the name '{names[CONSUMER_PID][:40]}'")
    return judged(problems[:4], "4 messages, 2 VMOs and nothing else went between the tasks")


# ---- Order and work ------------------------------------------------------------------------------
class Events:
    """The sequence numbers of a run's events; None for one that did not happen."""

    def __init__(self, ctx):
        self.audit = ctx.audit
        self.numbers = {}
        for tag, via, what in (
            (facts.TAG_BLOB, "move", "blob"),
            (facts.TAG_PAGE, "transfer", "page"),
        ):
            hand = given(self.audit, via)
            maps = self.audit.maps_of(CONSUMER_PID)
            first = next((m for m in maps if hand and m["vmo"] == hand["vmo"]), None)
            request, reply = self.message(TO_CONSUMER, tag), self.message(TO_PRODUCER, tag)
            self.numbers[f"the {what} was handed over"] = hand and hand["seq"]
            self.numbers[f"the {what}'s request was sent"] = request and request["sent"]
            self.numbers[f"the {what}'s request was received"] = request and request["seq"]
            for when, text in HASHED_AT.items():
                record = self.hash_of(hand, when)
                self.numbers[f"the {what} was {text}"] = record and record["seq"]
            self.numbers[f"the {what} was mapped"] = first and first["made"]
            self.numbers[f"the {what}'s reply was sent"] = reply and reply["sent"]
            self.numbers[f"the {what}'s reply was received"] = reply and reply["seq"]
        for record in self.audit["say"]:
            self.numbers.setdefault(self.line_of(ctx, record), record["seq"])

    def hash_of(self, hand, when):
        hashes = (record for record in self.audit["hash"] if record["when"] == when)
        return next((record for record in hashes if hand and record["vmo"] == hand["vmo"]), None)

    def message(self, way, tag):
        """The first libvmo message of this way and tag."""
        for message in self.audit["msg"]:
            head = audits.head_bytes(message)
            whole = way_of(message) == way and len(head) >= MESSAGE_HEADER.size
            if whole and MESSAGE_HEADER.unpack_from(head)[3] == tag:
                return message
        return None

    @staticmethod
    def line_of(ctx, record):
        """A marker, or what the line begins with."""
        text = audits.head_bytes(record).rstrip(b"\r").decode("latin-1")
        return facts.EVIDENCE_PREFIX if text.startswith(facts.EVIDENCE_PREFIX) else text

    def problem(self, early, late):
        """A line that was not printed and a hash that was not taken are no problem here
        (checks `markers`, `evidence` and `content`)."""
        before, after = self.numbers.get(early), self.numbers.get(late)
        if after is None or before is None and early.endswith(NOT_OWED):
            return None
        if before is not None and before < after:
            return None
        return f"'{late}' came before '{early}'" if before else f"'{late}' without '{early}'"


SENT, MAPPED, HASHED = "vmo: producer sent handle", "vmo: consumer mapped ok", "vmo: sha256 ok"
LAST = "SELFTEST: vmo share ok"
HASHED_AT = {"grant": "hashed for the consumer", "reply": "hashed at the reply"}
NOT_OWED = (SENT, MAPPED, HASHED, facts.EVIDENCE_PREFIX, LAST, *HASHED_AT.values())
# What is concurrent is in no pair: the two tasks' first markers.
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


def order(ctx):
    """By the kernel's sequence: each VMO is handed over, then mapped, then answered, the blob
    before the page; each marker stands after its fact, and after the markers it depends on."""
    events = Events(ctx)
    problems = [problem for problem in (events.problem(*pair) for pair in ORDER) if problem]
    return judged(problems[:4], f"{len(ORDER)} pairs of events, each in its order")


def costs(abi_rev):
    """-> (instructions of vmo_view_sha256 besides its blocks, instructions of a block)"""
    path = pathlib.Path(COSTS) / f"cost-{abi_rev}.tsv"
    rows = dict(re.findall(r"^(sha256-\S+)\t([0-9]+)$", path.read_text(encoding="utf-8"), re.M))
    small, large = int(rows["sha256-64B"]), int(rows["sha256-64K"])
    block = (large - small) / (blocks_of(64 * 1024) - blocks_of(64))
    return small - block * blocks_of(64), block


def blocks_of(length):
    """Blocks that SHA-256 hashes for so many bytes, padding included."""
    return (length + 9 + 63) // 64


def work(ctx):
    """Between its first map of the blob and its reply the consumer retired as many instructions in
    user mode as hashing it in place takes, by the cost suite, within 0.2 %."""
    hand, length = given(ctx.audit, "move"), len(ctx.host.blob)
    if not ctx.boot.icount:
        return not_made("QEMU ran without -icount, so instructions are not counted")
    if not ctx.boot.cost_known:
        return not_made("another compiler than that of the cost suite's records built the consumer")
    if length < WORK_BYTES_MIN:
        return not_made(f"a blob under {WORK_BYTES_MIN} bytes: the rest of the work outweighs it")
    maps = [m for m in ctx.audit.maps_of(CONSUMER_PID) if hand and m["vmo"] == hand["vmo"]]
    reply = Events(ctx).message(TO_PRODUCER, facts.TAG_BLOB)
    if not maps or reply is None:
        return red("the consumer did not map the blob and reply")
    fixed, block = costs(ctx.boot.abi_rev)
    done, wanted = reply["user"] - maps[0]["user"], round(fixed + block * blocks_of(length))
    text = f"{done} instructions, {wanted} predicted ({(done - wanted) / wanted * 100:+.3f} %)"
    return judged([text] if abs(done - wanted) * 1000 > WINDOW_PERMILLE * wanted else [], text)


# ---- Seal ----------------------------------------------------------------------------------------
def told_seals(audit):
    """The seals that the hand-over message and the ticket carry."""
    found = []
    for message in audit["msg"]:
        head = audits.head_bytes(message)
        if way_of(message) != TO_CONSUMER or len(head) < MESSAGE_HEADER.size:
            continue
        _, kind, _, tag, _, its_seal, _, _ = MESSAGE_HEADER.unpack_from(head)
        if kind == facts.KIND_HANDLE:
            found.append(its_seal)
        elif tag == facts.TAG_PAGE and len(head) == MESSAGE_HEADER.size + share.TICKET.size:
            found.append(share.TICKET.unpack_from(head, MESSAGE_HEADER.size)[3])
    return found


def forever_problems(audit, hand):
    """Nobody could write the VMO when it went over, and it was never destroyed (K-29)."""
    number, problems = hand["vmo"], []
    if hand["wcaps"] or hand["wmaps"]:
        writable = f"{hand['wcaps']} writable capabilities and {hand['wmaps']} writable mappings"
        problems.append(f"sealed for ever, but VMO {number} had {writable}")
    vmo = audit.first("vmo", "id", number)
    if vmo and vmo["state"] == "destroyed":
        problems.append(f"sealed for ever, but VMO {number} was destroyed")
    return problems


def seal(ctx):
    """The messages told the evidence line's seal. On a2 the kernel enforces it: every capability
    that left the producer was an alias, and for `forever` no writable capability or mapping was
    left at the hand-over and the VMO was never destroyed. On a1 it is the library's word."""
    outcome = share.seal(ctx)
    if ctx.evidence is None:
        return outcome
    claimed, hands = ctx.evidence["seal"], share.handed(ctx.audit)
    problems = [outcome.evidence] if outcome.status == facts.RED else []
    told = {seal for seal in told_seals(ctx.audit) if seal != SEALS[claimed]}
    problems += [f"the evidence says {claimed}, a message said {seal}" for seal in sorted(told)]
    if ctx.boot.abi_rev == "a1":
        text = f"{claimed} is the library's word: this ABI revision has no read-only capability"
        return red("; ".join(problems)) if problems else not_made(text)
    left = [h for h in ctx.audit["hand"] if h["from"] == PRODUCER_PID and h["kind"] == "vmo"]
    problems += [f"VMO {h['vmo']} left as a capability that can write" for h in left]
    if claimed == "forever" and ctx.audit.one("begin")["witness"]:
        problems += [text for hand in hands for text in forever_problems(ctx.audit, hand)]
    return judged(problems, outcome.evidence)
