#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""host-ref against sha256sum, the NIST examples and a second implementation of the generator.

Prints TAP. Runs on $(BUILD)/host/host-ref/host-ref and once more on its ASan and UBSan build.
"""
import hashlib
import os
import random
import re
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests"))
from tap import Tap  # noqa: E402

BUILD = TREE / os.environ.get("BUILD", "build")
TOOLS = {"plain": BUILD / "host/host-ref/host-ref", "sanitized": BUILD / "san/host-ref/host-ref"}
SABOTEUR = BUILD / "host/host-ref/tests/ref_saboteur.so"
FILE_MAX = 1 << 20
GEN_MAX = 64 << 20
LONG = 4 << 20  # what Python generates in reasonable time
LONGEST_SHA = "4d5594a6496cfe96502c6d52d756d0f35a0b861260a4350761bac3f94c4e0ce8"  # of gen:7:GEN_MAX, by Python, once
CHALLENGE = bytes(range(32))
NAMES = ["blob.bin", "challenge", "digest", "expected.h", "page.bin", "page.digest", "payload.bin", "payload_spec"]
LENGTHS = [0, 1, 2, 3, 31, 32, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 4063, 4064, 4065, 4095, 4096,
           4097, 8191, 8192, 8193, 65535, 65536, 65537, 131072, FILE_MAX - 1, FILE_MAX, FILE_MAX + 1]
NIST = {  # the examples that NIST publishes with FIPS 180-4
    b"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq":
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu":
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
    b"a" * 1000000: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
}


def generate(seed, length):
    """The generator of docs/testing/payload.md, whole groups first and cut afterwards."""
    mask, words = (1 << 64) - 1, []
    for group in range(1, (length + 7) // 8 + 1):
        z = (seed + group * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        words.append((z ^ (z >> 31)).to_bytes(8, "little"))
    return b"".join(words)[:length]


def sha(data):
    return hashlib.sha256(data).hexdigest()


def snapshot(folder):
    """Every path below a folder with what it is and holds, to see that nothing has changed."""
    seen = {}
    for path in sorted(Path(folder).rglob("*")):
        info = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        seen[str(path)] = (info.st_mode, info.st_ino, info.st_mtime_ns if content is not None else 0, content)
    return seen


def header_values(text):
    """The macros and arrays of an expected.h."""
    values = dict(re.findall(r"^#define (PAYLOAD_\w+) (\w+)", text, re.M))
    for name, body in re.findall(r"static const unsigned char (\w+)\[32\] = \{(.*?)\};", text, re.S):
        values[name] = bytes(int(x, 16) for x in re.findall(r"0x([0-9a-f]{2}),", body))
    return values


class Suite:
    def __init__(self, tap, flavour, folder):
        self.tap, self.flavour, self.tool, self.dir = tap, flavour, TOOLS[flavour], Path(folder)

    def check(self, good, name, detail=""):
        return self.tap.check(good, f"{self.flavour}: {name}", detail)

    def run(self, *args, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        if "input" in options:
            del options["stdin"]
        options.setdefault("stdout", subprocess.PIPE)
        return subprocess.run([self.tool, *args], stderr=subprocess.PIPE, cwd=self.dir, timeout=60, **options)

    def challenge(self, spec, out, *more, **options):
        return self.run("challenge", "--payload", spec, "--out", out, *more, **options)

    def file(self, name, data):
        path = self.dir / name
        path.write_bytes(data)
        return path.name

    def refuses(self, name, reason, *args, **options):
        """Exit 2, exactly one line on stderr that holds `reason`, nothing on stdout, nothing changed."""
        before = snapshot(self.dir)
        run = self.run(*args, **options)
        line = run.stderr.decode(errors="replace")
        good = (run.returncode == 2 and not run.stdout and line.count("\n") == 1 and line.endswith("\n")
                and line.startswith("host-ref: ") and reason in line and snapshot(self.dir) == before)
        self.check(good, f"refused: {name}", f"exit {run.returncode}, stderr {line!r}, wanted {reason!r}")

    # ---- digest ----------------------------------------------------------------------------------

    def digest_lengths(self):
        source = random.Random(180)
        names = [self.file(f"len-{n}", source.randbytes(n)) for n in LENGTHS]
        ours = self.run("digest", *names)
        theirs = subprocess.run(["sha256sum", *names], cwd=self.dir, stdout=subprocess.PIPE, check=True).stdout
        for name, a, b in zip(names, ours.stdout.splitlines(), theirs.splitlines()):
            self.check(a == b, f"digest of {name} is sha256sum's", f"{a!r}\n{b!r}")
        self.check(ours.stdout == theirs and ours.returncode == 0 and not ours.stderr, "digest: all lines, exit 0")

    def digest_nist(self):
        for message, digest in NIST.items():
            run = self.run("digest", "-", input=message)
            self.check(run.stdout.decode() == f"{digest}  -\n" and run.returncode == 0,
                       f"digest of the NIST message of {len(message) * 8} bits", run.stdout)

    def digest_stdin_twice(self):
        run = self.run("digest", "-", "-", input=b"once")
        self.check(run.stdout.decode() == f"{sha(b'once')}  -\n{sha(b'')}  -\n" and run.returncode == 0,
                   "digest reads standard input to its end, and finds it empty the second time", run)

    def digest_names(self):
        names = [self.file(n, n.encode()) for n in ("a b", "back\\slash", "new\nline", "re\rturn", "tab\t", "ü", "--x")]
        ours = self.run("digest", "--", *names)
        theirs = subprocess.run(["sha256sum", "--", *names], cwd=self.dir, stdout=subprocess.PIPE, check=True).stdout
        self.check(ours.stdout == theirs and ours.returncode == 0, "digest escapes names as sha256sum does",
                   f"{ours.stdout!r}\n{theirs!r}")

    def digest_missing(self):
        first, last = self.file("first", b"1"), self.file("last", b"2")
        run = self.run("digest", first, "not-there", str(self.dir), "not\nthere", last)
        self.check(run.stdout.decode() == f"{sha(b'1')}  first\n{sha(b'2')}  last\n" and run.returncode == 2,
                   "digest goes on after files that cannot be read, and exits 2", run)
        lines = run.stderr.decode().splitlines()
        self.check(lines == ["host-ref: not-there: No such file or directory",
                             f"host-ref: {self.dir}: Is a directory",
                             "host-ref: not\\012there: No such file or directory"],
                   "digest says one line for each of them", lines)
        self.refuses("digest of a closed standard input", "-: Bad file", "digest", "-",
                     preexec_fn=lambda: os.close(0))

    # ---- generator -------------------------------------------------------------------------------

    def generator(self):
        for seed in (0, 1, 42, 0x9E3779B97F4A7C15, (1 << 63), (1 << 64) - 1):
            for length in (1, 7, 8, 9, 63, 65, 4096, 65535, 65537):
                specs = f"gen:{seed}:{length}", f"gen:{seed:#x}:{length}", f"gen:0x{seed:016X}:0{length}"
                want = sha(generate(seed, length))
                lines = [self.run("expected", "--payload", s).stdout.decode() for s in specs]
                self.check(lines == [f"{want}  {s}\n" for s in specs], f"expected of {specs[1]} in three spellings",
                           lines)
        run = self.run("expected", "--payload", f"gen:7:{LONG}")
        self.check(run.stdout.decode().startswith(sha(generate(7, LONG))), "expected of a long payload")
        run = self.run("expected", "--payload", f"gen:7:{GEN_MAX}")
        self.check(run.stdout.decode().startswith(LONGEST_SHA), "expected of the longest payload")

    def vectors(self):
        lines = (TREE / "host-ref/tests/vectors.tsv").read_text().splitlines()
        rows = [line.split("\t") for line in lines if not line.startswith("#")]
        self.check(len(rows) == 3, "vectors.tsv has three vectors of the generator", rows)
        for spec, head, digest in rows:
            seed, length = spec.split(":")[1:]
            data = generate(int(seed, 0), int(length))
            run = self.run("expected", "--payload", spec)
            self.check(data[:16].hex(" ") == head and sha(data) == digest
                       and run.stdout.decode() == f"{digest}  {spec}\n", f"the vector {spec} holds", run)

    # ---- challenge -------------------------------------------------------------------------------

    def check_set(self, out, spec, payload, kind, seed, challenge):
        where, blob, page = self.dir / out, payload + challenge, challenge * 128
        files = {p.name: p.read_bytes() for p in where.iterdir()}
        self.check(sorted(files) == NAMES, f"challenge {spec}: these files and no others", sorted(files))
        want = {"blob.bin": blob, "digest": sha(blob).encode() + b"\n", "page.bin": page,
                "page.digest": sha(page).encode() + b"\n", "challenge": challenge.hex().encode() + b"\n",
                "payload.bin": payload if kind == 1 else b"", "payload_spec": spec.encode() + b"\n"}
        wrong = [name for name in want if files.get(name) != want[name]]
        self.check(not wrong, f"challenge {spec}: their content", wrong)
        values = header_values(files["expected.h"].decode())
        self.check(values == {"PAYLOAD_KIND": str(kind), "PAYLOAD_LEN_BYTES": str(len(payload)),
                              "PAYLOAD_SEED": f"0x{seed:016x}ULL", "expected_challenge": challenge,
                              "expected_digest": hashlib.sha256(blob).digest(),
                              "expected_page_digest": hashlib.sha256(page).digest()},
                   f"challenge {spec}: expected.h", values)

    def challenge_sets(self):
        source = random.Random(2)
        for length in (1, 31, 4064, 4096, 65536, 65537, FILE_MAX):
            name, data = self.file(f"in-{length}", source.randbytes(length)), (self.dir / f"in-{length}").read_bytes()
            run = self.challenge(name, f"set-{length}", "--challenge", CHALLENGE.hex())
            self.check(run.returncode == 0 and not run.stdout and not run.stderr, f"challenge {name}: exit 0", run)
            self.check_set(f"set-{length}", name, data, 1, 0, CHALLENGE)
        for seed, length in ((0, 1), (0xFEDCBA9876543210, 65537), (5, LONG)):
            spec = f"gen:{seed:#x}:{length}"
            run = self.challenge(spec, f"set-gen-{seed}", "--challenge", CHALLENGE.hex().upper())
            self.check(run.returncode == 0, f"challenge {spec}: exit 0", run)
            self.check_set(f"set-gen-{seed}", spec, generate(seed, length), 2, seed, CHALLENGE)
        os.symlink("in-31", self.dir / "link")
        self.challenge("link", "set-link", "--challenge", CHALLENGE.hex())
        self.check_set("set-link", "link", (self.dir / "in-31").read_bytes(), 1, 0, CHALLENGE)

    def challenge_fresh(self):
        name, drawn = self.file("input", b"payload"), []
        for out in ("fresh", "fresh", "other"):
            self.challenge(name, out)
            drawn.append(bytes.fromhex((self.dir / out / "challenge").read_text()))
            self.check_set(out, name, b"payload", 1, 0, drawn[-1])
        self.check(len(set(drawn)) == 3 and all(len(set(d)) > 8 for d in drawn), "each run draws its own challenge",
                   drawn)
        for out in ("fixed", "fixed-too"):
            self.challenge(name, out, "--challenge", CHALLENGE.hex())
        same = [n for n in NAMES if (self.dir / "fixed" / n).read_bytes() == (self.dir / "fixed-too" / n).read_bytes()]
        self.check(same == NAMES, "a fixed challenge makes the same files, expected.h included", same)

    def header_compiles(self):
        self.challenge(self.file("input", b"payload"), "header")
        (self.dir / "use.c").write_text(
            '#include "header/expected.h"\n#include "header/expected.h"\n#include <stddef.h>\n'
            "#if PAYLOAD_KIND != 1\n#error kind\n#endif\nsize_t use(void);\nsize_t use(void)\n"
            "{\n    return sizeof expected_challenge + sizeof expected_digest + sizeof expected_page_digest +\n"
            "           PAYLOAD_LEN_BYTES + (size_t)PAYLOAD_SEED;\n}\n")
        run = subprocess.run([os.environ.get("HOSTCC", "gcc"), "-std=c11", "-Wall", "-Wextra", "-Wpedantic",
                              "-Wconversion", "-Wsign-conversion", "-Wundef", "-Werror", "-c", "-o", "use.o", "use.c"],
                             cwd=self.dir, stderr=subprocess.PIPE, check=False)
        self.check(run.returncode == 0, "expected.h compiles without a warning, twice included", run.stderr)

    # ---- verify ----------------------------------------------------------------------------------

    def verify(self):
        self.challenge(self.file("input", b"payload" * 999), "set")
        args = ("verify", "--blob", "set/blob.bin", "--digest", "set/digest")
        digest = (self.dir / "set/digest").read_text()
        run = self.run(*args)
        self.check(run.returncode == 0 and run.stdout.decode() == f"host-ref: digest ok {digest}" and not run.stderr,
                   "verify agrees with what challenge wrote", run)
        blob = bytearray((self.dir / "set/blob.bin").read_bytes())
        for at in (0, len(blob) // 2, len(blob) - 1):
            flipped = blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1:]
            self.differs(self.file("flipped", flipped), "set/digest", f"bit flipped in byte {at} of the blob")
        self.differs(self.file("cut", blob[:-1]), "set/digest", "blob cut by one byte")
        self.differs(self.file("longer", blob + b"\0"), "set/digest", "blob longer by one byte")
        other = ("1" if digest[0] != "1" else "2") + digest[1:]
        self.differs("set/blob.bin", self.file("other", other.encode()), "one digit of the digest changed")
        for name, text in (("no newline", digest[:-1]), ("too short", digest[1:]), ("empty", ""),
                           ("no hex", "g" + digest[1:]), ("two lines", digest + digest), ("spaces", " " + digest[1:]),
                           ("CR", digest[:-1] + "\r")):
            self.refuses(f"digest file: {name}", "is not a digest file", *args[:4],
                         self.file("bad", text.encode()))
        self.refuses("blob is missing", "No such file", "verify", "--blob", "nothing", "--digest", "set/digest")
        self.refuses("digest is missing", "No such file", "verify", "--blob", "set/blob.bin", "--digest", "nothing")
        self.refuses("blob is a folder", "is a directory", "verify", "--blob", "set", "--digest", "set/digest")
        self.refuses("blob is in /proc", "changed its size", "verify", "--blob", "/proc/cpuinfo",
                     "--digest", "set/digest")
        self.refuses("blob cannot be read", "Input/output error", "verify", "--blob", "/proc/self/mem",
                     "--digest", "set/digest")

    def differs(self, blob, digest, name):
        run = self.run("verify", "--blob", blob, "--digest", digest)
        self.check(run.returncode == 1 and not run.stdout and run.stderr.count(b"\n") == 1
                   and b"digest mismatch" in run.stderr, f"verify: {name}: exit 1", run)

    # ---- refusals --------------------------------------------------------------------------------

    def refuse_payloads(self):
        self.file("empty", b"")
        self.file("over", bytes(FILE_MAX + 1))
        os.mkfifo(self.dir / "fifo")
        os.mknod(self.dir / "socket", stat.S_IFSOCK | 0o600)
        os.symlink("nowhere", self.dir / "dangling")
        os.symlink("round", self.dir / "round")
        cases = [("missing", "No such file"), ("empty", "the payload is empty"), ("over", "over the limit of 1048576"),
                 (".", "is a directory"), ("fifo", "is a FIFO"), ("dangling", "No such file"),
                 ("socket", "is not a regular file"), ("round", "Too many levels"),
                 ("/dev/null", "is not a regular file"), ("empty/x", "Not a directory"),
                 ("new\nline", "new\\012line: No such file"), ("gen:1:", "length must be decimal"),
                 ("gen:1:0", "at least 1 byte"), (f"gen:1:{GEN_MAX + 1}", "over the limit of 67108864"),
                 (f"gen:1:{1 << 64}", "over the limit of 67108864"), (f"gen:1:{(1 << 64) + 5}", "over the limit"),
                 ("gen:1:+5", "length must be decimal"), ("gen:1:0x10", "length must be decimal"),
                 ("gen:1: 5", "length must be decimal"), ("gen:1:5 ", "length must be decimal"),
                 ("gen::5", "seed must be decimal digits"), ("gen:-1:5", "seed must be decimal digits"),
                 ("gen:0x:5", "seed must be decimal digits"), ("gen:0X5:5", "seed must be decimal digits"),
                 ("gen:ff:5", "seed must be decimal digits"), ("gen:1.5:5", "seed must be decimal digits"),
                 (f"gen:{1 << 64}:5", "64 bits"), ("gen:0x10000000000000000:5", "64 bits"),
                 ("gen:", "gen:<seed>:<len>"), ("gen:1", "gen:<seed>:<len>"), ("gen:1:2:3", "gen:<seed>:<len>")]
        cases += [("gen:0x0x5:5", "seed must be decimal digits"), (f"gen:{1 << 64}x:5", "seed must be decimal digits"),
                  ("/proc/self/mem", "Input/output error"), ("/proc/cpuinfo", "reports a false one as /proc does")]
        if Path("/sys/kernel/uevent_seqnum").is_file():  # says 4096 bytes and holds fewer
            cases.append(("/sys/kernel/uevent_seqnum", "changed its size"))
        for spec, reason in cases:
            self.refuses(f"challenge {spec!r}", reason, "challenge", "--payload", spec, "--out", "new")
            self.refuses(f"expected {spec!r}", reason, "expected", "--payload", spec)

    def dashed_names(self):
        for name, spec in (("-dash", "-dash"), ("--dash", "./--dash"), ("gen:1:1", "./gen:1:1")):
            self.file(name, name.encode())
            run = self.run("expected", "--payload", spec)
            self.check(run.returncode == 0 and run.stdout.decode() == f"{sha(name.encode())}  {spec}\n",
                       f"expected of a file {name!r}, as {spec!r}", run)
        for reason in ("a value is missing after '--payload'", "put ./ before a name that starts with --"):
            self.refuses(f"a payload --dash, with the words {reason!r}", reason, "expected", "--payload", "--dash")

    def refuse_outputs(self):
        self.file("input", b"x" * 20000)
        self.file("plain", b"")
        self.challenge("input", "old")
        os.mkdir(self.dir / "way")
        os.mkdir(self.dir / "way/expected.h")
        os.mkdir(self.dir / "link")
        os.symlink("../plain", self.dir / "link/page.bin")
        for out, reason in (("no/parent", "No such file"), ("plain", "Not a directory"), ("plain/x", "Not a directory"),
                            ("way", "expected.h: cannot be replaced"), ("link", "page.bin: cannot be replaced")):
            self.refuses(f"output folder {out}", reason, "challenge", "--payload", "input", "--out", out)
        for limit in (0, 1000, 4096, 8192, 20000, 20031):
            for out in ("new", "old"):
                self.refuses(f"files limited to {limit} bytes, folder {out}", "File too large", "challenge", "--payload",
                             "input", "--out", out,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        for bad in ("", "00", CHALLENGE.hex()[:-1], CHALLENGE.hex() + "0", "g" * 64, " " * 64):
            reason = "64 hex digits" if bad else "a value is missing"
            self.refuses(f"--challenge {bad!r}", reason, "challenge", "--payload", "input", "--out", "new",
                         "--challenge", bad)

    def refuse_usage(self):
        for args, reason in (((), "a command is missing"), (("frob",), "unknown command 'frob'"),
                             (("a\nb",), "unknown command 'a\\012b'"), (("--version",), "unknown command"),
                             (("digest",), "at least one file"), (("digest", "-x"), "unknown option '-x'"),
                             (("digest", "--"), "at least one file"),
                             (("challenge",), "missing option '--payload'"),
                             (("challenge", "--payload", "gen:1:1"), "missing option '--out'"),
                             (("challenge", "--payload"), "a value is missing after '--payload'"),
                             (("challenge", "--payload", "--out", "x"), "a value is missing after '--payload'"),
                             (("challenge", "--payload", "gen:1:1", "--payload", "gen:1:1"), "given twice"),
                             (("challenge", "--payload", "gen:1:1", "--out", "x", "y"), "expected, not 'y'"),
                             (("challenge", "--frob", "1"), "unknown option '--frob'"),
                             (("expected",), "missing option '--payload'"),
                             (("expected", "--payload", ""), "a value is missing"),
                             (("verify", "--blob", "x"), "missing option '--digest'")):
            self.refuses(f"usage {args!r}", reason, *args)
        for args in (("--help",), ("challenge", "--help")):
            run = self.run(*args)
            self.check(run.returncode == 0 and run.stdout.startswith(b"usage: host-ref") and not run.stderr,
                       f"help by {args!r}", run)

    def lost_output(self):
        for args in (("--help",), ("digest", "input"), ("expected", "--payload", "input")):
            self.file("input", b"x")
            with open("/dev/full", "wb") as full:
                run = self.run(*args, stdout=full)
            self.check(run.returncode == 2 and b"standard output: No space left" in run.stderr,
                       f"{args[0]}: a full disk is noticed", run)
            closed = self.run(*args, preexec_fn=lambda: os.close(1))
            self.check(closed.returncode == 2 and b"standard output: Bad file" in closed.stderr,
                       f"{args[0]}: a closed standard output is noticed", closed)
            reader, writer = os.pipe()
            os.close(reader)
            run = self.run(*args, stdout=writer)
            os.close(writer)
            self.check(run.returncode == 2 and b"standard output: Broken pipe" in run.stderr,
                       f"{args[0]}: a reader that has gone is noticed", run)
        closed = self.challenge("input", "closed", preexec_fn=lambda: os.closerange(0, 3))
        self.check(closed.returncode == 0, "challenge needs none of 0 to 2: exit 0", closed)
        self.check_set("closed", "input", b"x", 1, 0, bytes.fromhex((self.dir / "closed/challenge").read_text()))

    # ---- what a healthy machine does not do ------------------------------------------------------

    def sabotage(self):
        self.file("input", b"x" * 20000)
        self.file("growing", b"x" * 20000)
        # By a link, since the loader takes a blank in LD_PRELOAD for the end of a name.
        (self.dir / "saboteur.so").symlink_to(SABOTEUR)
        preload = {**os.environ, "LD_PRELOAD": str(self.dir / "saboteur.so")}
        base = ("challenge", "--payload", "input", "--out")
        self.challenge("input", "old")
        for n in range(1, 2 * len(NAMES) + 1):
            self.refuses(f"challenge over an old set under rename:{n}", "Input/output error", *base, "old",
                         env={**preload, "SABOTAGE": f"rename:{n}"})
        for order, reason in ([(f"rename:{2 * n}", "Input/output error") for n in range(1, len(NAMES) + 1)]
                              + [("random:1", "no random bytes"), ("random:2", "no random bytes")]
                              + [(f"update:{n}", "SHA-256 failed") for n in (1, 2, 3)]):
            self.refuses(f"challenge under {order}", reason, *base, "new", env={**preload, "SABOTAGE": order})
        run = self.run("expected", "--payload", "growing",
                       env={**preload, "SABOTAGE": "grow:1", "SABOTAGE_FILE": str(self.dir / "growing")})
        self.check(run.returncode == 2 and not run.stdout and b"changed its size" in run.stderr,
                   "a file that grows while it is read is refused", run)
        self.file("exchanged", b"x")
        run = self.run("expected", "--payload", "exchanged",
                       env={**preload, "SABOTAGE": "exchange:1", "SABOTAGE_FILE": str(self.dir / "exchanged")})
        self.check(run.returncode == 2 and not run.stdout and b"exchanged: is a FIFO" in run.stderr,
                   "a FIFO that takes the file's place before it is opened is refused", run)
        run = self.run(*base, "stopped", env={**preload, "SABOTAGE": "terminate:3"})
        self.check(run.returncode == -15, "a SIGTERM in the middle is taken in the end", run)
        self.check_set("stopped", "input", b"x" * 20000, 1, 0,
                       bytes.fromhex((self.dir / "stopped/challenge").read_text()))


def main():
    tap = Tap()
    for flavour, tool in TOOLS.items():
        if not tap.check(os.access(tool, os.X_OK), f"the {flavour} tool is built", tool):
            continue
        for part in ("digest_lengths", "digest_nist", "digest_stdin_twice", "digest_names", "digest_missing",
                     "generator", "vectors", "challenge_sets", "challenge_fresh", "header_compiles", "verify",
                     "refuse_payloads", "dashed_names", "refuse_outputs", "refuse_usage", "lost_output", "sabotage"):
            if part == "sabotage" and flavour != "plain":
                continue  # ASan insists on being the first library that is loaded
            folder = tempfile.mkdtemp(prefix="host-ref-")
            try:
                getattr(Suite(tap, flavour, folder), part)()
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                tap.check(False, f"{flavour}: {part} ran to its end", repr(error))
            finally:
                shutil.rmtree(folder)
    tap.done()


if __name__ == "__main__":
    main()
