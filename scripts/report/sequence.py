# SPDX-License-Identifier: Apache-2.0
"""What passed between the tasks, in the order of the record: messages, capabilities, mappings,
hashes, lines. The producer's line of life is on the left, the consumer's on the right.
"""
import collections

from judge import audit as audits, check_share, facts
from judge.facts import CONSUMER_PID, PRODUCER_PID
from report import draw, spaces
from report.draw import ELLIPSIS, counted, label
from report.markup import tag, table

EVENTS_MAX, MESSAGES_MAX = 60, 40
ROW, HEAD = 25, 42  # heights
LIVES = {PRODUCER_PID: 34, CONSUMER_PID: 298}  # x
SIZE, NUMBER = 9.5, 9
LINE_CHARACTERS, DIGEST_DIGITS, DIGEST_BYTES = 34, 16, 32
RIGHT_SEND = 1
TAGS = {facts.TAG_BLOB: "blob", facts.TAG_PAGE: "page", 3: "offer"}  # 3: of a stream
WAY_WORDS = {"move": "in the message", "transfer": "by a transfer"}

# at: its number in the record; kind: "message", "grant", "local" or "kernel"; first, second: pids.
Event = collections.namedtuple("Event", "at kind first second words")


def message_words(message):
    """What a message says, by its header."""
    header, body = check_share.header_of(message), check_share.body_of(message)
    if header is None or header.magic != facts.MESSAGE_MAGIC:
        return counted(message["len"], "byte") + ", no message of libvmo"
    what = TAGS.get(header.tag, f"tag {header.tag}")
    if message["to"] == PRODUCER_PID and len(body) >= DIGEST_BYTES:
        return f"{what}: {body.hex()[:DIGEST_DIGITS]}{ELLIPSIS}"
    if message["to"] == PRODUCER_PID:
        return f"{what}: reply"
    size = f", {counted(header.length, 'byte')}" if header.length else ""
    return f"{what}: {'handle' if header.kind == facts.KIND_HANDLE else 'request'}{size}"


def grant_words(hand):
    if hand["kind"] == "endpoint":
        end = "to send" if hand["rights"] & RIGHT_SEND else "to receive"
        return f"end of a channel, {end}"
    kind = "read-only VMO" if hand["kind"] == "alias" else "VMO"
    return f"{kind} {hand['vmo']}, {WAY_WORDS.get(hand['via'], hand['via'])}"


def line_words(record):
    said = audits.head_bytes(record).decode("latin-1")
    whole = len(said) == record["len"] and len(said) <= LINE_CHARACTERS
    return f"\u201c{said if whole else said[:LINE_CHARACTERS - 1] + ELLIPSIS}\u201d"


def hash_words(record, before):
    same = before.get(record["vmo"])
    before[record["vmo"]] = record["sip"]
    told = f"hash of VMO {record['vmo']}"
    if same is None:
        return f"{told}: {record['sip']}"
    return f"{told}: the same" if same == record["sip"] else f"{told}: changed to {record['sip']}"


def events_of(audit):
    """All events that have a number; on Linux messages alone have an order."""
    found, hashes = [], {}
    for message in audit["msg"]:
        at = message.get("seq", message["n"] + 1)
        found.append(Event(at, "message", message["from"], message["to"], message_words(message)))
    for hand in audit["hand"]:
        if "seq" in hand:
            found.append(Event(hand["seq"], "grant", hand["from"], hand["to"], grant_words(hand)))
    for record in audit["map"]:
        what = f"VMO {record['vmo']}, {spaces.right_of(record)}"
        for key, word in (("made", "maps"), ("ended", "unmaps")):
            if record.get(key):
                found.append(Event(record[key], "local", record["pid"], None, f"{word} {what}"))
    for record in audit["say"]:
        by = audits.author_of(record)
        found.append(Event(record["seq"], "local", by, None, line_words(record)))
    for record in sorted(audit["hash"], key=lambda record: record["seq"]):
        found.append(Event(record["seq"], "kernel", None, None, hash_words(record, hashes)))
    return sorted(found, key=lambda event: event.at)


def is_between(event):
    return event.kind in ("message", "grant") and {event.first, event.second} == set(LIVES)


def row_of(event, y):
    """One event: an arrow between the tasks, a dot on one of them, or a note in the middle."""
    room = LIVES[CONSUMER_PID] - LIVES[PRODUCER_PID] - 20
    yield label(18, y + 3, str(event.at), "number", "end", 18, NUMBER)
    if is_between(event):
        ends = (LIVES[event.first], LIVES[event.second])
        yield draw.arrow(*ends, y + 3, f"arrow {event.kind}")
        yield label(draw.WIDTH / 2, y - 2, event.words, event.kind, "middle", room, SIZE)
    elif event.first in LIVES:
        x, is_left = LIVES[event.first], event.first == PRODUCER_PID
        yield tag("circle", cx=x, cy=draw.num(y), r=3, class_="dot")
        at, anchor = (x + 9, None) if is_left else (x - 9, "end")
        yield label(at, y + 3, event.words, "local", anchor, room, SIZE)
    else:
        who = "" if event.kind == "kernel" else f"{event.first}: "
        yield label(draw.WIDTH / 2, y + 3, who + event.words, "kernel", "middle", room, SIZE)


def picture(name, audit, most=EVENTS_MAX):
    """name: prefix of the drawing's ids."""
    events = events_of(audit)
    shown = events[:most]
    if not shown:
        return tag("p", "No message and no other event was recorded.")
    height = HEAD + ROW * len(shown) + 6
    parts = []
    for pid, x in LIVES.items():
        parts.append(draw.line(x, 24, x, height, "life"))
        parts.append(label(x, 14, draw.who(pid), "head", "middle", 2 * LIVES[PRODUCER_PID]))
    parts += [row_of(event, HEAD + ROW * number) for number, event in enumerate(shown)]
    said = [f"{event.at}: {told(event)}." for event in shown]
    title = "Messages between producer and consumer"
    drawn = draw.drawing(f"{name}-sequence", title, " ".join(said), height, *parts)
    return [drawn, draw.rest_of(events, most, "event")]


def told(event):
    """One event as a sentence, for a reader who does not see the drawing."""
    if event.second is not None:
        return f"{draw.who(event.first)} to {draw.who(event.second)}: {event.words}"
    return event.words if event.first is None else f"{draw.who(event.first)}: {event.words}"


def messages(audit, most=MESSAGES_MAX):
    """Every message as a table, and how many are not shown."""
    rows = [
        [
            f"{message['n'] + 1} to {draw.who(message['to'])}",
            message_words(message),
            f"{message['len']:,}",
        ]
        for message in audit["msg"]
    ]
    heads = ["message", "what it says", "bytes"]
    return [
        table("Messages", heads, rows[:most], class_="grid"),
        draw.rest_of(rows, most, "message"),
    ]
