#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Edits green runs at random: the judge must find each edit that is not on the list of harmless ones red.

    make fuzz-judge SEED=1 EDITS=10000             # the suite itself makes fewer
    scripts/judge/tests/fuzz_judge.py --runs a2 --only 1:4711      # one edit again, with its verdict

The runs are the fixture's (both ABI revisions, small and large), one of the fake programs on Linux, and, made afresh,
one of QEMU on each revision and one on Linux. An edit follows from the seed, its number and the run's name.
"""
import argparse
import collections
import contextlib
import copy
import functools
import io
import os
import pathlib
import random
import sys
import tempfile
import types

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "red"), str(HERE.parents[2] / "tests" / "host-proof")]

from fixture import Fixture, noise  # noqa: E402  pylint: disable=wrong-import-position
import fuzz_edits  # noqa: E402  pylint: disable=wrong-import-position
import fuzz_harmless  # noqa: E402  pylint: disable=wrong-import-position
from harness import cli  # noqa: E402  pylint: disable=wrong-import-position
from harness import linux_run  # noqa: E402  pylint: disable=wrong-import-position
from judge import check_content  # noqa: E402  pylint: disable=wrong-import-position
from judge import facts  # noqa: E402  pylint: disable=wrong-import-position
from judge import verdict as verdicts  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap, room  # noqa: E402  pylint: disable=wrong-import-position

EDITS = 2000
DRAWS_MAX = 50  # of an edit that applies
FAILURES_SHOWN = 40
SEEN = ("children", "statuses", "packets", "barriers", "lines", "errors", "bytes_said", "seconds", "stopped", "stop_reason", "strays")


class Run:
    """A green run: what the judge is given, and the log apart."""

    def __init__(self, name, manifest, boot, host):
        self.name, self.manifest, self.boot, self.host = name, manifest, boot, host
        self.log, self.seen, self.work = boot.log, None, 0
        if boot.platform == facts.QEMU:
            fixed, block = check_content.costs(boot.abi_rev)
            self.work = round(fixed + block * check_content.blocks_of(len(host.blob)))
        if boot.observed:
            self.seen = types.SimpleNamespace(**{key: getattr(boot.observed, key) for key in SEEN})
            self.seen.children = {number: types.SimpleNamespace(own=child.own, at_exit=child.at_exit)
                                  for number, child in boot.observed.children.items()}
            self.seen.lines_of = None
            boot.observed, boot.audit = self.seen, None

    def judge(self):
        boot = self.boot
        if self.seen:
            said = [line for number in (facts.CONSUMER_PID, facts.PRODUCER_PID) for who, line in self.seen.lines if who == number]
            boot.audit = linux_run.Model(self.seen).audit
            self.log = b"".join(line + b"\n" for line in said)
        boot.log = self.log
        return verdicts.judge(self.manifest, boot, self.host)

    def kinds(self):
        """The kinds of edits that it takes, and how often of 10."""
        return (("linux", 8), ("fact", 2)) if self.seen else (("log", 4), ("value", 5), ("fact", 1))


# ---- The runs ----------------------------------------------------------------------------------------
def fixture_run(name, abi_rev, **parts):
    run = Fixture(abi_rev, **parts)
    return Run(name, run.manifest, run.boot(), run.host)


def fake_run(name):
    """The good fake programs of the relay's tests."""
    import test_relay  # pylint: disable=import-outside-toplevel
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        bench = test_relay.Bench(folder)
        _, boot = bench.run(None, "good")
    return Run(name, verdicts.load_manifest("host"), boot, bench.host)


def real_run(name, platform, abi_rev):
    """The proof itself, once."""
    with tempfile.TemporaryDirectory(dir=room()) as folder, contextlib.redirect_stdout(io.StringIO()):
        words = ["--out", os.path.join(folder, "run"), "--payload", "gen:7:9000"]
        harness = cli.QemuHarness(words) if platform == facts.QEMU else cli.LinuxHarness(words)
        harness.prepare()
        boot = harness.boot(abi_rev)[0] if platform == facts.QEMU else harness.boot(harness.run / "linux")
    return Run(name, harness.manifest, boot, harness.host)


LARGE = {"payload": noise("fuzz", 1024) * 64}
RUNS = {
    "a1": lambda: fixture_run("a1", "a1"),
    "a2": lambda: fixture_run("a2", "a2"),
    "a2-large": lambda: fixture_run("a2-large", "a2", **LARGE),
    "fake-linux": lambda: fake_run("fake-linux"),
}
REAL_RUNS = {
    "qemu-a1": lambda: real_run("qemu-a1", facts.QEMU, "a1"),
    "qemu-a2": lambda: real_run("qemu-a2", facts.QEMU, "a2"),
    "linux": lambda: real_run("linux", facts.LINUX, None),
}


