# SPDX-License-Identifier: Apache-2.0
"""Runs that must fail because of the log, the evidence or the files."""
import struct

from judge import facts
from fixture import CHALLENGE, DIGEST, PAGE_DIGEST, PAYLOAD, noise
from case_table import case, edit, insert_line


# ---- Markers and lines ---------------------------------------------------------------------------
@case("marker twice", "markers")
def _(run):
    insert_line(run, "vmo: sha256 ok", "vmo: sha256 ok")


@case("marker missing", "markers")
def _(run):
    run.console.remove("vmo: consumer mapped ok")


@case("last marker missing", "markers")
def _(run):
    run.console.pop()


@case("last marker first, evidence last", "markers", "evidence", "order")
def _(run):
    run.console = [run.console[-1], *run.console[1:-1]]


@case("last marker is not last", "markers")
def _(run):
    run.console.remove("vmo: sha256 ok")
    run.console.append("vmo: sha256 ok")


@case("unknown marker", "markers")
def _(run):
    insert_line(run, "vmo: sha256 ok", "vmo: all is well")


@case("unknown SELFTEST marker", "markers")
def _(run):
    insert_line(run, "vmo: sha256 ok", "SELFTEST: vmo share ok, nearly")


@case("marker inside another line", "markers")
def _(run):
    insert_line(run, "vmo: sha256 ok", "copied: vmo: sha256 ok")


@case("failure line after the markers", "failure-lines")
def _(run):
    run.console.append("vmo: FAIL consumer: late news")


@case("marker after a failure line", "failure-lines", "markers")
def _(run):
    insert_line(run, "vmo: sha256 ok", "vmo: FAIL producer: digest differs")


@case("panic line", "bad-patterns")
def _(run):
    run.console.insert(0, "kernel: panic: no frame")


@case("panic of anything", "bad-patterns")
def _(run):
    run.console.insert(0, "scheduler: PANIC")


@case("unexpected kernel line", "bad-patterns")
def _(run):
    run.console.insert(0, "kernel: pid 18 faulted")


@case("second firmware banner", "bad-patterns")
def _(run):
    run.console.insert(1, "OpenSBI v1.1")


@case("byte that is not text", "bad-patterns", "authors")
def _(run):
    edit(run, b"vmo: note 4", b"vmo: note \x004")


# ---- Evidence ------------------------------------------------------------------------------------
@case("evidence missing", "evidence")
def _(run):
    run.console.remove(None)


@case("evidence twice", "evidence")
def _(run):
    insert_line(run, None, None)


@case("evidence too early", "evidence")
def _(run):
    run.console.remove(None)
    run.console.insert(0, None)


@case("evidence malformed", "evidence")
def _(run):
    run.evidence["copies"] = "none"


@case("evidence of another challenge", "evidence")
def _(run):
    run.evidence["challenge"] = noise("other", 32).hex()


@case("evidence of another digest", "evidence")
def _(run):
    run.evidence["digest"] = PAGE_DIGEST.hex()


@case("evidence of another length", "evidence")
def _(run):
    run.evidence["len"] = len(PAYLOAD)


@case("control bytes off by one", "counters")
def _(run):
    run.evidence["control_bytes"] += 1


@case("bulk bytes off by a page", "counters")
def _(run):
    run.evidence["bulk_bytes"] -= 4096


@case("invented copy", "counters")
def _(run):
    run.evidence["copies"] = 1


@case("wrong enforcer", "seal")
def _(run):
    run.evidence["enforced"] = "library" if run.abi_rev == "a2" else "kernel"


@case("sealed for ever, still mapped writable", "seal")
def _(run):
    run.evidence["seal"] = "forever"
    run.maps(17)[0].update(state="live", ended=0)


# ---- Files ---------------------------------------------------------------------------------------
def in_consumer(run, data):
    run.consumer += data
    run.init += run.consumer


@case("challenge in the consumer ELF", "images")
def _(run):
    in_consumer(run, CHALLENGE)


@case("digest in the consumer ELF, as text", "images")
def _(run):
    in_consumer(run, DIGEST.hex().upper().encode())


@case("block of the payload in the consumer ELF", "images")
def _(run):
    in_consumer(run, b"x" + PAYLOAD[128:192])


@case("consumer is not inside init", "images")
def _(run):
    run.consumer = run.consumer[:-1] + b"?"


@case("kernel changed during the run", "images")
def _(run):
    same = "1" * 64
    run.hashes["kernel"] = (same, same, "0" * 64)


@case("init changed during the run", "images")
def _(run):
    same = facts.sha256_hex(run.init)
    run.hashes["init"] = (same, same, "0" * 64)


@case("kernel changed while it was copied", "images")
def _(run):
    run.hashes["kernel"] = ("0" * 64, "1" * 64, "1" * 64)


@case("init is not the file that was hashed", "images")
def _(run):
    run.hashes["init"] = ("1" * 64,) * 3


@case("consumer is not the file that was hashed", "images")
def _(run):
    run.hashes["consumer"] = ("1" * 64,) * 3


@case("consumer is empty", "images")
def _(run):
    run.consumer = b""


@case("blob without the challenge", "input", "digest", "evidence", "content", "protocol")
def _(run):
    run.host.blob = PAYLOAD


@case("empty payload", "input", "digest", "evidence", "sharing", "content", "protocol")
def _(run):
    run.host.payload, run.host.blob = b"", CHALLENGE


@case("generated payload of another length", "input")
def _(run):
    run.host.spec = "gen:1:12389"


@case("short challenge", "input", "evidence")
def _(run):
    run.host.challenge_hex = CHALLENGE.hex()[:62]


@case("challenge that is not random", "input", "messages-clean")
def _(run):
    run.remake(challenge=bytes(32))


@case("payload is not the file's content", "input")
def _(run):
    run.host.source = PAYLOAD + b"more"


@case("page with other content", "input", "page-digest", "content")
def _(run):
    run.host.page = struct.pack("<I", 7) * 1024
