# SPDX-License-Identifier: Apache-2.0
"""A boot of a kernel that is not ours: it may print in between, and never end. What is read of its log, and when."""
import dataclasses
import re

from judge import facts
from judge import noise
from judge import proof

# What such a kernel prints when it goes wrong: its panics and exceptions, and what its own scripts take for fatal.
BAD = re.compile(r"(?i:panic|assertion|stack overflow|unexpected trap|sbi_trap_error)|EXC: scause|ILLEGAL"
                 r"|\[USER-PF\]|LOCKDEP:|PT-VERIFY:|rx guard:|SELFTEST: (?:fail|.*\bFAIL)"
                 r"|kernel: .*(?:killed|refused|watchdog)")
ANY_AGE = "foreign"  # nobody asked for one: it is what the evidence line says
LINGER_SECONDS = 2.0
LOG_CAP_BYTES = 16 * 1024 * 1024


@dataclasses.dataclass
class ForeignBoot(facts.Boot):
    """`reading` is the log taken apart."""

    kernel_image: bytes = b""
    built_in: bool = False  # the kernel is said to have the prepared init built in; else it was given as -initrd
    must_audit: bool = False
    linger: float = 0.0
    reading: object = None


class Watch:
    """Asked with the log while the run lasts: has all been said that will be said?

    True after the last marker, and after what no run recovers from.
    """

    def __init__(self, manifest):
        self.last_marker = manifest["last_marker"]
        self.allowed = manifest["kernel_lines"]
        self.stream = noise.Stream()
        self.expected = noise.Expected([self.last_marker], [])
        self.seen_bytes = self.seen_texts = 0

    def __call__(self, log):
        end = log.rfind(b"\n") + 1
        if end <= self.seen_bytes:
            return False
        known = max(0, len(self.stream.lines) - noise.REACH_LINES - 1)
        for part in log[self.seen_bytes:end].decode("latin-1").split("\n")[:-1]:
            self.stream.line(part)
        self.seen_bytes = end
        lines, kernel = noise.heal(self.stream.lines[known:], self.expected)[:2]
        texts = kernel + self.stream.kernel[self.seen_texts:]
        self.seen_texts = len(self.stream.kernel)
        return self.last_marker in lines or any(
            proof.FAIL_PREFIX in text or is_bad(text, self.allowed) for text in lines + texts)


def is_bad(text, allowed):
    """allowed: patterns of whole lines that this kernel prints in peace."""
    return BAD.search(text) is not None and not any(re.fullmatch(pattern, text) for pattern in allowed)


def expected_of(manifest, host):
    """The lines of a good run: markers by heart, the evidence as far as the host knows it."""
    secrets = host.secrets()
    evidence = (rf"vmo: evidence age=a[12] len={len(host.blob)} challenge={secrets['challenge'].hex()}"
                rf" digest={secrets['digest'].hex()} seal=(?:peers|forever) enforced=(?:kernel|library)"
                r" copy_fallbacks=[0-9]+ control_bytes=[0-9]+ bulk_bytes=[0-9]+")
    others = (re.escape(proof.FAIL_PREFIX) + r" .+", re.escape(proof.NOTE_PREFIX) + r".+")
    return [*manifest["markers"], manifest["last_marker"]], (evidence, *others)


def read(boot, manifest, host):
    """Fills in what only the log says: its reading, and the age where nobody asked for one."""
    boot.reading = noise.read(boot.log, *expected_of(manifest, host))
    if boot.age == ANY_AGE:
        evidence = proof.read_evidence(boot.reading.lines)[0]
        boot.age = evidence["age"] if evidence else ANY_AGE
    return boot
