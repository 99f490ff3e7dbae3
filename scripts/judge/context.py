# SPDX-License-Identifier: Apache-2.0
"""What every check sees, and the three things that it may say."""
import dataclasses

from judge import audit as audit_form
from judge import facts
from judge import proof

OK, RED, NOT_CHECKED = "ok", "RED", "not-checked"


@dataclasses.dataclass
class Outcome:
    status: str
    evidence: str


def ok(evidence):
    return Outcome(OK, evidence)


def red(evidence):
    return Outcome(RED, evidence)


def not_checked(why):
    return Outcome(NOT_CHECKED, why)


def judged(problems, evidence):
    """Red with every problem named, or ok with its evidence."""
    return red("; ".join(problems)) if problems else ok(evidence)


class Context:
    """One boot, parsed once."""

    def __init__(self, manifest, boot, host):
        self.manifest = manifest
        self.boot = boot
        self.host = host
        self.lines, self.tail = proof.split_log(boot.log)
        # What any task could have printed: all that is not the audit's.
        self.console = [line for line in self.lines + [self.tail] if not line.startswith(audit_form.PREFIX)]
        self.evidence, self.evidence_error = proof.read_evidence(self.console)
        self.audit, self.audit_error = None, None
        if isinstance(boot, facts.HostBoot):
            self.audit = boot.audit  # no log could hold it
            return
        try:
            self.audit = audit_form.parse(self.lines, self.tail, boot.nonce, boot.age)
        except audit_form.FormError as error:
            self.audit_error = str(error)
