#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The proof on a foreign kernel: runs that must pass, runs that must be red, and configurations that must be refused.

tests/foreign provides the kernel. A case that only needs another log judges the log of a good run with one change. A
case that depends on time uses a fake QEMU that replays such a log.
"""
import concurrent.futures
import itertools
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]
import foreign_kernel  # noqa: E402
from harness import log_watch, prepare, qemu  # noqa: E402
from judge import facts  # noqa: E402
from judge import verdict as verdicts  # noqa: E402
from tap import Tap, room  # noqa: E402

BUILD = ROOT / os.environ.get("BUILD", "build")
REPLAYER = ROOT / "tests" / "foreign" / "replay_qemu.py"
OUR_KERNEL = BUILD / "kernel" / "kernel.elf"
LAST = "SELFTEST: vmo share ok"
MAPPED = "vmo: consumer mapped ok"
BETWEEN = "\r\n[DEBUG sched] picked: pid=18 qos=Normal\r\n[INFO x] two in a row, \u2713\r\n"  # that marker and the digest's
LINGER = ["--linger", "0.3"]
PATIENT = ["--linger", "60"]  # for runs that exit, even on a busy host

# Checks that cannot be made on a kernel without audit and end: with a witness, and without.
WATCHED_UNMADE = verdicts.may_skip(facts.WATCHED) | {"work"}  # the payload is too small for `work`
UNMADE = verdicts.may_skip(facts.FOREIGN)
ALONE = ["--witness", "0"]
NO_END = {"failure-lines", "markers", "evidence"}
# What a witness sees of an init that is not the one that is judged, and of a proof that does not end.
OTHER = {"content", "digest", "page-digest", "witness"}
SEEN = {"audit-result", "content", "page-digest", "protocol", "sharing", "tasks", "views"}
CUT_OFF = {"limits", "exit-code", "markers", "evidence"}

# name: (text in the good log of a2, its replacement, red checks, text in the evidence of one of them)
RED_LOGS = {
    "a marker is missing": ("vmo: sha256 ok\r\n", "", {"markers"}, "'vmo: sha256 ok' 0 times"),
    "a marker twice": ("vmo: sha256 ok\r\n", "vmo: sha256 ok\r\n" * 2, {"markers"}, "2 times"),
    "a marker in kernel text only": ("vmo: sha256 ok", "[INFO x] vmo: sha256 ok", {"markers"},
                                            "'vmo: sha256 ok' 0 times"),
    "a marker in kernel text, too": ("vmo: sha256 ok", "[INFO x] vmo: sha256 ok\nvmo: sha256 ok", {"markers"},
                                           "in the kernel's own text"),
    "the digest's marker before another": (f"{MAPPED}{BETWEEN}vmo: sha256 ok", f"vmo: sha256 ok{BETWEEN}{MAPPED}", {"markers"},
                                           "follows 'vmo: sha256 ok'"),
    "a last marker without its newline": (LAST + "\r\n", LAST, {"markers"}, "has no newline"),
    "a payload line inside a cut marker": ("vmo: sha256 ok", "vmo: shatick\r\nvmo: more\r\n256 ok", {"markers"},
                                                         "'vmo: sha256 ok' 0 times"),
    "another count of message bytes": ("control_bytes=256", "control_bytes=255", {"evidence"}, "control_bytes=255 instead of 256"),
    "an unknown marker": ("vmo: sha256 ok", "vmo: all ok\r\nvmo: sha256 ok", {"markers"}, "unknown marker"),
    "another digest": ("digest=", "digest=00", {"evidence"}, "malformed"),
    "another challenge": ("challenge=", "challenge=" + "0" * 64 + " was=", {"evidence"}, "malformed"),
    "another length": ("len=", "len=9", {"evidence"}, "the host has"),
    "copies": ("copies=0", "copies=1", {"evidence"}, "copies=1 instead of 0"),
    "too few bytes": ("bulk_bytes=16384", "bulk_bytes=12288", {"evidence"}, "bulk_bytes=12288 instead of"),
    "another enforcer": ("enforced=kernel", "enforced=library", {"evidence"}, "enforced=library instead of"),
    "another ABI revision than the requested one": ("abi=a2", "abi=a1", {"evidence"}, "abi=a1, the host has a2"),
    "no evidence": ("vmo: evidence", "vmo: note evidence", {"evidence"}, "0 evidence lines"),
    "a panic": ("vmo: sha256 ok", "PANIC: at kmain.rs\r\nvmo: sha256 ok", {"bad-patterns"}, "PANIC: at"),
    "an exception": ("vmo: sha256 ok", "EXC: scause=0x2\r\nvmo: sha256 ok", {"bad-patterns"}, "EXC:"),
    "a task's fault": ("vmo: sha256 ok", "[USER-PF] task sepc=0x1\r\nvmo: sha256 ok", {"bad-patterns"}, "USER-PF"),
    "a kernel test fails": ("vmo: sha256 ok", "KSELFTEST: vmo zero FAIL\r\nvmo: sha256 ok", {"bad-patterns"},
                                     "vmo zero"),
    "a second start": ("vmo: sha256 ok", "OpenSBI v1.1\r\nvmo: sha256 ok", {"bad-patterns"}, "2 firmware"),
    "two starts of the kernel": ("vmo: sha256 ok", "neuron vers. 1\r\nneuron vers. 1\r\nvmo: sha256 ok",
                                 {"bad-patterns"}, "2 kernel banners"),
    "a line that can be read in two ways": ("bulk_bytes=16384\r\n", "bulk_bytes=1tick\r\n6384\r\n",
                                            {"reading", "evidence"}, "ways"),
    "a failure instead of the end": (LAST, "vmo: FAIL producer end: a handle is still open",
                                      {"failure-lines", "markers"}, "is still open"),
    "a failure in kernel text": (LAST, "[INFO x] vmo: FAIL y\r\n" + LAST, {"failure-lines"}, "FAIL y"),
    "a late marker": (LAST, LAST + "\r\nvmo: sha256 ok", {"markers"}, "2 times"),
    "a late second start": (LAST, LAST + "\r\nOpenSBI v1.1", {"bad-patterns"}, "2 firmware banners"),
    "a late audit": (LAST, LAST + "\r\naudit - begin v=2 abi=a2", {"audit-form"}, "not the audit's end"),
}
# Changes of the log that the proof must ignore.
HARMLESS = {
    "the unchanged log": ("", ""),
    "lines of the kernel's own tests": ("vmo: sha256 ok", "KSELFTEST: spawn ok\r\nSELFTEST: ipc ok\r\nvmo: sha256 ok"),
    "an end that proves nothing (K-63)": (
        "vmo: evidence", "vmo: note the consumer's end is reported as -22, which proves nothing\r\nvmo: evidence"),
    "text of an unknown shape inside a line": ("vmo: sha256 ok", "vmo: shatick 17\r\n256 ok"),
    "bytes that no payload prints": ("vmo: sha256 ok", "\u2713 \x1b[32mready\x1b[0m \x07\r\nvmo: sha256 ok"),
    "no firmware": ("OpenSBI v", "Firmware v"),
}
# Output after the last marker: text, red checks, text in the evidence of one of them.
LATE = {
    "a late failure cut by kernel text": ("vmo: FA[INFO x] y\r\nIL consumer late: x\r\n", {"failure-lines"}, "late: x"),
    "a late panic": ("\r\nPANIC: late\r\n", {"bad-patterns"}, "PANIC: late"),
}


class Result:
    """One call of the harness."""

    def __init__(self, code, output, out):
        self.code, self.output = code, output
        reports = list(out.glob("*/report.json"))
        self.report = json.loads(reports[0].read_text()) if reports else {"checks": []}
        self.checks = {check["name"]: (check["status"], check["evidence"]) for check in self.report["checks"]}
        self.log = next(iter(out.glob("*/serial.log")), None)
        self.log = self.log.read_bytes() if self.log else b""

    def names(self, status):
        return {name for name, (found, _) in self.checks.items() if found == status}

    def verdict(self):
        return self.output.splitlines()[-1] if self.output else ""


class Bench:
    """A folder with prepared proofs and kernels."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.counter = itertools.count()

    def run(self, options, out=None, **environment):
        out = out or self.folder / f"run{next(self.counter)}"
        done = subprocess.run([str(ROOT / "scripts" / "qemu-test.sh"), "--out", str(out), *LINGER, *options],
                              cwd=ROOT, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=dict(os.environ, QEMU_EXTRA="", **environment), timeout=180)
        return Result(done.returncode, done.stdout.decode(errors="replace"), out)

    def replay(self, log, late, options):
        """Runs the harness with a fake QEMU that prints this log."""
        (self.folder / "replay.log").write_bytes(log)
        environment = {"REPLAY": str(self.folder / "replay.log"), "UNTIL": LAST,
                       "SERIAL": str(self.folder / "late" / "foreign" / "serial.log"),
                       "QEMU": f"{shlex.quote(sys.executable)} -B {shlex.quote(str(REPLAYER))}"}
        if late:
            (self.folder / "late.log").write_bytes(late.encode())
            environment["LATE"] = str(self.folder / "late.log")
        shutil.rmtree(self.folder / "late", ignore_errors=True)
        return self.run(options + ALONE, self.folder / "late", **environment)

    def prepare(self, name, options=()):
        """-> (exit code, output, folder)"""
        folder = self.folder / name
        done = subprocess.run([str(ROOT / "scripts" / "proof-elf.sh"), "--out", str(folder), *options], cwd=ROOT,
                              check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=180)
        return done.returncode, done.stdout.decode(errors="replace"), folder

    def kernel(self, name, **options):
        return str(foreign_kernel.build(self.folder / name, **options))


