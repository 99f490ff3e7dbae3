# SPDX-License-Identifier: Apache-2.0
"""The table of checks, and the verdict that follows from it."""
import traceback

from judge import check_audit
from judge import check_foreign
from judge import check_host
from judge import check_log
from judge import check_run
from judge import check_share
from judge import manifest as manifests
from judge.context import Context, NOT_CHECKED, OK, RED, Outcome

PASS, FAIL, CONFIG, HARNESS_BUG = "PASS", "FAIL", "CONFIG", "HARNESS-BUG"
EXIT_CODES = {PASS: 0, FAIL: 1, CONFIG: 2, HARNESS_BUG: 3}

# In the order in which they are shown: (name, function, whether it reads the audit's records).
# The names are cited by tests, red logs and documents: they do not change.
CHECKS = (
    ("limits", check_run.limits, False),
    ("exit-code", check_run.exit_code, False),
    ("images", check_run.images, False),
    ("input", check_run.input_facts, False),
    ("markers", check_log.markers, False),
    ("failure-lines", check_log.failure_lines, False),
    ("bad-patterns", check_log.bad_patterns, False),
    ("evidence", check_log.evidence, False),
    ("audit-form", check_audit.form, False),
    ("audit-complete", check_audit.complete, True),
    ("audit-result", check_audit.result, True),
    ("tasks", check_audit.tasks, True),
    ("digest", check_share.digest, True),
    ("page-digest", check_share.page_digest, True),
    ("messages-clean", check_share.messages_clean, True),
    ("sharing", check_share.sharing, True),
    ("read-only", check_share.read_only, True),
    ("accessed", check_share.accessed, True),
    ("no-kernel-copy", check_share.no_kernel_copy, True),
    ("counters", check_share.counters, True),
    ("seal", check_share.seal, True),
    ("leaks", check_audit.leaks, True),
    ("hazards", check_audit.hazards, True),
    ("authors", check_log.authors, True),
)
# On Linux: the same names in the same order where the fact exists, and four that only a parent can make.
HOST_CHECKS = (
    ("limits", check_host.limits, False),
    ("exit-code", check_host.exit_code, False),
    ("images", check_host.images, False),
    ("input", check_run.input_facts, False),
    ("markers", check_log.markers, False),
    ("failure-lines", check_log.failure_lines, False),
    ("bad-patterns", check_log.bad_patterns, False),
    ("evidence", check_log.evidence, False),
    ("audit-form", check_host.untold("the harness recorded the facts itself; there is no text to read"), False),
    ("audit-complete", check_audit.complete, True),
    ("audit-result", check_host.untold("there is no init; see exit-code and tasks"), False),
    ("tasks", check_host.tasks, True),
    ("digest", check_share.digest, True),
    ("page-digest", check_share.page_digest, True),
    ("messages-clean", check_host.messages_clean, True),
    ("sharing", check_share.sharing, True),
    ("read-only", check_host.read_only, True),
    ("accessed", check_host.accessed, True),
    ("no-kernel-copy", check_host.untold("Linux does not count what it copies for a process"), False),
    ("counters", check_host.counters, True),
    ("seal", check_share.seal, True),
    ("leaks", check_host.untold("Linux does not count slots and frames of a process; see descriptors"), False),
    ("hazards", check_host.untold("no call of the kernel's contract is made"), False),
    ("authors", check_host.authors, True),
    ("barriers", check_host.barriers, True),
    ("seals", check_host.seals, True),
    ("content", check_host.content, True),
    ("descriptors", check_host.descriptors, True),
)
# On a kernel that is not ours: the same names in the same order, and `reading`. What its audit would say is said to be
# missing, check by check; if it prints one, it is judged.
FOREIGN_CHECKS = (
    ("limits", check_foreign.limits, False),
    ("exit-code", check_foreign.exit_code, False),
    ("images", check_foreign.images, False),
    ("input", check_run.input_facts, False),
    ("reading", check_foreign.reading, False),
    ("markers", check_log.markers, False),
    ("failure-lines", check_log.failure_lines, False),
    ("bad-patterns", check_foreign.bad_patterns, False),
    ("evidence", check_foreign.evidence, False),
    ("audit-form", check_foreign.form, False),
) + tuple((name, check_foreign.told(function, check_foreign.UNTOLD[name]), False)
          for name, function, reads_audit in CHECKS if reads_audit)
MANIFEST_CHECK = "manifest"


def names_of(checks):
    return (MANIFEST_CHECK,) + tuple(name for name, _, _ in checks)


CHECK_NAMES = names_of(CHECKS)
AUDIT_CHECKS = tuple(name for name, _, reads_audit in CHECKS if reads_audit)


class Verdict:
    """PASS, FAIL, CONFIG or HARNESS-BUG, with the outcome of every check by name."""

    def __init__(self, word, reason, outcomes, trace=None):
        self.word = word
        self.reason = reason
        self.outcomes = outcomes
        self.trace = trace

    def names(self, status):
        return {name for name, outcome in self.outcomes.items() if outcome.status == status}


def all_unchecked(first, checks):
    outcomes = {name: Outcome(NOT_CHECKED, "not reached") for name in names_of(checks)}
    outcomes[MANIFEST_CHECK] = first
    return outcomes


def run_checks(manifest, boot, host, checks):
    ctx = Context(manifest, boot, host)
    expected = len(manifest["markers"]) + 1
    text = f"'{manifest['name']}': {expected} markers, exit code {manifest['exit_code']}"
    outcomes = {MANIFEST_CHECK: Outcome(OK, text)}
    for name, function, reads_audit in checks:
        if reads_audit and ctx.audit is None:
            outcomes[name] = Outcome(NOT_CHECKED, check_audit.FORM)
        else:
            outcomes[name] = function(ctx)
    return outcomes


def decide(manifest, outcomes):
    """Green only if every check is ok; one that could not be made counts unless the manifest lets it go."""
    red = [name for name, outcome in outcomes.items() if outcome.status == RED]
    open_names = [name for name, outcome in outcomes.items()
                  if outcome.status == NOT_CHECKED and name not in manifest["may_skip"]]
    if red:
        return Verdict(FAIL, f"{' '.join(red)}: {outcomes[red[0]].evidence}", outcomes)
    if open_names:
        return Verdict(FAIL, f"not checked: {' '.join(open_names)}", outcomes)
    made = sum(1 for outcome in outcomes.values() if outcome.status == OK)
    unmade = len(outcomes) - made
    return Verdict(PASS, f"{made} checks ok" + (f", {unmade} not made" if unmade else ""), outcomes)


def judge(manifest, boot, host, checks=CHECKS):
    """Judges one boot. What goes wrong in here is the harness's fault, and is said so."""
    try:
        faults = manifests.faults(manifest, names_of(checks))
        if faults:
            outcomes = all_unchecked(Outcome(RED, "; ".join(faults)), checks)
            return Verdict(HARNESS_BUG, f"manifest: {'; '.join(faults)}", outcomes)
        return decide(manifest, run_checks(manifest, boot, host, checks))
    except Exception as error:  # pylint: disable=broad-except
        reason = f"the judge itself failed: {type(error).__name__}: {error}"
        return Verdict(HARNESS_BUG, reason, all_unchecked(Outcome(NOT_CHECKED, reason), checks), traceback.format_exc())
