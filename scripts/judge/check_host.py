# SPDX-License-Identifier: Apache-2.0
"""Checks that differ on Linux, where the facts are what the harness saw of two processes (host_run.py)."""
from judge import check_log
from judge import check_run
from judge import check_share
from judge import facts
from judge import host_model
from judge import host_run
from judge import proof
from judge.context import OK, judged, not_checked

STANDARD = (0, 1, 2, 3)  # what every payload starts with: three pipes and its channel
AT_THE_END = {0, 2}
RIGHT_READ = 1
KIND_HANDLE = 2
STOPPED = {host_run.WALL: "they were stopped at the wall timeout", host_run.LOG_CAP: "the output reached its cap",
           host_run.GRACE: f"one process outlived the other by {host_run.GRACE_SECONDS} s and was stopped"}

SENT, MAPPED, HASHED = "vmo: producer sent handle", "vmo: consumer mapped ok", "vmo: sha256 ok"


def untold(why):
    """A check that has nothing to look at on Linux."""
    return lambda ctx: not_checked(why)


def limits(ctx):
    observed = ctx.boot.observed
    problems = [STOPPED.get(observed.stopped, observed.stopped_why)] if observed.stopped else []
    return judged(problems, f"{observed.bytes_said} bytes of output, {len(observed.packets)} packets,"
                            f" {observed.seconds:.2f} s")


def said_status(status):
    return "had to be ended" if status is None else f"signal {-status}" if status < 0 else str(status)


def exit_code(ctx):
    statuses = ctx.boot.observed.statuses
    text = ", ".join(f"{proof.ROLES[number]} {said_status(statuses[number])}" for number in sorted(proof.ROLES))
    wanted = ctx.manifest["exit_code"]
    return judged([] if all(statuses[number] == wanted for number in proof.ROLES) else [text], text)


def images(ctx):
    names = ("producer", "consumer")
    problems = check_run.changed_images(ctx.boot, names)
    known, count = check_run.consumer_problems(ctx)
    return judged(problems + known, check_run.image_text(ctx.boot, names, count))


def tasks(ctx):
    """Both are the harness's own children, both came to a good end, and they left no other process."""
    problems = []
    for number, role in proof.ROLES.items():
        task = ctx.audit.task(number)
        if (task["state"], task["end"], task["status"]) != ("reaped", "exit", 0):
            problems.append(f"{role}: state={task['state']} end={task['end']} status={task['status']}")
    strays = ctx.boot.observed.strays
    if strays:
        problems.append(f"left {len(strays)} other processes running: {' '.join(sorted(set(strays.values())))}")
    return judged(problems, "producer and consumer: two processes of the harness's, both exited with 0, and no other")


def is_grant(packet):
    return (len(packet.data) == proof.GRANT.size and len(packet.held) == 1
            and proof.GRANT.unpack(packet.data)[0] == proof.GRANT_MAGIC)


def packet_problem(packet):
    """A packet carries what it says, and only the producer hands over."""
    count, fields = len(packet.held), packet.header()
    if packet.sender == proof.CONSUMER_PID and count:
        return "comes from the consumer and carries a descriptor"
    if fields is None:
        return None if is_grant(packet) else f"of {len(packet.data)} bytes with {count} descriptors is no message and no grant"
    wanted = 1 if fields[1] == KIND_HANDLE else 0
    return None if count == wanted else f"carries {count} descriptors, not {wanted}"


def messages_clean(ctx):
    """As in QEMU, and moreover the packets that hand over without being messages."""
    outcome = check_share.messages_clean(ctx)
    problems = [] if outcome.status == OK else [outcome.evidence]
    for number, packet in enumerate(ctx.boot.observed.packets):
        problem = packet_problem(packet)
        problems += [f"packet {number} {problem}"] if problem else []
        if packet.receiver == proof.CONSUMER_PID and not packet.is_message():
            problems += [f"packet {number} holds the {name}"
                         for name in check_run.secrets_in(packet.data, ctx.host.secrets())]
    return judged(problems, outcome.evidence)


def read_only(ctx):
    records = proof.maps_of(ctx.audit, proof.CONSUMER_PID)
    problems = [] if records else ["the consumer mapped nothing"]
    problems += [f"VMO {record['vmo']} mapped {record['perms']}" for record in records if record["perms"] != "r--s"]
    for packet in ctx.boot.observed.packets:
        fields = packet.header()
        if fields and packet.held and fields[4] != RIGHT_READ:
            problems.append(f"a VMO was handed over with rights {fields[4]}")
    return judged(problems, f"{len(records)} mappings of the consumer, all r--s")


def accessed(ctx):
    records = proof.maps_of(ctx.audit, proof.CONSUMER_PID)
    if any(record["accessed"] is None for record in records):
        return not_checked("/proc/PID/smaps does not say which pages are present")
    problems, count = check_share.accessed_problems(records)
    return judged(problems, f"{count} of {count} pages present in the consumer's page table (dirtied: Linux does not"
                            " tell)")


def counters(ctx):
    if ctx.evidence is None:
        return not_checked("there is no evidence line to compare")
    problems, text = check_share.counter_problems(ctx)
    return judged(problems, f"{text}, as the harness carried")


def given(ctx):
    """Objects that went to the consumer: (what, its tag, Identity)."""
    objects = [held.identity for packet in ctx.boot.observed.packets
               if packet.receiver == proof.CONSUMER_PID for held in packet.held]
    return list(zip(("blob", "page"), (proof.TAG_BLOB, proof.TAG_PAGE), objects))


