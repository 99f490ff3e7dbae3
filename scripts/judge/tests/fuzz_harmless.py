# SPDX-License-Identifier: Apache-2.0
"""The edits of a green run that may leave it green. People review this list; nothing enters it because it passed.

An entry names what is free, says why no claim rests on it, and takes it out of a view of the run. An edit is harmless if
the views before and after it are equal, so an entry knows nothing of the verdict. An edit on the list must leave PASS.
"""
import collections
import functools
import re

from judge import facts
from judge import verdict as verdicts

QEMU, LINUX, FOREIGN = facts.QEMU, facts.LINUX, facts.FOREIGN
ANY = (QEMU, LINUX, FOREIGN)
Entry = collections.namedtuple("Entry", "name reason platforms strip")
LIST = []


def harmless(name, reason, *platforms):
    """An entry of the list, for our kernel if no platform is named."""
    def keep(function):
        LIST.append(Entry(name, reason, platforms or (QEMU,), function))
        return function
    return keep


class View:
    """What the entries change: the log's lines, what follows the last newline, and the other facts by name."""

    def __init__(self, run):
        boot, host, seen = run.boot, run.host, run.seen
        *self.lines, self.tail = run.log.split(b"\n")
        self.facts = {"images": {name: dict(vars(image)) for name, image in boot.images.items()},
                      "manifest": dict(run.manifest), "host": dict(vars(host)), "spec": host.spec}
        self.facts.update({key: getattr(boot, key) for key in (
            "exit_code", "stopped", "log_cap", "seconds", "nonce", "abi_rev", "init_elf", "consumer_elf", "kernel_image")})
        self.work = run.work
        self.seen = None
        if seen:
            self.lines, self.tail = [], b""  # made of the lines below
            self.seen = {key: getattr(seen, key) for key in ("statuses", "stopped", "strays")}
            self.seen["packets"] = [(p.sender, p.receiver, p.data, p.delivered,
                                     [(held.identity, held.size) for held in p.held]) for p in seen.packets]
            self.seen["lines"] = list(seen.lines)
            self.seen["ends"] = {who: self.sight(child.at_exit) for who, child in seen.children.items()}
            self.consumers = {mapping.identity for barrier in seen.barriers.values() for who, sight in barrier.sights.items()
                              for mapping in sight.mappings if who == facts.CONSUMER_PID}
            self.seen["barriers"] = {tag: self.barrier(barrier) for tag, barrier in seen.barriers.items()}

    @staticmethod
    def sight(sight):
        return {"state": sight.state, "image": sight.image,
                "mappings": [dict(vars(mapping)) for mapping in sight.mappings],
                "descriptors": [dict(vars(found)) for found in sight.descriptors]}

    def barrier(self, barrier):
        return {"sights": {who: self.sight(sight) for who, sight in barrier.sights.items()},
                "printed": {who: list(lines) for who, lines in barrier.printed.items()},
                "seals": dict(barrier.seals), "contents": dict(barrier.contents)}

    def sights(self):
        for barrier in self.seen["barriers"].values():
            yield from barrier["sights"].values()

    def of(self):
        return self.lines, self.tail, self.facts, self.seen


def view_of(run, left_out=None):
    """The view with all entries of the platform applied but one."""
    view = View(run)
    for entry in LIST:
        if run.boot.platform in entry.platforms and entry is not left_out:
            entry.strip(view)
    return view.of()


green_view = functools.lru_cache(maxsize=None)(view_of)  # of a green run, which nobody changes


def entries_behind(before, after):
    """The entries without which the edit is not harmless. None: it is not harmless."""
    if green_view(before) != view_of(after):
        return None
    return [entry.name for entry in LIST if before.boot.platform in entry.platforms
            and green_view(before, entry) != view_of(after, entry)]


# ---- Any platform --------------------------------------------------------------------------------
@harmless("words for people", "a manifest's name, description and licence, and the duration of a run are no expectations and no"
          " observations of the claim", *ANY)
