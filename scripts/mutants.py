#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Applies one fault at a time to a copy of the tree, and expects the named suite to fail for the named reason.

A mutant is a file tests/mutants/NAME.mutant. Its lines `key: value` have these keys: `suite`, which must fail; `reason`,
which the suite's failures must name; `needs`, what make builds besides the suite; `seconds`, the suite's limit (120); `case`,
the one case that a suite which knows TEST_CASE is to run.
Then comes `file`, with the old text, each line after `- `, and the new text, each line after `+ `. The file must have
the old text exactly once. A fault that takes changes in several files repeats this part.

A mutant is killed if the changed tree builds, the suite fails, and a line about the failure has the reason. Each suite
must pass on the unchanged copy first.
"""
import argparse
import dataclasses
import fcntl
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import progress  # noqa: E402
import supervise  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
MUTANTS = ROOT / "tests/mutants"
KEYS = {"suite", "reason", "needs", "seconds", "case"}
MUST_HAVE = {"suite", "reason"}
SUITE_SECONDS = 120
BUILD_SECONDS = 600
SHOWN_LINES = 15
COMMIT = "commit"  # in place of k in PART=k/n
BUILT = r"^build/t?san/(fake/|neuron/)?"  # where the build puts a suite, before the path of its source
# Variables of an outer make, which the copy's own make must not get.
OUTER_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL")


class Wrong(Exception):
    """The caller's options or a mutant's file are wrong."""


class Lives(Exception):
    """The mutant is not killed; the text says why."""


@dataclasses.dataclass
class Edit:
    """Lines of a file and their replacement."""
    file: str
    old: list = dataclasses.field(default_factory=list)
    new: list = dataclasses.field(default_factory=list)

    def apply(self, text):
        """-> the changed text, or None if it does not have the old lines exactly once"""
        old = "\n".join(self.old)
        return text.replace(old, "\n".join(self.new)) if text.count(old) == 1 else None


@dataclasses.dataclass
class Mutant:
    name: str
    edits: list
    suite: str
    reason: str
    needs: str = ""
    seconds: str = str(SUITE_SECONDS)
    case: str = ""


def read_mutant(path):
    fields, edits = {}, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        key, colon, value = line.partition(": ")
        if edits and (line[:2] in ("- ", "+ ") or line in ("-", "+")):
            (edits[-1].old if line[0] == "-" else edits[-1].new).append(line[2:])
        elif colon and key == "file":
            edits.append(Edit(value))
        elif colon and key in KEYS - fields.keys():
            fields[key] = value
        elif not line.startswith("#"):
            raise Wrong(f"{path.name}:{number}: neither `key: value` nor `- old` nor `+ new`: {line}")
    if not MUST_HAVE <= fields.keys() or not edits or not all(edit.old for edit in edits):
        raise Wrong(f"{path.name}: it needs {', '.join(sorted(MUST_HAVE))}, a file and its old text")
    if not fields.get("seconds", "1").isdigit():
        raise Wrong(f"{path.name}: seconds is not a number")
    return Mutant(name=path.stem, edits=edits, **fields)


def commit():
    """The hash of the tree's commit, as a number."""
    return int(subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], check=True, capture_output=True).stdout, 16)


def choose(mutants, only, part):
    """The mutants named by `only`, or the k-th of n parts; `commit/n`: the part that the commit's hash selects."""
    if only:
        unknown = set(only) - {mutant.name for mutant in mutants}
        if unknown:
            raise Wrong(f"no such mutant: {' '.join(sorted(unknown))}")
        return [mutant for mutant in mutants if mutant.name in only]
    which, _, count = part.partition("/")
    n = int(count) if count.isdecimal() else 0
    k = commit() % n + 1 if n and which == COMMIT else int(which) if which.isdecimal() else 0
    if not 1 <= k <= n:
        raise Wrong(f"PART={part}: write k/n, with k from 1 to n, or {COMMIT}/n")
    return mutants[k - 1::n]


