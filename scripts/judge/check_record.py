# SPDX-License-Identifier: Apache-2.0
"""Whether the kernel's record agrees with itself: a lost line leaves a gap in the sequence numbers,
a changed one contradicts another."""
import bisect
import math

from judge import facts

# One counter gives these numbers, so together they are 1 to their count.
ASCENDING = (("map", "made"), ("hand", "seq"), ("msg", "seq"), ("say", "seq"), ("hash", "seq"))
NUMBERED = (*ASCENDING, ("map", "ended"), ("msg", "sent"))
WHOLE_PAGES = (("vmo", ("base", "bytes")), ("map", ("off", "base", "bytes")), ("hash", ("bytes",)))
CALLS = {"a1": "map", "a2": "vm_map"}


def sequence_problems(audit):
    numbers = [record[key] for kind, key in NUMBERED for record in audit[kind]]
    numbers = sorted(number for number in numbers if number)  # a mapping that lives has not ended
    problems, count = [], len(numbers)
    if numbers != list(range(1, count + 1)):
        problems.append(f"the {count} sequence numbers are not 1 to {count}")
    for kind, key in ASCENDING:
        found = [record[key] for record in audit[kind]]
        if found != sorted(found):
            problems.append(f"'{kind}' lines are not in order of {key}")
    return problems


def mapping_faults(record, abi_rev):
    """Contradictions in one mapping, in the record's own words."""
    pages, is_live = record["bytes"] // facts.PAGE_BYTES, record["state"] == "live"
    is_consumers = record["pid"] == facts.CONSUMER_PID
    writes = "w" in record["prot"]
    if is_live != (record["ended"] == 0) or not is_live and record["ended"] <= record["made"]:
        yield f"state={record['state']} made={record['made']} ended={record['ended']}"
    if not record["dirtied"] <= record["accessed"] <= pages or pages == 0:
        yield f"accessed={record['accessed']} dirtied={record['dirtied']} of {pages} pages"
    # Checks `read-only` and `accessed` judge the consumer's mappings, `protocol` its as_map.
    is_kind = record["prot"] in ("r", "rw") and not (writes and record["alias"])
    if not is_consumers and not (is_kind and (writes or not record["dirtied"])):
        yield f"prot={record['prot']} alias={record['alias']} dirtied={record['dirtied']}"
    is_known = record["via"] == CALLS[abi_rev] or is_consumers and record["via"] == "as_map"
    if not is_known or record["alias"] and abi_rev == "a1":
        yield f"via={record['via']} alias={record['alias']} on {abi_rev}"


def message_faults(audit):
    for message in audit["msg"]:
        if message["seq"] < message["sent"]:
            yield f"message {message['n']} was received before it was sent"


def hash_faults(audit):
    """A VMO is hashed whole. The last time is its destruction, or the end if it lives then."""
    vmos = {vmo["id"]: vmo for vmo in audit["vmo"]}
    for record in audit["hash"]:
        vmo, lives = vmos.get(record["vmo"]), record["when"] != "destroyed"
        is_last = record["when"] in ("destroyed", "end")
        if vmo is None or record["bytes"] != vmo["bytes"]:
            yield "{bytes} bytes of VMO {vmo} were hashed at its {when}".format_map(record)
        elif is_last and lives != (vmo["state"] == "live"):
            yield "VMO {vmo} was hashed when={when}, but ended otherwise".format_map(record)


def writer_faults(audit):
    """With hashes=1 a hand-over counts the writable mappings that lived then."""
    if not audit.one("begin")["hashes"]:
        return
    writable = [record for record in audit["map"] if "w" in record["prot"]]
    made = sorted((record["vmo"], record["made"]) for record in writable)
    ended = sorted((record["vmo"], record["ended"] or math.inf) for record in writable)
    for hand in (hand for hand in audit["hand"] if hand["kind"] != "endpoint"):
        now = hand["vmo"], hand["seq"]
        lived = bisect.bisect(made, now) - bisect.bisect(ended, now)  # other VMOs cancel out
        if hand["wmaps"] != lived:
            what = f"wmaps={hand['wmaps']}, but {lived} writable mappings lived"
            yield f"VMO {hand['vmo']} was handed over with {what}"


def count_faults(audit):
    """A task's count never falls, and all tasks' instructions are some of the machine's. The count
    of a mapping by as_map is its maker's."""
    places, retired = (("map", "made", "pid"), ("msg", "sent", "from")), {}
    own = ((k, at, who, r) for k, at, who in places for r in audit[k] if r.get("via") != "as_map")
    counts = ((record[at], record[who], record["user"]) for _, at, who, record in own)
    for _, pid, user in sorted(counts):
        if user < retired.setdefault(pid, user):
            yield f"pid {pid} had retired {user} instructions, and {retired[pid]} before"
        retired[pid] = user
    if (total := sum(retired.values())) > audit.one("result")["instret"]:
        yield f"the tasks retired {total} instructions, more than all since boot"


def alignment_faults(audit):
    """Memory goes by whole pages."""
    for kind, keys in WHOLE_PAGES:
        for record in audit[kind]:
            odd = [key for key in keys if record[key] % facts.PAGE_BYTES]
            yield from (f"a '{kind}' line has {key}={record[key]:#x}" for key in odd)


def record_problems(audit, abi_rev):
    problems = sequence_problems(audit)
    for record in audit["map"]:
        who = f"pid {record['pid']} mapped VMO {record['vmo']}"
        problems += [f"{who} with {fault}" for fault in mapping_faults(record, abi_rev)]
    if abi_rev == "a1" and any(hand["kind"] == "alias" for hand in audit["hand"]):
        problems.append("an alias was handed over, but a1 has none")
    problems += [*message_faults(audit), *hash_faults(audit), *writer_faults(audit)]
    return [*problems, *count_faults(audit), *alignment_faults(audit)]
