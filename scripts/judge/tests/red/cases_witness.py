# SPDX-License-Identifier: Apache-2.0
"""Runs that must fail for what only the kernel's own hashes, sequence and counts show."""
from fixture import MAPPED, NONCE, PAYLOAD, REPLIED, SEEN, content_hash, message, noise, ticket
from case_table import case


def hash_of(run, number, when):
    last = "destroyed" if run.abi_rev == "a2" else "end"
    when = last if when == "end" else when
    return next(r for r in run.audit["hash"] if (r["vmo"], r["when"]) == (number, when))


# ---- Content and images --------------------------------------------------------------------------
@case("digests in the slack of the blob's last page", "content")
def _(run):
    for when in ("grant", "reply", "end"):
        hash_of(run, 1, when)["sip"] = content_hash(NONCE, run.blob + run.digest + run.page_digest)


@case("blob changed after the hand-over", "content")
def _(run):
    hash_of(run, 1, "reply")["sip"] = content_hash(NONCE, run.blob[:-1])


@case("blob changed after the reply", "content")
def _(run):
    hash_of(run, 1, "end")["sip"] = "0" * 16


@case("the page held something else", "content")
def _(run):
    hash_of(run, 2, "grant")["sip"] = content_hash(NONCE, run.page[:-1])


@case("blob hashed with fewer pages", "content")
def _(run):
    hash_of(run, 1, "grant")["bytes"] -= 4096


@case("no hash at the reply", "content")
def _(run):
    run.audit["hash"].remove(hash_of(run, 2, "reply"))


@case("no hashes at all", "content", "image")
def _(run):
    run.audit["begin"][0]["witness"] = 0
    run.audit["hash"] = []


@case("image with one byte patched", "image")
def _(run):
    run.fill_images()
    run.audit["image"][1]["sip"] = content_hash(NONCE, run.consumer[:99] + b"!" + run.consumer[100:])


@case("image with zeros behind it", "image")
def _(run):
    run.fill_images()
    run.audit["image"][1]["bytes"] += 1


@case("no image of the consumer", "image")
def _(run):
    run.fill_images()
    run.audit["image"].pop()


@case("an image of a third task", "image")
def _(run):
    run.fill_images()
    run.audit["image"].append(dict(run.audit["image"][1], pid=19))


@case("something told in gp", "image")
def _(run):
    run.fill_images()
    run.audit["image"][1]["gp"] = "0x" + run.digest[:8].hex()


@case("something told in the stack's size", "image")
def _(run):
    run.fill_images()
    run.audit["image"][1]["stack_pages"] = 5


# ---- Protocol --------------------------------------------------------------------------------------
@case("message of another type", "protocol")
def _(run):
    run.audit["msg"][0]["type"] = 7


@case("something told in a message's flags", "protocol")
def _(run):
    run.audit["msg"][2]["flags"] = 0x5A5A


@case("one message more", "protocol")
def _(run):
    run.add_message(17, 18, message(1, 9))
    run.evidence = run.true_evidence()


@case("requests in the other order", "protocol", "audit-complete")
def _(run):
    run.audit["msg"][1]["n"], run.audit["msg"][2]["n"] = 2, 1
    run.audit["msg"][1:3] = run.audit["msg"][2:0:-1]
    head = run.audit["msg"][2]["head"]
    run.audit["msg"][2]["head"] = head[:128] + bytes(8).hex() + (80).to_bytes(8, "little").hex() + head[160:]


@case("request with another length", "protocol")
def _(run):
    run.audit["msg"][0]["head"] = message(2, 1, length=1).hex()


@case("ticket with another slot", "protocol")
def _(run):
    run.audit["msg"][2]["head"] = message(1, 2, ticket(slot=5)).hex()


@case("transfer to a slot of the producer's choice", "protocol")
def _(run):
    run.handed(2)["slot"] = 200
    run.audit["msg"][2]["head"] = message(1, 2, ticket(slot=200)).hex()


@case("one endpoint more", "protocol")
def _(run):
    run.audit["hand"].append(dict(run.audit["hand"][0], slot=9))


@case("endpoint with more rights", "protocol")
def _(run):
    run.audit["hand"][0]["rights"] = 3


