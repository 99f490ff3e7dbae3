# SPDX-License-Identifier: Apache-2.0
"""What the judge knows of a run, the words of the proof, and the outcomes of a check."""
import collections
import dataclasses
import hashlib
import re
import struct

from judge import audit as audits, notable

# Platforms: our kernel, Linux, another kernel, another kernel with a witness (scripts/witness).
QEMU, LINUX, FOREIGN, WATCHED = PLATFORMS = "qemu", "linux", "foreign", "watched"
SHARE, STREAM, FILL = "share", "stream", "fill"  # what is proved
ANY_ABI = "foreign"  # nobody asked for an ABI revision: the evidence line tells it
# Why the harness stopped a run.
WALL, LOG_CAP, LINGER, GRACE, PACKETS = "wall", "log-cap", "linger", "grace", "packets"
WATCH = "watch"  # the witness gave up
GRACE_SECONDS = 3  # of a Linux process, once the other has ended
OK, RED, NOT_CHECKED = "ok", "RED", "not-checked"

PRODUCER_PID, CONSUMER_PID = 17, 18
ROLES = {PRODUCER_PID: "producer", CONSUMER_PID: "consumer"}
TAG_BLOB, TAG_PAGE = 1, 2
PAGE_BYTES, CHALLENGE_BYTES = 4096, 32
GENERATED = "gen:"
STREAM_BUFFERS, FRAME_BYTES = 4, 65536  # of the proof of streams
STREAM_POOL_BYTES = STREAM_BUFFERS * FRAME_BYTES + 320 + 64 * STREAM_BUFFERS
RETURN_PAGE = "return page"
FILL_REQUEST, FILL_HEADER_BYTES = b"fill\0\0\0\0", 64
# What differs between the proofs in checks that they share. ways: how each VMO goes over; writes:
# the consumer may write the second one; vmos_a_reply: handed over by the first reply; seals: what
# the evidence line may say of them; lends: the consumer hands memory over, too; looks: sender and
# tag of the packets that the harness holds back on Linux; due: by tag of such a packet, how many of
# the manifest's markers had to be printed then.
CLAIMS = "seal=(?P<seal>peers|forever) enforced=(?P<enforced>kernel|library)"
NO_CLAIMS = "seal=(?P<seal>none) enforced=(?P<enforced>nobody)"
Form = collections.namedtuple(
    "Form",
    "ways writes reply_bytes vmos_a_reply control_bytes seals lends looks due",
    defaults=(CLAIMS, False, ((CONSUMER_PID, TAG_BLOB),), ((TAG_BLOB, 2), (TAG_PAGE, 3))),
)
TAG_LEND, TAG_ANSWER = 4, 5  # of a fill
FILL_LOOKS = (CONSUMER_PID, TAG_LEND), (PRODUCER_PID, TAG_ANSWER), (CONSUMER_PID, TAG_BLOB)
FILL_DUE = (TAG_LEND, 1), (TAG_ANSWER, 2), (TAG_BLOB, 2)
FORMS = {
    SHARE: Form(("move", "transfer"), False, 56, 1, 4 * 32 + 2 * 56 + 16),
    STREAM: Form(("move", "move"), True, 88, 2, 4 * 32 + 8 + 2 * 48 + 88, due=((TAG_BLOB, 2),)),
    FILL: Form(("move",), False, 56, 2, 5 * 32 + 8 + 56, NO_CLAIMS, True, FILL_LOOKS, FILL_DUE),
}

# A libvmo message begins with this header. body: the body's length; length: the VMO's.
MESSAGE_HEADER = struct.Struct("<IHHIHHQQ")
Header = collections.namedtuple("Header", "magic kind body tag rights seal length zero")
MESSAGE_MAGIC = 0x314F4D56
KIND_DATA, KIND_HANDLE = 1, 2

