# SPDX-License-Identifier: Apache-2.0
"""The edits of a green run that may leave it green. Reviewed by people, never learned from what passes.

An entry takes out of a view of the run what it declares free. An edit is harmless if both runs' views are then equal,
so an entry knows nothing of the judge's verdict. An edit that is on the list must also leave the verdict PASS.
"""
import collections
import re

from judge import facts

QEMU, LINUX = facts.QEMU, facts.LINUX
Entry = collections.namedtuple("Entry", "name reason platform strip")
LIST = []


def harmless(name, reason, platform=QEMU):
    def keep(function):
        LIST.append(Entry(name, reason, platform, function))
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
            "exit_code", "stopped", "log_cap", "seconds", "nonce", "abi_rev", "init_elf", "consumer_elf")})
        self.work = run.work
        self.seen = None
        if seen:
            self.lines, self.tail = [], b""  # made of the lines below
            self.seen = {key: getattr(seen, key) for key in ("statuses", "stopped", "strays")}
            self.seen["packets"] = [(p.sender, p.receiver, p.data, p.delivered,
                                     [(held.identity, held.size) for held in p.held]) for p in seen.packets]
            self.seen["lines"] = list(seen.lines)
            self.seen["ends"] = {who: self.sight(child.at_exit) for who, child in seen.children.items()}
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
        if entry.platform in (None, run.boot.platform) and entry is not left_out:
            entry.strip(view)
    return view.of()


def entries_behind(before, after):
    """The entries without which the edit is not harmless. None: it is not harmless."""
    if view_of(before) != view_of(after):
        return None
    return [entry.name for entry in LIST if entry.platform in (None, before.boot.platform)
            and view_of(before, entry) != view_of(after, entry)]


# ---- Any platform --------------------------------------------------------------------------------
@harmless("words for people", "a manifest's name, description and licence, and the time that a run took, decide nothing", None)
def _(view):
    view.facts["seconds"] = 0
    view.facts["manifest"].pop("SPDX-License-Identifier", None)
    view.facts["manifest"].update({key: "" for key in ("name", "about") if key in view.facts["manifest"]})


@harmless("a kernel line that is allowed", "a manifest may allow a line that this run did not print", None)
def _(view):
    if isinstance(view.facts["manifest"].get("kernel_lines"), list):
        view.facts["manifest"]["kernel_lines"] = []


@harmless("a marker named twice", "a manifest's list of the consumer's markers is a set", None)
def _(view):
    if isinstance(view.facts["manifest"].get("consumer_markers"), list):
        view.facts["manifest"]["consumer_markers"] = sorted(set(view.facts["manifest"]["consumer_markers"]))


# ---- The log ---------------------------------------------------------------------------------------
@harmless("CR before LF", "a terminal or a UART driver adds one")
def _(view):
    view.lines = [line.removesuffix(b"\r") for line in view.lines]


PLAIN = re.compile(rb"[\t\x20-\x7e]*")
NOT_PLAIN = re.compile(rb"^(?:vmo:|SELFTEST:|audit )|vmo: FAIL|kernel:|OpenSBI v[0-9]|(?i:panic|unexpected trap|sbi_trap_error"
                       rb"|assertion|stack overflow|hazard)")
NONCE = re.compile(rb"[0-9a-f]{32}")


@harmless("the firmware's text", "whatever plain text stands before the payload's first line is the firmware's; its banner is kept")
def _(view):
    known = [marker.encode() for marker in [*MARKERS, LAST]]
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


MARKERS = ("vmo: producer sent handle", "vmo: consumer mapped ok", "vmo: sha256 ok")
LAST = "SELFTEST: vmo share ok"
RECORD = re.compile(rb"audit [0-9a-f]{32} ([a-z]+) .*")
FREE = (b"image", b"copy", b"res", b"keep", b"task")


@harmless("the order of the audit's lines", "between `begin` and `end` kinds may be mixed, and lines of `image`, `copy`, `res` and"
          " `keep` have no order")
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


def record_of(line):
    """A line of the audit -> ([words before the fields], {key: value}) or None."""
    words = line.split(b" ")
    fields = [word.split(b"=", 1) for word in words[3:]]
    if not RECORD.fullmatch(line) or any(len(field) != 2 for field in fields):
        return None
    return words[:3], {key: value for key, value in fields} if len(dict(fields)) == len(fields) else None


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


free("instructions since boot", "nothing of the claim rests on them", b"result", DECIMAL, [b"instret"])
free("init's name", "the kernel's own name of it; `messages-clean` searches it for secrets", b"task", rb"[\x21-\x3c\x3e-\x7e]+",
     [b"name"], pid=b"17")
free("how init was booted", "the kernel chose init's stack and gp, before any task ran", b"image", rb"0x(?:0|[1-9a-f][0-9a-f]{0,15})",
     [b"gp"], pid=b"17")
