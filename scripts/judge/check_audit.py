# SPDX-License-Identifier: Apache-2.0
"""Checks on the audit itself: its form, how the run ended, what was left over, what would have been fatal."""
from judge import proof
from judge.context import judged, ok, red

FORM = "the audit is not in form"


def form(ctx):
    if ctx.audit is None:
        return red(ctx.audit_error)
    return ok(f"{ctx.audit.line_count} lines with the run's nonce, last in the log, once")


def complete(ctx):
    problems = [f"overflow of '{record['kind']}': {record['lost']} lost" for record in ctx.audit["overflow"]]
    lost = ctx.audit.one("lost")
    if lost["msgs"]:
        problems.append(f"{lost['msgs']} messages were not recorded")
    if lost["undelivered"]:
        problems.append(f"{lost['undelivered']} messages were never received")
    return judged(problems, f"nothing lost, {len(ctx.audit['msg'])} messages recorded")


def result(ctx):
    record = ctx.audit.one("result")
    text = f"init={record['init']} status={record['status']} instret={record['instret']}"
    return judged([] if (record["init"], record["status"]) == ("done", 0) else [text], text)


def tasks(ctx):
    """The producer as init, the consumer as its only child, and the child came to a good end."""
    pids = [record["pid"] for record in ctx.audit["task"]]
    if pids != [proof.PRODUCER_PID, proof.CONSUMER_PID]:
        return red(f"tasks {pids} instead of [{proof.PRODUCER_PID}, {proof.CONSUMER_PID}]")
    child = ctx.audit.task(proof.CONSUMER_PID)
    text = f"consumer: parent={child['parent']} state={child['state']} end={child['end']} status={child['status']}"
    good = (child["parent"] == proof.PRODUCER_PID and child["state"] in ("exited", "reaped")
            and (child["end"], child["status"]) == ("exit", 0))
    return judged([] if good else [text], text)


def vmo_problem(ctx, start, done):
    """VMOs: as at the start; on a1, which has no destroy, exactly those that the audit lists as live."""
    kept = sum(1 for record in ctx.audit["vmo"] if record["state"] == "live") if ctx.boot.age == "a1" else 0
    if done["vmos"] - start["vmos"] == kept:
        return [], kept
    return [f"vmos {start['vmos']} -> {done['vmos']}, {kept} of them kept by this age"], kept


def leaks(ctx):
    start, done, end = (ctx.audit.res(when) for when in ("start", "done", "end"))
    if not (start and done and end):
        return red("a 'res' line is missing")
    problems, kept = vmo_problem(ctx, start, done)
    for key in ("slots", "regions", "endpoints"):
        if start[key] != done[key]:
            problems.append(f"{key} {start[key]} -> {done[key]}")
    if end["frames"] > start["frames"]:
        problems.append(f"frames {start['frames']} -> {end['frames']} after teardown")
    never = [f"{record['what']}={record['n']}" for record in ctx.audit["keep"]]
    never += [f"vmos={kept}"] if kept else []
    text = (f"slots {done['slots']}, regions {done['regions']}, endpoints {done['endpoints']} as at the start;"
            f" frames {start['frames']} -> {end['frames']}; kept by this age: {' '.join(never) or 'nothing'}")
    return judged(problems, text)


def hazards(ctx):
    allowed = ctx.manifest["hazards"]
    problems = [f"pid {record['pid']} call {record['call']} {record['id']} {record['what']}"
                for record in ctx.audit["hazard"] if record["id"] not in allowed]
    seen = {record["id"] for record in ctx.audit["hazard"]}
    problems += [f"the expected hazard {name} did not occur" for name in allowed if name not in seen]
    return judged(problems, "none" if not allowed else f"only {' '.join(allowed)}")
