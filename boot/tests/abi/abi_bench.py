# SPDX-License-Identifier: Apache-2.0
"""Shared by the two suites of the probe: goldens, logs made from goldens, and calls of the harness."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]
from harness import probe  # noqa: E402  pylint: disable=wrong-import-position

BUILD = ROOT / os.environ.get("BUILD", "build")
HARNESS = str(ROOT / "scripts" / "test-abi.sh")
REVISIONS = ("a1", "a2")
PROGRAMS = ("probe", "probe2", "probe-hazards")
FILES = {(abi_rev, program): probe.golden_path(program, abi_rev) for abi_rev in REVISIONS for program in PROGRAMS}


def golden(abi_rev, program="probe"):
    return probe.load_golden(FILES[abi_rev, program])


def good_lines(cases):
    """The log of a correct probe, with -1 for each undecided case."""
    rows = [case.line() if case.decided else case.line()[:-1] + "-1" for case in cases]
    return rows + [f"probe: done {len(rows)} cases"]


def harness(options, **environment):
    """-> (exit code, output)"""
    done = subprocess.run([HARNESS, *options], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=dict(os.environ, **environment), check=False, timeout=300)
    return done.returncode, done.stdout.decode(errors="replace")