free("init's stack", "the kernel chose it, before any task ran", b"image", DECIMAL, [b"stack_pages"], pid=b"17")


@harmless("what this revision never gives back", "`keep` is listed for the reader; `leaks` judges `res`")
def _(view):
    keep = [n for n, line in enumerate(view.lines) if (found := record_of(line)) and found[1] and found[0][1:] == [view.facts["nonce"].encode(), b"keep"]
            and found[1].keys() == {b"what", b"n"} and number_of(found[1], b"n") is not None
            and found[1][b"what"] in (b"arena_bytes", b"address_spaces", b"endpoint_ids")]
    names = [record_of(view.lines[n])[1][b"what"] for n in keep]
    end = record_of(view.lines[-1]) if view.lines else None
    if len(set(names)) == len(names) and end and end[1] and end[1].keys() == {b"lines"} and number_of(end[1], b"lines"):
        view.lines[-1] = joined(end[0], {b"lines": b"%d" % (number_of(end[1], b"lines") - len(keep))})
        view.lines = [line for n, line in enumerate(view.lines) if n not in keep]


free("what is there after teardown", "then only frames are counted, and must not be more than at the start", b"res", DECIMAL,
     [b"slots", b"regions", b"vmos", b"endpoints", b"arena_bytes"], when=b"end")
free("frames while init runs", "a revision may keep some until teardown", b"res", DECIMAL, [b"frames"], when=b"done")


@harmless("how the producer used its own mappings", "what it wrote is judged by `content`; a page may be accessed, dirtied or not, but"
          " never more of them than are mapped, nor dirtied without access")
def _(view):
    for number, words, fields in map_lines(view):
        size, accessed, dirtied = (number_of(fields, key) for key in (b"bytes", b"accessed", b"dirtied"))
        if fields.get(b"pid") != b"17" or None in (size, accessed, dirtied):
            continue
        if dirtied <= accessed <= size // 4096 and not (dirtied and b"w" not in fields.get(b"prot", b"")):
            view.lines[number] = joined(words, {**fields, b"accessed": b"*", b"dirtied": b"*"})


@harmless("which mapping ended first", "no claim rests on the order of the unmaps, each after its map")
def _(view):
    ends = []
    for number, words, fields in map_lines(view):
        made, ended = number_of(fields, b"made"), number_of(fields, b"ended")
        if None not in (made, ended) and made < ended:
            ends.append(ended)
            view.lines[number] = joined(words, {**fields, b"ended": b"*"})
    view.facts["ends of mappings"] = sorted(ends)


@harmless("frames that came back", "after teardown no more frames are used than at the start; fewer are as good")
def _(view):
    found = [(number, record_of(line)) for number, line in enumerate(view.lines)]
    res = {r[1][b"when"]: (number, *r) for number, r in found if r and r[1] and r[0][2] == b"res" and b"when" in r[1]}
    if not {b"start", b"end"} <= res.keys() or None in (start := number_of(res[b"start"][2], b"frames"),
                                                         end := number_of(res[b"end"][2], b"frames")):
        return
    if end <= start:
        for number, words, fields in (res[b"start"], res[b"end"]):
            view.lines[number] = joined(words, {**fields, b"frames": b"*"})


WINDOW_PERMILLE, WORK_BYTES_MIN = 2, 64 * 1024


@harmless("instructions of no claim", "`user` is read at two places, the consumer's first map of the blob and its first reply, of a blob"
          " of 64 KiB or more; there within the window of 0.2 %")
def _(view):
    places, at = {}, None
    for number, line in enumerate(view.lines):
        found = record_of(line)
        if not found or not found[1] or number_of(found[1], b"user") is None:
            continue
        words, fields = found
        is_map = words[2] == b"map" and (fields.get(b"pid"), fields.get(b"vmo")) == (b"18", b"1")
        is_reply = words[2] == b"msg" and (fields.get(b"from"), fields.get(b"n")) == (b"18", b"1")
        places.setdefault("map" if is_map else "reply" if is_reply else number, (number, words, fields))
    pair = [number_of(places[name][2], b"user") for name in ("map", "reply") if name in places]
    in_window = len(view.facts["host"]["blob"]) < WORK_BYTES_MIN
    if len(pair) == 2 and not in_window:
        in_window = abs(pair[1] - pair[0] - view.work) * 1000 <= WINDOW_PERMILLE * view.work
    for name, (number, words, fields) in places.items():
        if in_window or name not in ("map", "reply"):
            view.lines[number] = joined(words, {**fields, b"user": b"*"})


@harmless("who could write, where nobody promised", "only the seal `forever` says that nobody can")
def _(view):
    if any(b" seal=forever " in line for line in view.lines):
        return
    for kind in (b"alias", b"vmo"):
        free_values(b"hand", DECIMAL, [b"wcaps", b"wmaps"], kind=kind)(view)


