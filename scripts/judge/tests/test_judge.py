# SPDX-License-Identifier: Apache-2.0
"""The judge passes a good run and fails each case of scripts/judge/tests/red with exactly its red checks."""
import json
import os
import pathlib
import re
import sys
import tempfile
import types

sys.dont_write_bytecode = True
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parent / "red")]

from fixture import NONCE, ROOT, Fixture, noise  # noqa: E402  pylint: disable=wrong-import-position
from cases import CASES  # noqa: E402  pylint: disable=wrong-import-position
import cases_content  # noqa: E402  pylint: disable=wrong-import-position
import cases_share  # noqa: E402  pylint: disable=wrong-import-position
from harness import audit_faults  # noqa: E402  pylint: disable=wrong-import-position
from judge import audit as audit_form  # noqa: E402  pylint: disable=wrong-import-position
from judge import check_linux  # noqa: E402  pylint: disable=wrong-import-position
from judge import check_content  # noqa: E402  pylint: disable=wrong-import-position
import exit_codes  # noqa: E402  pylint: disable=wrong-import-position
from judge import facts  # noqa: E402  pylint: disable=wrong-import-position
import list_checks  # noqa: E402  pylint: disable=wrong-import-position
import siphash  # noqa: E402  pylint: disable=wrong-import-position
from judge import verdict as verdicts  # noqa: E402  pylint: disable=wrong-import-position
from judge.facts import NOT_CHECKED, OK, RED, not_checked  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap, room  # noqa: E402  pylint: disable=wrong-import-position

PAGE = ROOT / "docs" / "testing" / "index.md"
RED_FOLDER = ROOT / "scripts" / "judge" / "tests" / "red"
RED_MINIMUM = 25
UNREADABLE_EVIDENCE = ("evidence missing", "evidence twice", "evidence malformed",
                       "an evidence counter with a leading zero")


def unchecked_after(red, evidence_lost):
    """The checks that a red check leaves without input."""
    if "audit-form" in red:
        records = (verdicts.RECORDS, verdicts.TOLD)
        return {row.name for row in verdicts.CHECKS if row.qemu and row.reads in records}
    return {"counters", "seal"} if evidence_lost else set()


def unmade_on(run):
    """The checks that this run cannot make."""
    names = {"seal"} if run.abi_rev == "a1" else set()
    small = len(run.blob) < check_content.WORK_BYTES_MIN
    return names | ({"work"} if small or not run.cost_known else set())


def differences(verdict, red, unchecked):
    """Lists each check whose status is not the wanted one; empty if all agree."""
    wrong = []
    for name in verdicts.names_on(facts.QEMU):
        wanted = RED if name in red else NOT_CHECKED if name in unchecked else OK
        outcome = verdict.outcomes[name]
        if outcome.status != wanted:
            wrong.append(f"{name} is {outcome.status}, not {wanted}: {outcome.evidence}")
    return "\n".join(wrong)


def check_good(tap):
    for abi_rev in ("a1", "a2"):
        run = Fixture(abi_rev)
        verdict = run.judge()
        detail = differences(verdict, set(), unmade_on(run))
        good = verdict.word == verdicts.PASS and not detail
        tap.check(good, f"good run of {abi_rev} passes", f"{verdict.reason}\n{detail}")


def variants():
    """Good runs that differ from the usual one in a way that must not matter. -> (name, run)"""
    for name, payload in (("one byte", b"x"), ("a page and its challenge", noise("p", 4096 - 32)),
                          ("zeros", bytes(9000)), ("a MiB", noise("m", 1024) * 1024)):
        yield f"payload of {name}", Fixture("a2", payload=payload)
    run = Fixture("a2", payload=(b"ab" * 32) * 10)
    run.consumer += b"ab" * 40
    run.init += run.consumer
    yield "payload block that any file may contain", run
    run = Fixture("a2")
    run.host.source = run.payload
    yield "payload that the harness reads, too", run
    run = Fixture("a2")
    cases_share.keep_forever(run)
    run.maps(18)[0].update(state="live", ended=0)
    run.audit["vmo"].append(dict(run.audit["vmo"][1], id=3, base="0x84020000"))
    run.audit["map"].append(dict(run.maps(17)[1], vmo=3, base="0x84020000", state="live", ended=0))
    yield "sealed for ever, while another VMO stays writable", run
    run = Fixture("a2", payload=noise("c", 1024) * 64)
    run.cost_known = False
    cases_content.worked(run, 13)
    yield "another compiler's work", run
    run = Fixture("a2")
    run.audit["map"].append(dict(run.maps(18)[0], bytes=4096, accessed=0))
    yield "a second mapping of a page that was read", run
    run = Fixture("a2")
    run.console.insert(-1, "some other line")
    run.manifest["kernel_lines"] = [r"kernel: [a-z]+ \d+"]
    run.console.insert(0, "kernel: frames 8192")
    yield "lines that the manifest allows", run


