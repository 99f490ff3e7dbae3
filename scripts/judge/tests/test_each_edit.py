#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Changes each field of a green run, one at a time and each to values of its form: the judge must fail it, or the list
of harmless edits (fuzz_harmless.py) must have it. So CI's edits do not depend on luck, as the fuzzer's do. Arguments
name other runs whose lines are edited, such as a2.
"""
import contextlib
import copy
import io
import re
import sys

import fuzz_judge
import fuzz_harmless
from judge import audit as audits
from judge import facts
from judge import verdict as verdicts
from tap import Tap

SHOWN = 20
FIELD = re.compile(r"([a-z_]+)=(\S+)")
EVIDENCE = {"abi": "a1|a2|linux", "len": "DEC", "challenge": "SIP", "digest": "SIP", "seal": "peers|forever",
            "enforced": "kernel|library", "copies": "DEC", "control_bytes": "DEC", "bulk_bytes": "DEC"}
FORMS = {line.split()[0]: dict(pair.split("=", 1) for pair in line.split()[1:])
         for line in audits.LINES.replace("\\\n", "").strip().split("\n")}
FREE_WORDS = {"name": ("x",), "what": ("arena_bytes", "address_spaces", "endpoint_ids"), "by": ("kernel", "several", "17", "18", "19")}
PRIVATE_KEPT = 2  # mappings of a process's own memory: one is like another


def other_digits(text):
    """The text with its first, and with its last digit changed."""
    return [("1" if text[0] == "0" else "0") + text[1:], text[:-1] + ("1" if text[-1] == "0" else "0")]


def numbers_near(value):
    return {value + 1, value - 1, value + 4096, value - 4096, 0, 18, 1 << 40} - {value}


def others(form, key, text):
    """Other values of a field's form."""
    if key in FREE_WORDS:
        return [word for word in FREE_WORDS[key] if word != text]
    if form in ("DEC", "INT", "BIT"):
        return [str(number) for number in numbers_near(int(text)) if form == "INT" or 0 <= number < (2 if form == "BIT" else 1 << 64)]
    if form == "ADDRESS":
        return [hex(number) for number in numbers_near(int(text, 16)) if number >= 0]
    if form == "HEAD":  # each byte of a message's header and counters, and one of the rest
        return [text[:at] + other_digits(text[at:at + 2])[1] + text[at + 2:] for at in range(0, len(text) & ~1, 2)]
    return other_digits(text) if form == "SIP" else [word for word in form.split("|") if word != text]


# ---- The log ---------------------------------------------------------------------------------------
def forms_of(line):
    """The form of each key of a line of the audit, or of the evidence line."""
    if line.startswith(facts.EVIDENCE_PREFIX):
        return EVIDENCE
    return FORMS[line.split()[2]] if line.startswith(audits.PREFIX) else {}


def edits_of_line(line):
    """The line with each value changed, and with each two values of one form swapped."""
    forms = forms_of(line)
    fields = [found for found in FIELD.finditer(line) if found[1] in forms]
    for found in fields:
        for value in others(forms[found[1]], found[1], found[2]):
            yield line[:found.start(2)] + value + line[found.end(2):]
    for at, one in enumerate(fields):
        for two in fields[at + 1:]:
            if forms[one[1]] == forms[two[1]] and one[2] != two[2]:
                yield line[:one.start(2)] + two[2] + line[one.end(2):two.start(2)] + one[2] + line[two.end(2):]


def edits_of_pair(one, two):
    """Two lines of a kind with the values of one key swapped."""
    for mine, theirs in zip(FIELD.finditer(one), FIELD.finditer(two)):
        if mine[2] != theirs[2]:
            yield one[:mine.start(2)] + theirs[2] + one[mine.end(2):], two[:theirs.start(2)] + mine[2] + two[theirs.end(2):]


