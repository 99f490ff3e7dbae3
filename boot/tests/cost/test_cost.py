#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the kernel's main paths cost, in instructions: as recorded, and within the bounds that the project promises.

Each age is booted twice and must say the same. More than 5 % over the recorded figure is red; more than 5 % under is a
note. `--record` writes the records and the page's table anew instead (`make cost-record`); the difference is to be
reviewed.
"""
import concurrent.futures
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tests"))
import guest_boot  # noqa: E402
from tap import Tap  # noqa: E402

ELF = guest_boot.BUILD / "target" / "boot" / "tests" / "cost" / "cost.elf"
AGES = ("a1", "a2")
BOUNDS = {
    "a1": {"getpid": 116, "handover": 2500, "handover-to-peer": 2500},
    "a2": {"getpid": 116, "vm_map-1M": 10000, "handover": 2500, "handover-to-peer": 2500},
}
SLACK_PERCENT = 5
HEAD = "# SPDX-License-Identifier: Apache-2.0\n# path\tinstructions\n"
FIGURE = re.compile(r"cost: (\S+) ([0-9]+)")
LAST = "cost: done"
PAGE = guest_boot.ROOT / "docs" / "testing" / "figures.md"
ROW = re.compile(r"(\| `(\S+)` \| [^|]+ \|) ([0-9,]+|-) \| ([0-9,]+|-) \|")


def record_of(age):
    return pathlib.Path(__file__).resolve().parent / f"cost-{age}.tsv"


def read_record(age):
    lines = [line for line in record_of(age).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {name: int(figure) for name, figure in (line.split("\t") for line in lines)}


def write_record(age, measured):
    rows = "".join(f"{name}\t{figure}\n" for name, figure in measured.items())
    record_of(age).write_text(HEAD + rows, encoding="utf-8")


def page_with(records):
    """The page, with these records in its table."""
    def row(match):
        figures = (records[age].get(match.group(2)) for age in AGES)
        return match.group(1) + "".join(" - |" if figure is None else f" {figure:,} |" for figure in figures)
    return ROW.sub(row, PAGE.read_text(encoding="utf-8"))


def measure(age):
    """-> ({name: instructions}, what is wrong with the run)."""
    run = guest_boot.boot(ELF, age)
    matches = [FIGURE.fullmatch(line) for line in run.console]
    figures = [(match.group(1), int(match.group(2))) for match in matches if match]
    if LAST not in run.console:
        run.faults.append(f"it does not end with '{LAST}'")
        run.faults += [line for line in run.console if line.startswith("cost: call ")]
    if len(dict(figures)) != len(figures):
        run.faults.append("a figure that is said twice")
    return dict(figures), run.faults


def verdict(measured, recorded, bound):
    """One figure -> (what is red about it, what is to be noted)."""
    if measured is None or recorded is None:
        return f"recorded {recorded}, measured {measured}", None
    if bound is not None and measured > bound:
        return f"the bound is {bound}, measured {measured}", None
    if measured * 100 > recorded * (100 + SLACK_PERCENT):
        return f"recorded {recorded}, measured {measured}", None
    if measured * 100 < recorded * (100 - SLACK_PERCENT):
        return None, f"recorded {recorded}, measured {measured}: make cost-record"
    return None, None


def compare(tap, age, measured, recorded, bounds):
    for name in sorted(measured.keys() | recorded.keys() | bounds.keys()):
        wrong, note = verdict(measured.get(name), recorded.get(name), bounds.get(name))
        tap.check(wrong is None, f"{age}: {name}", wrong)
        if note:
            print(f"# {age}: {name}: {note}", flush=True)


def can_fail(tap):
    """The comparison itself: figure, record, bound, and whether it is red."""
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
    tap.check(verdict(950, 1000, None)[1] is None, "the comparison: 5 % under the record is not")


def main(arguments):
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        runs = {age: [pool.submit(measure, age) for _ in range(2)] for age in AGES}
        runs = {age: [run.result() for run in futures] for age, futures in runs.items()}
    tap = Tap()
    for age, ((first, faults), (second, more_faults)) in runs.items():
        good = tap.check(not faults + more_faults, f"{age}: both boots are good", "\n".join(faults + more_faults))
        if tap.check(first == second, f"{age}: both boots say the same", f"{first}\n{second}") and good:
            if arguments == ["--record"]:
                write_record(age, first)
            else:
                compare(tap, age, first, read_record(age), BOUNDS[age])
    can_fail(tap)
    page = page_with({age: read_record(age) for age in AGES})
    if arguments == ["--record"]:
        PAGE.write_text(page, encoding="utf-8")
    tap.check(PAGE.read_text(encoding="utf-8") == page, "docs/testing/figures.md says what is recorded")
    tap.done()


if __name__ == "__main__":
    main(sys.argv[1:])