def check_variants(tap):
    for name, run in variants():
        verdict = run.judge()
        detail = differences(verdict, set(), unmade_on(run))
        tap.check(verdict.word == verdicts.PASS and not detail, f"good run: {name}", f"{verdict.reason}\n{detail}")


def check_red(tap, cases):
    ran = 0
    for name, abi_revs, red, change in cases:
        for abi_rev in abi_revs:
            run = Fixture(abi_rev)
            change(run)
            verdict = run.judge()
            unchecked = unmade_on(run) | unchecked_after(red, name in UNREADABLE_EVIDENCE)
            detail = differences(verdict, red, unchecked)
            good = verdict.word == verdicts.FAIL and not detail
            tap.check(good, f"red on {abi_rev}: {name}", f"{verdict.reason}\n{detail}")
            ran += 1
    return ran


def check_files(tap):
    """Judges the logs in files, which a person might forge. The first line of each is its licence."""
    ran = 0
    for path in sorted(RED_FOLDER.glob("*.json")):
        about = json.loads(path.read_text(encoding="utf-8"))
        log = path.with_suffix(".log").read_bytes().split(b"\n", 1)[1]
        run = Fixture(about["abi"])
        run.log_edits = [lambda _, log=log: log]
        code = about.get("exit_code", run.exit_code)
        run.exit_code = exit_codes.number(code) if isinstance(code, str) else code
        verdict = run.judge()
        red = set(about["red"])
        unchecked = unmade_on(run) | unchecked_after(red, False) | set(about.get("not_checked", []))
        detail = differences(verdict, red, unchecked)
        tap.check(verdict.word == verdicts.FAIL and not detail, f"red file {path.stem}", f"{verdict.reason}\n{detail}")
        ran += 1
    return ran


def check_manifests(tap):
    for name in verdicts.manifest_names():
        faults = verdicts.manifest_faults(verdicts.load_manifest(name))
        tap.check(not faults, f"manifest {name} is valid", "\n".join(faults))
    broken = {
        "empty": lambda _: {},
        "without markers": lambda good: dict(good, markers=[]),
        "with a marker twice": lambda good: dict(good, markers=good["markers"] + good["markers"][:1]),
        "whose consumer markers are not markers of the run": lambda good: dict(good, consumer_markers=["vmo: done"]),
        "that takes QEMU's 0 for a pass": lambda good: dict(good, exit_code=0),
        "that skips a check": lambda good: dict(good, may_skip=["hazards"]),
        "with an unknown key": lambda good: dict(good, tolerant=True),
        "that is a list": lambda good: list(good),
        "whose markers are not a list": lambda good: dict(good, markers="vmo: sha256 ok"),
        "whose markers are not text": lambda good: dict(good, markers=[1]),
        "with an empty marker": lambda good: dict(good, markers=[""]),
        "whose last marker is not text": lambda good: dict(good, last_marker=1),
        "without a last marker": lambda good: dict(good, last_marker=""),
        "whose exit code is not an outcome": lambda good: dict(good, exit_code="85"),
        "whose exit code is a number": lambda good: dict(good, exit_code=exit_codes.number("done")),
        "whose exit code is true": lambda good: dict(good, exit_code=True),
        "whose exit code is a list": lambda good: dict(good, exit_code=["done"]),
        "with an invalid pattern": lambda good: dict(good, kernel_lines=["("]),
        "of an unknown platform": lambda good: dict(good, platform="none"),
        "of Linux with a guest's exit code": lambda good: dict(good, platform="linux"),
        "of Linux for a run under QEMU": lambda good: dict(good, platform="linux", exit_code=0),
        "of another kernel for a run under QEMU": lambda good: dict(good, platform="foreign"),
        "of Linux with false for 0": lambda good: dict(good, platform="linux", exit_code=False),
        "without an exit code": lambda good: {key: value for key, value in good.items() if key != "exit_code"},
    }
    for name, change in broken.items():
        run = Fixture("a2")
        run.manifest = change(run.manifest)
        verdict = run.judge()
        rest = set(verdicts.names_on(facts.QEMU)) - {"manifest"}
        detail = differences(verdict, {"manifest"}, rest)
        good = verdict.word == verdicts.HARNESS_BUG and not detail and not verdict.trace
        tap.check(good, f"a manifest {name} is HARNESS-BUG", verdict.reason)
    check_broken_keys(tap)
    check_broken_files(tap)


