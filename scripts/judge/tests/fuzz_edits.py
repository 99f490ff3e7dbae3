# SPDX-License-Identifier: Apache-2.0
"""The grammar of the judge's fuzzer: one random edit of a green run, decided by a random.Random alone.

An edit takes a copy of a run, changes it in place, and returns what it did in words. None: it does not apply here.
"""
import copy
import re

from judge import exit_codes
from judge import facts

FIELD = re.compile(rb"[a-z_]+=\S+")
NUMBER = re.compile(rb"(?<![0-9a-fx])-?[0-9]+(?![0-9a-f])")
HEX = b"0123456789abcdef"
WORDS = (b"0", b"1", b"17", b"18", b"19", b"live", b"destroyed", b"unmapped", b"reaped", b"exited", b"exit", b"none", b"vmo",
         b"alias", b"endpoint", b"move", b"transfer", b"r", b"rw", b"peers", b"forever", b"kernel", b"library", b"a1", b"a2",
         b"map", b"vm_map", b"grant", b"reply", b"end", b"start", b"done", b"-", b"")
INSERTS = (b"", b"text", b"vmo: note x", b"vmo: x", b"vmo: FAIL consumer: x", b"SELFTEST: x", b"kernel: x", b"a panic",
           b"OpenSBI v1.1", b"\x1b[m", b"audit - end lines=2", b"audit", b"[INFO sched] x", b"hazard")
EDITS = {"log": [], "value": [], "fact": [], "linux": []}  # kind -> functions (run, rng) -> what was done
# What leaves a line in form, most times: the checks behind the reader see it.
VALUES = ("change_number", "change_digit", "change_hex_digit", "change_value", "swap_values", "swap_values_of_two", "insert_record",
          "delete_record")


def edit(kind):
    def keep(function):
        EDITS[kind].append(function)
        return function
    return keep


def name_of(function):
    return function.__name__.replace("_", "-")


# ---- The log: lines with their ends --------------------------------------------------------------
def lines_of(log):
    return log.splitlines(keepends=True) if not re.search(rb"[\x0b\x0c\r](?!\n)", log) else re.findall(rb"[^\n]*\n|[^\n]+$", log)


def region(line):
    if line.startswith(b"audit "):
        return "audit"
    return "console" if line.startswith((b"vmo:", b"SELFTEST:")) else "text"


def pick(lines, rng):
    """The number of a line: most lines are the audit's, so the region is drawn first."""
    regions = {}
    for number, line in enumerate(lines):
        regions.setdefault(region(line), []).append(number)
    names = sorted(regions)
    return rng.choice(regions[rng.choices(names, [{"audit": 6, "console": 3, "text": 1}[name] for name in names])[0]])


def on_lines(change):
    """An edit of the list of lines: change(lines, number, rng) -> words or None."""
    def made(run, rng):
        lines = lines_of(run.log)
        said = change(lines, pick(lines, rng), rng)
        run.log = b"".join(lines)
        return said
    made.__name__ = change.__name__
    return edit("value" if change.__name__ in VALUES else "log")(made)


def on_text(change):
    """An edit of one line without its end: change(text, rng) -> the new text or None."""
    def made(lines, number, rng):
        text = lines[number].rstrip(b"\r\n")
        new = change(text, rng) if text else None
        if new is None:
            return None
        lines[number] = new + lines[number][len(text):]
        return f"line {number + 1}: {text!r} becomes {new!r}"
    made.__name__ = change.__name__
    return on_lines(made)


@on_lines
def delete_line(lines, number, _):
    return f"line {number + 1} deleted: {lines.pop(number)!r}"


@on_lines
def duplicate_line(lines, number, _):
    lines.insert(number, lines[number])
    return f"line {number + 1} twice: {lines[number]!r}"


@on_lines
def repeat_elsewhere(lines, number, rng):
    to = rng.randrange(len(lines) + 1)
    lines.insert(to, lines[number])
    return f"line {number + 1} repeated as line {to + 1}: {lines[to]!r}"


