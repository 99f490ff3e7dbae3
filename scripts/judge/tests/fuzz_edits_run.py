# SPDX-License-Identifier: Apache-2.0
"""The fuzzer's edits of a run's facts and of the harness's observations on Linux."""
import copy

import exit_codes
from judge import facts
import fuzz_edits
from fuzz_edits import edit


# ---- Facts of the run ------------------------------------------------------------------------------
def flip(data, rng):
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:]


def other_digit(text, rng):
    at = rng.randrange(len(text))
    return text[:at] + rng.choice([digit for digit in fuzz_edits.HEX.decode() if digit != text[at]]) + text[at + 1:]


@edit("fact")
def change_exit_code(run, rng):
    if run.boot.platform != facts.QEMU:
        return None
    codes = [code.number for code in exit_codes.load().values()] + [None, 0, 1, -9, 84, 255]
    run.boot.exit_code = rng.choice([code for code in codes if code != run.boot.exit_code])
    return f"the exit code is {run.boot.exit_code}"


@edit("fact")
def stop_run(run, rng):
    stopped = rng.choice((facts.WALL, facts.LOG_CAP))
    if run.boot.observed:
        run.boot.observed.stopped = stopped
    run.boot.stopped = stopped
    return f"stopped: {stopped}"


@edit("fact")
def lower_cap(run, rng):
    if run.boot.observed:
        return None
    run.boot.log_cap = rng.randrange(1, len(run.log) + 1)
    return f"the log's cap is {run.boot.log_cap}"


@edit("fact")
def change_image_hash(run, rng):
    name, when = rng.choice(sorted(run.boot.images)), rng.choice(("source", "before", "after"))
    image = run.boot.images[name]
    setattr(image, when, other_digit(getattr(image, when), rng))
    return f"hash `{when}` of {name} is {getattr(image, when)}"


@edit("fact")
def change_elf(run, rng):
    name = "consumer_elf" if run.boot.platform == facts.LINUX else rng.choice(("init_elf", "consumer_elf"))
    setattr(run.boot, name, flip(getattr(run.boot, name), rng))
    return f"one bit of {name}"


@edit("fact")
def change_kernel(run, rng):
    if not run.boot.built_in:
        return None
    run.boot.kernel_image = flip(run.boot.kernel_image, rng)
    return "one bit of the kernel"


@edit("fact")
def change_input(run, rng):
    name = rng.choice(("payload", "blob", "page"))
    setattr(run.host, name, flip(getattr(run.host, name), rng))
    return f"one bit of the host's {name}"


@edit("fact")
def change_host_hex(run, rng):
    name = rng.choice(("challenge_hex", "digest_hex", "page_digest_hex"))
    setattr(run.host, name, other_digit(getattr(run.host, name), rng))
    return f"{name} is {getattr(run.host, name)}"


@edit("fact")
def change_length(run, rng):
    if not run.host.spec.startswith(facts.GENERATED):
        return None
    run.host.spec += rng.choice("0123456789x")
    return f"the payload is {run.host.spec}"


@edit("fact")
def change_nonce(run, rng):
    if run.boot.platform != facts.QEMU:
        return None
    run.boot.nonce = other_digit(run.boot.nonce, rng)
    return f"the nonce is {run.boot.nonce}"


@edit("fact")
def change_revision(run, _):
    if run.boot.platform == facts.LINUX:
        return None
    run.boot.abi_rev = "a1" if run.boot.abi_rev == "a2" else "a2"
    return f"ABI revision {run.boot.abi_rev} was asked for"


@edit("fact")
def change_seconds(run, rng):
    run.boot.seconds = rng.random()
    return f"the run took {run.boot.seconds} s"


@edit("fact")
def change_manifest(run, rng):
    manifest = run.manifest
    key = rng.choice(sorted(manifest))
    value = manifest[key]
    if isinstance(value, list):
        value = list(value)
        if value and rng.random() < 0.7:
            at = rng.randrange(len(value))
            value[at:at + 1] = rng.choice(([], [value[at] + "x"], [value[at]] * 2))
        else:
            value.append(rng.choice(("x", "K-29", *manifest["markers"])))
    elif value == 0 or isinstance(value, int):
        value = 1
    else:
        value = rng.choice((value + "x", value[1:], "done-badly", facts.QEMU, facts.LINUX, facts.FOREIGN))
    said = f"the manifest's {key} is {value!r}, not {manifest[key]!r}"
    manifest[key] = value
    return said