def _(view):
    view.facts["seconds"] = 0
    view.facts["manifest"].pop("SPDX-License-Identifier", None)
    view.facts["manifest"].update({key: "" for key in ("name", "about") if key in view.facts["manifest"]})


@harmless("a kernel line that is allowed", "allowing a line that was never printed excuses nothing", *ANY)
def _(view):
    if isinstance(view.facts["manifest"].get("kernel_lines"), list):
        view.facts["manifest"]["kernel_lines"] = []


@harmless("a marker named twice", "the list of the consumer's markers says who prints which marker; naming one again says the same",
          *ANY)
def _(view):
    if isinstance(view.facts["manifest"].get("consumer_markers"), list):
        view.facts["manifest"]["consumer_markers"] = sorted(set(view.facts["manifest"]["consumer_markers"]))


# ---- The log ---------------------------------------------------------------------------------------
@harmless("CR before LF", "a terminal or a UART driver adds one; it changes no line's text", QEMU, FOREIGN)
def _(view):
    view.lines = [line.removesuffix(b"\r") for line in view.lines]


PLAIN = re.compile(rb"[\t\x20-\x7e]*")
NOT_PLAIN = re.compile(rb"^(?:vmo:|SELFTEST:|audit )|vmo: FAIL|kernel:|OpenSBI v[0-9]|(?i:panic|unexpected trap|sbi_trap_error"
                       rb"|assertion|stack overflow|hazard)")
NONCE = re.compile(rb"[0-9a-f]{32}")


@harmless("the firmware's text", "it was printed before any task ran, and the kernel recorded every line that followed; banners, which"
          " show a second start, are not free")
def _(view):
    known = [marker.encode() for marker in MARKERS]
    at = 0
    while at < len(view.lines):
        line = view.lines[at]
        banner = re.search(rb"OpenSBI v[0-9]", line)
        rest = line.replace(banner[0], b"") if banner else line
        if not PLAIN.fullmatch(line) or NOT_PLAIN.search(rest) or NONCE.search(line) or any(text in line for text in known):
            break
        at += 1
    banners = sum(bool(re.search(rb"OpenSBI v[0-9]", line)) for line in view.lines[:at])
    view.lines[:at] = [b"OpenSBI"] * banners


MANIFESTS = [verdicts.load_manifest(name) for name in ("proof", "stream", "fill")]
MARKERS = [marker for manifest in MANIFESTS for marker in (*manifest["markers"], manifest["last_marker"])]
LAST = MANIFESTS[0]["last_marker"]
REPLY = {facts.SHARE: b"1", facts.STREAM: b"3", facts.FILL: b"3"}  # the number of the consumer's first reply
RECORD = re.compile(rb"audit [0-9a-f]{32} ([a-z]+) .*")
FREE = (b"image", b"copy", b"res", b"keep", b"task")


@harmless("the order of the audit's lines", "events are ordered by their sequence numbers, not by their lines; one kernel wrote them all"
          " at once, between `begin` and `end`")
def _(view):
    kinds = [RECORD.fullmatch(line) for line in view.lines]
    inner = [number for number, kind in enumerate(kinds) if kind and kind[1] not in (b"begin", b"end")]
    if not inner or inner != list(range(inner[0], inner[0] + len(inner))):
        return
    tasks = [line for line, kind in zip(view.lines, kinds) if kind and kind[1] == b"task"]
    if tasks != sorted(tasks):
        return  # tasks stand in order of pid

    def key(number):
        kind = kinds[number][1]
        return kind, view.lines[number] if kind in FREE else b""
    view.lines[inner[0]:inner[-1] + 1] = [view.lines[number] for number in sorted(inner, key=key)]


@functools.lru_cache(maxsize=4096)
def fields_of(line):
    words = line.split(b" ")
    fields = [word.split(b"=", 1) for word in words[3:]]
    if not RECORD.fullmatch(line) or any(len(field) != 2 for field in fields):
        return None
    return words[:3], {key: value for key, value in fields} if len(dict(fields)) == len(fields) else None