@on_lines
def move_line(lines, number, rng):
    line, to = lines.pop(number), rng.randrange(len(lines))
    lines.insert(to, line)
    return f"line {number + 1} moved to {to + 1}: {line!r}"


@on_lines
def swap_lines(lines, number, rng):
    other = pick(lines, rng) if rng.random() < 0.5 else min(number + 1, len(lines) - 1)
    lines[number], lines[other] = lines[other], lines[number]
    return f"lines {number + 1} and {other + 1} swapped: {lines[other]!r}, {lines[number]!r}"


@on_lines
def insert_line(lines, number, rng):
    line = rng.choice(INSERTS) + b"\n"
    lines.insert(number, line)
    return f"before line {number + 1} inserted: {line!r}"


@on_lines
def insert_record(lines, number, rng):
    """A record like another, with one number changed."""
    line = lines[number]
    numbers = list(NUMBER.finditer(line))
    if not numbers:
        return None
    at = rng.choice(numbers)
    line = line[:at.start()] + str(rng.randrange(40)).encode() + line[at.end():]
    lines.insert(number + 1, line)
    ends = [place for place, text in enumerate(lines) if b" end lines=" in text]
    if ends and rng.random() < 0.8:  # most times the count of lines is made true
        change_count(lines, ends[-1], 1)
    return f"after line {number + 1} inserted: {line!r}"


def change_count(lines, at, by):
    lines[at] = re.sub(rb"[0-9]+(?=\r?\n?$)", lambda found: str(int(found[0]) + by).encode(), lines[at])


@on_lines
def delete_record(lines, number, _):
    """A line of the audit is missing, and the count of lines is made true."""
    if region(lines[number]) != "audit" or b" end lines=" in lines[number] or b" end lines=" not in lines[-1]:
        return None
    line = lines.pop(number)
    change_count(lines, -1, -1)
    return f"line {number + 1} deleted, and not counted: {line!r}"


@on_lines
def join_lines(lines, number, _):
    if number + 1 == len(lines):
        return None
    lines[number] = lines[number].rstrip(b"\r\n")
    return f"line {number + 1} joined with the next: {lines[number]!r}"


@on_lines
def split_line(lines, number, rng):
    at = rng.randrange(len(lines[number]))
    lines[number] = lines[number][:at] + b"\n" + lines[number][at:]
    return f"line {number + 1} split: {lines[number]!r}"


@on_lines
def cut_tail(lines, number, rng):
    size = len(b"".join(lines[:number])) + rng.randrange(len(lines[number]))
    lines[:] = [b"".join(lines)[:size]]
    return f"cut after {size} bytes"


@on_lines
def add_cr(lines, number, _):
    lines[number] = lines[number].removesuffix(b"\n") + b"\r\n"
    return f"CR before the LF of line {number + 1}"


@on_lines
def remove_cr(lines, number, _):
    if not lines[number].endswith(b"\r\n"):
        return None
    lines[number] = lines[number][:-2] + b"\n"
    return f"no CR before the LF of line {number + 1}"


@on_lines
def lone_cr(lines, number, _):
    lines[number] = lines[number].rstrip(b"\r\n") + b"\r"
    return f"CR in place of the LF of line {number + 1}"


@on_lines
def swap_values_of_two(lines, number, rng):
    """The same key's values of two lines of a kind are exchanged."""
    words = lines[number].split(b" ")
    like = [n for n, line in enumerate(lines) if n != number and line.split(b" ")[:3] == words[:3] and len(words) > 3]
    if not like:
        return None
    other = rng.choice(like)
    theirs, at = lines[other].split(b" "), rng.randrange(3, len(words))
    if at >= len(theirs):
        return None
    words[at], theirs[at] = theirs[at].rstrip(b"\r\n"), words[at].rstrip(b"\r\n")
    before = lines[number], lines[other]
    lines[number], lines[other] = (b" ".join(text).rstrip(b"\r\n") + b"\n" for text in (words, theirs))
    return f"lines {number + 1} and {other + 1} swap value {at - 2}: {before}"


@on_lines
def append(lines, _, rng):
    tail = rng.choice((b"\n", b"x", b"x\n", b"\r", b"\0", b"\r\n", b"audit - end lines=2\n", lines[-1]))
    lines.append(tail)
    return f"appended {tail!r}"


