# SPDX-License-Identifier: Apache-2.0
"""Runs of the proof of streams that must fail: a change to the good run of stream_fixture.py, and its red checks."""
import struct

from judge import check_stream as stream
from siphash import content_hash

BOTH = ("a1", "a2")
STREAM_CASES = []  # (name, ABI revisions, red checks, change)


def case(name, *red, abi_revs=BOTH):
    def keep(change):
        STREAM_CASES.append((name, abi_revs, frozenset(red), change))
        return change
    return keep


def said_otherwise(run, **parts):
    """The consumer's reply says something else; the memory stays what it was."""
    run.hash_vmos()
    run.told = run.told._replace(**parts)
    header = run.audit["msg"][3]["head"][:64]
    run.audit["msg"][3]["head"] = header + run.reply().hex()


def held_otherwise(run, vmo, when, data):
    """The kernel's hash of a VMO at one moment is that of other bytes."""
    run.hash_vmos()
    for record in run.audit["hash"]:
        if record["vmo"] == vmo and record["when"].replace("destroyed", "end") == when:
            record["sip"] = content_hash(run.nonce, data)


def body_of(run, number, data):
    record = run.audit["msg"][number]
    record["head"] = record["head"][:64] + data.hex()


@case("a frame too few", "frames", "content")
def _(run):
    said_otherwise(run, frames=5)


@case("a buffer that held no frame", "frames", "content")
def _(run):
    said_otherwise(run, last=(5, 6, 0, 4))


@case("a frame in another buffer than the memory shows", "content")
def _(run):
    said_otherwise(run, last=(6, 5, 3, 4), slots=(3, 1, 0, 2))


@case("a slot that names no buffer", "frames", "content")
def _(run):
    said_otherwise(run, slots=(4, 0, 1, 2))


@case("a slot that names an older frame's buffer", "frames", "content")
def _(run):
    said_otherwise(run, slots=(3, 0, 2, 2))


@case("a buffer with a frame to come", "frames", "content")
def _(run):
    said_otherwise(run, last=(5, 7, 3, 4))


@case("one byte of a buffer differs at the reply", "content")
def _(run):
    pool = bytearray(stream.pool_bytes(run.context(), run.told, 0))
    pool[3 * 65536 + 5] ^= 1
    held_otherwise(run, 1, "reply", bytes(pool))


@case("bytes behind the last frame", "content")
def _(run):
    pool = bytearray(stream.pool_bytes(run.context(), run.told, 1))
    pool[2 * 65536 - 1] ^= 1
    held_otherwise(run, 1, "end", bytes(pool))


@case("a control block that announces one frame more", "content")
def _(run):
    pool = bytearray(stream.pool_bytes(run.context(), run.told, 0))
    pool[4 * 65536] += 1
    held_otherwise(run, 1, "reply", bytes(pool))


@case("a return page that was not empty", "content")
def _(run):
    held_otherwise(run, 2, "grant", b"x")


@case("a frame that was never released", "content")
def _(run):
    page = stream.page_bytes(run.told._replace(last=(5, 2, 3, 4)), 2, 0)
    held_otherwise(run, 2, "reply", page)


@case("a word behind the return page", "content")
def _(run):
    held_otherwise(run, 2, "end", stream.page_bytes(run.told, 3, 1)[:-1] + b"x")


@case("more signals than frames", "content")
def _(run):
    held_otherwise(run, 2, "reply", stream.page_bytes(run.told, run.told.frames + 2, 0))


@case("a pool that was never hashed at the reply", "content", "audit-complete")
def _(run):
    run.hash_vmos()
    run.audit["hash"] = [r for r in run.audit["hash"] if (r["vmo"], r["when"]) != (1, "reply")]
    run.record_edits.append(lambda audit: audit["say"][-1].update(seq=audit["say"][-1]["seq"] + 1))


@case("a pool that was hashed for another task", "content")
def _(run):
    run.hash_vmos()
    next(r for r in run.audit["hash"] if (r["vmo"], r["when"]) == (1, "reply"))["pid"] = 17


@case("a pool that was hashed for another task at the hand-over", "content")
def _(run):
    run.hash_vmos()
    run.audit["hash"][0]["pid"] = 17


