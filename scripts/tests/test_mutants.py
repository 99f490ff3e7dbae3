#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/mutants.py: only a red suite that names the reason kills a mutant; every other outcome is explained."""
import contextlib
import dataclasses
import io
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]

import mutants  # noqa: E402
import progress  # noqa: E402
from tap import Tap, room  # noqa: E402

HEAD = "suite: s.py\nreason: the limit\n"
EDIT = "file: a.c\n- a < 4\n+ a <= 4\n"
TEXT = "if (a < 4) {\n"

# name: (mutant, make's output, the suite's output, the line that mutants.py prints)
ENDS = {
    "killed": (HEAD + EDIT, "", "s.py: not ok 2 - the limit", "killed m: s.py: the limit"),
    "two changes of one file": (HEAD + EDIT + "file: a.c\n- <= 4\n+ < 9\n", "", "s.py: not ok 2 - the limit", "killed m"),
    "another reason": (HEAD + EDIT, "", "s.py: not ok 1 - the start", "NOT KILLED m: s.py fails, but not for the reason"),
    "a suite that passes": (HEAD + EDIT, "", "", "NOT KILLED m: survived: s.py passes"),
    "a fault that does not build": (HEAD + EDIT, "a.c:1: error", "", "NOT KILLED m: does not build"),
    "text that is gone": (HEAD + EDIT.replace("4", "5"), "", "", "NOT KILLED m: does not apply: a.c"),
    "text that is there twice": (HEAD + "file: a.c\n- a\n+ b\n", "", "", "NOT KILLED m: does not apply: a.c"),
    "a file that is gone": (HEAD + EDIT.replace("a.c", "b.c"), "", "", "NOT KILLED m: does not apply: b.c"),
}
BROKEN = {
    "no reason": "suite: s.py\n" + EDIT,
    "no old text": HEAD + "file: a.c\n+ b\n",
    "a line that is neither": HEAD + EDIT + "* c\n",
    "a key twice": HEAD + HEAD + EDIT,
    "seconds that are no number": HEAD + "seconds: x\n" + EDIT,
}


# name: (mutant, output of --check)
UNFIT = {
    "a fault that fits": (HEAD + EDIT, ""),
    "a fault of a C suite that fits": ("suite: build/san/fake/t\nreason: limits\n" + EDIT, ""),
    "text that is gone": (HEAD + EDIT.replace("4", "5"), "does not apply"),
    "a suite that is gone": (HEAD.replace("s.py", "t.py") + EDIT, "names the suite t.py"),
    "a C suite that is gone": ("suite: build/san/u\nreason: limits\n" + EDIT, "names the suite build/san/u"),
    "a test of a C suite that is gone": ("suite: build/san/t\nreason: bounds\n" + EDIT, "names the reason `bounds`"),
}


class Stub(mutants.Copy):
    """A copy whose make and suite print the case's lines while the fault is in the tree."""

    def __init__(self, folder, built, tested):  # pylint: disable=super-init-not-called
        self.tree, self.green = folder, set()
        self.says = {"make": built, "test": tested}
        (folder / "a.c").write_text(TEXT + "a", encoding="utf-8")

    def answer(self, which):
        changed = (self.tree / "a.c").read_text(encoding="utf-8") != TEXT + "a"
        return [self.says[which]] if changed and self.says[which] else []

    def make(self, mutant, *more):
        return self.answer("make")

    def test(self, mutant):
        return self.answer("test")


def refusal(act, *words):
    try:
        act(*words)
    except (mutants.Wrong, mutants.Lives) as error:
        return str(error)
    return ""


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(dir=room()) as name:
        folder = pathlib.Path(name)
        path = folder / "m.mutant"
        for what, (text, built, tested, wanted) in ENDS.items():
            path.write_text(text, encoding="utf-8")
            copy, said = Stub(folder, built, tested), io.StringIO()
            with contextlib.redirect_stdout(said):
                lives = mutants.run_all([mutants.read_mutant(path)], copy, progress.Meter(None, [], "mutants"))
            good = said.getvalue().startswith(wanted) and lives == wanted.startswith("NOT") and not copy.answer("test")
            tap.check(good, f"{what}: the line says so, and the copy is whole", said.getvalue())
        for what, text in BROKEN.items():
            path.write_text(text, encoding="utf-8")
            tap.check("m.mutant" in refusal(mutants.read_mutant, path), f"{what}: the file is refused by name")
        (folder / "s.py").write_text("", encoding="utf-8")
        (folder / "t.c").write_text("cmocka_unit_test(limits),\n", encoding="utf-8")
        for what, (text, wanted) in UNFIT.items():
            path.write_text(text, encoding="utf-8")
            said = refusal(mutants.check, folder, mutants.read_mutant(path))
            tap.check(said.startswith(wanted) if wanted else not said, f"--check: {what}", said)
        path.write_text(HEAD + EDIT, encoding="utf-8")
        many = [dataclasses.replace(mutants.read_mutant(path), name=f"m{n}") for n in range(10)]
    parts = [mutants.choose(many, [], f"{k}/4") for k in range(1, 5)]
    whole = sorted(mutant.name for part in parts for mutant in part)
    tap.check(whole == [f"m{n}" for n in range(10)] and len(parts[3]) == 2, "the parts are the whole", parts)
    found = mutants.choose(many, [], "commit/4")
    tap.check(found == parts[mutants.commit() % 4], "commit/4 is the part that the commit's hash selects", found)
    for part in ("0/4", "5/4", "1", "a/b", "commit/0", "commit", "-1/4", ""):
        tap.check("PART" in refusal(mutants.choose, many, [], part), f"part {part!r} is refused")
    tap.check("other" in refusal(mutants.choose, many, ["other"], "1/1"), "an unknown name is refused")
    tap.done()


if __name__ == "__main__":
    main()
