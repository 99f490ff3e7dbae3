# SPDX-License-Identifier: Apache-2.0
"""Runs that must fail because of the recorded messages, mappings or copies."""
import struct

from fixture import BLOB, CHALLENGE, DIGEST, PAGE_DIGEST, PAYLOAD, message, noise, reply
from case_table import case


# ---- Messages ------------------------------------------------------------------------------------
def set_digest(run, number, digest):
    record = run.audit["msg"][number]
    record["head"] = record["head"][:64] + digest.hex() + record["head"][128:]


@case("the page's mapping at another offset", "sharing")
def _(run):
    record = run.maps(18)[-1]
    record["off"] += 4096


@case("another digest in the record", "digest")
def _(run):
    set_digest(run, 1, noise("other", 32))


@case("one bit of the digest in the record", "digest")
def _(run):
    set_digest(run, 1, DIGEST[:-1] + bytes([DIGEST[-1] ^ 1]))


@case("another page digest in the record", "page-digest")
def _(run):
    set_digest(run, 3, DIGEST)


@case("no reply recorded", "digest", "counters", "order", "protocol")
def _(run):
    run.audit["msg"][1]["head"] = message(1, 3, reply(DIGEST, 32, 16384)).hex()


def set_reply(run, data):
    run.audit["msg"][1].update(len=len(data), head=data[:128].hex())
    run.evidence = run.true_evidence()


@case("reply of another protocol", "digest", "counters", "protocol")
def _(run):
    set_reply(run, b"\0" + message(1, 1, DIGEST)[1:])


@case("reply that is not a data message", "digest", "counters", "protocol")
def _(run):
    set_reply(run, message(2, 1, DIGEST))


@case("reply with more than a digest", "digest", "counters", "protocol")
def _(run):
    set_reply(run, message(1, 1, DIGEST + b"more"))


@case("reply that claims more than its length", "digest", "counters", "protocol")
def _(run):
    set_reply(run, struct.pack("<IHHIHHQQ", 0x314F4D56, 1, 33, 1, 4, 1, 0, 0) + DIGEST)


@case("reply longer than it claims", "digest", "counters", "protocol")
def _(run):
    set_reply(run, message(1, 1, DIGEST) + b"more")


@case("reply shorter than a header", "digest", "counters", "order", "protocol")
def _(run):
    set_reply(run, b"ok")


@case("reply came from the producer itself", "digest", "order", "protocol")
def _(run):
    run.audit["msg"][1]["from"] = 17


@case("two replies", "digest", "protocol")
def _(run):
    run.add_message(18, 17, message(1, 1, DIGEST))
    run.evidence = run.true_evidence()


@case("host-ref's digest is of other bytes", "digest")
def _(run):
    run.host.digest_hex = PAGE_DIGEST.hex()


def tell(run, body):
    """Adds a message to the consumer, which the evidence counts."""
    run.add_message(17, 18, body)
    run.evidence = run.true_evidence()


@case("digest sent to the consumer", "messages-clean", "protocol")
def _(run):
    tell(run, message(1, 9, DIGEST))


@case("half of the digest sent", "messages-clean", "protocol")
def _(run):
    tell(run, message(1, 9, DIGEST[16:]))


@case("digest sent as text", "messages-clean", "protocol")
def _(run):
    tell(run, message(1, 9, DIGEST.hex()[:32].encode()))


@case("digest told in crumbs", "messages-clean", "protocol")
def _(run):
    for start in range(0, 32, 4):
        tell(run, message(1, 9, DIGEST[start:start + 4]))


@case("page digest sent", "messages-clean", "protocol")
def _(run):
    tell(run, message(1, 9, PAGE_DIGEST))


@case("challenge sent", "messages-clean", "protocol")
def _(run):
    tell(run, message(1, 9, CHALLENGE))


@case("message longer than the record", "messages-clean", "protocol")
def _(run):
    tell(run, message(1, 9, noise("long", 97)))


@case("message of another protocol", "messages-clean", "protocol")
def _(run):
    tell(run, b"\0" + message(1, 9)[1:])


@case("message with data in its zero field", "messages-clean", "protocol")
def _(run):
    tell(run, message(1, 9)[:-1] + b"x")


@case("message with more than its body", "messages-clean", "protocol")
def _(run):
    tell(run, message(1, 9) + b"aside")


@case("message shorter than a header", "messages-clean", "protocol")
def _(run):
    tell(run, b"hello")


@case("digest in the consumer's name", "messages-clean", "protocol")
def _(run):
    run.audit["task"][1]["name"] = DIGEST.hex()[:48]


# ---- Sharing -------------------------------------------------------------------------------------
@case("consumer maps other physical pages", "sharing")
def _(run):
    run.maps(18)[0]["base"] = "0x84100000"


@case("consumer maps another page", "sharing")
def _(run):
    run.maps(18)[1]["base"] = "0x84100000"


@case("consumer maps one page too few", "sharing")
def _(run):
    run.maps(18)[0].update(bytes=3 * 4096, accessed=3)


@case("producer never mapped the VMO", "sharing")
def _(run):
    run.audit["map"].remove(run.maps(17)[0])


@case("consumer made the VMO itself", "sharing")
def _(run):
    run.audit["vmo"][0]["creator"] = 18


@case("VMO larger than the blob", "audit-complete", "sharing", "counters")
def _(run):
    run.audit["vmo"][0]["bytes"] += 4096
    if run.abi_rev == "a1":  # its arena keeps them
        run.res("done")["arena_bytes"] += 4096
        run.res("end")["arena_bytes"] += 4096
        run.audit["keep"][0]["n"] += 4096


