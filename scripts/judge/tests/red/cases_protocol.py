# SPDX-License-Identifier: Apache-2.0
"""Runs that must fail because of a message between the tasks, or of the order of events."""
from fixture import MAPPED, REPLIED, SEEN, message, ticket
from case_table import case


# ---- Protocol --------------------------------------------------------------------------------------
@case("message of another type", "protocol")
def _(run):
    run.audit["msg"][0]["type"] = 7


@case("covert data in a message's flags", "protocol")
def _(run):
    run.audit["msg"][2]["flags"] = 0x5A5A


@case("an additional message", "protocol")
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


@case("an additional endpoint", "protocol")
def _(run):
    run.audit["hand"].append(dict(run.audit["hand"][0], slot=9))


@case("endpoint with more rights", "protocol")
def _(run):
    run.audit["hand"][0]["rights"] = 3


@case("endpoint sent back", "protocol")
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
    run.maps(18)[0].update(made=100 + REPLIED + 1, user=run.audit["msg"][1]["user"])


@case("page's reply before the page was mapped", "order")
def _(run):
    run.maps(18)[1]["made"] = 200 + REPLIED + 1


@case("blob mapped before its request came", "order")
def _(run):
    run.maps(18)[0]["made"] = 100 + MAPPED + 1


@case("page granted before the blob's reply", "order")
def _(run):
    run.handed(2)["seq"] = 100 + SEEN
    run.maps(17)[1]["made"] = 100 + SEEN - 1


def say_at(text, seq):
    """Adds a case that prints a line before the event it claims, by the kernel's sequence numbers."""
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
