# SPDX-License-Identifier: Apache-2.0
"""One boot of a random program: patches its ELF, reads the log and judges the audit (docs/testing/random.md)."""
import dataclasses
import pathlib
import re
import struct
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))
import guest_boot  # noqa: E402
from guest_boot import BUILD, KERNEL  # noqa: E402

ELF = BUILD / "target" / "boot" / "tests" / "differ" / "differ.elf"
WALL_SECONDS = 30
WATCHDOG_MS = 10000  # guest time at shift 0; the longest program takes a tenth of it
CONTROLS = 3
EXITS_QEMU = (1, 125, 126, 127)  # QEMU failed, or did not start

# struct differ_block of boot/tests/differ/differ_block.h, without its mark.
MARK = b"libvmo-differ-01"
OPS_MAX = 4096
NONE = 0xFFFFFFFF
FIELDS = struct.Struct("<QQQIIIIII")
# Classes of operations; a class's position is its bit in the block's set.
CLASS = re.compile(r'^MODEL_CLASS\("([a-z0-9_-]+)", ', re.MULTILINE)
CLASSES = CLASS.findall((ROOT / "boot" / "tests" / "model" / "model_class.def").read_text(encoding="ascii"))

# Every second seed runs with small tables, so that a program fills them; 0 is the revision's default.
NORMAL = {"arena_bytes": 0, "slots": 0, "ep_ids": 0}
SMALL = {"a1": {"arena_bytes": 0x400000, "slots": 12, "ep_ids": 20},
         "a2": {"arena_bytes": 0x600000, "slots": 16, "ep_ids": 40}}
# An instruction of an a2 program takes 1, 16, 64 or 256 ns of guest time. A larger value shortens the 10 ms time slice,
# down to about one operation.
SHIFTS = (8, 0, 6, 4)
OPS = {"a1": 300, "a2": 1200}  # a1 frees nothing, so a longer program runs out of resources

MUST_FIT = frozenset({"hazard"})  # a program starts more tasks than the audit can record
FINAL = re.compile(r"differ: seed (?P<seed>[0-9]+) "
                   r"(?:ops (?P<ops>[0-9]+) made (?P<made>[0-9]+)(?: left out (?P<left>[0-9]+))? ok|op (?P<at>[0-9]+): .*)")
KERNEL_LINES = (r"kernel: pid=[0-9]+ killed: (load|store|fetch) fault va=0x[0-9a-f]+ pc=0x[0-9a-f]+",)

# The outcomes of a boot; all except OK are red. HUNG: the guest did not exit.
OK, MISMATCH, BROKEN, HUNG = "ok", "mismatch", "broken", "hung"


class SetupError(Exception):
    """There is nothing to boot."""


