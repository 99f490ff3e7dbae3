# SPDX-License-Identifier: Apache-2.0
"""The checks that read another fact on Linux, and those that need a parent of both processes."""
from judge import audit as audits, check_protocol, check_run, check_share, facts
from judge.check_protocol import RIGHT_READ
from judge.facts import CONSUMER_PID, OK, PRODUCER_PID, ROLES, TAG_BLOB, TAG_PAGE
from judge.facts import judged, met, not_checked, red

STANDARD = (0, 1, 2, 3)  # each payload starts with three pipes and its channel
AT_THE_END = (0, 2)
STOPPED = {
    facts.WALL: "they were stopped at the wall timeout",
    facts.LOG_CAP: "the output reached its cap",
    facts.GRACE: f"one process outlived the other by {facts.GRACE_SECONDS} s and was stopped",
}


def limits(ctx):
    """As on our kernel; also, no process outlived the other by 3 seconds, and neither sent more
    or larger packets than the relay's bounds."""
    observed = ctx.boot.observed
    problems = [STOPPED.get(observed.stopped, observed.stop_reason)] if observed.stopped else []
    counts = f"{observed.bytes_said} bytes of output, {len(observed.packets)} packets"
    return judged(problems, f"{counts}, {observed.seconds:.2f} s")


def ending(status):
    if status is None:
        return "had to be ended"
    return f"signal {-status}" if status < 0 else str(status)


def exit_code(ctx):
    """Both processes exited with 0."""
    statuses = ctx.boot.observed.statuses
    text = ", ".join(f"{role} {ending(statuses[number])}" for number, role in ROLES.items())
    return met(all(statuses[number] == ctx.manifest["exit_code"] for number in ROLES), text)


def image(ctx):
    """At each barrier and at its end, the program of each process (`/proc/PID/exe`) was the hashed
    file, byte for byte."""
    problems, looks = [], 0
    for number, role in ROLES.items():
        wanted = ctx.boot.images[role].before
        sights = [barrier.sights[number] for barrier in ctx.boot.observed.barriers.values()]
        sights.append(ctx.boot.observed.children[number].at_exit)
        seen = [sight.image for sight in sights if sight and sight.image]
        blind = sum(1 for sight in sights if sight and sight.state == "S" and not sight.image)
        problems += [f"the program of the {role} was not read at {blind} looks"] if blind else []
        problems += [] if seen else [f"the {role} was never looked at"]
        other = sorted(set(seen) - {wanted})
        problems += [f"the {role} ran {image[:12]}, not {wanted[:12]}" for image in other]
        looks += len(seen)
    return judged(problems, f"both ran the files that were hashed, at {looks} looks")


def tasks(ctx):
    """Both are children of the harness and exited with 0, and left no process running. The harness
    ends those that are left."""
    problems = []
    for number, role in ROLES.items():
        end = audits.words(ctx.audit.first("task", "pid", number), "state end status")
        problems += [f"{role}: {end}"] if end != "state=reaped end=exit status=0" else []
    if strays := ctx.boot.observed.strays:
        names = " ".join(sorted(set(strays.values())))
        problems.append(f"left {len(strays)} other processes running: {names}")
    return judged(problems, "producer and consumer both exited with 0 and left no other process")


def packet_problem(packet, lends):
    """Why a packet's descriptors are not those that it announces, or may not be sent; or None."""
    count, header = len(packet.held), packet.header()
    if packet.sender == CONSUMER_PID and count and not lends:
        return "comes from the consumer and carries a descriptor"
    if header is None:
        what = f"of {len(packet.data)} bytes with {count} descriptors"
        return None if packet.is_grant() else f"{what} is no message and no grant"
    wanted = 1 if header.kind == facts.KIND_HANDLE else 0
    return None if count == wanted else f"carries {count} descriptors, not {wanted}"


def protocol(ctx):
    """As on our kernel, but for names and slots; also, the transfer passed between the blob's
    reply and the page's request."""
    outcome, packets = check_protocol.protocol(ctx), ctx.boot.observed.packets
    if outcome.status != OK:
        return outcome
    ways = [(packet.sender, packet.tag()) for packet in packets]
    grants = [at for at, packet in enumerate(packets) if packet.is_grant()]
    numbers = [int.from_bytes(packets[at].data[4:], "little") for at in grants]
    if numbers != list(range(1, len(grants) + 1)):
        return red(f"transfers have the numbers {numbers[:4]}")
    if grants:
        reply, request = ways.index((CONSUMER_PID, TAG_BLOB)), ways.index((PRODUCER_PID, TAG_PAGE))
        if not reply < grants[0] < request:
            return red("the page was handed over before the blob's reply, or after its own request")
    return outcome


def messages_clean(ctx):
    """As on our kernel; also, each packet is a message with as many descriptors as it says, or
    a transfer of one; the consumer hands over none; transfers hold no secret."""
    outcome = check_share.messages_clean(ctx)
    problems = outcome.problems()
    for number, packet in enumerate(ctx.boot.observed.packets):
        if problem := packet_problem(packet, ctx.form.lends):
            problems.append(f"packet {number} {problem}")
        if packet.receiver == CONSUMER_PID and not packet.is_message():
            found = check_run.secrets_in(packet.data, ctx.host.secrets())
            problems += [f"packet {number} holds the {name}" for name in found]
    return judged(problems, outcome.evidence)


