# SPDX-License-Identifier: Apache-2.0
"""What the judge is given: what the host knows of the input, and what was observed of one boot."""
import dataclasses
import hashlib
import pathlib

PAGE_BYTES = 4096
CHALLENGE_BYTES = 32
GENERATED = "gen:"


def sha256_hex(data):
    return hashlib.sha256(data).hexdigest()


def pages_of(length):
    return (length + PAGE_BYTES - 1) // PAGE_BYTES


@dataclasses.dataclass
class HostFacts:
    """The challenge folder that host-ref wrote, and the payload as the harness itself read it."""

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
        """What only the producer may know: name -> 32 bytes."""
        return {
            "challenge": bytes.fromhex(self.challenge_hex),
            "digest": hashlib.sha256(self.blob).digest(),
            "page digest": hashlib.sha256(self.page).digest(),
        }


def load_host_facts(folder, source):
    folder = pathlib.Path(folder)

    def word(name):
        return (folder / name).read_text(encoding="ascii").split()[0].lower()

    spec = (folder / "payload_spec").read_text(encoding="utf-8", errors="surrogateescape").strip()
    blob = (folder / "blob.bin").read_bytes()
    payload = (folder / "payload.bin").read_bytes()
    if spec.startswith(GENERATED) and not payload:
        payload = blob[:-CHALLENGE_BYTES]  # host-ref keeps a generated payload in the blob alone
    return HostFacts(
        spec=spec,
        payload=payload,
        blob=blob,
        page=(folder / "page.bin").read_bytes(),
        challenge_hex=word("challenge"),
        digest_hex=word("digest"),
        page_digest_hex=word("page.digest"),
        source=source,
    )


@dataclasses.dataclass
class Image:
    """A file that was booted: SHA-256 of the original, of the private copy before, and after the run."""

    source: str
    before: str
    after: str


@dataclasses.dataclass
class Boot:
    """One run of the guest."""

    age: str
    nonce: str
    log: bytes
    exit_code: object  # None: QEMU did not end by itself
    stopped: object  # None, "log-cap", "wall" or "linger"
    log_cap: int
    seconds: float
    images: dict  # "kernel", "init", "consumer" -> Image
    init_elf: bytes
    consumer_elf: bytes
    firmware_banners: int = 1
    page_word: str = "physical page"


@dataclasses.dataclass
class HostBoot(Boot):
    """One run of the two processes on Linux; `log` is what the consumer printed, then what the producer did."""

    firmware_banners: int = 0
    page_word: str = "memfd page"
    audit: object = None  # made of what was observed (host_model.py)
    observed: object = None  # the HostRun
