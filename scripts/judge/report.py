# SPDX-License-Identifier: Apache-2.0
"""Shows a verdict on the terminal, and keeps it as JSON for other programs."""
import json

from judge import proof
from judge import supervise
from judge import verdict as verdicts

NAME_WIDTH = max(len(name) for name in verdicts.CHECK_NAMES)
STATUS_WIDTH = len("not-checked")
LAST_SEEN_LINES = 5


def say(text):
    """One line; what a guest printed is shown in ASCII whatever it holds."""
    print(text.encode("ascii", "backslashreplace").decode("ascii"), flush=True)


def show_log(ctx_lines, markers, whole):
    """The markers as they came, or the whole serial log."""
    for line in ctx_lines:
        if whole or line in markers or line.startswith(proof.FAIL_PREFIX):
            say(line)


def show_checks(verdict):
    for name, outcome in verdict.outcomes.items():
        say(f"check {name:<{NAME_WIDTH}} ... {outcome.status:<{STATUS_WIDTH}}  {outcome.evidence}")


def show_last_seen(lines):
    """What a failed run printed last, before its audit."""
    spoken = [line for line in lines if line.strip() and not line.startswith("audit ")]
    for line in spoken[-LAST_SEEN_LINES:]:
        say(f"last seen: {line[:160]}")


def write_json(path, record):
    supervise.write_whole(path, (json.dumps(record, indent=2, sort_keys=True) + "\n").encode())


def check_records(verdict):
    return [{"name": name, "status": outcome.status, "evidence": outcome.evidence}
            for name, outcome in verdict.outcomes.items()]


def boot_record(verdict, boot, manifest_name, argv, spec):
    return {
        "verdict": verdict.word,
        "reason": verdict.reason,
        "traceback": verdict.trace,
        "age": boot.age,
        "nonce": boot.nonce,
        "manifest": manifest_name,
        "payload_spec": spec,
        "qemu": {"argv": argv, "exit_code": boot.exit_code, "stopped": boot.stopped,
                 "seconds": round(boot.seconds, 3), "log_bytes": len(boot.log)},
        "images": {name: vars(image) for name, image in boot.images.items()},
        "checks": check_records(verdict),
    }


def said(lines):
    return [line.decode("latin-1") for line in lines]


def sight_record(sight, known):
    return {"state": sight.state,
            "descriptors": [f"{found.number} {found.access} {found.name}" for found in sight.descriptors],
            "mappings": [f"{mapping.perms} off={mapping.off} bytes={mapping.size} present={mapping.present}"
                         f" dev={mapping.identity.major}:{mapping.identity.minor} inode={mapping.identity.inode}"
                         for mapping in sight.mappings if mapping.identity in known]}


def barrier_record(barrier):
    return {"tag": barrier.tag,
            "processes": {str(number): sight_record(sight, barrier.seals)
                          for number, sight in barrier.sights.items()},
            "printed": {str(number): said(lines) for number, lines in barrier.printed.items()},
            "seals": {str(identity.inode): sorted(names or ()) for identity, names in barrier.seals.items()}}


def packet_record(packet):
    return {"from": packet.sender, "to": packet.receiver, "len": len(packet.data), "head": packet.data[:64].hex(),
            "descriptors": [held.identity.inode for held in packet.held], "delivered": packet.delivered}


def host_record(verdict, boot, manifest_name, spec):
    """The report of a run on Linux, with what was observed at each barrier."""
    observed = boot.observed
    return {
        "verdict": verdict.word,
        "reason": verdict.reason,
        "traceback": verdict.trace,
        "age": boot.age,
        "manifest": manifest_name,
        "payload_spec": spec,
        "run": {"statuses": {str(number): status for number, status in observed.statuses.items()},
                "stopped": observed.stopped, "seconds": round(observed.seconds, 3),
                "left_running": sorted(observed.strays.values())},
        "images": {name: vars(image) for name, image in boot.images.items()},
        "packets": [packet_record(packet) for packet in observed.packets],
        "barriers": [barrier_record(barrier) for barrier in observed.barriers.values()],
        "checks": check_records(verdict),
    }
