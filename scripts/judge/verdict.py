# SPDX-License-Identifier: Apache-2.0
"""The table of checks, the manifests, and the verdict that follows from both."""
import collections
import json
import re
import traceback

import exit_codes
from judge import check_content as content, check_linux as linux, check_protocol as protocol
from judge import check_fill as fill, check_run as run, check_seen as seen, check_share as share
from judge import check_stream as stream, facts, noise
from judge.facts import FOREIGN, LINUX, NOT_CHECKED, OK, QEMU, RED, WATCHED, Outcome
from paths import ROOT

PASS, FAIL, CONFIG, HARNESS_BUG = "PASS", "FAIL", "CONFIG", "HARNESS-BUG"
EXIT_CODES = {PASS: 0, FAIL: 1, CONFIG: 2, HARNESS_BUG: 3}

# What a check reads. A foreign kernel may give no end, no audit, and so no records.
RUN, END, FILES, LOG, AUDIT, RECORDS, PROC = "run end files log audit records /proc".split()
TOLD = "counts"  # records that only a kernel itself can make
WITNESS = "witness"  # only where there is one
Check = collections.namedtuple("Check", ("name", "reads", QEMU, LINUX, FOREIGN, WATCHED))


def row_of(name, reads, ours, linux_s, foreign, *watched):
    """A row of CHECKS. A witness makes records: our own kernel's function then reads them."""
    watched = watched or (ours if reads == RECORDS else foreign,)
    return Check(name, reads, ours, linux_s, foreign, *watched)


# In the order of output. Tests, red logs and documents cite the names, so they do not change. Each
# platform has a column: the function that makes the check, the reason why it cannot be made, or
# None if the platform has no such check. If a foreign kernel gives what the check reads, our own
# kernel's function makes the check in spite of the reason.
# fmt: off
CHECKS = [row_of(*row) for row in (
    # name, reads; on our kernel, on Linux, on another kernel; on another with a witness, if that is
    # not what row_of says
    ("limits", RUN, run.limits, linux.limits, run.limits),
    ("exit-code", END, run.exit_code, linux.exit_code, "the kernel has no way to end QEMU"),
    ("images", FILES, run.images, run.images, run.images),
    ("input", FILES, run.input_facts, run.input_facts, run.input_facts),
    ("reading", LOG, None, None, run.reading),
    ("markers", LOG, run.markers, run.markers, run.foreign_markers),
    ("failure-lines", LOG, run.failure_lines, run.failure_lines, run.failure_lines),
    ("bad-patterns", LOG, run.bad_patterns, run.bad_patterns, run.foreign_bad_patterns),
    ("evidence", LOG, run.evidence, run.evidence, run.foreign_evidence),
    ("audit-form", AUDIT, run.audit_form, "the harness keeps the record; there is no text",
     "the kernel prints none", None),
    ("audit-complete", RECORDS, run.audit_complete, run.audit_complete, "nothing was recorded"),
    ("audit-result", RECORDS, run.audit_result, "there is no init; see exit-code and tasks",
     "the kernel does not say how init ended"),
    ("tasks", RECORDS, run.tasks, linux.tasks,
     "the kernel lists no tasks; the producer says that it waited"),
    ("digest", RECORDS, share.digest, share.digest,
     "no record of the reply; see evidence, the producer's word"),
    ("page-digest", RECORDS, share.page_digest, share.page_digest,
     "no record of the reply; the producer compared it"),
    ("messages-clean", RECORDS, share.messages_clean, linux.messages_clean, "no messages recorded"),
    ("protocol", RECORDS, protocol.protocol, linux.protocol, "no record of messages"),
    ("order", RECORDS, protocol.order, None, "no record of the order of events"),
    ("sharing", RECORDS, share.sharing, share.sharing, "no record of physical pages"),
    ("read-only", RECORDS, share.read_only, linux.read_only, "no record of mappings"),
    ("accessed", RECORDS, share.accessed, linux.accessed, "no record of page table entries"),
    ("content", RECORDS, content.content, linux.content, "no record of what the pages held"),
    ("image", RECORDS, content.image, linux.image, "no record of what was loaded"),
    ("work", RECORDS, content.work, "Linux does not count a process's instructions",
     "the kernel does not count instructions"),
    ("no-kernel-copy", RECORDS, share.no_kernel_copy, "Linux does not count copies for a process",
     "the kernel does not count what it copies"),
    ("counters", RECORDS, share.counters, share.counters,
     "no record to compare the library's counters with"),
    ("seal", RECORDS, share.kernel_seal, share.seal,
     "no record of aliases; see evidence, the library's word", seen.seal),
    ("leaks", TOLD, run.leaks,
     "Linux does not count slots and frames of a process; see descriptors",
     "the kernel does not count what is left"),
    ("hazards", TOLD, run.hazards, "no call of the kernel's contract is made",
     "the kernel records none; bad-patterns finds a panic"),
    ("authors", RECORDS, run.authors, linux.authors,
     "the kernel does not say which task wrote a line", seen.authors),
    ("views", WITNESS, seen.views, None, None, seen.views),
    ("witness", WITNESS, seen.witness, None, None, seen.witness),
    ("barriers", PROC, None, linux.barriers, None),
    ("seals", PROC, None, linux.seals, None),
    ("descriptors", PROC, None, linux.descriptors, None),
)]
# Of a stream: the rows in place of those of the same name, then the new ones; one without a
# function is no check of a stream.
STREAM_CHECKS = [row_of(*row) for row in (
    ("page-digest", RECORDS, None, None, None),
    ("protocol", RECORDS, stream.protocol, stream.protocol, "no record of messages"),
    ("order", RECORDS, stream.order, None, "no record of the order of events"),
    ("sharing", RECORDS, stream.sharing, stream.sharing, "no record of physical pages"),
    ("content", RECORDS, stream.content, stream.linux_content, "no record of what the pages held"),
    ("frames", RECORDS, stream.frames, stream.frames, "no record of the reply"),
    ("return-page", RECORDS, stream.return_page, stream.linux_return_page, "no record of mappings"),
)]
# Of a fill, likewise.
FILL_CHECKS = [row_of(*row) for row in (
    ("page-digest", RECORDS, None, None, None),
    ("protocol", RECORDS, fill.protocol, fill.protocol, "no record of messages"),
    ("order", RECORDS, fill.order, None, "no record of the order of events"),
    ("sharing", RECORDS, fill.sharing, fill.sharing, "no record of physical pages"),
    ("read-only", RECORDS, fill.read_only, fill.read_only, "no record of mappings"),
    ("content", RECORDS, fill.content, fill.linux_content, "no record of what the pages held"),
    ("seal", RECORDS, None, None, None),
    ("lending", RECORDS, fill.lending, fill.linux_lending, "no record of capabilities"),
    ("views", WITNESS, fill.views, None, None, fill.views),
    ("seals", PROC, None, None, None),
)]
# fmt: on


