# SPDX-License-Identifier: Apache-2.0
"""Shows how far long work is: on a terminal one line, written over; elsewhere nothing.

The line is on standard error and has no escape sequence, only carriage returns. A timer draws it
each second. The remaining time comes from the durations of the last run, kept in $(BUILD)/durations,
else from the rate.
"""
import collections
import contextlib
import math
import os
import re
import select
import shutil
import signal
import stat
import sys
import time

import supervise
from paths import ROOT

TICK_SECONDS = 1
TRUST_SECONDS = 10  # so long the last run says more about the rate than this one, and
TRUST_PART = 0.05  # at most this part of the whole
FIRST_SECONDS = 3  # before it the rate says nothing
SHOWN_MINIMUM = 20  # columns, for a terminal that says less
DRAWABLE = re.compile(r"[^ -~]")


def is_shown():
    """Whether the line can be rewritten. What a pipe carries from standard output to the same
    terminal would come out of step with it."""
    try:
        pipe = stat.S_ISFIFO(os.fstat(1).st_mode)
    except OSError:
        return False
    return os.isatty(2) and not pipe and (os.environ.get("TERM") or "dumb") != "dumb"


def about(seconds):
    """A duration, no more exact than an estimate is."""
    minutes = math.ceil(seconds / 60)
    if seconds < 45:
        return "less than a minute"
    if minutes > 10:
        minutes = 5 * round(minutes / 5)
    return f"about {minutes} min" if minutes < 90 else f"about {round(minutes / 30) / 2:g} h"


