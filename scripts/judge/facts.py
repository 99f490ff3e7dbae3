# SPDX-License-Identifier: Apache-2.0
"""What the judge is given of a run, the proof's own words, and what a check may say."""
import collections
import contextlib
import dataclasses
import hashlib
import pathlib
import re
import struct

from judge import audit as audits

ROOT = pathlib.Path(__file__).resolve().parents[2]
QEMU, LINUX, FOREIGN = "qemu", "linux", "foreign"  # platforms: our kernel, Linux, another kernel
ANY_ABI = "foreign"  # nobody asked for an ABI revision: the evidence line tells it
# Why a harness ended a run before its own end.
WALL, LOG_CAP, LINGER, GRACE, PACKETS = "wall", "log-cap", "linger", "grace", "packets"
GRACE_SECONDS = 3  # of a Linux process, once the other has ended
OK, RED, NOT_CHECKED = "ok", "RED", "not-checked"

PRODUCER_PID, CONSUMER_PID = 17, 18
ROLES = {PRODUCER_PID: "producer", CONSUMER_PID: "consumer"}
TAG_BLOB, TAG_PAGE = 1, 2
PAGE_BYTES = 4096
CHALLENGE_BYTES = 32
DIGEST_BYTES = 32
GENERATED = "gen:"

# A libvmo message: magic, kind, length of the body, tag, rights, seal, length of the VMO, zero.
MESSAGE_HEADER = struct.Struct("<IHHIHHQQ")
MESSAGE_MAGIC = 0x314F4D56
KIND_DATA, KIND_HANDLE = 1, 2

FAIL_PREFIX = "vmo: FAIL"
NOTE_PREFIX = "vmo: note "
EVIDENCE_PREFIX = "vmo: evidence"
SPOKEN = ("vmo:", "SELFTEST:")
OWN = ("vmo:", "SELFTEST: vmo")  # another kernel has SELFTEST: lines of its own
EVIDENCE_NUMBERS = ("len", "copy_fallbacks", "control_bytes", "bulk_bytes")
HEX_64 = "[0-9a-f]{64}"
# What a run may cost the judge and the terminal, whatever a task prints or maps.
PROBLEMS_SHOWN, EVIDENCE_CHARACTERS, MAPPED_PAGES_MAX = 8, 1000, 1 << 16
NAMED_CHARACTERS = 300  # of a name in a message


def evidence_pattern(abi="a1|a2|linux", length=audits.NUMBER, challenge=HEX_64, digest=HEX_64):
    """The pattern of an evidence line, with what the caller knows of it."""
    number = audits.NUMBER
    return (
        f"vmo: evidence abi=(?P<abi>{abi}) len=(?P<len>{length})"
        f" challenge=(?P<challenge>{challenge}) digest=(?P<digest>{digest})"
        " seal=(?P<seal>peers|forever) enforced=(?P<enforced>kernel|library)"
        f" copy_fallbacks=(?P<copy_fallbacks>{number}) control_bytes=(?P<control_bytes>{number})"
        f" bulk_bytes=(?P<bulk_bytes>{number})"
    )


class ConfigError(Exception):
    """The caller asked for what cannot be run; the text says what to change."""


@contextlib.contextmanager
def named(what):
    """An OSError about what the user named is CONFIG, in a line that ends with the reason."""
    try:
        yield
    except OSError as error:
        what = what if len(what) <= NAMED_CHARACTERS else f"{what[:150]} .. {what[-100:]}"
        raise ConfigError(f"{what}: {error.strerror}") from error


def shown(path):
    """A path as people type it: relative to the tree when it lies inside."""
    path = pathlib.Path(path)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def sha256_hex(data):
    return hashlib.sha256(data).hexdigest()


def pages_of(length):
    return (length + PAGE_BYTES - 1) // PAGE_BYTES


def whole_pages(length):
    return pages_of(length) * PAGE_BYTES


@dataclasses.dataclass
class HostFacts:
    """The challenge folder that host-ref wrote, and the payload as the harness read it."""

    spec: str
    payload: bytes
    blob: bytes
    page: bytes
    challenge_hex: str
    digest_hex: str
    page_digest_hex: str
    source: object = None  # the payload file's bytes; None for a generated payload
    drawn: str = "a fresh challenge"  # what is said of the challenge

    def secrets(self):
        """What only the producer may know: name -> 32 bytes"""
        return {
            "challenge": bytes.fromhex(self.challenge_hex),
            "digest": hashlib.sha256(self.blob).digest(),
            "page digest": hashlib.sha256(self.page).digest(),
        }


def load_host_facts(folder, source):
    folder = pathlib.Path(folder)
    names = ("challenge", "digest", "page.digest")
    words = [(folder / name).read_text(encoding="ascii").split()[0].lower() for name in names]
    spec = (folder / "payload_spec").read_text(encoding="utf-8", errors="surrogateescape").strip()
    blob, page = (folder / "blob.bin").read_bytes(), (folder / "page.bin").read_bytes()
    payload = (folder / "payload.bin").read_bytes()
    if spec.startswith(GENERATED) and not payload:
        payload = blob[:-CHALLENGE_BYTES]  # host-ref keeps a generated payload in the blob alone
    return HostFacts(spec, payload, blob, page, *words, source)


