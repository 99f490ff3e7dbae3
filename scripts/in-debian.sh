#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes a Debian with debootstrap from apt's mirror, copies the tree to /src and packages to /deb, and runs a command in
# /src. Run by `make check-trixie` and `make check-deb`, as root.
#   in-debian.sh build-folder suite command [package...]
# The mounts are in a mount namespace, so they disappear with its last process. Downloaded packages stay in
# build-folder-cache, which `make clean` keeps.
set -eu
LC_ALL=C
export LC_ALL

refuse() {
    echo "in-debian: $1" >&2
    exit 2
}

# ---- The second half, inside a new mount and process namespace --------------------------------------------
if [ "${1:-}" = --inside ]; then
    root=$2
    cache=$3
    command=$4
    mount -t proc proc "$root/proc"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for node in null zero full random urandom tty; do
        touch "$root/dev/$node"
        mount --bind "/dev/$node" "$root/dev/$node"
    done
    mkdir "$root/dev/shm" "$root/dev/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    mount --bind "$cache" "$root/var/cache/apt/archives"
    exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} ${no_proxy:+no_proxy="$no_proxy"} \
        sh -euc "cd /src
            set -x
            $command"
fi

# ---- The host -----------------------------------------------------------------------------------------
[ "$(id -u)" -eq 0 ] || refuse "needs root, for debootstrap and chroot"
[ "$#" -ge 3 ] || refuse "usage: in-debian.sh build-folder suite command [package...]"
command -v debootstrap >/dev/null 2>&1 || refuse "debootstrap is missing: sh scripts/setup.sh"
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
suite=$2
command=$3
mkdir -p "$1" "$1-cache"
root=$(CDPATH='' cd -- "$1" && pwd)/$suite
cache=$(CDPATH='' cd -- "$1-cache" && pwd)
shift 3
exec 9>"$root.lock"
flock -n 9 || refuse "another run uses $root: wait for it"

# apt's first mirror with a Debian Release file.
# shellcheck disable=SC2016  # apt expands them
mirror=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' |
    sed -n 's/^Debian|Debian|//p' | head -n 1)
[ -n "$mirror" ] || refuse "apt names no Debian mirror here; run apt-get update, or see /etc/apt/sources.list"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -f "$keyring" ] || refuse "$keyring is missing: package debian-archive-keyring"

# ---- A fresh system, from cached packages --------------------------------------------------------------
echo "in-debian: Debian $suite from $mirror in $root"
rm -rf "$root"
debootstrap --variant=minbase --cache-dir="$cache" --keyring="$keyring" "$suite" "$root" "$mirror" >"$root.log" 2>&1 || {
    tail -n 5 "$root.log" >&2
    refuse "debootstrap failed ($root.log)"
}
# Copy the host's network settings for apt: proxies, certificates, retries.
apt-config dump | grep -E '^Acquire::(http|https|ftp|Check|Retries|ForceIPv)[^ ]* ' | grep -v Auto-Detect \
    >"$root/etc/apt/apt.conf.d/50machine" || true
printf 'APT::Keep-Downloaded-Packages "true";\nBinary::apt::APT::Keep-Downloaded-Packages "true";\n' \
    >"$root/etc/apt/apt.conf.d/51keep"
for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
    [ ! -f "$file" ] || { mkdir -p "$root${file%/*}" && cp "$file" "$root$file"; }
done

# Copy the tree, uncommitted files included.
mkdir "$root/src" "$root/deb"
[ "$#" -eq 0 ] || cp -- "$@" "$root/deb"
cd "$here"
git ls-files -z --cached --others --exclude-standard --deduplicate >"$root.files"
tar --null --files-from "$root.files" --ignore-failed-read -cf - 2>/dev/null | tar -C "$root/src" -xf -

# ---- Run it --------------------------------------------------------------------------------------------
# --kill-child: if unshare is killed, its children are killed, too.
unshare --mount --pid --fork --kill-child "scripts/${0##*/}" --inside "$root" "$cache" "$command" &
inside=$!
trap 'kill -KILL $inside; exit 130' INT TERM HUP
code=0
wait "$inside" || code=$?
[ "$code" -ne 0 ] || rm -rf "$root"
echo "in-debian: $suite ended with $code"
exit "$code"