def edited(tree, mutant):
    """-> {file: (text, changed text)}"""
    texts = {}
    for edit in mutant.edits:
        target = tree / edit.file
        text = target.read_text(encoding="utf-8") if target.is_file() else ""
        text, before = texts.get(target, (text, text))
        after = edit.apply(before)
        if after is None:
            raise Lives(f"does not apply: {edit.file} does not have the old text exactly once; adapt "
                        f"tests/mutants/{mutant.name}.mutant")
        texts[target] = (text, after)
    return texts


def check(tree, mutant):
    """Raises Lives if the mutant no longer fits the tree; runs nothing."""
    edited(tree, mutant)
    source = tree / (re.sub(BUILT, "", mutant.suite) + ".c" if not is_script(mutant.suite) else mutant.suite)
    if not source.is_file():
        raise Lives(f"names the suite {mutant.suite}, which is not there; adapt tests/mutants/{mutant.name}.mutant")
    if source.suffix == ".c" and mutant.reason not in source.read_text(encoding="utf-8"):
        raise Lives(f"names the reason `{mutant.reason}`, which is no test of {source.relative_to(tree)}; adapt "
                    f"tests/mutants/{mutant.name}.mutant")


class Copy:
    """The copy of the tree in which faults are made."""

    def __init__(self, build):
        self.outer = pathlib.Path(build)
        self.tree = self.outer.resolve() / "mutants/tree"
        # The build folder has the same name, and so the same flags, which lets the copy start from this build's files.
        self.build = "build" if self.outer.is_absolute() or ".." in self.outer.parts else build
        self.environment = {key: value for key, value in os.environ.items() if key not in OUTER_MAKE}
        self.environment.update(BUILD=self.build, PYTHONDONTWRITEBYTECODE="1")
        self.green = set()

    def refresh(self):
        """Updates tracked and new files and removes others; keeps the copy's build."""
        listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                check=True, capture_output=True).stdout.decode().split("\0")
        wanted = {name for name in listed if name and (ROOT / name).is_file()}
        is_new = not self.tree.exists()
        built = self.tree / self.build
        for path in [] if is_new else [path for path in self.tree.rglob("*") if path.is_file()]:
            if built not in path.parents and str(path.relative_to(self.tree)) not in wanted:
                path.unlink()
        for name in sorted(wanted):
            source, target = ROOT / name, self.tree / name
            if not target.exists() or target.read_bytes() != source.read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                # Only a new copy keeps the times, which match the build copied below.
                (shutil.copy2 if is_new else shutil.copy)(source, target)
        if is_new:
            shutil.copytree(self.outer, built, ignore=self.not_needed, symlinks=True)

    def not_needed(self, folder, names):
        return {"mutants", "runs", ".lock"} & set(names) if pathlib.Path(folder) == self.outer else set()

    def make(self, mutant, *more):
        """-> make's errors, or none. This process has the copy's lock, so the make is LOCKED."""
        goals = [*more, *([] if is_script(mutant.suite) else [mutant.suite]), *mutant.needs.split()]
        goals = [goal.replace("build/", f"{self.build}/", 1) if goal.startswith("build/") else goal for goal in goals]
        if not goals:
            return []
        return self.run(["make", "--no-print-directory", "-j2", "LOCKED=1", *goals], BUILD_SECONDS)

    def test(self, mutant):
        """-> lines about the failure, or none if the suite passes"""
        suite, seconds = mutant.suite.replace("build/", f"{self.build}/", 1), int(mutant.seconds)
        runner = [sys.executable, "-B", str(ROOT / "scripts/run-tests.py"), "--timeout", str(seconds)]
        lines = self.run([*runner, suite], seconds + supervise.PATIENCE_SECONDS * 2, mutant.case)
        return [line for line in lines if not line.startswith("    | ok ")]

    def run(self, words, seconds, case=""):
        """-> its output if it fails, or none"""
        environment = {**self.environment, **({"TEST_CASE": case} if case else {})}
        with subprocess.Popen(words, cwd=self.tree, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=supervise.tied()) as process:
            try:
                output, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.terminate()
                raise Lives(f"still running after {seconds} s: {' '.join(words)}") from None
        return output.decode("utf-8", "replace").splitlines() or ["it printed nothing"] if process.returncode else []

    def kill(self, mutant):
        """Returns if the mutant is killed; raises Lives otherwise. Restores the copy in both cases."""
        texts = edited(self.tree, mutant)
        if (mutant.suite, mutant.case) not in self.green:
            report(self.make(mutant, *(["everything"] if is_script(mutant.suite) else [])),
                   "the unchanged copy does not build")
            report(self.test(mutant), f"{mutant.suite} fails without a fault")
            self.green.add((mutant.suite, mutant.case))
        try:
            for target, (_, changed) in texts.items():
                target.write_text(changed, encoding="utf-8")
            report(self.make(mutant), "does not build")
            failure = self.test(mutant)
        finally:
            for target, (text, _) in texts.items():
                target.write_text(text, encoding="utf-8")
            if is_script(mutant.suite):  # the next script may use these files without naming them
                report(self.make(mutant), "the copy does not build without the fault again")
        if not failure:
            raise Lives(f"survived: {mutant.suite} passes")
        if not any(mutant.reason in line for line in failure):
            report(failure, f"{mutant.suite} fails, but not for the reason `{mutant.reason}`")


