#!/bin/sh
# check.sh HV MEMTEST_RUN FOLDER - Debian's memtest86+ on the soft engine: `make check-memtest`.
#
# Gets the package into FOLDER once, unpacks it there (it is not installed), and runs its 64-bit and
# its 32-bit program until their first five tests are complete. Status 1: one did not pass.
set -u
hv=$1 run=$2 folder=$3
# Enough for twice as long as five tests take; then hv ends by itself.
instructions=16000000000

fetch() {
    as_root=
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    # Without lists of packages (a fresh machine) apt-get finds nothing: then one update, and again.
    apt-get -q download memtest86+ 2>/dev/null || {
        $as_root apt-get -q update && apt-get -q download memtest86+
    }
}

unpack() (
    mkdir -p "$folder" && cd "$folder" || exit 1
    ls memtest86+_*.deb >/dev/null 2>&1 || fetch || exit 1
    for package in memtest86+_*.deb; do
        dpkg -x "$package" . || exit 1
    done
)

[ -e "$folder/boot/memtest86+x64.bin" ] || unpack || {
    echo "check-memtest: put Debian's package memtest86+ (a .deb file) into $folder" >&2
    exit 1
}
failed=0
for image in "$folder/boot/memtest86+x64.bin" "$folder/boot/memtest86+ia32.bin"; do
    "$run" "$hv" "$image" "$instructions" || failed=1
done
exit $failed
