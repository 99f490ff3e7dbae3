# SPDX-License-Identifier: Apache-2.0
"""Checks of what a witness saw (scripts/witness): it stopped QEMU at each system call of both tasks
and walked their page tables. None of it relies on what the kernel says."""
from judge import audit as audits, check_record, check_run, check_share as share, facts
from judge.facts import CONSUMER_PID, PRODUCER_PID, judged, met, red

# What only a kernel can number, or count.
NOT_SEEN = {"made", "ended", "sent", "seq", "user", "instret", "n"}
KINDS = "task image vmo map copy hand msg say hash lost result".split()


# ---- Audit and witness ---------------------------------------------------------------------------
def disagreements(told, saw):
    """Facts of the kernel's audit that the witness saw otherwise, or not at all."""
    unasked = set() if told.one("begin")["hashes"] else {"image", "hash", "wcaps", "wmaps"}
    for kind in (kind for kind in KINDS if kind not in unasked):
        keys = [key for key, _ in audits.FORMS[kind][1] if key not in NOT_SEEN | unasked]
        theirs = [record for record in told[kind] if record.get("by") != "kernel"]
        ours = saw[kind]
        if len(theirs) != len(ours):
            yield f"'{kind}': the audit has {len(theirs)}, the witness {len(ours)}"
        for number, (one, other) in enumerate(zip(theirs, ours)):
            # A fault is no call: only the kernel knows of it, until somebody waits for the task.
            unseen = kind == "task" and (one["state"], other["state"]) == ("faulted", "live")
            for key in () if unseen else keys:
                if one[key] != other[key]:
                    where = f"'{kind}' {number}: {key}"
                    yield f"{where}={one[key]} in the audit, {other[key]} for the witness"
    pairs = zip(events(told, saw, unasked), events(saw, saw, unasked))
    other = next((pair for pair in pairs if pair[0] != pair[1]), None)
    if other:
        yield f"after the same events comes {other[0]} in the audit, {other[1]} for the witness"


def events(audit, saw, unasked):
    """What happened, in order, but for mappings that went with their task: a kernel may take them
    away when it likes."""
    found, gone = [], {at for at, record in enumerate(saw["map"]) if record["with_task"]}
    for kind, key in (pair for pair in check_record.NUMBERED if pair[0] not in unasked):
        for number, record in enumerate(r for r in audit[kind] if r.get("by") != "kernel"):
            if record[key] and not (key == "ended" and number in gone):
                found.append((record[key], f"'{kind}' {number} {key}"))
    return [name for _, name in sorted(found)]


def witness(ctx):
    """The witness saw the whole run, from both tasks' first instructions to init's end: each ecall
    stands in its file's text, each task was loaded from its file and ran no other code, each
    answer and each message fits what went before. Where the kernel prints an audit, both agree in
    every fact."""
    watch = ctx.boot.watch
    problems, text = list(watch.model.faults), f"{watch.stops} stops, {watch.seconds:.2f} s"
    if not (problems or watch.is_done):
        problems = ["the witness did not see init's end"]
    if ctx.told:
        problems += disagreements(ctx.told, watch.model.audit)
        text += f"; agrees with the audit's {ctx.told.line_count} lines"
    elif ctx.boot.must_audit or ctx.audit_error:
        problems.append(f"the audit is not in form: {ctx.audit_error or 'there is none'}")
    return judged(problems, text)


# ---- Both views ----------------------------------------------------------------------------------
READ, WRITTEN = "VR..U.A.", "VRW.U.AD"


def view_problems(record, leaves, places, wanted):
    """One mapping at one moment. leaves: (physical address, bits) of its pages. places: those of
    the VMO's pages in the other task. wanted: pid -> bits"""
    first = record["off"] // facts.PAGE_BYTES
    for page, (place, bits) in enumerate(leaves, first):
        if bits.replace("G", ".") != wanted.get(record["pid"], bits.replace("G", ".")):
            yield f"page {page} of the {facts.ROLES[record['pid']]} has the bits {bits}"
        if places.setdefault(page, place) != place:
            yield f"page {page} of pid {record['pid']} is at {place:#x}, not {places[page]:#x}"