def seals(ctx):
    """On the harness's own duplicate, at the barrier of the object's reply: nobody can write or resize it anew."""
    objects = given(ctx)
    problems = [] if len(objects) == 2 else [f"{len(objects)} objects instead of 2"]
    shown = []
    for what, tag, identity in objects:
        barrier = ctx.boot.observed.barriers.get(tag)
        found = barrier.seals.get(identity) if barrier else None
        text = "+".join(sorted(found)) if found else "none"
        shown.append(f"{what} {text}")
        if barrier is None:
            problems.append(f"{what}: its barrier was not reached")
        elif not host_model.is_sealed(found):
            problems.append(f"{what}: seals {text}")
    return judged(problems, ", ".join(shown))


def content(ctx):
    """The harness's own duplicate holds what host-ref made, and zeros behind it, while the consumer maps it."""
    expected = {"blob": (ctx.host.blob, ctx.host.digest_hex), "page": (ctx.host.page, ctx.host.page_digest_hex)}
    objects = given(ctx)
    problems = [] if len(objects) == 2 else [f"{len(objects)} objects instead of 2"]
    for what, tag, identity in objects:
        barrier = ctx.boot.observed.barriers.get(tag)
        data = barrier.contents.get(identity) if barrier else None
        wanted, digest = expected[what]
        if data is None:
            problems.append(f"{what}: nothing was read at its barrier")
            continue
        computed = facts.sha256_hex(data[:len(wanted)])
        if computed != digest:
            problems.append(f"{what}: its object gives {computed[:16]}.., host-ref says {digest[:16]}..")
        elif data[len(wanted):].strip(b"\0"):
            problems.append(f"{what}: something stands behind its {len(wanted)} bytes")
    return judged(problems, "blob and page, read through descriptors of the harness's own, give host-ref's digests")


def authors(ctx):
    """Each marker came out of the process that states its fact, and none is missing."""
    said = [(number, line.decode("latin-1")) for number, line in ctx.boot.observed.lines]
    texts = {text for _, text in said}
    problems = check_log.author_problems(ctx.manifest, said)
    problems += [f"nobody printed '{marker}'" for marker in ctx.manifest["markers"] + [ctx.manifest["last_marker"]]
                 if marker not in texts]
    return judged(problems, "each marker by its own process")


def barriers(ctx):
    """When a reply was held back both processes stood still, and had said what they could know and no more."""
    last = ctx.manifest["last_marker"]
    known = {proof.TAG_BLOB: ({SENT, MAPPED}, {HASHED, last}), proof.TAG_PAGE: ({SENT, MAPPED, HASHED}, {last})}
    problems = []
    for tag, (due, early) in known.items():
        barrier = ctx.boot.observed.barriers.get(tag)
        if barrier is None:
            problems.append(f"reply {tag} was never held back")
            continue
        said = {line.decode("latin-1") for lines in barrier.printed.values() for line in lines}
        problems += [f"reply {tag}: '{marker}' was not there yet" for marker in sorted(due - said)]
        problems += [f"reply {tag}: '{marker}' was there before it" for marker in sorted(early & said)]
        problems += [f"reply {tag}: the {proof.ROLES[number]} was in state {sight.state}"
                     for number, sight in sorted(barrier.sights.items()) if sight.state != "S"]
    return judged(problems, "both replies held back, both processes asleep, each marker after its fact")


def sight_problems(ctx, number, sight, handed):
    """At a barrier: the four that it started with, and objects that were handed over; one each in the consumer."""
    own = ctx.boot.observed.children[number].own
    problems, seen = [], []
    for descriptor in sight.descriptors:
        if descriptor.number in STANDARD:
            if descriptor.identity != own[descriptor.number]:
                problems.append(f"its descriptor {descriptor.number} is {descriptor.name}")
        elif descriptor.identity in handed:
            seen.append(descriptor.identity)
        else:
            problems.append(f"descriptor {descriptor.number} is {descriptor.name}")
    if number == proof.CONSUMER_PID and len(seen) != len(set(seen)):
        problems.append(f"{len(seen)} descriptors of {len(set(seen))} objects")
    return problems


def end_problems(ctx, number, handed):
    """At its end a process has given back all that it had."""
    looked = ctx.boot.observed.children[number].looked
    if looked is None or not looked.descriptors:
        return ["ended before it could be looked at"]
    problems = [f"descriptor {descriptor.number} is still open: {descriptor.name}"
                for descriptor in looked.descriptors if descriptor.number not in AT_THE_END]
    problems += [f"still maps {mapping.name or 'an object'}" for mapping in looked.mappings
                 if mapping.identity in handed]
    return problems


def descriptors(ctx):
    handed = {identity for _, _, identity in given(ctx)}
    problems, counts = [], []
    for number, role in proof.ROLES.items():
        for tag, barrier in sorted(ctx.boot.observed.barriers.items()):
            sight = barrier.sights[number]
            counts.append(f"{role} {len(sight.descriptors)} at reply {tag}")
            problems += [f"{role} at reply {tag}: {text}" for text in sight_problems(ctx, number, sight, handed)]
        problems += [f"{role}: {text}" for text in end_problems(ctx, number, handed)]
    return judged(problems, f"{', '.join(counts)}; no channel, object or mapping left at the end of either")
