# SPDX-License-Identifier: Apache-2.0
"""Pages of every kind, from the judge's fixture: good runs, a red one, a hostile one, one without a record."""
import functools
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path[:0] = [
    str(ROOT / "scripts" / "judge" / "tests"),
    str(ROOT / "scripts" / "judge" / "tests" / "red"),
    str(ROOT / "scripts"),
]

from fixture import Fixture, message, noise  # noqa: E402  pylint: disable=wrong-import-position
from judge import facts  # noqa: E402  pylint: disable=wrong-import-position
from report import (
    figures,
    figures_page,
    frames,
    run_page,
)  # noqa: E402  pylint: disable=wrong-import-position

WHERE, MADE = "build/runs/run-sample", "2026-01-01 00:00 UTC"
HOSTILE = "</pre><script>alert(1)</script><!-- <svg onload='x'> \" & \x1b[31m \u202e ]]> "


def boot_of(run, **more):
    """A boot of the page, from a fixture."""
    verdict, boot = run.judge(), run.boot()
    record = {
        "verdict": verdict.word,
        "reason": verdict.reason,
        "abi": run.abi_rev,
        "nonce": boot.nonce,
        "images": boot.images,
        "checks": [{"name": name, **vars(found)} for name, found in verdict.outcomes.items()],
        "qemu": {"argv": ["qemu-system-riscv64", "-append", "abi=a2 nonce=" + boot.nonce]},
    }
    return run_page.Boot(record, facts.QEMU, boot.lines()[0], verdict.audit, run.host, **more)


def page_of(*boots, word=None, reason=None, trace=None):
    record = {
        "verdict": word
        or max(
            (boot.record["verdict"] for boot in boots), key=("PASS", "FAIL", "HARNESS-BUG").index
        ),
        "reason": reason or "; ".join(boot.record["reason"] for boot in boots),
        "traceback": trace,
    }
    return run_page.render(record, boots, WHERE, MADE)


def red_run():
    """The consumer left one page unread, wrote one, and a VMO was mapped by a third task."""
    run = Fixture("a2")
    run.maps(18)[0].update(accessed=run.blob_pages - 1, dirtied=1, prot="rw")
    run.audit["task"].append(
        {"pid": 19, "parent": 17, "state": "live", "end": "none", "status": 0, "name": "-"}
    )
    return run


def hostile_run():
    """A task printed markup and sent it."""
    run = Fixture("a2")
    run.console.insert(0, "vmo: " + HOSTILE.encode("ascii", "ignore").decode())
    run.audit["task"][1]["name"] = "<b>&quot;"
    run.add_message(17, 18, HOSTILE.encode()[:100])
    run.host.spec = HOSTILE
    return run


def crowded_run():
    """More of everything than a page shows."""
    run = Fixture("a2", payload=noise("p", 80000))
    for number in range(3, 400):
        run.audit["vmo"].append(
            {
                "id": number,
                "creator": 17,
                "base": hex(0x84000000 + number * 4096),
                "bytes": 4096,
                "state": "live",
            }
        )
        run.audit["map"].append(
            {
                **run.maps(18)[0],
                "pid": 17 + number % 3,
                "vmo": number,
                "bytes": 4096,
                "accessed": number % 2,
                "base": hex(0x84000000 + number * 4096),
            }
        )
        run.add_message(17, 18, noise(str(number), 128))
    run.console += ["vmo: " + "w" * 500] * 500
    return run


def linux_boot():
    """What Linux shows: no order but that of messages, no pages written, no copies."""
    boot = boot_of(Fixture("a2"))
    boot.column, boot.record["abi"] = facts.LINUX, "linux"
    for kind in ("copy", "hash", "say"):
        boot.audit.records[kind] = []
    for kind, gone in (("map", ("made", "ended")), ("hand", ("seq",)), ("msg", ("seq", "sent"))):
        for record in boot.audit[kind]:
            record.update({"dirtied": None} if kind == "map" else {})
            for key in gone:
                del record[key]
    return boot


def stream_boot():
    """The records of a proof of streams: 17 frames through four buffers."""
    run = Fixture("a2")
    boot = boot_of(run)
    boot.host.proof = run_page.STREAM
    fields = (run.digest, 0, 0, 0, 17, 16, 17, 14, 15, 0, 1, 2, 3, 1, 1)
    body = frames.REPLY.pack(*fields)
    data = message(facts.KIND_DATA, 1, body)
    reply = {"from": 18, "to": 17, "len": len(data), "head": data.hex(), "moved": "none"}
    boot.audit.records["msg"] = [
        boot.audit["msg"][0],
        {**boot.audit["msg"][1], **reply},
    ]
    return boot


def costs():
    return figures.read_costs(ROOT / "boot" / "tests" / "cost")


def figures_sample():
    """A page with figures of every kind."""
    heads = {
        "command": "make bench-host",
        "made": MADE,
        "machine": "a processor, 2 processors",
        "title": "Messages",
    }
    host = [
        figures.Row(f"{exchange}, {size} bytes", step, way, "ns", 900 * k, 1000 * k, 1500 * k)
        for exchange in ("fresh", "resend")
        for size in (4096, 65536)
        for k, step in ((1, "create"), (12, "map and fill"), (700, "all"))
        for way in ("by hand", "libvmo")
    ]
    sizes = [
        figures.Row("one shot", f"{size:,} bytes", way, "us", size / 9, size / 8, size / 6)
        for size in (65536, 8388608)
        for way in ("vmo_write", "view", "vmo_copy", "read to view")
    ]
    growth = [
        figures.Row(
            f"{kernel} kernel", call, str(count), "instructions", *(400 + rise * count**0.5,) * 3
        )
        for kernel in ("fake", "Linux")
        for call, rise in (("create", 0), ("send", 0.01), ("a call with a long name", 0.04))
        for count in (16, 1000, 15000, 100000, 1048512)
    ]
    records = [
        figures.Record(name, {**heads, "title": title}, rows)
        for name, title, rows in (
            ("bench-host", "Messages", host),
            ("bench-bytes", "Filling", sizes),
            ("growth", "Growth", growth),
        )
    ]
    return figures_page.render(records, costs(), MADE)


@functools.lru_cache(maxsize=None)
def all_pages():
    """-> {name: the page's bytes}"""
    none = boot_of(Fixture("a1"))
    none.audit = None
    return {
        "good": page_of(boot_of(Fixture("a1")), boot_of(Fixture("a2"))),
        "stream": page_of(stream_boot()),
        "linux": page_of(linux_boot()),
        "red": page_of(boot_of(red_run())),
        "hostile": page_of(boot_of(hostile_run())),
        "crowded": page_of(boot_of(crowded_run()), boot_of(crowded_run())),
        "no-record": page_of(none),
        "config": page_of(
            word="CONFIG", reason="the payload none cannot be read: No such file or directory"
        ),
        "figures": figures_sample(),
        "bug": page_of(word="HARNESS-BUG", reason="ValueError: x", trace="Traceback:\n  a\n  b"),
    }