def clock(seconds):
    """A duration that was measured: minutes and seconds, or hours, minutes and seconds."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class Durations:
    """Seconds of each kind of step in the last run of the same name."""

    def __init__(self, name):
        self.build = ROOT / (os.environ.get("BUILD") or "build")
        self.path, self.of = self.build / "durations" / name, {}
        with contextlib.suppress(OSError, ValueError):  # none or a damaged file: the rate must do
            for line in self.path.read_text(encoding="utf-8").splitlines():
                seconds, _, key = line.partition("\t")
                self.of[key] = max(0.0, float(seconds))

    def keep(self, new):
        self.of.update(new)
        text = "".join(f"{seconds:.3f}\t{key}\n" for key, seconds in sorted(self.of.items()))
        with contextlib.suppress(OSError):  # the next run's estimate is then less good
            if self.build.is_dir():
                self.path.parent.mkdir(exist_ok=True)
                supervise.write_whole(self.path, text.encode())


class Work:
    """Steps of several kinds, what of them is done, and how long the rest may take."""

    def __init__(self, steps, known, at_once=1):
        """steps: {kind or name of a step: how many}. known: {the same: seconds of one}"""
        known = {key: known[key] for key in steps if key in known}
        typical = sum(known.values()) / len(known) if known else 1.0
        self.seconds_of = {key: known.get(key, typical) for key in steps}
        self.all = sum(self.seconds_of[key] * count for key, count in steps.items())
        self.trust = min(TRUST_SECONDS, TRUST_PART * self.all) if known else 0.0
        self.at_once = at_once
        self.done = 0.0

    def left(self, elapsed, parts):
        """-> seconds, or None. parts: (key, seconds since its start, part done or None) of what
        runs now."""
        done = self.done
        for key, seconds, part in parts:
            whole = self.seconds_of.get(key, 0.0)
            done += whole * part if part is not None else min(seconds, whole) if self.trust else 0
        if done + self.trust <= 0 or (not self.trust and elapsed < FIRST_SECONDS):
            return None
        rate = (elapsed + self.trust / self.at_once) / (done + self.trust)
        return max(0.0, self.all - done) * rate


class Meter:
    """The line. `with Meter(..) as meter`: the end removes it and keeps the durations."""

    def __init__(self, name, steps, unit, at_once=1, can_fail=True):
        """name: of the durations' file, or None to keep none. steps: see Work; or a list of names. unit: of what is
        counted."""
        self.steps, self.unit = collections.Counter(steps), unit
        self.durations = Durations(name) if name else None
        self.work = Work(self.steps, self.durations.of if name else {}, at_once)
        self.count, self.failed, self.can_fail = 0, 0, can_fail
        self.running, self.took = {}, collections.defaultdict(list)
        self.start, self.width, self.shown, self.held = time.monotonic(), 0, is_shown(), False

    def __enter__(self):
        if self.shown:
            signal.signal(signal.SIGALRM, lambda *_: self.draw())
            signal.setitimer(signal.ITIMER_REAL, TICK_SECONDS, TICK_SECONDS)
            self.draw()
        return self

    def __exit__(self, *error):
        if self.shown:
            signal.setitimer(signal.ITIMER_REAL, 0)
        self.hide()
        self.shown = False
        if self.durations:
            self.durations.keep({key: sum(took) / len(took) for key, took in self.took.items()})

    # ---- What happens ------------------------------------------------------------------------
    def begin(self, key, name=None):
        """A step begins. name: what to show; the key is one of `steps`."""
        self.running[name or key] = [key, time.monotonic(), None]

    def part(self, name, done, total):
        """This much of a running step is done."""
        if name in self.running and total > 0:
            self.running[name][2] = min(1.0, done / total)

    def end(self, name, good=True, count=1):
        """A step has ended; count: or this many, which did not begin."""
        key, begin, *_ = self.running.pop(name, (name, None))
        if begin is not None:
            self.took[key].append(time.monotonic() - begin)
        self.count += count
        self.failed += 0 if good else 1
        self.work.done += count * self.work.seconds_of.get(key, 0.0)

    # ---- What is shown -----------------------------------------------------------------------
    def say(self, text):
        """Prints a line in any case, as plain text."""
        self.held = True
        self.hide()
        print(text, flush=True)
        self.held = False
        self.draw()

    def note(self, text):
        """Prints a line that the terminal's line makes superfluous."""
        if not self.shown:
            self.say(text)

    def line(self):
        now = time.monotonic()
        words = [f"{self.count:,}/{sum(self.steps.values()):,} {self.unit}"]
        words += [f"{self.failed} failed"] if self.can_fail else []
        words.append(clock(now - self.start))
        running = [(name, *values) for name, values in list(self.running.items())]
        parts = [(key, now - begin, part) for _, key, begin, part in running]
        left = self.work.left(now - self.start, parts)
        words += [f"{about(left)} left"] if left is not None else []
        names = [name if part is None else f"{name} ({part:.0%})" for name, _, _, part in running]
        return ", ".join(words) + (f": {', '.join(names)}" if names else "")

    def draw(self):
        if not self.shown or self.held:
            return
        columns = max(SHOWN_MINIMUM, shutil.get_terminal_size().columns)
        with contextlib.suppress(OSError):
            columns = os.get_terminal_size(2).columns or columns
        text = DRAWABLE.sub("?", self.line())[:columns - 1]
        self.put("\r" + text.ljust(min(self.width, columns - 1)))
        self.width = len(text)

    def hide(self):
        if self.shown and self.width:
            self.put("\r" + " " * self.width + "\r")
            self.width = 0

    def put(self, text):
        """At once, past the buffers of Python, which a signal handler must not enter."""
        try:
            os.write(2, text.encode("ascii"))
        except OSError:  # the terminal is gone; the work goes on
            self.shown = False


@contextlib.contextmanager
def quiet_pipe():
    """Ends a program without a word when nobody reads its output any more."""
    try:
        yield
    except BrokenPipeError:
        poller = select.poll()
        poller.register(1, 0)
        if not any(events & select.POLLERR for _, events in poller.poll(0)):
            raise  # another pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python writes its buffer at the end
        sys.exit(supervise.SIGNAL_EXIT_BASE + signal.SIGPIPE)


def run(main, *words):
    """Runs a whole program under a supervisor, which ends all processes that a signal leaves."""
    supervise.enter()
    with quiet_pipe():
        sys.exit(main(*words))