def replaced(rows, others):
    """The rows of a proof that differs from another in some."""
    other = {row.name: row for row in others}
    return [other.pop(row.name, row) for row in rows] + [*other.values()]


CHECKS_OF = {facts.SHARE: CHECKS, facts.STREAM: replaced(CHECKS, STREAM_CHECKS),
             facts.FILL: replaced(CHECKS, FILL_CHECKS)}
MANIFEST_CHECK = "manifest"


def names_on(platform, watched=False, proof=facts.SHARE):
    """The names of a platform's checks, in order. watched: with those that need a witness."""
    rows = [row for row in CHECKS_OF[proof] if getattr(row, platform)]
    names = [row.name for row in rows if watched or row.reads != WITNESS]
    return (MANIFEST_CHECK, *names)


def may_skip(platform, proof=facts.SHARE):
    """The checks that cannot be made on this platform."""
    return {row.name for row in CHECKS_OF[proof] if isinstance(getattr(row, platform), str)}


def make_check(row, ctx):
    made, owed = getattr(row, ctx.boot.column()), ctx.boot.must_audit
    if isinstance(made, str) and ctx.boot.platform == FOREIGN:
        gives_end = row.reads == END and (owed or ctx.boot.stopped != facts.LINGER)
        gives_audit = row.reads == AUDIT and owed or bool(ctx.told or ctx.audit_error)
        made = row.qemu if gives_end or row.reads != END and gives_audit else made
    if isinstance(made, str):
        return facts.not_checked(made)
    if (row.reads, None) in ((RECORDS, ctx.audit), (TOLD, ctx.told)):
        return facts.not_checked(f"the audit is not in form: {ctx.audit_error}")
    return made(ctx)


# ---- Manifests: what a run must show. A broken one is HARNESS-BUG --------------------------------
FOLDER = ROOT / "tests" / "qemu" / "manifests"
LISTS = ("markers", "consumer_markers", "hazards", "kernel_lines")
TEXTS = ("name", "about", "platform", "last_marker")
KEYS = {"exit_code", *TEXTS, *LISTS}
COMMENT_KEYS = {"SPDX-License-Identifier"}


class ManifestError(Exception):
    """A manifest is broken."""


def manifest_names(platform=None):
    names = sorted(path.stem for path in FOLDER.glob("*.json"))
    return [name for name in names if platform in (None, load_manifest(name)["platform"])]


def load_manifest(name):
    try:
        manifest = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{name}.json is not JSON: {error}") from error
    if faults := manifest_faults(manifest):
        raise ManifestError(f"{name}.json: {'; '.join(faults)}")
    return manifest


def is_list_of_text(value):
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


