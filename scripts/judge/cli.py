# SPDX-License-Identifier: Apache-2.0
"""The harness from the first option to the exit code."""
import argparse
import os
import secrets
import sys
import traceback

from judge import audit
from judge import context
from judge import exit_codes
from judge import facts
from judge import foreign
from judge import manifest as manifests
from judge import prepare
from judge import qemu
from judge import report
from judge import target as targets
from judge import verdict as verdicts
from judge.prepare import ConfigError
from judge.report import say

LOG_CAP_BYTES = 4 * 1024 * 1024
NONCE_BYTES = 16


class Parser(argparse.ArgumentParser):
    """Wrong options are a CONFIG verdict like any other."""

    def error(self, message):
        raise ConfigError(f"{message}; see --help")


def common_parser(prog, does, manifest, wall, log_cap):
    """The options that both harnesses have, with their defaults."""
    parser = Parser(prog=prog, description=f"{does} and judges the run. Exit: 0 PASS, 1 FAIL, 2 CONFIG, "
                    "3 HARNESS-BUG.", allow_abbrev=False)
    parser.add_argument("--payload", metavar="SPEC", default=None, help="a file, or gen:<seed>:<len>; default LICENSE")
    parser.add_argument("--manifest", metavar="NAME", default=manifest, help="what the run must show")
    parser.add_argument("--mutant", metavar="NAME", default=None, help="build a payload with a fault, on purpose")
    parser.add_argument("--wrong-digest", action="store_true", help="let the producer expect a wrong digest")
    parser.add_argument("--verbose", action="store_true", help="show all that was printed")
    parser.add_argument("--wall", metavar="SECONDS", type=float, default=wall, help="timeout of one run")
    parser.add_argument("--log-cap", metavar="BYTES", type=int, default=log_cap, help="cap of what is printed")
    parser.add_argument("--out", metavar="DIR", default=None, help="folder of the run (default: a fresh one)")
    return parser


def check_common(options, platform):
    if options.wall <= 0 or options.log_cap is not None and options.log_cap <= 0:
        raise ConfigError("--wall and --log-cap are more than 0")
    known = manifests.names_for(platform)
    if options.manifest not in known:
        raise ConfigError(f"no manifest '{options.manifest}'; there are: {' '.join(known)}")
    return options


def parse_options(words):
    parser = common_parser("qemu-test.sh", "Boots the proof under QEMU", "proof", 120.0, None)
    parser.add_argument("--abi", choices=("a1", "a2", "all"), default=None,
                        help="age of the kernel; default a2, on a foreign kernel what it says")
    parser.add_argument("--mem", default="320M", help="memory of the guest")
    parser.add_argument("--kernel", metavar="FILE", default=None, help="the kernel to boot")
    parser.add_argument("--run", metavar="DIR", default=None, help="what make proof-elf prepared and is built into it")
    parser.add_argument("--append", metavar="ARGS", default="", help="more boot arguments")
    parser.add_argument("--qemu-extra", metavar="WORDS", default=prepare.setting("QEMU_EXTRA", ""),
                        help="more words for QEMU, the last ones")
    parser.add_argument("--linger", metavar="SECONDS", type=float, default=foreign.LINGER_SECONDS,
                        help="how long a kernel without an end is watched after the last marker")
    options = check_common(parser.parse_args(words), manifests.QEMU)
    options.qemu_extra = prepare.split_words("--qemu-extra", options.qemu_extra)
    if options.linger < 0:
        raise ConfigError("--linger is not less than 0")
    return options


def boot_arguments(options, age, nonce, blob_len):
    words = [f"abi={age}", f"nonce={nonce}"]
    if "watchdog_ms=" not in options.append:
        words.append(f"watchdog_ms={1000 + 2 * (100 + (blob_len + 999) // 1000)}")
    return " ".join(words + options.append.split())


