# SPDX-License-Identifier: Apache-2.0
"""A good run, made from a small model. The judge must pass it; each red case breaks one thing in it.

The payload, the challenge and the nonce are constants, so logs of this run can be stored as files.
"""
import hashlib
import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

from judge import check_record  # noqa: E402  pylint: disable=wrong-import-position
from judge import check_content  # noqa: E402  pylint: disable=wrong-import-position
import exit_codes  # noqa: E402  pylint: disable=wrong-import-position
from judge import facts  # noqa: E402  pylint: disable=wrong-import-position
from siphash import content_hash  # noqa: E402  pylint: disable=wrong-import-position
from judge import verdict  # noqa: E402  pylint: disable=wrong-import-position

NONCE = "5eed0123456789abcdef5eed01234567"
LOG_CAP = 4 * 1024 * 1024
BLOB_BASE, PAGE_BASE = 0x84000000, 0x84010000
BANNER = ["", "OpenSBI v1.1", "   ____                    _____ ____ _____",
          "Platform Name             : riscv-virtio,qemu", ""]
CONSUMER_SAYS = "vmo: consumer mapped ok"
# The kernel's sequence numbers: the blob's start at 100, the page's at 200.
MAPPED, UNMAPPED, TRANSFERRED, SENT, RECEIVED, MOVED, SEEN, REPLIED, ANSWERED = 0, 1, 2, 4, 6, 7, 10, 12, 14
SAID = {"vmo: producer sent handle": 105, CONSUMER_SAYS: 111, "vmo: sha256 ok": 115, "SELFTEST: vmo share ok": 311}
READ_BACK, DESTROYED, EVIDENCE = 290, 300, 310
AUDIT_ORDER = ("begin", "task", "image", "vmo", "map", "copy", "hand", "msg", "overflow", "lost", "say", "hash", "res",
               "keep", "hazard", "result")


def noise(name, length):
    """Pseudo-random bytes, the same in every run of the tests."""
    out = b""
    while len(out) < length:
        out += hashlib.sha256(f"{name} {len(out)}".encode()).digest()
    return out[:length]


PAYLOAD = noise("payload", 3 * 4096 + 100)
CHALLENGE = noise("challenge", 32)
BLOB = PAYLOAD + CHALLENGE
DIGEST = hashlib.sha256(BLOB).digest()
PAGE_DIGEST = hashlib.sha256(CHALLENGE * 128).digest()
CONSUMER = b"\x7fELF consumer " + noise("consumer", 9000)


def message(kind, tag, body=b"", length=0):
    """A libvmo message: a 32-byte header, then the body. A message with a VMO states rights and seal."""
    rights, seal = (1, 1) if kind == facts.KIND_HANDLE else (0, 0)
    return struct.pack("<IHHIHHQQ", 0x314F4D56, kind, len(body), tag, rights, seal, length, 0) + body


def reply(digest, control, bulk, copies=0):
    """The body of a reply: the digest and the consumer's own counters."""
    return struct.pack("<32sQQQ", digest, copies, control, bulk)


def ticket(slot=4, seal=1):
    return struct.pack("<QIHH", 4096, slot, 1, seal)


def line(kind, record):
    return f"{kind} " + " ".join(f"{key}={value}" for key, value in record.items())


