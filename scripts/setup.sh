#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what the build and the tests need on Debian (12 and later), then runs make with the goals given.
#   sh scripts/setup.sh [goal...]          needs root or sudo only if something is missing
#   sh scripts/setup.sh --check use...     installs nothing; prints in one line what these uses lack (exit 2)
set -eu
cd "$(dirname -- "$0")/.."
LC_ALL=C
export LC_ALL
HOSTCC=${HOSTCC:-gcc}
CROSS=${CROSS:-riscv64-unknown-elf-}

# package | use | command, file or header that shows that it is installed | why. Package names are those of Debian 12 and
# 13, without versions. `make` names the uses of its goals in TOOLS_<goal>.
needs="make|host|make|runs the build
util-linux|host|flock|lets one make at a time build
gcc|host|$HOSTCC|compiles the host tools and the host tests
libc6-dev|host|stdio.h|C library headers for the host
python3|host|${PYTHON:-python3}|the judge and the test runner
gcc-riscv64-unknown-elf|target|${CROSS}gcc|compiles the kernel and the payloads
picolibc-riscv64-unknown-elf|target|/usr/lib/picolibc/riscv64-unknown-elf/picolibc.specs|C library of the payloads
libssl-dev|openssl|openssl/evp.h|computes the expected digests
qemu-system-misc|qemu|${QEMU:-qemu-system-riscv64}|boots kernel and payloads
libcmocka-dev|cmocka|cmocka.h|unit tests
g++|packaging|g++|compiles the headers as C++17
pkgconf|packaging|pkg-config|builds the examples as a user would
cmake|packaging|cmake|builds a program as a user of CMake would
mandoc|packaging|mandoc|checks the manual
locales|packaging|/usr/share/i18n/locales/tr_TR|checks that no locale changes what is installed
git|lint|git|lists the files of the tree
clang-format|lint|clang-format|the format check
cppcheck|lint|cppcheck|static analysis
shellcheck|lint|shellcheck|static analysis of the scripts
cppcheck|analyze|cppcheck|static analysis
clang-tidy|analyze|clang-tidy|static analysis
libclang-rt-dev|analyze|clang:sanitizer/asan_interface.h|headers that clang-tidy reads
gcovr|coverage|gcovr|line and branch coverage
valgrind|memcheck|valgrind|the unit tests, once more, for memory errors
clang|clang|clang|the second compiler of the host's parts
musl-tools|musl|musl-gcc|the second C library of the host's parts
gcc-aarch64-linux-gnu|armv8|${ARMCC:-aarch64-linux-gnu-gcc}|compiles for ARMv8
libc6-dev-arm64-cross|armv8|/usr/aarch64-linux-gnu/include/stdio.h|C library headers for ARMv8
qemu-user|armv8|qemu-aarch64|runs programs for ARMv8
spin|model|spin|checks the protocol of streams
debhelper|deb|dh|builds the Debian packages
lintian|deb|lintian|checks them
debootstrap|trixie|debootstrap|makes a Debian 13 to build in"

# True if $1 exists: a file, a header of the host's compiler or of any clang, or a command (its first word).
present() {
    case $1 in
    /*) [ -e "$1" ] ;;
    clang:*) for file in /usr/lib/llvm-*/lib/clang/*/include/"${1#clang:}"; do [ ! -e "$file" ] || return 0; done && false ;;
    *.h) [ -e "/usr/include/$1" ] || echo "#include <$1>" | $HOSTCC -E -x c - >/dev/null 2>&1 ;;
    *) command -v "${1%% *}" >/dev/null 2>&1 ;;
    esac
}

# Collects the missing packages of the given uses, or of all uses, and a line for each.
missing=
report=
look() {
    while IFS='|' read -r package use shows why; do
        case " $* " in
        "  " | *" $use "*) ;;
        *) continue ;;
        esac
        case " $missing " in *" $package "*) continue ;; esac
        present "$shows" && continue
        missing="$missing $package"
        report="$report${report:+, }${shows#clang:} ($why; package $package)"
    done <<NEEDS
$needs
NEEDS
}

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    sed -n '3,5s/^# //p' scripts/setup.sh
    exit 0
fi
if [ "${1:-}" = --check ]; then
    shift
    look "$@"
    [ -z "$missing" ] && exit 0
    echo "make: missing $report: run sh scripts/setup.sh" >&2
    exit 2
fi

look
if [ -n "$missing" ]; then
    echo "setup: missing $report"
    as_root=
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "setup: there is no apt-get; install by hand the packages that Debian calls$missing" >&2
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
    # Word splitting is intended: the list is this script's own.
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
else
    echo "setup: nothing is missing"
fi

if [ $# -gt 0 ]; then
    exec make "$@"
fi
