# SPDX-License-Identifier: Apache-2.0
"""Checks that differ on a kernel that is not ours: it may print in between, keep no audit, and never end."""
import re

from judge import audit as audit_form
from judge import check_audit
from judge import check_log
from judge import check_run
from judge import facts
from judge import foreign
from judge.context import OK, judged, not_checked, red

# Why a check of the audit's cannot be made without one.
UNTOLD = {
    "audit-complete": "nothing was recorded",
    "audit-result": "the kernel does not say what became of init",
    "authors": "the console is one, and the kernel does not say who wrote what",
    "tasks": "the kernel lists no tasks; the producer says that it waited",
    "digest": "no record of the reply; see evidence, the producer's word",
    "page-digest": "no record of the reply; the producer compared it",
    "messages-clean": "no record of messages",
    "sharing": "no record of physical pages",
    "read-only": "no record of mappings",
    "accessed": "no record of page table entries",
    "no-kernel-copy": "the kernel does not count what it copies",
    "counters": "nothing to hold the library's counters against",
    "seal": "no record of aliases; see evidence, the library's word",
    "leaks": "the kernel does not count what is left",
    "hazards": "the kernel records none; a panic would be in bad-patterns",
}
KERNEL_BANNER = re.compile(r"neuron vers")  # NEURON's own, at each start


def limits(ctx):
    outcome = check_run.limits(ctx)
    if ctx.boot.stopped != "linger":
        return outcome
    outcome.evidence += f"; ended by us {ctx.boot.linger:g} s after the last word"
    return outcome


def exit_code(ctx):
    if ctx.boot.stopped == "linger" and not ctx.boot.must_audit:
        return not_checked("the kernel gave none: it has no way to end QEMU")
    return check_run.exit_code(ctx)


def built_in_problems(boot):
    """What stands in the kernel file is what was prepared."""
    if not boot.init_elf or boot.init_elf not in boot.kernel_image:
        return ["the kernel does not contain the prepared producer.elf byte for byte"]
    if facts.sha256_hex(boot.kernel_image) != boot.images["kernel"].before:
        return ["the kernel is not the file that was hashed"]
    return []


def images(ctx):
    outcome = check_run.images(ctx)
    if not ctx.boot.built_in:
        return outcome
    problems = built_in_problems(ctx.boot)
    if problems:
        return red("; ".join(problems + ([outcome.evidence] if outcome.status != OK else [])))
    outcome.evidence += f"; init at byte {ctx.boot.kernel_image.find(ctx.boot.init_elf)} of the kernel"
    return outcome


def reading(ctx):
    """What the kernel printed in the middle of the payload's lines could be told from them."""
    found = ctx.boot.reading
    text = f"{len(found.kernel)} texts of the kernel's taken out, {found.joined} lines had been cut"
    return judged(found.doubts[:4], text)


def evidence(ctx):
    """As the host has it; and what the library says of itself fits what was to be done, on this age."""
    outcome = check_log.evidence(ctx)
    if ctx.evidence is None:
        return outcome
    pages = facts.pages_of(len(ctx.host.blob)) + facts.pages_of(len(ctx.host.page))
    wanted = {"enforced": "kernel" if ctx.evidence["age"] == "a2" else "library", "copy_fallbacks": 0,
              "bulk_bytes": pages * facts.PAGE_BYTES}
    problems = [f"{key}={ctx.evidence[key]} instead of {value}" for key, value in wanted.items()
                if ctx.evidence[key] != value]
    problems += [outcome.evidence] if outcome.status != OK else []
    return judged(problems, f"{outcome.evidence}; {' '.join(f'{key}={value}' for key, value in wanted.items())}")


def bad_patterns(ctx):
    """In the kernel's own text, too. How it prints is its own business."""
    texts = ctx.console + ctx.kernel_texts
    problems = [f"'{text[:80]}'" for text in texts if foreign.is_bad(text, ctx.manifest["kernel_lines"])]
    for what, pattern in (("firmware", check_log.FIRMWARE_BANNER), ("kernel", KERNEL_BANNER)):
        banners = sum(1 for text in texts if pattern.search(text))
        problems += [f"{banners} {what} banners: it started again"] if banners > 1 else []
    return judged(problems[:4], "none, no second start")


def form(ctx):
    if ctx.audit is None and ctx.audit_error is None:
        owed = ctx.boot.must_audit
        return red("the kernel can print one and did not") if owed else not_checked("the kernel prints none")
    if ctx.audit is not None and ctx.boot.nonce == audit_form.NO_NONCE:
        return not_checked("there is one without a nonce: nobody gave the kernel one, and any task could print it")
    return check_audit.form(ctx)


def told(check, why):
    """A check of the audit's, or why it cannot be made without one."""
    def checked(ctx):
        if ctx.audit is not None:
            return check(ctx)
        return not_checked(check_audit.FORM if ctx.audit_error else why)
    return checked