def record_of(line):
    """A line of the audit -> ([words before the fields], {key: value}) or None."""
    found = fields_of(line)
    return found and (found[0], found[1] and dict(found[1]))


def free_values(record, pattern, keys, **where):
    """Puts an asterisk in place of values of these keys that fit a pattern, in lines of a kind."""
    def strip(view):
        for number, line in enumerate(view.lines):
            found = record_of(line)
            if not found or not found[1] or found[0][2] != record:
                continue
            words, fields = found
            if all(fields.get(key.encode()) == value for key, value in where.items()):
                for key in keys:
                    if re.fullmatch(pattern, fields.get(key, b"")):
                        fields[key] = b"*"
                view.lines[number] = b" ".join(words + [key + b"=" + value for key, value in fields.items()])
    return strip


DECIMAL = rb"0|[1-9][0-9]{0,19}"


def free(name, reason, *how, **where):
    harmless(name, reason)(free_values(*how, **where))


def map_lines(view):
    """-> (number, words, fields) of each mapping that is in form"""
    for number, line in enumerate(view.lines):
        found = record_of(line)
        if found and found[1] and found[0][2] == b"map":
            yield number, *found


def number_of(fields, key):
    return int(fields[key]) if re.fullmatch(DECIMAL, fields.get(key, b"")) else None


def joined(words, fields):
    return b" ".join(words + [key + b"=" + value for key, value in fields.items()])


free("init's name", "the kernel, not a task, names init; `messages-clean` searches the name for secrets", b"task", rb"[\x21-\x3c\x3e-\x7e]+",
     [b"name"], pid=b"17")
free("init's gp", "the kernel chose it before any task ran, so it tells no task anything", b"image", rb"0x(?:0|[1-9a-f][0-9a-f]{0,15})",
     [b"gp"], pid=b"17")
free("init's stack", "the kernel chose its size before any task ran, so it tells no task anything", b"image", DECIMAL, [b"stack_pages"], pid=b"17")


@harmless("spaces and endpoint ids that are used up", "`keep` counts what this boot can never have again; that limits the next run,"
          " not what this one shows")
def _(view):
    keep = [n for n, line in enumerate(view.lines) if (found := record_of(line)) and found[1] and found[0][1:] == [view.facts["nonce"].encode(), b"keep"]
            and list(found[1]) == [b"what", b"n"] and number_of(found[1], b"n") is not None
            and found[1][b"what"] in (b"address_spaces", b"endpoint_ids")]
    names = [record_of(view.lines[n])[1][b"what"] for n in keep]
    end = record_of(view.lines[-1]) if view.lines else None
    if len(set(names)) == len(names) and end and end[1] and end[1].keys() == {b"lines"} and number_of(end[1], b"lines"):
        view.lines[-1] = joined(end[0], {b"lines": b"%d" % (number_of(end[1], b"lines") - len(keep))})
        view.lines = [line for n, line in enumerate(view.lines) if n not in keep]


def resources(view):
    """-> {when: (number, words, fields)} of the `res` lines that are in form"""
    found = [(number, record_of(line)) for number, line in enumerate(view.lines)]
    return {r[1][b"when"]: (number, *r) for number, r in found if r and r[1] and r[0][2] == b"res" and b"when" in r[1]}


@harmless("more that teardown gave back", "a leak is what is left; less than before is none.")
def _(view):
    res = resources(view)
    if not {b"done", b"end"} <= res.keys():
        return
    number, words, fields = res[b"end"]
    is_bound = view.facts["abi_rev"] == "a1"  # `keep` says how many arena bytes are taken for good
    for key in (b"vmos",) if is_bound else (b"vmos", b"arena_bytes"):
        done, end = number_of(res[b"done"][2], key), number_of(fields, key)
        if None not in (done, end) and end <= done:
            fields = {**fields, key: b"*"}
    view.lines[number] = joined(words, fields)


