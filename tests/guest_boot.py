# SPDX-License-Identifier: Apache-2.0
"""Boots a payload of the tests' own as init, and holds the run against what every good run has in common."""
import dataclasses
import os
import pathlib
import secrets
import shlex
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
from judge import audit as audit_form  # noqa: E402
from judge import check_log  # noqa: E402
from judge import qemu  # noqa: E402

BUILD = ROOT / os.environ.get("BUILD", "build")
KERNEL = BUILD / "kernel" / "kernel.elf"
MEM = "320M"
WALL_SECONDS = 300
LOG_CAP_BYTES = 4 * 1024 * 1024
WATCHDOG_MS = 600000
EXIT_PASS = 85


@dataclasses.dataclass
class Firmware:
    """As much of a boot as they read."""
    firmware_banners: int = 1


@dataclasses.dataclass
class Context:
    manifest: dict
    console: list
    boot: object = dataclasses.field(default_factory=Firmware)


@dataclasses.dataclass
class Run:
    console: list = dataclasses.field(default_factory=list)  # all lines but the audit's
    audit: object = None
    faults: list = dataclasses.field(default_factory=list)


def judge_audit(run):
    """No hazard, init is done with status 0."""
    for record in run.audit["hazard"]:
        run.faults.append(f"hazard: pid {record['pid']} call {record['call']} {record['id']} {record['what']}")
    result = run.audit.one("result")
    if (result["init"], result["status"]) != ("done", 0):
        run.faults.append(f"init={result['init']} status={result['status']}")


def judge(ran, nonce, age, kernel_lines):
    run = Run()
    parts = ran.log.decode("latin-1").split("\n")
    lines = [part[:-1] if part.endswith("\r") else part for part in parts]
    lines, tail = lines[:-1], lines[-1]
    if ran.stopped or ran.exit_code != EXIT_PASS:
        run.faults.append(f"QEMU ended with {ran.exit_code} ({ran.stopped}) instead of {EXIT_PASS}")
    run.console = [line for line in lines if not line.startswith(audit_form.PREFIX)]
    outcome = check_log.bad_patterns(Context({"kernel_lines": list(kernel_lines)}, run.console))
    if outcome.status != "ok":
        run.faults.append(outcome.evidence)
    try:
        run.audit = audit_form.parse(lines, tail, nonce, age)
        judge_audit(run)
    except audit_form.FormError as error:
        run.faults.append(f"the audit: {error}")
    return run


def boot(elf, age, words="", kernel_lines=()):
    """One boot to its end. `kernel_lines`: patterns of what the kernel may say of tasks that it killed."""
    nonce = secrets.token_hex(16)
    append = f"abi={age} nonce={nonce} watchdog_ms={WATCHDOG_MS}" + (f" {words}" if words else "")
    argv = qemu.command(shlex.split(os.environ.get("QEMU") or "qemu-system-riscv64"), MEM, KERNEL, elf, append)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        ran = qemu.run(argv, pathlib.Path(folder) / "serial.log", pathlib.Path(folder) / "stderr", WALL_SECONDS,
                       LOG_CAP_BYTES)
    return judge(ran, nonce, age, kernel_lines)
