# SPDX-License-Identifier: Apache-2.0
"""Checks of the whole run: limits, files, console and end.

A check's docstring says when it is ok; list_checks.py prints it.
"""
import re

import exit_codes
from judge import audit as audits, check_record, facts, notable
from judge.facts import FAIL_PREFIX, judged, met, not_checked, red

NOT_THE_GUESTS = {0: "an SBI shutdown", 1: "QEMU's own error"}
PIECE_BYTES = 8  # of a secret: finds one that was cut up, and never matches by chance
BLOCK_BYTES = 64  # of a payload
BLOCK_DISTINCT = 8  # byte values a block needs before its presence elsewhere means anything
BAD_WORDS = re.compile("(?i:panic|unexpected trap|sbi_trap_error|assertion|stack overflow|hazard)")
CONTROL = re.compile(r"[^\t\x20-\x7e]")
FIRMWARE_BANNER = re.compile(r"OpenSBI v[0-9]")
KERNEL_BANNER = re.compile(r"neuron vers")  # the original NEURON prints it at each start
# What the original kernel prints when it goes wrong: panics, exceptions, and what its own test
# scripts take for fatal.
FOREIGN_BAD = re.compile(
    r"(?i:panic|assertion|stack overflow|unexpected trap|sbi_trap_error)|EXC: scause|ILLEGAL"
    r"|\[USER-PF\]|LOCKDEP:|PT-VERIFY:|rx guard:|SELFTEST: (?:fail|.*\bFAIL)"
    r"|kernel: .*(?:killed|refused|watchdog)"
)


# ---- The run and its files ---------------------------------------------------------------------
def limits(ctx):
    """Neither the wall timeout nor the cap of the log was reached."""
    boot, problems = ctx.boot, []
    if boot.stopped == facts.WALL:
        problems.append(f"QEMU was stopped at the wall timeout, after {boot.seconds:.1f} s")
    if boot.stopped == facts.WATCH:
        problems.append(f"QEMU was stopped, because the witness gave up: {boot.watch.reason()}")
    if boot.stopped == facts.LOG_CAP or len(boot.log) >= boot.log_cap:
        problems.append(f"the log reached its cap of {boot.log_cap} bytes")
    is_over = boot.stopped == facts.LINGER
    how = f"; stopped {boot.linger:g} s after the last output" if is_over else ""
    return judged(problems, f"{len(boot.log)} bytes of log, {boot.seconds:.2f} s{how}")


def exit_code(ctx):
    """QEMU ended by itself with the code of the manifest's outcome (`done`: 85)."""
    code, wanted = ctx.boot.exit_code, exit_codes.number(ctx.manifest["exit_code"])
    if code is None:
        return red("QEMU did not end by itself")
    meanings = {**NOT_THE_GUESTS, **dict(exit_codes.load().values())}
    meaning = meanings.get(code, "a signal" if code < 0 else "no code of the kernel's")
    text = f"{code} ({meaning})"
    return met(code == wanted, text if code == wanted else f"{text} instead of {wanted}")


def pieces(secret):
    """Every run of PIECE_BYTES in a secret: raw, and as text in either case."""
    for start in range(len(secret) - PIECE_BYTES + 1):
        piece = secret[start : start + PIECE_BYTES]
        yield from (piece, piece.hex().encode(), piece.hex().upper().encode())


def secrets_in(data, secrets):
    """The names of the secrets that have a piece in data."""
    return [name for name, key in secrets.items() if any(piece in data for piece in pieces(key))]


def find_block(elf, *payloads):
    """-> (number of the payloads' aligned blocks that do not occur elsewhere by chance, where a
    file contains one or None)"""
    starts = ((data, range(0, len(data) - BLOCK_BYTES + 1, BLOCK_BYTES)) for data in payloads)
    blocks = {data[start : start + BLOCK_BYTES] for data, places in starts for start in places}
    blocks = {block for block in blocks if len(set(block)) >= BLOCK_DISTINCT}
    places = range(len(elf) - BLOCK_BYTES + 1)
    found = (start for start in places if elf[start : start + BLOCK_BYTES] in blocks)
    return len(blocks), next(found, None)


def init_problems(boot):
    """Under QEMU init holds the consumer, and a kernel with init built in holds init."""
    if facts.sha256_hex(boot.init_elf) != boot.images["init"].before:
        yield "init is not the file that was hashed"
    if not boot.consumer_elf or boot.consumer_elf not in boot.init_elf:
        yield "init does not contain the consumer ELF"
    if boot.built_in and (not boot.init_elf or boot.init_elf not in boot.kernel_image):
        yield "the kernel does not contain the prepared producer.elf byte for byte"
    elif boot.built_in and facts.sha256_hex(boot.kernel_image) != boot.images["kernel"].before:
        yield "the kernel is not the file that was hashed"


