# SPDX-License-Identifier: Apache-2.0
"""Reads the kernel's audit (docs/testing/audit.md). Strict: what is not in form is not read at all."""
import re

DEC = r"[0-9]+"
INT = r"-?[0-9]+"
FLAG = r"[01]"
ADDRESS = r"0x[0-9a-f]+"
HEAD = r"-|(?:[0-9a-f]{2})+"
PIDS = (("from", DEC), ("to", DEC))

# kind -> keys in order, each with what its value looks like.
SCHEMA = {
    "begin": (("v", "1"), ("age", "a1|a2")),
    "task": (("pid", DEC), ("parent", DEC), ("state", "live|exited|faulted|reaped"), ("end", "none|exit|fault"),
             ("status", INT), ("name", r"\S+")),
    "vmo": (("id", DEC), ("creator", DEC), ("base", ADDRESS), ("bytes", DEC), ("state", "live|destroyed")),
    "map": (("pid", DEC), ("vmo", DEC), ("off", DEC), ("bytes", DEC), ("prot", "r|w|rw|x|rx"),
            ("via", "map|vm_map|as_map"), ("alias", FLAG), ("state", "live|unmapped"), ("accessed", DEC),
            ("dirtied", DEC), ("base", ADDRESS)),
    "copy": (("pid", DEC), ("into", DEC), ("from", DEC)),
    "hand": PIDS + (("via", "move|transfer"), ("kind", "vmo|alias|endpoint"), ("vmo", DEC), ("rights", DEC)),
    "msg": (("n", DEC),) + PIDS + (("len", DEC), ("type", DEC), ("moved", "none|vmo|alias|endpoint"),
                                  ("head", HEAD)),
    "say": (("n", DEC), ("by", "kernel|several|[0-9]+"), ("len", DEC), ("head", HEAD)),
    "lost": (("msgs", DEC), ("undelivered", DEC)),
    "res": (("when", "start|done|end"), ("slots", DEC), ("regions", DEC), ("vmos", DEC), ("endpoints", DEC),
            ("arena_bytes", DEC), ("frames", DEC)),
    "keep": (("what", "arena_bytes|address_spaces|endpoint_ids"), ("n", DEC)),
    "hazard": (("pid", DEC), ("call", "[0-9]+|fault"), ("id", "K-[0-9]+"), ("what", r"\S+")),
    "overflow": (("kind", "task|vmo|map|hand|msg|say|hazard"), ("lost", DEC)),
    "result": (("init", "done|exited|faulted|watchdog|panic|refused"), ("status", INT), ("instret", DEC)),
    "end": (("lines", DEC),),
}
NUMBERS = {DEC: int, INT: int, FLAG: int, ADDRESS: lambda text: int(text, 16)}
PATTERNS = {
    kind: re.compile(" ".join(f"{key}=({pattern})" for key, pattern in keys))
    for kind, keys in SCHEMA.items()
}
ONCE = ("begin", "lost", "result", "end")
HEAD_BYTES = 64
NO_NONCE = "-"  # the kernel was given none
PREFIX = "audit "


class FormError(Exception):
    """The audit is missing or not in the form that the kernel writes."""


class Audit:
    """Lists of records by kind; a record is a dict of its keys."""

    def __init__(self):
        self.records = {kind: [] for kind in SCHEMA}
        self.line_count = 0

    def __getitem__(self, kind):
        return self.records[kind]

    def one(self, kind):
        return self.records[kind][0]

    def res(self, when):
        found = [record for record in self["res"] if record["when"] == when]
        return found[0] if found else None

    def task(self, pid):
        found = [record for record in self["task"] if record["pid"] == pid]
        return found[0] if found else None

    def vmo(self, number):
        found = [record for record in self["vmo"] if record["id"] == number]
        return found[0] if found else None


