#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Edits green runs at random. The judge must fail each edit, except those on the list of harmless edits.

    make fuzz-judge SEED=1 EDITS=10000
    make fuzz-judge SEED=commit FUZZ_SECONDS=60                    # the commit's hash, and as many edits as time allows
    scripts/judge/tests/fuzz_judge.py --runs a2 --only 1:4711      # one edit again, with its verdict

The runs are the fixtures' (both ABI revisions, small and large, sealed for ever, on another kernel, and the other proofs), one
of the fake programs on Linux, and fresh runs: under QEMU on each revision, on a foreign kernel of each, on Linux, and of the
other proofs. The seed, an edit's number and the run's name determine the edit. The build folder keeps the runs, so that --only
can repeat an edit of a fresh run.
"""
import argparse
import collections
import contextlib
import copy
import dataclasses
import functools
import io
import os
import pathlib
import pickle
import random
import re
import subprocess
import sys
import tempfile
import time
import types

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "red"), str(HERE.parents[2] / "tests" / "host-proof")]

from fill_fixture import FillFixture  # noqa: E402  pylint: disable=wrong-import-position
from fixture import BANNER, UNMAPPED, Fixture, noise  # noqa: E402  pylint: disable=wrong-import-position
from stream_fixture import StreamFixture  # noqa: E402  pylint: disable=wrong-import-position
import cases_share  # noqa: E402  pylint: disable=wrong-import-position
import foreign_kernel  # noqa: E402  pylint: disable=wrong-import-position
import fuzz_edits  # noqa: E402  pylint: disable=wrong-import-position
import fuzz_edits_run  # noqa: E402,F401  pylint: disable=wrong-import-position,unused-import
import fuzz_harmless  # noqa: E402  pylint: disable=wrong-import-position
import fuzz_harmless_foreign  # noqa: E402,F401  pylint: disable=wrong-import-position,unused-import
import fuzz_harmless_linux  # noqa: E402,F401  pylint: disable=wrong-import-position,unused-import
import fuzz_harmless_proofs  # noqa: E402,F401  pylint: disable=wrong-import-position,unused-import
import progress  # noqa: E402  pylint: disable=wrong-import-position
from harness import cli  # noqa: E402  pylint: disable=wrong-import-position
from harness import linux_proc  # noqa: E402  pylint: disable=wrong-import-position
from harness import linux_run  # noqa: E402  pylint: disable=wrong-import-position
from harness import prepare  # noqa: E402  pylint: disable=wrong-import-position
from judge import check_content  # noqa: E402  pylint: disable=wrong-import-position
from judge import check_fill  # noqa: E402  pylint: disable=wrong-import-position
from judge import check_run  # noqa: E402  pylint: disable=wrong-import-position
from judge import check_stream  # noqa: E402  pylint: disable=wrong-import-position
from judge import facts  # noqa: E402  pylint: disable=wrong-import-position
from judge import noise as reader  # noqa: E402  pylint: disable=wrong-import-position
from judge import verdict as verdicts  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap, room  # noqa: E402  pylint: disable=wrong-import-position

EDITS = 2000
COMMIT = "commit"  # as a seed
DRAWS_MAX = 50  # until an edit applies
FAILURES_SHOWN = 40
SEEN = ("children", "statuses", "packets", "barriers", "lines", "errors", "bytes_said", "seconds", "stopped", "stop_reason", "strays")


class Run:
    """A green run: the judge's input, with the log separate."""

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
        boot.log, boot.reading = self.log, None
        return verdicts.judge(self.manifest, boot, self.host)

    def kinds(self):
        """The kinds of edits that apply to the run, and how often of 10."""
        return (("linux", 8), ("fact", 2)) if self.seen else (("log", 4), ("value", 5), ("fact", 1))


# ---- The runs ----------------------------------------------------------------------------------------
def fixture_run(name, abi_rev, change=lambda run: None, fixture=Fixture, **parts):
    run = fixture(abi_rev, **parts)
    change(run)
    if not run.audit["hash"]:
        run.hash_vmos()
    return Run(name, run.manifest, run.boot(), run.host)


def forever_on_a1(run):
    """A run sealed for ever. The library forbids that while a writable view exists."""
    cases_share.claim(run, "forever")
    for number, record in enumerate(run.maps(17), 1):
        record.update(state="unmapped", ended=100 * number + UNMAPPED)


KERNEL_TEXTS = ("neuron vers. 0.1.0", "[INFO neuron::kmain] boot", "KSELFTEST: spawn ok", "SELFTEST: ipc ok")


def foreign_fixture(name):
    """The same lines on another kernel, which cuts one line by text of a known shape and one by unknown text."""
    run, manifest = Fixture("a2"), verdicts.load_manifest("foreign")
    spoken = [text.replace("vmo: producer", "vmo: pro[DEBUG sched] enqueue: pid=17\nducer").replace("consumer m", "contick 7\nsumer m")
              for text in run.spoken()]
    boot = run.boot()
    boot.platform, boot.nonce, boot.exit_code, boot.stopped, boot.linger = facts.FOREIGN, "-", None, facts.LINGER, 2
    boot.must_audit, boot.built_in, boot.kernel_image = False, True, b"\x7fELF kernel" + run.init
    boot.images["kernel"] = facts.Image(*[facts.sha256_hex(boot.kernel_image)] * 3)
    boot.log = "\n".join([*BANNER, *KERNEL_TEXTS, *spoken, "[INFO neuron::task] exit 18", ""]).encode()
    return Run(name, manifest, boot, run.host)


