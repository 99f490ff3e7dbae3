# SPDX-License-Identifier: Apache-2.0
"""The commands of the documents that test_documents.py cannot run, each with its reason, and what
the others need and print."""

CI = "a goal of CI's own"          # .ci/run makes this goal
SUITE = "a suite of `make test`"   # a .mk file names this program
KERNEL = "needs a kernel of your own"
APT = "installs packages; CI begins and ends with it"
PAIR = "waits for the command in the other terminal"
DEBIAN = "builds for minutes, and tries packages as root on two other Debians"
FIGURE = "measures for minutes; figures.md has the result"

NOT_RUN = {
    "sh scripts/setup.sh run-qemu": APT,
    "sh scripts/setup.sh test": APT,
    "make check-docs": CI,
    "make lint": CI,
    "make test": CI,
    "make test-host HOSTCC=clang BUILD=build-clang": CI,
    "make check-musl": CI,
    "make check-armv8": CI,
    "make check-trixie": CI,
    "make model": CI,
    "make analyze": CI,
    "make coverage": CI,
    "make memcheck": CI,
    "make mutants": CI,
    "make property": CI,
    "make soak": CI,
    "make fuzz-judge SEED= EDITS=": CI,
    "make test-fast": "a part of `make test`",
    "make test-errno": "a part of `make test`",
    "make all && python3 libvmo/tests/conformance/test_conformance.py": SUITE,
    "make all && python3 boot/tests/evil/test_evil.py": SUITE,
    "python3 tests/foreign/test_foreign.py": SUITE,
    "python3 libvmo/tests/growth/test_growth.py --table": SUITE,
    "python3 scripts/judge/tests/test_hostile.py --show": SUITE,
    "make run-elf": "the harness makes it, with RUN_DIR=",
    "make deb": DEBIAN,
    "make check-deb": DEBIAN,
    "make clean; time make -j2": "removes the build that the other commands use",
    "make errno-full": FIGURE,
    "make bench-host": FIGURE,
    "make cost-record": "rewrites files of the tree",
    "make SHA256_ISA=zbb": "builds everything anew, for other processors",
    "make differ": "200 boots, as `make soak`",
    "make run-qemu KERNEL=path/to/neuron-boot": KERNEL,
    "make run-qemu KERNEL=<the kernel's file>": KERNEL,
    "make run-qemu KERNEL=$NEURON/target/riscv64imac-unknown-none-elf/release/neuron-boot": KERNEL,
    "vmo run config.json -- sh -c 'head -c $VMO_LEN_1 <&$VMO_FD_1'": "needs a file of yours",
    "vmo recv /tmp/s -o copy": PAIR,
    "vmo send /tmp/s original": PAIR,
    "cd $NEURON": KERNEL,
    "EMBED_INIT_ELF=/.../build/neuron/producer.elf cargo build -p neuron-boot"
    " --target riscv64imac-unknown-none-elf --release": KERNEL,
    "make test-abi KERNEL=path": KERNEL,
    "make test-abi KERNEL=path PROBE=probe2": KERNEL,
    "make test-abi KERNEL=path [QEMU_EXTRA=\"...\"]": KERNEL,
    "make differ KERNEL=path ABI=a1 SEEDS=20": KERNEL,
    "make differ KERNEL=path ABI=a2 LEAVE_OUT=vmo_destroy,cap-move": KERNEL,
}

# What a reader puts in: a text of a command, and what the test puts there.
PLACEHOLDERS = (
    ("FILE...", "LICENSE"),
    ("PREFIX=/usr/local", "PREFIX=/usr/local DESTDIR=\"$STAGE\""),
    ("SPEC", "gen:7:4097"),
    ("hello.elf", "\"$PROGRAMS/hello.elf\""),
    ("DIR", "\"$ROOM\""),
)

# Commands that end with another code than 0: a mutant is a FAIL, and the replay is of a fault.
EXPECTED = {
    "build/san/boot/tests/model/test_model_core --replay"
    " 'boot=a2 seed=2 ops=42 fault=3 keep=15,19,30,37'": 1,
    "scripts/qemu-test.sh --mutant liar": 1,
    "scripts/host-test.sh --mutant leak": 1,
}

# What a command prints, where its document says so: a line of the output begins with this.
PRINTS = {
    "make run-qemu PAYLOAD=/usr/bin/env ABI=all": "verdict: PASS",
    "make run-qemu PAYLOAD=gen:7:4194304": "verdict: PASS",
    "make run-host PAYLOAD=/usr/bin/env": "verdict: PASS",
    "make proof-elf": "EMBED_INIT_ELF=",
    "cc hello_share.c $(pkg-config --cflags --libs libvmo)": "hello",
}