def log_edits(log):
    """-> (what was done, the log)"""
    lines = log.decode("latin-1").split("\n")
    for number, line in enumerate(lines):
        for new in edits_of_line(line):
            yield f"{line} -> {new}", [*lines[:number], new, *lines[number + 1:]]
        if forms_of(line):
            count = re.sub(r"[0-9]+$", lambda found: str(int(found[0]) - 1), lines[-2])
            yield f"without {line}", [*lines[:number], *lines[number + 1:-2], count, ""]
        kind = line.split()[:3]
        after = next((at for at in range(number + 1, len(lines)) if lines[at].split()[:3] == kind), None)
        for pair in edits_of_pair(line, lines[after]) if after and forms_of(line) else ():
            yield f"{line} and {lines[after]} swap a value", [*lines[:number], pair[0], *lines[number + 1:after], pair[1],
                                                            *lines[after + 1:]]


def edits_of_log(run):
    for said, lines in log_edits(run.log):
        edited = copy.copy(run)
        edited.boot, edited.log = copy.copy(run.boot), "\n".join(lines).encode("latin-1")
        yield said, edited


# ---- Facts and observations ------------------------------------------------------------------------
def other_values(key, value, identities):
    """Other values of a fact, by its type, and for text by what it says."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (int, float)):
        return [number for number in (value + 1, value - 1, value + 4096, value - 4096, 0) if number >= 0]
    if isinstance(value, bytes):
        places = range(len(value)) if len(value) <= 128 else (0, len(value) // 2, len(value) - 1)
        return [value[:at] + bytes([value[at] ^ 4]) + value[at + 1:] for at in places] + [value[:-1], value + b"x"]
    if isinstance(value, (set, frozenset)):
        return [set(value) ^ {name} for name in ("seal", "shrink", "grow", "write", "future-write")]
    if not isinstance(value, str):
        return []
    if key == "identity":
        return [other for other in identities if other != value]
    if key == "perms":
        return [value[:at] + new + value[at + 1:] for at, new in enumerate("---p") if value[at] != new] + ["rwxs", "rw-s", "r--s"]
    if re.fullmatch("[0-9a-f]{32,}", value):
        return other_digits(value)
    return ["R", "Z", "-"] if key == "state" else [value + "x", value[1:]]


def walk(value, path=()):
    """-> (path, value) of all that a run's facts hold"""
    yield path, value
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else \
        vars(value).items() if hasattr(value, "__dict__") else ()
    for key, part in parts:
        yield from walk(part, (*path, key))


def reach(value, path):
    for key in path:
        value = getattr(value, key) if hasattr(value, "__dict__") else value[key]
    return value


def put(root, path, value):
    """Sets a part. A tuple is replaced in what holds it."""
    holder = reach(root, path[:-1])
    if isinstance(holder, tuple):
        put(root, path[:-1], holder[:path[-1]] + (value,) + holder[path[-1] + 1:])
    elif hasattr(holder, "__dict__"):
        setattr(holder, path[-1], value)
    else:
        holder[path[-1]] = value


def edits_of_facts(run, names):
    """Each fact below the names changed; each item of a list or dictionary left out or, in a list, doubled."""
    parts = [(path, value) for name in names for path, value in walk(reach(run, name), name)]
    identities = sorted({value for path, value in parts if path[-1] == "identity"})
    for path, value in parts:
        for new in other_values(path[-1], value, identities):
            if new != value:
                yield path, value, lambda root, path=path, new=new: put(root, path, new), new
        for key in range(len(value)) if isinstance(value, list) else value if path[-1] in MAY_LACK else ():
            yield path, key, lambda root, path=path, key=key: reach(root, path).pop(key), "gone"
            if isinstance(value, list):
                yield path, key, lambda root, path=path, key=key: reach(root, path).insert(
                    key, copy.deepcopy(reach(root, path)[key])), "twice"