@harmless("a line that is one byte longer in its record", "the kernel records a CR that the reading takes off; the head shows 64 bytes")
def _(view):
    texts = {len(line) for line in view.lines if len(line) > 63}
    for number, line in enumerate(view.lines):
        found = record_of(line)
        if found and found[1] and found[0][2] == b"say" and number_of(found[1], b"len") is not None:
            length = number_of(found[1], b"len")
            if length > 64 and length - 1 in texts:
                view.lines[number] = joined(found[0], {**found[1], b"len": b"%d" % (length - 1)})


# ---- Linux -----------------------------------------------------------------------------------------
@harmless("names in /proc", "an object is told by device and inode; names are for people", LINUX)
def _(view):
    for sight in [*view.sights(), *view.seen["ends"].values()]:
        for found in sight["descriptors"]:
            found["name"] = ""
        for mapping in sight["mappings"]:
            mapping["name"] = "/memfd:" if mapping["name"].startswith("/memfd:") else ""


@harmless("a process's private memory", "only mappings of what was handed over and shared ones are records", LINUX)
def _(view):
    handed = {identity for packet in view.seen["packets"] for identity, _ in packet[4]}
    for sight in [*view.sights(), *view.seen["ends"].values()]:
        sight["mappings"] = [mapping for mapping in sight["mappings"] if mapping["perms"][3:] == "s"
                             or mapping["identity"] in handed or mapping["name"].startswith("/memfd:")]


@harmless("the order of two pipes", "two pipes have no order between them; `barriers` judges what had to be said when", LINUX)
def _(view):
    view.seen["lines"].sort(key=lambda said: said[0])


@harmless("lines that claim nothing", "after the last barrier a process may print plain text that is no line of the payload's kind", LINUX)
def _(view):
    known = [marker.encode() for marker in [*MARKERS, LAST]]

    def claims(line):
        return not PLAIN.fullmatch(line) or NOT_PLAIN.search(line) or any(text in line for text in known)
    left = {who: len(lines) for who, lines in view.seen["barriers"].get(2, {"printed": {}})["printed"].items()}
    kept = []
    for who, line in view.seen["lines"]:
        left[who] = left.get(who, 0) - 1
        kept += [(who, line)] if claims(line) or left[who] >= 0 else []
    view.seen["lines"] = kept


@harmless("more seals than are needed", "shrink, grow, and one of write and future-write keep a peer from writing; more do no harm", LINUX)
def _(view):
    for barrier in view.seen["barriers"].values():
        for identity, names in barrier["seals"].items():
            if names and {"shrink", "grow"} <= set(names) and {"write", "future-write"} & set(names):
                barrier["seals"][identity] = "sealed"


@harmless("numbers of descriptors", "beyond its own four a process numbers them as it likes; a producer holds its objects as it likes, a consumer one of each or none", LINUX)
def _(view):
    handed = {identity for packet in view.seen["packets"] for identity, _ in packet[4]}
    for barrier in view.seen["barriers"].values():
        for who, sight in barrier["sights"].items():
            for found in sight["descriptors"]:
                found["number"] = min(found["number"], 4)
            others = sorted(found["identity"] for found in sight["descriptors"] if found["number"] == 4)
            own = sorted((found["number"], found["identity"]) for found in sight["descriptors"] if found["number"] < 4)
            sight["descriptors"] = own, [
                other for other in others if other not in handed or who != facts.PRODUCER_PID and others.count(other) > 1]


@harmless("how the producer maps what it made", "any view of every page, seen at either barrier, will do, and what else it maps is its own;"
          " a mapping that is seen twice is one", LINUX)
def _(view):
    sizes = {identity: size for packet in view.seen["packets"] for identity, size in packet[4]}
    pages = view.seen["producer's pages"] = set()
    for barrier in view.seen["barriers"].values():
        for who, sight in barrier["sights"].items():
            if who == facts.PRODUCER_PID:
                pages.update((m["identity"], page) for m in sight["mappings"]
                             for page in range(m["off"] // 4096, (m["off"] + m["size"]) // 4096)
                             if page * 4096 < sizes.get(m["identity"], 0))
                sight["mappings"] = []
            else:
                sight["mappings"] = sorted({str(sorted(m.items(), key=str)) for m in sight["mappings"]})


@harmless("the blob given back early", "the consumer owes the blob's mapping at the blob's reply, not at the page's", LINUX)
def _(view):
    barriers = view.seen["barriers"]
    if {1, 2} <= barriers.keys() and {facts.CONSUMER_PID} <= barriers[1]["sights"].keys() & barriers[2]["sights"].keys():
        first, second = (barriers[tag]["sights"][facts.CONSUMER_PID] for tag in (1, 2))
        second["mappings"] = [mapping for mapping in second["mappings"] if mapping not in first["mappings"]]