def read_only(ctx):
    """All mappings of the consumer, but for the page that it may write, are `r--s`; the objects
    came with right READ alone."""
    records = check_share.for_readers(ctx, ctx.audit.maps_of(CONSUMER_PID))
    problems = [] if records else [check_share.NOTHING_MAPPED]
    bad = [record for record in records if record["perms"] != "r--s"]
    problems += [f"VMO {record['vmo']} mapped {record['perms']}" for record in bad]
    packets = [packet for packet in ctx.boot.observed.packets if packet.held]
    written = [identity for what, _, _, identity in given(ctx)[0] if what == facts.RETURN_PAGE]
    headers = [p.header() for p in packets if p.held[0].identity not in written]
    bad = [header.rights for header in headers if header and header.rights != RIGHT_READ]
    problems += [f"a VMO was handed over with rights {rights}" for rights in bad]
    return judged(problems, f"{len(records)} mappings of the consumer, all r--s")


def accessed(ctx):
    """Every page that the consumer mapped is in its page table (Rss in `/proc/PID/smaps`), those of
    blob and page at the barrier of their reply."""
    records = ctx.audit.maps_of(CONSUMER_PID)
    if any(record["accessed"] is None for record in records):
        return not_checked("/proc/PID/smaps does not say which pages are present")
    problems, count = check_share.accessed_problems(check_share.for_readers(ctx, records))
    sizes = {vmo["id"]: facts.whole_pages(vmo["bytes"]) for vmo in ctx.audit["vmo"]}
    beyond = [r["vmo"] for r in records if r["off"] + r["bytes"] > sizes[r["vmo"]]]
    problems += [f"VMO {vmo} is mapped beyond its end" for vmo in beyond]
    due = [(barrier and barrier.tag, identity) for _, _, barrier, identity in given(ctx)[0]]
    for tag, barrier in sorted(ctx.boot.observed.barriers.items()):
        maps = [m for m in barrier.sights[CONSUMER_PID].mappings if m.identity in barrier.seals]
        whole = {m.identity for m in maps if m.present and m.present * facts.PAGE_BYTES == m.size}
        missing = len({*(m.identity for m in maps), *(i for at, i in due if at == tag)} - whole)
        if missing:
            problems.append(f"at reply {tag} pages of {missing} objects were not present")
    present = f"{count} of {count} pages present in the consumer's page table"
    return judged(problems, f"{present} (dirtied: Linux does not tell)")


def authors(ctx):
    """Every marker and the evidence line came out of its own process's pipe; none is missing."""
    said = [(number, line.decode("latin-1")) for number, line in ctx.boot.observed.lines]
    problems, texts = check_run.author_problems(ctx.manifest, said), {text for _, text in said}
    wanted = ctx.manifest["markers"] + [ctx.manifest["last_marker"]]
    problems += [f"nobody printed '{marker}'" for marker in wanted if marker not in texts]
    return judged(problems, "each marker by its own process")


# ---- What was seen of both processes -------------------------------------------------------------
def barriers(ctx):
    """Each reply was held back, and so were a fill's request and answer. Both processes were asleep
    then; the markers that were due had been printed, and the later ones had not."""
    markers, problems = [*ctx.manifest["markers"], ctx.manifest["last_marker"]], []
    lines = {n: [line for who, line in ctx.boot.observed.lines if who == n] for n in ROLES}
    for tag, count in ctx.form.due:
        wanted, later = set(markers[:count]), set(markers[count:])
        what = "message" if ctx.form.lends else "reply"
        barrier, reply = ctx.boot.observed.barriers.get(tag), f"{what} {tag}"
        if barrier is None:
            problems.append(f"{reply} was never held back")
            continue
        said = {line.decode("latin-1") for lines in barrier.printed.values() for line in lines}
        early = later | {x for x in said if x.startswith(facts.EVIDENCE_PREFIX)}
        found = [f"'{marker}' was not there yet" for marker in sorted(wanted - said)]
        found += [f"'{marker[:60]}' was there before it" for marker in sorted(early & said)]
        printed = sorted(barrier.printed.items())
        other = [ROLES[n] for n, text in printed if text != lines[n][: len(text)]]
        found += [f"the {role} had printed other lines than in the end" for role in other]
        awake = [(ROLES[n], s.state) for n, s in sorted(barrier.sights.items()) if s.state != "S"]
        found += [f"the {role} was in state {state}" for role, state in awake]
        problems += [f"{reply}: {text}" for text in found]
    text = "both asleep, each marker after its fact"
    return judged(problems, f"{len(ctx.form.due)} messages held back, {text}")


