# SPDX-License-Identifier: Apache-2.0
"""A good run of the proof of streams, made as fixture.py makes one of the proof of sharing."""
import struct

from fixture import Fixture, message, noise
from judge import check_stream as stream, facts, verdict
from siphash import content_hash

POOL_BASE, RETURN_BASE = 0x84000000, 0x84042000
PAYLOAD = noise("frames", 1 << 16) * 5 + noise("rest", 100)
OFFERED, JOINED = 107, 122
GRANTED, MAPPED, REPLIED, DESTROYED = (112, 116), (120, 121), 130, 301


class StreamFixture(Fixture):
    """told: what the consumer says of its frames. bell: its signals at the reply."""

    consumer_says = stream.JOINED
    said_at = {stream.OFFERED: OFFERED, stream.JOINED: JOINED, stream.HASHED: 137, stream.LAST: 311}

    def __init__(self, abi_rev, payload=PAYLOAD):
        self.told = stream.Told(6, (5, 6, 3, 4), (3, 0, 1, 2), (1, 2 if abi_rev == "a2" else 1))
        self.bell = 2
        super().__init__(abi_rev, payload)
        self.manifest = verdict.load_manifest("stream")
        self.host.proof = facts.STREAM
        self.console = [stream.OFFERED, stream.JOINED, stream.HASHED, None, stream.LAST]

    def context(self):
        return facts.Context(self.manifest, self.boot(), self.host)

    def fill_memory(self):
        state, left = ("destroyed", "unmapped") if self.abi_rev == "a2" else ("live", "live")
        via = "vm_map" if self.abi_rev == "a2" else "map"
        for number, base, pages, mine, theirs in ((1, POOL_BASE, 65, "rw", "r"), (2, RETURN_BASE, 1, "r", "rw")):
            size, alias = pages * 4096, self.alias() if number == 1 else 0
            self.audit["vmo"].append({"id": number, "creator": 17, "base": hex(base), "bytes": size, "state": state})
            for pid, prot, made, ended, by in ((17, mine, 100 + number, 300, 0),
                                               (18, theirs, MAPPED[number - 1], 299, alias)):
                self.audit["map"].append({"pid": pid, "vmo": number, "off": 0, "bytes": size, "prot": prot, "via": via,
                                          "alias": by, "state": left, "accessed": pages,
                                          "dirtied": pages if "w" in prot else 0, "base": hex(base), "made": made,
                                          "ended": ended if left == "unmapped" else 0, "user": 1000})
        self.audit["copy"] = [{"pid": 17, "into": 0, "from": 0}, {"pid": 18, "into": 0, "from": 0}]

    def reply(self):
        counters = self.digest, 0, 200, 66 * 4096
        return stream.REPLY.pack(*counters, self.told.frames, *self.told.last, *self.told.slots, *self.told.seal)

    def offer(self, part):
        return stream.OFFER.pack(stream.OFFER_MAGIC, part, 0, 0, 1, 4, 1, stream.LOOKS, 65536, 1, 0, 0)

    def fill_messages(self):
        kind = "alias" if self.abi_rev == "a2" else "vmo"
        for slot, rights in ((1, 2), (2, 1)):
            self.audit["hand"].append({"from": 17, "to": 18, "via": "transfer", "kind": "endpoint", "vmo": 0,
                                       "rights": rights, "slot": slot, "seq": slot, "wcaps": 0, "wmaps": 0})
        for number, what, wcaps in ((1, kind, 1 if kind == "alias" else 2), (2, "vmo", 2)):
            self.audit["hand"].append({"from": 17, "to": 18, "via": "move", "kind": what, "vmo": number, "rights": 4,
                                       "slot": number + 2, "seq": GRANTED[number - 1], "wcaps": wcaps, "wmaps": None})
        pool = struct.pack("<IHHIHHQQ", 0x314F4D56, 2, 48, 3, 1, 1, facts.STREAM_POOL_BYTES, 0)
        page = struct.pack("<IHHIHHQQ", 0x314F4D56, 2, 48, 3, 3, 0, 4096, 0)
        for sender, data, moved, sent, received in (
                (17, message(1, 1, struct.pack("<Q", len(self.blob))), "none", 104, 110),
                (17, pool + self.offer(1), kind, 105, 111), (17, page + self.offer(2), "vmo", 106, 115),
                (18, message(1, 1, self.reply()), "none", REPLIED, 136)):
            self.add_message(sender, 35 - sender, data, moved, sent)
            self.audit["msg"][-1]["seq"] = received

    def hash_vmos(self):
        """The kernel's hashes of pool and return page."""
        self.audit["hash"] = []
        context, last = self.context(), "destroyed" if self.abi_rev == "a2" else "end"
        pools = [stream.pool_bytes(context, self.told, closed) for closed in (0, 1)]
        pages = [stream.page_bytes(self.told, self.bell + left, left) for left in (0, 1)]
        for number, size, held in ((1, 65, [b"partly filled", *pools]), (2, 1, [b"", *pages])):
            moments = (("grant", 18, GRANTED[number - 1] + 1), ("reply", 18, REPLIED + number),
                       (last, 0, DESTROYED + number))
            for (when, pid, seq), data in zip(moments, held):
                data = data.ljust(size * 4096, b"\0")
                self.audit["hash"].append({"vmo": number, "when": when, "pid": pid, "seq": seq, "bytes": len(data),
                                           "sip": content_hash(self.nonce, data)})

    def true_evidence(self):
        return {**super().true_evidence(), "bulk_bytes": 66 * 4096}

    def judge(self):
        if not self.audit["hash"]:
            self.hash_vmos()
        return super().judge()
