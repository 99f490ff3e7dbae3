# SPDX-License-Identifier: Apache-2.0
"""The page of one run of the proof: the verdict, what was seen, each check with its evidence."""
import dataclasses
import pathlib
import shlex

import list_checks
from judge import audit as audits, facts, verdict as verdicts
from judge.facts import CONSUMER_PID, PRODUCER_PID, RED
from report import frames, markup, sequence, spaces
from report.draw import counted
from report.markup import page, table, tag

CSS = pathlib.Path(__file__).with_name("page.css").read_text(encoding="utf-8")
SIZE_MAX = 300 * 1024
# How many rows of each list are shown: the first that keeps the page below SIZE_MAX.
LEVELS = (60, 20, 6)
EVIDENCE = {60: 1000, 20: 400, 6: 120}  # characters of a check's evidence
LINES_MAX, LINE_CHARACTERS, REASON_CHARACTERS = 40, 160, 600
ARGV_CHARACTERS, SPEC_CHARACTERS = 2000, 200
SHARE, STREAM, FILL = "share", "stream", "fill"
MARKS = {"PASS": "\u2713", "FAIL": "\u2717", "CONFIG": "!", "HARNESS-BUG": "!"}
STATUS = {
    facts.OK: ("good", "\u2713 ok"),
    RED: ("bad", "\u2717 RED"),
    facts.NOT_CHECKED: ("unmade", "\u2013 not made"),
}
TITLES = {"a1": "ABI revision a1", "a2": "ABI revision a2", "linux": "Two Linux processes"}
CLAIMS = {
    SHARE: "One task made a VMO out of {payload} and 32 fresh random bytes. The other mapped the "
    "same {pages}s read-only, read all of them, and answered with their SHA-256.",
    STREAM: "One task sent {payload} and 32 fresh random bytes as the frames of a stream. The "
    "other read them in the same {pages}s, mapped once and read-only, and answered with the "
    "SHA-256 of all.",
    FILL: "One task lent memory to another, which filled it with {payload} and 32 fresh random "
    "bytes. The first read them in the same {pages}s, and answered with their SHA-256.",
}
# The VMOs that go to the consumer, in this order.
NAMES = {SHARE: ("blob", "page"), STREAM: ("pool", "return page"), FILL: ("memory",)}
NOTHING = {
    "CONFIG": "Nothing was judged. The reason says what to change.",
    "HARNESS-BUG": "The harness itself failed, so nothing is known of the proof.",
}


@dataclasses.dataclass
class Boot:
    """One judged boot."""

    record: dict  # as in report.json
    column: str  # of the table of checks
    lines: list
    audit: object = None  # None: there is no record, or it is malformed
    host: object = None

    def proof(self):
        """What was proved; facts of the host that name none are of the proof of sharing."""
        return getattr(self.host, "proof", SHARE)

    def is_linux(self):
        return self.column == facts.LINUX


def title_of(boot):
    return TITLES.get(boot.record["abi"], "Another kernel")


# ---- The verdict --------------------------------------------------------------------------------
def red_checks(boots):
    """(title of the boot, check) of each red check."""
    return [
        (title_of(boot), check)
        for boot in boots
        for check in boot.record["checks"]
        if check["status"] == RED
    ]


def verdict_words(record, boots):
    if record["verdict"] == verdicts.PASS and boots and boots[0].host:
        spec, pages = (
            facts.cut(boots[0].host.spec, SPEC_CHARACTERS),
            "memfd page" if boots[0].is_linux() else "physical page",
        )
        claim = CLAIMS[boots[0].proof()]
        return tag("p", claim.format(payload=spec, pages=pages), class_="claim")
    words = [tag("p", NOTHING[record["verdict"]])] if record["verdict"] in NOTHING else []
    found = red_checks(boots)
    if not found:
        return words + [tag("p", facts.cut(record["reason"], REASON_CHARACTERS), class_="reason")]
    many = len({title for title, _ in found}) > 1 or len(boots) > 1
    items = [
        tag(
            "li",
            tag("strong", check["name"]),
            f" ({title})" if many else "",
            ": ",
            facts.cut(check["evidence"], REASON_CHARACTERS),
        )
        for title, check in found
    ]
    return words + [
        tag("p", f"{counted(len(found), 'check')} red:"),
        tag("ul", items, class_="red"),
    ]


