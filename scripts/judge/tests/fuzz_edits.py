# SPDX-License-Identifier: Apache-2.0
"""The grammar of the judge's fuzzer: one random edit of a green run, determined by a random.Random.

An edit changes a copy of a run in place and describes the change, or returns None if it does not apply.
"""
import re

FIELD = re.compile(rb"[a-z_]+=\S+")
NUMBER = re.compile(rb"(?<![0-9a-fx])-?[0-9]+(?![0-9a-f])")
HEX = b"0123456789abcdef"
WORDS = (b"0", b"1", b"17", b"18", b"19", b"live", b"destroyed", b"unmapped", b"reaped", b"exited", b"exit", b"none", b"vmo",
         b"alias", b"endpoint", b"move", b"transfer", b"r", b"rw", b"peers", b"forever", b"kernel", b"library", b"a1", b"a2",
         b"map", b"vm_map", b"grant", b"reply", b"end", b"start", b"done", b"-", b"")
INSERTS = (b"", b"text", b"vmo: note x", b"vmo: x", b"vmo: FAIL consumer: x", b"SELFTEST: x", b"kernel: x", b"a panic",
           b"OpenSBI v1.1", b"\x1b[m", b"audit - end lines=2", b"audit", b"[INFO sched] x", b"hazard")
EDITS = {"log": [], "value": [], "fact": [], "linux": []}  # kind -> functions (run, rng) -> description
# Edits that usually keep a line well-formed, so that they reach the checks behind the parser.
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
    """Draws a line's number. Draws its region first, because most lines are the audit's."""
    regions = {}
    for number, line in enumerate(lines):
        regions.setdefault(region(line), []).append(number)
    names = sorted(regions)
    return rng.choice(regions[rng.choices(names, [{"audit": 6, "console": 3, "text": 1}[name] for name in names])[0]])


def on_lines(change):
    """Adds an edit of the list of lines: change(lines, number, rng) -> description or None."""
    def made(run, rng):
        lines = lines_of(run.log)
        said = change(lines, pick(lines, rng), rng)
        run.log = b"".join(lines)
        return said
    made.__name__ = change.__name__
    return edit("value" if change.__name__ in VALUES else "log")(made)


def on_text(change):
    """Adds an edit of one line without its end: change(text, rng) -> the new text or None."""
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
    """Inserts a copy of a record with one number changed."""
    line = lines[number]
    numbers = list(NUMBER.finditer(line))
    if not numbers:
        return None
    at = rng.choice(numbers)
    line = line[:at.start()] + str(rng.randrange(40)).encode() + line[at.end():]
    lines.insert(number + 1, line)
    ends = [place for place, text in enumerate(lines) if b" end lines=" in text]
    if ends and rng.random() < 0.8:  # usually correct the line count
        change_count(lines, ends[-1], 1)
    return f"after line {number + 1} inserted: {line!r}"


def change_count(lines, at, by):
    lines[at] = re.sub(rb"[0-9]+(?=\r?\n?$)", lambda found: str(int(found[0]) + by).encode(), lines[at])


@on_lines
def delete_record(lines, number, _):
    """Deletes a line of the audit and corrects the line count."""
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
    """Swaps a key's values of two lines of a kind."""
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
