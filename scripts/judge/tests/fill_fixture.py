# SPDX-License-Identifier: Apache-2.0
"""A good run of the proof of fills, made as fixture.py makes one of the proof of sharing."""
import struct

from fixture import Fixture, reply
from judge import check_fill as fill, facts, verdict
from siphash import content_hash

BASE = 0x84000000
SHOWN, GIVEN, RECEIVED, LENT, FILLED, ANSWERED, READ, REPLIED, SEEN = range(100, 190, 10)
FREED = 299


class FillFixture(Fixture):
    consumer_says = fill.LENT
    said_at = {fill.LENT: LENT + 2, fill.FILLED: ANSWERED + 2, fill.HASHED: SEEN - 1, fill.LAST: 311}

    def __init__(self, abi_rev):
        self.hash_edits = {}  # (when, pid) -> the bytes that the memory held then
        super().__init__(abi_rev)
        self.manifest = verdict.load_manifest("fill")
        self.host.proof = facts.FILL
        self.console = [fill.LENT, fill.FILLED, fill.HASHED, None, fill.LAST]

    def memory(self):
        return facts.FILL_REQUEST + struct.pack("<Q48x", len(self.blob)) + self.blob

    def fill_memory(self):
        is_a2, pages = self.abi_rev == "a2", facts.pages_of(len(self.memory()))
        size = pages * facts.PAGE_BYTES
        self.audit["vmo"].append(
            {"id": 1, "creator": 17, "base": hex(BASE), "bytes": size, "state": "live"})
        for pid, prot, made, ended, used in ((17, "r", SHOWN, SHOWN + 1, 0), (17, "rw", FILLED, FILLED + 1, pages),
                                             (18, "r", READ, FREED, pages), (17, "r", SEEN - 2, SEEN, 1)):
            self.audit["map"].append(
                {"pid": pid, "vmo": 1, "off": 0, "bytes": size, "prot": prot, "via": "vm_map" if is_a2 else "map",
                 "alias": int(is_a2 and made == SEEN - 2), "state": "unmapped" if is_a2 else "live", "accessed": used,
                 "dirtied": used if prot == "rw" else 0, "base": hex(BASE), "made": made,
                 "ended": ended if is_a2 else 0, "user": self.retired(made)})
        self.audit["copy"] = [{"pid": 17, "into": 0, "from": 0}, {"pid": 18, "into": 0, "from": 0}]

    def retired(self, at):
        """The instructions of a task at a moment: the client hashes between READ and REPLIED."""
        return 1000 + (self.work if at >= REPLIED else 0)

    def fill_messages(self):
        kind, length = "alias" if self.abi_rev == "a2" else "vmo", len(self.memory())
        for slot, rights in ((1, 2), (2, 1)):
            self.audit["hand"].append({"from": 17, "to": 18, "via": "transfer", "kind": "endpoint", "vmo": 0,
                                       "rights": rights, "slot": slot, "seq": slot, "wcaps": 0, "wmaps": 0})
        for sender, what, slot, seq, wcaps in ((17, "vmo", 3, RECEIVED + 1, 1), (18, "vmo", 5, LENT + 4, 2),
                                               (18, kind, 5, REPLIED + 4, 1 if kind == "alias" else 2)):
            self.audit["hand"].append({"from": sender, "to": 35 - sender, "via": "move", "kind": what, "vmo": 1,
                                       "rights": 4, "slot": slot, "seq": seq, "wcaps": wcaps, "wmaps": None})
        said = reply(self.digest, 104, 2 * self.audit["vmo"][0]["bytes"])
        for sender, handle, tag, rights, body, moved, sent, seq in (
                (17, 2, 3, 3, b"", "vmo", GIVEN, RECEIVED),
                (18, 2, facts.TAG_LEND, 3, facts.FILL_REQUEST, "vmo", LENT, LENT + 3),
                (17, 1, facts.TAG_ANSWER, 0, b"", "none", ANSWERED, ANSWERED + 3),
                (18, 2, 1, 1, said, kind, REPLIED, REPLIED + 3),
                (17, 1, 6, 0, b"", "none", SEEN + 1, SEEN + 3)):
            header = struct.pack("<IHHIHHQQ", 0x314F4D56, handle, len(body), tag, rights, 0, length * (handle - 1), 0)
            self.add_message(sender, 35 - sender, header + body, moved, sent)
            self.audit["msg"][-1].update(seq=seq, user=self.retired(sent))

    def hash_vmos(self):
        """The kernel's hashes of the memory."""
        self.audit["hash"], size = [], self.audit["vmo"][0]["bytes"]
        for when, pid, seq in (("grant", 18, RECEIVED + 2), ("reply", 18, LENT + 1), ("grant", 17, LENT + 5),
                               ("reply", 17, ANSWERED + 1), ("grant", 17, REPLIED + 5), ("reply", 17, SEEN + 2),
                               ("end", 0, 320)):
            held = self.memory() if seq > FILLED else b""
            data = self.hash_edits.get(seq, held).ljust(size, b"\0")
            self.audit["hash"].append({"vmo": 1, "when": when, "pid": pid, "seq": seq, "bytes": size,
                                       "sip": content_hash(self.nonce, data)})

    def fill_ends(self):
        super().fill_ends()
        size = self.audit["vmo"][0]["bytes"]
        for record in self.audit["res"][1:]:
            record.update(vmos=1, arena_bytes=size)
        for record in self.audit["keep"][:1]:
            record["n"] = size

    def true_evidence(self):
        return {**super().true_evidence(), "seal": "none", "enforced": "nobody",
                "bulk_bytes": 3 * self.audit["vmo"][0]["bytes"]}

    def judge(self):
        if not self.audit["hash"]:
            self.hash_vmos()
        return super().judge()
