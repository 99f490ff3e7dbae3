# SPDX-License-Identifier: Apache-2.0
"""scripts/judge/noise.py recovers a payload's lines from a noisy log completely, or not at all."""
import pathlib
import random
import re
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]
from judge import noise  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap  # noqa: E402  pylint: disable=wrong-import-position

MARKER = "vmo: sha256 ok"
ROW = r"K-[0-9]+\t[a-z_]+\t[a-z ]+\t-?[0-9]+"
PATTERNS = (ROW, r"vmo: count=[0-9]+ end")
EXPECTED = noise.Expected((MARKER,), PATTERNS)
K1 = "[DEBUG sched] enqueue: pid=17 qos=Normal"
K2 = "[INFO neuron::task] exit 18"
RAW = ("AS: activating satp=0x8000000000081000", "AS: post-satp OK", "CAP: new enter", "CAP: with_capacity slots=64",
       "CAP-E: invalid slot 64 (len=64)", "KINIT: long ecall nr=13 4ms cpu0")

# name: (log, the payload's lines, kernel texts, number of doubts)
LOGS = {
    "no noise": ("a\nb\n", ["a", "b"], [], 0),
    "an empty log": ("", [], [], 0),
    "a kernel line between two lines": (f"a\n{K1}\nb\n", ["a", "b"], [K1], 0),
    "a kernel line inside a line": (f"vmo: sha{K1}\n256 ok\n", [MARKER], [K1], 0),
    "kernel lines in a row": (f"vmo: sha{K1}\n{K2}\nEXC: scause=0x2\n256 ok\n", [MARKER], [K1, K2, "EXC: scause=0x2"], 0),
    "a line cut twice": (f"vmo{K1}\n: sha{K2}\n256 ok\n", [MARKER], [K1, K2], 0),
    "a kernel line before the newline": (f"{MARKER}{K1}\n\nb\n", [MARKER, "b"], [K1], 0),
    "a kernel line before the first byte": (f"{K1}\n{MARKER}\n", [MARKER], [K1], 0),
    "carriage returns": (f"vmo: sha{K1}\r\n256 ok\r\nb\r\n", [MARKER, "b"], [K1], 0),
    "two carriage returns": (f"vmo: sha{K1}\r\n256 ok\r\r\nb\r\n", [f"{MARKER}\r", "b"], [K1], 0),
    "a kernel line between CR and LF": (f"{MARKER}\r{K1}\r\n\nb\n", [MARKER, "b"], [K1], 0),
    "colours around a kernel line": (f"vmo: sha\x1b[31m{K1}\x1b[0m\n256 ok\n", [MARKER],
                                       [f"\x1b[31m{K1}\x1b[0m"], 0),
    "a colour that ends after the newline": (f"vmo: sha\x1b[1;31m{K1}\n\x1b[0m256 ok\n", [MARKER],
                                              [f"\x1b[1;31m{K1}"], 0),
    "bytes above 0x7f in a kernel line": (f"vmo: sha{K1} \xe2\x86\x92\n256 ok\n", [MARKER], [f"{K1} \xe2\x86\x92"], 0),
    "a number cut by a known shape": (f"K-20\tmap\tlow va\t-2{K1}\n2\n", ["K-20\tmap\tlow va\t-22"], [K1], 0),
    "a complete number before a known shape": (f"K-20\tmap\tlow va\t-2{K1}\n\n", ["K-20\tmap\tlow va\t-2"], [K1], 0),
    "a marker in kernel text": (f"[INFO x] {MARKER}\n", [], [f"[INFO x] {MARKER}"], 0),
    "a marker in kernel text inside a line": (f"b[INFO x] {MARKER}\n\n", ["b"], [f"[INFO x] {MARKER}"], 0),
    "an unknown shape inside a line": ("vmo: shatick 17\n256 ok\n", [MARKER], ["tick 17"], 0),
    "bytes above 0x7f in an unknown shape": ("vmo: sha\xe2\x9c\x93 tick\n256 ok\n", [MARKER], ["\xe2\x9c\x93 tick"], 0),
    "unknown shapes in a row": ("vmo: shatick 17\ntock\n256 ok\n", [MARKER], ["tick 17", "tock"], 0),
    "a known and an unknown shape": (f"vmo: sha{K1}\ntick\n256 ok\n", [MARKER], [K1, "tick"], 0),
    "a complete line before an unknown line": (f"{MARKER}\nk\n", [MARKER, "k"], [], 0),
    "another line before the rest": ("vmo: shatick\nvmo: count=1 end\n256 ok\n",
                                     ["vmo: shatick", "vmo: count=1 end", "256 ok"], [], 0),
    "an unknown shape that never ends": ("vmo: shatick\n", ["vmo: shatick"], [], 0),
    **{f"raw: {text}": (f"K-20\tmap\tlow va\t-2{text}\r\n2\r\n", ["K-20\tmap\tlow va\t-22"], [text], 0) for text in RAW},
    # Cases in which the reader must not guess.
    "a number cut by an unknown shape": ("vmo: count=12tick\n34 end\n", ["vmo: count=12tick", "34 end"], [], 1),
    "an answer that any digit fits": ("K-20\tmap\tlow va\t-2tick\n2\n", ["K-20\tmap\tlow va\t-2tick", "2"], [], 1),
    "a whole answer and a line of digits": (f"K-20\tmap\tlow va\t-2{K1}\n9\n\n", ["K-20\tmap\tlow va\t-29", ""], [K1], 1),
    "a kernel line cut by another": (f"vmo: sha[INFO x] one {K1}\ntwo\n256 ok\n",
                                       ["vmo: sha", "two", "256 ok"], [f"[INFO x] one {K1}"], 1),
    "a kernel line cut by another, outside a payload line": (f"[INFO x] one {K1}\ntwo\n{MARKER}\n", ["two", MARKER],
                                                   [f"[INFO x] one {K1}"], 0),
}


