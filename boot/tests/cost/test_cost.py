#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the instruction counts of the kernel's main paths with the records and with the promised bounds.

Boots each ABI revision twice; both boots must give the same counts. More than 5 % over the record is red; more than 5 %
under the record is a note. `--record` (`make cost-record`) rewrites the records: review the diff. cost-paths.tsv
describes each path and has the bounds.
"""
import concurrent.futures
import pathlib
import re
import sys

sys.dont_write_bytecode = True
TREE = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(TREE / "tests"), str(TREE / "scripts")]
import guest_boot  # noqa: E402
from harness import prepare  # noqa: E402
from tap import Tap  # noqa: E402

ELF = guest_boot.BUILD / "target" / "boot" / "tests" / "cost" / "cost.elf"
REVISIONS = ("a1", "a2")
HERE = pathlib.Path(__file__).resolve().parent
PATHS = HERE / "cost-paths.tsv"
SLACK_PERCENT = 5
TIGHT = "sha256-64K"  # the judge predicts the consumer's work from this record, within 0.2 %
TIGHT_PERMYRIAD = 2
# The records and the bounds are for gcc 12; another compiler's figures may be 5 % higher.
AS_RECORDED = prepare.cost_known()
HEAD = "# SPDX-License-Identifier: Apache-2.0\n# path\tinstructions\n"
FIGURE = re.compile(r"cost: (\S+) ([0-9]+)")
LAST = "cost: done"


def record_of(abi_rev):
    return HERE / f"cost-{abi_rev}.tsv"


def rows_of(table):
    lines = table.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def read_record(abi_rev):
    return {name: int(figure) for name, figure in rows_of(record_of(abi_rev))}


def read_bounds():
    """-> ({ABI revision: {name: bound}}, all names) of cost-paths.tsv."""
    bounds, names = {abi_rev: {} for abi_rev in REVISIONS}, []
    for name, *stated in rows_of(PATHS):
        names.append(name)
        for abi_rev, bound in zip(REVISIONS, stated):
            if bound != "-":
                bounds[abi_rev][name] = int(bound)
    return bounds, names


def write_record(abi_rev, measured):
    rows = "".join(f"{name}\t{figure}\n" for name, figure in measured.items())
    record_of(abi_rev).write_text(HEAD + rows, encoding="utf-8")


def measure(abi_rev):
    """-> ({name: instructions}, faults of the run)."""
    run = guest_boot.boot(ELF, abi_rev)
    matches = [FIGURE.fullmatch(line) for line in run.console]
    figures = [(match.group(1), int(match.group(2))) for match in matches if match]
    if LAST not in run.console:
        run.faults.append(f"the log has no line '{LAST}'")
        run.faults += [line for line in run.console if line.startswith("cost: call ")]
    if len(dict(figures)) != len(figures):
        run.faults.append("the log has a path twice")
    return dict(figures), run.faults


def verdict(measured, recorded, bound):
    """-> (error, note) for one figure; None for none."""
    if measured is None or recorded is None:
        return f"recorded {recorded}, measured {measured}", None
    if bound is not None and measured > bound:
        return f"the bound is {bound}, measured {measured}", None
    if measured * 100 > recorded * (100 + SLACK_PERCENT):
        return f"recorded {recorded}, measured {measured}", None
    if measured * 100 < recorded * (100 - SLACK_PERCENT):
        return None, f"recorded {recorded}, measured {measured}: make cost-record"
    return None, None


def compare(tap, abi_rev, measured, recorded, bounds):
    has, wanted = measured.get(TIGHT, 0), recorded.get(TIGHT, 0)
    permyriad = TIGHT_PERMYRIAD if AS_RECORDED else SLACK_PERCENT * 100
    tap.check(wanted and abs(has - wanted) * 10000 <= permyriad * wanted, f"{abi_rev}: {TIGHT}, within {permyriad / 100} %",
              f"recorded {wanted}, measured {has}: make cost-record")
    for name in sorted(measured.keys() | recorded.keys() | bounds.keys()):
        bound = bounds.get(name)
        if bound is not None and not AS_RECORDED:
            bound = bound * (100 + SLACK_PERCENT) // 100
        wrong, note = verdict(measured.get(name), recorded.get(name), bound)
        tap.check(wrong is None, f"{abi_rev}: {name}", wrong)
        if note:
            print(f"# {abi_rev}: {name}: {note}", flush=True)


def can_fail(tap):
    """Tests the comparison: figure, record, bound, and whether it is red."""
    for name, figures, red in [
            ("as recorded", (1000, 1000, None), False),
            ("5 % over the record", (1050, 1000, None), False),
            ("more than 5 % over the record", (1051, 1000, None), True),
            ("far under the record", (10, 1000, None), False),
            ("at the bound", (110, 110, 110), False),
            ("over the bound, as recorded", (111, 111, 110), True),
            ("not recorded", (1000, None, None), True),
            ("not measured", (None, 1000, None), True)]:
        wrong, _ = verdict(*figures)
        tap.check(bool(wrong) == red, f"the comparison: {name} is {'red' if red else 'green'}", wrong)
    tap.check(verdict(949, 1000, None)[1] is not None, "the comparison: more than 5 % under the record is noted")
    tap.check(verdict(950, 1000, None)[1] is None, "the comparison: 5 % under the record is not noted")


def main(arguments):
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        runs = {abi_rev: [pool.submit(measure, abi_rev) for _ in range(2)] for abi_rev in REVISIONS}
        runs = {abi_rev: [run.result() for run in futures] for abi_rev, futures in runs.items()}
    tap = Tap()
    bounds, names = read_bounds()
    for abi_rev, ((first, faults), (second, more_faults)) in runs.items():
        good = tap.check(not faults + more_faults, f"{abi_rev}: both boots are good", "\n".join(faults + more_faults))
        if tap.check(first == second, f"{abi_rev}: both boots give the same counts", f"{first}\n{second}") and good:
            if arguments == ["--record"]:
                write_record(abi_rev, first)
            else:
                compare(tap, abi_rev, first, read_record(abi_rev), bounds[abi_rev])
    can_fail(tap)
    recorded = {name for abi_rev in REVISIONS for name in read_record(abi_rev)}
    good = len(names) == len(set(names)) and set(names) == recorded and all(bounds.values())
    tap.check(good, "cost-paths.tsv has each recorded path once", f"{names}\n{sorted(recorded)}")
    tap.done()


if __name__ == "__main__":
    main(sys.argv[1:])