def check_pass(tap, name, result, unmade=frozenset(WATCHED_UNMADE)):
    made = len(result.checks) - len(unmade)
    good = (result.code == 0 and result.names("not-checked") == unmade and not result.names("RED")
            and result.verdict() == f"verdict: PASS {made} checks ok, {len(unmade)} not made" and made > 8)
    tap.check(good, f"must pass: {name}", result.output)


def check_red(tap, name, result, red, words):
    """Requires exactly these red checks, and a text in the evidence of one of them."""
    found = any(words in result.checks.get(check, ("", ""))[1] for check in red)
    good = result.code == 1 and result.names("RED") == red and found
    tap.check(good, f"must be red: {name}", f"red {sorted(result.names('RED'))}, wanted {sorted(red)}, '{words}'\n"
              + result.output[-3000:])


def check_kernels(tap, bench, proof):
    """-> (kernels by ABI revision, the good log of a2) for the replays."""
    kernels = {}
    for abi_rev in ("a1", "a2"):
        kernels[abi_rev] = bench.kernel(f"kernel-{abi_rev}", abi_rev=abi_rev, init=proof / "producer.elf")
        result = bench.run(["--kernel", kernels[abi_rev], "--run", str(proof)])
        check_pass(tap, f"init built in, {abi_rev}", result)
        cut = int(result.checks["reading"][1].split(", ")[1].split()[0])
        which = "lines were" if abi_rev == "a1" else "no line was"
        tap.check((cut > 3) == (abi_rev == "a1"), f"{abi_rev}: {which} cut", result.output)
        check_pass(tap, f"init built in, --abi given, no witness, {abi_rev}",
                   bench.run(["--kernel", kernels[abi_rev], "--run", str(proof), "--abi", abi_rev, *ALONE]), UNMADE)
    argv = result.report["qemu"]["argv"]
    tap.check("-append" not in argv, "no boot arguments", argv)
    tap.check(argv[argv.index("-cpu") + 1] == "rv64", "a CPU with Zbb", argv)
    without = bench.run(["--kernel", kernels["a2"], "--run", str(proof), "--wall", "3",
                         "--qemu-extra", f"-cpu {qemu.CPU}"])
    tap.check(without.code == 1 and b"vmo: " not in without.log, "without Zbb the stand-in does not start", without.output)
    return kernels, result.log