@edit("fact")
def drop_manifest_key(run, rng):
    key = rng.choice(sorted(run.manifest))
    del run.manifest[key]
    return f"the manifest has no {key}"


# ---- The harness's observations on Linux -----------------------------------------------------------
def barrier_of(run, rng):
    tag = rng.choice(sorted(run.seen.barriers))
    return tag, run.seen.barriers[tag]


@edit("linux")
def delete_packet(run, rng):
    packet = run.seen.packets.pop(rng.randrange(len(run.seen.packets)))
    return f"a packet less: {packet}"


@edit("linux")
def duplicate_packet(run, rng):
    at = rng.randrange(len(run.seen.packets))
    run.seen.packets.insert(at, copy.deepcopy(run.seen.packets[at]))
    return f"packet {at} twice"


@edit("linux")
def swap_packets(run, rng):
    one, two = rng.sample(range(len(run.seen.packets)), 2)
    packets = run.seen.packets
    packets[one], packets[two] = packets[two], packets[one]
    return f"packets {one} and {two} swapped"


@edit("linux")
def change_packet(run, rng):
    at = rng.randrange(len(run.seen.packets))
    packet = run.seen.packets[at]
    packet.data = flip(packet.data, rng) if rng.random() < 0.8 else packet.data[:-1]
    return f"packet {at} is {packet.data.hex()}"


@edit("linux")
def change_packet_way(run, rng):
    at = rng.randrange(len(run.seen.packets))
    packet = run.seen.packets[at]
    if rng.random() < 0.5:
        packet.sender, packet.receiver = packet.receiver, packet.sender
        return f"packet {at} went the other way"
    packet.delivered = not packet.delivered
    return f"packet {at} was not delivered"


@edit("linux")
def change_held(run, rng):
    carrying = [packet for packet in run.seen.packets if packet.held]
    packet = rng.choice(carrying)
    held, what = packet.held[0], rng.choice(("gone", "twice", "identity", "size"))
    if what == "gone":
        packet.held.clear()
    elif what == "twice":
        packet.held.append(copy.copy(held))
    elif what == "identity":
        held.identity = "00:01 1"
    else:
        held.size += rng.choice((1, 4096, -4096))
    return f"the descriptor of a packet: {what}"


@edit("linux")
def delete_barrier(run, rng):
    tag = barrier_of(run, rng)[0]
    del run.seen.barriers[tag]
    return f"no barrier {tag}"


@edit("linux")
def change_state(run, rng):
    tag, barrier = barrier_of(run, rng)
    who = rng.choice(sorted(barrier.sights))
    barrier.sights[who].state = rng.choice("RDZTX-")
    return f"at barrier {tag} {who} was in state {barrier.sights[who].state}"


@edit("linux")
def change_exe(run, rng):
    tag, barrier = barrier_of(run, rng)
    who = rng.choice(sorted(barrier.sights))
    sight = barrier.sights[who] if rng.random() < 0.6 else run.seen.children[who].at_exit
    sight.image = rng.choice((None, "", other_digit(sight.image, rng)))
    return f"the image of {who}, by barrier {tag} or at its end, is {sight.image!r}"


@edit("linux")
def change_mapping(run, rng):
    tag, barrier = barrier_of(run, rng)
    who = rng.choice(sorted(barrier.sights))
    shared = [m for m in barrier.sights[who].mappings if m.perms[3] == "s"]
    mapping = rng.choice(shared if rng.random() < 0.8 and shared else barrier.sights[who].mappings)
    what = rng.choice(("perms", "off", "size", "identity", "present", "gone", "twice", "name"))
    before = str(mapping)
    if what == "perms":
        at = rng.randrange(4)
        mapping.perms = mapping.perms[:at] + rng.choice("rwxps-") + mapping.perms[at + 1:]
    elif what in ("off", "size"):
        setattr(mapping, what, max(0, getattr(mapping, what) + rng.choice((4096, -4096))))
    elif what == "present":
        mapping.present = rng.choice((None, 0, (mapping.present or 0) + 1, max(0, (mapping.present or 0) - 1)))
    elif what == "identity":
        mapping.identity = rng.choice([m.identity for m in barrier.sights[who].mappings] + ["00:01 1"])
    elif what == "name":
        mapping.name += "x"
    elif what == "gone":
        barrier.sights[who].mappings.remove(mapping)
    else:
        barrier.sights[who].mappings.append(copy.copy(mapping))
    return f"at barrier {tag} a mapping of {who}: {what}: {before} -> {mapping}"


