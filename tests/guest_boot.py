# SPDX-License-Identifier: Apache-2.0
"""Boots a payload of the tests' own as init; `boot` holds the run against what every good run has in common."""
import dataclasses
import os
import pathlib
import secrets
import shlex
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
from harness import qemu  # noqa: E402
from judge import audit as audit_form  # noqa: E402
from judge import check_run  # noqa: E402
from judge import exit_codes  # noqa: E402
from judge import facts  # noqa: E402
from tap import room  # noqa: E402

BUILD = ROOT / os.environ.get("BUILD", "build")
KERNEL = BUILD / "kernel" / "kernel.elf"
MEM = "320M"
WALL_SECONDS = 300
LOG_CAP_BYTES = 4 * 1024 * 1024
WATCHDOG_MS = 600000
EXIT_PASS = exit_codes.number(exit_codes.DONE)
# Should a suite be killed by SIGKILL while it is not below scripts/run-tests.py, QEMU ends by itself, a little later.
OUTLIVED = ["timeout", "-k", "5", str(WALL_SECONDS + 10)]
# The bounded tables of the audit that no run may fill; a long one may fill the others.
MUST_FIT = frozenset({"task", "hazard"})


@dataclasses.dataclass
class Run:
    ran: object  # qemu.QemuRun
    nonce: str
    console: list  # all lines but the audit's
    audit: object = None
    faults: list = dataclasses.field(default_factory=list)


def judge_audit(run, must_fit):
    """No hazard, no frame lost, init is done with status 0."""
    run.faults += audit_form.hazard_faults(run.audit) + audit_form.end_faults(run.audit, must_fit)
    start, end = run.audit.res("start"), run.audit.res("end")
    if not start or not end:
        run.faults.append("the audit: a 'res' line is missing")
    elif end["frames"] > start["frames"]:
        run.faults.append(f"frames {start['frames']} -> {end['frames']} after teardown")


def read(ran, nonce, age):
    """What a run left, not held against anything."""
    lines, tail = facts.split_log(ran.log)
    run = Run(ran, nonce, [line for line in lines if not line.startswith(audit_form.PREFIX)])
    try:
        run.audit = audit_form.parse(lines, tail, nonce, age)
    except audit_form.FormError as error:
        run.faults.append(f"the audit: {error}")
    return run


def judge(run, kernel_lines, must_fit=MUST_FIT):
    ran = run.ran
    if ran.stopped or ran.exit_code != EXIT_PASS:
        run.faults.append(f"QEMU ended with {ran.exit_code} ({ran.stopped}) instead of {EXIT_PASS}")
    run.faults += check_run.bad_lines(run.console, kernel_lines, 1)[:4]
    if run.audit is not None:
        judge_audit(run, must_fit)
    return run


@dataclasses.dataclass(frozen=True)
class Machine:
    """What of a boot is seldom another."""
    kernel: pathlib.Path = KERNEL
    wall_seconds: int = WALL_SECONDS
    shift: int = 0  # an instruction takes 2 to the power of this ns of guest time


def start(elf, age, watchdog_ms, words="", machine=Machine()):
    """One boot to its end, whatever that is."""
    nonce = secrets.token_hex(16)
    append = f"abi={age} nonce={nonce} watchdog_ms={watchdog_ms}" + (f" {words}" if words else "")
    program = OUTLIVED + shlex.split(os.environ.get("QEMU") or "qemu-system-riscv64")
    argv = qemu.command(program, MEM, machine.kernel, elf, append, ["-icount", f"shift={machine.shift},sleep=off"])
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        ran = qemu.run(argv, pathlib.Path(folder) / "serial.log", pathlib.Path(folder) / "stderr",
                       machine.wall_seconds, LOG_CAP_BYTES)
    return read(ran, nonce, age)


def boot(elf, age, words="", kernel_lines=()):
    """One boot to its end. `kernel_lines`: patterns of what the kernel may say of tasks that it killed."""
    return judge(start(elf, age, WATCHDOG_MS, words), kernel_lines)
