#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks who includes whom (CONTRIBUTING.md, "Who may include whom").

Reads the .d files that the compiler wrote for the project's own headers, and the sources themselves for
system headers. Prints each violation and exits 1 if there is one, or if there was nothing to check.
"""
import pathlib
import re
import sys

# The rule: a part includes its own headers, abi/ and libvmo's public headers. EXCEPTIONS lists the folders and files that
# may include less or more: path of the source -> what it may include from.
PARTS = ("libvmo/tests/", "payloads/", "tests/")
COMMON = ("abi/", "libvmo/include/")
PORT = ("libvmo/src/backend.h", "libvmo/src/sizes.h", "libvmo/src/sha256_portable.h",
        "libvmo/stream/backend_stream.h", "libvmo/include/")
BACKENDS = ("neuron", "linux", "fake")
EXCEPTIONS = {
    # Less: abi depends on nothing, and host-ref shares nothing with the guest.
    "abi/": ("abi/",),
    "host-ref/": ("host-ref/",),
    "libvmo/examples/": ("libvmo/include/",),
    "libvmo/tool/": ("libvmo/tool/", "libvmo/include/"),
    # The port: the core includes the types of the backend that it is compiled for, a backend includes the port.
    "libvmo/src/": ("libvmo/src/", "libvmo/include/", *(f"libvmo/backend/{name}/be_types.h" for name in BACKENDS)),
    "libvmo/hosted/": ("libvmo/include/",),
    "libvmo/stream/": ("libvmo/stream/", "libvmo/src/", "libvmo/include/",
                       *(f"libvmo/backend/{name}/be_types.h" for name in BACKENDS)),
    "libvmo/backend/neuron/": ("libvmo/backend/neuron/", *PORT, "abi/"),
    "libvmo/backend/linux/": ("libvmo/backend/linux/", *PORT),
    "libvmo/backend/fake/": ("libvmo/backend/fake/", *PORT),
    "boot/core/": ("boot/core/", "abi/"),
    "boot/sys/": ("boot/sys/", "boot/core/", "abi/"),
    "boot/arch/": ("boot/arch/", "boot/core/", "abi/"),
    "boot/init/": ("boot/init/", "boot/arch/", "boot/core/", "abi/"),
    # More: tests include the code under test; test programs for NEURON also include the start code (payloads/crt).
    "libvmo/tests/": ("libvmo/", "abi/", "payloads/crt/"),
    "boot/tests/": ("boot/", "abi/"),
    "boot/tests/cost/": ("boot/tests/cost/", "abi/", "libvmo/include/", "payloads/crt/"),
    "boot/tests/differ/": ("boot/tests/differ/", "boot/tests/model/", "abi/", "libvmo/backend/neuron/", "payloads/crt/"),
    # Less again: the model is an independent account of the contract, so it includes the numbers and no kernel
    # header. Two files must include both: one plays the tasks on the host, the other walks the kernel's tables.
    "boot/tests/model/": ("boot/tests/model/", "abi/"),
    "boot/tests/model/model_host.c": ("boot/", "abi/"),
    "boot/tests/model/model_walk.c": ("boot/", "abi/"),
    "tests/": ("tests/", "abi/", "libvmo/include/", "boot/"),
}
ALLOWED = {part: (part, *COMMON) for part in PARTS} | EXCEPTIONS
# folder -> system headers that it may include; tests and folders not named here may include any
FREESTANDING = {"stdalign.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "string.h"}
SYSTEM = {
    "abi/": {"stdint.h", "stddef.h"},
    "libvmo/include/": {"stdint.h", "stddef.h"},
    "libvmo/src/": FREESTANDING,
    "libvmo/stream/": FREESTANDING,
    "libvmo/backend/neuron/": FREESTANDING,
    "boot/": FREESTANDING,
}
INCLUDE = re.compile(r"^\s*#\s*include\s*<([^>]+)>", re.M)


def rule_for(path, rules):
    """The rule of the innermost folder that contains the path, or None."""
    best = max((folder for folder in rules if path.startswith(folder)), key=len, default=None)
    return rules[best] if best else None


def dependencies(text):
    """(source, headers) of one .d file, without paths outside the tree."""
    words = text.replace("\\\n", " ").split("\n", 1)[0].split()[1:]
    return words[0], [w for w in words[1:] if not w.startswith("/")]


def check_depfiles(build):
    seen, bad = 0, []
    for depfile in sorted(build.rglob("*.d")):
        if not depfile.with_suffix(".o").exists():
            continue  # not of a compiler: a Debian in the build folder has such names, too
        source, headers = dependencies(depfile.read_text())
        allowed = rule_for(source, ALLOWED)
        if allowed is None:
            continue
        seen += 1
        bad += [f"{source} includes {h}" for h in headers if not h.startswith(allowed)]
    return seen, bad


def check_system_headers():
    bad = []
    for path in sorted(p for top in ("abi", "libvmo", "boot") for p in pathlib.Path(top).rglob("*.[chS]")):
        allowed = None if "tests" in path.parts else rule_for(str(path), SYSTEM)
        if allowed is not None:
            bad += [f"{path} includes <{h}>" for h in INCLUDE.findall(path.read_text()) if h not in allowed]
    return bad


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build")
    seen, bad = check_depfiles(build)
    bad += check_system_headers()
    for line in sorted(set(bad)):
        print(f"check-deps: {line}")
    if not seen:
        print(f"check-deps: no .d file below {build}: build first")
    print(f"check-deps: {seen} objects, {len(set(bad))} violations")
    return 1 if bad or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