FAIL_PREFIX, NOTE_PREFIX, EVIDENCE_PREFIX = "vmo: FAIL", "vmo: note ", "vmo: evidence"
SPOKEN = ("vmo:", "SELFTEST:")  # how the payload's lines begin
OWN = ("vmo:", "SELFTEST: vmo")  # on a foreign kernel, which prints other SELFTEST: lines
EVIDENCE_NUMBERS = ("len", "copies", "control_bytes", "bulk_bytes")
HEX_64 = "[0-9a-f]{64}"
# Bounds of the judge's work and output, whatever a task prints or maps.
PROBLEMS_SHOWN, EVIDENCE_CHARACTERS, MAPPED_PAGES_MAX = 8, 1000, 1 << 16


def evidence_pattern(
    seals, abi="a1|a2|linux", length=audits.NUMBER, challenge=HEX_64, digest=HEX_64
):
    """The pattern of an evidence line, with what the caller knows of it."""
    number = audits.NUMBER
    return (
        f"vmo: evidence abi=(?P<abi>{abi}) len=(?P<len>{length})"
        f" challenge=(?P<challenge>{challenge}) digest=(?P<digest>{digest})"
        f" {seals}"
        f" copies=(?P<copies>{number}) control_bytes=(?P<control_bytes>{number})"
        f" bulk_bytes=(?P<bulk_bytes>{number})"
    )


def sha256_hex(data):
    return hashlib.sha256(data).hexdigest()


def pages_of(length):
    return (length + PAGE_BYTES - 1) // PAGE_BYTES


def whole_pages(length):
    return pages_of(length) * PAGE_BYTES


# One of the two objects that the producer shares: the tag of its messages, how its VMO goes over,
# its bytes, and their digest as host-ref states it.
Shared = collections.namedtuple("Shared", "what tag via data digest")


@dataclasses.dataclass
class HostFacts:
    """The folder that host-ref wrote, and the payload as the harness read it."""

    spec: str
    payload: bytes
    blob: bytes
    page: bytes
    challenge_hex: str
    digest_hex: str
    page_digest_hex: str
    source: object = None  # the payload file's bytes; None for a generated payload
    drawn: str = "a fresh challenge"  # how evidence names the challenge
    proof: str = SHARE

    def objects(self):
        return (
            Shared("blob", TAG_BLOB, "move", self.blob, self.digest_hex),
            Shared("page", TAG_PAGE, "transfer", self.page, self.page_digest_hex),
        )

    def vmos(self):
        """-> ((name, length) of each VMO that goes over)"""
        if self.proof == STREAM:
            return ("pool", STREAM_POOL_BYTES), (RETURN_PAGE, PAGE_BYTES)
        if self.proof == FILL:
            return (("memory", len(self.memory())),)
        return tuple((shared.what, len(shared.data)) for shared in self.objects())

    def memory(self):
        """What a fill leaves in the memory: the header, then the blob."""
        header = FILL_REQUEST + len(self.blob).to_bytes(8, "little")
        return header.ljust(FILL_HEADER_BYTES, b"\0") + self.blob

    def secrets(self):
        """The consumer must not get these. -> {name: 32 bytes}"""
        return {
            "challenge": bytes.fromhex(self.challenge_hex),
            "digest": hashlib.sha256(self.blob).digest(),
            "page digest": hashlib.sha256(self.page).digest(),
        }


# SHA-256 of a file: the original, the private copy before the run, the copy after the run.
Image = dataclasses.make_dataclass("Image", ("source", "before", "after"))


@dataclasses.dataclass
class Boot:
    """One run, as it was observed."""

    platform: str
    abi_rev: str
    nonce: str
    log: bytes
    exit_code: object  # None: the harness ended it
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
    watch: object = None  # the witness.watch.Watch of the run
    # Linux:
    audit: object = None  # made of what was observed
    observed: object = None  # the HostRun

    def lines(self):
        """The log without a foreign kernel's own text. -> (lines, tail)"""
        return (self.reading.lines, self.reading.tail) if self.reading else split_log(self.log)

    def column(self):
        """The column of the table of checks."""
        return WATCHED if self.platform == FOREIGN and self.watch else self.platform

    def page_word(self):
        return "memfd page" if self.platform == LINUX else "physical page"


