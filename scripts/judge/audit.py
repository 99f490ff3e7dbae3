# SPDX-License-Identifier: Apache-2.0
"""The record of a run that the checks read, and the strict parser of the kernel's audit.

docs/testing/audit.md describes the lines. A malformed audit is refused as a whole. On Linux the
harness fills the same record from what it observes (harness/linux_run.py).
"""
import re

NUMBER = "(?:0|[1-9][0-9]{0,19})"  # 64 bits; a longer number is malformed, and never parsed
# The form of a line. A word in capitals names a kind of value; any other value is a pattern.
VALUES = {
    "DEC": (NUMBER, int),
    "INT": ("0|-?[1-9][0-9]{0,19}", int),
    "BIT": (r"[01]", int),
    "ADDRESS": (r"0x(?:0|[1-9a-f][0-9a-f]{0,15})", lambda text: int(text, 16)),
    "HEAD": (r"-|(?:[0-9a-f]{2})+", str),
    "SIP": (r"[0-9a-f]{16}", str),
    "WORD": (r"\S+", str),
}
LINES = r"""
begin v=2 abi=a1|a2 hashes=BIT
task pid=DEC parent=DEC state=live|exited|faulted|reaped end=none|exit|fault status=INT name=WORD
image pid=DEC bytes=DEC stack_pages=DEC gp=ADDRESS sip=SIP
vmo id=DEC creator=DEC base=ADDRESS bytes=DEC state=live|destroyed
map pid=DEC vmo=DEC off=DEC bytes=DEC prot=r|w|rw|x|rx via=map|vm_map|as_map alias=BIT \
    state=live|unmapped accessed=DEC dirtied=DEC base=ADDRESS \
    made=DEC ended=DEC user=DEC
copy pid=DEC into=DEC from=DEC
hand from=DEC to=DEC via=move|transfer kind=vmo|alias|endpoint vmo=DEC rights=DEC slot=DEC seq=DEC \
    wcaps=DEC wmaps=DEC
msg n=DEC from=DEC to=DEC len=DEC type=DEC flags=DEC moved=none|vmo|alias|endpoint \
    sent=DEC seq=DEC user=DEC head=HEAD
say n=DEC by=kernel|several|[1-9][0-9]{0,19} seq=DEC len=DEC head=HEAD
hash vmo=DEC when=grant|reply|destroyed|end pid=DEC seq=DEC bytes=DEC sip=SIP
lost msgs=DEC undelivered=DEC
res when=start|done|end slots=DEC regions=DEC vmos=DEC endpoints=DEC arena_bytes=DEC frames=DEC
keep what=arena_bytes|address_spaces|endpoint_ids n=DEC
hazard pid=DEC call=(?:0|[1-9][0-9]{0,19})|fault id=K-[0-9]+ what=WORD
overflow kind=task|vmo|map|hand|msg|say|hash|hazard lost=DEC
result init=done|exited|faulted|watchdog|panic|refused status=INT instret=DEC
end lines=DEC
"""


def read_form(line):
    """One line of LINES -> (kind, (pattern of the rest, keys with their readers))"""
    kind, *pairs = line.split()
    fields = [pair.split("=", 1) for pair in pairs]
    values = [(key, *VALUES.get(value, (value, str))) for key, value in fields]
    pattern = " ".join(f"{key}=({value})" for key, value, _ in values)
    return kind, (re.compile(pattern), [(key, reader) for key, _, reader in values])


FORMS = dict(read_form(line) for line in LINES.replace("\\\n", "").strip().split("\n"))
ONCE = ("begin", "lost", "result", "end")
UNIQUE = (("task", "pid"), ("image", "pid"), ("copy", "pid"), ("res", "when"), ("keep", "what"))
COUNTED = (("vmo", "id", 1), ("msg", "n", 0), ("say", "n", 0))
HEAD_BYTES = {"msg": 128, "say": 64}
DONE = "init=done status=0"  # the result of a good run
NO_NONCE = "-"  # the kernel was given none
PREFIX = "audit "


