#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs test suites and counts their results.

A suite is a program that prints TAP: `1..N` before or after its results, `ok n - name` and
`not ok n - name`, and lines of explanation. A cmocka program prints one plan for each of its groups.
Nothing is taken on trust: a suite without a plan, with other results than planned, with a
non-zero end, or with a skipped test has failed. The last line is `N passed, N failed`.
"""
import argparse
import concurrent.futures
import dataclasses
import os
import re
import signal
import subprocess
import sys
import threading

RESULT = re.compile(r"(ok|not ok) ([0-9]+)(?:\s+(?:-\s*)?(.*))?")
PLAN = re.compile(r"1\.\.([0-9]+)")
SKIP = re.compile(r"#\s*(skip|todo)\b", re.IGNORECASE)
TAIL_LINES = 40
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
        # After a plan that came last, a further result opens the next group.
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
        """A line that is no result explains the failure before it, if there was one just now."""
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
        reader.fault(f"every test was ok, yet it ended with {returncode}")
    return reader.passed, reader.failures


def command_of(suite):
    if suite.endswith(".py"):
        return [sys.executable, "-B", suite]
    return [suite if os.path.sep in suite else os.path.join(".", suite)]


def end_group(process):
    """Ends a suite and what it started: first by SIGTERM, so that a harness can end its QEMU."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=GRACE_SECONDS)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def run_suite(suite, timeout, live, stopping):
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", PYTHONDONTWRITEBYTECODE="1")
    try:
        process = subprocess.Popen(command_of(suite), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, env=environment, start_new_session=True)
    except OSError as error:
        return SuiteResult(suite, 0, [[f"cannot be run: {error.strerror}"]], "")
    live.append(process)
    if stopping.is_set():  # whoever stops all may have looked before this one stood in the list
        end_group(process)
    with process:
        try:
            output = process.communicate(timeout=timeout)[0].decode("utf-8", "replace")
            passed, failures = read_tap(output, process.returncode)
        except subprocess.TimeoutExpired:
            end_group(process)
            output = process.communicate()[0].decode("utf-8", "replace")
            passed, failures = 0, [[f"still running after {timeout:g} s"]]
    live.remove(process)
    return SuiteResult(suite, passed, failures, output)


def run_all(suites, jobs, timeout):
    """Results in the order asked. Interrupted, it leaves no suite running."""
    live, stopping = [], threading.Event()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(run_suite, suite, timeout, live, stopping) for suite in suites]
        try:
            for future in waiting:
                yield future.result()
        except BaseException:
            stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(live):
                end_group(process)
            raise


def interrupt(number, _frame):
    raise SystemExit(128 + number)


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
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    for result in run_all(options.suites, max(1, options.j), options.timeout):
        show(result, options.v)
        passed += result.passed
        failed += len(result.failures)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