def images(ctx):
    """Kernel, init and consumer have the same SHA-256 as original, as private copy before the run,
    and after it; init contains the consumer; the consumer contains no 8-byte piece of challenge or
    digests, raw or hex, and no 64-byte block of the payload. A kernel with init built in contains
    it byte for byte. (On Linux the two are producer and consumer, and no file contains another.)"""
    boot, elf, problems = ctx.boot, ctx.boot.consumer_elf, []
    is_linux = boot.platform == facts.LINUX
    names = tuple(facts.ROLES.values()) if is_linux else ("kernel", "init", "consumer")
    for name in names:
        hashes = list(vars(boot.images[name]).values())
        if len(set(hashes)) != 1:
            problems.append(f"{name} changed: {' then '.join(text[:12] for text in hashes)}")
    if facts.sha256_hex(elf) != boot.images["consumer"].before:
        problems.append("consumer is not the file that was hashed")
    problems += [] if is_linux else init_problems(boot)
    found = secrets_in(elf, ctx.host.secrets())
    problems += [f"the consumer ELF contains the {name}" for name in found]
    count, where = find_block(elf, ctx.host.payload, ctx.host.blob)
    if where is not None:
        text = f"the consumer ELF contains a block of the payload, at its byte {where}"
        problems.append(f"{text} (a payload built from the same code does that too)")
    text = " ".join(f"{name}={boot.images[name].before[:12]}" for name in names)
    text += f"; none of {count} payload blocks in the consumer"
    if boot.built_in:
        text += f"; init at byte {boot.kernel_image.find(boot.init_elf)} of the kernel"
    return judged(problems, text)


