# SPDX-License-Identifier: Apache-2.0
"""The proof's own words: console lines, the evidence line, and the header of a libvmo message."""
import re
import struct

from judge import audit as audit_form

PRODUCER_PID = 17
CONSUMER_PID = 18
ROLES = {PRODUCER_PID: "producer", CONSUMER_PID: "consumer"}
TAG_BLOB = 1
TAG_PAGE = 2

FAIL_PREFIX = "vmo: FAIL"
NOTE_PREFIX = "vmo: note "
EVIDENCE_PREFIX = "vmo: evidence"
SPOKEN_PREFIXES = ("vmo:", "SELFTEST:")
OWN_PREFIXES = ("vmo:", "SELFTEST: vmo")
EVIDENCE = re.compile(
    r"vmo: evidence age=(?P<age>a1|a2|linux) len=(?P<len>[0-9]+) challenge=(?P<challenge>[0-9a-f]{64})"
    r" digest=(?P<digest>[0-9a-f]{64}) seal=(?P<seal>peers|forever) enforced=(?P<enforced>kernel|library)"
    r" copy_fallbacks=(?P<copy_fallbacks>[0-9]+) control_bytes=(?P<control_bytes>[0-9]+)"
    r" bulk_bytes=(?P<bulk_bytes>[0-9]+)")

MESSAGE_MAGIC = 0x314F4D56
MESSAGE_KIND_DATA = 1
MESSAGE_HEADER = struct.Struct("<IHHIHHQQ")
DIGEST_BYTES = 32
# On Linux a transfer is a packet of its own: this, the running number of the transfer, and one descriptor.
GRANT = struct.Struct("<II")
GRANT_MAGIC = 0x474F4D56


def split_log(log):
    """-> (lines, tail): tail is what follows the last newline. One carriage return before it is the terminal's."""
    parts = log.decode("latin-1").split("\n")
    return [part[:-1] if part.endswith("\r") else part for part in parts[:-1]], parts[-1]


def author_of(manifest, line):
    """The pid that alone may print this line; None where anyone may."""
    if line in manifest["consumer_markers"]:
        return CONSUMER_PID
    is_marker = line in manifest["markers"] or line == manifest["last_marker"]
    return PRODUCER_PID if is_marker or line.startswith(EVIDENCE_PREFIX) else None


def read_evidence(lines):
    """-> (record, None) or (None, why there is none that can be read)."""
    found = [line for line in lines if line.startswith(EVIDENCE_PREFIX)]
    if len(found) != 1:
        return None, f"{len(found)} evidence lines instead of one"
    match = EVIDENCE.fullmatch(found[0])
    if not match:
        return None, f"the evidence line is malformed: '{found[0][:100]}'"
    record = match.groupdict()
    for key in ("len", "copy_fallbacks", "control_bytes", "bulk_bytes"):
        record[key] = int(record[key])
    return record, None


def digest_replies(audit, tag):
    """The digests that the consumer sent under a tag, from the kernel's record."""
    found = []
    for message in audit["msg"]:
        head = audit_form.head_bytes(message)
        if (message["from"], message["to"]) != (CONSUMER_PID, PRODUCER_PID) or len(head) < MESSAGE_HEADER.size:
            continue
        magic, kind, body_len, its_tag = MESSAGE_HEADER.unpack_from(head)[:4]
        whole = body_len == DIGEST_BYTES and message["len"] == MESSAGE_HEADER.size + DIGEST_BYTES
        if magic == MESSAGE_MAGIC and kind == MESSAGE_KIND_DATA and its_tag == tag:
            found.append(head[MESSAGE_HEADER.size:].hex() if whole else "malformed")
    return found


def handed(audit):
    """Capabilities to memory that went from the producer to the consumer."""
    return [record for record in audit["hand"]
            if record["kind"] != "endpoint" and (record["from"], record["to"]) == (PRODUCER_PID, CONSUMER_PID)]


def maps_of(audit, pid):
    return [record for record in audit["map"] if record["pid"] == pid]