def check_initrd(tap, bench):
    kernel = bench.kernel("kernel-initrd")
    for abi_rev in ("a1", "a2"):
        check_pass(tap, f"init by -initrd, {abi_rev}", bench.run(["--kernel", kernel, "--abi", abi_rev]))
    result = bench.run(["--kernel", kernel, "--mutant", "flipped-byte", *ALONE])
    check_red(tap, "a mutant on a foreign kernel", result, NO_END, "VMO_ERR_PROTOCOL")
    result = bench.run(["--kernel", kernel, "--qemu-extra", "-m 64M"])
    tap.check(result.code == 1 and "see MEM" in result.output and result.report["qemu"]["argv"][-2:] == ["-m", "64M"],
              "--qemu-extra reaches QEMU last, and overrides", result.output)


def check_audits(tap, bench, proof):
    """A kernel that can print an audit must print it."""
    kernel = bench.kernel("kernel-audits", init=proof / "producer.elf", audits=True)
    options = ["--kernel", kernel, "--run", str(proof)]
    unasked = {"content", "image", "work"}  # without hashes=1 it hashes nothing; the payload is too small for `work`
    result = bench.run(options + PATIENT)
    check_pass(tap, "a kernel that prints an audit and exits, with a witness", result, {"work"})
    result = bench.run(options + PATIENT + ALONE)
    check_pass(tap, "a kernel that prints an audit and exits", result, {"audit-form"} | unasked)
    log = result.log.decode("latin-1")
    forged = verdicts.judge(verdicts.load_manifest("foreign"), boot_of(proof, kernel, log),
                            prepare.load_host_facts(proof / "challenge", None))
    said = forged.outcomes["audit-form"].evidence
    tap.check(forged.names("RED") == {"audit-form"} and forged.names("not-checked") == UNMADE - {"audit-form"} and "a task printed" in said,
              "must be red: a whole audit on a kernel that has none", f"{forged.reason} {forged.outcomes}")
    without = "".join(line + "\n" for line in log.split("\n")[:-1] if not line.startswith("audit "))
    result = bench.replay(without.encode("latin-1"), "", options)
    check_red(tap, "a kernel that can print an audit and does not", result, {"exit-code", "audit-form"}, "did not")
    result = bench.replay(log.replace("prot=r ", "prot=rw ").encode("latin-1"), "", options)
    check_red(tap, "its audit says that the consumer could write", result, {"exit-code", "read-only", "seal"}, "prot=rw")
    result = bench.run(["--kernel", str(OUR_KERNEL), "--wall", "2"], QEMU=f"{sys.executable} -B {REPLAYER}",
                       REPLAY=str(bench.folder / "replay.log"))
    good = result.code == 1 and {"audit-form", "exit-code", "limits"} <= result.names("RED")
    tap.check(good, "our own kernel must always print its audit", result.output)


