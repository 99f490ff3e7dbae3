#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""K-03 in the library's machine code: nx_call alternates between two ecall instructions.

The kernel refuses the 10,002nd ecall in a row from one address. This suite disassembles libvmo.a,
finds each ecall in it, and interprets the instructions of nx_call for more calls than that limit.
"""
import os
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))
from tap import Tap  # noqa: E402

LIBRARY = ROOT / os.environ.get("BUILD", "build") / "target" / "libvmo.a"
OBJDUMP = os.environ.get("CROSS", "riscv64-unknown-elf-") + "objdump"
STORM_LIMIT = 10001
CALLS = 3 * STORM_LIMIT
STEPS_MAX = 20  # instructions of one nx_call
LINE = re.compile(r"\s*([0-9a-f]+):\t[0-9a-f ]+\t(\S+)(?:\t([^#<]*))?")


def instructions(text):
    """-> {address: (mnemonic, [operand])} of one disassembled function."""
    found = {}
    for line in text.splitlines():
        match = LINE.fullmatch(line.split(" #")[0].split(" <")[0])
        if match:
            found[int(match.group(1), 16)] = (
                match.group(2),
                (match.group(3) or "").strip().split(","),
            )
    return found


def nx_call(code, registers, memory):
    """Interprets one call -> (address of its ecall, registers there)."""
    order, at, trapped = sorted(code), min(code), None
    for _ in range(STEPS_MAX):
        name, operands = code[at]
        following = order[order.index(at) + 1] if at != order[-1] else None
        target = operands[0]
        if name == "ecall":
            trapped = (at, dict(registers))
        elif name == "ret":
            return trapped
        elif name == "auipc" or (name == "mv" and operands == ["t3", "t3"]):
            registers[target] = "nx_turn"  # the only symbol: both relocations name it
        elif name == "mv":
            registers[target] = registers[operands[1]]
        elif name in ("lw", "sw"):
            if operands[1] != "0(t3)" or registers["t3"] != "nx_turn":
                raise ValueError(f"{name} {operands} accesses another word than nx_turn")
            if name == "lw":
                registers[target] = memory["nx_turn"]
            else:
                memory["nx_turn"] = registers[target]
        elif name in ("xor", "xori"):
            registers[target] = registers[operands[1]] ^ int(operands[2], 0)
        elif name == "bnez":
            if registers[target] != 0:
                following = int(operands[1], 16)
        else:
            raise ValueError(f"this suite does not know the instruction: {name} {operands}")
        at = following
    raise ValueError(f"nx_call did not return within {STEPS_MAX} instructions")


def longest_run(addresses):
    longest = run = 1
    for before, now in zip(addresses, addresses[1:]):
        run = run + 1 if now == before else 1
        longest = max(longest, run)
    return longest


def main():
    tap = Tap()
    text = subprocess.run(
        [OBJDUMP, "-d", str(LIBRARY)], stdout=subprocess.PIPE, check=True, timeout=60
    ).stdout.decode()
    members = {part.split(":")[0].strip(): part for part in re.split(r"\n(?=\S+\.o: )", text)}
    having = {
        name: len(re.findall(r"\tecall", part))
        for name, part in members.items()
        if "\tecall" in part
    }
    tap.check(having == {"nx_ecall.o": 2}, "the library has two ecalls, both in nx_ecall.o", having)

    code = instructions(members["nx_ecall.o"])
    names = [f"a{i}" for i in range(7)]
    memory, addresses, faults = {"nx_turn": 0}, [], []
    try:
        for call in range(CALLS):
            trapped = nx_call(code, {name: (name, call) for name in names}, memory)
            if trapped is None:
                faults.append(f"call {call} made no ecall")
                break
            at, seen = trapped
            addresses.append(at)
            wanted = {name: (name, call) for name in names[:6]} | {"a7": ("a6", call)}
            if any(seen[name] != value for name, value in wanted.items()):
                faults.append(f"call {call}: {seen}")
    except (ValueError, KeyError) as error:
        faults.append(repr(error))
    tap.check(
        not faults,
        "each call executes an ecall with its arguments and number",
        "\n".join(faults[:5]),
    )
    tap.check(len(set(addresses)) == 2, "the calls use two addresses", set(addresses))
    tap.check(addresses and longest_run(addresses) == 1, f"{CALLS} calls alternate between them")
    tap.check(longest_run([1] * 5 + [2]) == 5, "longest_run detects a repeated address")
    tap.done()


if __name__ == "__main__":
    main()
