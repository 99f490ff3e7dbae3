# SPDX-License-Identifier: Apache-2.0
"""One boot of a random program on a foreign kernel that has differ.elf built in.

Such a kernel takes no boot arguments, prints its own log, has no audit and never exits
(docs/testing/random.md).
"""
import os
import pathlib
import shlex
import tempfile

import differ_boot
from differ_boot import BROKEN, BUILD, ELF, FINAL, HUNG, MARK, MISMATCH, OK, Outcome, SetupError
import guest_boot
from harness import log_watch, prepare, probe, qemu
from judge import facts, noise
from tap import room

WALL_SECONDS = 120
LINGER_SECONDS = 0.2


def is_built_in(kernel):
    """Whether the kernel's file contains the program. If not, the kernel must print our audit."""
    if not kernel.is_file():
        return False
    image = kernel.read_bytes()
    if MARK in image:
        return True
    if prepare.AUDIT_WORD not in image:
        what = f"{kernel} does not contain {ELF.relative_to(BUILD.parent)}"
        raise SetupError(f"{what}; build the kernel with EMBED_INIT_ELF naming it")
    return False


def judge(ran, program):
    """-> Outcome, from the lines only."""
    left = r" left out [0-9]+" if program.classes else ""
    good = rf"differ: seed {program.seed} ops {program.ops} made [0-9]+{left} ok"
    reading = noise.read(ran.log, noise.Expected((), (good,)))
    spoken = tuple(line for line in reading.lines if line.startswith("differ: "))
    last = spoken[-1] if spoken else "no line"
    final = FINAL.fullmatch(last)
    if final and final["at"] and int(final["seed"]) == program.seed:
        return Outcome(program, MISMATCH, last, int(final["at"]), spoken, ran.seconds)
    faults = differ_boot.final_faults(program, last, final)
    texts = reading.lines + reading.kernel + [reading.tail]
    late = [text.strip()[:100] for text in texts if probe.LATE_FAILURE.search(text)]
    faults += [f"the kernel says '{text}'" for text in late]
    if faults:
        kind = HUNG if ran.stopped == facts.WALL else BROKEN
        return Outcome(program, kind, "; ".join(faults), None, spoken, ran.seconds)
    return differ_boot.good(program, last, final, spoken, ran.seconds)


def boot(program):
    image = program.kernel.read_bytes()
    words = guest_boot.OUTLIVED + shlex.split(os.environ.get("QEMU") or "qemu-system-riscv64")
    extra = prepare.split_words("QEMU_EXTRA", os.environ.get("QEMU_EXTRA", ""))
    until = log_watch.Watch(lambda text: FINAL.fullmatch(text) or probe.LATE_FAILURE.search(text))
    with tempfile.TemporaryDirectory(dir=room()) as name:
        folder = pathlib.Path(name)
        kernel = folder / "kernel.elf"
        kernel.write_bytes(differ_boot.patched(image, program, program.kernel))
        argv = qemu.command(words, guest_boot.MEM, kernel, None, None, extra, foreign=True)
        ran = qemu.run(argv, folder / "serial.log", folder / "stderr", WALL_SECONDS,
                       guest_boot.LOG_CAP_BYTES, until, LINGER_SECONDS)
    if ran.exit_code in differ_boot.EXITS_QEMU:
        raise SetupError("QEMU refused to start")
    return judge(ran, program)