def given(ctx):
    """-> ((what, length, barrier or None, identity) of each object for the consumer, problems)"""
    observed, found = ctx.boot.observed, []
    packets = [packet for packet in observed.packets if packet.receiver == CONSUMER_PID]
    identities = [held.identity for packet in packets for held in packet.held]
    for number, ((what, length), identity) in enumerate(zip(ctx.host.vmos(), identities)):
        barrier = observed.barriers.get(number // ctx.form.vmos_a_reply + 1)
        found.append((what, length, barrier, identity))
    count = len(ctx.host.vmos())
    return found, [] if len(found) == count else [f"{len(found)} objects instead of {count}"]


def is_sealed(names):
    """Whether no peer can write, neither by write() nor through a new mapping."""
    return bool(names and {"shrink", "grow"} <= names and {"future-write", "write"} & names)


def seals(ctx):
    """At the barrier of its reply and at later ones, each object that the consumer may only read is
    sealed against shrinking, growing, and writing or future writing, read from the harness's own
    duplicate."""
    (objects, problems), shown = given(ctx), []
    reached = sorted(ctx.boot.observed.barriers.items())
    readable = (found for found in objects if found[0] != facts.RETURN_PAGE)
    for what, _, barrier, identity in readable:
        found = barrier.seals.get(identity) if barrier else None
        first = barrier.tag if barrier else 0
        every = [later.seals.get(identity) for tag, later in reached if tag >= first]
        found = next((names for names in every if not is_sealed(names)), found)
        text = "+".join(sorted(found)) if found else "none"
        shown.append(f"{what} {text}")
        if barrier is None:
            problems.append(f"{what}: its barrier was not reached")
        elif not is_sealed(found):
            problems.append(f"{what}: seals {text}")
    return judged(problems, ", ".join(shown))


def content(ctx):
    """Read at its barrier through the harness's own duplicate, each object gives host-ref's digest,
    with zeros behind its length."""
    objects, problems = given(ctx)
    reached = sorted(ctx.boot.observed.barriers.items())
    for (what, length, barrier, identity), shared in zip(objects, ctx.host.objects()):
        data = barrier and barrier.contents.get(identity)
        later = [b.contents.get(identity) for tag, b in reached if tag >= shared.tag]
        if any(found != data for found in later):
            problems.append(f"{what}: its object held other bytes at another barrier")
        if data is None:
            problems.append(f"{what}: nothing was read at its barrier")
        elif (computed := facts.sha256_hex(data[:length])) != shared.digest:
            both = f"{computed[:16]}.., host-ref says {shared.digest[:16]}.."
            problems.append(f"{what}: its object gives {both}")
        elif data[length:].strip(b"\0"):
            problems.append(f"{what}: its object is not zero after {length} bytes")
    return judged(problems, "blob and page, read through own descriptors, have host-ref's digests")


def sight_problems(ctx, number, sight, handed):
    """A process has its first four descriptors and handed objects, the consumer one of each."""
    own, has = ctx.boot.observed.children[number].own, sight.descriptors
    changed = [d for d in has if d.number in STANDARD and d.identity != own[d.number]]
    problems = [f"its descriptor {d.number} is {d.name}" for d in changed]
    others = [d for d in has if d.number not in STANDARD]
    strange = [d for d in others if d.identity not in handed]
    problems += [f"descriptor {d.number} is {d.name}" for d in strange]
    seen = [d.identity for d in others if d.identity in handed]
    closed = set(STANDARD) - {d.number for d in has} if has else ()
    problems += [f"its descriptor {number} is closed" for number in sorted(closed)]
    if number == CONSUMER_PID and len(seen) != len(set(seen)) and not ctx.form.lends:
        problems.append(f"{len(seen)} descriptors of {len(set(seen))} objects")
    return problems


def end_problems(ctx, number, handed):
    """At its end a process has given everything back."""
    child = ctx.boot.observed.children[number]
    if child.at_exit is None or not child.at_exit.descriptors:
        return ["ended before it could be looked at"]
    kept = {found.number: found for found in child.at_exit.descriptors}
    late = [found for n, found in kept.items() if n not in AT_THE_END]
    problems = [f"descriptor {found.number} is still open: {found.name}" for found in late]
    lost = [n for n in AT_THE_END if n not in kept or kept[n].identity != child.own[n]]
    problems += [f"its descriptor {n} is another or closed" for n in lost]
    maps = [m for m in child.at_exit.mappings if m.identity in handed or m.perms[3] == "s"]
    return problems + [f"still maps {mapping.name or 'an object'}" for mapping in maps]


def descriptors(ctx):
    """At each barrier a process has its own 0 to 3 and objects that were handed over, the consumer
    one descriptor of each; at its end only 0 and 2 are left, and nothing shared is mapped."""
    handed = {identity for *_, identity in given(ctx)[0]}
    problems, counts = [], []
    for number, role in ROLES.items():
        for tag, barrier in sorted(ctx.boot.observed.barriers.items()):
            sight, when = barrier.sights[number], f"at reply {tag}"
            counts.append(f"{role} {len(sight.descriptors)} {when}")
            found = sight_problems(ctx, number, sight, handed)
            problems += [f"{role} {when}: {text}" for text in found]
        problems += [f"{role}: {text}" for text in end_problems(ctx, number, handed)]
    text = f"{', '.join(counts)}; no channel, object or mapping left at the end of either"
    return judged(problems, text)