def input_facts(ctx):
    """Blob = payload + challenge; page = the challenge, repeated; the challenge looks random; a
    file payload equals the file as the judge itself read it."""
    host, problems = ctx.host, []
    challenge = bytes.fromhex(host.challenge_hex)
    if len(challenge) != facts.CHALLENGE_BYTES or len(set(challenge)) < BLOCK_DISTINCT:
        problems.append("the challenge is not 32 random bytes")
    if not host.payload or host.blob != host.payload + challenge:
        problems.append("the blob is not the payload and the challenge")
    if host.page != challenge * (facts.PAGE_BYTES // facts.CHALLENGE_BYTES):
        problems.append("the page is not the challenge over and over")
    asked, length = host.spec.rpartition(":")[2], len(host.payload)
    if host.spec.startswith(facts.GENERATED) and not (asked.isdigit() and int(asked) == length):
        problems.append(f"{length} bytes were generated for {host.spec}")
    if host.source is not None and host.source != host.payload:
        problems.append(f"the payload is not the content of {host.spec}")
    return judged(problems, f"{host.spec}: {length} bytes and {host.drawn}")


# ---- The console. It proves nothing: any task can print. The record does (check_share.py) --------
def reading(ctx):
    """Each payload line that the kernel's text cut can be joined in one way only."""
    found = ctx.boot.reading
    text = f"{len(found.kernel)} kernel log texts removed, {found.joined} lines had been cut"
    return judged(found.doubts, text)


def markers(ctx):
    """Each expected marker is a whole line and appears once, the last one last, none after a
    failure line, none inside another line or in the kernel's text; no unknown line begins like a
    marker."""
    last = ctx.manifest["last_marker"]
    expected = ctx.manifest["markers"] + [last]
    known = (FAIL_PREFIX, facts.NOTE_PREFIX, facts.EVIDENCE_PREFIX + " ")
    inside = re.compile("|".join(re.escape(marker) for marker in expected)).search
    times = {marker: ctx.counts.get(marker, 0) for marker in expected}
    problems = [f"'{marker}' {count} times" for marker, count in times.items() if count != 1]
    others = [line for line in ctx.counts if line not in expected]
    unknown = [line for line in others if line in ctx.spoken and not line.startswith(known)]
    holding = list(filter(inside, set(others).difference(unknown)))
    problems += facts.each(unknown, lambda line: f"unknown marker '{line[:60]}'")
    problems += facts.each(holding, lambda line: f"a marker inside another line: '{line[:60]}'")
    texts = list(filter(inside, ctx.kernel_texts))
    problems += facts.each(texts, lambda text: f"a marker in the kernel's own text: '{text[:60]}'")
    seen = [line for line in ctx.console if line in expected]
    if seen and seen[-1] != last:
        problems.append(f"the last one is '{seen[-1]}'")
    failures = {line for line in ctx.counts if FAIL_PREFIX in line}
    at = next((at for at, line in enumerate(ctx.console) if line in failures), len(ctx.console))
    if any(line in expected for line in ctx.console[at:]):
        problems.append("a marker after a failure line")
    return judged(problems, f"{len(seen)} of {len(expected)}, each once, '{last}' last")


def foreign_markers(ctx):
    """As on our kernel; also, the digest's marker comes after those of the VMO's way to the
    consumer, and the log does not end between a marker and its newline."""
    outcome, wanted = markers(ctx), ctx.manifest["markers"]
    problems, seen = outcome.problems(), [line for line in ctx.console if line in wanted]
    if not problems and seen[-1] != wanted[-1]:
        problems.append(f"'{seen[-1]}' follows '{wanted[-1]}'")
    if ctx.tail in [*wanted, ctx.manifest["last_marker"]]:
        problems.append(f"'{ctx.tail}' has no newline")
    return judged(problems, outcome.evidence)


def failure_lines(ctx):
    """No `vmo: FAIL`, neither in the payload's text nor in the kernel's."""
    found = [line for line in [*ctx.counts, *ctx.kernel_texts] if FAIL_PREFIX in line]
    return judged(facts.each(found, lambda line: f"'{line[:100]}'"), "none")


def bad_lines(counts, kernel_lines, banners):
    """Lines that no good run on our kernel prints. counts: line -> how often it was printed.
    kernel_lines: patterns of the kernel's lines that are allowed."""
    problems, banners_seen = [], 0
    for line in notable.lines_of(list(counts), notable.SUSPECT):
        is_kernel = line.lower().lstrip().startswith("kernel:")
        if BAD_WORDS.search(line):
            problems.append(f"'{line[:80]}'")
        elif is_kernel and not any(re.fullmatch(pattern, line) for pattern in kernel_lines):
            problems.append(f"unexpected kernel line '{line[:80]}'")
        elif CONTROL.search(line):
            problems.append(f"a byte that is not printable: {line[:40]!a}")
        banners_seen += counts[line] if FIRMWARE_BANNER.search(line) else 0
    if banners_seen != banners:
        problems.append(f"{banners_seen} firmware banners instead of {banners}")
    return problems


def bad_patterns(ctx):
    """No panic, trap, assertion, hazard; no kernel line that the manifest does not allow; only
    printable ASCII; one firmware banner under QEMU, none on Linux."""
    banners = 0 if ctx.boot.platform == facts.LINUX else 1
    problems = bad_lines(ctx.counts, ctx.manifest["kernel_lines"], banners)
    return judged(problems, f"none, firmware banners: {banners}")


def is_foreign_bad(text, allowed):
    """allowed: patterns of whole lines that this kernel prints in a good run"""
    return bool(FOREIGN_BAD.search(text)) and not any(re.fullmatch(good, text) for good in allowed)


def foreign_bad_patterns(ctx):
    """No panic, exception, user page fault or failed test in the payload's text or the kernel's;
    neither firmware nor kernel started twice."""
    texts, allowed = ctx.console + ctx.kernel_texts, ctx.manifest["kernel_lines"]
    problems = [f"'{text[:80]}'" for text in texts if is_foreign_bad(text, allowed)]
    for what, pattern in (("firmware", FIRMWARE_BANNER), ("kernel", KERNEL_BANNER)):
        banners = sum(1 for text in texts if pattern.search(text))
        problems += [f"{banners} {what} banners: it started again"] if banners > 1 else []
    return judged(problems, "none, no second start")


def differing(ctx, wanted, relation):
    """The values of the evidence line that differ from the wanted ones, in words."""
    found = ((key, ctx.evidence[key], value) for key, value in wanted.items())
    return [f"{key}={has}{relation} {value}" for key, has, value in found if has != value]


def evidence(ctx):
    """One well-formed evidence line, directly before the last marker, with the host's ABI revision,
    length, challenge and digest."""
    if ctx.evidence is None:
        return red(ctx.evidence_error)
    spoken, last = [x for x in ctx.console if x in ctx.spoken], ctx.manifest["last_marker"]
    problems, secrets = [], ctx.host.secrets()
    before = [early for early, line in zip(["", *spoken], spoken) if line == last]
    if before and not before[-1].startswith(facts.EVIDENCE_PREFIX):
        problems.append("it is not directly before the last marker")
    known = {"abi": ctx.boot.abi_rev, "len": len(ctx.host.blob)}
    known.update({name: secrets[name].hex() for name in ("challenge", "digest")})
    problems += differing(ctx, known, ", the host has")
    text = f"abi={known['abi']} len={known['len']} challenge={known['challenge'][:16]}.."
    return judged(problems, f"{text} as the host has")


def foreign_evidence(ctx):
    """As on our kernel; also, the other fields are what this ABI revision, the protocol and this
    input give, and host-ref's digests, which the producer compared, are those of blob and page. If
    no revision was asked for, the line's is taken."""
    outcome, objects = evidence(ctx), ctx.host.objects()
    if ctx.evidence is None:
        return outcome
    enforced = "kernel" if ctx.evidence["abi"] == "a2" else "library"
    enforced = "nobody" if ctx.form.lends else enforced
    wanted = {"enforced": enforced, "copies": 0, "control_bytes": ctx.form.control_bytes}
    times = 3 if ctx.form.lends else 1  # given, lent and shown
    wanted["bulk_bytes"] = times * sum(facts.whole_pages(n) for _, n in ctx.host.vmos())
    problems = differing(ctx, wanted, " instead of")
    other = [shared.what for shared in objects if facts.sha256_hex(shared.data) != shared.digest]
    problems += [f"host-ref's digest of the {what} is another" for what in other]
    text = audits.words(wanted, "enforced copies control_bytes bulk_bytes")
    return judged(problems + outcome.problems(), f"{outcome.evidence}; {text}")


def author_problems(manifest, said):
    """Only its own task may print a marker, and only the producer the evidence line. said: pairs
    (pid, line)"""
    problems, markers_known = [], {*manifest["markers"], manifest["last_marker"]}
    for who, line in said:
        is_consumers = line in manifest["consumer_markers"]
        is_judged = line in markers_known or line.startswith(facts.EVIDENCE_PREFIX)
        is_judged = is_judged or line.startswith(facts.SPOKEN) and who not in facts.ROLES
        if is_judged and who != (facts.CONSUMER_PID if is_consumers else facts.PRODUCER_PID):
            name = facts.ROLES.get(who, f"task {who}")
            problems.append(f"'{line[:60]}' was printed by the {name}")
    return problems


def is_recorded_as(line, record):
    """Compares with or without a CR: the kernel records it, and our line has lost it."""
    data, head = line.encode("latin-1") + b"\r", audits.head_bytes(record)
    return record["len"] in (len(data) - 1, len(data)) and data[: record["len"]].startswith(head)


def authors(ctx):
    """The lines after the firmware's are those that the kernel recorded, in the same order; only
    the consumer wrote the manifest's `consumer_markers`, only the producer all other markers and
    the evidence line."""
    lines, records = ctx.lines[: len(ctx.lines) - ctx.audit.line_count], ctx.audit["say"]
    before, problems = max(0, len(lines) - len(records)), []
    if len(records) > len(lines):
        problems = [f"the kernel recorded {len(records)} lines, the log has {len(lines)}"]
    early = [line for line in lines[:before] if line in ctx.spoken]
    problems += facts.each(early, lambda line: f"not in the kernel's record: '{line[:60]}'")
    pairs = list(zip(lines[before:], records))
    other = [line for line, record in pairs if not is_recorded_as(line, record)]
    problems += [f"the kernel recorded another line than '{line[:60]}'" for line in other]
    pids = {record["pid"] for record in ctx.audit["task"]}
    said = [(audits.author_of(record), line) for line, record in pairs]
    strangers = sorted({by for by, _ in said if isinstance(by, int) and by not in pids})
    problems += [f"a line was printed by pid {pid}, which is no task" for pid in strangers]
    problems += author_problems(ctx.manifest, said)
    return judged(problems, f"{len(records)} lines as recorded, each marker by its own task")


# ---- How the run ended, as the kernel recorded it ------------------------------------------------
def audit_form(ctx):
    """The log ends with one audit, each line well-formed and with the nonce; no earlier line looks
    like the audit's."""
    if ctx.audit is None:
        return red(ctx.audit_error or "the kernel can print one and did not")
    if ctx.boot.nonce == audits.NO_NONCE:
        return not_checked("it has no nonce, since the kernel got none: any task could print it")
    return judged([], f"{ctx.audit.line_count} lines with the run's nonce, last in the log, once")


def audit_complete(ctx):
    """No table overflowed, no message is lost or left unreceived. On our kernel also, the sequence
    numbers are complete and in order, and no record contradicts itself."""
    problems, lost = audits.overflow_faults(ctx.audit), ctx.audit.one("lost")
    for key, how in (("msgs", "not recorded"), ("undelivered", "never received")):
        problems += [f"{lost[key]} messages were {how}"] if lost[key] else []
    if ctx.boot.platform == facts.QEMU:
        problems += check_record.record_problems(ctx.audit, ctx.boot.abi_rev)
    return judged(problems, f"nothing lost, {len(ctx.audit['msg'])} messages recorded")


def audit_result(ctx):
    """Init is done, with status 0."""
    text = audits.words(ctx.audit.one("result"), "init status instret")
    return met(text.startswith(f"{audits.DONE} "), text)


def tasks(ctx):
    """The tasks are producer (17) and consumer (18), the producer's child, which exited with 0 and
    was waited for; the producer is live when init is done."""
    pids = [record["pid"] for record in ctx.audit["task"]]
    if pids != list(facts.ROLES):
        return red(f"tasks {pids} instead of {list(facts.ROLES)}")
    init, child = (audits.words(task, "parent state end status") for task in ctx.audit["task"])
    if init != "parent=0 state=live end=none status=0":
        return red(f"producer: {init}")
    wanted = f"parent={facts.PRODUCER_PID} state=reaped end=exit status=0"
    return met(child == wanted, f"consumer: {child}")


def leaks(ctx):
    """When init is done, slots, regions and endpoints are as at the start, and so are VMOs, except
    those that cannot be destroyed (a1: all; a2: those sealed for ever); on a2 only these VMOs use
    arena bytes. After teardown no slot, region or endpoint is left, and no more VMOs, arena bytes
    and kernel frames than before. Lists what the revision never frees."""
    audit = ctx.told
    start, done, end = (audit.res(when) for when in ("start", "done", "end"))
    if not (start and done and end):
        return red("a 'res' line is missing")
    problems, live = [], [record for record in audit["vmo"] if record["state"] == "live"]
    forever = ctx.evidence is not None and ctx.evidence["seal"] == "forever"
    given = {hand["vmo"] for hand in audit["hand"]}
    forever = forever or ctx.form.lends
    kept = [r for r in live if ctx.boot.abi_rev == "a1" or forever and r["id"] in given]
    bytes_kept, kept = sum(record["bytes"] for record in kept), len(kept)
    if done["vmos"] - start["vmos"] != kept:
        counts = f"{start['vmos']} -> {done['vmos']}, {kept} of them kept"
        problems.append(f"vmos {counts} by this ABI revision")
    keys, grown = ("slots", "regions", "endpoints"), done["arena_bytes"] - start["arena_bytes"]
    if grown < bytes_kept or ctx.boot.abi_rev == "a2" and grown != bytes_kept:
        problems.append(f"the arena grew by {grown} bytes, {bytes_kept} of them kept")
    problems += [f"{key} {start[key]} -> {done[key]}" for key in keys if start[key] != done[key]]
    problems += [f"{key}={end[key]} after teardown" for key in keys if end[key]]
    more = [key for key in ("vmos", "arena_bytes") if end[key] > done[key]]
    problems += [f"{key} {done[key]} -> {end[key]} by teardown" for key in more]
    arena = audit.first("keep", "what", "arena_bytes") or {"n": 0}
    used = [audit.res(when)["arena_bytes"] for when in ("done", "end")]
    if {arena["n"], *used} != {arena["n"]} if ctx.boot.abi_rev == "a1" else arena["n"]:
        taken = f"{used[0]} -> {used[1]} are taken"
        problems.append(f"keep arena_bytes={arena['n']}, but {taken}: only a1's never shrinks")
    frames = f"frames {start['frames']} -> {end['frames']}"
    problems += [f"{frames} after teardown"] if end["frames"] > start["frames"] else []
    never = ["{what}={n}".format_map(record) for record in audit["keep"]]
    never = " ".join(never + ([f"vmos={kept}"] if kept else [])) or "nothing"
    same = ", ".join(f"{key} {done[key]}" for key in keys)
    return judged(problems, f"{same} as at the start; {frames}; kept by this ABI revision: {never}")


def hazards(ctx):
    """No call that a real kernel does not survive (docs/testing/hazards.md), except the
    manifest's."""
    allowed, records = ctx.manifest["hazards"], ctx.told["hazard"]
    bad = [record for record in records if record["id"] not in allowed]
    problems = ["pid {pid} call {call} {id} {what}".format_map(record) for record in bad]
    missing = [name for name in allowed if name not in {record["id"] for record in records}]
    problems += [f"the expected hazard {name} did not occur" for name in missing]
    return judged(problems, "none" if not allowed else f"only {' '.join(allowed)}")