def manifest_faults(manifest):
    """It has all keys and no unknown one, different markers, and an exit code that only the guest
    can give (on Linux 0). A broken one is HARNESS-BUG."""
    if not isinstance(manifest, dict) or not manifest:
        return ["it is empty"]
    given = manifest.keys() - COMMENT_KEYS
    found = [f"key '{key}' is missing" for key in sorted(KEYS - given)]
    found += [f"key '{key}' is unknown" for key in sorted(given - KEYS)]
    found += [f"'{key}' is not text" for key in TEXTS if not isinstance(manifest.get(key, ""), str)]
    bad = [key for key in LISTS if not is_list_of_text(manifest.get(key, []))]
    return found + [f"'{key}' is not a list of strings" for key in bad] or value_faults(manifest)


def value_faults(manifest):
    """For a manifest that has all keys, texts and lists."""
    last, mine, code = manifest["last_marker"], manifest["markers"], manifest["exit_code"]
    strange = [marker for marker in manifest["consumer_markers"] if marker not in mine]
    found = [f"'{marker}' in consumer_markers is not in markers" for marker in strange]
    if not mine or not last:
        found.append("no marker is expected")
    elif len({*mine, last}) != len(mine) + 1:
        found.append("a marker is expected twice")
    if manifest["platform"] not in (QEMU, LINUX, FOREIGN):
        found.append(f"'platform' is not {QEMU}, {LINUX} or {FOREIGN}")
    elif manifest["platform"] == LINUX and repr(code) != "0":  # neither false nor 0.0
        found.append("'exit_code' is not 0, the exit status of success")
    elif manifest["platform"] != LINUX and code not in list(exit_codes.load()):
        found.append(f"'exit_code' is not an outcome of the guest ({', '.join(exit_codes.load())})")
    for pattern in manifest["kernel_lines"]:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            found.append(f"kernel_lines: '{pattern}': {error}")
    return found


# ---- The verdict -------------------------------------------------------------------------------
class Verdict:
    """PASS, FAIL, CONFIG or HARNESS-BUG, with the outcome of every check by name."""

    def __init__(self, word, reason, outcomes, trace=None):
        self.word, self.reason, self.outcomes, self.trace = word, reason, outcomes, trace
        self.audit = None  # the records that the checks read, if there are any

    def names(self, status):
        return {name for name, outcome in self.outcomes.items() if outcome.status == status}


def decide(outcomes, excused):
    """PASS if each check is ok. A check that was not made fails the run, unless it is excused."""
    red = [name for name, outcome in outcomes.items() if outcome.status == RED]
    unmade = [name for name, outcome in outcomes.items() if outcome.status == NOT_CHECKED]
    owed = [name for name in unmade if name not in excused and not outcomes[name].excused]
    if red:
        return Verdict(FAIL, f"{' '.join(red)}: {outcomes[red[0]].evidence}", outcomes)
    if owed:
        return Verdict(FAIL, f"not checked: {' '.join(owed)}", outcomes)
    made = f"{len(outcomes) - len(unmade)} checks ok"
    return Verdict(PASS, made + (f", {len(unmade)} not made" if unmade else ""), outcomes)


def judge(manifest, boot, host):
    """Judges one run. An exception in the judge is HARNESS-BUG."""
    names = names_on(boot.column(), boot.watch is not None, host.proof)
    outcomes = {name: Outcome(NOT_CHECKED, "not reached") for name in names}
    try:
        faults = "; ".join(manifest_faults(manifest))
        # A foreign kernel may have any manifest; that of another platform excuses nothing there.
        if not faults and boot.platform not in (FOREIGN, manifest["platform"]):
            faults = f"it is for {manifest['platform']}, the run is on {boot.platform}"
        if faults:
            outcomes[MANIFEST_CHECK] = facts.red(faults)
            return Verdict(HARNESS_BUG, f"manifest: {faults}", outcomes)
        if boot.platform == FOREIGN and not boot.reading:
            noise.read_boot(boot, manifest, host)
        ctx, count = facts.Context(manifest, boot, host), len(manifest["markers"]) + 1
        what = f"'{manifest['name']}': {count} markers, exit code {manifest['exit_code']}"
        rows = [row for row in CHECKS_OF[host.proof] if row.name in names]
        made = {row.name: make_check(row, ctx) for row in rows}
        is_own = manifest["platform"] == boot.platform
        excused = may_skip(boot.column(), host.proof) if is_own else ()
        verdict = decide({MANIFEST_CHECK: Outcome(OK, what), **made}, excused)
        verdict.audit = ctx.audit
        return verdict
    except Exception as error:  # pylint: disable=broad-except
        reason = f"the judge itself failed: {type(error).__name__}: {error}"
        outcomes = dict.fromkeys(names, Outcome(NOT_CHECKED, reason))
        return Verdict(HARNESS_BUG, reason, outcomes, traceback.format_exc())
