# SPDX-License-Identifier: Apache-2.0
"""Checks on what was printed. None of them is a proof: the kernel's record is (check_share.py)."""
import re

from judge import audit as audit_form
from judge import proof
from judge.context import judged, red

BAD_PATTERNS = ("panic", "unexpected trap", "sbi_trap_error", "assertion", "stack overflow", "hazard")
FIRMWARE_BANNER = re.compile(r"OpenSBI v[0-9]")
CONTROL = re.compile(r"[^\t\x20-\x7e]")


def marker_text(line, markers):
    return any(marker in line for marker in markers)


def markers(ctx):
    expected = ctx.manifest["markers"] + [ctx.manifest["last_marker"]]
    seen = [line for line in ctx.console if line in expected]
    failures = [number for number, line in enumerate(ctx.console) if proof.FAIL_PREFIX in line]
    problems = []
    for marker in expected:
        if seen.count(marker) != 1:
            problems.append(f"'{marker}' {seen.count(marker)} times")
    for line in ctx.console:
        if line in expected:
            continue
        allowed = line.startswith((proof.FAIL_PREFIX, proof.NOTE_PREFIX, proof.EVIDENCE_PREFIX + " "))
        if ctx.is_spoken(line) and not allowed:
            problems.append(f"unknown marker '{line[:60]}'")
        elif marker_text(line, expected):
            problems.append(f"a marker inside another line: '{line[:60]}'")
    problems += [f"a marker in the kernel's own text: '{text[:60]}'" for text in ctx.kernel_texts
                 if marker_text(text, expected)]
    if seen and seen[-1] != ctx.manifest["last_marker"]:
        problems.append(f"the last one is '{seen[-1]}'")
    if failures and any(line in expected for line in ctx.console[failures[0]:]):
        problems.append("a marker after a failure line")
    return judged(problems, f"{len(seen)} of {len(expected)}, each once, '{ctx.manifest['last_marker']}' last")


def failure_lines(ctx):
    found = [line for line in ctx.console + ctx.kernel_texts if proof.FAIL_PREFIX in line]
    return judged([f"'{line[:100]}'" for line in found[:3]], "none")


def evidence(ctx):
    if ctx.evidence is None:
        return red(ctx.evidence_error)
    spoken = [line for line in ctx.console if ctx.is_spoken(line)]
    last = [number for number, line in enumerate(spoken) if line == ctx.manifest["last_marker"]]
    problems = []
    if last and not (last[-1] > 0 and spoken[last[-1] - 1].startswith(proof.EVIDENCE_PREFIX)):
        problems.append("it does not stand right before the last marker")
    secrets = ctx.host.secrets()
    facts = {"age": ctx.boot.age, "len": len(ctx.host.blob), "challenge": secrets["challenge"].hex(),
             "digest": secrets["digest"].hex()}
    for key, value in facts.items():
        if ctx.evidence[key] != value:
            problems.append(f"{key}={ctx.evidence[key]}, the host has {value}")
    text = f"age={facts['age']} len={facts['len']} challenge={facts['challenge'][:16]}.. as the host has"
    return judged(problems, text)


def bad_patterns(ctx):
    problems = []
    allowed = [re.compile(pattern) for pattern in ctx.manifest["kernel_lines"]]
    for line in ctx.console:
        low = line.lower()
        if any(pattern in low for pattern in BAD_PATTERNS):
            problems.append(f"'{line[:80]}'")
        elif low.lstrip().startswith("kernel:") and not any(pattern.fullmatch(line) for pattern in allowed):
            problems.append(f"unexpected kernel line '{line[:80]}'")
        elif CONTROL.search(line):
            problems.append(f"a byte that no line of a run holds: {line[:40]!a}")
    banners = sum(1 for line in ctx.console if FIRMWARE_BANNER.search(line))
    wanted = ctx.boot.firmware_banners
    if banners != wanted:
        problems.append(f"{banners} firmware banners instead of {wanted}")
    return judged(problems[:4], f"none, firmware banners: {wanted}")


def author_problems(manifest, said):
    """`said`: who and what, line by line. A marker is its own task's alone."""
    problems = []
    for who, text in said:
        author = proof.author_of(manifest, text)
        if author is not None and who != author:
            problems.append(f"'{text[:60]}' was printed by the {proof.ROLES.get(who, f'task {who}')}")
    return problems


def is_recorded_as(line, record):
    """The kernel's record is of the bytes as the task wrote them; a carriage return at the end is not in our line."""
    data, head = line.encode("latin-1"), audit_form.head_bytes(record)
    return any(len(said) == record["len"] and said[:len(head)] == head for said in (data, data + b"\r"))


def authors(ctx):
    """The kernel recorded who wrote each line of its console. The firmware's lines come before all of these."""
    lines, records = ctx.lines[:len(ctx.lines) - ctx.audit.line_count], ctx.audit["say"]
    before = max(0, len(lines) - len(records))
    problems = [f"the kernel recorded {len(records)} lines, the log has {len(lines)}"] * (len(records) > len(lines))
    problems += [f"not in the kernel's record: '{line[:60]}'" for line in lines[:before] if ctx.is_spoken(line)]
    problems += [f"the kernel recorded another line than '{line[:60]}'"
                 for line, record in zip(lines[before:], records) if not is_recorded_as(line, record)]
    said = [(int(record["by"]) if record["by"].isdigit() else record["by"], line)
            for line, record in zip(lines[before:], records)]
    problems += author_problems(ctx.manifest, said)
    return judged(problems[:4], f"{len(records)} lines as the kernel recorded them, each marker by its own task")