@case("endpoint that came back", "protocol")
def _(run):
    run.audit["hand"][1].update({"from": 18, "to": 17})


@case("a VMO mapped into the consumer by as_map", "protocol")
def _(run):
    run.maps(18)[0]["via"] = "as_map"


@case("consumer with a name", "protocol")
def _(run):
    run.audit["task"][1]["name"] = "c"


@case("the consumer's own counters have a copy", "counters")
def _(run):
    head = run.audit["msg"][1]["head"]
    run.audit["msg"][1]["head"] = head[:128] + "01" + head[130:]


@case("the consumer's own counters lack bytes", "counters")
def _(run):
    run.audit["msg"][3]["head"] = run.audit["msg"][3]["head"][:-16] + bytes(8).hex()


# ---- Order -----------------------------------------------------------------------------------------
@case("reply before the mapping", "order")
def _(run):
    run.maps(18)[0]["made"] = 100 + REPLIED + 1


@case("page's reply before the page was mapped", "order")
def _(run):
    run.maps(18)[1]["made"] = 200 + REPLIED + 1


@case("blob mapped before its request came", "order")
def _(run):
    run.maps(18)[0]["made"] = 100 + MAPPED + 1


@case("page handed over before the blob's reply", "order")
def _(run):
    run.handed(2)["seq"] = 100 + SEEN


def say_at(text, seq):
    """A case that prints this line early, by the kernel's sequence."""
    def change(run):
        at = [line or "" for line in run.console].index(text)
        run.say_edits.append(lambda says: [says[n].update(seq=min(seq, says[n]["seq"])) for n in range(at + 1)])
    return change


case("the handle's marker before it was sent", "order")(say_at("vmo: producer sent handle", 103))
case("the mapping's marker before it was mapped", "order")(say_at("vmo: consumer mapped ok", 109))
case("the digest's marker before the reply came", "order")(say_at("vmo: sha256 ok", 113))
case("the digest's marker before the handle was sent", "order")(say_at("vmo: sha256 ok", 90))
case("the last marker before the page's reply", "order")(say_at("SELFTEST: vmo share ok", 204))
case("the evidence before the page's reply", "order")(say_at("", 204))


# ---- Work ------------------------------------------------------------------------------------------
def worked(run, permille):
    run.remake(payload=noise("work", 1024) * 64)
    run.audit["msg"][1]["user"] += run.work * permille // 1000


@case("consumer hashed nothing", "work")
def _(run):
    worked(run, -990)


@case("consumer copied its view and hashed the copy", "work")
def _(run):
    worked(run, 4)


@case("consumer did a little less", "work")
def _(run):
    worked(run, -3)


# ---- Seal ------------------------------------------------------------------------------------------
def claim(run, seal):
    """The messages and the evidence say so."""
    run.evidence["seal"] = seal
    code = {"none": 0, "peers": 1, "forever": 2}[seal]
    for number, place in ((0, 28), (2, 92)):
        head = run.audit["msg"][number]["head"]
        run.audit["msg"][number]["head"] = head[:place] + f"{code:02x}" + head[place + 2:]


def keep_forever(run):
    """What is true of VMOs that are sealed for ever on a2."""
    claim(run, "forever")
    for number in (1, 2):
        run.handed(number).update(wcaps=0, wmaps=0)
    for vmo, record in zip(run.audit["vmo"], (r for r in run.audit["hash"] if r["when"] == "destroyed")):
        vmo["state"], record["when"] = "live", "end"
    for when in ("done", "end"):
        run.res(when).update(vmos=2, arena_bytes=sum(vmo["bytes"] for vmo in run.audit["vmo"]))


@case("evidence of a seal that no message told", "seal")
def _(run):
    run.evidence["seal"] = "forever"


@case("forever told, peers claimed", "seal", "leaks", abi_revs=("a2",))
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
    run.handed(2)["wmaps"] = 1


@case("sealed for ever, and destroyed", "seal", abi_revs=("a2",))
def _(run):
    claim(run, "forever")
    for number in (1, 2):
        run.handed(number).update(wcaps=0, wmaps=0)


@case("leaked arena", "leaks", abi_revs=("a2",))
def _(run):
    run.res("done")["arena_bytes"] = 4096


assert len(PAYLOAD) < 64 * 1024  # only the cases of `work` are large