# SHA-256 of a file: the original, the private copy that was run, the copy after the run.
Image = dataclasses.make_dataclass("Image", ("source", "before", "after"))


@dataclasses.dataclass
class Boot:
    """One run, as it was observed."""

    platform: str
    abi_rev: str
    nonce: str
    log: bytes
    exit_code: object  # None: it did not end by itself
    stopped: object  # None, or why the harness ended it: "log-cap", "wall", "linger", ...
    log_cap: int
    seconds: float
    images: dict  # name -> Image
    init_elf: bytes
    consumer_elf: bytes
    icount: bool = True  # QEMU counted instructions exactly
    cost_known: bool = True  # built by the compiler of the cost suite's records
    # Another kernel:
    kernel_image: bytes = b""
    built_in: bool = False  # the kernel holds the prepared init; else init was given as -initrd
    must_audit: bool = True
    linger: float = 0.0
    reading: object = None  # the log taken apart (noise.py)
    # Linux:
    audit: object = None  # made of what was observed
    observed: object = None  # the HostRun

    def lines(self):
        """What was printed, but for a foreign kernel's own text. -> (lines, tail)"""
        return (self.reading.lines, self.reading.tail) if self.reading else split_log(self.log)

    def page_word(self):
        return "memfd page" if self.platform == LINUX else "physical page"


@dataclasses.dataclass
class Outcome:
    status: str
    evidence: str
    excused: bool = False  # not made, and this run cannot make it

    def __post_init__(self):
        self.evidence = cut(self.evidence, EVIDENCE_CHARACTERS)


def cut(text, size):
    """At most so many characters of a text; says how many are missing."""
    missing = len(text) - size
    return text if missing <= 0 else f"{text[:size]}.. and {missing} more characters"


def red(evidence):
    return Outcome(RED, evidence)


def not_checked(why):
    return Outcome(NOT_CHECKED, why)


def not_made(why):
    """Not checked, for a reason that lies in the run: the ABI revision, the payload's size."""
    return Outcome(NOT_CHECKED, why, excused=True)


def judged(problems, evidence):
    """Red with the first problems and the number of the others, or ok with its evidence."""
    more = len(problems) - PROBLEMS_SHOWN
    listed = problems[:PROBLEMS_SHOWN] + ([f"and {more} more"] if more > 0 else [])
    return red("; ".join(listed)) if problems else Outcome(OK, evidence)


def split_log(log):
    """-> (lines, tail): tail follows the last newline. A terminal puts a CR before a newline."""
    *lines, tail = log.decode("latin-1").replace("\r\n", "\n").split("\n")
    return lines, tail


def read_evidence(lines):
    """-> (record, None) or (None, why there is none that can be read)"""
    found = [line for line in lines if line.startswith(EVIDENCE_PREFIX)]
    if len(found) != 1:
        return None, f"{len(found)} evidence lines instead of one"
    match = re.fullmatch(evidence_pattern(), found[0])
    if not match:
        return None, f"the evidence line is malformed: '{found[0][:100]}'"
    record = match.groupdict()
    return {**record, **{key: int(record[key]) for key in EVIDENCE_NUMBERS}}, None


class Context:
    """One run, parsed once: what every check sees."""

    def __init__(self, manifest, boot, host):
        self.manifest, self.boot, self.host = manifest, boot, host
        self.lines, self.tail = boot.lines()
        self.kernel_texts = boot.reading.kernel if boot.reading else []
        # What any task could have printed: all but the audit.
        said = self.lines + [self.tail]
        self.counts = collections.Counter(said)  # a task may print the same line a million times
        audit_lines = [text for text in self.counts if text.startswith(audits.PREFIX)]
        for text in ["", *audit_lines]:
            del self.counts[text]
        self.console = [line for line in said if line in self.counts]
        self.evidence, self.evidence_error = read_evidence(self.console)
        self.audit, self.audit_error = boot.audit, None
        self.spoken = {text for text in self.counts if self.is_spoken(text)}
        try:
            if boot.platform == QEMU or boot.platform == FOREIGN and audit_lines:
                self.audit = audits.parse(self.lines, self.tail, boot.nonce, boot.abi_rev)
            self.bound_pages()
        except audits.FormError as error:
            self.audit, self.audit_error = None, str(error)

    def bound_pages(self):
        """Refuses an audit that maps more than any run of the proof does."""
        records = self.audit["map"] if self.audit else []
        pages = sum(record["bytes"] for record in records) // PAGE_BYTES
        if pages > MAPPED_PAGES_MAX:
            raise audits.FormError(f"it maps {pages} pages, more than {MAPPED_PAGES_MAX}")

    def is_spoken(self, line):
        """Whether a line begins as the payload's lines do."""
        return line.startswith(OWN if self.boot.platform == FOREIGN else SPOKEN)