def check_logs(tap):
    for name, (log, lines, kernel, doubts) in LOGS.items():
        found = noise.read(log.encode("latin-1"), EXPECTED)
        good = (found.lines, found.kernel, len(found.doubts)) == (lines, kernel, doubts)
        tap.check(good, name, f"{found}")


def check_tail(tap):
    found = noise.read(f"a\nvmo: sha{K1}\n25".encode(), EXPECTED)
    tap.check((found.lines, found.tail) == (["a"], "vmo: sha25"), "an incomplete line is the tail", f"{found}")
    found = noise.read(f"vmo: sha{K1}\n256 ok\nb\n".encode(), EXPECTED)
    tap.check(found.joined == 1, "cut lines are counted", f"{found}")


def check_everywhere(tap):
    """Inserts kernel lines at every byte of three lines: the reader recovers the three lines."""
    wanted = [MARKER, "K-20\tvmo_create\tzero length\t-1", "vmo: count=90 end"]
    text = "\n".join(wanted) + "\n"
    wrong = []
    for at in range(len(text) + 1):
        for inserted in (f"{K1}\n", f"{K1}\r\n{K2}\r\n", f"\x1b[33m{K1}\x1b[0m\n"):
            found = noise.read((text[:at] + inserted + text[at:]).encode(), EXPECTED)
            if found.lines != wanted or found.doubts or found.tail:
                wrong.append(f"at {at}: {found}")
    tap.check(not wrong, "a cut at any byte", "\n".join(wrong[:3]))


def check_random(tap):
    """Cuts by known and unknown shapes: the reader recovers a line unchanged or not at all."""
    draw = random.Random(5)
    wanted = [f"K-{n}\tcall_{'abc'[n % 3]}\tsome words\t{draw.choice([0, -1, -2, -22, 9, 90, 12345])}"
              for n in range(10, 60)]
    text = "\n".join(wanted) + "\n"
    made_up, lost, known_lost = [], 0, 0
    for turn in range(300):
        unknown = turn % 2 == 1
        log = ""
        for char in text:
            if draw.random() < 0.01:
                log += draw.choice([K1, K2, "tick 7", "(idle)", "\xe2\x9c\x93 ok"] if unknown else [K1, K2]) + "\n"
            log += char
        found = noise.read(log.encode("latin-1"), EXPECTED)
        rows = [line for line in found.lines if re.fullmatch(ROW, line)]
        made_up += [line for line in rows if line not in wanted]
        lost += len(wanted) - len(rows) if unknown else 0
        known_lost += 0 if unknown else len(wanted) - len(rows) + len(found.doubts)
    tap.check(not made_up, "no line is invented", "\n".join(made_up[:5]))
    tap.check(known_lost == 0, "known shapes lose no line", str(known_lost))
    tap.check(0 < lost < 3000, "unknown shapes lose some lines", str(lost))


def main():
    tap = Tap()
    tap.check(len(LOGS) > 20, "there are logs to test")
    check_logs(tap)
    check_tail(tap)
    check_everywhere(tap)
    check_random(tap)
    tap.check(tap.count == len(LOGS) + 7, "all cases ran")
    tap.done()


if __name__ == "__main__":
    main()
