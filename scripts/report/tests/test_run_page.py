#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of a run: it says what the record says, and nothing in a run can add markup to it."""
import json
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent)]

import samples  # noqa: E402  pylint: disable=wrong-import-position
from pages import Reader, faults_of  # noqa: E402  pylint: disable=wrong-import-position
from fixture import Fixture  # noqa: E402  pylint: disable=wrong-import-position
from harness import cli  # noqa: E402  pylint: disable=wrong-import-position
from report import markup, run_page, spaces  # noqa: E402  pylint: disable=wrong-import-position
from tap import Tap  # noqa: E402  pylint: disable=wrong-import-position


def check_pages(tap):
    for name, data in samples.all_pages().items():
        found = faults_of(data)
        tap.check(
            not found,
            f"the page '{name}' is well-formed, self-contained and labelled",
            "\n".join(found[:10]),
        )


def check_good(tap):
    run = Fixture("a2")
    said = Reader(samples.page_of(samples.boot_of(run))).text()
    pages = run.blob_pages + 1
    for what, words in {
        "the verdict": "PASS",
        "shared pages": f"{pages} of {pages} physical pages of the consumer are the producer\u2019s own",
        "read pages": f"{pages} of {pages} mapped pages were read by the consumer, 0 written",
        "copies": "0 bytes copied by the kernel",
        "the physical address": "0x84000000",
        "the reply": f"blob: {run.digest.hex()[:16]}\u2026",
        "the request": f"blob: handle, {len(run.blob):,} bytes",
        "a hash that did not change": "hash of VMO 1: the same",
        "a check": "messages-clean \u2713 ok",
        "a line": "vmo: producer sent handle",
        "the digest": run.digest.hex(),
    }.items():
        tap.check(words in said, f"a good page has {what}", f"{words}\n{said[:3000]}")
    told = "vmo: note 4 pages\nvmo: producer sent handle\nvmo: consumer mapped ok\nvmo: sha256 ok\n"
    printed = [
        text
        for text in Reader(samples.page_of(samples.boot_of(run))).texts
        if text.startswith(told)
    ]
    tap.check(len(printed) == 1, "what the tasks printed is there line by line")
    outcomes = run.judge().outcomes
    absent = [
        name for name, found in outcomes.items() if markup.visible(found.evidence) not in said
    ]
    tap.check(not absent, "a good page has the evidence of each check", absent)


def check_linux(tap):
    said = Reader(samples.all_pages()["linux"]).text()
    shown = ("memfd pages", "Two Linux processes", "page 0", "1 to consumer blob: handle")
    tap.check(
        all(words in said for words in shown), "a page of Linux says what Linux shows", said[:3000]
    )
    hidden = ("written", "0x84000000", "bytes copied", "not known")
    tap.check(
        not any(words in said.split("Each check")[0] for words in hidden),
        "and nothing else",
        said[:3000],
    )


def check_stream(tap):
    boot = samples.stream_boot()
    text = Reader(samples.page_of(boot)).text()
    for words in (
        "as the frames of a stream",
        "VMO 1: pool",
        "VMO 2: return page",
        "17 frames through 4 buffers",
        # By the places of the last four frames; 14 is only in what buffer 2 held last.
        "frame 14 in buffer 2; frame 15 in buffer 3; frame 16 in buffer 0; frame 17 in buffer 1",
    ):
        tap.check(words in text, f"a page of a stream has '{words}'", text[:3000])
    boot.audit["msg"][1]["head"] = boot.audit["msg"][1]["head"][:-2]
    text = Reader(samples.page_of(boot)).text()
    tap.check("No reply says which frames" in text, "a reply of another size draws no frames")


def check_red(tap):
    run = samples.red_run()
    data = samples.page_of(samples.boot_of(run))
    said = Reader(data).text()
    red = {name for name, outcome in run.judge().outcomes.items() if outcome.status == "RED"}
    tap.check({"read-only", "accessed"} <= red, "the red sample is red", red)
    tap.check(
        f"FAIL {len(red)} checks red:" in said, "a red page counts the red checks first", said[:400]
    )
    tap.check(
        b"map write part" in data and b'"hatch"' in data,
        "what was not read is hatched, what can be written has its colour",
    )
    unread = f"consumer, VMO 1, rw {run.blob_pages - 1} of {run.blob_pages} 1 "
    tap.check(unread in said, "the table has the pages that were read and written", unread)


