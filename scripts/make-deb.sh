#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian packages from a copy of the tree, and checks them with lintian. Run by `make deb`.
#   make-deb.sh output-folder version
set -eu
LC_ALL=C
export LC_ALL
out=$1
version=$2
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$here"

refuse() {
    echo "deb: $1" >&2
    exit 2
}

packaged=$(sed -n '1s/^libvmo (\(.*\)-[0-9]*) .*/\1/p' libvmo/debian/changelog)
[ "$packaged" = "$version" ] || refuse "libvmo/debian/changelog is of $packaged, vmo.h of $version: add an entry"
rm -rf "$out"
mkdir -p "$out/libvmo-$version"
out=$(CDPATH='' cd -- "$out" && pwd)
git ls-files -z --cached --others --exclude-standard --deduplicate >"$out/files" ||
    refuse "git does not list the files of $here: clone the tree"
tar --null --files-from "$out/files" --ignore-failed-read -cf - 2>/dev/null | tar -C "$out/libvmo-$version" -xf -
cp -R libvmo/debian "$out/libvmo-$version/debian"

# An outer make's variables are not for the package's own build.
cd "$out/libvmo-$version"
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u BUILD -u CFLAGS -u LDFLAGS -u HOSTCC -u DESTDIR -u PREFIX \
    dpkg-buildpackage -b -us -uc "-j$(nproc)" >"$out/log" 2>&1 || {
    tail -n 20 "$out/log" >&2
    refuse "dpkg-buildpackage failed: $out/log"
}
cd "$out"
rm -rf "libvmo-$version" files
lintian --allow-root --fail-on error,warning --info ./*.changes || refuse "lintian has findings"
for package in *.deb; do
    echo "deb: $out/$package"
done