def check_other_init(tap, bench, proof, kernels):
    _, _, other = bench.prepare("other")
    result = bench.run(["--kernel", kernels["a2"], "--run", str(other)])
    check_red(tap, "--run names another proof than the embedded one", result, {"images", "evidence"} | OTHER, "byte for byte")
    result = bench.run(["--kernel", kernels["a2"]])
    check_red(tap, "an old proof is embedded, without --run", result, {"evidence"} | OTHER, "challenge=")
    code, _, wrong = bench.prepare("wrong", ["--wrong-digest"])
    result = bench.run(["--kernel", bench.kernel("kernel-wrong", init=wrong / "producer.elf"), "--run", str(wrong)])
    check_red(tap, "a proof with a wrong digest is embedded", result, NO_END | SEEN, "VMO_ERR_PROTOCOL")
    _, _, liar = bench.prepare("liar", ["--mutant", "store"])
    result = bench.run(["--kernel", bench.kernel("kernel-store", init=liar / "producer.elf"), "--run", str(liar)])
    check_red(tap, "a consumer that stores through its mapping", result,
              NO_END | SEEN | {"bad-patterns", "digest"}, "killed: store")
    (proof / "consumer.elf").write_bytes((proof / "consumer.elf").read_bytes() + b"x")
    result = bench.run(["--kernel", kernels["a2"], "--run", str(proof)])
    check_red(tap, "consumer.elf differs from the embedded one", result, {"images", "image"},
              "init does not contain the consumer ELF")


def boot_of(proof, kernel, log):
    """The harness's record of the good run of a2, with this log."""
    files = {"kernel": pathlib.Path(kernel), "init": proof / "producer.elf", "consumer": proof / "consumer.elf"}
    data = {name: path.read_bytes() for name, path in files.items()}
    images = {name: facts.Image(*[facts.sha256_hex(content)] * 3) for name, content in data.items()}
    return facts.Boot(platform=facts.FOREIGN, abi_rev="a2", nonce="-", log=log.encode(), exit_code=None, stopped="linger", log_cap=1 << 20,
                               seconds=1.0, images=images, init_elf=data["init"], consumer_elf=data["consumer"],
                               kernel_image=data["kernel"], built_in=True, must_audit=False)


def check_logs(tap, proof, kernel, log):
    manifest, host = verdicts.load_manifest("foreign"), prepare.load_host_facts(proof / "challenge", None)
    text = log.decode("utf-8")
    logs = {name: (*change, set(), "") for name, change in HARMLESS.items()}
    for name, (old, new, red, words) in {**logs, **RED_LOGS}.items():
        assert old in text, old
        boot = boot_of(proof, kernel, text.replace(old, new, 1))
        verdict = verdicts.judge(manifest, boot, host)
        found = verdict.names("RED")
        said = not red or any(words in verdict.outcomes[check].evidence for check in red & found)
        good = found == red and said and (verdict.word == "PASS") == (not red)
        unmade = verdict.names("not-checked") - red
        tap.check(good and unmade == UNMADE - red, f"{'red' if red else 'good'} log: {name}",
                  f"red {sorted(found)}, not checked {sorted(unmade)}: {verdict.reason}")