free("frames while init runs", "init still holds its own, so the count compares with nothing; teardown's is judged", b"res", DECIMAL,
     [b"frames"], when=b"done")


@harmless("how the producer used its own mappings", "`content` judges what it wrote, so it may look at its pages or not; but no more"
          " pages than are mapped, and none dirtied without access")
def _(view):
    for number, words, fields in map_lines(view):
        size, accessed, dirtied = (number_of(fields, key) for key in (b"bytes", b"accessed", b"dirtied"))
        if fields.get(b"pid") != b"17" or None in (size, accessed, dirtied):
            continue
        if dirtied <= accessed <= size // 4096 and not (dirtied and b"w" not in fields.get(b"prot", b"")):
            view.lines[number] = joined(words, {**fields, b"accessed": b"*", b"dirtied": b"*"})


@harmless("which mapping ended first", "no event follows from an unmap; but a mapping ends after it was made, and a writable one lives or"
          " does not at each hand-over of its VMO, as `wmaps` counts")
def _(view):
    hands = [(found[1].get(b"vmo"), number_of(found[1], b"seq")) for found in map(record_of, view.lines)
             if found and found[1] and found[0][2] == b"hand"]
    ends = []
    for number, words, fields in map_lines(view):
        made, ended = number_of(fields, b"made"), number_of(fields, b"ended")
        if None not in (made, ended) and made < ended:
            lived = sum(vmo == fields.get(b"vmo") and seq is not None and seq < ended for vmo, seq in hands)
            ends.append(ended)
            view.lines[number] = joined(words, {**fields, b"ended": b"*%d" % (lived if b"w" in fields.get(b"prot", b"") else 0)})
    view.facts["ends of mappings"] = sorted(ends)


@harmless("frames that came back", "a leak is a frame more after teardown than at the start; fewer are none")
def _(view):
    res = resources(view)
    if not {b"start", b"end"} <= res.keys() or None in (start := number_of(res[b"start"][2], b"frames"),
                                                         end := number_of(res[b"end"][2], b"frames")):
        return
    if end <= start:
        for number, words, fields in (res[b"start"], res[b"end"]):
            view.lines[number] = joined(words, {**fields, b"frames": b"*"})


WINDOW_PERMILLE, WORK_BYTES_MIN = 2, 64 * 1024


def counts_of(view):
    """-> ([(sequence number, task, its count, line, words, fields)], the result's line), or None if one is not in form"""
    found, result = [], None
    for number, record in enumerate(map(record_of, view.lines)):
        words, fields = record if record and record[1] else ((b"", b"", b""), {})
        at, who = {b"map": (b"made", b"pid"), b"msg": (b"sent", b"from")}.get(words[2], (None, None))
        if at:
            found.append((number_of(fields, at), fields.get(who), number_of(fields, b"user"), number, words, fields))
        elif words[2] == b"result" and number_of(fields, b"instret") is not None:
            result = number, words, fields
    return None if result is None or any(None in count for count in found) else (found, result)


@harmless("instructions of no claim", "`work` claims the count between two places alone, the consumer's first map and its first reply of"
          " a blob of 64 KiB or more; there the window of 0.2 % is free. But no task's count falls, and all together are some of the"
          " instructions since boot")
def _(view):
    if not (counts := counts_of(view)):
        return
    found, (at, words, fields) = counts
    last, places = {}, {}
    for _, who, user, number, _, record in sorted(found, key=lambda count: count[0]):
        if user < last.get(who, 0):
            return
        last[who] = user
        is_map = b"made" in record and (who, record.get(b"vmo")) == (b"18", b"1")
        is_reply = b"sent" in record and (who, record.get(b"n")) == (b"18", REPLY[view.facts["host"]["proof"]])
        places.setdefault("map" if is_map else "reply" if is_reply else number, (number, user))
    if sum(last.values()) > number_of(fields, b"instret"):
        return
    view.lines[at] = joined(words, {**fields, b"instret": b"*"})
    pair = [places[name][1] for name in ("map", "reply") if name in places]
    in_window = len(view.facts["host"]["blob"]) < WORK_BYTES_MIN
    if len(pair) == 2 and not in_window:
        in_window = abs(pair[1] - pair[0] - view.work) * 1000 <= WINDOW_PERMILLE * view.work
    claimed = () if in_window else {number for name, (number, _) in places.items() if name in ("map", "reply")}
    for _, _, _, number, words, fields in found:
        if number not in claimed:
            view.lines[number] = joined(words, {**fields, b"user": b"*"})


