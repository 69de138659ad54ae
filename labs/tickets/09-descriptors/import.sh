#!/bin/sh
# import.sh FILE.haven - Haven's importer: makes FILE.raw and FILE.vm, or says what is wrong.
# shellcheck disable=SC2013,SC2017 # keys are words; memory is cut to pages
set -eu
file=$1
stem=${file%.haven}
value() { sed -n "s/^$1:[[:blank:]]*//p" "$file" | tail -n 1 | sed 's/[[:blank:]]*$//'; }
refuse() { echo "haven: $*" >&2; exit 1; }
number() { # KEY
    v=$(value "$1")
    case $v in
    0x*[!0-9a-fA-F]* | 0x) refuse "$1: '$v' is no number" ;;
    0x*) ;;
    '' | *[!0-9]*) refuse "$1: '$v' is no number" ;;
    esac
    [ ${#v} -le 10 ] || refuse "$1: '$v' is too large"
    echo $((v))
}
for key in $(sed -n 's/^\([a-z0-9.]*\):.*/\1/p' "$file"); do
    case $key in
    name | memory.quantity | memory.unit | boot.image | boot.address | disk.image | disk.offset | disk.blocks | disk.blocksize | disk.sha256) ;;
    *) refuse "there is no key '$key'" ;;
    esac
done
case $(value memory.unit) in
B) unit=1 ;; kB) unit=1000 ;; MB) unit=1000000 ;; GB) unit=1000000000 ;;
KiB) unit=1024 ;; MiB) unit=1048576 ;; GiB) unit=1073741824 ;;
*) refuse "memory.unit: '$(value memory.unit)' is none" ;;
esac
quantity=$(number memory.quantity) address=$(number boot.address)
offset=$(number disk.offset) blocks=$(number disk.blocks) size=$(number disk.blocksize)
image=$(value boot.image) disk=$(value disk.image)
[ -f "$image" ] || refuse "boot.image: there is no '$image'"
[ -f "$disk" ] || refuse "disk.image: there is no '$disk'"
have=$(wc -c <"$disk")
[ $((offset + blocks * size)) -le "$have" ] ||
    refuse "disk.image: $blocks blocks of $size bytes from $offset on are more than the $have bytes of $disk"
tail -c "+$((offset + 1))" "$disk" | head -c $((blocks * size)) >"$stem.raw"
sum=$(sha256sum <"$stem.raw" | cut -d' ' -f1)
wanted=$(value disk.sha256)
[ "$wanted" = none ] || [ "$wanted" = "$sum" ] ||
    refuse "disk.sha256: what the machine would see has $sum"
cat >"$stem.vm" <<END
# made by import.sh from $file
guest   $image
loader  flat
load-at $address
mem     $((quantity * unit / 4096 * 4))K
disk    $stem.raw
END
echo "haven: $stem imported: $((quantity * unit)) bytes of memory, $blocks blocks of $size bytes"