def views(ctx):
    """When each of the consumer's replies left, and again when each mapping ended or the run did:
    every page of the VMO was mapped in both tasks, at the same physical address, in the consumer
    V R U and A, neither W nor X nor D. (The return page of a stream: so in the producer, and in the
    consumer also W and D.)"""
    problems, texts, saw = [], [], ctx.boot.watch.model
    hands = share.handed(saw.audit)
    for (what, length), via in zip(ctx.host.vmos(), ctx.form.ways):
        mine, writes = [hand for hand in hands if hand["via"] == via], what == facts.RETURN_PAGE
        number, count = mine[writes]["vmo"] if len(mine) > writes else 0, facts.pages_of(length)
        wanted = {PRODUCER_PID: READ, CONSUMER_PID: WRITTEN} if writes else {CONSUMER_PID: READ}
        looks = [view for pid, vmo, view in saw.views if (pid, vmo) == (CONSUMER_PID, number)]
        if len(looks) != 1:
            problems.append(f"{what}: {len(looks)} looks at its reply instead of one")
            continue
        last = [r for r in saw.audit["map"] if r["vmo"] == number and "last" in r]
        ended = [(r, r["last"]) for r in last if all(r is not record for record, _ in looks[0])]
        places, seen = {}, {PRODUCER_PID: set(), CONSUMER_PID: set()}
        for record, leaves in [*looks[0], *ended, *((r, r["last"]) for r in last)]:
            found = view_problems(record, leaves, places, wanted)
            problems += [f"{what}: {problem}" for problem in found]
            first = record["off"] // facts.PAGE_BYTES
            seen.get(record["pid"], set()).update(range(first, first + len(leaves)))
        for pid, pages in seen.items():
            if pages != set(range(count)):
                problems.append(f"{what}: {len(pages)} of {count} pages seen in pid {pid}")
        if not problems:
            text = f"{what} at {places[0]:#x}, {count} pages in both tasks"
            texts.append(f"{text}, consumer {wanted[CONSUMER_PID]}")
    return judged(problems, "; ".join(texts))


# ---- What our own kernel's audit says, made from the witness -------------------------------------
def authors(ctx):
    """The payload's lines in the log are those that the witness saw the tasks print, in order; each
    marker and the evidence line was written by its own task."""
    lines = (record["line"].rstrip(b"\r").decode("latin-1") for record in ctx.audit["say"])
    said = list(zip(map(audits.author_of, ctx.audit["say"]), lines))
    logged = [line for line in ctx.console if line in ctx.spoken]
    heard = [line for _, line in said if line.startswith(facts.OWN)]
    problems = check_run.author_problems(ctx.manifest, said)
    if logged != heard:
        pairs = zip([*logged, "nothing"], [*heard, "nothing"])
        one, other = next(pair for pair in pairs if pair[0] != pair[1])
        problems.insert(0, f"the log has '{one[:60]}' where the witness saw '{other[:60]}' printed")
    return judged(problems, f"{len(heard)} lines of the payload, each marker by its own task")


def seal(ctx):
    """As on our kernel. On a1, the library also kept its word: no mapping of the consumer was ever
    writable, but for a stream's return page, and nobody wrote into the VMOs by a call."""
    outcome = share.kernel_seal(ctx)
    if ctx.boot.abi_rev != "a1" or outcome.status == facts.RED or ctx.evidence is None:
        return outcome
    maps = share.for_readers(ctx, ctx.audit.maps_of(CONSUMER_PID))
    maps = [record for record in maps if "w" in record["prot"]]
    copies = [r["pid"] for r in ctx.audit["copy"] if r["into"]]
    if maps or copies:
        return red(f"the consumer's writable mappings: {len(maps)}; written by pids {copies}")
    return met(True, f"{ctx.evidence['seal']} is the library's word, and no call broke it")
