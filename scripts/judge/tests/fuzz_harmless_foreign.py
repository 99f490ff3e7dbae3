# SPDX-License-Identifier: Apache-2.0
"""The edits of a green run on another kernel that may leave it green (fuzz_harmless.py).

Such a kernel prints what it likes, also within a payload's line. These entries take its text out of the log by a reading
of their own, much simpler than the judge's: a line that they cannot tell is not free.
"""
import re

from fuzz_harmless import FOREIGN, LAST, MARKERS, harmless
from judge import noise

KNOWN = [marker.encode() for marker in [*MARKERS, LAST]]
OWN = (b"vmo:", b"SELFTEST: vmo")
BAD = re.compile(rb"vmo: FAIL|(?i:panic|assertion|stack overflow|unexpected trap|sbi_trap_error)|EXC: scause|ILLEGAL|\[USER-PF\]"
                 rb"|LOCKDEP:|PT-VERIFY:|rx guard:|SELFTEST: fail|SELFTEST: .*\bFAIL|kernel: .*(?:killed|refused|watchdog)")
BANNERS = [re.compile(rb"OpenSBI v[0-9]"), re.compile(rb"neuron vers")]
COLOURS = re.compile(rb"(?:\x1b\[[0-9;?]{0,16}[A-Za-z])+")
SHAPE = re.compile(rb"(?:\x1b\[[0-9;?]{0,16}[A-Za-z]){0,4}(?:" + "|".join(noise.SHAPES).encode() + rb")")
LEVEL = re.compile(noise.SHAPES[0].encode())
WITHIN_LINES = 8


def claims(text):
    """Whether a text is the payload's, shows a failure or a start, or begins as an audit does."""
    return (text.startswith((*OWN, b"audit ")) or any(marker in text for marker in KNOWN) or BAD.search(text)
            or any(banner.search(text) for banner in BANNERS))


@harmless("a banner less", "a kernel need not say that it starts; two banners show a second start", FOREIGN)
def _(view):
    for banner in BANNERS:
        found = [line for line in view.lines if banner.search(line)]
        if len(found) == 1 and not claims(banner.sub(b"", found[0])):
            view.lines.remove(found[0])


@harmless("a kernel's line of a known shape", "the kernel prints its log at any moment, also within a payload's line; the contract (K-66)"
          " gives the shapes", FOREIGN)
def _(view):
    lines, begun = [], b""
    for line in view.lines:
        found = SHAPE.search(line)
        if colour := COLOURS.match(line):
            if not found or found.start() > 0:
                line = line[colour.end():]
                found = SHAPE.search(line)
        if found and not claims(line[found.start():]) and not LEVEL.search(line, found.end()):
            begun += line[:found.start()]
        else:
            lines.append(begun + line)
            begun = b""
    view.lines, view.tail = lines, begun + view.tail


def is_unknown(text):
    """Whether it is a kernel's text of no known shape. One of a known shape that is still here was itself cut."""
    return text and not claims(text) and not SHAPE.search(text)


@harmless("a kernel's text within a marker", "no two markers have a beginning and an end in common, so a cut marker can be told from any other"
          " text", FOREIGN)
def _(view):
    lines, at = [], 0
    while at < len(view.lines):
        line, last = view.lines[at], at
        if line not in KNOWN:
            for later in range(at + 1, min(at + 1 + WITHIN_LINES + 1, len(view.lines))):
                rest = view.lines[later]
                whole = [marker for marker in KNOWN if 0 < len(rest) < len(marker) and marker.endswith(rest)
                         and line.startswith(marker[:-len(rest)]) and is_unknown(line[len(marker) - len(rest):])]
                if whole:
                    line, last = whole[0], later
                    break
                if claims(rest):
                    break
        lines.append(line)
        at = last + 1
    view.lines = lines


@harmless("a kernel's text within the evidence line", "length, challenge and digest are known, so a cut line can be put together in one way,"
          " unless it was cut in another number: that is not free", FOREIGN)
def _(view):
    host = view.facts["host"]
    whole = re.compile(b"vmo: evidence abi=a[12] len=%d challenge=%s digest=[0-9a-f]{64} seal=(?:peers|forever) enforced=(?:kernel|library)"
                       b" copies=[0-9]+ control_bytes=[0-9]+ bulk_bytes=[0-9]+" % (len(host["blob"]), host["challenge_hex"].encode()))
    for at, (line, rest) in enumerate(zip(view.lines, view.lines[1:])):
        ways = {line[:size] + rest for size in range(1, len(line))
                if whole.fullmatch(line[:size] + rest) and is_unknown(line[size:])}
        if rest and len(ways) == 1 and not whole.fullmatch(line):
            view.lines[at:at + 2] = ways
            return


@harmless("a note", "a line `vmo: note` is for people, but none may stand between the evidence line and the last marker", FOREIGN)
def _(view):
    evidence = [at for at, line in enumerate(view.lines) if line.startswith(b"vmo: evidence")]
    end = view.lines.index(LAST.encode()) if LAST.encode() in view.lines else len(view.lines)
    view.lines = [line for at, line in enumerate(view.lines) if not line.startswith(b"vmo: note ") or BAD.search(line)
                  or any(marker in line for marker in KNOWN) or evidence and evidence[0] < at < end]


@harmless("the kernel's own lines", "how a kernel prints is its own business, unless it looks like a payload's line or a failure", FOREIGN)
def _(view):
    view.lines = [line for line in view.lines if claims(line)]
    view.tail = view.tail if claims(view.tail) else b""


@harmless("the order of what is concurrent", "the two tasks print their first markers at the same time", FOREIGN)
def _(view):
    places = [number for number, line in enumerate(view.lines) if line in KNOWN[:2]]
    if len(places) == 2 and places[1] == places[0] + 1:
        view.lines[places[0]:places[1] + 1] = KNOWN[:2]


@harmless("what nobody can see there", "such a kernel records no hazard, no author of a line, and no end of the run; the verdict says so", FOREIGN)
def _(view):
    manifest = view.facts["manifest"]
    for key, kind in (("hazards", list), ("consumer_markers", list), ("exit_code", str)):
        if isinstance(manifest.get(key), kind) and key != "exit_code":
            manifest[key] = [x for x in manifest[key] if key == "consumer_markers" and x not in manifest.get("markers", ())]
        elif manifest.get(key) in ("done", "done-badly"):
            manifest[key] = "done"


@harmless("the seal on another kernel", "it is the library's word there, and the verdict says that `seal` was not checked", FOREIGN)
def _(view):
    view.lines = [re.sub(rb"^(vmo: evidence .* seal=)(?:peers|forever)( enforced=)", rb"\1*\2", line) for line in view.lines]