@dataclasses.dataclass
class Outcome:
    status: str
    evidence: str
    excused: bool = False  # not made, because this run cannot show it

    def __post_init__(self):
        self.evidence = cut(self.evidence, EVIDENCE_CHARACTERS)

    def problems(self):
        """For a check that is stricter than the one that gave this."""
        return [] if self.status == OK else [self.evidence]


def cut(text, size):
    """The first characters of a text, and how many are missing."""
    missing = len(text) - size
    return text if missing <= 0 else f"{text[:size]}.. and {missing} more characters"


def red(evidence):
    return Outcome(RED, evidence)


def not_checked(why):
    return Outcome(NOT_CHECKED, why)


def not_made(why):
    """Not checked because of this run's input, such as the ABI revision or the payload's size."""
    return Outcome(NOT_CHECKED, why, excused=True)


def met(condition, text):
    """Ok or red, with the same text."""
    return Outcome(OK if condition else RED, text)


def judged(problems, evidence):
    """Red with the first problems and the number of the others, or ok with its evidence."""
    more = len(problems) - PROBLEMS_SHOWN
    listed = problems[:PROBLEMS_SHOWN] + ([f"and {more} more"] if more > 0 else [])
    return red("; ".join(listed)) if problems else Outcome(OK, evidence)


def each(lines, form):
    """A problem for each line. Only those that are shown are put into words."""
    return [form(line) for line in lines[:PROBLEMS_SHOWN]] + lines[PROBLEMS_SHOWN:]


def split_log(log):
    """-> (lines, tail): tail follows the last newline. A terminal puts a CR before a newline."""
    *lines, tail = log.decode("latin-1").replace("\r\n", "\n").split("\n")
    return lines, tail


def read_evidence(lines, form):
    """-> (record, None) or (None, why no evidence line can be read)"""
    found = [line for line in lines if line.startswith(EVIDENCE_PREFIX)]
    if len(found) != 1:
        return None, f"{len(found)} evidence lines instead of one"
    match = re.fullmatch(evidence_pattern(form.seals), found[0])
    if not match:
        return None, f"the evidence line is malformed: '{found[0][:100]}'"
    record = match.groupdict()
    return {**record, **{key: int(record[key]) for key in EVIDENCE_NUMBERS}}, None


class Context:
    """One run, parsed once for all checks."""

    def __init__(self, manifest, boot, host):
        self.manifest, self.boot, self.host = manifest, boot, host
        self.form = FORMS[host.proof]
        self.lines, self.tail = boot.lines()
        self.kernel_texts = boot.reading.kernel if boot.reading else []
        # The lines that a check looks at, but for the audit: any task could have printed them.
        words = [*notable.WORDS, *manifest["markers"], manifest["last_marker"]]
        said = notable.lines_of(self.lines, words) + notable.lines_of([self.tail], words)
        self.console = [line for line in said if not line.startswith(audits.PREFIX)]
        audit_lines = len(said) - len(self.console)
        self.counts = collections.Counter(self.console)
        self.evidence, self.evidence_error = read_evidence(self.console, self.form)
        self.told, self.audit_error = boot.audit, None  # told: by the kernel itself
        own = OWN if boot.platform == FOREIGN else SPOKEN
        self.spoken = {text for text in self.counts if text.startswith(own)}
        try:
            if boot.platform == QEMU or boot.platform == FOREIGN and audit_lines:
                self.told = audits.parse(self.lines, self.tail, boot.nonce, boot.abi_rev)
            if self.told and boot.platform == FOREIGN and not boot.must_audit:
                raise audits.FormError("a task printed it: the kernel's file has no audit")
            self.bound_pages()
        except audits.FormError as error:
            self.told, self.audit_error = None, str(error)
        self.audit = boot.watch.model.audit if boot.column() == WATCHED else self.told

    def bound_pages(self):
        """Refuses an audit with more mapped pages than any run of the proof has."""
        records = self.told["map"] if self.told else []
        pages = sum(record["bytes"] for record in records) // PAGE_BYTES
        if pages > MAPPED_PAGES_MAX:
            raise audits.FormError(f"it maps {pages} pages, more than {MAPPED_PAGES_MAX}")
