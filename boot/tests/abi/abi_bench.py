# SPDX-License-Identifier: Apache-2.0
"""What the two suites of the probe share: the goldens, logs made of them, and calls of the harness."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]
from harness import probe  # noqa: E402  pylint: disable=wrong-import-position

BUILD = ROOT / os.environ.get("BUILD", "build")
HARNESS = str(ROOT / "scripts" / "test-abi.sh")
AGES = ("a1", "a2")
PROGRAMS = ("probe", "probe2", "probe-hazards")
FILES = {(age, program): probe.golden_path(program, age) for age in AGES for program in PROGRAMS}


def golden(age, program="probe"):
    return probe.load_golden(FILES[age, program])


def good_lines(cases):
    """What a probe prints that answers as it should, and -1 where nothing is decided."""
    rows = [case.line() if case.decided else case.line()[:-1] + "-1" for case in cases]
    return rows + [f"probe: done {len(rows)} cases"]


def harness(options, **environment):
    """-> (exit code, output)"""
    done = subprocess.run([HARNESS, *options], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=dict(os.environ, **environment), check=False, timeout=300)
    return done.returncode, done.stdout.decode(errors="replace")
