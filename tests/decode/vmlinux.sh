#!/bin/sh
# vmlinux.sh VMLINUZ OUT - unpacks the kernel that a bzImage holds: an ELF file with all its code.
#
# The payload's place is in the setup header (Linux: Documentation/arch/x86/boot.rst): setup_sects at
# 1f1, payload_offset at 248, payload_length at 24c, from protocol 2.08 on; its format is known by
# its first bytes, and its last four are the unpacked size. Called by the Makefile.
set -u
image=$1 out=$2

# field OFFSET BYTES: a little-endian number.
field() { od -An -t "u$2" -j "$1" -N "$2" "$image" | tr -d ' '; }

mkdir -p "$(dirname "$out")" || exit 2
setup=$(field 497 1)
offset=$(((setup + 1) * 512 + $(field 584 4)))
length=$(($(field 588 4) - 4))
payload() { tail -c "+$((offset + 1))" "$image" | head -c "$length"; }

case $(od -An -t x1 -j "$offset" -N 4 "$image" | tr -d ' ') in
fd377a58) payload | xz -dc >"$out" ;;
28b52ffd) payload | zstd -qdc >"$out" ;;
1f8b*) payload | gzip -dc >"$out" ;;
5d0000*) payload | xz --format=lzma -dc >"$out" ;;
*)
    echo "vmlinux.sh: $image: its payload is packed in a way that is not known here" >&2
    exit 1
    ;;
esac
