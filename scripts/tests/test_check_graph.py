#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/check-graph.py on small trees with and without faults."""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from tap import Tap  # noqa: E402

GONE = "b.c is removed after the build"
CC = os.environ.get("HOSTCC", "gcc")
PORT = {"boot/core/port.h": "void port_stop(void);\n",
        "boot/arch/stop.c": '#include "core/port.h"\nvoid port_stop(void)\n{\n}\n'}
CALLS_PORT = {"boot/core/low.c": '#include "core/port.h"\nvoid low(void);\nvoid low(void)\n{\n    port_stop();\n}\n'}


def caller(name, called):
    return f"void {name}(void);\nvoid {called}(void);\nvoid {name}(void)\n{{\n    {called}();\n}}\n"


# name -> (files, exit code, text in the output, text not in the output)
TREES = {
    "a call downwards": ({"boot/core/low.c": "void low(void);\nvoid low(void)\n{\n}\n", "boot/sys/high.c": caller("high", "low")},
                         0, "2 files, 1 arrows, 0 upward, 0 in circles", "upward:"),
    "a call upwards": ({"boot/core/low.c": caller("low", "high"), "boot/sys/high.c": "void high(void);\nvoid high(void)\n{\n}\n"},
                       1, "upward: boot/core/low -> boot/sys/high: high", "in a circle:"),
    "a header from above": ({"boot/core/low.c": '#include "sys/high.h"\nint low;\n', "boot/sys/high.h": "extern int low;\n"},
                            1, "upward: boot/core/low -> boot/sys/high: high.h", "in a circle:"),
    "a circle of two by calls": ({"boot/core/a.c": caller("a", "b"), "boot/core/b.c": caller("b", "a")},
                                 1, "in a circle: boot/core/a -> boot/core/b: b", "upward:"),
    "a circle by one header and one call": ({"boot/core/a.h": "void a(void);\n",
                                             "boot/core/a.c": '#include "core/a.h"\nvoid b(void);\nvoid a(void)\n{\n    b();\n}\n',
                                             "boot/core/b.c": '#include "core/a.h"\nvoid b(void);\nvoid b(void)\n{\n}\n'},
                                            1, "in a circle: boot/core/b -> boot/core/a: a.h", "upward:"),
    "a circle of three, and a file that only uses it": ({"libvmo/src/a.c": caller("a", "b"), "libvmo/src/b.c": caller("b", "c"),
                                                 "libvmo/src/c.c": caller("c", "a"), "libvmo/backend/linux/d.c": caller("d", "a")},
                                                1, "in a circle: libvmo/src/c -> libvmo/src/a: a", "linux/d"),
    "a declared hook": (PORT | CALLS_PORT, 0, "0 upward, 0 in circles", "upward:"),
    "a hook in a comment alone": ({"boot/core/port.h": "/* port_stop() */\n", "boot/arch/stop.c": "void port_stop(void);\nvoid port_stop(void)\n{\n}\n",
                                   "boot/core/low.c": caller("low", "port_stop")}, 1, "upward: boot/core/low -> boot/arch/stop", "in a circle:"),
    "types for the port": ({"libvmo/src/backend.h": '#include "be_types.h"\n', "libvmo/backend/linux/be_types.h": "struct own;\n",
                            "libvmo/src/a.c": '#include "backend.h"\nint a;\n'}, 0, "1 arrows, 0 upward, 0 in circles", "upward:"),
    "types from above through another header": ({"libvmo/backend/linux/be_types.h": "extern int a;\n", "libvmo/src/a.c": '#include "be_types.h"\nint a;\n'},
                                        1, "upward: libvmo/src/a -> libvmo/backend/linux/be_types: be_types.h", "in a circle:"),
    "tests do not count": ({"boot/core/a.c": caller("a", "b"), "boot/tests/core/b.c": caller("b", "a")}, 0, "0 in circles", "upward:"),
    "an object of a source that is gone": ({"boot/core/a.c": caller("a", "b"), "boot/core/b.c": caller("b", "a"), GONE: None},
                                           0, "0 in circles", "in a circle"),
    "a folder and a file of a Debian, which end in .d": ({"boot/core/a.c": caller("a", "b"), "boot/core/b.c": "void b(void);\nvoid b(void)\n{\n}\n",
                                                         "out/etc/apparmor.d/tunables": "", "out/etc/x.d": ""}, 0, "2 files, 1 arrows", "Traceback"),
    "no build": ({"boot/core/a.h": "void a(void);\n"}, 1, "build first", "upward:"),
}


def build(folder, files):
    files = {name: text for name, text in files.items() if name != GONE}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name in (name for name in files if name.endswith(".c")):
        made = folder / "out" / name.replace(".c", ".o")
        made.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([CC, "-Iboot", "-Ilibvmo/backend/linux", "-MMD", "-c", "-o", str(made), name], cwd=folder, check=True)


def main():
    tap = Tap()
    for name, (files, code, says, says_not) in TREES.items():
        with tempfile.TemporaryDirectory() as room:
            folder = pathlib.Path(room)
            build(folder, files)
            if GONE in files:
                (folder / "boot/core/b.c").unlink()
            run = subprocess.run([sys.executable, "-B", str(ROOT / "scripts/check-graph.py"), "out", "nm"], cwd=folder,
                                 capture_output=True, text=True, check=False)
            good = run.returncode == code and says in run.stdout and says_not not in run.stdout
            tap.check(good, name, run.stdout + run.stderr)
    tap.done()


if __name__ == "__main__":
    main()
