# SPDX-License-Identifier: Apache-2.0
"""The edits of a green run on Linux that may leave it green (fuzz_harmless.py)."""
from judge import facts
from fuzz_harmless import LINUX, MARKERS, NOT_PLAIN, PLAIN, harmless


def last_barrier(view):
    return facts.TAG_PAGE if view.facts["host"]["proof"] == facts.SHARE else facts.TAG_BLOB


@harmless("hazards on Linux", "a hazard is a call of the kernel's contract, which a Linux process cannot make; the verdict says that they"
          " were not checked", LINUX)
def _(view):
    if isinstance(view.facts["manifest"].get("hazards"), list):
        view.facts["manifest"]["hazards"] = []


@harmless("names in /proc", "an object is told by device and inode; names are for people", LINUX)
def _(view):
    handed = {identity for packet in view.seen["packets"] for identity, _ in packet[4]}
    for sight in [*view.sights(), *view.seen["ends"].values()]:
        for found in sight["descriptors"]:
            found["name"] = ""
        for mapping in sight["mappings"]:
            told = mapping["perms"][3:] != "s" and mapping["identity"] not in handed
            mapping["name"] = "/memfd:" if told and mapping["name"].startswith("/memfd:") else ""


@harmless("a process's private memory", "only mappings of what was handed over and shared ones are records", LINUX)
def _(view):
    handed = {identity for packet in view.seen["packets"] for identity, _ in packet[4]}
    for sight in [*view.sights(), *view.seen["ends"].values()]:
        sight["mappings"] = [mapping for mapping in sight["mappings"] if mapping["perms"][3:] == "s"
                             or mapping["identity"] in handed or mapping["name"].startswith("/memfd:")]


@harmless("the order of two pipes", "two pipes have no order between them; `barriers` judges what had to be said when", LINUX)
def _(view):
    view.seen["lines"].sort(key=lambda said: said[0])


@harmless("lines that claim nothing", "after the last barrier a process may print plain text that is no line of the payload's kind, or a note", LINUX)
def _(view):
    known = [marker.encode() for marker in MARKERS]

    def claims(line):
        rest = line.removeprefix(b"vmo: note ").removeprefix(b"audit ")  # nothing reads an audit on Linux
        return not PLAIN.fullmatch(line) or NOT_PLAIN.search(rest) or any(text in line for text in known)
    left = {who: len(lines) for who, lines in view.seen["barriers"].get(last_barrier(view), {"printed": {}})["printed"].items()}
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


@harmless("numbers of descriptors", "beyond its own four a process numbers them as it likes; a producer holds its objects as it likes, a consumer one of each or none; a number seen twice is"
          " one descriptor", LINUX)
def _(view):
    lends = view.facts["host"]["proof"] == facts.FILL  # a client holds what it lends as it likes, a provider nothing
    handed = {identity for packet in view.seen["packets"] for identity, _ in packet[4]}
    for barrier in view.seen["barriers"].values():
        for who, sight in barrier["sights"].items():
            for found in sight["descriptors"]:
                found["number"] = min(found["number"], 4)
            others = sorted(found["identity"] for found in sight["descriptors"] if found["number"] == 4)
            own = sorted({(found["number"], found["identity"]) for found in sight["descriptors"] if found["number"] < 4})
            sight["descriptors"] = own, [
                other for other in others if other not in handed or (who == facts.PRODUCER_PID) == lends and (lends or others.count(other) > 1)]


@harmless("how the producer maps what it made", "any view of every page, seen at either barrier, will do; what else it maps is its own unless the"
          " consumer maps it, too; a mapping that is seen twice is one", LINUX)
def _(view):
    sizes = {identity: size for packet in view.seen["packets"] for identity, size in packet[4]}
    pages = view.seen["producer's pages"] = set()
    for barrier in view.seen["barriers"].values():
        for who, sight in barrier["sights"].items():
            if who == facts.PRODUCER_PID:
                pages.update((m["identity"], page) for m in sight["mappings"]
                             for page in range(m["off"] // 4096, -(-(m["off"] + m["size"]) // 4096))
                             if page * 4096 < sizes.get(m["identity"], 0))
                sight["mappings"] = [m["identity"] for m in sight["mappings"]
                                     if m["identity"] in view.consumers and m["identity"] not in sizes]
            else:
                sight["mappings"] = sorted({str(sorted(m.items(), key=str)) for m in sight["mappings"]})


@harmless("the blob given back early", "the consumer owes the blob's mapping at the blob's reply, not at the page's", LINUX)
def _(view):
    barriers = view.seen["barriers"]
    if {1, 2} <= barriers.keys() and {facts.CONSUMER_PID} <= barriers[1]["sights"].keys() & barriers[2]["sights"].keys():
        first, second = (barriers[tag]["sights"][facts.CONSUMER_PID] for tag in (1, 2))
        second["mappings"] = [mapping for mapping in second["mappings"] if mapping not in first["mappings"]]


@harmless("a process at its end", "its exit status tells how it ended, and a descriptor that is seen twice is one; `descriptors` judges what"
          " it has left", LINUX)
def _(view):
    for sight in view.seen["ends"].values():
        sight["state"] = ""
        sight["descriptors"] = sorted({(found["number"], found["identity"]) for found in sight["descriptors"]})
