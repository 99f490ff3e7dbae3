# SPDX-License-Identifier: Apache-2.0
"""Runs that must fail because of the audit's form, or of the end of the run that it records."""
from fixture import NONCE, exit_codes
from case_table import case, edit, insert_line


def move_line(log, mark, steps):
    """Moves the line that contains the mark down in the log."""
    lines = log.split(b"\n")
    at = next(number for number, text in enumerate(lines) if mark in text)
    lines.insert(at + steps, lines.pop(at))
    return b"\n".join(lines)


def recount(log):
    """Corrects the line count in the log's last line."""
    count = log.count(b"audit ")
    head, _, _ = log.rpartition(b" end lines=")
    return head + f" end lines={count}\n".encode()


# ---- Form of the audit ---------------------------------------------------------------------------
@case("words only, no audit", "audit-form")
def _(run):
    run.log_edits.append(lambda log: log[:log.index(b"audit ")])


@case("audit with another nonce", "audit-form")
def _(run):
    run.nonce = NONCE[::-1]


@case("one audit line with another nonce", "audit-form")
def _(run):
    edit(run, f"audit {NONCE} lost".encode(), b"audit 0123456789abcdef lost")


@case("audit twice", "audit-form")
def _(run):
    run.log_edits.append(lambda log: log + log[log.index(b"audit "):])


@case("audit line printed by a task", "audit-form")
def _(run):
    insert_line(run, "vmo: sha256 ok", "audit 00 msg n=0 from=18 to=17 len=0 type=0 moved=none head=-")


@case("nonce known to a task", "audit-form")
def _(run):
    insert_line(run, "vmo: sha256 ok", f"vmo: note {NONCE}")


@case("bytes after the audit", "audit-form")
def _(run):
    run.log_edits.append(lambda log: log + b"bye")


@case("line after the audit", "audit-form")
def _(run):
    run.log_edits.append(lambda log: log + b"bye\n")


@case("log cut in the audit", "audit-form")
def _(run):
    run.log_edits.append(lambda log: log[:log.index(b" lost ")])


@case("log cut in the last line", "audit-form")
def _(run):
    run.log_edits.append(lambda log: log[:-1])


@case("audit line count wrong", "audit-form")
def _(run):
    edit(run, b" end lines=", b" end lines=1")


@case("audit line dropped", "audit-form")
def _(run):
    run.log_edits.append(lambda log: b"\n".join(x for x in log.split(b"\n") if b" hand " not in x))


@case("unknown kind", "audit-form")
def _(run):
    edit(run, b" lost msgs=0", b" last msgs=0")


@case("unknown key", "audit-form")
def _(run):
    edit(run, b" creator=17", b" maker=17")


@case("keys out of order", "audit-form")
def _(run):
    edit(run, b"msgs=0 undelivered=0", b"undelivered=0 msgs=0")


@case("two results", "audit-form")
def _(run):
    run.audit["result"] *= 2


@case("audit does not start with its begin line", "audit-form")
def _(run):
    run.log_edits.append(lambda log: move_line(log, b" begin ", 1))


@case("audit ends twice", "audit-form")
def _(run):
    run.log_edits.append(lambda log: log.replace(b" lost ", b" end lines=9\naudit " + NONCE.encode() + b" lost ", 1))
    run.log_edits.append(recount)


@case("two tasks with one pid", "audit-form")
def _(run):
    run.audit["task"].append(dict(run.audit["task"][1]))


@case("tasks out of order", "audit-form")
def _(run):
    run.audit["task"].reverse()


@case("VMO ids with a gap", "audit-form")
def _(run):
    run.audit["vmo"][1]["id"] = 3


@case("resources read twice at one moment", "audit-form")
def _(run):
    run.audit["res"].append(dict(run.res("done")))


@case("message number skipped", "audit-form")
def _(run):
    run.audit["msg"][3]["n"] = 4


@case("head shorter than the message", "audit-form")
def _(run):
    run.audit["msg"][1]["head"] = run.audit["msg"][1]["head"][:-2]


@case("audit of the other ABI revision", "audit-form")
def _(run):
    run.audit["begin"][0]["abi"] = "a1" if run.abi_rev == "a2" else "a2"


@case("empty log", "audit-form", "markers", "bad-patterns", "evidence")
def _(run):
    run.log_edits.append(lambda log: b"")


@case("audit table overflowed", "audit-complete")
def _(run):
    run.audit["overflow"] = [{"kind": "map", "lost": 3}]