@case("no transfer of the page", "sharing", "content", "counters", "order", "protocol")
def _(run):
    run.audit["hand"].remove(run.handed(2))
    run.evidence["bulk_bytes"] -= 4096


@case("a VMO that does not exist", "sharing", "counters", "content", "order")
def _(run):
    run.handed(2)["vmo"] = 9


@case("nothing granted", "sharing", "seal", "content", "counters", "order", "protocol", abi_revs=("a2",))
def _(run):
    run.audit["hand"] = []
    run.evidence["bulk_bytes"] = 0


@case("blob and page are one VMO", "sharing", "content", "order")
def _(run):
    run.remake(payload=PAYLOAD[:64])
    run.handed(2)["vmo"] = 1
    run.audit["map"].remove(run.maps(18)[1])


@case("consumer granted a VMO", "sharing", "protocol")
def _(run):
    run.audit["hand"].append(dict(run.handed(1), **{"from": 18, "to": 17}))


@case("a VMO granted to a kernel task", "sharing", "protocol")
def _(run):
    run.audit["hand"].append(dict(run.handed(1), **{"to": 3, "via": "transfer"}))


@case("blob granted twice", "sharing", "content", "order", "protocol")
def _(run):
    run.audit["hand"].append(dict(run.handed(1), seq=250))
    run.evidence["bulk_bytes"] += 4 * 4096


@case("a VMO that nobody granted", "sharing")
def _(run):
    run.audit["vmo"].append(dict(run.audit["vmo"][1], id=3, creator=18, base="0x84020000", state="destroyed"))
    run.audit["map"].append(dict(run.maps(18)[1], vmo=3, base="0x84020000"))


@case("writable mapping in the consumer", "read-only")
def _(run):
    run.maps(18)[0]["prot"] = "rw"


@case("writable mapping of the page", "read-only")
def _(run):
    run.maps(18)[1]["prot"] = "w"


@case("executable mapping in the consumer", "read-only")
def _(run):
    run.maps(18)[0]["prot"] = "rx"


@case("mapping is not an alias", "read-only", abi_revs=("a2",))
def _(run):
    run.maps(18)[0]["alias"] = 0


@case("granted with more rights", "read-only", "protocol")
def _(run):
    run.handed(1)["rights"] = 12


@case("a VMO granted instead of an alias", "seal", "protocol", abi_revs=("a2",))
def _(run):
    run.handed(1)["kind"] = "vmo"


@case("one page not accessed", "accessed")
def _(run):
    run.maps(18)[0]["accessed"] -= 1


@case("the page not accessed", "accessed")
def _(run):
    run.maps(18)[1]["accessed"] = 0


@case("one page dirtied", "accessed")
def _(run):
    run.maps(18)[0]["dirtied"] = 1


@case("consumer mapped nothing", "sharing", "read-only", "accessed", "order")
def _(run):
    run.audit["map"] = run.maps(17)


@case("kernel copied into the VMO", "no-kernel-copy", "counters")
def _(run):
    run.audit["copy"][0]["into"] = len(BLOB)


@case("kernel copied into the consumer, admitted", "no-kernel-copy")
def _(run):
    run.audit["copy"][1]["from"] = 1
    run.evidence["copies"] = 1


@case("no copy line for the consumer", "no-kernel-copy")
def _(run):
    run.audit["copy"].pop(1)


# ---- Seal ------------------------------------------------------------------------------------------
def claim(run, seal):
    """Makes the messages and the evidence claim a seal."""
    run.evidence["seal"] = seal
    code = {"none": 0, "peers": 1, "forever": 2}[seal]
    for number, place in ((0, 28), (2, 92)):
        head = run.audit["msg"][number]["head"]
        run.audit["msg"][number]["head"] = head[:place] + f"{code:02x}" + head[place + 2:]


def keep_forever(run):
    """Makes both VMOs sealed for ever, as a2 does it."""
    claim(run, "forever")
    for number in (1, 2):
        run.handed(number)["wcaps"] = 0
    for vmo, record in zip(run.audit["vmo"], (r for r in run.audit["hash"] if r["when"] == "destroyed")):
        vmo["state"], record["when"] = "live", "end"
    for when in ("done", "end"):
        run.res(when).update(vmos=2, arena_bytes=sum(vmo["bytes"] for vmo in run.audit["vmo"]))


@case("evidence of a seal that no message states", "seal")
def _(run):
    run.evidence["seal"] = "forever"


@case("messages state forever, evidence states peers", "seal", "leaks", abi_revs=("a2",))
def _(run):
    keep_forever(run)
    run.evidence["seal"] = "peers"


@case("sealed for ever, with the writable capability kept", "seal", abi_revs=("a2",))
def _(run):
    keep_forever(run)
    run.handed(1)["wcaps"] = 1


@case("sealed for ever, with a writable mapping kept", "seal", abi_revs=("a2",))
def _(run):
    keep_forever(run)
    run.maps(17)[1]["ended"] = 298


@case("a writable mapping that the grant does not count", "audit-complete")
def _(run):
    run.handed(2)["wmaps"] = 2


@case("sealed for ever, and destroyed", "seal", abi_revs=("a2",))
def _(run):
    claim(run, "forever")
    for number in (1, 2):
        run.handed(number)["wcaps"] = 0


@case("leaked arena", "leaks", abi_revs=("a2",))
def _(run):
    run.res("done")["arena_bytes"] = 4096
