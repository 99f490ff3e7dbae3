# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for host-ref, make and QEMU, which test the harness alone: fake_tools.py ROLE ARGUMENT...

The variable FAKE selects a fault; without it, each role works.
"""
import os
import pathlib
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fixture import CHALLENGE, DIGEST, Fixture, exit_codes  # noqa: E402  pylint: disable=wrong-import-position

MODE = os.environ.get("FAKE", "good")


def hang(with_child=False, deaf=False):
    """Writes its pid to the suite's fifo and never exits, nor does the child. Both keep the fifo open for writing."""
    for number in (signal.SIGTERM, signal.SIGINT) if deaf else ():
        signal.signal(number, signal.SIG_IGN)
    said = os.open(os.environ["FAKE_PID"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    if with_child:
        subprocess.Popen(["tail", "-f", "/dev/null"], start_new_session=True, pass_fds=[said], stdout=subprocess.DEVNULL)
    os.write(said, f"{os.getpid()}\n".encode())
    while True:
        signal.pause()


def host_ref(words):
    if MODE == "host-ref-hangs":
        hang()
    if MODE == "payload-refused":
        print("host-ref: nothing.bin: no such file", file=sys.stderr)
        sys.exit(2)
    if MODE == "host-ref-crash":
        sys.exit(70)
    host = Fixture("a2").host
    folder = pathlib.Path(words[words.index("--out") + 1])
    folder.mkdir()
    listed = ", ".join(f"0x{byte:02x}" for byte in DIGEST)
    form = f'"{DIGEST.hex()}"' if MODE == "wrong-digest-text" else f"{{{listed}}}"
    files = {"blob.bin": host.blob, "payload.bin": b"", "page.bin": host.page,
             "digest": host.digest_hex + "\n", "page.digest": host.page_digest_hex + "\n",
             "challenge": CHALLENGE.hex() + "\n", "payload_spec": host.spec,
             "expected.h": f"#define EXPECTED_DIGEST {form}\n"}
    if MODE == "no-page":
        del files["page.bin"]
    for name, data in files.items():
        (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def make(words):
    if MODE == "make-hangs":
        hang(with_child=True)
    if MODE == "build-fails":
        print("cc: no such mutant")
        sys.exit(2)
    run = next(pathlib.Path(word[len("RUN_DIR="):]) for word in words if word.startswith("RUN_DIR="))
    root = pathlib.Path(words[words.index("-C") + 1])
    (root / run / "make.words").write_text("\n".join(words), encoding="utf-8")
    fixture = Fixture("a2")
    (root / run / "producer.elf").write_bytes(fixture.init)
    (root / run / "consumer.elf").write_bytes(fixture.consumer)


def qemu_good(words, arguments):
    fixture = Fixture(arguments["abi"])
    fixture.nonce = arguments["nonce"]
    fixture.hash_vmos()
    sys.stdout.buffer.write(fixture.log())
    sys.stdout.flush()
    if MODE in ("report-in-the-way", "reports-in-the-way"):
        folder = pathlib.Path(words[words.index("-kernel") + 1]).parent
        (folder / "report.json").mkdir()
        if MODE == "reports-in-the-way":
            (folder.parent / "report.json").mkdir()
    if MODE == "page-in-the-way":
        (pathlib.Path(words[words.index("-kernel") + 1]).parents[1] / "report.html").mkdir()
    if MODE == "kernel-changes":
        pathlib.Path(words[words.index("-kernel") + 1]).write_bytes(b"another kernel")
    if MODE == "init-differs" and arguments["abi"] == "a1":
        for name in ("producer.elf", "consumer.elf"):
            path = pathlib.Path(words[words.index("-initrd") + 1]).parents[1] / name
            path.write_bytes(path.read_bytes() + b"changed for the next ABI revision")
    outcome = "done-badly" if MODE == "done-badly" else "done"
    sys.exit(0 if MODE == "exit-0" else exit_codes.number(outcome))


def qemu(words):
    if "-S" in words:
        sys.exit(1 if "zfa=off" not in words[words.index("-cpu") + 1] and MODE == "zfa-needs-f" else 0)
    if MODE == "qemu-refuses":
        print("qemu: invalid memory size", file=sys.stderr)
        sys.exit(1)
    if MODE == "too-little-memory":
        print("kernel: refused: memory: RAM is too small", flush=True)
        sys.exit(exit_codes.number("refused"))
    if MODE == "prints-forever":
        while True:
            print("vmo: note again", flush=True)
    if MODE in ("hangs", "hangs-with-child", "hangs-deaf"):
        print("vmo: note the last words", flush=True)
        hang(with_child=MODE == "hangs-with-child", deaf=MODE == "hangs-deaf")
    if MODE == "closes-its-line":
        os.close(1)
        while True:
            signal.pause()
    arguments = dict(word.split("=", 1) for word in words[words.index("-append") + 1].split())
    qemu_good(words, arguments)


if __name__ == "__main__":
    {"host-ref": host_ref, "make": make, "qemu": qemu}[sys.argv[1]](sys.argv[2:])
