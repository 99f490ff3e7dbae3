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
    sys.exit(HARNESSES[sys.argv[1]](sys.argv[2:]))
