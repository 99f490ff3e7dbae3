#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boots each program of payloads/evil on both ABI revisions and compares its output and its hazards in the audit.

A program prints the kernel's answers; its output proves that the kernel survived. If a case lists no hazard for a
revision, the program must cause none there. hazards.tsv describes the programs.
"""
import concurrent.futures
import dataclasses
import pathlib
import re
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts/judge/tests")]
import guest_boot  # noqa: E402
from fixture import Fixture  # noqa: E402
import exit_codes  # noqa: E402
from judge import verdict as verdicts  # noqa: E402
from tap import Tap  # noqa: E402

ELFS = guest_boot.BUILD / "target" / "payloads" / "evil"
SOURCES = guest_boot.ROOT / "payloads" / "evil"
TABLE = pathlib.Path(__file__).resolve().parent / "hazards.tsv"
REVISIONS = ("a1", "a2")
PC = re.compile(r"pc=0x[0-9a-f]+")
# The ISA allows va=0 or va=pc after an ebreak. QEMU 8 and later give va=pc.
EBREAK = re.compile(r"(breakpoint fault) va=(0x[0-9a-f]+) pc=\2\b")
RESULTS = {"done": ("done", 0), "done-badly": ("done", 5), "watchdog": ("watchdog", 0)}

END_LINES = ("kernel: watchdog", "kernel: init failed", "kernel: task")

ALONE = ("K-55", "blocks-alone")
ENDS = ("K-61", "ends-while-all-others-block")
UNMAPPED = ("K-64", "unmapped-pointer")
READ_ONLY = ("K-64", "protected-pointer")
SPACES = ("K-17", "one-address-space-too-many")
ARENA = ("K-20", "crosses-the-mapped-arena")
ELF_TYPE = ("K-13", "elf-type-not-looked-at")
INIT, CHILD, SECOND = 17, 18, 19
FAULT = "fault"


def each(value):
    return {abi_rev: value for abi_rev in REVISIONS}


def hazards(pid, pair, *calls):
    """One hazard of this kind for each call."""
    return [(pid, str(call), *pair) for call in calls]


def killed(pid, fault, va="0x0"):
    return f"kernel: pid={pid} killed: {fault} fault va={va} pc=..."


@dataclasses.dataclass
class Case:
    """The expected output of a program and its hazards in the audit, by ABI revision."""
    output: dict
    hazards: dict
    outcome: str = "done"  # the name of the run's exit code
    result: tuple = ()  # in the audit, if the outcome does not determine it
    watchdog_ms: int = 500


def dies(fault, what, va="0x0"):
    """Init starts one child, which a trap kills, and waits for it."""
    return Case(each([killed(CHILD, fault, va), "wait 18"]), each(hazards(CHILD, ("K-64", what), FAULT)))


POINTERS = ["vmo_write", "exec elf", "exec_v2 elf", "exec_v2 name", "send hdr", "send buf", "recv hdr", "recv buf",
            "recv_v2 desc", "recv_v2 hdr", "recv_v2 buf", "recv_v2 sender_id"]
POINTER_CALLS = (6, 13, 17, 17, 14, 14, 18, 18, 26, 26, 26, 26)
POINTERS_A2 = ["cap_query", "debug_write", "vmo_read"]
READ_ONLYS = ["recv hdr", "recv buf", "recv_v2 sender_id"]
READ_ONLYS_A2 = ["cap_query", "vmo_read"]
LAST_PAGE = "up to the last page 2"
# Kernel code, the frames and the UART, which the kernel maps in every address space.
REACHES = [(fault, va) for va in (0x80200000, 0x80400000, 0xC0000000) for fault in ("load", "store", "fetch")]
REACHES += [("store", 0xC0001000)]  # the finisher, which stops QEMU


def answers(answer, names):
    return [f"{name} {answer}" for name in names]


CASES = {
    "evil_storm": Case(each(["answered 10001", "getpid 17"]), each(hazards(INIT, ("K-03", "storm"), 25))),
    "evil_elf_type": Case(each(["type -22", "machine -22", "version -22"]),
                          each(hazards(INIT, ELF_TYPE, 13, 13, 17))),
    "evil_spaces_create": Case({"a1": ["made 13", "one more: 0"], "a2": ["made 13", "one more: 1"]},
                               {"a1": hazards(INIT, SPACES, 9), "a2": []}),
    "evil_spaces_exec": Case({"a1": ["refused 13", "exec -12", "exec_v2 -12"],
                              "a2": ["refused 13", "exec -1", "exec_v2 -1"]},
                             {"a1": hazards(INIT, SPACES, 13, 17), "a2": []}),
    "evil_tables": Case({"a1": ["mapped 203", "one more -12", "in a table that exists 0"],
                         "a2": ["mapped 0", "one more -38", "in a table that exists -38"]},
                        {"a1": hazards(INIT, ("K-17", "page-tables-run-out"), 4), "a2": []}),
    "evil_arena_create": Case({"a1": [LAST_PAGE, "across -1", "across, to no slot -1", "the last page 3"],
                               "a2": [LAST_PAGE, "across 3", "across, to no slot -1", "the last page 4"]},
                              {"a1": hazards(INIT, ARENA, 5, 5), "a2": []}),
    "evil_arena_exec": Case({"a1": [LAST_PAGE, "exec -1"], "a2": [LAST_PAGE, "exec 18", "resume 0", "wait 18"]},
                            {"a1": hazards(INIT, ARENA, 13), "a2": []}),
    "evil_destroy_mapped": Case({"a1": ["as_map 0", "destroy -38"], "a2": ["as_map 0", "destroy -16"]},
                                {"a1": [], "a2": hazards(INIT, ("K-29", "destroys-what-as_map-shows"), 46)}),
    "evil_destroy_sent": Case({"a1": ["send 0", "destroy -38", "receive 0", "close 0", "destroy -38"],
                               "a2": ["send 0", "destroy -1", "receive 0", "close 0", "destroy 0"]},
                              {"a1": [], "a2": hazards(INIT, ("K-29", "destroys-what-a-message-carries"), 46)}),
    "evil_blocks_alone": Case(each(["recv -22", "recv_v2 -22", "recv until a deadline -110", "send 0",
                                    "send to the full queue -22", "recv what was sent 0"]),
                              each(hazards(INIT, ALONE, 18, 26, 18, 14))),
    "evil_waits_alone": Case(each(["wait -22", "send 0", "wait 18"]), each(hazards(INIT, ALONE, 12))),
    "evil_watches_the_dead": Case(each(["create_for 2", "poll -11", "recv -22", "wait 18"]),
                                  each(hazards(INIT, ALONE, 18))),
    "evil_waits_for_fault": Case(each([killed(CHILD, "load"), "wait 18"]),
                                 each(hazards(INIT, ("K-60", "waits-for-a-faulted-child"), 12))),
    "evil_waits_for_exit": Case(each(["wait 18"]), each([])),
    "evil_blocks_at_exit": Case(each(["recv -22", "wait 18", "recv until a deadline -110", "wait 19"]),
                                {"a1": hazards(CHILD, ENDS, 11) + hazards(SECOND, ENDS, 11),
                                 "a2": hazards(CHILD, ENDS, 11)}),
    "evil_blocks_at_fault": Case(each([killed(CHILD, "load"), "recv -22", "wait 18"]),
                                 each(hazards(CHILD, ENDS, FAULT))),
    "evil_unmapped": Case({"a1": answers(-22, POINTERS) + answers(-38, POINTERS_A2),
                           "a2": answers(-22, POINTERS + POINTERS_A2)},
                          {"a1": hazards(INIT, UNMAPPED, *POINTER_CALLS),
                           "a2": hazards(INIT, UNMAPPED, *POINTER_CALLS, 28, 44, 47)}),
    "evil_readonly": Case({"a1": answers(-22, READ_ONLYS) + answers(-38, READ_ONLYS_A2) + ["constant 1"],
                           "a2": answers(-22, READ_ONLYS + READ_ONLYS_A2) + ["constant 1"]},
                          {"a1": hazards(INIT, READ_ONLY, 18, 18, 26),
                           "a2": hazards(INIT, READ_ONLY, 18, 18, 26, 28, 47)}),
    "evil_illegal": dies("illegal-instruction", "illegal-instruction"),
    "evil_float": dies("illegal-instruction", "illegal-instruction", "0x7053"),
    "evil_ebreak": dies("breakpoint", "breakpoint"),
    "evil_misaligned": dies("other", "other", "0x20008002"),
    "evil_init_exits": Case(each(["exits with 5"]), each(hazards(INIT, ("K-65", "init-exits"), 11)), "init-ended",
                            ("exited", 5)),
    "evil_init_faults": Case(each(["loads from 805306368", killed(INIT, "load", "0x30000000")]),
                             each(hazards(INIT, ("K-65", "init-faults"), FAULT)), "init-ended", ("faulted", -22)),
    "evil_spins": Case({"a1": [], "a2": ["yield 18"]}, each([]), "watchdog", watchdog_ms=20),
    "evil_fails_beside": Case({"a1": ["wait 18"], "a2": ["wait 18", "fails beside 20"]}, each([]), "done-badly",
                              watchdog_ms=5000),
    "evil_kernel_memory": Case(each([line for number, (fault, va) in enumerate(REACHES)
                                     for line in (killed(CHILD + number, fault, hex(va)), f"wait {CHILD + number}")]),
                               each([])),
    "evil_harmless": Case(each(["NULL -22", "the end of user memory -22", "no bytes 0", "slot before pointer -1",
                                "wait 18", killed(19, "load"), "wait 19", "recv on the watch -3", "wait 20",
                                killed(21, "load"), "recv on the watch -3", "wait 21", "poll -11",
                                "answered 10001"]), each([])),
}


def boot(name, abi_rev):
    return guest_boot.start(ELFS / f"{name}.elf", abi_rev, CASES[name].watchdog_ms)


def console_lines(ran):
    """Lines of the program and of the kernel, except the kernel's lines about the end of the run."""
    lines = [PC.sub("pc=...", EBREAK.sub(r"\1 va=0x0 pc=0x0", line))
             for line in ran.console if line.startswith(("evil: ", "kernel: "))]
    return [line.removeprefix("evil: ") for line in lines if not line.startswith(END_LINES)]


