#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what the build and the tests need on Debian 12, then runs make with the goals given.
#   sh scripts/setup.sh [goal...]      needs root or sudo only when something is missing
set -eu
cd "$(dirname -- "$0")/.."

# package | a file or command that shows it is there | why
needs='make|make|runs the build
gcc|gcc|compiles the host tools and the host tests
libc6-dev|/usr/include/stdio.h|C library headers for the host
gcc-riscv64-unknown-elf|riscv64-unknown-elf-gcc|compiles the kernel and the payloads
picolibc-riscv64-unknown-elf|/usr/lib/picolibc/riscv64-unknown-elf/picolibc.specs|C library of the payloads
qemu-system-misc|qemu-system-riscv64|boots them
libssl-dev|/usr/include/openssl/evp.h|computes the expected digests
libcmocka-dev|/usr/include/cmocka.h|unit tests
python3|/usr/bin/python3|the judge and the test runner
clang-format|clang-format|the format check
cppcheck|cppcheck|static analysis
clang-tidy|clang-tidy|static analysis
libclang-rt-14-dev|/usr/lib/llvm-14/lib/clang/14.0.6/include/sanitizer/asan_interface.h|headers that clang-tidy reads
g++|g++|shows that the headers are C++17, too
pkgconf|pkg-config|builds the examples as a user would
mandoc|mandoc|checks the manual
gcovr|gcovr|line and branch coverage
valgrind|valgrind|the unit tests, once more, for memory errors'

present() {
    case $1 in
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing=
old_ifs=$IFS
IFS='
'
for need in $needs; do
    package=${need%%|*}
    rest=${need#*|}
    if ! present "${rest%%|*}"; then
        echo "setup: missing $package: ${rest#*|}"
        missing="$missing $package"
    fi
done
IFS=$old_ifs

as_root=
if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "setup: this is no Debian (no apt-get); install by hand:$missing" >&2
        exit 2
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "setup: not root, and there is no sudo; as root: apt-get install --no-install-recommends$missing" >&2
            exit 2
        fi
        as_root=sudo
    fi
    echo "setup: installing$missing"
    $as_root apt-get update -q
    # One word a package: the list is this script's own.
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
else
    echo "setup: nothing is missing"
fi

if [ $# -gt 0 ]; then
    exec make "$@"
fi