@edit("linux")
def change_descriptors(run, rng):
    who = rng.choice(sorted(run.seen.children))
    tag, barrier = barrier_of(run, rng)
    sight = barrier.sights[who] if rng.random() < 0.7 else run.seen.children[who].at_exit
    found, what = rng.choice(sight.descriptors), rng.choice(("identity", "number", "gone", "twice", "name"))
    if what == "identity":
        found.identity = "00:01 1"
    elif what == "number":
        found.number += rng.choice((1, 10))
    elif what == "name":
        found.name += "x"
    elif what == "gone":
        sight.descriptors.remove(found)
    else:
        sight.descriptors.append(copy.copy(found))
        sight.descriptors[-1].number = 9
    return f"a descriptor of {who}, at barrier {tag} or its end: {what}: {found}"


@edit("linux")
def map_at_end(run, rng):
    who = rng.choice(sorted(run.seen.children))
    shared = [m for m in run.seen.barriers[1].sights[who].mappings if m.perms[3] == "s" and "memfd" in m.name]
    if not shared:
        return None
    run.seen.children[who].at_exit.mappings.append(copy.copy(rng.choice(shared)))
    return f"{who} still maps an object at its end"


@edit("linux")
def change_seals(run, rng):
    tag, barrier = barrier_of(run, rng)
    identity = rng.choice(sorted(barrier.seals))
    seals = set(barrier.seals[identity] or ())
    name = rng.choice(("seal", "shrink", "grow", "write", "future-write"))
    barrier.seals[identity] = seals ^ {name}
    return f"at barrier {tag} the seals of {identity} were {sorted(seals ^ {name})}"


@edit("linux")
def change_content(run, rng):
    tag, barrier = barrier_of(run, rng)
    identity = rng.choice(sorted(barrier.contents))
    data = barrier.contents[identity]
    barrier.contents[identity] = rng.choice((None, data[:rng.randrange(len(data))], flip(data, rng), flip(data, rng)))
    return f"at barrier {tag} {identity} held other bytes"


@edit("linux")
def change_printed(run, rng):
    tag, barrier = barrier_of(run, rng)
    who = rng.choice(sorted(barrier.printed))
    lines = barrier.printed[who]
    if lines and rng.random() < 0.5:
        line = lines.pop(rng.randrange(len(lines)))
        return f"at barrier {tag} {who} had not printed {line!r}"
    line = rng.choice([line for _, line in run.seen.lines])
    lines.append(line)
    return f"at barrier {tag} {who} had printed {line!r}"


@edit("linux")
def change_status(run, rng):
    who = rng.choice(sorted(run.seen.statuses))
    run.seen.statuses[who] = rng.choice((None, 1, -9, -11, 255))
    return f"{who} ended with {run.seen.statuses[who]}"


@edit("linux")
def add_stray(run, _):
    run.seen.strays[4711] = "sleep"
    return "a process was left running"


@edit("linux")
def change_output(run, rng):
    lines = run.seen.lines
    at = rng.randrange(len(lines))
    who, line = lines[at]
    what = rng.choice(("who", "gone", "twice", "swap", "text", "text", "insert", "byte"))
    if what == "who":
        lines[at] = (35 - who, line)
    elif what == "gone":
        lines.pop(at)
    elif what == "twice":
        lines.insert(at, lines[at])
    elif what == "swap":
        other = rng.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    elif what == "text":
        lines[at] = (who, change_line(line, rng))
    elif what == "byte":
        lines[at] = (who, line + bytes([rng.randrange(128, 256)]))
    else:
        lines.insert(at, (who, rng.choice(fuzz_edits.INSERTS)))
    return f"output line {at} of {who}, {line!r}: {what}, now {lines[min(at, len(lines) - 1)]}"


def change_line(line, rng):
    at = rng.randrange(len(line))
    return line[:at] + bytes([rng.randrange(32, 127)]) + line[at + 1:]
