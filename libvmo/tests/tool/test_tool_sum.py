#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vmo sum beside sha256sum: the same lines and exit codes. Prints TAP."""
import os
import subprocess

from tool_case import digest_of, run_suite

NAMES = [
    "plain",
    "with blank",
    " leading",
    "*star",
    "back\\slash",
    "new\nline",
    "return\r",
    "-dash",
    "\xe4",
    "tab\t",
]
OPTIONS = [[], ["-b"], ["-t"], ["--binary", "-t"], ["--tag"], ["-z"], ["-zb"], ["--zero", "--tag"]]
OPTIONS += [["-t", "--tag"]]
# Of the last three the last one counts.
CHECKS = [[], ["--quiet"], ["--status"], ["--strict"], ["--ignore-missing"], ["-w"]]
CHECKS += [["--quiet", "-w"], ["--status", "--quiet"], ["-w", "--status"], ["--status", "-w"]]


def make_files(case):
    case.write("empty", b"")
    for i, name in enumerate(NAMES):
        case.write(name, os.urandom(i * 77_777))


def theirs(case, *words, data=None):
    done = subprocess.run(
        ["sha256sum", *words],
        cwd=case.room,
        input=data,
        capture_output=True,
        env=dict(os.environ, LC_ALL="C"),
        timeout=60,
    )
    return done.returncode, done.stdout


def same(case, name, *words, data=None):
    expected = theirs(case, *words, data=data)
    found = case.vmo("sum", *words, data=data)
    case.check(
        found[:2] == expected,
        f"{name}: output and exit code of sha256sum",
        f"{words}\n{expected}\n{found}",
    )


def lines(case):
    make_files(case)
    for options in OPTIONS:
        same(
            case, f"all names, {' '.join(options) or 'no option'}", *options, "--", "empty", *NAMES
        )
    same(case, "standard input", data=b"abc")
    same(case, "standard input as -", "plain", "-", "empty", data=b"abc")
    same(case, "no file, a folder, and a file", "missing", ".", "plain")
    same(case, "a file of /proc", "/proc/version")
    case.path("link").symlink_to("plain")
    same(case, "a symbolic link", "link")
    os.truncate(case.path(case.write("sparse", b"")), 1 << 26)
    same(case, "a sparse file", "sparse")


def lists(case):
    _, listed = theirs(case, "--", "empty", *NAMES)
    _, tagged = theirs(case, "--tag", "--", "empty", *NAMES)
    _, binary = theirs(case, "-b", "--", "empty", *NAMES)
    first = listed.split(b"\n")[0]
    false = b"0" * 64 + b"  plain\n"
    gone = b"0" * 64 + b"  gone\n"
    cases = {
        "plain": listed,
        "BSD": tagged,
        "binary": binary,
        "CRLF": listed.replace(b"\n", b"\r\n"),
        "upper case": first.upper().replace(b"EMPTY", b"empty") + b"\n",
        "indented": b" \t" + first + b"\n",
        "one blank": first.replace(b"  ", b" ") + b"\n",
        "both spacings": listed + first.replace(b"  ", b" ") + b"\n",
        "no last newline": first,
        "comments and empty lines": b"# x\n\n" + listed,
        "a false digest": listed + false,
        "a missing file": listed + gone,
        "only a missing file": gone,
        "a bad line": listed + b"bad\n",
        "only bad lines": b"bad\nworse\n",
        "empty": b"",
        "63 digits": first[1:] + b"\n",
        "no name": first[:66] + b"\n",
        "a folder": first[:66] + b".\n",
        "a bad escape": b"\\" + first[:66] + b"a\\x\n",
        "tag without digest": b"SHA256 (plain) = 12\n",
        "another algorithm": b"MD5 (plain) = d41d8cd98f00b204e9800998ecf8427e\n",
    }
    for name, text in cases.items():
        case.write("list", text)
        for options in CHECKS:
            same(case, f"list: {name}, {' '.join(options) or 'no option'}", "-c", *options, "list")
    same(case, "a list from standard input", "--check", data=listed)
    same(case, "two lists, one missing", "-c", "nothing", "list")
    case.write("list", listed + b"bad\n" + false + gone)
    status, _, err = case.vmo("sum", "-cw", "list")
    for words in (
        "line 12 is no line",
        "improperly formatted lines: 1",
        "could not be read: 1",
        "do not match: 1",
    ):
        case.check(status == 1 and words in err, f"a warning says: {words}", err)


def itself(case):
    listed = case.vmo("sum", "--", *NAMES)[1]
    case.check(theirs(case, "-c", data=listed)[0] == 0, "sha256sum checks the lines of vmo sum")
    big = os.urandom(1 << 20) * 3
    done = case.vmo("sum", "--progress=always", data=big)
    case.check(
        done[:2] == (0, f"{digest_of(big)}  -\n".encode()) and "hashing: 1 MiB" in done[2],
        "--progress=always shows each step on standard error",
        done,
    )
    quiet = case.vmo("sum", data=big)
    case.check(quiet == (0, done[1], ""), "without a terminal there is no progress", quiet)
    for words in (["--quiet"], ["--status"], ["--strict"], ["-w"], ["--ignore-missing"]):
        case.refused(
            f"vmo sum {words[0]} without -c", case.vmo("sum", *words, "plain"), 2, "needs --check"
        )
    case.refused("vmo sum --tag -t", case.vmo("sum", "--tag", "-t"), 2, "--text: does not go with")
    for words in (["--tag"], ["-z"], ["-b"], ["-t"]):
        case.refused(
            f"vmo sum -c {words[0]}",
            case.vmo("sum", "-c", *words, "list"),
            2,
            "no meaning with --check",
        )


if __name__ == "__main__":
    run_suite(lines, lists, itself)