def check_strange(tap):
    run = Fixture("a2")
    run.maps(18)[0]["base"] = hex(0x85000000)
    said = Reader(samples.page_of(samples.boot_of(run))).text()
    tap.check(
        "0x85000000, not the VMO's" in said and "not mapped" in said,
        "pages that are not the VMO's are not drawn as its own",
        said[:900],
    )


def check_hostile(tap):
    data = samples.page_of(samples.boot_of(samples.hostile_run()))
    page = Reader(data)
    tap.check(
        b"<script" not in data and b"<!--" not in data and b"<b>" not in data,
        "what a task prints, sends and is called stays text",
    )
    tap.check(
        "</pre><script>alert(1)</script><!-- <svg onload='x'>" in page.text(),
        "and is seen as it was",
        page.text()[:600],
    )
    bad = [char for char in data.decode() if char in "\x00\x1b\u202e\x7f"]
    tap.check(
        not bad and "\\x1b[31m \\u202e" in page.text(),
        "controls and marks of direction are seen, and do nothing",
        bad,
    )
    for char in map(chr, (0, 9, 10, 27, 0x7F, 0x85, 0xAD, 0x2028, 0x202E, 0x2066, 0xD800, 0xFFFE)):
        tap.check(
            markup.visible(char).isascii() and len(markup.visible(char)) > 1,
            f"U+{ord(char):04X} is made visible",
        )
    quoted = markup.tag("p", class_='"><script>')
    tap.check("<script" not in quoted, "an attribute cannot end itself", quoted)


def check_crowded(tap):
    boots = [samples.boot_of(samples.crowded_run()) for _ in range(2)]
    whole = samples.page_of(*boots)
    for boot in boots:
        for check in boot.record["checks"]:
            check["evidence"] = '"' * 1000
        boot.host.spec, boot.record["qemu"]["argv"] = "<" * 5000, ["&" * 100000]
        boot.lines = ["vmo: " + "<" * 1000] * 1000
    less = samples.page_of(*boots, word="FAIL", reason="<" * 100000)
    good = len(less) <= run_page.SIZE_MAX and not faults_of(less)
    tap.check(good, "nothing in a run makes a page too large", len(less))
    fewer = less.count(b"<tr") < whole.count(b"<tr")
    tap.check(
        fewer and any(f".. and {cut} more characters".encode() in less for cut in (600, 880)),
        "a page that would be has less of each list",
    )
    data = samples.all_pages()["crowded"]
    said = Reader(data).text()
    tap.check(len(data) <= run_page.SIZE_MAX, "a page stays below its limit", len(data))
    for words in ("more; the log has all.", "and 4"):
        tap.check(words in said, f"a list that was cut says so: '{words}'")


def check_failure(tap):
    """A page that cannot be made is a fault of ours: the run is HARNESS-BUG, and says so."""
    broken = samples.boot_of(Fixture("a2"))
    broken.record["checks"] = None
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        word = cli.write_reports(folder, "PASS", "x", None, [broken])
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        left = [path.name for path in folder.iterdir()]
    good = (
        word == report["verdict"] == "HARNESS-BUG"
        and len(cli.lost) == 1
        and "TypeError" in cli.lost[0]
    )
    tap.check(
        good and left == ["report.json"],
        "a page that cannot be made is HARNESS-BUG",
        f"{word} {cli.lost} {left}",
    )


def check_lanes(tap):
    records = [
        {"off": off * 4096, "bytes": size * 4096}
        for off, size in ((0, 4), (1, 1), (2, 2), (3, 1), (3, 1))
    ]
    placed, lanes = spaces.lanes_of(records)
    apart = all(
        one is other
        or left != right
        or one["off"] + one["bytes"] <= other["off"]
        or other["off"] + other["bytes"] <= one["off"]
        for one, left in placed
        for other, right in placed
    )
    tap.check(
        lanes == spaces.LANES_MAX and apart, "mappings of the same page lie side by side", placed
    )


def main():
    tap = Tap()
    for check in (
        check_pages,
        check_good,
        check_linux,
        check_stream,
        check_red,
        check_strange,
        check_hostile,
        check_crowded,
        check_failure,
        check_lanes,
    ):
        check(tap)
    tap.done()


if __name__ == "__main__":
    main()
