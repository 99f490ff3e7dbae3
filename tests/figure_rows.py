# SPDX-License-Identifier: Apache-2.0
"""Records the figures of a benchmark for `make report`: one file below $(BUILD)/figures.

    # command: make bench-host
    # made: 2026-01-01 00:00 UTC
    # machine: the processor's name, 2 processors
    # title: Messages on Linux
    group <tab> row <tab> way <tab> unit <tab> quartiles: lower <tab> median <tab> upper

scripts/report/figures.py reads it. `growth` counts live objects in `way`, all else names one.
"""
import os
import pathlib
import re
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
CPU_INFO = pathlib.Path("/proc/cpuinfo")


def machine():
    text = CPU_INFO.read_text(encoding="utf-8", errors="replace") if CPU_INFO.exists() else ""
    name = re.search(r"^model name\s*:\s*(.*)$", text, re.M)
    return f"{name[1] if name else 'an unnamed processor'}, {os.cpu_count()} processors"


class FigureRows:
    """The rows of one benchmark. name: of the file. command: what makes it anew."""

    def __init__(self, name, command, title):
        made = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
        heads = {"command": command, "made": made, "machine": machine(), "title": title}
        self.lines = [f"# {key}: {value}" for key, value in heads.items()]
        self.path = ROOT / os.environ.get("BUILD", "build") / "figures" / f"{name}.tsv"

    def add(self, group, row, way, unit, values):
        """values: of the runs; three values are quartiles already."""
        ordered, count = sorted(values), len(values)
        figures = (ordered[count // 4], ordered[count // 2], ordered[count * 3 // 4])
        words = [str(word) for word in (group, row, way, unit, *figures)]
        if any(re.search(r"[\t\n]", word) for word in words):
            raise ValueError(f"a tab or a newline in {words}")
        self.lines.append("\t".join(words))

    def write(self):
        """Replaces an older record as a whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        part.write_text("\n".join(self.lines) + "\n", encoding="utf-8")
        part.rename(self.path)