@dataclasses.dataclass(frozen=True)
class Program:
    """A random program, with the parameters that are patched into the ELF file."""
    abi_rev: str
    seed: int
    ops: int
    kept: object = None      # numbers of the ops to make; None: all
    lie: object = None       # the op whose answer is falsified for the model
    repeat: object = None    # the op to make twice
    trace: bool = False
    without: str = ""        # calls removed from the kernel
    kernel: pathlib.Path = KERNEL
    classes: tuple = ()      # names of omitted classes
    foreign: bool = False    # the kernel has the program built in, and takes no boot arguments

    def limits(self):
        if self.foreign:
            return NORMAL
        return SMALL[self.abi_rev] if self.seed % 2 == 0 else NORMAL

    def shift(self):
        return SHIFTS[self.seed // 2 % len(SHIFTS)] if self.abi_rev == "a2" else 0

    def watchdog_ms(self):
        return min(WATCHDOG_MS << self.shift(), guest_boot.WATCHDOG_MS)

    def boot_words(self):
        words = [f"{key}={value}" for key, value in self.limits().items() if value]
        return " ".join(words + ([f"without={self.without}"] if self.without else []))

    def block(self):
        left_out = bytes(self.kept is not None and op < self.ops and op not in self.kept for op in range(OPS_MAX))
        faults = [NONE if op is None else op for op in (self.lie, self.repeat)]
        limits = self.limits()
        classes = sum(1 << CLASSES.index(name) for name in self.classes)
        return FIELDS.pack(self.seed, classes, limits["arena_bytes"], limits["slots"], limits["ep_ids"], self.ops,
                           *faults, self.trace) + left_out


@dataclasses.dataclass
class Outcome:
    program: Program
    kind: str
    text: str             # the final line, or the faults
    op: object = None     # of a mismatch
    notes: tuple = ()     # with trace: the ops
    seconds: float = 0.0
    made: int = 0         # executed ops of a good run
    left: int = 0         # ops of a good run that were omitted for their class


def patched(elf, program, path=ELF):
    if elf.count(MARK) != 1:
        raise SetupError(f"{path} contains the mark {elf.count(MARK)} times instead of once; run make")
    at = elf.index(MARK) + len(MARK)
    block = program.block()
    return elf[:at] + block + elf[at + len(block):]


def leftover_faults(audit, abi_rev):
    """A program releases everything at its end except init's initial resources and three control pages."""
    start, done = audit.res("start"), audit.res("done")
    kinds = ("slots",) if abi_rev == "a1" else ("slots", "regions")
    return [f"{kind} {start[kind]} -> {done[kind]} with {CONTROLS} control pages" for kind in kinds
            if done[kind] != start[kind] + CONTROLS]


def final_faults(program, last, final):
    """Faults of the final line of a good run."""
    if not final or int(final["seed"]) != program.seed:
        return [f"'{last}' is not the final line of a good run"]
    if int(final["ops"]) != program.ops:
        return [f"'{last}' instead of {program.ops} ops"]
    if (final["left"] is None) == bool(program.classes):
        return [f"'{last}' left out other classes than '{','.join(program.classes)}'"]
    if program.kept is None and (int(final["made"]) + int(final["left"] or 0)) * 2 < program.ops:
        return [f"'{last}': fewer than half of the ops were executed"]
    return []


def line_faults(run, program, last, final):
    """Faults of the final line and of init's resources, which it releases at the end unless it leaves out classes."""
    faults = final_faults(program, last, final)
    if faults or program.classes or not run.audit:
        return faults
    return leftover_faults(run.audit, program.abi_rev)


def good(program, last, final, spoken, seconds):
    return Outcome(program, OK, last, None, spoken, seconds, int(final["made"]), int(final["left"] or 0))


def judge(run, program):
    """-> Outcome. The program itself reports a MISMATCH; any other fault is BROKEN, or HUNG without an exit code."""
    spoken = tuple(line for line in run.console if line.startswith("differ: "))
    last = spoken[-1] if spoken else "no line"
    final = FINAL.fullmatch(last)
    if final and final["at"] and int(final["seed"]) == program.seed:
        return Outcome(program, MISMATCH, last, int(final["at"]), spoken, run.ran.seconds)
    faults = run.faults + line_faults(run, program, last, final)
    if faults:
        kind = HUNG if run.ran.exit_code is None else BROKEN
        return Outcome(program, kind, "; ".join(faults), None, spoken, run.ran.seconds)
    return good(program, last, final, spoken, run.ran.seconds)


def boot(program):
    machine = guest_boot.Machine(program.kernel, WALL_SECONDS, program.shift())
    with tempfile.NamedTemporaryFile(dir=BUILD, suffix=".elf") as elf:
        elf.write(patched(ELF.read_bytes(), program))
        elf.flush()
        run = guest_boot.start(elf.name, program.abi_rev, program.watchdog_ms(), program.boot_words(), machine)
    if run.ran.exit_code in EXITS_QEMU:
        raise SetupError("QEMU refused to start")
    return judge(guest_boot.judge(run, KERNEL_LINES, MUST_FIT), program)