# ---- An edit -----------------------------------------------------------------------------------------
def draw(run, seed, number):
    """-> (name of the edit, what it did, the edited run)"""
    rng = random.Random(f"{seed} {run.name} {number}")
    names, weights = zip(*run.kinds())
    for _ in range(DRAWS_MAX):
        function = rng.choice(fuzz_edits.EDITS[rng.choices(names, weights)[0]])
        edited = copy.deepcopy(run)
        if edited.seen:
            edited.boot.observed = edited.seen
        said = function(edited, rng)
        if said and fuzz_harmless.View(edited).of() != fuzz_harmless.View(run).of():
            return fuzz_edits.name_of(function), said, edited
    raise RuntimeError(f"edit {number} of {run.name}: no edit applied in {DRAWS_MAX} draws")


def fault_of(behind, verdict, is_manifest):
    """Why the verdict is wrong for this edit, or None."""
    if verdict.word == verdicts.HARNESS_BUG:
        broken = verdict.names(facts.RED) == {verdicts.MANIFEST_CHECK} and not verdict.trace
        return None if broken and is_manifest else f"HARNESS-BUG: {verdict.reason}"
    if behind is None:
        return "a green lie" if verdict.word != verdicts.FAIL else None
    return None if verdict.word == verdicts.PASS else f"red, but on the list: {verdict.reason}"


class Fuzz:
    """Counts what was made and found."""

    def __init__(self, seed):
        self.seed, self.failures = seed, []
        self.made, self.harmless, self.reds = collections.Counter(), collections.Counter(), collections.Counter()

    def once(self, run, number, show=False):
        kind, said, edited = draw(run, self.seed, number)
        behind = fuzz_harmless.entries_behind(run, edited)
        try:
            verdict = edited.judge()
            fault = fault_of(behind, verdict, edited.manifest != run.manifest)
            self.reds.update(verdict.names(facts.RED))
        except Exception as error:  # pylint: disable=broad-except
            verdict, fault = None, f"{type(error).__name__} out of the judge or the model: {error}"
        self.made[kind] += 1
        if behind is not None:
            self.harmless.update(behind)
        if show:
            print(f"# {run.name}: {said}\n# harmless by: {behind}\n# verdict: {verdict and (verdict.word, verdict.reason)}")
        if fault:
            self.failures.append((run.name, number, kind, fault, said))

    def command(self, name, number):
        return f"scripts/judge/tests/fuzz_judge.py --runs {name} --only {self.seed}:{number}"


def keep_hashes():
    """Most edits leave blob and files alone: their keyed hashes are computed once."""
    check_content.content_hash = functools.lru_cache(maxsize=64)(check_content.content_hash)


def options_of(words):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--edits", type=int, default=EDITS, help="of all runs together")
    parser.add_argument("--fixtures", action="store_true", help="edit no real run: nothing need be built")
    parser.add_argument("--runs", help=f"only these: {' '.join([*RUNS, *REAL_RUNS])}")
    parser.add_argument("--only", help="SEED:NUMBER, one edit of one run, shown")
    return parser.parse_args(words)


def report(tap, fuzz, runs, edits):
    made = sum(fuzz.made.values())
    print(f"# seed {fuzz.seed}: {made} edits of {' '.join(runs)}")
    for what, counts in (("edits", fuzz.made), ("harmless", fuzz.harmless), ("red checks", fuzz.reds)):
        print(f"# {what}: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    platforms = {None} | {run.boot.platform for run in runs.values()}
    unused = [e.name for e in fuzz_harmless.LIST if e.platform in platforms and not fuzz.harmless[e.name]]
    if unused:
        print(f"# entries of the list that no edit met: {'; '.join(unused)}")
    lines = [f"{name} {number} {kind}: {fault}: {said}\n  {fuzz.command(name, number)}"
             for name, number, kind, fault, said in fuzz.failures[:FAILURES_SHOWN]]
    if len(fuzz.failures) > FAILURES_SHOWN:
        lines.append(f"and {len(fuzz.failures) - FAILURES_SHOWN} more")
    tap.check(made == edits, f"{made} of {edits} edits were made")
    tap.check(not fuzz.failures, "each edit is on the list of harmless ones or red", "\n".join(lines))


def main(words):
    options, tap = options_of(words), Tap()
    keep_hashes()
    every = {**RUNS, **REAL_RUNS}
    wanted = options.runs.split() if options.runs else [*RUNS, *(() if options.fixtures else REAL_RUNS)]
    runs = {name: every[name]() for name in wanted}
    if options.only:
        seed, number = options.only.split(":")
        fuzz = Fuzz(int(seed))
        fuzz.once(runs[wanted[0]], int(number), show=True)
        sys.exit(1 if fuzz.failures else 0)
    for name, run in runs.items():
        verdict = run.judge()
        tap.check(verdict.word == verdicts.PASS, f"the run {name} is green", verdict.reason)
    fuzz = Fuzz(options.seed)
    order = list(runs.values())
    for number in range(options.edits):
        fuzz.once(order[number % len(order)], number)
    report(tap, fuzz, runs, options.edits)
    tap.done()


if __name__ == "__main__":
    main(sys.argv[1:])