class FormError(Exception):
    """The audit is missing or malformed."""


class Audit:
    """Lists of records by kind; a record is a dict of its keys."""

    def __init__(self):
        self.records = {kind: [] for kind in FORMS}
        self.line_count = 0

    def __getitem__(self, kind):
        return self.records[kind]

    def one(self, kind):
        return self.records[kind][0]

    def first(self, kind, key, value):
        """The first record whose key has the value, or None."""
        return next((record for record in self[kind] if record[key] == value), None)

    def res(self, when):
        return self.first("res", "when", when)

    def maps_of(self, pid):
        return [record for record in self["map"] if record["pid"] == pid]


def head_bytes(record):
    return b"" if record["head"] == "-" else bytes.fromhex(record["head"])


def author_of(record):
    """Who printed a line: a pid, "kernel" or "several"."""
    return int(record["by"]) if record["by"].isdigit() else record["by"]


def words(record, keys):
    """Some values of a record: "state=live end=none"."""
    return " ".join(f"{key}={record[key]}" for key in keys.split())


def read_line(line, nonce):
    """One line -> (kind, record)"""
    prefix = f"{PREFIX}{nonce} "
    if not line.startswith(prefix):
        raise FormError(f"a line without the run's nonce: '{line[:60]}'")
    kind, _, rest = line[len(prefix) :].partition(" ")
    if kind not in FORMS:
        raise FormError(f"unknown kind '{kind[:20]}'")
    pattern, keys = FORMS[kind]
    match = pattern.fullmatch(rest)
    if not match:
        raise FormError(f"a '{kind}' line is malformed: '{rest[:80]}'")
    return kind, {key: reader(text) for (key, reader), text in zip(keys, match.groups())}


def find_block(lines, tail, nonce):
    """The audit's lines, at the end of the log. No earlier line may look like one."""
    if tail:
        raise FormError(f"the log does not end with a line: '{tail[:60]}'")
    final = lines[-1] if lines else "empty log"
    last = re.fullmatch(f"{PREFIX}[0-9a-f-]+ end lines=({NUMBER})", final)
    if not last:
        raise FormError(f"the last line is not the audit's end: '{final[:60]}'")
    count = int(last.group(1))
    if not 2 <= count <= len(lines):
        raise FormError(f"it says lines={count}, the log has {len(lines)}")
    before = "\n".join(["", *lines[:-count], ""])
    for text in ["\n" + PREFIX, *([nonce] if nonce != NO_NONCE else [])]:
        at = before.find(text) + 1
        if at > 0:
            line = before[before.rfind("\n", 0, at) + 1 : before.find("\n", at)]
            raise FormError(f"audit text before the audit: '{line[:60]}'")
    return lines[-count:]


def check_order(audit):
    for kind in ONCE:
        if len(audit[kind]) != 1:
            raise FormError(f"{len(audit[kind])} '{kind}' lines instead of one")
    for kind, key in UNIQUE:
        values = [record[key] for record in audit[kind]]
        if len(set(values)) != len(values):
            raise FormError(f"two '{kind}' lines for one {key}")
    pids = [record["pid"] for record in audit["task"]]
    if pids != sorted(pids):
        raise FormError("tasks are not in order of pid")
    for kind, key, start in COUNTED:
        if [record[key] for record in audit[kind]] != list(range(start, start + len(audit[kind]))):
            raise FormError(f"'{kind}' lines do not count from {start}")
    for kind, most in HEAD_BYTES.items():
        for record in audit[kind]:
            size, length = len(head_bytes(record)), record["len"]
            if size != min(length, most):
                raise FormError(f"{kind} {record['n']}: len={length}, but {size} bytes of head")


def parse(lines, tail, nonce, abi_rev):
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
    told = audit.one("begin")["abi"]
    if told != abi_rev:
        raise FormError(f"it is of ABI revision {told}, the boot asked for {abi_rev}")
    return audit


def overflow_faults(audit):
    return [f"overflow of '{r['kind']}': {r['lost']} lost" for r in audit["overflow"]]