def check_watch(tap, log):
    """A failure line ends the wait, unless the manifest allows it."""
    bad = b"[INFO x] the panic handler stands\r\n"
    watched = []
    for allowed, first in (([], bad), ([r"\[INFO x\] the panic .*"], bad), ([], b"vmo: FAIL x\r\n"), ([], b"x\r\n")):
        watch = log_watch.proof_watch(dict(verdicts.load_manifest("foreign"), kernel_lines=allowed))
        watched.append((watch(first), watch(first + log)))
    wanted = [(True, True), (False, True), (True, True), (False, True)]
    tap.check(watched == wanted, "the lines that end the wait", str(watched))


def check_replays(tap, bench, options, log):
    """Cases that depend on time."""
    for name, (late, red, words) in LATE.items():
        check_red(tap, name, bench.replay(log, late, options + PATIENT), red, words)
    text = log.decode("utf-8")
    result = bench.replay(text.replace(LAST, "the end").encode(), "", options + ["--wall", "4"])
    check_red(tap, "no last marker", result, CUT_OFF - {"evidence"}, "wall timeout")
    result = bench.replay(text.replace(LAST, "noise " * 20000).encode(), "", options + ["--log-cap", "100000"])
    check_red(tap, "a log without end", result, CUT_OFF - {"evidence"}, "reached its cap")
    result = bench.replay(text.replace(LAST, "vmo: FAIL producer late: x").encode(), "", options)
    check_red(tap, "a failure ends the wait", result, {"markers", "failure-lines"}, "late: x")


def check_found(tap, bench, proof, kernel):
    """Without --run the harness finds the run whose producer.elf is embedded in the kernel."""
    build = bench.folder / "build"
    runs = build / "runs"
    runs.mkdir(parents=True)
    (runs / "run-0").mkdir()
    (runs / "run-1").symlink_to(proof)
    before = os.environ.get("BUILD")
    os.environ["BUILD"] = str(build)
    found = prepare.choose_kernel(kernel, None).prepared
    (runs / "run-1").unlink()
    lost = prepare.choose_kernel(kernel, None).prepared
    os.environ.pop("BUILD")
    if before is not None:
        os.environ["BUILD"] = before
    tap.check((found, lost) == (runs / "run-1", None), "finds the run whose init is embedded", (found, lost))


def check_talker(tap, bench, proof):
    """An init that has the words of an audit does not make its kernel one that prints an audit."""
    talker, kernel, found = bench.folder / "talker", bench.folder / "talker-kernel", []
    shutil.copytree(proof, talker)
    (talker / "producer.elf").write_bytes((proof / "producer.elf").read_bytes() + prepare.AUDIT_WORD)
    for own in (b"a kernel", b"a kernel" + prepare.AUDIT_WORD):
        kernel.write_bytes(own + (talker / "producer.elf").read_bytes())
        found.append(prepare.choose_kernel(str(kernel), str(talker)).audits)
    tap.check(found == [False, True], "the kernel's own words alone promise an audit", found)


def check_damaged(tap, bench, proof):
    """A prepared proof that lacks a file of its challenge, or has a folder or no digest there, is CONFIG."""
    kept, found = bench.folder / "damaged", []
    for path in sorted((proof / "challenge").iterdir()):
        for how in ("missing", "folder", "empty", "binary", "short"):
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(proof / "challenge", kept)
            data, other = path.read_bytes(), kept / path.name
            other.unlink()
            if how == "folder":
                other.mkdir()
            elif how != "missing":
                other.write_bytes({"empty": b"", "binary": b"\xff\0\n", "short": data[1:]}[how])
            try:
                prepare.load_host_facts(kept, None)
            except prepare.ConfigError as error:
                found += [(path.name, how)] if "make proof-elf" in str(error) else [(path.name, str(error))]
    read = {"blob.bin", "page.bin", "payload.bin", "payload_spec"}  # their bytes are judged
    wanted = {(name, how) for name in read for how in ("missing", "folder")}
    wanted |= {(name, how) for name in ("challenge", "digest", "page.digest") for how in ("missing", "folder", "empty", "binary", "short")}
    wanted |= {("proof", "binary"), ("proof", "empty"), ("proof", "short")}
    tap.check(set(found) == wanted, "a damaged challenge is refused by name", set(found) ^ wanted)