@on_text
def change_character(text, rng):
    at = rng.randrange(len(text))
    return text[:at] + bytes([rng.randrange(32, 127)]) + text[at + 1:]


@on_text
def delete_character(text, rng):
    at = rng.randrange(len(text))
    return text[:at] + text[at + 1:]


@on_text
def insert_character(text, rng):
    at = rng.randrange(len(text) + 1)
    return text[:at] + bytes([rng.choice(b"0 19af=-:x")]) + text[at:]


@on_text
def high_byte(text, rng):
    at = rng.randrange(len(text))
    return text[:at] + bytes([rng.randrange(128, 256)]) + text[at + rng.randrange(2):]


@on_text
def control_byte(text, rng):
    at = rng.randrange(len(text) + 1)
    return text[:at] + bytes([rng.choice([*range(0, 10), *range(11, 32), 127])]) + text[at:]


@on_text
def change_case(text, rng):
    at = rng.randrange(len(text))
    return text[:at] + text[at:at + rng.choice((1, 99))].swapcase() + text[at + 99:] if rng.random() < 0.1 else (
        text[:at] + text[at:at + 1].swapcase() + text[at + 1:])


@on_text
def whitespace(text, rng):
    places = [found.start() for found in re.finditer(b" ", text)] + [0, len(text)]
    at, space = rng.choice(places), rng.choice((b" ", b"\t", b"  "))
    return text[:at] + space + text[at + rng.randrange(2):]


def replace(text, found, new):
    return text[:found.start()] + new + text[found.end():]


@on_text
def change_number(text, rng):
    numbers = list(NUMBER.finditer(text))
    if not numbers:
        return None
    found = rng.choice(numbers)
    value = int(found[0][:20])
    new = rng.choice((value + 1, value - 1, value + 4096, 2 * value, -value, 0, 1, rng.randrange(50), 10 ** 19, value ^ 1,
                      f"0{value}", f"+{value}", ""))
    return replace(text, found, str(new).encode())


@on_text
def change_digit(text, rng):
    digits = list(re.finditer(rb"[0-9]", text))
    return replace(text, rng.choice(digits), b"%d" % rng.randrange(10)) if digits else None


@on_text
def change_hex_digit(text, rng):
    digits = [at for found in re.finditer(rb"(?<![0-9a-z])(?:0x)?[0-9a-f]{6,}", text) for at in range(*found.span())]
    if not digits:
        return None
    at = rng.choice(digits)
    return text[:at] + bytes([rng.choice(HEX)]) + text[at + 1:]


@on_text
def change_key(text, rng):
    fields = list(re.finditer(rb"[a-z_]+(?==)", text))
    return replace(text, rng.choice(fields), rng.choice([*[field[0] for field in fields], b"x"])) if fields else None


@on_text
def change_value(text, rng):
    fields = list(re.finditer(rb"(?<==)\S+", text))
    return replace(text, rng.choice(fields), rng.choice(WORDS)) if fields else None


@on_text
def swap_values(text, rng):
    fields = list(re.finditer(rb"(?<==)\S+", text))
    if len(fields) < 2:
        return None
    one, two = sorted(rng.sample(fields, 2), key=lambda found: found.start())
    return text[:one.start()] + two[0] + text[one.end():two.start()] + one[0] + text[two.end():]


@on_text
def swap_fields(text, rng):
    fields = list(FIELD.finditer(text))
    if len(fields) < 2:
        return None
    one, two = sorted(rng.sample(fields, 2), key=lambda found: found.start())
    return text[:one.start()] + two[0] + text[one.end():two.start()] + one[0] + text[two.end():]


@on_text
def delete_field(text, rng):
    fields = list(FIELD.finditer(text))
    return replace(text, rng.choice(fields), b"").replace(b"  ", b" ").rstrip(b" ") if fields else None


@on_text
def duplicate_field(text, rng):
    fields = list(FIELD.finditer(text))
    found = rng.choice(fields) if fields else None
    return replace(text, found, found[0] + b" " + found[0]) if found else None


