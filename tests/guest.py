# SPDX-License-Identifier: Apache-2.0
"""One boot of the test kernel with an init of a test's own, and its log taken apart."""
import dataclasses
import os
import pathlib
import secrets
import shlex
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "scripts")]

from judge import audit as audit_form  # noqa: E402  pylint: disable=wrong-import-position
from judge import proof  # noqa: E402  pylint: disable=wrong-import-position
from judge import qemu  # noqa: E402  pylint: disable=wrong-import-position

BUILD = ROOT / os.environ.get("BUILD", "build")
KERNEL = BUILD / "kernel" / "kernel.elf"
MEM = "320M"


@dataclasses.dataclass
class Guest:
    """What a boot left: QEMU's own facts, the lines before the audit, and the audit or why there is none."""
    ran: object  # qemu.QemuRun
    nonce: str
    age: str
    console: list
    audit: object = None
    audit_error: str = ""


def boot(elf, age, watchdog_ms, wall_seconds, log_cap, words=""):
    """Boots `elf` as init; `words` are further boot arguments."""
    nonce = secrets.token_hex(16)
    append = f"abi={age} nonce={nonce} watchdog_ms={watchdog_ms} {words}".rstrip()
    argv = qemu.command(shlex.split(os.environ.get("QEMU") or "qemu-system-riscv64"), MEM, KERNEL, elf, append)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        ran = qemu.run(argv, pathlib.Path(folder) / "serial.log", pathlib.Path(folder) / "stderr", wall_seconds, log_cap)
    lines, tail = proof.split_log(ran.log)
    guest = Guest(ran, nonce, age, [line for line in lines if not line.startswith(audit_form.PREFIX)])
    try:
        guest.audit = audit_form.parse(lines, tail, nonce, age)
    except audit_form.FormError as error:
        guest.audit_error = str(error)
    return guest
