# SPDX-License-Identifier: Apache-2.0
"""Replaces QEMU with a kernel that never exits: prints the file FAKE_LOG, writes its pid to FAKE_PID, and hangs."""
import os
import pathlib
import sys
import time

if "-S" in sys.argv:
    sys.exit(0)  # the harness asks which CPU this QEMU accepts
if os.environ.get("FAKE_REFUSES"):
    print("qemu: invalid memory size", file=sys.stderr)
    sys.exit(1)
if os.environ.get("FAKE_PID"):
    pathlib.Path(os.environ["FAKE_PID"]).write_text(str(os.getpid()), encoding="ascii")
print(" ".join(sys.argv[1:]))
sys.stdout.flush()
sys.stdout.buffer.write(pathlib.Path(os.environ["FAKE_LOG"]).read_bytes())
sys.stdout.flush()
time.sleep(600)