class Fixture:
    """A run on one ABI revision. A case changes any part; `boot` and `host` then pass it to the judge."""

    cost_known, consumer_says, said_at = True, CONSUMER_SAYS, SAID

    def __init__(self, abi_rev, payload=PAYLOAD, challenge=CHALLENGE):
        self.abi_rev = abi_rev
        self.payload, self.challenge = payload, challenge
        self.blob, self.page = payload + challenge, challenge * 128
        self.digest, self.page_digest = (hashlib.sha256(data).digest() for data in (self.blob, self.page))
        self.blob_pages = facts.pages_of(len(self.blob))
        self.nonce = NONCE
        self.work = self.work_of(len(self.blob))  # the consumer's instructions
        self.exit_code, self.stopped, self.log_cap = exit_codes.number("done"), None, LOG_CAP
        self.consumer = CONSUMER
        self.init = b"\x7fELF init " + noise("init", 500) + CONSUMER + self.blob + self.digest
        self.hashes = {}  # image name -> its three hashes, where they differ from the file's
        self.host = facts.HostFacts(f"gen:1:{len(payload)}", payload, self.blob, self.page, challenge.hex(),
                                    self.digest.hex(), self.page_digest.hex())
        self.manifest = verdict.load_manifest("proof")
        self.audit = {kind: [] for kind in AUDIT_ORDER}
        self.fill_tasks()
        self.fill_memory()
        self.fill_messages()
        self.fill_ends()
        self.evidence = self.true_evidence()
        self.console = ["vmo: note 4 pages", "vmo: producer sent handle", "vmo: consumer mapped ok", "vmo: sha256 ok",
                        None, "SELFTEST: vmo share ok"]  # None: the place of the evidence line
        self.record_edits = []  # functions that edit the audit after its events are numbered
        self.say_edits = []  # functions that edit the records of the console lines, which are made last
        self.log_edits = []  # functions bytes -> bytes that edit the rendered log

    def remake(self, **parts):
        """The same run with another payload or challenge."""
        self.__init__(self.abi_rev, **parts)

    def work_of(self, length):
        if length < check_content.WORK_BYTES_MIN:
            return 4000  # not checked; independent of the library's cost
        fixed, block = check_content.costs(self.abi_rev)
        return round(fixed + block * check_content.blocks_of(length))

    def handed(self, number):
        """The record of the grant of VMO 1 or 2."""
        return next(hand for hand in self.audit["hand"] if hand["vmo"] == number)

    def alias(self):
        return 1 if self.abi_rev == "a2" else 0

    def fill_tasks(self):
        self.audit["begin"] = [{"v": 2, "abi": self.abi_rev, "hashes": 1}]
        self.audit["task"] = [
            {"pid": 17, "parent": 0, "state": "live", "end": "none", "status": 0, "name": "-"},
            {"pid": 18, "parent": 17, "state": "reaped", "end": "exit", "status": 0, "name": "-"},
        ]

    def fill_memory(self):
        state, left = ("destroyed", "unmapped") if self.abi_rev == "a2" else ("live", "live")
        via = "vm_map" if self.abi_rev == "a2" else "map"
        for number, base, pages in ((1, BLOB_BASE, self.blob_pages), (2, PAGE_BASE, 1)):
            size = pages * 4096
            self.audit["vmo"].append({"id": number, "creator": 17, "base": hex(base), "bytes": size, "state": state})
            self.audit["map"].append({"pid": 17, "vmo": number, "off": 0, "bytes": size, "prot": "rw", "via": via,
                                      "alias": 0, "state": left, "accessed": pages, "dirtied": pages,
                                      "base": hex(base), "made": 100 * number + MAPPED,
                                      "ended": 100 * number + UNMAPPED if left == "unmapped" else 0,
                                      "user": 1000 if number == 1 else 2 * self.work})
            self.audit["map"].append({"pid": 18, "vmo": number, "off": 0, "bytes": size, "prot": "r", "via": via,
                                      "alias": self.alias(), "state": left, "accessed": pages, "dirtied": 0,
                                      "base": hex(base), "made": 100 * number + SEEN,
                                      "ended": 299 if left == "unmapped" else 0,
                                      "user": 1000 if number == 1 else 2 * self.work})
        last = (self.blob_pages - 1) * 4096  # the producer reads the challenge back
        self.audit["map"].append({**self.audit["map"][0], "off": last, "bytes": 4096, "prot": "r", "alias": self.alias(),
                                  "accessed": 1, "dirtied": 0, "base": hex(BLOB_BASE + last), "made": READ_BACK, "user": 2 * self.work,
                                  "ended": READ_BACK if left == "unmapped" else 0})
        self.audit["copy"] = [{"pid": 17, "into": 0, "from": 0}, {"pid": 18, "into": 0, "from": 0}]

    def fill_messages(self):
        kind = "alias" if self.abi_rev == "a2" else "vmo"
        for slot, rights in ((1, 2), (2, 1)):
            self.audit["hand"].append({"from": 17, "to": 18, "via": "transfer", "kind": "endpoint", "vmo": 0,
                                       "rights": rights, "slot": slot, "seq": slot, "wcaps": 0, "wmaps": 0})
        for number, via, when in ((1, "move", 100 + MOVED), (2, "transfer", 200 + TRANSFERRED)):
            self.audit["hand"].append({"from": 17, "to": 18, "via": via, "kind": kind, "vmo": number, "rights": 4,
                                       "slot": number + 2, "seq": when, "wcaps": 1 if kind == "alias" else 2,
                                       "wmaps": None})
        self.add_message(17, 18, message(2, 1, length=len(self.blob)), kind, 100 + SENT)
        bulk = self.blob_pages * 4096
        self.add_message(18, 17, message(1, 1, reply(self.digest, 32, bulk)), "none", 100 + REPLIED)
        self.add_message(17, 18, message(1, 2, ticket()), "none", 200 + SENT)
        self.add_message(18, 17, message(1, 2, reply(self.page_digest, 168, bulk + 4096)), "none", 200 + REPLIED)
        self.hash_vmos()

    def add_message(self, sender, receiver, data, moved="none", sent=290):
        work = 1000 + self.work if sent < 200 else 2 * self.work
        self.audit["msg"].append({"n": len(self.audit["msg"]), "from": sender, "to": receiver, "len": len(data),
                                  "type": 0, "flags": 0 if moved == "none" else 1, "moved": moved, "sent": sent,
                                  "seq": sent + RECEIVED - SENT, "user": work, "head": data[:128].hex() or "-"})

    def hash_vmos(self):
        """The kernel's hashes of both VMOs."""
        self.audit["hash"] = []
        last = "destroyed" if self.abi_rev == "a2" else "end"
        for number, data, granted in ((1, self.blob, MOVED + 1), (2, self.page, TRANSFERRED + 1)):
            size = facts.pages_of(len(data)) * 4096
            for when, pid, seq in (("grant", 18, 100 * number + granted), ("reply", 18, 100 * number + REPLIED + 1),
                                   (last, 0, DESTROYED + number)):
                self.audit["hash"].append({"vmo": number, "when": when, "pid": pid, "seq": seq, "bytes": size,
                                           "sip": content_hash(self.nonce, data)})

    def fill_ends(self):
        kept = 2 if self.abi_rev == "a1" else 0
        arena = sum(vmo["bytes"] for vmo in self.audit["vmo"]) if kept else 0
        for when, vmos, slots, endpoints, taken, frames in (
                ("start", 0, 2, 1, 0, 60), ("done", kept, 2, 1, arena, 64), ("end", kept, 0, 0, arena, 40)):
            self.audit["res"].append({"when": when, "slots": slots, "regions": 0, "vmos": vmos,
                                      "endpoints": endpoints, "arena_bytes": taken, "frames": frames})
        self.audit["lost"] = [{"msgs": 0, "undelivered": 0}]
        if self.abi_rev == "a1":
            self.audit["keep"] = [{"what": "arena_bytes", "n": arena}, {"what": "address_spaces", "n": 1}]
        self.audit["result"] = [{"init": "done", "status": 0, "instret": 1234567890}]

    def true_evidence(self):
        enforced = "kernel" if self.abi_rev == "a2" else "library"
        control = sum(record["len"] for record in self.audit["msg"])
        return {"abi": self.abi_rev, "len": len(self.blob), "challenge": self.challenge.hex(),
                "digest": self.digest.hex(), "seal": "peers", "enforced": enforced, "copies": 0,
                "control_bytes": control, "bulk_bytes": (self.blob_pages + 1) * 4096}

    def maps(self, pid):
        return [record for record in self.audit["map"] if record["pid"] == pid]

    def res(self, when):
        return next(record for record in self.audit["res"] if record["when"] == when)

    def spoken(self):
        return [line("vmo: evidence", self.evidence) if text is None else text for text in self.console]

    def fill_says(self):
        """Makes the kernel's records of the console lines. They are true even if a case changes the lines."""
        self.audit["say"], seq = [], 1
        for text in self.spoken():
            by = "kernel" if text.startswith("kernel:") else 18 if text == self.consumer_says else 17
            seq = max(seq, self.said_at.get(text, EVIDENCE if text.startswith("vmo: evidence") else seq))
            self.audit["say"].append({"n": len(self.audit["say"]), "by": by, "seq": seq, "len": len(text),
                                      "head": text[:64].encode("ascii").hex() or "-"})
        for edit in self.say_edits:
            edit(self.audit["say"])

    def fill_images(self):
        self.audit["image"] = [
            {"pid": pid, "bytes": len(elf), "stack_pages": pages, "gp": "0x0", "sip": content_hash(self.nonce, elf)}
            for pid, elf, pages in ((17, self.init, 16), (18, self.consumer, 4))
        ]

    def numbered(self):
        """The audit as the kernel prints it: sequence numbers count from 1, records are in order, and each grant counts
        the writable mappings at that moment."""
        audit = {kind: [dict(record) for record in records] for kind, records in self.audit.items()}
        places = [(record, key) for kind, key in check_record.NUMBERED for record in audit[kind] if record.get(key)]
        for hand in audit["hand"]:
            if hand["wmaps"] is None:
                hand["wmaps"] = sum(record["vmo"] == hand["vmo"] and "w" in record["prot"] and record["made"] < hand["seq"]
                                    and not 0 < record["ended"] < hand["seq"] for record in audit["map"])
        for number, (record, key) in enumerate(sorted(places, key=lambda place: place[0][place[1]]), 1):
            record[key] = number
        for kind, key in (("map", "made"), ("hand", "seq"), ("hash", "seq")):
            audit[kind].sort(key=lambda record, key=key: record[key])
        return audit

    def audit_lines(self):
        if not self.audit["image"]:
            self.fill_images()
        self.fill_says()
        audit = self.numbered()
        for edit in self.record_edits:
            edit(audit)
        lines = [line(kind, record) for kind in AUDIT_ORDER for record in audit[kind]]
        lines.append(f"end lines={len(lines) + 1}")
        return [f"audit {self.nonce} {text}" for text in lines]

    def log(self):
        log = "\r\n".join(BANNER + [""]) + "\n".join(self.spoken() + self.audit_lines() + [""])
        log = log.encode("ascii")
        for edit in self.log_edits:
            log = edit(log)
        return log

    def boot(self):
        images = {}
        for name, data in (("kernel", b"kernel"), ("init", self.init), ("consumer", self.consumer)):
            digest = facts.sha256_hex(data)
            images[name] = facts.Image(*self.hashes.get(name, (digest, digest, digest)))
        return facts.Boot(platform=facts.QEMU, abi_rev=self.abi_rev, nonce=NONCE, log=self.log(),
                          exit_code=self.exit_code, stopped=self.stopped, log_cap=self.log_cap, seconds=0.5, images=images, init_elf=self.init,
                          consumer_elf=self.consumer, cost_known=self.cost_known)

    def judge(self):
        return verdict.judge(self.manifest, self.boot(), self.host)
