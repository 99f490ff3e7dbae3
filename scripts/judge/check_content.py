# SPDX-License-Identifier: Apache-2.0
"""Checks that bind a run to its bytes: what the shared pages held, what was loaded, and the work
of hashing. The kernel hashes pages and images if it was booted with hashes=1."""
import re

from judge import check_share as share, facts
from judge.facts import CONSUMER_PID, PRODUCER_PID, judged, not_checked, not_made, red
from paths import ROOT
from siphash import content_hash

CONSUMER_STACK_PAGES = 4
COSTS = ROOT / "boot" / "tests" / "cost"
WORK_BYTES_MIN = 64 * 1024
WINDOW_PERMILLE = 2
NO_HASHES = "the kernel recorded no hashes: it was booted without hashes=1"


def needs_hashes(check):
    """Without hashes a check is red on our kernel, whose harness asks for them; else not made."""

    def made(ctx):
        if ctx.audit.one("begin")["hashes"]:
            return check(ctx)
        return red(NO_HASHES) if ctx.boot.platform == facts.QEMU else not_checked(NO_HASHES)

    made.__doc__ = check.__doc__
    return made


# ---- Content -----------------------------------------------------------------------------------
def content_problems(ctx, shared):
    """Compares the hashes of its VMO with that of its bytes and zeros to the end of their page."""
    what, data, hand = shared.what, shared.data, share.handed_once(ctx.audit, shared.via)
    if hand is None:
        return [f"{what}: not handed over once"]
    wanted, problems = content_hash(ctx.boot.nonce, data), []
    hashes = [record for record in ctx.audit["hash"] if record["vmo"] == hand["vmo"]]
    for when, pid in (("grant", CONSUMER_PID), ("reply", CONSUMER_PID), ("end", 0)):
        found = [r for r in hashes if r["when"].replace("destroyed", "end") == when]
        if len(found) != 1:
            problems.append(f"{what}: hashed {len(found)} times at its {when}")
            continue
        if found[0]["sip"] != wanted:
            problems.append(f"{what}: at its {when} its pages held other bytes")
        elif found[0]["pid"] != pid:
            problems.append(f"{what}: at its {when} it was hashed for pid {found[0]['pid']}")
    return problems


@needs_hashes
def content(ctx):
    """When it was handed over, when the consumer replied and at its end, each of the two VMOs held
    its bytes and zeros to the end of its last page, by the kernel's keyed hash."""
    blob, page = ctx.host.objects()
    problems = content_problems(ctx, blob) + content_problems(ctx, page)
    return judged(problems, "blob and page, whole pages, at hand-over, reply and end")


@needs_hashes
def image(ctx):
    """The kernel loaded exactly the two files, by its keyed hash; exec gave the consumer nothing
    else: its stack has the usual size, and gp is the kernel's choice."""
    files = {PRODUCER_PID: ctx.boot.init_elf, CONSUMER_PID: ctx.boot.consumer_elf}
    found = {record["pid"]: record for record in ctx.audit["image"]}
    problems = [f"no image of the {facts.ROLES[pid]}" for pid in files if pid not in found]
    problems += [f"an image of pid {pid}" for pid in found if pid not in files]
    for pid, elf in ((pid, elf) for pid, elf in files.items() if pid in found):
        record, role = found[pid], facts.ROLES[pid]
        loaded = record["bytes"], record["sip"]
        if loaded != (len(elf), content_hash(ctx.boot.nonce, elf)):
            problems.append(f"the {role} was loaded from {record['bytes']} other bytes")
        extra = record["stack_pages"], record["gp"]
        if pid == CONSUMER_PID and extra != (CONSUMER_STACK_PAGES, 0):
            problems.append(f"exec of the {role} with {extra[0]} stack pages, gp={extra[1]:#x}")
    return judged(problems, "both tasks were loaded from the files that were hashed")


# ---- Work ----------------------------------------------------------------------------------------
def costs(abi_rev):
    """-> (instructions of vmo_view_sha256 without its blocks, instructions of a block)"""
    text = (COSTS / f"cost-{abi_rev}.tsv").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^(sha256-\S+)\t([0-9]+)$", text, re.M))
    small, large = int(rows["sha256-64B"]), int(rows["sha256-64K"])
    block = (large - small) / (blocks_of(64 * 1024) - blocks_of(64))
    return small - block * blocks_of(64), block


def blocks_of(length):
    """The number of blocks that SHA-256 hashes, padding included."""
    return (length + 9 + 63) // 64


def work(ctx):
    """Between its first map of the blob, or of a stream's pool, and its reply the consumer retired
    as many instructions in user mode as hashing the blob in place takes, by the cost suite, within
    0.2 %. A witness counts them itself, since its stops add to the kernel's count; of a stream on
    a2 it cannot."""
    saw = ctx.boot.watch.model.audit if ctx.boot.watch else ctx.audit
    moved, length = [h for h in share.handed(saw) if h["via"] == "move"], len(ctx.host.blob)
    hand = moved[0] if len(moved) == ctx.form.ways.count("move") else None
    if not ctx.boot.icount:
        return not_made("QEMU ran without -icount shift=0, so instructions are not counted")
    if not ctx.boot.cost_known:
        return not_made("another compiler than that of the cost suite's records built the consumer")
    if ctx.boot.watch and ctx.host.proof == facts.STREAM and ctx.boot.abi_rev == "a2":
        return not_made("a witness cannot tell whose instructions they are: tasks preempt others")
    if length < WORK_BYTES_MIN:
        return not_made(f"a blob under {WORK_BYTES_MIN} bytes: the rest of the work outweighs it")
    maps = [m for m in saw.maps_of(CONSUMER_PID) if hand and m["vmo"] == hand["vmo"]]
    reply = share.first_message(saw, share.TO_PRODUCER, facts.TAG_BLOB)
    if not maps or reply is None:
        return red("the consumer did not map the blob and reply")
    fixed, block = costs(ctx.boot.abi_rev)
    done, wanted = reply["user"] - maps[0]["user"], round(fixed + block * blocks_of(length))
    text = f"{done} instructions, {wanted} predicted ({(done - wanted) / wanted * 100:+.3f} %)"
    return judged([text] if abs(done - wanted) * 1000 > WINDOW_PERMILLE * wanted else [], text)
