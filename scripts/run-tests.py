#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs test suites and counts their results.

A suite is a program that prints TAP: `1..N` before or after its results, `ok n - name` and
`not ok n - name`, and lines of explanation. A cmocka program prints one plan for each of its groups.
A suite fails without a plan, with other results than planned, with a non-zero exit status, with a
skipped test, and if it leaves a process running.
The last line is `N passed, N failed`.

Everything runs under a supervisor (supervise.py), which handles all signals.
"""
import argparse
import collections
import contextlib
import dataclasses
import os
import re
import secrets
import select
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import progress  # noqa: E402
import supervise  # noqa: E402

RESULT = re.compile(r"(ok|not ok) ([0-9]+)(?:\s+(?:-\s*)?(.*))?")
PLAN = re.compile(r"1\.\.([0-9]+)")
PART = re.compile(rb"^# (\d+) of (\d+) [^\n]*$", re.MULTILINE)  # a suite says how far it is
SKIP = re.compile(r"#\s*(skip|todo)\b", re.IGNORECASE)
TAIL_LINES = 40
READ_BYTES = 65536
GRACE_SECONDS = 5


@dataclasses.dataclass
class SuiteResult:
    name: str
    passed: int
    failures: list  # of lists of lines: what failed, then its explanation
    output: str


class TapReader:
    """Follows the TAP of one suite, group by group."""

    def __init__(self):
        self.passed = 0
        self.failures = []
        self.groups = 0
        self.plan = None
        self.plan_first = False
        self.count = 0

    def fault(self, text):
        self.failures.append([text])

    def close_group(self):
        if self.plan is None:
            if self.count or not self.groups:
                self.fault(f"no plan: {self.count} results, and no line 1..N")
        elif self.plan != self.count:
            self.fault(f"planned {self.plan}, ran {self.count}")
        elif self.plan == 0:
            self.fault("a plan of no tests")
        self.groups += 1
        self.plan, self.plan_first, self.count = None, False, 0

    def take_plan(self, number):
        if self.plan is not None:
            self.close_group()
        self.plan = number
        self.plan_first = self.count == 0

    def take_result(self, word, number, rest):
        # After a plan that came last, another result begins the next group.
        if self.plan is not None and not self.plan_first:
            self.close_group()
        self.count += 1
        name = f"{word} {number} - {rest}"
        if number != self.count:
            self.fault(f"result {number} where {self.count} was due: {name}")
        elif word == "ok" and not SKIP.search(rest):
            self.passed += 1
        else:
            self.fault(name)

    def explain(self, line):
        """Adds a comment line to the failure right before it."""
        if self.failures and line.startswith("#") and self.failures[-1][0].startswith(("not ok", "ok")):
            self.failures[-1].append(line)

    def take(self, line):
        result, plan = RESULT.fullmatch(line), PLAN.fullmatch(line)
        if plan:
            self.take_plan(int(plan.group(1)))
        elif result:
            self.take_result(result.group(1), int(result.group(2)), result.group(3) or "")
        elif re.match(r"(ok|not ok)\b", line):
            self.fault(f"a result that is not TAP: {line}")
        else:
            self.explain(line)


def read_tap(output, returncode):
    """-> (passed, failures) of a suite's output."""
    reader = TapReader()
    for line in output.splitlines():
        reader.take(line.rstrip())
    reader.close_group()
    if returncode < 0:
        reader.fault(f"killed by {signal.Signals(-returncode).name}")
    elif returncode > 0 and not reader.failures:
        reader.fault(f"every test was ok, but the suite ended with {returncode}")
    return reader.passed, reader.failures


def command_of(suite, words):
    if suite.endswith(".py"):
        return [sys.executable, "-B", suite, *words]
    return [suite if os.path.sep in suite else os.path.join(".", suite), *words]


