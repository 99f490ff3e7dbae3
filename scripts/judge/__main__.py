# SPDX-License-Identifier: Apache-2.0
"""Entry of `python3 -m judge`; scripts/qemu-test.sh is how people call it."""
import sys

from judge import cli

if __name__ == "__main__":
    sys.exit(cli.main(sys.argv[1:]))