def counts_of(boot):
    """The number of checks by outcome, in words."""
    states = [check["status"] for check in boot.record["checks"]]
    parts = [f"{states.count(facts.OK)} checks ok"]
    parts += [f"{states.count(RED)} red"] if RED in states else []
    unmade = states.count(facts.NOT_CHECKED)
    return ", ".join(parts + ([f"{unmade} not made"] if unmade else []))


def banner(record, boots):
    word = record["verdict"]
    kind = {"PASS": "good", "FAIL": "bad"}.get(word, "warn")
    said = "; ".join(f"{title_of(boot)}: {counts_of(boot)}" for boot in boots)
    mark = tag("span", MARKS[word], class_="mark", aria_hidden="true")
    return tag(
        "section",
        tag("p", mark, tag("strong", word), class_="word"),
        tag("div", verdict_words(record, boots), tag("p", said, class_="note") if said else None),
        class_=f"verdict {kind}",
        aria_label="Verdict",
    )


# ---- One boot at a glance -----------------------------------------------------------------------
def tiles_of(boot):
    """(number, words) of what the record shows, whatever the verdict says of it."""
    audit = boot.audit
    theirs = page_table(audit.maps_of(CONSUMER_PID))
    mine = page_table(audit.maps_of(PRODUCER_PID))
    same = sum(1 for key, place in theirs.items() if place is not None and mine.get(key) == place)
    records = audit.maps_of(CONSUMER_PID)
    known = [r["accessed"] for r in records if r["accessed"] is not None]
    what = "memfd pages" if boot.is_linux() else "physical pages"
    yield f"{same:,} of {len(theirs):,}", f"{what} of the consumer are the producer\u2019s own"
    total = sum(spaces.pages_in(record) for record in records)
    if boot.is_linux():
        yield f"{sum(known):,} of {total:,}", "mapped pages are in the consumer\u2019s page table"
    else:
        dirtied = sum(record["dirtied"] or 0 for record in records)
        words = f"mapped pages were read by the consumer, {dirtied:,} written"
        yield f"{sum(known):,} of {total:,}", words
    if audit["copy"]:
        copied = sum(record["into"] + record["from"] for record in audit["copy"])
        yield counted(copied, "byte"), "copied by the kernel into or out of VMOs"
    told = sum(message["len"] for message in audit["msg"])
    yield counted(told, "byte"), f"in {counted(len(audit['msg']), 'message')} between the tasks"


