#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boots random programs that compare the kernel with the model of the contract, and shrinks the red ones.

Exit: 0 if all are ok, 1 if one is red, 2 if there is nothing to boot, 130 or more after a signal.
`--help` lists the options.
"""
import argparse
import collections
import concurrent.futures
import dataclasses
import pathlib
import sys
import threading

import differ_boot
import differ_foreign
import progress
import shrink
import supervise
from harness import qemu

REVISIONS = {"a1": ("a1",), "a2": ("a2",), "all": ("a1", "a2")}
SHRINK_BOOTS = {differ_boot.MISMATCH: 300, differ_boot.BROKEN: 40, differ_boot.HUNG: 0}  # fewer for slower boots
AT_ONCE = 2


def numbers(text):
    return frozenset(int(word) for word in text.split(",") if word)


def class_names(text):
    """Names of classes, without duplicates, in the order of the list."""
    asked = {word for word in text.split(",") if word}
    for name in sorted(asked.difference(differ_boot.CLASSES)):
        known = ", ".join(differ_boot.CLASSES)
        raise argparse.ArgumentTypeError(f"no class of operations is called '{name}'; choose from: {known}")
    return tuple(name for name in differ_boot.CLASSES if name in asked)


def parse(words):
    parser = argparse.ArgumentParser(prog="differ.py", description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--abi", choices=REVISIONS, default="all", help="ABI revision of the kernel")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1, help="the number of seeds")
    parser.add_argument("--ops", type=int, default=None, help="length of a program; default: by revision")
    parser.add_argument("--keep", type=numbers, default=None, metavar="I,J,..", help="make only these ops")
    parser.add_argument("--lie", type=int, default=None, metavar="I", help="falsify the answer of op I")
    parser.add_argument("--repeat", type=int, default=None, metavar="I", help="make op I twice")
    parser.add_argument("--without", default="", metavar="N,..", help="remove these calls from the kernel")
    parser.add_argument("--kernel", type=pathlib.Path, default=differ_boot.KERNEL, help="the kernel to boot")
    parser.add_argument("--leave-out", type=class_names, default=(), metavar="CLASS,..",
                        help="leave out these classes of operations")
    parser.add_argument("--trace", action="store_true", help="show every op and its answer")
    options = parser.parse_args(words)
    if options.seeds < 1 or options.seed < 0 or not 1 <= (options.ops or 1) <= differ_boot.OPS_MAX:
        parser.error(f"seeds are at least 1, ops 1 to {differ_boot.OPS_MAX}")
    options.foreign = differ_foreign.is_built_in(options.kernel)
    if options.foreign and (options.abi == "all" or options.without):
        parser.error("a kernel with the program built in has one --abi and takes no --without")
    return options


def programs(options):
    for seed in range(options.seed, options.seed + options.seeds):
        for abi_rev in REVISIONS[options.abi]:
            yield differ_boot.Program(abi_rev, seed, options.ops or differ_boot.OPS[abi_rev], options.keep, options.lie,
                                      options.repeat, options.trace, options.without, options.kernel,
                                      options.leave_out, options.foreign)


def boot(program):
    return (differ_foreign if program.foreign else differ_boot).boot(program)


def replay_words(program):
    words = ["boot/tests/differ/differ.py", "--abi", program.abi_rev, "--seed", str(program.seed),
             "--ops", str(program.ops)]
    for name in ("lie", "repeat"):
        if getattr(program, name) is not None:
            words += [f"--{name}", str(getattr(program, name))]
    if program.without:
        words += ["--without", program.without]
    if program.kernel != differ_boot.KERNEL:
        words += ["--kernel", str(program.kernel)]
    if program.classes:
        words += ["--leave-out", ",".join(program.classes)]
    if program.kept is not None:
        words += ["--keep", ",".join(str(op) for op in sorted(program.kept))]
    return " ".join(words)


def smaller(outcome):
    """A program with as few ops as possible that is red in the same way, and its boot, traced."""
    program = outcome.program
    last = program.ops if outcome.op is None else min(outcome.op + 1, program.ops)
    kept = [op for op in range(last) if program.kept is None or op in program.kept]

    def with_kept(part):
        return dataclasses.replace(program, kept=frozenset(part))

    found = shrink.shrink(kept, lambda part: boot(with_kept(part)).kind == outcome.kind,
                          SHRINK_BOOTS[outcome.kind])
    return boot(dataclasses.replace(with_kept(found), trace=True))


def say(text):
    print(text, flush=True)


def show_red(outcome):
    program = outcome.program
    say(f"differ: {program.abi_rev} RED ({outcome.kind}): {outcome.text}")
    least = smaller(outcome) if SHRINK_BOOTS[outcome.kind] else None
    if least is None or least.kind != outcome.kind:
        say("differ: not shrunk; the replay is the whole program")
        say(f"replay: {replay_words(program)}")
        return
    say(f"differ: {len(least.program.kept)} of {program.ops} ops are enough:")
    for line in least.notes or (least.text,):
        say(f"  {line}")
    say(f"replay: {replay_words(least.program)}")


def main(words):
    options = parse(words)
    red, seconds, count, made, left = [], 0.0, 0, 0, 0
    if options.leave_out:
        say(f"differ: leaves out the operations of {', '.join(options.leave_out)}")
    steps = collections.Counter(program.abi_rev for program in programs(options))
    meter = progress.Meter("differ", steps, "programs", AT_ONCE)

    meter_lock = threading.Lock()

    def boot_shown(program):
        name = f"{program.abi_rev} seed {program.seed}"
        with meter_lock:
            meter.begin(program.abi_rev, name)
        outcome = boot(program)
        with meter_lock:
            meter.end(name, outcome.kind == differ_boot.OK)
        return outcome

    with meter, concurrent.futures.ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for outcome in pool.map(boot_shown, programs(options)):
            count += 1
            seconds += outcome.seconds
            made += outcome.made
            left += outcome.left
            for line in outcome.notes if options.trace else ():
                meter.say(line)
            if outcome.kind != differ_boot.OK:
                red.append(outcome)
                meter.say(f"differ: {outcome.program.abi_rev}: {outcome.text}")
    for outcome in red[:4]:
        show_red(outcome)
    say(f"differ: {count} programs, {count - len(red)} ok, {len(red)} red; {made} operations, "
        f"{f'{left} left out, ' if options.leave_out else ''}{seconds / count:.2f} s a boot")
    return 1 if red else 0


if __name__ == "__main__":
    supervise.enter()
    try:
        with progress.quiet_pipe():
            sys.exit(main(sys.argv[1:]))
    except (differ_boot.SetupError, OSError, qemu.QemuMissing) as error:
        print(f"differ: {error}")
        sys.exit(2)