# ---- Facts of the run ------------------------------------------------------------------------------
def flip(data, rng):
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:]


def other_digit(text, rng):
    at = rng.randrange(len(text))
    return text[:at] + rng.choice([digit for digit in HEX.decode() if digit != text[at]]) + text[at + 1:]


@edit("fact")
def change_exit_code(run, rng):
    if run.boot.platform != facts.QEMU:
        return None
    codes = [code.number for code in exit_codes.load().values()] + [None, 0, 1, -9, 84, 255]
    run.boot.exit_code = rng.choice([code for code in codes if code != run.boot.exit_code])
    return f"the exit code is {run.boot.exit_code}"


@edit("fact")
def stop_run(run, rng):
    stopped = rng.choice((facts.WALL, facts.LOG_CAP))
    if run.boot.observed:
        run.boot.observed.stopped = stopped
    run.boot.stopped = stopped
    return f"stopped: {stopped}"


@edit("fact")
def lower_cap(run, rng):
    if run.boot.observed:
        return None
    run.boot.log_cap = rng.randrange(1, len(run.log) + 1)
    return f"the log's cap is {run.boot.log_cap}"


@edit("fact")
def change_image_hash(run, rng):
    name, when = rng.choice(sorted(run.boot.images)), rng.choice(("source", "before", "after"))
    image = run.boot.images[name]
    setattr(image, when, other_digit(getattr(image, when), rng))
    return f"hash `{when}` of {name} is {getattr(image, when)}"


@edit("fact")
def change_elf(run, rng):
    name = "consumer_elf" if run.boot.platform == facts.LINUX else rng.choice(("init_elf", "consumer_elf"))
    setattr(run.boot, name, flip(getattr(run.boot, name), rng))
    return f"one bit of {name}"


@edit("fact")
def change_input(run, rng):
    name = rng.choice(("payload", "blob", "page"))
    setattr(run.host, name, flip(getattr(run.host, name), rng))
    return f"one bit of the host's {name}"


@edit("fact")
def change_host_hex(run, rng):
    name = rng.choice(("challenge_hex", "digest_hex", "page_digest_hex"))
    setattr(run.host, name, other_digit(getattr(run.host, name), rng))
    return f"{name} is {getattr(run.host, name)}"


@edit("fact")
def change_length(run, rng):
    if not run.host.spec.startswith(facts.GENERATED):
        return None
    run.host.spec += rng.choice("0123456789x")
    return f"the payload is {run.host.spec}"


@edit("fact")
def change_nonce(run, rng):
    if run.boot.platform != facts.QEMU:
        return None
    run.boot.nonce = other_digit(run.boot.nonce, rng)
    return f"the nonce is {run.boot.nonce}"


@edit("fact")
def change_revision(run, _):
    if run.boot.platform != facts.QEMU:
        return None
    run.boot.abi_rev = "a1" if run.boot.abi_rev == "a2" else "a2"
    return f"ABI revision {run.boot.abi_rev} was asked for"


@edit("fact")
def change_seconds(run, rng):
    run.boot.seconds = rng.random()
    return f"the run took {run.boot.seconds} s"


@edit("fact")
def change_manifest(run, rng):
    manifest = run.manifest
    key = rng.choice(sorted(manifest))
    value = manifest[key]
    if isinstance(value, list):
        value = list(value)
        if value and rng.random() < 0.7:
            at = rng.randrange(len(value))
            value[at:at + 1] = rng.choice(([], [value[at] + "x"], [value[at]] * 2))
        else:
            value.append(rng.choice(("x", "K-29", *manifest["markers"])))
    elif value == 0 or isinstance(value, int):
        value = 1
    else:
        value = rng.choice((value + "x", value[1:], "done-badly", facts.QEMU, facts.LINUX, facts.FOREIGN))
    said = f"the manifest's {key} is {value!r}, not {manifest[key]!r}"
    manifest[key] = value
    return said


@edit("fact")
def drop_manifest_key(run, rng):
    key = rng.choice(sorted(run.manifest))
    del run.manifest[key]
    return f"the manifest has no {key}"