def is_script(suite):
    return suite.endswith(".py")


def processor_seconds():
    """CPU time of all processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def report(lines, what):
    if lines:
        raise Lives("\n".join([what] + [f"    {line}" for line in lines[-SHOWN_LINES:]]))


def run_all(mutants, copy, meter):
    """-> the number of mutants that are not killed"""
    lives = 0
    for mutant in mutants:
        before, survived = processor_seconds(), None
        meter.begin(mutant.name)
        try:
            copy.kill(mutant)
        except Lives as error:
            survived = error
        meter.end(mutant.name, survived is None)
        if survived:
            lives += 1
            meter.say(f"NOT KILLED {mutant.name}: {survived}")
        else:
            meter.note(f"killed {mutant.name}: {mutant.suite}: {mutant.reason} ({processor_seconds() - before:.1f} s)")
    return lives


def check_all(mutants):
    """-> the number of mutants that do not fit the tree"""
    lives = 0
    for mutant in mutants:
        try:
            check(ROOT, mutant)
        except Lives as error:
            lives += 1
            print(f"mutants: {mutant.name} {error}")
    print(f"mutants: {len(mutants)} faults, {lives} that do not fit the tree")
    return lives


def main(words):
    parser = argparse.ArgumentParser(description="Makes one fault at a time and expects the named suite to fail.")
    parser.add_argument("--build", default="build", help="the build folder")
    parser.add_argument("--only", default="", metavar="NAMES", help="these mutants")
    parser.add_argument("--part", default="1/1", metavar="K/N", help=f"the k-th of n parts, or {COMMIT}/n")
    parser.add_argument("--check", action="store_true", help="only see whether each fits the tree; build and run nothing")
    options = parser.parse_args(words)
    if not options.check:
        supervise.enter()
    os.chdir(ROOT)
    try:
        mutants = choose([read_mutant(path) for path in sorted(MUTANTS.glob("*.mutant"))],
                         options.only.split(), options.part)
        if options.check:
            return 1 if check_all(mutants) or not mutants else 0
        print(f"mutants: {len(mutants)} faults" + ("" if options.only else f", part {options.part}"), flush=True)
        copy = Copy(options.build)
        copy.tree.parent.mkdir(parents=True, exist_ok=True)
        with open(copy.tree.parent / ".lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            copy.refresh()
            with progress.Meter("mutants", [mutant.name for mutant in mutants], "mutants") as meter:
                lives = run_all(mutants, copy, meter)
    except Wrong as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 2
    print(f"{len(mutants)} mutants, {len(mutants) - lives} killed, {lives} survived; {processor_seconds():.0f} s of processor time")
    return 1 if lives or not mutants else 0


if __name__ == "__main__":
    with progress.quiet_pipe():
        sys.exit(main(sys.argv[1:]))