class Harness:
    """One call of the harness: the ELF files of one challenge, booted once for each age."""

    def __init__(self, options):
        self.options = options
        self.target = targets.choose(options.kernel, options.run)
        self.check_target()
        if options.log_cap is None:
            options.log_cap = foreign.LOG_CAP_BYTES if self.target.is_foreign() else LOG_CAP_BYTES
        self.qemu_words, self.host_ref = prepare.need_tools(self.target.kernel)
        exit_codes.load()
        tolerant = self.target.is_foreign() and options.manifest == "proof"
        self.manifest_name = manifests.FOREIGN if tolerant else options.manifest
        self.manifest = manifests.load(self.manifest_name)
        self.spec = os.path.relpath(prepare.ROOT / "LICENSE") if options.payload is None else options.payload
        self.run = prepare.run_folder(options.out)
        self.elfs = self.target.prepared or self.run
        self.host = None

    def check_target(self):
        options = self.options
        if self.target.is_foreign() and options.abi == "all":
            raise ConfigError("this kernel has one age: --abi all is for the kernel of this tree")
        given = {"--payload": options.payload, "--mutant": options.mutant, "--wrong-digest": options.wrong_digest}
        for name in (name for name, value in given.items() if value and self.target.prepared):
            raise ConfigError(f"{name} has its place at make proof-elf: the kernel's init is built in")

    def ages(self):
        if self.options.abi == "all":
            return "a1", "a2"
        return (self.options.abi or (foreign.ANY_AGE if self.target.is_foreign() else "a2"),)

    def prepare(self):
        if self.target.prepared:
            self.host = facts.load_host_facts(self.elfs / targets.CHALLENGE, None)
            self.host.drawn = "the challenge of its preparation"
            return
        challenge = self.run / targets.CHALLENGE
        self.host = prepare.make_input(self.host_ref, self.spec, challenge, self.options.wrong_digest)
        prepare.make_elfs(self.run, self.options.mutant)

    def files(self, folder):
        """What is booted: name -> (original, private copy)."""
        return {"kernel": (self.target.kernel, folder / "kernel.elf"),
                "init": (self.elfs / targets.PRODUCER, folder / "init.elf"),
                "consumer": (self.elfs / targets.CONSUMER, folder / targets.CONSUMER)}

    def command(self, age, nonce, files):
        """QEMU's arguments: a kernel with its init built in gets none of ours."""
        initrd, append = None, None
        if not self.target.prepared:
            initrd = files["init"][1]
            append = boot_arguments(self.options, "a2" if age == foreign.ANY_AGE else age, nonce, len(self.host.blob))
        return qemu.command(self.qemu_words, self.options.mem, files["kernel"][1], initrd, append,
                            self.options.qemu_extra)

    def boot(self, age):
        """-> (Boot, QEMU's arguments)."""
        folder = self.run / age
        folder.mkdir()
        is_foreign = self.target.is_foreign()
        nonce = audit.NO_NONCE if self.target.prepared else secrets.token_hex(NONCE_BYTES)
        files = self.files(folder)
        before = {name: prepare.private_copy(*paths) for name, paths in files.items()}
        argv = self.command(age, nonce, files)
        until = foreign.Watch(self.manifest) if is_foreign else None
        ran = prepare.run_qemu(argv, folder, self.options, until=until, linger_seconds=self.options.linger)
        images = {name: facts.Image(before[name][0], before[name][1], prepare.sha256_file(paths[1]))
                  for name, paths in files.items()}
        common = dict(age=age, nonce=nonce, log=ran.log, exit_code=ran.exit_code, stopped=ran.stopped,
                      log_cap=self.options.log_cap, seconds=ran.seconds, images=images,
                      init_elf=files["init"][1].read_bytes(), consumer_elf=files["consumer"][1].read_bytes())
        if not is_foreign:
            return facts.Boot(**common), argv
        boot = foreign.ForeignBoot(**common, kernel_image=files["kernel"][1].read_bytes(),
                                   built_in=bool(self.target.prepared), must_audit=self.target.audits,
                                   linger=self.options.linger)
        return foreign.read(boot, self.manifest, self.host), argv

    def judge(self, age):
        boot, argv = self.boot(age)
        checks = verdicts.FOREIGN_CHECKS if self.target.is_foreign() else verdicts.CHECKS
        verdict = verdicts.judge(self.manifest, boot, self.host, checks)
        record = report.boot_record(verdict, boot, self.manifest_name, argv, self.host.spec)
        report.write_json(self.run / age / "report.json", record)
        lines, tail = context.lines_of(boot)
        markers = [*self.manifest.get("markers", []), self.manifest.get("last_marker")]
        report.show_log(lines + ([tail] if tail else []), markers, self.options.verbose)
        report.show_checks(verdict)
        if verdict.word != verdicts.PASS:
            report.show_last_seen(lines + [tail])
        return boot, verdict


def same_elfs(boots):
    """Both ages booted the same two ELF files, byte for byte."""
    hashes = {name: {boot.images[name].before for boot in boots} for name in ("init", "consumer")}
    text = " ".join(f"{name}={' '.join(sorted(found))}" for name, found in hashes.items())
    same = all(len(found) == 1 for found in hashes.values())
    say(f"check same-elfs ... {'ok' if same else 'RED'}  {text}")
    return same


def worst(words):
    return max(words, key=lambda word: verdicts.EXIT_CODES[word])


def run_ages(harness, ages):
    """-> (verdict word, reason)."""
    boots, found = [], {}
    for age in ages:
        where = prepare.shown(harness.run / age)
        say(f"boot {age}: {harness.host.spec}, {len(harness.host.payload)} bytes, run {where}")
        boot, found[age] = harness.judge(age)
        boots.append(boot)
        if len(ages) > 1:
            say(f"age {age}: {found[age].word} {found[age].reason}")
    if len(ages) == 1:
        return found[ages[0]].word, found[ages[0]].reason
    word = worst([verdict.word for verdict in found.values()])
    reason = "; ".join(f"{age} {verdict.word}: {verdict.reason}" for age, verdict in found.items())
    if not same_elfs(boots):
        return worst([word, verdicts.FAIL]), f"same-elfs: the ages booted different files; {reason}"
    return word, reason


def judge_ages(harness):
    return run_ages(harness, harness.ages())


def run(words, make_harness, judge_all):
    """-> (verdict word, reason, run folder or None, traceback or None)."""
    folder = None
    try:
        harness = make_harness(words)
        folder = harness.run
        harness.prepare()
        return judge_all(harness) + (folder, None)
    except ConfigError as error:
        return verdicts.CONFIG, str(error), folder, None
    except manifests.ManifestError as error:
        return verdicts.HARNESS_BUG, f"manifest: {error}", folder, None
    except Exception as error:  # pylint: disable=broad-except
        return verdicts.HARNESS_BUG, f"{type(error).__name__}: {error}", folder, traceback.format_exc()


def main(words, make_harness=lambda words: Harness(parse_options(words)), judge_all=judge_ages):
    word, reason, folder, trace = run(words, make_harness, judge_all)
    if folder is not None:
        report.write_json(folder / "report.json", {"verdict": word, "reason": reason, "traceback": trace})
    say(f"verdict: {word} {reason}")
    return verdicts.EXIT_CODES[word]