# ---- Linux: what the harness saw -------------------------------------------------------------------
def barrier_of(run, rng):
    tag = rng.choice(sorted(run.seen.barriers))
    return tag, run.seen.barriers[tag]


@edit("linux")
def delete_packet(run, rng):
    packet = run.seen.packets.pop(rng.randrange(len(run.seen.packets)))
    return f"a packet less: {packet}"


@edit("linux")
def duplicate_packet(run, rng):
    at = rng.randrange(len(run.seen.packets))
    run.seen.packets.insert(at, copy.deepcopy(run.seen.packets[at]))
    return f"packet {at} twice"


@edit("linux")
def swap_packets(run, rng):
    one, two = rng.sample(range(len(run.seen.packets)), 2)
    packets = run.seen.packets
    packets[one], packets[two] = packets[two], packets[one]
    return f"packets {one} and {two} swapped"


@edit("linux")
def change_packet(run, rng):
    at = rng.randrange(len(run.seen.packets))
    packet = run.seen.packets[at]
    packet.data = flip(packet.data, rng) if rng.random() < 0.8 else packet.data[:-1]
    return f"packet {at} is {packet.data.hex()}"


@edit("linux")
def change_packet_way(run, rng):
    at = rng.randrange(len(run.seen.packets))
    packet = run.seen.packets[at]
    if rng.random() < 0.5:
        packet.sender, packet.receiver = packet.receiver, packet.sender
        return f"packet {at} went the other way"
    packet.delivered = not packet.delivered
    return f"packet {at} was not delivered"


@edit("linux")
def change_held(run, rng):
    carrying = [packet for packet in run.seen.packets if packet.held]
    packet = rng.choice(carrying)
    held, what = packet.held[0], rng.choice(("gone", "twice", "identity", "size"))
    if what == "gone":
        packet.held.clear()
    elif what == "twice":
        packet.held.append(copy.copy(held))
    elif what == "identity":
        held.identity = "00:01 1"
    else:
        held.size += rng.choice((1, 4096, -4096))
    return f"the descriptor of a packet: {what}"


@edit("linux")
def delete_barrier(run, rng):
    tag = barrier_of(run, rng)[0]
    del run.seen.barriers[tag]
    return f"no barrier {tag}"


@edit("linux")
def change_state(run, rng):
    tag, barrier = barrier_of(run, rng)
    who = rng.choice(sorted(barrier.sights))
    barrier.sights[who].state = rng.choice("RDZTX-")
    return f"at barrier {tag} {who} was in state {barrier.sights[who].state}"


@edit("linux")
def change_exe(run, rng):
    tag, barrier = barrier_of(run, rng)
    who = rng.choice(sorted(barrier.sights))
    sight = barrier.sights[who] if rng.random() < 0.6 else run.seen.children[who].at_exit
    sight.image = rng.choice((None, "", other_digit(sight.image, rng)))
    return f"the image of {who}, by barrier {tag} or at its end, is {sight.image!r}"


@edit("linux")
def change_mapping(run, rng):
    tag, barrier = barrier_of(run, rng)
    who = rng.choice(sorted(barrier.sights))
    shared = [m for m in barrier.sights[who].mappings if m.perms[3] == "s"]
    mapping = rng.choice(shared if rng.random() < 0.8 and shared else barrier.sights[who].mappings)
    what = rng.choice(("perms", "off", "size", "identity", "present", "gone", "twice", "name"))
    before = str(mapping)
    if what == "perms":
        at = rng.randrange(4)
        mapping.perms = mapping.perms[:at] + rng.choice("rwxps-") + mapping.perms[at + 1:]
    elif what in ("off", "size"):
        setattr(mapping, what, max(0, getattr(mapping, what) + rng.choice((4096, -4096))))
    elif what == "present":
        mapping.present = rng.choice((None, 0, (mapping.present or 0) + 1, max(0, (mapping.present or 0) - 1)))
    elif what == "identity":
        mapping.identity = rng.choice([m.identity for m in barrier.sights[who].mappings] + ["00:01 1"])
    elif what == "name":
        mapping.name += "x"
    elif what == "gone":
        barrier.sights[who].mappings.remove(mapping)
    else:
        barrier.sights[who].mappings.append(copy.copy(mapping))
    return f"at barrier {tag} a mapping of {who}: {what}: {before} -> {mapping}"


