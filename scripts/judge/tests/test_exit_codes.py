# SPDX-License-Identifier: Apache-2.0
"""The guest's exit codes: the harness reads the kernel's list, refuses wrong lists, and the document agrees."""
import pathlib
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fixture import ROOT, exit_codes  # noqa: E402  pylint: disable=wrong-import-position
from harness import cli  # noqa: E402  pylint: disable=wrong-import-position
from harness import probe  # noqa: E402  pylint: disable=wrong-import-position
from paths import ConfigError  # noqa: E402  pylint: disable=wrong-import-position
from judge import verdict as verdicts  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap  # noqa: E402  pylint: disable=wrong-import-position

DOCUMENT = ROOT / "docs" / "testing" / "audit.md"
DOCUMENTED = re.compile(r"^- ([0-9]+), `([a-z-]+)`: (.*)\.$", re.M)
GOOD = 'EXIT_CODE(85, DONE, "init is done")\nEXIT_CODE(89, OUT_OF_ROOM, "too much")\n#undef EXIT_CODE\n'
# name: (list, text of the refusal)
REFUSED = {
    "no list": (None, "the list of the guest's exit codes is missing"),
    "an empty list": ("", "there is no code for 'done'"),
    "a list without done": (GOOD.replace("DONE", "ENDED"), "there is no code for 'done'"),
    "a list with QEMU's 0": (GOOD.replace("85", "0"), "0 is not a code that only the guest can give (2 to 255)"),
    "a list with QEMU's 1": (GOOD.replace("85", "1"), "1 is not a code that only the guest can give (2 to 255)"),
    "a list with 256": (GOOD.replace("85", "256"), "256 is not a code that only the guest can give (2 to 255)"),
    "a list with a number twice": (GOOD.replace("89", "85"), "85 or out-of-room stands twice"),
    "a list with an outcome twice": (GOOD.replace("OUT_OF_ROOM", "DONE"), "89 or done stands twice"),
    "a malformed list": (GOOD.replace("(89,", "( 89,"), 'not a row: EXIT_CODE( 89, OUT_OF_ROOM, "too much")'),
}


def refusal_of(path):
    try:
        exit_codes.read(path)
    except ConfigError as error:
        return str(error)
    return "nothing was refused"


def check_lists(tap, folder):
    path = folder / "codes.def"
    path.write_text(GOOD, encoding="utf-8")
    wanted = {"done": (85, "init is done"), "out-of-room": (89, "too much")}
    tap.check(exit_codes.read(path) == wanted, "a good list", str(exit_codes.read(path)))
    for name, (text, words) in REFUSED.items():
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text, encoding="utf-8")
        tap.check(words in refusal_of(path), f"refused: {name}", refusal_of(path))


def check_harness(tap, folder):
    """Without the list, the harness says CONFIG before it makes the run's folder, and boots nothing."""
    kept, exit_codes.SOURCE = exit_codes.SOURCE, folder / "nowhere.def"
    exit_codes.load.cache_clear()
    for name, make in (("qemu-test.sh", cli.QemuHarness), ("test-abi.sh", probe.ProbeHarness)):
        word, reason, made, _ = cli.run(make, [])
        good = word == verdicts.CONFIG and "exit codes is missing" in reason and made is None
        tap.check(good, f"{name} without the list is CONFIG", f"{word} {reason}")
    exit_codes.SOURCE = kept
    exit_codes.load.cache_clear()


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        check_lists(tap, pathlib.Path(folder))
        check_harness(tap, pathlib.Path(folder))
    told = {outcome: (int(number), meaning)
            for number, outcome, meaning in DOCUMENTED.findall(DOCUMENT.read_text(encoding="utf-8"))}
    tap.check(told == exit_codes.load(), "docs/testing/audit.md lists the same codes", f"{told}\n{exit_codes.load()}")
    tap.done()


if __name__ == "__main__":
    main()
