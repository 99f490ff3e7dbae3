# SPDX-License-Identifier: Apache-2.0
"""Runs with an inconsistent kernel record. Most are edits that the fuzzer found."""
from case_table import case, edit


def recorded(change):
    """Changes the audit after its events are numbered."""
    return lambda run: run.record_edits.append(change)


case("an audit that omits the producer's mapping", "audit-complete", "sharing")(recorded(lambda a: a["map"].pop(0)))
case("an audit that omits a line's record", "audit-complete", "authors")(
    recorded(lambda a: a["say"].__delitem__(0) or [r.update(n=n) for n, r in enumerate(a["say"])]))
case("a sequence number twice", "audit-complete")(recorded(lambda a: a["say"][0].update(seq=a["say"][1]["seq"])))
case("lines of the payload in another order", "audit-complete", "order")(
    recorded(lambda a: [r.update(seq=s) for r, s in zip(a["say"][:2], (a["say"][1]["seq"], a["say"][0]["seq"]))]))
case("a mapping that ended before it was made", "audit-complete", abi_revs=("a2",))(
    recorded(lambda a: a["map"][0].update(made=a["map"][0]["ended"], ended=a["map"][0]["made"])))
case("more pages accessed than mapped", "audit-complete")(recorded(lambda a: a["map"][0].update(accessed=5)))
case("a mapping without pages", "audit-complete")(
    recorded(lambda a: a["map"][4].update(bytes=0, accessed=0)))
case("an arena that a2 does not have, which never shrinks", "leaks", abi_revs=("a2",))(
    recorded(lambda a: a["keep"].append({"what": "arena_bytes", "n": 2})))
case("more pages dirtied than accessed", "audit-complete")(recorded(lambda a: a["map"][0].update(accessed=3)))
case("the producer wrote through a read-only mapping", "audit-complete")(recorded(lambda a: a["map"][0].update(prot="r")))
case("instructions that a task lost again", "audit-complete")(recorded(lambda a: a["map"][4].update(user=0)))
case("more instructions of a task than since boot", "audit-complete")(recorded(lambda a: a["result"][0].update(instret=9)))
case("a mapping that can only be written", "audit-complete")(recorded(lambda a: a["map"][0].update(prot="w")))
case("the producer's mapping made for it by another", "audit-complete", abi_revs=("a2",))(
    recorded(lambda a: a["map"][4].update(via="as_map")))
case("an alias on a1", "audit-complete", abi_revs=("a1",))(recorded(lambda a: a["hand"][3].update(kind="alias")))
case("a page's request received before it was sent", "audit-complete", "order")(
    recorded(lambda a: a["msg"][2].update(sent=a["msg"][2]["seq"], seq=a["msg"][2]["sent"])))
case("the producer mapped the blob again to write it", "seal", abi_revs=("a1",))(
    recorded(lambda a: a["map"][4].update(prot="rw")))
case("the producer mapped the blob again by its own capability", "seal", abi_revs=("a2",))(
    recorded(lambda a: a["map"][4].update(alias=0)))
case("a consumer that nobody waited for", "tasks")(recorded(lambda a: a["task"][1].update(state="exited")))
case("a note that the kernel wrote", "authors")(recorded(lambda a: a["say"][0].update(by="kernel")))
case("an arena that was full at the start", "leaks")(recorded(lambda a: a["res"][0].update(arena_bytes=4096)))
case("a mapping of a task that does not exist", "sharing")(recorded(lambda a: a["map"][4].update(pid=80888)))
case("a mapping of a VMO that does not exist", "sharing")(recorded(lambda a: a["map"][4].update(vmo=3)))
case("a mapping of another VMO's page", "sharing")(recorded(lambda a: a["map"][4].update(vmo=2)))
case("a mapping beyond its VMO's end", "sharing")(recorded(lambda a: a["map"][4].update(bytes=8192)))
case("a mapping by a call of the other revision", "audit-complete")(
    recorded(lambda a: a["map"][0].update(via="vm_map" if a["begin"][0]["abi"] == "a1" else "map")))
case("a VMO that starts inside a page", "audit-complete")(recorded(lambda a: a["vmo"][0].update(base="0x84000700")))
case("a producer that faulted", "tasks")(
    recorded(lambda a: a["task"][0].update(state="faulted", end="fault", status=-22)))
case("an endpoint with a VMO", "protocol")(recorded(lambda a: a["hand"][0].update(vmo=3)))
case("an endpoint through which a VMO could be written", "protocol")(recorded(lambda a: a["hand"][1].update(wcaps=1)))
@case("a seal in a reply", "protocol")
def _(run):
    head = run.audit["msg"][3]["head"]
    run.audit["msg"][3]["head"] = head[:28] + "04" + head[30:]


case("a note by an unknown task", "authors")(recorded(lambda a: a["say"][0].update(by=15)))
case("a copy line of an unknown task", "no-kernel-copy")(
    recorded(lambda a: a["copy"].append({"pid": 19, "into": 0, "from": 0})))
case("a hash at a grant to another task", "content")(recorded(lambda a: a["hash"][0].update(pid=17)))
case("a hash at the reply of another task", "content")(recorded(lambda a: a["hash"][1].update(pid=17)))


@case("a VMO hashed after it was mapped", "order")
def _(run):
    next(r for r in run.audit["hash"] if r["when"] == "grant").update(seq=111)


@case("a VMO hashed before its reply was sent", "order")
def _(run):
    next(r for r in run.audit["hash"] if r["when"] == "reply").update(seq=111)


@case("a number with a leading zero", "audit-form")
def _(run):
    edit(run, b" instret=", b" instret=0")


@case("a status of -0", "audit-form")
def _(run):
    edit(run, b" status=0", b" status=-0")


@case("an address with a leading zero", "audit-form")
def _(run):
    edit(run, b" base=0x", b" base=0x0")


@case("an evidence counter with a leading zero", "evidence", "authors")
def _(run):
    edit(run, b" bulk_bytes=", b" bulk_bytes=0")
