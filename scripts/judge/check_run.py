# SPDX-License-Identifier: Apache-2.0
"""Checks on the run as a whole: its limits, its exit code, its files, its input."""
from judge import exit_codes
from judge import facts
from judge.context import judged, red

NOT_THE_GUESTS = {0: "an SBI shutdown", 1: "QEMU's own error"}
PIECE_BYTES = 8  # of a secret: short enough to find one that was cut up, long enough never to match by chance
BLOCK_BYTES = 64  # of a payload
BLOCK_DISTINCT = 8  # byte values a block needs before its presence elsewhere means anything


def limits(ctx):
    boot = ctx.boot
    problems = []
    if boot.stopped == "wall":
        problems.append(f"QEMU was stopped at the wall timeout, after {boot.seconds:.1f} s")
    if boot.stopped == "log-cap" or len(boot.log) >= boot.log_cap:
        problems.append(f"the log reached its cap of {boot.log_cap} bytes")
    return judged(problems, f"{len(boot.log)} bytes of log, {boot.seconds:.2f} s")


def exit_code(ctx):
    code, wanted = ctx.boot.exit_code, exit_codes.number(ctx.manifest["exit_code"])
    if code is None:
        return red("QEMU did not end by itself")
    meanings = NOT_THE_GUESTS | exit_codes.meanings()
    meaning = meanings.get(code, "a signal" if code < 0 else "no code of the kernel's")
    return judged([] if code == wanted else [f"{code} ({meaning}) instead of {wanted}"], f"{code} ({meaning})")


def pieces(secret):
    """Every run of PIECE_BYTES in a secret: raw, and as text in either case."""
    for start in range(len(secret) - PIECE_BYTES + 1):
        piece = secret[start:start + PIECE_BYTES]
        yield piece
        yield piece.hex().encode()
        yield piece.hex().upper().encode()


def secrets_in(data, secrets):
    """Names of the secrets of which data holds a piece."""
    return [name for name, secret in secrets.items() if any(piece in data for piece in pieces(secret))]


def payload_blocks(blob):
    """The aligned blocks of a payload that could not stand elsewhere by chance."""
    blocks = {blob[start:start + BLOCK_BYTES] for start in range(0, len(blob) - BLOCK_BYTES + 1, BLOCK_BYTES)}
    return {block for block in blocks if len(set(block)) >= BLOCK_DISTINCT}


def block_found(data, blocks):
    for start in range(len(data) - BLOCK_BYTES + 1):
        if data[start:start + BLOCK_BYTES] in blocks:
            return start
    return None


def changed_images(boot, names):
    problems = []
    for name in names:
        image = boot.images[name]
        if not image.source == image.before == image.after:
            problems.append(f"{name} changed: {image.source[:12]} then {image.before[:12]} then {image.after[:12]}")
    if facts.sha256_hex(boot.consumer_elf) != boot.images["consumer"].before:
        problems.append("consumer is not the file that was hashed")
    return problems


def consumer_problems(ctx):
    """What the consumer must not know is not in its file. -> (problems, number of blocks looked for)"""
    elf = ctx.boot.consumer_elf
    problems = [f"the consumer ELF contains the {name}" for name in secrets_in(elf, ctx.host.secrets())]
    blocks = payload_blocks(ctx.host.payload) | payload_blocks(ctx.host.blob)
    where = block_found(elf, blocks)
    if where is not None:
        problems.append(f"the consumer ELF contains a block of the payload, at its byte {where}"
                        " (a payload built from the same code does that too)")
    return problems, len(blocks)


def image_text(boot, names, count):
    hashes = " ".join(f"{name}={boot.images[name].before[:12]}" for name in names)
    return f"{hashes}; none of {count} payload blocks in the consumer"


def images(ctx):
    boot, names = ctx.boot, ("kernel", "init", "consumer")
    problems = changed_images(boot, names)
    if facts.sha256_hex(boot.init_elf) != boot.images["init"].before:
        problems.append("init is not the file that was hashed")
    if not boot.consumer_elf or boot.consumer_elf not in boot.init_elf:
        problems.append("the consumer ELF does not travel inside init")
    known, count = consumer_problems(ctx)
    return judged(problems + known, image_text(boot, names, count))


def input_facts(ctx):
    """The challenge folder hangs together, and its payload is the file that was asked for."""
    host = ctx.host
    challenge = bytes.fromhex(host.challenge_hex)
    problems = []
    if len(challenge) != facts.CHALLENGE_BYTES or len(set(challenge)) < BLOCK_DISTINCT:
        problems.append("the challenge is not 32 random bytes")
    if not host.payload or host.blob != host.payload + challenge:
        problems.append("the blob is not the payload and the challenge")
    if host.page != challenge * (facts.PAGE_BYTES // facts.CHALLENGE_BYTES):
        problems.append("the page is not the challenge over and over")
    asked = host.spec.rpartition(":")[2]
    if host.spec.startswith(facts.GENERATED) and not (asked.isdigit() and int(asked) == len(host.payload)):
        problems.append(f"{len(host.payload)} bytes were generated for {host.spec}")
    if host.source is not None and host.source != host.payload:
        problems.append(f"the payload is not the content of {host.spec}")
    return judged(problems, f"{host.spec}: {len(host.payload)} bytes and {host.drawn}")