def check_broken_keys(tap):
    """Each key dropped, or with a value of another type, on each platform."""
    kinds, passed, made = (None, True, 1, 1.5, "x", [], [0], [[]], {}, {"x": 1}), [], 0
    for name, platform in (("proof", facts.QEMU), ("foreign", facts.FOREIGN), ("host", facts.LINUX)):
        good = verdicts.load_manifest(name)
        for key in sorted(verdicts.KEYS):
            dropped = {other: value for other, value in good.items() if other != key}
            others = [value for value in kinds if not isinstance(value, type(good[key])) or value in ([0], [[]])]
            for manifest in (dropped, *({**good, key: value} for value in others)):
                run = Fixture("a2")
                boot, run.manifest, made = run.boot(), manifest, made + 1
                boot.platform = platform
                verdict = verdicts.judge(manifest, boot, run.host)
                is_named = verdict.names(RED) == {"manifest"} and not verdict.trace and key in verdict.reason
                passed += [] if is_named else [f"{platform} {key}={manifest.get(key)}: {verdict.reason}"]
    tap.check(made > 250 and not passed, f"each of {made} manifests with a broken key is refused by name", "\n".join(passed))


def check_broken_files(tap):
    """A manifest's file with any text: what is no manifest is a named error, before anything runs."""
    kept, texts, refused = verdicts.FOLDER, ("", "[", "[" * 100000, "\xff", "null", "[]", "{}", '{"name": 1}', '"x"'), []
    with tempfile.TemporaryDirectory(dir=room()) as folder:
        verdicts.FOLDER = pathlib.Path(folder)
        for text in texts:
            (verdicts.FOLDER / "x.json").write_bytes(text.encode("latin-1"))
            try:
                verdicts.manifest_names(facts.QEMU)
            except verdicts.ManifestError as error:
                refused.append(str(error))
    verdicts.FOLDER = kept
    named = [text for text in refused if text.startswith("x.json")]
    tap.check(len(named) == len(texts), "a file that is no manifest is refused by name", "\n".join(refused))


def check_decision(tap):
    """A not-checked check fails the run unless its platform cannot make it. An exception never passes."""
    outcomes = dict(Fixture("a2").judge().outcomes, hazards=not_checked("no audit"))
    word = verdicts.decide(outcomes, verdicts.may_skip(facts.QEMU)).word
    tap.check(word == verdicts.FAIL, "a check that was not made fails the run")
    excused = verdicts.may_skip(facts.LINUX)
    tap.check(verdicts.decide(outcomes, excused).word == verdicts.PASS, "a check that the platform cannot make may be")
    run = Fixture("a2")
    run.host.challenge_hex = "not hex"
    verdict = run.judge()
    good = verdict.word == verdicts.HARNESS_BUG and verdict.trace and not verdict.names(OK)
    tap.check(good, "an exception inside the judge is HARNESS-BUG with its traceback", verdict.reason)
    run = Fixture("a2")
    run.manifest["hazards"] = ["K-29"]
    tap.check(run.judge().names(RED) == {"hazards"}, "an expected hazard that did not occur is red")
    run.audit["hazard"] = [{"pid": 17, "call": 46, "id": "K-29", "what": "x"}]
    tap.check(run.judge().word == verdicts.PASS, "an expected hazard that occurred is ok")


def check_audit_faults(tap):
    """The faults that other suites look for in an audit."""
    audit = audit_form.Audit()
    audit["result"].append({"init": "done", "status": 0})
    audit["overflow"].append({"kind": "msg", "lost": 3})
    quiet = audit_faults.hazard_faults(audit) + audit_faults.end_faults(audit, {"task"})
    tap.check(not quiet, "a good audit has no faults, nor has an overflow that is allowed", quiet)
    audit["hazard"].append({"pid": 18, "call": "5", "id": "K-64", "what": "unmapped-pointer"})
    tap.check(audit_faults.hazard_faults(audit) == ["hazard K-64 unmapped-pointer, pid 18, call 5"], "a hazard is a fault")
    overflowed = audit_faults.end_faults(audit, {"msg"}) == ["overflow of 'msg': 3 lost"]
    tap.check(overflowed, "an overflow that is not allowed is a fault")
    for key, value in (("status", 1), ("init", "faulted")):
        audit["result"][0] = {"init": "done", "status": 0, key: value}
        tap.check(len(audit_faults.end_faults(audit, ())) == 1, f"another {key} of init is a fault")


# Key 00 01 .. 0f, messages 00 01 ..: vectors of SipHash's paper (15 bytes) and its reference implementation.
SIP_KEY = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
SIP_VECTORS = {0: 0x726FDB47DD0E0E31, 1: 0x74F839C593DC67FD, 7: 0xAB0200F58B01D137, 8: 0x93F5F5799A932462,
               15: 0xA129CA6149BE45E5, 16: 0x3F2ACC7F57C29BDB, 63: 0x958A324CEB064572}


