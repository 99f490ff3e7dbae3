#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/check-abi.py on small trees, each good but for one thing; and on this one."""
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests"))

from tap import Tap  # noqa: E402  pylint: disable=wrong-import-position

# Put together here, so that the check does not take them for citations of this file's own.
ONE, TWO, THREE, NONE = (f"K-{number}" for number in (71, 72, 73, 99))
GOOD = {
    "docs/abi.md": f"# The contract\n\n**{ONE} Calls.** As {TWO} says.\n\n**{TWO} Ends.** So.\n\n**{THREE} Faults.** So.\n",
    "boot/tests/abi/calls.tsv": f"{ONE}-yield\t0\t17\n",
    "boot/tests/core/test_ends.c": f"/* {TWO} */\n",
    "payloads/evil/evil_fault.c": f"/* {THREE}: a fault. */\n",
}

# name: (what is changed, exit code, words that must be said)
CASES = {
    "a good tree": ({}, 0, "3 of 3 statements, 0 findings"),
    "one without the probe's folder": ({"boot/tests/abi/calls.tsv": None, "libvmo/tests/unit/test_calls.c": f"// {ONE}\n"}, 0,
                                       "3 of 3 statements, 0 findings"),
    "the table": ({}, 0, f"{TWO}\tboot/tests/core/test_ends.c"),
    "no case": ({"boot/tests/abi/calls.tsv": f"other\t{ONE}\n"}, 1, f"no test, probe case or hazard cites {ONE}"),
    "no test": ({"boot/tests/core/test_ends.c": None}, 1, f"no test, probe case or hazard cites {TWO}"),
    "no hazard": ({"payloads/evil/evil_fault.c": "int main(void);\n"}, 1, "2 of 3 statements, 1 findings"),
    "a citation in the kernel alone": ({"boot/tests/core/test_ends.c": None, "boot/core/end.c": f"/* {TWO} */\n"}, 1,
                                       f"no test, probe case or hazard cites {TWO}"),
    "a stray in the kernel": ({"boot/core/end.c": f"/* {NONE} */\n"}, 1, f"boot/core/end.c: {NONE}"),
    "a stray in the library": ({"libvmo/src/seal.c": f"/* {NONE} */\n"}, 1, f"libvmo/src/seal.c: {NONE}"),
    "a stray in the docs": ({"docs/testing/page.md": f"see {NONE}\n"}, 1, f"docs/testing/page.md: {NONE}"),
    "a stray in a case": ({"boot/tests/abi/more.tsv": f"{NONE}-x\t1\n"}, 1, f"boot/tests/abi/more.tsv: {NONE}"),
    "a statement twice": ({"docs/abi.md": GOOD["docs/abi.md"] + f"\n**{ONE} Again.** So.\n"}, 1,
                          f"{ONE} is defined twice"),
    "no contract": ({"docs/abi.md": "# Nothing\n", "boot/tests/abi/calls.tsv": None, "boot/tests/core/test_ends.c": None,
                     "payloads/evil/evil_fault.c": None}, 1, "0 of 0 statements"),
}


def check(*words):
    done = subprocess.run([sys.executable, "-B", str(ROOT / "scripts" / "check-abi.py"), *words], check=False,
                          cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    return done.returncode, done.stdout.decode()


def make_tree(folder, changes):
    for name, text in {**GOOD, **changes}.items():
        if text is not None:
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def main():
    tap = Tap()
    for name, (changes, wanted, said) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            make_tree(folder, changes)
            code, output = check("--table", "--root", folder)
        tap.check(code == wanted and said in output, f"{name}: exit {wanted}", f"exit {code}\n{output}")
    code, output = check()
    tap.check(code == 0 and "check-abi: " in output, "this tree", output)
    tap.done()


if __name__ == "__main__":
    main()