def check_config(tap, bench, proof, kernel):
    empty, garbage = bench.folder / "empty", bench.folder / "garbage"
    empty.write_bytes(b"")
    garbage.write_bytes(bytes(range(256)) * 64)
    built_in = ["--kernel", kernel, "--run", str(proof)]
    cases = {
        "no such kernel": (["--kernel", str(bench.folder / "none")], "is missing"),
        "a folder as kernel": (["--kernel", str(bench.folder)], "is not a file"),
        "an empty kernel": (["--kernel", str(empty)], "has 0 bytes"),
        "a kernel of random bytes": (["--kernel", str(garbage)], "is not a RISC-V ELF file"),
        "a program of the host as kernel": (["--kernel", sys.executable], "is not a RISC-V ELF file"),
        "no such prepared proof": (["--kernel", kernel, "--run", str(bench.folder / "none")], "is not a prepared proof"),
        "a prepared proof without its files": (["--kernel", kernel, "--run", str(bench.folder)],
                                                "producer.elf is missing"),
        "a prepared proof and no kernel": (["--run", str(proof)], "--run needs --kernel"),
        "both ABI revisions of one kernel": (built_in + ["--abi", "all"], "this kernel has one ABI revision"),
        "a payload for what is built in": (built_in + ["--payload", "LICENSE"], "proof-elf"),
        "a mutant for what is built in": (built_in + ["--mutant", "liar"], "proof-elf"),
        "an open quote": (["--qemu-extra", "'"], "--qemu-extra: No closing quotation"),
        "an option that QEMU does not know": (built_in + ["--qemu-extra=-none"], "QEMU refused to start"),
        "the tolerant manifest for our own kernel": (["--manifest", "foreign"], "no manifest 'foreign'"),
        "a negative linger": (["--linger", "-1"], "--linger"),
    }
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(bench.run, [options for options, _ in cases.values()]))
    for (name, (_, words)), result in zip(cases.items(), results):
        good = result.code == 2 and "verdict: CONFIG" in result.verdict() and words in result.verdict()
        tap.check(good, f"CONFIG: {name}", result.output)
    return len(cases)


def check_prepare(tap, bench, proof, said):
    good = f"EMBED_INIT_ELF={shlex.quote(str(proof / 'producer.elf'))}\n" in said and f"RUN={shlex.quote(str(proof))}" in said
    tap.check(good, "proof-elf names the file to embed and the next command", said)
    before = (proof / "producer.elf").read_bytes()
    code, said, _ = bench.prepare(proof.name)
    after = (proof / "producer.elf").read_bytes()
    tap.check(code == 0 and before != after, "proof-elf again: a new challenge in the same folder", said)
    leavings = [path.name for path in bench.folder.iterdir() if path.name.startswith((".fresh", ".old"))]
    code, said, _ = bench.prepare(proof.name, ["--payload", "none such"])
    kept = (proof / "producer.elf").read_bytes() == after
    good = code == 2 and kept and "CONFIG" in said and not leavings
    tap.check(good, "proof-elf with a refused payload changes nothing", said)
    (bench.folder / "mine").mkdir()
    (bench.folder / "mine" / "letter").write_text("dear", encoding="ascii")
    code, said, folder = bench.prepare("mine")
    tap.check(code == 2 and (folder / "letter").is_file(), "proof-elf does not touch a folder with other files", said)



def main():
    tap = Tap()
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        bench = Bench(folder)
        code, said, proof = bench.prepare("proof")
        tap.check(code == 0, "proof-elf prepares a proof", said)
        check_prepare(tap, bench, proof, said)
        kernels, log = check_kernels(tap, bench, proof)
        check_initrd(tap, bench)
        check_audits(tap, bench, proof)
        check_logs(tap, proof, kernels["a2"], log)
        check_watch(tap, log)
        check_replays(tap, bench, ["--kernel", kernels["a2"], "--run", str(proof)], log)
        check_found(tap, bench, proof, kernels["a2"])
        check_damaged(tap, bench, proof)
        check_talker(tap, bench, proof)
        configured = check_config(tap, bench, proof, kernels["a2"])
        check_other_init(tap, bench, proof, kernels)
    tap.check(len(RED_LOGS) > 20 and len(HARMLESS) > 5 and configured > 10, "all cases ran")
    tap.done()


if __name__ == "__main__":
    main()