def check_siphash(tap):
    """Tests the judge's SipHash; boot/tests/core/test_siphash.c tests the kernel's with the same vectors."""
    wrong = [n for n, value in SIP_VECTORS.items() if siphash.siphash(SIP_KEY, bytes(range(n))) != value]
    tap.check(not wrong, "SipHash matches its authors' vectors", wrong)
    pages = [noise(f"page {number}", 4096) for number in range(5)]
    alone = b"".join(siphash.siphash(SIP_KEY, page).to_bytes(8, "little") for page in pages)
    tap.check(siphash.page_hashes(SIP_KEY, b"".join(pages)) == alone, "parallel and single hashing agree")
    data = b"".join(pages)[:-9]
    whole = siphash.content_hash(NONCE, data)
    key = siphash.key_of(NONCE)
    by_hand = siphash.siphash(key, siphash.page_hashes(key, data + bytes(9)))
    tap.check(whole == f"{by_hand:016x}", "a content's hash pads the last page with zeros", whole)
    most, siphash.LANES_MAX = siphash.LANES_MAX, 2
    tap.check(siphash.content_hash(NONCE, data) == whole, "a content's hash does not depend on the number of lanes")
    siphash.LANES_MAX = most


def check_table(tap):
    """Each check states when it is ok. A platform excuses exactly the checks that nobody can make there."""
    silent = [f"{platform} {name}" for platform in facts.PLATFORMS
              for proof in verdicts.CHECKS_OF for name, _, text in list_checks.rows_of(platform, proof)
              if len(text) < len("not made: x")]
    tap.check(not silent, "each check states when it is ok, or why it is not made", " ".join(silent))
    argument = PAGE.read_text(encoding="utf-8").partition("## The argument")[2].partition("The names are checks")[0]
    named = set(re.findall(r"`([a-z-]+)`", argument))
    known = {"same-elfs", verdicts.MANIFEST_CHECK} | {r.name for rows in verdicts.CHECKS_OF.values() for r in rows}
    tap.check(len(named) > 20 and named <= known, "docs/testing/index.md names checks of the table", named - known)
    tap.check(not verdicts.may_skip(facts.QEMU), "our own kernel excuses no check")
    lacking = (verdicts.END, verdicts.AUDIT, verdicts.RECORDS, verdicts.TOLD)
    wanted = {row.name for row in verdicts.CHECKS if row.qemu and row.reads in lacking}
    excused = verdicts.may_skip(facts.FOREIGN)
    tap.check(excused == wanted, "another kernel excuses the checks that read what it may not give", excused ^ wanted)


def check_barriers(tap):
    """Linux: at a barrier both processes must sleep."""
    last, early, hashed = "last", ["sent", "mapped"], "hashed"
    for state, wanted in (("S", OK), ("R", RED)):
        def barrier(lines):
            sights = {17: types.SimpleNamespace(state="S"), 18: types.SimpleNamespace(state=state)}
            return types.SimpleNamespace(printed={17: [line.encode() for line in lines]}, sights=sights)
        found = {facts.TAG_BLOB: barrier(early), facts.TAG_PAGE: barrier([*early, hashed])}
        lines = [(17, line.encode()) for line in (*early, hashed)]
        boot = types.SimpleNamespace(observed=types.SimpleNamespace(barriers=found, lines=lines))
        manifest = {"markers": [*early, hashed], "last_marker": last}
        ctx = types.SimpleNamespace(manifest=manifest, boot=boot, form=facts.FORMS[facts.SHARE])
        outcome = check_linux.barriers(ctx)
        tap.check(outcome.status == wanted, f"Linux: a process in state {state} at a barrier: {wanted}", outcome.evidence)


def main():
    tap = Tap()
    check_barriers(tap)
    if "TEST_CASE" in os.environ:  # one case, for scripts/mutants.py
        check_red(tap, [case for case in CASES if case[0] == os.environ["TEST_CASE"]])
        return tap.done()
    cases = CASES
    tap.check(len(cases) >= RED_MINIMUM, f"there are at least {RED_MINIMUM} red cases", f"{len(cases)}")
    reached = set().union(*(red for _, _, red, _ in cases)) | {"manifest"}
    missing = set(verdicts.names_on(facts.QEMU)) - reached
    tap.check(not missing, "every check has a red case", " ".join(sorted(missing)))
    check_good(tap)
    check_variants(tap)
    ran = check_red(tap, cases)
    files = check_files(tap)
    check_manifests(tap)
    check_decision(tap)
    check_audit_faults(tap)
    check_siphash(tap)
    check_table(tap)
    planned = sum(len(abi_revs) for _, abi_revs, _, _ in cases)
    tap.check(ran == planned and files >= 2, "all red cases and files ran", f"{ran} of {planned}, {files} files")
    return tap.done()


if __name__ == "__main__":
    main()