@edit("linux")
def change_descriptors(run, rng):
    who = rng.choice(sorted(run.seen.children))
    tag, barrier = barrier_of(run, rng)
    sight = barrier.sights[who] if rng.random() < 0.7 else run.seen.children[who].at_exit
    found, what = rng.choice(sight.descriptors), rng.choice(("identity", "number", "gone", "twice", "name"))
    if what == "identity":
        found.identity = "00:01 1"
    elif what == "number":
        found.number += rng.choice((1, 10))
    elif what == "name":
        found.name += "x"
    elif what == "gone":
        sight.descriptors.remove(found)
    else:
        sight.descriptors.append(copy.copy(found))
        sight.descriptors[-1].number = 9
    return f"a descriptor of {who}, at barrier {tag} or its end: {what}: {found}"


@edit("linux")
def map_at_end(run, rng):
    who = rng.choice(sorted(run.seen.children))
    shared = [m for m in run.seen.barriers[1].sights[who].mappings if m.perms[3] == "s" and "memfd" in m.name]
    if not shared:
        return None
    run.seen.children[who].at_exit.mappings.append(copy.copy(rng.choice(shared)))
    return f"{who} still maps an object at its end"


@edit("linux")
def change_seals(run, rng):
    tag, barrier = barrier_of(run, rng)
    identity = rng.choice(sorted(barrier.seals))
    seals = set(barrier.seals[identity] or ())
    name = rng.choice(("seal", "shrink", "grow", "write", "future-write"))
    barrier.seals[identity] = seals ^ {name}
    return f"at barrier {tag} the seals of {identity} were {sorted(seals ^ {name})}"


@edit("linux")
def change_content(run, rng):
    tag, barrier = barrier_of(run, rng)
    identity = rng.choice(sorted(barrier.contents))
    data = barrier.contents[identity]
    barrier.contents[identity] = rng.choice((None, data[:rng.randrange(len(data))], flip(data, rng), flip(data, rng)))
    return f"at barrier {tag} {identity} held other bytes"


@edit("linux")
def change_printed(run, rng):
    tag, barrier = barrier_of(run, rng)
    who = rng.choice(sorted(barrier.printed))
    lines = barrier.printed[who]
    if lines and rng.random() < 0.5:
        line = lines.pop(rng.randrange(len(lines)))
        return f"at barrier {tag} {who} had not printed {line!r}"
    line = rng.choice([line for _, line in run.seen.lines])
    lines.append(line)
    return f"at barrier {tag} {who} had printed {line!r}"


@edit("linux")
def change_status(run, rng):
    who = rng.choice(sorted(run.seen.statuses))
    run.seen.statuses[who] = rng.choice((None, 1, -9, -11, 255))
    return f"{who} ended with {run.seen.statuses[who]}"


@edit("linux")
def add_stray(run, _):
    run.seen.strays[4711] = "sleep"
    return "a process was left running"


@edit("linux")
def change_output(run, rng):
    lines = run.seen.lines
    at = rng.randrange(len(lines))
    who, line = lines[at]
    what = rng.choice(("who", "gone", "twice", "swap", "text", "text", "insert", "byte"))
    if what == "who":
        lines[at] = (35 - who, line)
    elif what == "gone":
        lines.pop(at)
    elif what == "twice":
        lines.insert(at, lines[at])
    elif what == "swap":
        other = rng.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    elif what == "text":
        lines[at] = (who, change_line(line, rng))
    elif what == "byte":
        lines[at] = (who, line + bytes([rng.randrange(128, 256)]))
    else:
        lines.insert(at, (who, rng.choice(INSERTS)))
    return f"output line {at} of {who}, {line!r}: {what}, now {lines[min(at, len(lines) - 1)]}"


def change_line(line, rng):
    at = rng.randrange(len(line))
    return line[:at] + bytes([rng.randrange(32, 127)]) + line[at + 1:]
