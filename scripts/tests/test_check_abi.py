#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/check-abi.py on small trees with one fault each, and on this tree."""
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests"))

from tap import Tap  # noqa: E402  pylint: disable=wrong-import-position

# Assembled here, so that the check does not count them as citations of this file.
ONE, TWO, THREE, NONE = (f"K-{number}" for number in (71, 72, 73, 99))
STATEMENTS = f"# The contract\n\n**{ONE} Calls.** As {TWO} says.\n\n**{TWO} Ends.** So.\n\n**{THREE} Faults.** So.\n\n"
HEAD = "```\nnr  on    call\n"
YIELD = " 0  both  yield(): the pid scheduled next\n"
MAP = " 4  a1    map(slot, va, off): one page\n"
SEND = "14  a2    ipc_send(slot, hdr*); len\n"
END = "```\nNext.\n"
TABLE = HEAD + YIELD + MAP + SEND + END
YIELD_ROW, MAP_ROW, SEND_ROW = ("NX_CALL(0, YIELD, yield, BOTH, ())\n", "NX_CALL(4, MAP, map, A1, (slot, va, off))\n",
                                "NX_CALL(14, IPC_SEND, ipc_send, A2, (slot, hdr*))\n")
GOOD = {
    "docs/abi.md": STATEMENTS + TABLE,
    "abi/calls.def": "/* NX_CALL(number, ...) */\n" + YIELD_ROW + MAP_ROW + SEND_ROW,
    "boot/tests/abi/calls.tsv": f"{ONE}-yield\t0\t17\n",
    "boot/tests/core/test_ends.c": f"/* {TWO} */\n",
    "payloads/evil/evil_fault.c": f"/* {THREE}: a fault. */\n",
}


def contract(*rows):
    """Replaces text in the contract's table of calls."""
    return {"docs/abi.md": STATEMENTS + HEAD + "".join(rows) + END}


def calls(*rows):
    """Replaces the rows in the code."""
    return {"abi/calls.def": "".join(rows)}


# name: (change, exit code, text in the output)
CASES = {
    "a good tree": ({}, 0, "3 of 3 statements, 3 calls, 0 findings"),
    "a tree without the probe's folder": ({"boot/tests/abi/calls.tsv": None, "libvmo/tests/unit/test_calls.c": f"// {ONE}\n"}, 0,
                                       "3 of 3 statements, 3 calls, 0 findings"),
    "the table": ({}, 0, f"{TWO}\tboot/tests/core/test_ends.c"),
    "no case": ({"boot/tests/abi/calls.tsv": f"other\t{ONE}\n"}, 1, f"no test, probe case or hazard cites {ONE}"),
    "no test": ({"boot/tests/core/test_ends.c": None}, 1, f"no test, probe case or hazard cites {TWO}"),
    "no hazard": ({"payloads/evil/evil_fault.c": "int main(void);\n"}, 1, "2 of 3 statements, 3 calls, 1 findings"),
    "a citation in the kernel alone": ({"boot/tests/core/test_ends.c": None, "boot/core/shutdown.c": f"/* {TWO} */\n"}, 1,
                                       f"no test, probe case or hazard cites {TWO}"),
    "a stray in the kernel": ({"boot/core/shutdown.c": f"/* {NONE} */\n"}, 1, f"boot/core/shutdown.c: {NONE}"),
    "a stray in the library": ({"libvmo/src/seal.c": f"/* {NONE} */\n"}, 1, f"libvmo/src/seal.c: {NONE}"),
    "a stray in the docs": ({"docs/testing/page.md": f"see {NONE}\n"}, 1, f"docs/testing/page.md: {NONE}"),
    "a stray in a case": ({"boot/tests/abi/more.tsv": f"{NONE}-x\t1\n"}, 1, f"boot/tests/abi/more.tsv: {NONE}"),
    "a duplicate statement": ({"docs/abi.md": GOOD["docs/abi.md"] + f"\n**{ONE} Again.** So.\n"}, 1,
                          f"{ONE} is defined twice"),
    "a call that the contract lacks": (contract(YIELD, SEND), 1,
                                       "call 4: abi/calls.def has map(slot, va, off) A1; docs/abi.md has no such row"),
    "a call that the code lacks": (calls(YIELD_ROW, MAP_ROW), 1,
                                   "call 14: abi/calls.def has no such row; docs/abi.md has ipc_send(slot, hdr*) A2"),
    "another number": (contract(YIELD, MAP.replace("4", "3"), SEND), 1, "call 3: abi/calls.def has no such row"),
    "another name": (contract(YIELD.replace("yield", "pause"), MAP, SEND), 1, "docs/abi.md has pause() BOTH"),
    "another argument": (contract(YIELD, MAP.replace("off", "offset"), SEND), 1, "docs/abi.md has map(slot, va, offset) A1"),
    "a missing argument": (contract(YIELD, MAP.replace(", off", ""), SEND), 1, "docs/abi.md has map(slot, va) A1"),
    "a pointer without its star": (contract(YIELD, MAP, SEND.replace("*", "")), 1, "docs/abi.md has ipc_send(slot, hdr) A2"),
    "another revision": (contract(YIELD.replace("both", "a2"), MAP, SEND), 1, "docs/abi.md has yield() A2"),
    "no revision": (contract(YIELD, MAP.replace("a1", "no"), SEND), 1, "not a row of the table of calls:  4  no    map"),
    "two rows of a call": (contract(YIELD, YIELD, MAP, SEND), 1, "call 0 has two rows"),
    "a malformed row": (contract(YIELD, MAP, SEND.replace("14", "x")), 1, "not a row of the table of calls: x  a2"),
    "a number used twice": (calls(YIELD_ROW, MAP_ROW, MAP_ROW.replace("map", "map_two"), SEND_ROW), 1,
                            "4 (map_two) does not come after 4"),
    "a malformed row in the code": (calls(YIELD_ROW, MAP_ROW.replace("A1", "A3"), SEND_ROW), 1,
                                      "abi/calls.def: not a row: NX_CALL(4, MAP, map, A3, (slot, va, off))"),
    "no calls": ({"abi/calls.def": None}, 1, "abi/calls.def has no row"),
    "no table": ({"docs/abi.md": STATEMENTS}, 1, "call 0: abi/calls.def has yield() BOTH; docs/abi.md has no such row"),
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