def page_table(records):
    """-> {(vmo, page of it): physical page, or None if two mappings disagree}"""
    table = {}
    for record in records:
        for page in range(record["bytes"] // facts.PAGE_BYTES):
            key = (record["vmo"], record["off"] // facts.PAGE_BYTES + page)
            place = record["base"] // facts.PAGE_BYTES + page
            table[key] = place if table.get(key, place) == place else None
    return table


def tiles(boot):
    found = (
        tag("li", tag("strong", number), " ", tag("span", words))
        for number, words in tiles_of(boot)
    )
    return tag("ul", found, class_="tiles")


# ---- Checks, lines, files ------------------------------------------------------------------------
def status_of(check):
    kind, words = STATUS[check["status"]]
    return tag("span", words, class_=f"status {kind}")


def coded(words):
    """A docstring's `names` as code."""
    return [tag("code", part) if n % 2 else part for n, part in enumerate(words.split("`"))]


def checks(boot, most):
    meanings = {name: meaning for name, _, meaning in list_checks.rows_of(boot.column)}
    rows = [
        [
            [tag("span", check["name"], class_="name"), tag("br"), status_of(check)],
            [
                tag("span", facts.cut(check["evidence"], EVIDENCE[most]), class_="evidence"),
                tag("span", coded(meanings.get(check["name"], "")), class_="meaning"),
            ],
        ]
        for check in boot.record["checks"]
    ]
    return table("Checks", ["check", "evidence, and when it is ok"], rows, class_="checks")


def lines(boot, most):
    """What the tasks printed: the payload's first lines, and a failed run's last ones."""
    spoken = [line for line in boot.lines if line.startswith(facts.SPOKEN)]
    last = (
        []
        if boot.record["verdict"] == verdicts.PASS
        else [
            line
            for line in boot.lines
            if line.strip() and not line.startswith((audits.PREFIX, *facts.SPOKEN))
        ][-5:]
    )
    shown = spoken[:most] + ([f"and {len(spoken) - most} more"] if len(spoken) > most else [])
    shown += ["last seen:", *last] if last else []
    if not shown:
        return None
    told = markup.lines(facts.cut(line, LINE_CHARACTERS) for line in shown)
    return [tag("h3", "What the tasks printed"), told]


def files(boot):
    rows = [[name, hashed] for name, hashed in digests(boot)]
    found = (
        [table("SHA-256 and numbers of this run", ["what", "value"], rows, class_="files")]
        if rows
        else []
    )
    argv = (boot.record.get("qemu") or {}).get("argv")
    if argv:
        found += [
            tag("h3", "The guest was started with"),
            markup.lines([facts.cut(shlex.join(map(str, argv)), ARGV_CHARACTERS)]),
        ]
    return [tag("h3", "Files")] + found if found else None


def digests(boot):
    for name, image in sorted((boot.record.get("images") or {}).items()):
        yield f"{name}, as booted" if not boot.is_linux() else f"{name}, as run", image.after
    if boot.host:
        yield "challenge", boot.host.challenge_hex
        yield "payload with challenge", boot.host.digest_hex
    if boot.host and boot.proof() == SHARE:
        yield "page", boot.host.page_digest_hex
    if boot.record.get("nonce"):
        yield "nonce of the record", boot.record["nonce"]


# ---- The page -----------------------------------------------------------------------------------
def record_of(boot, name, most):
    """What the record shows: tiles, memory, messages, frames. name: unique in the page"""
    if boot.audit is None:
        return tag("p", "There is no record of this run, so nothing can be drawn.", class_="note")
    is_linux, names = boot.is_linux(), NAMES[boot.proof()]
    memory = [
        tag("h3", "Memory"),
        spaces.picture(name, boot.audit, names, is_linux),
        spaces.legend(is_linux),
        spaces.mappings(boot.audit, names, is_linux, min(most, spaces.ROWS_MAX)),
    ]
    talk = [
        tag("h3", "Messages"),
        sequence.picture(name, boot.audit, most),
        sequence.messages(boot.audit, most),
    ]
    parts = [memory, talk]
    if boot.proof() == STREAM:
        parts[:1] = [[memory, tag("h3", "Frames"), frames.picture(name, boot.audit)]]
    shown = (tag("section", part, class_="part") for part in parts)
    return [tiles(boot), tag("div", shown, class_="parts")]


def boot_of(boot, name, most):
    return tag(
        "section",
        tag("h2", title_of(boot)),
        record_of(boot, name, most),
        tag("h3", "Each check"),
        checks(boot, most),
        lines(boot, min(most, LINES_MAX)),
        files(boot),
        class_="boot",
    )


def hatch():
    """The pattern of what was not read, for all drawings of the page."""
    lines_of_it = tag("path", d="M0 6 6 0", class_="hatch-line")
    pattern = tag(
        "pattern", lines_of_it, id="hatch", width="6", height="6", patternUnits="userSpaceOnUse"
    )
    return tag(
        "svg", tag("defs", pattern), width="0", height="0", aria_hidden="true", class_="defs"
    )


def body(record, boots, where, made, most):
    yield hatch()
    yield tag(
        "header",
        tag("p", "The libvmo proof", class_="kicker"),
        tag("h1", "One VMO, two address spaces"),
    )
    yield banner(record, boots)
    yield [boot_of(boot, f"boot{number}", most) for number, boot in enumerate(boots)]
    trace = record.get("traceback")
    yield tag(
        "section", tag("h2", "Traceback"), tag("pre", facts.cut(trace, 4000))
    ) if trace else None
    about = "docs/testing/index.md has the argument, CAVEATS.md what is not proved."
    yield tag("footer", tag("p", f"Run {where}, {made}. {about}"))


def render(record, boots, where, made):
    """-> the page's bytes. record: the run's report.json. where: its folder. made: when."""
    title = f"{record['verdict']}: the libvmo proof"
    for most in LEVELS:
        data = page(title, CSS, *body(record, boots, where, made, most)).encode()
        if len(data) <= SIZE_MAX:
            return data
    raise ValueError(f"the page has {len(data)} bytes, more than {SIZE_MAX}")
