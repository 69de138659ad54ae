#!/bin/sh
# kernel.sh DIR - puts a Linux kernel and the modules of kvm-amd into DIR, for check.sh.
#
# DIR/vmlinuz and DIR/NAME.ko, uncompressed. They come from the installed kernel, if there is one
# that can be read; else from the distribution's package, which is downloaded and unpacked below
# DIR, and never installed. Debian: linux-image-amd64; Ubuntu: linux-image-generic, whose modules
# are packages of their own. Nothing is done when DIR/vmlinuz is there already.
set -u
dir=$1
modules="rng-core irqbypass ccp kvm kvm-amd" # in the order in which they are loaded

[ -f "$dir/vmlinuz" ] && [ -f "$dir/kvm-amd.ko" ] && exit 0
mkdir -p "$dir" || exit 2

say() { echo "check-kvm: $*" >&2; }

# unpack FILE TO: a module, compressed or not.
unpack() {
    case $1 in
    *.xz) xz -dc "$1" >"$2" ;;
    *.zst) zstd -qdc "$1" >"$2" ;;
    *.gz) gzip -dc "$1" >"$2" ;;
    *) cp "$1" "$2" ;;
    esac
}

# take KERNEL FOLDER: copies the kernel and what FOLDER has of the modules. rng-core and ccp may be
# built in; without kvm-amd it is of no use.
take() {
    for name in $modules; do
        file=$(find "$2" -name "$name.ko*" 2>/dev/null | head -n 1)
        [ -n "$file" ] || continue
        unpack "$file" "$dir/$name.ko" || return 1
    done
    [ -f "$dir/kvm-amd.ko" ] && cp "$1" "$dir/vmlinuz"
}

# An installed kernel.
for kernel in /boot/vmlinuz-*; do
    [ -r "$kernel" ] || continue
    take "$kernel" "/lib/modules/${kernel#/boot/vmlinuz-}" && exit 0
done

# The distribution's. The meta-package depends on the one of the present version.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else return 1; fi
}
image_package() {
    for meta in linux-image-amd64 linux-image-generic; do
        apt-cache depends "$meta" 2>/dev/null |
            sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1
    done | head -n 1
}
image=$(image_package)
if [ -z "$image" ]; then
    as_root apt-get update -q >"$dir/apt.log" 2>&1
    image=$(image_package)
fi
[ -n "$image" ] || {
    say "apt knows no kernel: run 'apt-get update', or put a bzImage at $dir/vmlinuz and its modules" \
        "($modules) beside it as NAME.ko"
    exit 1
}
packages=$image
for more in "linux-modules-${image#linux-image-}" "linux-modules-extra-${image#linux-image-}"; do
    apt-cache show "$more" >/dev/null 2>&1 && packages="$packages $more"
done
say "downloading $packages"
# shellcheck disable=SC2086 # packages are words
(cd "$dir" && apt-get download -q $packages >apt.log 2>&1) || {
    say "the download failed: $(tail -n 1 "$dir/apt.log")"
    exit 1
}
for package in "$dir"/*.deb; do
    dpkg -x "$package" "$dir/tree" || exit 2
    rm "$package"
done
kernel=$(find "$dir/tree/boot" -name 'vmlinuz-*' | head -n 1)
if take "$kernel" "$dir/tree"; then
    rm -rf "$dir/tree"
else
    say "$packages has no kvm-amd module"
    exit 1
fi