MAY_LACK = ("manifest", "barriers", "seals", "contents")  # dictionaries that a run may fill in part
FACTS = [("manifest",), ("host", "payload"), ("host", "blob"), ("host", "page"), ("host", "challenge_hex"), ("host", "digest_hex"),
         ("host", "page_digest_hex"), ("boot", "images"), ("boot", "consumer_elf")]
OURS = [("boot", "nonce"), ("boot", "exit_code"), ("boot", "init_elf")]
SEEN = [("seen", name) for name in ("statuses", "packets", "barriers", "lines", "children", "strays")]


def edited_facts(run, names):
    for path, value, change, new in edits_of_facts(run, names):
        edited = copy.deepcopy(run)
        if edited.seen:
            edited.boot.observed = edited.seen
        change(edited)
        yield f"{'.'.join(map(str, path))}: {str(value)[:80]} -> {str(new)[:80]}", edited


# ---- The verdicts ----------------------------------------------------------------------------------
def fault_of(run, edited):
    """Why the verdict is wrong, or None. An edit that is red needs no look at the list."""
    try:
        verdict = edited.judge()
        if verdict.word == verdicts.FAIL:
            return None
        is_manifest = edited.manifest != run.manifest
        return fuzz_judge.fault_of(fuzz_harmless.entries_behind(run, edited), verdict, is_manifest)
    except Exception as error:  # pylint: disable=broad-except
        return f"{type(error).__name__} out of the judge or the model: {error}"


def check(tap, run, edits, least, what):
    found, count = [], 0
    for said, edited in edits:
        count += 1
        if fault := fault_of(run, edited):
            found.append(f"{fault}: {said}")
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    tap.check(count >= least, f"{run.name}: there are {least} edits of {what}", count)
    tap.check(not found, f"{run.name}: each edit of {what} is red or on the list", "\n".join(found[:SHOWN] + more))


def lean(run):
    """Most of a process's mappings are its own; a few of these stand for all."""
    for sight in [sight for barrier in run.seen.barriers.values() for sight in barrier.sights.values()] + [
            child.at_exit for child in run.seen.children.values()]:
        is_own = [mapping.perms[3] == "p" for mapping in sight.mappings]
        sight.mappings = [m for at, m in enumerate(sight.mappings) if not is_own[at] or sum(is_own[:at]) < PRIVATE_KEPT]
    return run


def check_options(tap):
    """A wrong option of the fuzzer is one line, and code 2. No edit at all is no run."""
    wrong = ("--runs bogus", "--runs=", "--only 1", "--only 1:x", "--edits 0", "--edits -5", "--edits 1_0", "--seconds nan", "--seed x",
             "--seed ١", "--bogus")
    for words in wrong:
        said, code = io.StringIO(), None
        with contextlib.redirect_stderr(said):
            try:
                fuzz_judge.options_of(words.split())
            except SystemExit as end:
                code = end.code
        tap.check(code == 2 and said.getvalue().count("\n") == 1, f"refused: {words}", said.getvalue())


def main():
    tap = Tap()
    check_options(tap)
    fuzz_judge.keep_hashes()
    for name in sys.argv[1:] or ("fill-a1", "stream-a2", "a1", "a2-forever"):
        run = fuzz_judge.RUNS[name]()
        tap.check(run.judge().word == verdicts.PASS, f"the run {name} is green")
        check(tap, run, edits_of_log(run), 1000, "a line")
    check(tap, run, edited_facts(run, FACTS + OURS), 80, "a fact")
    run = fuzz_judge.RUNS["foreign"]()
    tap.check(run.judge().word == verdicts.PASS, "the run foreign is green")
    check(tap, run, edited_facts(run, FACTS), 80, "a fact")
    check(tap, run, edits_of_log(run), 30, "a line")
    run = lean(fuzz_judge.RUNS["fake-linux"]())
    tap.check(run.judge().word == verdicts.PASS, "the run fake-linux is green")
    check(tap, run, edited_facts(run, FACTS + SEEN), 500, "a fact")
    return tap.done()


if __name__ == "__main__":
    main()