def check_run(tap, name, abi_rev, ran):
    case = CASES[name]
    wanted = case.result or RESULTS[case.outcome]
    code = exit_codes.number(case.outcome)
    lines = console_lines(ran)
    tap.check(ran.ran.exit_code == code and lines == case.output[abi_rev],
              f"{name} on {abi_rev}: the kernel survives and answers as expected",
              f"exit {ran.ran.exit_code} ({ran.ran.stopped}), {lines}\nexpected {code}, {case.output[abi_rev]}")
    if ran.audit is None:
        tap.check(False, f"{name} on {abi_rev}: hazards", ran.faults)
        return
    found = [(record["pid"], record["call"], record["id"], record["what"]) for record in ran.audit["hazard"]]
    result = ran.audit.one("result")
    good = (found == case.hazards[abi_rev] and not ran.audit["overflow"]
            and (result["init"], result["status"]) == wanted)
    tap.check(good, f"{name} on {abi_rev}: exactly {len(case.hazards[abi_rev])} hazards",
              f"{found}, {result}\nexpected {case.hazards[abi_rev]}, {wanted}")


def check_judge(tap, name, abi_rev, ran):
    """A hazard makes the judge's check red, and fails the run."""
    run = Fixture(abi_rev)
    boot_facts = dataclasses.replace(run.boot(), nonce=ran.nonce, log=ran.ran.log, exit_code=ran.ran.exit_code)
    verdict = verdicts.judge(run.manifest, boot_facts, run.host)
    outcome = verdict.outcomes["hazards"]
    wanted = [f"{pid} call {call} {statement} {what}" for pid, call, statement, what in CASES[name].hazards[abi_rev]]
    good = verdict.word == verdicts.FAIL and all(text in outcome.evidence for text in wanted)
    tap.check(good and outcome.status == ("RED" if wanted else "ok"),
              f"{name} on {abi_rev}: the judge's check is {'red and names the hazard' if wanted else 'green'}",
              f"{verdict.word} {outcome}")


