#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs libvmo's packages from a folder, uses them as their users would, and purges them. For a fresh Debian, as root
# (`make check-deb`).
#   try-deb.sh folder
set -eu
LC_ALL=C
DEBIAN_FRONTEND=noninteractive
export LC_ALL DEBIAN_FRONTEND

refuse() {
    echo "try-deb: $1" >&2
    exit 1
}

# The files of these packages, and of nothing else that is installed.
ours() {
    find / -xdev \( -path /proc -o -path /src -o -path /deb -o -path /tmp \) -prune -o \
        \( -name '*libvmo*' -o -name 'vmo*' -o -path '*/vmo/*' \) -print |
        grep -v -e ^/var/cache/apt -e '^/usr/share/bash-completion$' -e /var/log/ || true
}

[ -z "$(ours)" ] || refuse "something of libvmo is here already: $(ours)"
apt-get update -q
rm -f "$1"/*-dbgsym_*.deb
apt-get install -q -y --no-install-recommends gcc g++ libc6-dev make pkgconf cmake man-db "$1"/*.deb

work=$(mktemp -d)
cd "$work"

# A C program, by pkg-config.
cp /usr/share/doc/libvmo-dev/examples/hello_share.c .
# shellcheck disable=SC2046  # words of pkg-config
cc hello_share.c $(pkg-config --cflags --libs libvmo) -o hello_share
[ "$(./hello_share)" = hello ] || refuse "hello_share does not print hello"

# The same by CMake, and a C++ program.
cat >CMakeLists.txt <<'LISTS'
cmake_minimum_required(VERSION 3.18)
project(user C CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(libvmo 0.4 REQUIRED)
add_executable(user hello_share.c)
add_executable(raii /src/libvmo/tests/packaging/raii_user.cpp)
target_link_libraries(user vmo::vmo)
target_link_libraries(raii vmo::vmo_static)
LISTS
{ cmake -S . -B out && cmake --build out; } >cmake.log || refuse "CMake: $(cat cmake.log)"
[ "$(out/user)" = hello ] || refuse "the CMake program does not print hello"
[ "$(out/raii)" = "through C++, C++, Through" ] || refuse "the C++ program prints something else"

printf 'sealed\n' >file
vmo sum file | sha256sum -c || refuse "vmo sum prints something else"
# shellcheck disable=SC2016  # the variables are for the command
[ "$(vmo run file -- sh -c 'head -c $VMO_LEN_1 <&$VMO_FD_1')" = sealed ] || refuse "vmo run hands nothing over"

man -w 3 vmo_create vmo_send >man.log || refuse "a manual page is missing: $(cat man.log)"
man -w 1 vmo >man.log || refuse "vmo(1) is missing: $(cat man.log)"

# A program for NEURON.
mkdir neuron
cp /usr/share/doc/libvmo-riscv64-neuron-dev/examples/* neuron
make -C neuron
riscv64-unknown-elf-readelf -h neuron/hello.elf | grep -q RISC-V || refuse "hello.elf is not for RISC-V"

dpkg --audit
# shellcheck disable=SC2046  # names without blanks
apt-get purge -q -y $(for package in "$1"/*.deb; do dpkg-deb -f "$package" Package; done)
[ -z "$(ours)" ] || refuse "left after purge: $(ours)"
echo "try-deb: installed, used and purged"
