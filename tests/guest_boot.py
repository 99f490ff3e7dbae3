# SPDX-License-Identifier: Apache-2.0
"""Boots a test payload as init. `boot` also checks the properties that every good run has."""
import collections
import dataclasses
import os
import pathlib
import secrets
import shlex
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
from harness import audit_faults, qemu  # noqa: E402
from judge import audit as audit_form  # noqa: E402
from judge import check_run  # noqa: E402
import exit_codes  # noqa: E402
from judge import facts  # noqa: E402
from tap import room  # noqa: E402

BUILD = ROOT / os.environ.get("BUILD", "build")
KERNEL = BUILD / "kernel" / "kernel.elf"
MEM = "320M"
WALL_SECONDS = 300
LOG_CAP_BYTES = 4 * 1024 * 1024
WATCHDOG_MS = 600000
EXIT_PASS = exit_codes.number(exit_codes.DONE)
# If SIGKILL ends a suite that does not run below scripts/run-tests.py, `timeout` still ends QEMU.
OUTLIVED = ["timeout", "-k", "5", str(WALL_SECONDS + 10)]
# Tables of the audit that no run may overflow. A long run may overflow the others.
MUST_FIT = frozenset({"task", "hazard"})


@dataclasses.dataclass
class Run:
    ran: object  # qemu.QemuRun
    nonce: str
    console: list  # all lines except the audit's
    audit: object = None
    faults: list = dataclasses.field(default_factory=list)


def judge_audit(run, must_fit):
    """Requires: no hazard, no leaked frame, init done with status 0."""
    run.faults += audit_faults.hazard_faults(run.audit)
    run.faults += audit_faults.end_faults(run.audit, must_fit)
    start, end = run.audit.res("start"), run.audit.res("end")
    if not start or not end:
        run.faults.append("the audit: a 'res' line is missing")
    elif end["frames"] > start["frames"]:
        run.faults.append(f"frames {start['frames']} -> {end['frames']} after teardown")


def read(ran, nonce, abi_rev):
    """Reads the log and the audit of a run, without checks."""
    lines, tail = facts.split_log(ran.log)
    run = Run(ran, nonce, [line for line in lines if not line.startswith(audit_form.PREFIX)])
    try:
        run.audit = audit_form.parse(lines, tail, nonce, abi_rev)
    except audit_form.FormError as error:
        run.faults.append(f"the audit: {error}")
    return run


def judge(run, kernel_lines, must_fit=MUST_FIT):
    ran = run.ran
    if ran.stopped or ran.exit_code != EXIT_PASS:
        run.faults.append(f"QEMU ended with {ran.exit_code} ({ran.stopped}) instead of {EXIT_PASS}")
    run.faults += check_run.bad_lines(collections.Counter(run.console), kernel_lines, 1)[:4]
    if run.audit is not None:
        judge_audit(run, must_fit)
    return run


@dataclasses.dataclass(frozen=True)
class Machine:
    """Properties that most boots share."""
    kernel: pathlib.Path = KERNEL
    wall_seconds: int = WALL_SECONDS
    shift: int = 0  # an instruction takes 2 ** shift ns of guest time


def start(elf, abi_rev, watchdog_ms, words="", machine=Machine()):
    """Boots once and waits for the end, good or bad."""
    nonce = secrets.token_hex(16)
    append = f"abi={abi_rev} nonce={nonce} watchdog_ms={watchdog_ms}" + (f" {words}" if words else "")
    program = OUTLIVED + shlex.split(os.environ.get("QEMU") or "qemu-system-riscv64")
    argv = qemu.command(program, MEM, machine.kernel, elf, append, ["-icount", f"shift={machine.shift},sleep=off"])
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        ran = qemu.run(argv, pathlib.Path(folder) / "serial.log", pathlib.Path(folder) / "stderr",
                       machine.wall_seconds, LOG_CAP_BYTES)
    return read(ran, nonce, abi_rev)


def boot(elf, abi_rev, words="", kernel_lines=()):
    """Boots once and checks the run. `kernel_lines`: patterns of allowed kernel lines about killed tasks."""
    return judge(start(elf, abi_rev, WATCHDOG_MS, words), kernel_lines)