def tabled():
    """Reads hazards.tsv. -> the programs, and each hazard (program, revision, statement, what)."""
    rows = [line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    records = {(name, abi_rev, statement, what) for name, statement, what, on, *_ in rows for abi_rev in REVISIONS
               if abi_rev in on.split(", ")}
    return {row[0] for row in rows}, records


def check_names(tap):
    """Requires for each program a case here and a row in hazards.tsv with the same hazards, and the reverse."""
    sources = {path.stem for path in SOURCES.glob("evil_*.c")}
    listed, stated = tabled()
    wanted = {(name, abi_rev, *record[2:]) for name, case in CASES.items() for abi_rev in REVISIONS
              for record in case.hazards[abi_rev]}
    tap.check(sources == set(CASES) and len(sources) > 20, "each program has a case", sources ^ set(CASES))
    tap.check(listed == sources, "each program has a row in hazards.tsv", listed ^ sources)
    tap.check(stated == wanted, "hazards.tsv has the hazards of the cases", sorted(stated ^ wanted))
    kernel = "\n".join(path.read_text(encoding="utf-8") for room in ("core", "sys")
                       for path in (guest_boot.ROOT / "boot" / room).glob("*.c"))
    raised = {word for call in re.findall(r"audit_hazard\(([^;]*)\);", kernel) for word in re.findall(r'"([^"]+)"', call)}
    caused = {word for case in CASES.values() for records in case.hazards.values() for record in records
              for word in record[2:]}
    tap.check(len(raised) > 15 and raised <= caused, "each hazard in the kernel's source has a program",
              raised - caused)


def main():
    tap = Tap()
    runs = {}
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        waiting = {(name, abi_rev): pool.submit(boot, name, abi_rev) for name in CASES for abi_rev in REVISIONS}
        for (name, abi_rev), future in waiting.items():
            runs[name, abi_rev] = future.result()
            check_run(tap, name, abi_rev, runs[name, abi_rev])
    for name, abi_rev in (("evil_storm", "a2"), ("evil_waits_for_fault", "a1"), ("evil_harmless", "a2")):
        check_judge(tap, name, abi_rev, runs[name, abi_rev])
    check_names(tap)
    tap.done()


if __name__ == "__main__":
    main()