@harmless("capabilities that can write, without `forever`", "the seal `peers` lets the owner write; on a1 every seal is the library's word")
def _(view):
    lends = view.facts["host"]["proof"] == facts.FILL  # `lending` counts them
    if lends or any(b" seal=forever " in line for line in view.lines) and view.facts["abi_rev"] == "a2":
        return
    for kind in (b"alias", b"vmo"):
        free_values(b"hand", DECIMAL, [b"wcaps"], kind=kind)(view)


@harmless("a CR at the end of a long line's record", "a task may print CR and LF; the record's head shows 64 bytes, and the line itself is"
          " in the log")
def _(view):
    texts = {len(line) for line in view.lines if len(line) > 63}
    for number, line in enumerate(view.lines):
        found = record_of(line)
        if found and found[1] and found[0][2] == b"say" and number_of(found[1], b"len") is not None:
            length = number_of(found[1], b"len")
            if length > 64 and length - 1 in texts:
                view.lines[number] = joined(found[0], {**found[1], b"len": b"%d" % (length - 1)})


@harmless("who reads a page once more", "either task may map what it holds again to read it; the consumer's first mapping of each VMO is"
          " not free, nor is one that writes, misses a page, or is not of an alias on a2")
def _(view):
    seen, alias = set(), b"1" if view.facts["abi_rev"] == "a2" else b"0"
    for number, words, fields in map_lines(view):
        who, vmo, size, read = fields.get(b"pid"), fields.get(b"vmo"), number_of(fields, b"bytes"), number_of(fields, b"accessed")
        is_plain = (fields.get(b"prot"), fields.get(b"alias"), fields.get(b"dirtied")) in ((b"r", alias, b"0"), (b"r", alias, b"*"))
        is_whole = fields.get(b"accessed") == b"*" or None not in (size, read) and read * 4096 == size
        if is_plain and is_whole and (who == b"17" or who == b"18" and vmo in seen):
            view.lines[number] = joined(words, {**fields, b"pid": b"*", b"accessed": b"*", b"dirtied": b"*"})
        seen.update([vmo] if who == b"18" else [])


@harmless("who wrote a note", "a line `vmo: note` is for people and claims nothing, whichever task wrote it")
def _(view):
    for number, line in enumerate(view.lines):
        found = record_of(line)
        if found and found[1] and found[0][2] == b"say" and found[1].get(b"head", b"").startswith(b"vmo: note ".hex().encode()):
            if found[1].get(b"by") in (b"17", b"18"):
                view.lines[number] = joined(found[0], {**found[1], b"by": b"*"})


@harmless("when a1's arena grew", "a1 takes images out of the arena, too, and `keep` says what is taken for good; but the VMOs that are left"
          " were taken while init ran")
def _(view):
    res = resources(view)
    vmos = [found[1] for found in map(record_of, view.lines) if found and found[1] and found[0][2] == b"vmo"]
    live = [number_of(fields, b"bytes") for fields in vmos if fields.get(b"state") == b"live"]
    if view.facts["abi_rev"] != "a1" or None in live or not {b"start", b"done"} <= res.keys():
        return
    number, words, fields = res[b"start"]
    start, done = number_of(fields, b"arena_bytes"), number_of(res[b"done"][2], b"arena_bytes")
    if None not in (start, done) and start + sum(live) <= done:
        view.lines[number] = joined(words, {**fields, b"arena_bytes": b"*"})
