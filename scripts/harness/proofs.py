# SPDX-License-Identifier: Apache-2.0
"""The proofs that PROOF= chooses from. Their programs are in payloads/payloads.mk, their checks in
judge/verdict.py."""
import collections

from judge import facts
from paths import ConfigError

FILE = "proof"  # in a challenge's folder: the name of its proof
MIB = 1 << 20
# payload: what is shared unless the caller names something else; least, most: its bytes.
Proof = collections.namedtuple("Proof", "manifests payload least most")
PROOFS = {
    facts.SHARE: Proof(
        {facts.QEMU: "proof", facts.LINUX: "host", facts.FOREIGN: "foreign"}, "LICENSE", 1, 4 * MIB
    ),
    facts.STREAM: Proof(
        {facts.QEMU: "stream", facts.LINUX: "stream-host", facts.FOREIGN: "stream-foreign"},
        "gen:1:1048576",
        facts.STREAM_BUFFERS * facts.FRAME_BYTES,  # each buffer is used, one of them again
        64 * MIB,
    ),
    facts.FILL: Proof(
        {facts.QEMU: "fill", facts.LINUX: "fill-host", facts.FOREIGN: "fill-foreign"},
        "LICENSE", 1, 4 * MIB - facts.PAGE_BYTES,
    ),
}


def check_size(name, spec, size):
    """A payload of another size is CONFIG."""
    proof = PROOFS[name]
    if not proof.least <= size <= proof.most:
        what = f"PROOF={name} takes a payload of {proof.least} to {proof.most} bytes"
        raise ConfigError(f"{what}; {spec} has {size}")


def write_name(folder, name):
    (folder / FILE).write_text(name + "\n", encoding="ascii")


def read_name(folder):
    """The proof of a challenge's folder; one that an older version wrote names none."""
    path = folder / FILE
    name = path.read_text(encoding="ascii", errors="replace").strip() if path.is_file() else None
    if name not in (None, *PROOFS):
        what = f"{path} names no proof of this version: '{name[:40]}'"
        raise ConfigError(f"{what}; run make proof-elf")
    return name or facts.SHARE
