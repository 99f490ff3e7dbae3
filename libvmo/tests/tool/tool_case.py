# SPDX-License-Identifier: Apache-2.0
"""What the suites of vmo(1) share: the program under ASan, how to run it, and how to wait for a condition."""
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TREE = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(TREE / "tests")]
import terminal  # noqa: E402
from tap import Tap, room  # noqa: E402
from terminal import LIMIT_SECONDS, until  # noqa: E402,F401

BUILD = TREE / os.environ.get("BUILD", "build")
SANITIZED, PLAIN = BUILD / "san/libvmo/tool/vmo", BUILD / "host/libvmo/tool/vmo"
VMO = str(SANITIZED if SANITIZED.exists() else PLAIN)
FORGE = str(BUILD / "san/libvmo/tests/tool/forge")
# A failed hand-over must not take the suite's whole time.
PATIENT = ["--timeout", str(LIMIT_SECONDS)]


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


class Case:
    """A folder for the files of a suite, which is also the programs' working folder."""

    def __init__(self, tap, folder):
        self.tap, self.check, self.room = tap, tap.check, Path(folder)

    def path(self, name):
        return self.room / name

    def write(self, name, data):
        self.path(name).write_bytes(data)
        return name

    def start(self, *words, shell=False, **more):
        """Starts `vmo WORDS`, or with `shell` a command in which $V is the program."""
        for stream in ("stdin", "stdout", "stderr"):
            more.setdefault(stream, subprocess.DEVNULL if stream == "stdin" else subprocess.PIPE)
        environment = dict(os.environ, V=VMO, LC_ALL="C", **more.pop("env", {}))
        command = words[0] if shell else [VMO, *map(str, words)]
        return subprocess.Popen(command, shell=shell, cwd=self.room, env=environment, **more)

    def end(self, process, data=None):
        """Waits for the end -> (exit status, standard output, standard error)."""
        out, err = process.communicate(data, timeout=LIMIT_SECONDS)
        return process.returncode, out, err.decode(errors="replace") if err is not None else ""

    def vmo(self, *words, data=None, **more):
        if data is not None:
            more["stdin"] = subprocess.PIPE
        return self.end(self.start(*words, **more), data)

    def shell(self, line, **more):
        return self.end(self.start(line, shell=True, **more))

    def refused(self, name, done, code, says):
        """One line `vmo: what: why`, this exit status, and no output."""
        status, out, err = done
        good = status == code and not out and re.fullmatch(r"vmo: [^\n]+: [^\n]+\n", err) and says in err
        self.check(good, f"{name}: exit {code}, one line", f"{status} {out!r} {err!r}")


def run_suite(*parts):
    """Each part is a function of a Case."""
    tap = Tap()
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tool-", dir=room()) as folder:
        for part in parts:
            part(Case(tap, folder))
    tap.done()
