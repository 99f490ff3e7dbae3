# SPDX-License-Identifier: Apache-2.0
"""`python3 -m harness NAME [option...]`. People call it through the scripts in scripts/."""
import sys

from harness import cli, probe, proof_elf

HARNESSES = {
    "qemu": lambda words: cli.main(cli.QemuHarness, words),
    "linux": lambda words: cli.main(cli.LinuxHarness, words),
    "probe": lambda words: cli.main(probe.ProbeHarness, words),
    "proof-elf": lambda words: cli.main(proof_elf.ProofElf, words, "proof-elf"),
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in HARNESSES:
        print(f"verdict: CONFIG no such harness; choose from {', '.join(HARNESSES)}")
        sys.exit(2)
    sys.exit(HARNESSES[sys.argv[1]](sys.argv[2:]))