def read_line(line, nonce):
    """One line -> (kind, record)."""
    prefix = f"{PREFIX}{nonce} "
    if not line.startswith(prefix):
        raise FormError(f"a line without the run's nonce: '{line[:60]}'")
    kind, _, rest = line[len(prefix):].partition(" ")
    if kind not in SCHEMA:
        raise FormError(f"unknown kind '{kind[:20]}'")
    match = PATTERNS[kind].fullmatch(rest)
    if not match:
        raise FormError(f"a '{kind}' line is malformed: '{rest[:80]}'")
    record = {}
    for (key, pattern), text in zip(SCHEMA[kind], match.groups()):
        record[key] = NUMBERS.get(pattern, str)(text)
    return kind, record


def find_block(lines, tail, nonce):
    """The last lines of the log that are the audit; everything before them must be free of it."""
    if tail:
        raise FormError(f"the log does not end with a line: '{tail[:60]}'")
    last = re.fullmatch(f"{PREFIX}[0-9a-f-]+ end lines=([0-9]+)", lines[-1]) if lines else None
    if not last:
        raise FormError(f"the last line is not the audit's end: '{lines[-1][:60] if lines else 'empty log'}'")
    count = int(last.group(1))
    if not 2 <= count <= len(lines):
        raise FormError(f"it says lines={count}, the log has {len(lines)}")
    block, before = lines[-count:], lines[:-count]
    for line in before:
        if line.startswith(PREFIX) or nonce != NO_NONCE and nonce in line:
            raise FormError(f"audit text before the audit: '{line[:60]}'")
    return block


def check_order(audit):
    for kind in ONCE:
        if len(audit[kind]) != 1:
            raise FormError(f"{len(audit[kind])} '{kind}' lines instead of one")
    for kind, key in (("task", "pid"), ("copy", "pid"), ("res", "when"), ("keep", "what")):
        values = [record[key] for record in audit[kind]]
        if len(set(values)) != len(values):
            raise FormError(f"two '{kind}' lines for one {key}")
    pids = [record["pid"] for record in audit["task"]]
    if pids != sorted(pids):
        raise FormError("tasks are not in order of pid")
    if [record["id"] for record in audit["vmo"]] != list(range(1, len(audit["vmo"]) + 1)):
        raise FormError("VMO ids do not count from 1")
    for kind in ("msg", "say"):
        if [record["n"] for record in audit[kind]] != list(range(len(audit[kind]))):
            raise FormError(f"'{kind}' lines do not count from 0")


def head_bytes(record):
    return b"" if record["head"] == "-" else bytes.fromhex(record["head"])


def check_heads(audit):
    for kind in ("msg", "say"):
        for record in audit[kind]:
            held = len(head_bytes(record))
            if held != min(record["len"], HEAD_BYTES):
                raise FormError(f"{kind} {record['n']}: len={record['len']} but {held} bytes of head")


def parse(lines, tail, nonce, age):
    """The audit of a log, or FormError."""
    block = find_block(lines, tail, nonce)
    audit = Audit()
    audit.line_count = len(block)
    for index, line in enumerate(block):
        kind, record = read_line(line, nonce)
        if (kind == "begin") != (index == 0) or (kind == "end") != (index == len(block) - 1):
            raise FormError(f"'{kind}' at line {index + 1} of {len(block)}")
        audit[kind].append(record)
    check_order(audit)
    check_heads(audit)
    if audit.one("begin")["age"] != age:
        raise FormError(f"it is of age {audit.one('begin')['age']}, the boot asked for {age}")
    return audit


def hazard_faults(audit):
    return [f"hazard {record['id']} {record['what']}, pid {record['pid']}, call {record['call']}"
            for record in audit["hazard"]]


def end_faults(audit, must_fit):
    """What the audit of no good run says: another end of init, or an overflow of a table that must hold all."""
    result = audit.one("result")
    faults = [f"init={result['init']} status={result['status']}"] * ((result["init"], result["status"]) != ("done", 0))
    return faults + [f"overflow of '{record['kind']}': {record['lost']} lost" for record in audit["overflow"]
                     if record["kind"] in must_fit]
