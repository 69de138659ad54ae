#!/bin/sh
# run.sh HV BUILD FOLDER GUESTS - runs the programs of `make bench`, one after the other.
#
# BUILD has bench-loop, bench-events, bench-views and bench-exits; FOLDER gets their files and has guest.img, the
# boot sector. Status 1: a target was missed. Where there is no KVM, its part is left out.
set -u
hv=$1 build=$2 folder=$3 guests=$4
status=0

measure() {
    echo
    "$@"
    rc=$?
    [ $rc = 0 ] || [ $rc = 77 ] || status=1
}

measure "$build/bench-loop" "$hv" "$folder/guest.img" "$folder"
measure "$build/bench-events" "$folder"
measure "$build/bench-views" "$folder"
measure timeout 300 "$build/bench-exits"
measure "$(dirname "$0")/debugger.sh" "$hv" "$guests" "$folder"
[ $status = 0 ] || echo "make bench: a target was missed" >&2
exit $status
