# SPDX-License-Identifier: Apache-2.0
"""Shows a verdict on the terminal, and keeps it as JSON for other programs."""
import json

from judge import proof
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
    for name in verdicts.CHECK_NAMES:
        outcome = verdict.outcomes[name]
        say(f"check {name:<{NAME_WIDTH}} ... {outcome.status:<{STATUS_WIDTH}}  {outcome.evidence}")


def show_last_seen(lines):
    """What a failed run printed last, before its audit."""
    spoken = [line for line in lines if line.strip() and not line.startswith("audit ")]
    for line in spoken[-LAST_SEEN_LINES:]:
        say(f"last seen: {line[:160]}")


def write_json(path, record):
    path.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")


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
        "checks": [{"name": name, "status": verdict.outcomes[name].status,
                    "evidence": verdict.outcomes[name].evidence} for name in verdicts.CHECK_NAMES],
    }
