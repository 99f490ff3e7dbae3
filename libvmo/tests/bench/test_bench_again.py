#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench_again.py prints the medians of a benchmark's tables and records their quartiles. Prints TAP."""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))
from tap import Tap, room  # noqa: E402

AGAIN = ROOT / "libvmo" / "tests" / "bench" / "bench_again.py"
# Each run prints figures that are 100 higher than the run before.
TOOL = """#!/bin/sh
count=$(cat "$0.count" 2>/dev/null || echo 0)
echo $((count + 1)) >"$0.count"
echo '   bytes     libvmo        EVP   portable   MB/s   libvmo / EVP'
echo "      64     $((1000 + 100 * count))         99         94                  4.40"
"""
SHOWN = "      64     1200         99         94                  4.40"
RECORDED = ["64 bytes\tlibvmo\tMB/s\t1100.0\t1200.0\t1300.0", "64 bytes\tEVP\tMB/s\t99.0\t99.0\t99.0"]


def run(folder, tool):
    programs = folder / "host" / "libvmo" / "tests" / "bench"
    programs.mkdir(parents=True, exist_ok=True)
    (programs / "bench_sha256").write_text(tool, encoding="ascii")
    (programs / "bench_sha256").chmod(0o755)
    return subprocess.run([sys.executable, "-B", AGAIN, "sha256"], env={**os.environ, "BUILD": str(folder)}, check=False,
                          capture_output=True, text=True, timeout=60)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(dir=room()) as name:
        folder = pathlib.Path(name)
        done = run(folder, TOOL)
        lines = done.stdout.splitlines()
        tap.check(done.returncode == 0 and len(lines) == 2 and lines[1] == SHOWN, "the medians of five runs are printed", done)
        record = folder / "figures" / "bench-sha256.tsv"
        text = record.read_text(encoding="utf-8")
        tap.check(all(line in text for line in RECORDED) and "# command: make bench-sha256\n" in text, "and their quartiles recorded", text)
        done = run(folder, "#!/bin/sh\necho broken >&2\nexit 3\n")
        tap.check(done.returncode == 1 and "bench_sha256 failed: broken" in done.stderr, "a benchmark that fails is named", done)
        tap.check(record.read_text(encoding="utf-8") == text, "and the older record stays")
    tap.done()


if __name__ == "__main__":
    main()
