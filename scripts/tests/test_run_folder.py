#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The folders of runs: only the newest stay, and none that a run uses is removed. Prints TAP."""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]

from harness import run_folder  # noqa: E402
from paths import ConfigError  # noqa: E402
from tap import Tap, room  # noqa: E402

AT_ONCE, EACH = 6, 40
# A process that makes EACH folders, one after the other, keeping the lock of the last: does each outlive the others' runs?
RACER = """
import os, pathlib, sys
sys.path.insert(0, {scripts!r})
from harness import run_folder
run_folder.KEPT = 1
said = []
for number in range({each}):
    folder = run_folder.make(pathlib.Path({parent!r}), said.append)
    (folder / "file").write_text("mine")
    run_folder.old_folders(folder.parent)
    assert (folder / "file").read_text() == "mine", folder
    os.close(run_folder.held.pop())
assert not said, said
"""


def let_go():
    while run_folder.held:
        os.close(run_folder.held.pop())


def names(parent):
    return {path.name for path in parent.iterdir()}


def made(parent, count, first=0):
    """Old folders, each newer than the one before."""
    folders = [parent / f"run-{number:03}" for number in range(first, first + count)]
    for number, folder in enumerate(folders):
        folder.mkdir()
        (folder / "report.json").write_text("{}", encoding="ascii")
        os.utime(folder, (1000 + first + number, 1000 + first + number))
    return folders


def check_newest(tap, parent):
    made(parent, 30)
    (parent / "run-link").symlink_to(parent / "run-000")
    (parent / "mine").mkdir()
    (parent / ".old-run-x").mkdir()
    said = []
    folder = run_folder.make(parent, said.append)
    kept = {f"run-{number:03}" for number in range(11, 30)} | {folder.name}
    tap.check(names(parent) == kept | {"run-link", "mine"} and len(kept) == run_folder.KEPT and not said,
              "the newest 20 stay, with all that is no run; a removal that was interrupted is finished", names(parent))
    tap.check(folder.is_dir() and folder.stat().st_mode & 0o777 == 0o700, "the new one is there, and private")
    let_go()


def check_used(tap, parent):
    oldest, other = made(parent, 2)
    run_folder.hold(oldest)
    made(parent, 30, 2)
    run_folder.make(parent, print)
    tap.check(oldest.is_dir() and not other.exists(), "an old folder that a run uses stays")
    let_go()
    run_folder.make(parent, print)
    tap.check(not oldest.exists(), "it goes once that run has ended")
    let_go()


def check_refused(tap, parent):
    folder = made(parent, 1)[0]
    descriptor = run_folder.lock(folder, run_folder.fcntl.LOCK_EX)
    try:
        run_folder.hold(folder)
        said = "nothing"
    except ConfigError as error:
        said = str(error)
    os.close(descriptor)
    tap.check("another run removes" in said and not run_folder.held, "a folder that is being removed cannot be used", said)


def check_note(tap, parent):
    """A folder that cannot be removed is named, and the run goes on."""
    folders, said, kept = made(parent, 21), [], run_folder.shutil.rmtree

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    run_folder.shutil.rmtree = refuse
    folder = run_folder.make(parent, said.append)
    run_folder.shutil.rmtree = kept
    good = len(said) == 2 and all("cannot be removed: Permission denied" in text for text in said) and folders[0].name in said[0]
    tap.check(good and folder.is_dir(), "a folder that cannot be removed is named in a note", said)
    let_go()


def check_at_once(tap, parent):
    """Runs at the same time, of which each keeps one folder, never lose the one that they use."""
    text = RACER.format(scripts=str(ROOT / "scripts"), parent=str(parent), each=EACH)

    def race(_):
        return subprocess.run([sys.executable, "-B", "-c", text], capture_output=True, text=True, timeout=120, check=False)

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        ended = list(pool.map(race, range(AT_ONCE)))
    tap.check(all(done.returncode == 0 for done in ended), f"{AT_ONCE} runs at once never remove each other's folders",
              "\n".join(done.stderr for done in ended))
    run_folder.KEPT = 1
    last = run_folder.make(parent, print)
    tap.check(names(parent) == {last.name}, "and the next one removes what they left", names(parent))
    let_go()


def main():
    tap = Tap()
    for check in (check_newest, check_used, check_refused, check_note, check_at_once):
        with tempfile.TemporaryDirectory(dir=room()) as folder:
            check(tap, pathlib.Path(folder))
    tap.done()


if __name__ == "__main__":
    main()
