# SPDX-License-Identifier: Apache-2.0
"""The harness of the Linux proof from the first option to the exit code (scripts/host-test.sh)."""
import os
import sys

from judge import cli
from judge import facts
from judge import host_child
from judge import host_model
from judge import host_run
from judge import manifest as manifests
from judge import prepare
from judge import proof
from judge import report
from judge import supervise
from judge import verdict as verdicts
from judge.prepare import ConfigError
from judge.report import say

PROGRAMS = {proof.PRODUCER_PID: "producer", proof.CONSUMER_PID: "consumer"}
LOG_CAP_BYTES = 1024 * 1024


def parse_options(words):
    parser = cli.common_parser("host-test.sh", "Runs the proof as two Linux processes", "host", 30.0, LOG_CAP_BYTES)
    return cli.check_common(parser.parse_args(words), manifests.LINUX)


class HostHarness:
    """One call of the harness: two programs around one challenge, run once."""

    def __init__(self, words):
        self.options = parse_options(words)
        self.host_ref = prepare.need_host_ref()
        self.manifest = manifests.load(self.options.manifest)
        self.spec = os.path.relpath(prepare.ROOT / "LICENSE") if self.options.payload is None else self.options.payload
        self.run = prepare.run_folder(self.options.out)
        self.host = None

    def prepare(self):
        self.host = prepare.make_input(self.host_ref, self.spec, self.run / "challenge", self.options.wrong_digest)
        prepare.make_programs(self.run, self.options.mutant, "host-elf", tuple(PROGRAMS.values()))

    def boot(self):
        folder = self.run / "linux"
        folder.mkdir()
        paths = {role: (self.run / role, folder / role) for role in PROGRAMS.values()}
        before = {role: prepare.private_copy(*pair) for role, pair in paths.items()}
        for _, copy in paths.values():
            copy.chmod(0o700)
        programs = {number: (role, [str(paths[role][1])]) for number, role in PROGRAMS.items()}
        return observe(programs, paths, before, self.options.wall, self.options.log_cap)

    def judge(self):
        boot = self.boot()
        folder = self.run / "linux"
        supervise.write_whole(folder / "output.log", b"".join(line + b"\n" for line in boot.observed.said()))
        for number, said in boot.observed.errors.items():
            supervise.write_whole(folder / f"{PROGRAMS[number]}.stderr", said)
        verdict = verdicts.judge(self.manifest, boot, self.host, verdicts.HOST_CHECKS)
        record = report.host_record(verdict, boot, self.options.manifest, self.host.spec)
        report.write_json(folder / "report.json", record)
        lines = [line.decode("latin-1") for line in boot.observed.said()]
        markers = [*self.manifest.get("markers", []), self.manifest.get("last_marker")]
        report.show_log(lines, markers, self.options.verbose)
        report.show_checks(verdict)
        if verdict.word != verdicts.PASS:
            report.show_last_seen(lines)
        return verdict


def observe(programs, paths, before, wall, log_cap):
    """Runs both programs. -> facts.HostBoot"""
    observed = host_run.HostRun(wall, log_cap)
    try:
        observed.run(programs)
    except host_child.CannotStart as error:
        raise ConfigError(str(error)) from error
    images = {role: facts.Image(before[role][0], before[role][1], prepare.sha256_file(pair[1]))
              for role, pair in paths.items()}
    # Two pipes have no order between them; `barriers` judges what had to be said when. The producer has the last word.
    log = b"".join(line + b"\n" for number in (proof.CONSUMER_PID, proof.PRODUCER_PID)
                   for line in observed.said(number))
    return facts.HostBoot(
        age="linux", nonce="", log=log, exit_code=None, stopped=observed.stopped, log_cap=log_cap,
        seconds=observed.seconds, images=images, init_elf=paths["producer"][1].read_bytes(),
        consumer_elf=paths["consumer"][1].read_bytes(), audit=host_model.audit_of(observed), observed=observed)


def judge_once(harness):
    """-> (verdict word, reason)."""
    where = prepare.shown(harness.run / "linux")
    say(f"run linux: {harness.host.spec}, {len(harness.host.payload)} bytes, run {where}")
    verdict = harness.judge()
    return verdict.word, verdict.reason


if __name__ == "__main__":
    sys.exit(cli.main(sys.argv[1:], HostHarness, judge_once))
