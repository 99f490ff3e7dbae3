# SPDX-License-Identifier: Apache-2.0
"""Runs of the proof of fills that must fail: a change to the good run of fill_fixture.py, and its red checks."""
from fill_fixture import ANSWERED, FILLED, LENT, READ, RECEIVED, REPLIED, SEEN
from judge import facts

BOTH = ("a1", "a2")
FILL_CASES = []  # (name, ABI revisions, red checks, change)


def case(name, *red, abi_revs=BOTH):
    def keep(change):
        FILL_CASES.append((name, abi_revs, frozenset(red), change))
        return change
    return keep


def writing(run):
    """The producer's mapping to write."""
    return run.audit["map"][1]


@case("memory that was not zero when given", "content")
def _(run):
    run.hash_edits[RECEIVED + 2] = b"x"


@case("memory that the consumer wrote before it lent it", "content")
def _(run):
    run.hash_edits[LENT + 1] = b"x"


@case("memory that was not zero when lent", "content")
def _(run):
    run.hash_edits[LENT + 5] = b"x"


@case("memory that was filled after the answer", "content")
def _(run):
    run.hash_edits[ANSWERED + 1] = b""


@case("memory that changed before the reply was received", "content")
def _(run):
    run.hash_edits[REPLIED + 5] = run.memory()[:-1] + b"x"


@case("memory that changed before the receipt", "content")
def _(run):
    run.hash_edits[SEEN + 2] = run.memory()[:-1] + b"x"


@case("memory that changed in the end", "content")
def _(run):
    run.hash_edits[320] = run.memory() + b"x"


@case("memory that was not hashed in the end", "content")
def _(run):
    run.hash_vmos()
    run.audit["hash"].pop()


@case("memory that was hashed in part", "audit-complete")
def _(run):
    run.hash_vmos()
    run.audit["hash"][-1]["bytes"] -= 4096


@case("a header with another length", "content")
def _(run):
    data = bytearray(run.memory())
    data[8] ^= 1
    run.hash_edits.update(dict.fromkeys((ANSWERED + 1, REPLIED + 5, SEEN + 2, 320), bytes(data)))


@case("a producer that kept a capability when it gave the memory", "lending")
def _(run):
    run.audit["hand"][2]["wcaps"] += 1


@case("a producer that kept a capability when it was lent the memory", "lending")
def _(run):
    run.audit["hand"][3]["wcaps"] += 1


@case("a producer that kept what it was lent", "lending")
def _(run):
    run.audit["hand"][4]["wcaps"] += 1


@case("a producer that kept its mapping", "lending", "order", abi_revs=("a2",))
def _(run):
    writing(run)["ended"] = 298


@case("a producer that did not write a page", "lending")
def _(run):
    writing(run)["dirtied"] -= 1


@case("a producer that wrote twice", "lending")
def _(run):
    run.audit["map"].insert(2, {**writing(run), "made": FILLED + 3, "ended": FILLED + 4 if writing(run)["ended"] else 0})
    if not writing(run)["ended"]:
        run.audit["hand"][4]["wmaps"] = 2


@case("a producer that wrote what it mapped to read", "lending", "audit-complete")
def _(run):
    run.audit["map"][0]["dirtied"] = 1


@case("another physical page", "sharing")
def _(run):
    run.audit["map"][2]["base"] = "0x84099000"


@case("memory with more rights", "sharing", "protocol")
def _(run):
    run.audit["hand"][3]["rights"] = 5


@case("memory that the producer never mapped wholly", "sharing", "lending")
def _(run):
    for record in run.maps(17):
        pages = record["bytes"] // 4096 - 1
        record.update(bytes=pages * 4096)
        record.update({key: min(record[key], pages) for key in ("accessed", "dirtied")})


@case("a consumer that could write through its mapping", "read-only", "lending")
def _(run):
    run.audit["map"][2]["prot"] = "rw"


@case("a consumer that mapped before the answer", "order")
def _(run):
    run.audit["map"][2]["made"] = ANSWERED + 1 - (READ - ANSWERED) // 2


@case("a consumer that mapped twice", "sharing")
def _(run):
    more = {**run.audit["map"][2], "made": READ + 1}
    run.audit["map"].insert(3, more)


@case("memory that went over once more", "sharing", "protocol", "counters")
def _(run):
    run.audit["hand"].append({**run.audit["hand"][2], "seq": 298, "slot": 4, "wcaps": 2})


@case("another number of the request", "protocol")
def _(run):
    record = run.audit["msg"][1]
    record["head"] = record["head"][:64] + (facts.FILL_REQUEST[:-1] + b"x").hex()


@case("a seal that nobody made", "protocol")
def _(run):
    record = run.audit["msg"][0]
    record["head"] = record["head"][:28] + "0100" + record["head"][32:]


@case("a reply with a seal that nobody made", "protocol")
def _(run):
    record = run.audit["msg"][3]
    record["head"] = record["head"][:28] + "0100" + record["head"][32:]


@case("a receipt that was received before it was sent", "audit-complete")
def _(run):
    def change(audit):
        last = audit["msg"][-1]
        last.update(sent=last["seq"], seq=last["sent"])
    run.record_edits.append(change)


@case("a producer that was lent the memory in another slot", "protocol")
def _(run):
    run.audit["hand"][3]["slot"] = 6


@case("a producer that kept its capability, so that the reply's came in another slot", "protocol")
def _(run):
    run.audit["hand"][4]["slot"] = 6


@case("a word in the answer's type", "protocol")
def _(run):
    run.audit["msg"][2]["type"] = 1


@case("a message too few", "protocol", "counters")
def _(run):
    run.audit["msg"].pop()