def fake_run(name):
    """A Linux run of the good fake programs of the relay's tests."""
    import test_relay  # pylint: disable=import-outside-toplevel
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        bench = test_relay.Bench(folder)
        _, boot = bench.run(None, "good")
    return Run(name, verdicts.load_manifest("host"), boot, bench.host)


def made_by(name, harness, abi_rev):
    with contextlib.redirect_stdout(io.StringIO()):
        harness.prepare()
        boot = harness.boot(abi_rev)[0] if abi_rev else harness.boot(harness.run / "linux")
    return Run(name, harness.manifest, boot, harness.host)


def real_run(name, platform, abi_rev, proof=facts.SHARE):
    """Runs a proof once."""
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        spec = "gen:7:262144" if proof == facts.STREAM else "gen:7:9000"
        words = ["--out", os.path.join(folder, "run"), "--proof", proof, "--payload", spec]
        return made_by(name, cli.QemuHarness(words) if platform == facts.QEMU else cli.LinuxHarness(words), abi_rev)


def foreign_run(name, abi_rev):
    """Runs the proof on a foreign kernel with a built-in init. Without a witness, so that the log alone decides."""
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        proof = pathlib.Path(folder) / "proof"
        words, environment = prepare.make_command("proof-elf", f"OUT={proof}", "PAYLOAD=gen:7:9000")
        subprocess.run(words, check=True, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        kernel = foreign_kernel.build(pathlib.Path(folder) / "kernel", abi_rev=abi_rev, init=proof / "producer.elf")
        return made_by(name, cli.QemuHarness(["--out", os.path.join(folder, "run"), "--kernel", str(kernel), "--run", str(proof),
                                              "--abi", abi_rev, "--linger", "0.3", "--witness", "0"]), abi_rev)


LARGE = {"payload": noise("fuzz", 1024) * 64}
RUNS = {
    "a1": lambda: fixture_run("a1", "a1"),
    "a2": lambda: fixture_run("a2", "a2"),
    "a2-large": lambda: fixture_run("a2-large", "a2", **LARGE),
    "a1-forever": lambda: fixture_run("a1-forever", "a1", forever_on_a1),
    "a2-forever": lambda: fixture_run("a2-forever", "a2", cases_share.keep_forever),
    "foreign": lambda: foreign_fixture("foreign"),
    "fake-linux": lambda: fake_run("fake-linux"),
    "stream-a1": lambda: fixture_run("stream-a1", "a1", fixture=StreamFixture),
    "stream-a2": lambda: fixture_run("stream-a2", "a2", fixture=StreamFixture),
    "fill-a1": lambda: fixture_run("fill-a1", "a1", fixture=FillFixture),
    "fill-a2": lambda: fixture_run("fill-a2", "a2", fixture=FillFixture),
}
REAL_RUNS = {
    "qemu-a1": lambda: real_run("qemu-a1", facts.QEMU, "a1"),
    "qemu-a2": lambda: real_run("qemu-a2", facts.QEMU, "a2"),
    "foreign-a1": lambda: foreign_run("foreign-a1", "a1"),
    "foreign-a2": lambda: foreign_run("foreign-a2", "a2"),
    "linux": lambda: real_run("linux", facts.LINUX, None),
    "qemu-stream": lambda: real_run("qemu-stream", facts.QEMU, "a2", facts.STREAM),
    "linux-stream": lambda: real_run("linux-stream", facts.LINUX, None, facts.STREAM),
    "qemu-fill": lambda: real_run("qemu-fill", facts.QEMU, "a1", facts.FILL),
    "linux-fill": lambda: real_run("linux-fill", facts.LINUX, None, facts.FILL),
}


def let_pickle_find(*modules):
    """Sets the module of classes that dataclasses.make_dataclass made, which pickle needs."""
    for module in modules:
        for name, value in vars(module).items():
            if getattr(value, "__module__", None) == "types" and dataclasses.is_dataclass(value):
                value.__module__ = module.__name__
                value.__qualname__ = name


def folder_of_runs(seed):
    return prepare.build_folder() / "fuzz-judge" / str(seed)


def make_run(name, seed):
    """Makes a green run, and stores a fresh one."""
    if name in RUNS:
        return RUNS[name]()
    run, folder = REAL_RUNS[name](), folder_of_runs(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.run").write_bytes(pickle.dumps(run))
    return run


def kept_run(name, seed):
    """The green run of the last edits from this seed."""
    path = folder_of_runs(seed) / f"{name}.run"
    return pickle.loads(path.read_bytes()) if name in REAL_RUNS and path.is_file() else make_run(name, seed)


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
    """Counts edits and verdicts."""

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
    """Caches what the judge makes of blob and files alone, because most edits do not change these."""
    for module in (check_content, check_fill, check_stream):
        module.content_hash = functools.lru_cache(maxsize=64)(module.content_hash)
    check_stream.page_hashes_of = functools.lru_cache(maxsize=64)(check_stream.page_hashes_of)
    check_run.find_block = functools.lru_cache(maxsize=64)(check_run.find_block)
    search = check_run.secrets_in
    known = functools.lru_cache(maxsize=1024)(lambda data, *secrets: search(data, dict(secrets)))
    check_run.secrets_in = lambda data, secrets: known(data, *secrets.items())


def seed_of(text):
    if re.fullmatch("[0-9]{1,20}", text):
        return int(text)
    if text != COMMIT:
        raise argparse.ArgumentTypeError(f"'{text}' is neither a number nor {COMMIT}")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=HERE, check=True, capture_output=True).stdout
    return int(head[:8], 16)


def count_of(text):
    if not re.fullmatch("[1-9][0-9]{0,9}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 1 on")
    return int(text)


def edit_of(text):
    if not re.fullmatch("[0-9]{1,20}:[0-9]{1,20}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not SEED:NUMBER")
    return text


def runs_of(text):
    strange = [name for name in text.split() if name not in {**RUNS, **REAL_RUNS}]
    if strange or not text.split():
        raise argparse.ArgumentTypeError(f"no run '{' '.join(strange)}'; choose from: {' '.join([*RUNS, *REAL_RUNS])}")
    return text.split()


class Parser(argparse.ArgumentParser):
    """A wrong option is one line, and code 2."""

    def error(self, message):
        self.exit(2, f"fuzz_judge.py: {message}; see --help\n")


def options_of(words):
    parser = Parser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seed", type=seed_of, default=1, help=f"a number, or {COMMIT}: the start of the commit's hash")
    parser.add_argument("--edits", type=count_of, default=EDITS, help="number of edits, of all runs together")
    parser.add_argument("--seconds", type=count_of, help="instead of --edits: as many edits as fit into this CPU time")
    parser.add_argument("--fixtures", action="store_true", help="edit no real run; needs no build")
    parser.add_argument("--runs", type=runs_of, help=f"only these: {' '.join([*RUNS, *REAL_RUNS])}")
    parser.add_argument("--only", type=edit_of, help="SEED:NUMBER: show one edit of one run")
    return parser.parse_args(words)


def report(tap, fuzz, runs, edits):
    made = sum(fuzz.made.values())
    print(f"# seed {fuzz.seed}: {made} edits of {' '.join(runs)}")
    for what, counts in (("edits", fuzz.made), ("harmless", fuzz.harmless), ("red checks", fuzz.reds)):
        print(f"# {what}: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    platforms = {run.boot.platform for run in runs.values()}
    unused = [e.name for e in fuzz_harmless.LIST if platforms & set(e.platforms) and not fuzz.harmless[e.name]]
    if unused:
        print(f"# entries of the list that no edit used: {'; '.join(unused)}")
    lines = [f"{name} {number} {kind}: {fault}: {said}\n  {fuzz.command(name, number)}"
             for name, number, kind, fault, said in fuzz.failures[:FAILURES_SHOWN]]
    if len(fuzz.failures) > FAILURES_SHOWN:
        lines.append(f"and {len(fuzz.failures) - FAILURES_SHOWN} more")
    tap.check(made == edits, f"{made} of {edits} edits were made")
    tap.check(not fuzz.failures, "each edit is on the list of harmless ones or red", "\n".join(lines))


def main(words):
    options, tap = options_of(words), Tap()
    let_pickle_find(facts, reader, linux_run, linux_proc)
    keep_hashes()
    wanted = options.runs or [*RUNS, *(() if options.fixtures else REAL_RUNS)]
    if options.only:
        seed, number = options.only.split(":")
        fuzz = Fuzz(int(seed))
        fuzz.once(kept_run(wanted[0], seed), int(number), show=True)
        sys.exit(1 if fuzz.failures else 0)
    runs = {}
    with progress.Meter("fuzz-judge", wanted, "runs", can_fail=False) as meter:
        for name in wanted:
            meter.begin(name)
            runs[name] = make_run(name, options.seed)
            meter.end(name)
    for name, run in list(runs.items()):
        verdict = run.judge()
        tap.check(verdict.word == verdicts.PASS, f"the run {name} is green", verdict.reason)
        if verdict.word != verdicts.PASS:
            del runs[name]
    fuzz, order, begin = Fuzz(options.seed), list(runs.values()), time.process_time()
    edits, total = 0, options.seconds or options.edits
    with progress.Meter(None, {"edit": int(total)}, "s" if options.seconds else "edits") as meter:
        while (used := time.process_time() - begin) < total if options.seconds else edits < total:
            failed = len(fuzz.failures)
            fuzz.once(order[edits % len(order)], edits)
            edits += 1
            done = int(used) if options.seconds else edits
            meter.end("edit", len(fuzz.failures) == failed, done - meter.count)
    report(tap, fuzz, runs, edits)
    tap.done()


if __name__ == "__main__":
    progress.run(main, sys.argv[1:])
