# shellcheck shell=sh
# pictures.sh HV DIR OUT - OUT/escape.svg: how the starter's box, in DIR, is left, as hv records it. It cannot be a
# `picture:` line of lab.txt, as it is of a process and of some exits in the middle. Called by labs/lib/html.sh.
set -eu
hv=$1 out=$3
cd "$2"
make -s HV="$hv" >/dev/null
# Without randomized addresses: the same picture each time, where the kernel allows that.
fixed=$(setarch -R true 2>/dev/null && echo setarch -R) || true
# shellcheck disable=SC2086 # words or nothing
env -i PATH="$PATH" $fixed "$hv" run --strategy ./plain.so --trace t.hvt -- ./box ./attacks guest secret=/etc/passwd forks=1 megabytes=1 >/dev/null 2>&1
"$hv" trace --no-times t.hvt >t.txt
# From the attack's mkdir to the second chroot, and what is seen from there.
first=$(awk '/mkdir\("\/tmp\/jail"/ { print $1; exit }' t.txt)
"$hv" graph ladder --no-times --range "$first:$((first + 67))" --title "Out of a chroot: 64 times .." t.hvt -o "$out/escape.svg"
