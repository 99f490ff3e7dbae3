#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs or uninstalls libvmo; `make install` and the other install goals call it from the tree's root.
#   install.sh check|install|uninstall host|target
# Reads BUILD, VERSION, ABI, DESTDIR, PREFIX, BINDIR, LIBDIR, INCLUDEDIR, MANDIR, COMPLETIONDIR, TARGETDIR, TARGETPCDIR and
# TARGET_FLAGS. `check` only checks the folders' names; the other two use one list of files.
set -eu
LC_ALL=C
export LC_ALL
verb=$1
flavour=$2

refuse() {
    echo "install: $1" >&2
    exit 2
}

# pkg-config splits its output at blanks, and a relative path depends on the reader's current folder.
for path in "$PREFIX" "$BINDIR" "$LIBDIR" "$INCLUDEDIR" "$MANDIR" "$COMPLETIONDIR" "$TARGETDIR" "$TARGETPCDIR"; do
    case $path in
    *[!A-Za-z0-9/._+@~-]*) refuse "a character that no path in a .pc file should have: $path" ;;
    /*) ;;
    *) refuse "not an absolute path: $path" ;;
    esac
done
[ "$verb" != check ] || exit 0

# Prints a line for each file: kind, source, destination below DESTDIR.
headers() {
    for header in libvmo/include/vmo/*.h libvmo/include/vmo/*.hpp; do
        echo "file $header $1/vmo/${header##*/}"
    done
}

# Each manual page, and a link to it for each other function that it documents.
pages() {
    for page in libvmo/man/*.[137]; do
        name=${page##*/}
        section=${name##*.}
        echo "file $page $MANDIR/man$section/$name"
        sed -n '/^\.Sh DESCRIPTION/q; s/^\.Nm \([a-z0-9_]*\).*/\1/p' "$page" | while read -r function; do
            [ "$function.$section" = "$name" ] || echo "link $name $MANDIR/man$section/$function.$section"
        done
    done
}

host_list() {
    headers "$INCLUDEDIR"
    echo "file $BUILD/host/libvmo.a $LIBDIR/libvmo.a"
    echo "file $BUILD/host/libvmo.so.$VERSION $LIBDIR/libvmo.so.$VERSION"
    echo "link libvmo.so.$VERSION $LIBDIR/libvmo.so.$ABI"
    echo "link libvmo.so.$ABI $LIBDIR/libvmo.so"
    echo "text libvmo/libvmo.pc.in $LIBDIR/pkgconfig/libvmo.pc"
    for config in libvmo-config libvmo-config-version; do
        echo "text libvmo/$config.cmake.in $LIBDIR/cmake/libvmo/$config.cmake"
    done
    echo "program $BUILD/host/libvmo/tool/vmo $BINDIR/vmo"
    echo "file libvmo/tool/vmo.bash $COMPLETIONDIR/vmo"
    pages
}

target_list() {
    headers "$TARGETDIR/include"
    echo "file $BUILD/target/libvmo.a $TARGETDIR/lib/libvmo.a"
    echo "file $BUILD/target/libvmo-start.a $TARGETDIR/lib/libvmo-start.a"
    echo "file linker/payload.ld $TARGETDIR/lib/neuron.ld"
    echo "text libvmo/libvmo-neuron.pc.in $TARGETPCDIR/libvmo-neuron.pc"
}

put() {
    install -d "${3%/*}"
    case $1 in
    file) install -m 644 "$2" "$3" ;;
    program) install -m 755 "$2" "$3" ;;
    link) ln -sf "$2" "$3" ;;
    text)
        sed -e "s|@PREFIX@|$PREFIX|; s|@LIBDIR@|$LIBDIR|; s|@INCLUDEDIR@|$INCLUDEDIR|; s|@VERSION@|$VERSION|; s|@ABI@|$ABI|" \
            -e "s|@TARGETDIR@|$TARGETDIR|; s|@TARGET_FLAGS@|$TARGET_FLAGS|" "$2" >"$3"
        chmod 644 "$3"
        ;;
    esac
}

# Also removes libvmo's own folders when they are empty; the other folders are the system's.
take() {
    rm -f "$1"
    case $1 in
    */include/vmo/* | */cmake/libvmo/*) rmdir "${1%/*}" 2>/dev/null || true ;;
    esac
}

case $flavour in
host) list=$(host_list) ;;
target) list=$(target_list) ;;
*) refuse "no flavour: $flavour" ;;
esac
case $verb in
install | uninstall) ;;
*) refuse "no verb: $verb" ;;
esac

# Install nothing if a file is missing.
if [ "$verb" = install ]; then
    echo "$list" | while read -r kind from _; do
        [ "$kind" = link ] || [ -f "$from" ] || refuse "missing: $from; run make all"
    done
fi
count=0
while read -r kind from to; do
    case $verb in
    install) put "$kind" "$from" "$DESTDIR$to" ;;
    uninstall) take "$DESTDIR$to" ;;
    esac
    count=$((count + 1))
done <<LIST
$list
LIST
echo "$verb: $count files of libvmo $VERSION ($flavour) below ${DESTDIR:-/}"
