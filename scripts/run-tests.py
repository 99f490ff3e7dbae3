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
import supervise  # noqa: E402

RESULT = re.compile(r"(ok|not ok) ([0-9]+)(?:\s+(?:-\s*)?(.*))?")
PLAN = re.compile(r"1\.\.([0-9]+)")
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


def command_of(suite):
    if suite.endswith(".py"):
        return [sys.executable, "-B", suite]
    return [suite if os.path.sep in suite else os.path.join(".", suite)]


class Suite:
    """A running suite, from its start to its result."""

    def __init__(self, name, timeout):
        self.name, self.timeout = name, timeout
        self.output = bytearray()
        self.process = self.ended = self.deadline = self.result = None

    def start(self, environment):
        try:
            self.process = subprocess.Popen(command_of(self.name), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
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


def wait_for_news(running):
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
                if not events & select.POLLIN:  # no process has the other end open
                    poller.unregister(descriptor)


def run_all(names, jobs, timeout, environment):
    """Results in the order asked."""
    suites = [Suite(name, timeout) for name in names]
    waiting, running = collections.deque(suites), []
    for suite in suites:
        while suite.result is None:
            while waiting and len(running) < jobs:
                started = waiting.popleft()
                started.start(environment)
                running += [] if started.result else [started]
            if suite.result is None:
                wait_for_news(running)
            for over in [one for one in running if one.has_ended() or one.is_late()]:
                running.remove(over)
                over.finish({other.process.pid for other in running})
        yield suite.result


def make_room(parent):
    """A folder that is removed when the program ends, even by a signal."""
    room = supervise.unfinished(os.path.join(os.path.abspath(parent), f"tests-{secrets.token_hex(8)}"))
    os.makedirs(room)
    return room


def show(result, verbose):
    if verbose:
        print(result.output, end="" if result.output.endswith("\n") else "\n")
    for lines in result.failures:
        print("\n".join([f"{result.name}: {lines[0]}"] + [f"    {line}" for line in lines[1:]]))
    explained = all(lines[0].startswith("not ok") for lines in result.failures)
    if result.failures and not explained and not verbose:
        print("\n".join(f"    | {line}" for line in result.output.splitlines()[-TAIL_LINES:]))
    print(f"suite {result.name}: {result.passed} passed, {len(result.failures)} failed", flush=True)


def main(words):
    parser = argparse.ArgumentParser(description="Runs TAP suites; the last line is `N passed, N failed`.")
    parser.add_argument("-j", type=int, default=1, metavar="N", help="suites at once")
    parser.add_argument("-v", action="store_true", help="show everything that the suites print")
    parser.add_argument("--timeout", type=float, default=900.0, metavar="SECONDS", help="of one suite")
    parser.add_argument("suites", nargs="*", metavar="SUITE")
    options = parser.parse_args(words)
    passed = failed = 0
    supervise.enter()
    supervise.adopt_orphans()
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", PYTHONDONTWRITEBYTECODE="1",
                       TMPDIR=make_room(tempfile.gettempdir()),
                       TEST_ROOM=make_room(os.environ.get("BUILD") or tempfile.gettempdir()))
    for result in run_all(options.suites, max(1, options.j), options.timeout, environment):
        show(result, options.v)
        passed += result.passed
        failed += len(result.failures)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
