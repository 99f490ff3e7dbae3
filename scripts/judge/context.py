# SPDX-License-Identifier: Apache-2.0
"""What every check sees, and the three things that it may say."""
import dataclasses

from judge import audit as audit_form
from judge import facts
from judge import foreign
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


def lines_of(boot):
    """What was printed, but for what is known to be a foreign kernel's own. -> (lines, tail)"""
    if isinstance(boot, foreign.ForeignBoot):
        return boot.reading.lines, boot.reading.tail
    return proof.split_log(boot.log)


class Context:
    """One boot, parsed once."""

    def __init__(self, manifest, boot, host):
        self.manifest = manifest
        self.boot = boot
        self.host = host
        self.lines, self.tail = lines_of(boot)
        self.is_foreign = isinstance(boot, foreign.ForeignBoot)
        self.kernel_texts = boot.reading.kernel if self.is_foreign else []
        # What any task could have printed: all that is not the audit's.
        self.console = [line for line in self.lines + [self.tail] if not line.startswith(audit_form.PREFIX)]
        self.evidence, self.evidence_error = proof.read_evidence(self.console)
        self.audit, self.audit_error = None, None
        if isinstance(boot, facts.HostBoot):
            self.audit = boot.audit  # no log could hold it
        elif not self.is_foreign or any(line.startswith(audit_form.PREFIX) for line in self.lines):
            self.read_audit()

    def read_audit(self):
        try:
            self.audit = audit_form.parse(self.lines, self.tail, self.boot.nonce, self.boot.age)
        except audit_form.FormError as error:
            self.audit_error = str(error)

    def is_spoken(self, line):
        """A line that begins as the payload's do. A foreign kernel has a SELFTEST: of its own."""
        return line.startswith(proof.OWN_PREFIXES if self.is_foreign else proof.SPOKEN_PREFIXES)