@case("message not recorded", "audit-complete")
def _(run):
    run.audit["lost"][0]["msgs"] = 1


@case("message never received", "audit-complete")
def _(run):
    run.audit["lost"][0]["undelivered"] = 1


# ---- How the run ended ---------------------------------------------------------------------------
@case("exit code 0", "exit-code")
def _(run):
    run.exit_code = 0


@case("exit code of another status", "exit-code")
def _(run):
    run.exit_code = exit_codes.number("done-badly")


@case("QEMU killed by a signal", "exit-code")
def _(run):
    run.exit_code = -9


@case("init's status is not 0", "audit-result")
def _(run):
    run.audit["result"][0]["status"] = 1


@case("the guest's watchdog", "audit-result", "exit-code")
def _(run):
    run.audit["result"][0]["init"] = "watchdog"
    run.exit_code = exit_codes.number("watchdog")


@case("log cap reached", "limits", "exit-code", "audit-form")
def _(run):
    run.exit_code, run.stopped = None, "log-cap"
    run.log_edits.append(lambda log: log[:log.index(b" lost ")])


@case("log as long as its cap", "limits")
def _(run):
    run.log_cap = 1000


@case("wall timeout", "limits", "exit-code", "audit-form")
def _(run):
    run.exit_code, run.stopped = None, "wall"
    run.log_edits.append(lambda log: log[:log.index(b"audit ")])


@case("consumer faulted", "tasks")
def _(run):
    run.audit["task"][1].update(end="fault", status=-22)


@case("consumer exited with a status", "tasks")
def _(run):
    run.audit["task"][1]["status"] = 1


@case("consumer never exited", "tasks")
def _(run):
    run.audit["task"][1].update(state="live", end="none")


@case("no consumer", "tasks", "no-kernel-copy", "authors")
def _(run):
    run.audit["task"][1].update(pid=19)


@case("consumer is another task's child", "tasks")
def _(run):
    run.audit["task"][1]["parent"] = 1


@case("consumer exited, yet lives", "tasks")
def _(run):
    run.audit["task"][1]["state"] = "live"


@case("a third task", "tasks")
def _(run):
    run.audit["task"].append(dict(run.audit["task"][1], pid=19))
    run.audit["copy"].append({"pid": 19, "into": 0, "from": 0})


@case("hazard", "hazards")
def _(run):
    run.audit["hazard"] = [{"pid": 17, "call": 46, "id": "K-29", "what": "destroy-under-as-map"}]


@case("hazard of a trap", "hazards")
def _(run):
    run.audit["hazard"] = [{"pid": 18, "call": "fault", "id": "K-64", "what": "breakpoint"}]


@case("leaked slot", "leaks")
def _(run):
    run.res("done")["slots"] += 1


@case("leaked endpoint", "leaks")
def _(run):
    run.res("done")["endpoints"] += 1


@case("leaked region", "leaks")
def _(run):
    run.res("done")["regions"] += 1


@case("leaked VMO", "leaks")
def _(run):
    run.res("done")["vmos"] += 1


@case("VMO left alive", "leaks", "audit-complete", abi_revs=("a2",))
def _(run):
    run.audit["vmo"][0]["state"] = "live"
    run.res("done")["vmos"] = 1


@case("leaked frame", "leaks")
def _(run):
    run.res("end")["frames"] = run.res("start")["frames"] + 1


@case("endpoint left by teardown", "leaks")
def _(run):
    run.res("end")["endpoints"] = 1


@case("slot left by teardown", "leaks")
def _(run):
    run.res("end")["slots"] = 1


@case("VMO made by teardown", "leaks")
def _(run):
    run.res("end")["vmos"] += 1


@case("arena bytes taken by teardown", "leaks", abi_revs=("a2",))
def _(run):
    run.res("end")["arena_bytes"] += 4096


@case("kept and taken arena bytes differ", "leaks", abi_revs=("a1",))
def _(run):
    run.audit["keep"][0]["n"] += 4096


@case("an arena that shrank, though it cannot", "leaks", abi_revs=("a1",))
def _(run):
    run.res("done")["arena_bytes"] += 4096


@case("resources not read at the start", "leaks")
def _(run):
    run.audit["res"].pop(0)


@case("resources not read when init was done", "leaks")
def _(run):
    run.audit["res"].pop(1)


@case("resources not read at the end", "leaks")
def _(run):
    run.audit["res"].pop(2)