class Suite:
    """A running suite, from its start to its result."""

    def __init__(self, name, options):
        self.name, self.timeout, self.words = name, options.timeout, options.words.split()
        self.output = bytearray()
        self.process = self.ended = self.deadline = self.result = None

    def start(self, environment):
        try:
            self.process = subprocess.Popen(command_of(self.name, self.words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT, env=environment, bufsize=0,
                                            start_new_session=True, preexec_fn=supervise.tied())
        except OSError as error:
            self.result = SuiteResult(self.name, 0, [[f"cannot be run: {error.strerror}"]], "")
            return
        os.set_blocking(self.process.stdout.fileno(), False)
        self.ended = os.pidfd_open(self.process.pid)
        self.deadline = time.monotonic() + self.timeout

    def read(self):
        """Reads the pipe's content, but does not wait for its end: a process that outlives the suite keeps it open."""
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.process.stdout.fileno(), READ_BYTES):
                self.output += chunk

    def tell_part(self, meter):
        """Tells the meter how far the suite says it is."""
        said = PART.findall(self.output, max(0, len(self.output) - READ_BYTES))
        if said:
            meter.part(self.name, *map(int, said[-1]))

    def has_ended(self):
        return bool(select.select([self.ended], [], [], 0)[0])

    def is_late(self):
        return time.monotonic() >= self.deadline

    def finish(self, others):
        """Ends the processes of a suite that has exited or is late. others: pids of the suites that continue."""
        if self.has_ended():
            self.read()
            passed, failures = read_tap(self.text(), self.process.wait())
            strays = supervise.end_strays(others)
            if strays:
                failures.append([f"left running: {' '.join(sorted(set(strays.values())))}"])
        else:
            supervise.end_strays(others, GRACE_SECONDS)
            self.read()
            passed, failures = 0, [[f"still running after {self.timeout:g} s"]]
        self.process.stdout.close()
        os.close(self.ended)
        self.result = SuiteResult(self.name, passed, failures, self.text())

    def text(self):
        return self.output.decode("utf-8", "replace")


def wait_for_news(running, meter):
    """Reads the suites' output until one of them exits or is late."""
    poller, readers = select.poll(), {}
    for suite in running:
        readers[suite.process.stdout.fileno()] = suite
        poller.register(suite.process.stdout, select.POLLIN)
        poller.register(suite.ended, select.POLLIN)
    while not any(suite.has_ended() or suite.is_late() for suite in running):
        left = min(suite.deadline for suite in running) - time.monotonic()
        for descriptor, events in poller.poll(max(0, left) * 1000 + 1):
            if descriptor in readers:
                readers[descriptor].read()
                readers[descriptor].tell_part(meter)
                if not events & select.POLLIN:  # no process has the other end open
                    poller.unregister(descriptor)


def run_all(options, environment, meter):
    """Results in the order asked."""
    suites, jobs = [Suite(name, options) for name in options.suites], max(1, options.j)
    waiting, running = collections.deque(suites), []
    for suite in suites:
        while suite.result is None:
            while waiting and len(running) < jobs:
                started = waiting.popleft()
                started.start(environment)
                meter.begin(started.name)
                running += [] if started.result else [started]
            if suite.result is None:
                wait_for_news(running, meter)
            for over in [one for one in running if one.has_ended() or one.is_late()]:
                running.remove(over)
                over.finish({other.process.pid for other in running})
                meter.end(over.name, not over.result.failures)
        yield suite.result


def make_room(parent):
    """A folder that is removed when the program ends, even by a signal."""
    room = supervise.unfinished(os.path.join(os.path.abspath(parent), f"tests-{secrets.token_hex(8)}"))
    os.makedirs(room)
    return room


def show(result, verbose, meter):
    told = result.output.splitlines() if verbose else []
    for lines in result.failures:
        told += [f"{result.name}: {lines[0]}"] + [f"    {line}" for line in lines[1:]]
    explained = all(lines[0].startswith("not ok") for lines in result.failures)
    if result.failures and not explained and not verbose:
        told += [f"    | {line}" for line in result.output.splitlines()[-TAIL_LINES:]]
    told.append(f"suite {result.name}: {result.passed} passed, {len(result.failures)} failed")
    (meter.say if len(told) > 1 else meter.note)("\n".join(told))


def main(words):
    parser = argparse.ArgumentParser(description="Runs TAP suites; the last line is `N passed, N failed`.")
    parser.add_argument("-j", type=int, default=1, metavar="N", help="suites at once")
    parser.add_argument("-v", action="store_true", help="show everything that the suites print")
    parser.add_argument("--timeout", type=float, default=900.0, metavar="SECONDS", help="of one suite")
    parser.add_argument("--words", default="", help="given to each suite")
    parser.add_argument("--name", default="test", help="under which their durations are kept")
    parser.add_argument("suites", nargs="*", metavar="SUITE")
    options = parser.parse_args(words)
    passed = failed = 0
    supervise.enter()
    supervise.adopt_orphans()
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", PYTHONDONTWRITEBYTECODE="1",
                       TMPDIR=make_room(tempfile.gettempdir()),
                       TEST_ROOM=make_room(os.environ.get("BUILD") or tempfile.gettempdir()))
    with progress.Meter(options.name, options.suites, "suites", options.j) as meter:
        for result in run_all(options, environment, meter):
            show(result, options.v, meter)
            passed += result.passed
            failed += len(result.failures)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    with progress.quiet_pipe():
        sys.exit(main(sys.argv[1:]))