@case("a pool that was hashed for nobody's VMO at the hand-over", "content", "audit-complete")
def _(run):
    run.hash_vmos()
    run.audit["hash"][0]["vmo"] = 3


@case("a pool that was hashed in part", "audit-complete")
def _(run):
    run.hash_vmos()
    run.audit["hash"][0]["bytes"] -= 4096


@case("a word in the seal of the page's offer", "protocol")
def _(run):
    record = run.audit["msg"][2]
    record["head"] = record["head"][:28] + "4821" + record["head"][32:]


@case("a consumer that knows of no seal", "protocol")
def _(run):
    said_otherwise(run, seal=(0, 0))


@case("a consumer that says that another enforces the seal", "protocol")
def _(run):
    said_otherwise(run, seal=(1, 3 - run.told.seal[1]))


@case("a return page that the producer maps writable", "return-page")
def _(run):
    run.maps(17)[1].update(prot="rw")


@case("a return page that the producer wrote", "return-page", "audit-complete")
def _(run):
    run.maps(17)[1].update(dirtied=1)


@case("a return page that the consumer never wrote", "return-page")
def _(run):
    run.maps(18)[1].update(dirtied=0)


@case("a return page that the consumer writes through an alias", "return-page", abi_revs=("a2",))
def _(run):
    run.maps(18)[1].update(alias=1)


@case("a return page that the consumer maps twice", "return-page")
def _(run):
    run.audit["map"].append(dict(run.maps(18)[1], made=123))


@case("a pool that the consumer maps twice", "sharing")
def _(run):
    run.audit["map"].append(dict(run.maps(18)[0], made=123))


@case("a pool that the consumer maps writable", "read-only")
def _(run):
    run.maps(18)[0].update(prot="rw")


@case("a page of the pool that was never read", "accessed")
def _(run):
    run.maps(18)[0].update(accessed=64)


@case("another physical page", "sharing")
def _(run):
    run.maps(18)[1].update(base="0x84099000")


@case("a return page with more rights", "return-page", "protocol", "read-only")
def _(run):
    run.handed(2).update(rights=5)


@case("a pool as a capability that can write", "seal", "read-only", abi_revs=("a2",))
def _(run):
    run.handed(1).update(kind="vmo", wcaps=2)
    run.audit["msg"][1].update(moved="vmo")
    run.maps(18)[0].update(alias=0)


@case("a pool that is not sealed", "seal")
def _(run):
    record = run.audit["msg"][1]
    record["head"] = record["head"][:28] + "0000" + record["head"][32:]


@case("another length in the request", "protocol")
def _(run):
    body_of(run, 0, struct.pack("<Q", len(run.blob) - 1))


@case("a word in the offer", "protocol")
def _(run):
    body_of(run, 1, run.offer(1)[:20] + struct.pack("<I", 17) + run.offer(1)[24:])


@case("another policy in the second offer", "protocol")
def _(run):
    body_of(run, 2, run.offer(2)[:6] + b"\1" + run.offer(2)[7:])


@case("another digest", "digest")
def _(run):
    run.digest = bytes(32)
    body_of(run, 3, run.reply())


@case("a reply before the pool was mapped", "order", "work")
def _(run):
    run.maps(18)[0].update(made=135, user=run.audit["msg"][-1]["user"])


@case("the join's marker before the page was mapped", "order")
def _(run):
    run.said_at = dict(run.said_at, **{stream.JOINED: 118})


@case("the page mapped after the join's marker", "order")
def _(run):
    run.maps(18)[1].update(made=123)


@case("the pool mapped after the join's marker", "order")
def _(run):
    run.maps(18)[0].update(made=123)


@case("a copy by the consumer", "counters")
def _(run):
    body_of(run, 3, run.reply()[:32] + struct.pack("<Q", 1) + run.reply()[40:])


@case("other work", "work")
def _(run):
    run.audit["msg"][3]["user"] += run.work // 100


@case("an additional message", "protocol", "frames")
def _(run):
    run.add_message(17, 18, bytes.fromhex(run.audit["msg"][0]["head"]), sent=140)
    run.evidence["control_bytes"] += 40
