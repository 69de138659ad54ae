#!/bin/sh
# vdisk.sh GUESTS [DISKS] - the property on which ticket 7 stands, on disks of other seeds (60): after the
# right recovery, by either way, every block has its hash; after repair, after the checkpoint alone, and
# without a recovery, some have not. Called by `make check-tickets`.
set -u
tools=$(realpath "$1")/tools vdisk=$(realpath "$1")/tickets/07-mapping/vdisk disks=${2:-60}
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"
about='vdisk: '
cd "$work" || exit 2

# try yes|no WHAT COMMAND...: after these commands the disk is as wanted, or is not
try() {
    want=$1 what=$2
    shift 2
    cp broken.img disk.img
    for command in "$@"; do
        "$vdisk" disk.img "$command" >/dev/null
    done
    "$vdisk" disk.img list >have
    got=no
    cmp -s have wanted && got=yes
    if [ $got = "$want" ]; then
        verdict "$what"
    else
        verdict "seed $seed: $what" "all blocks right: $got, not $want"
    fi
}

for seed in $(seq "$disks"); do
    "$tools/vdisk-make" "$seed" broken.img wanted || exit 2
    try yes "map from the checkpoint, then the journal" copy-map replay
    try yes "the journal twice" replay copy-map replay replay checkpoint
    try no "repair" repair
    try no "the checkpoint alone" copy-map forget
    try no "the journal alone" replay
done
# Bytes of any kind crash nothing.
head -c "$(stat -c %s broken.img)" /dev/urandom >noise.img
for command in check map journal list replay copy-map repair checkpoint; do
    cp noise.img disk.img
    "$vdisk" disk.img $command >/dev/null 2>&1
    status=$?
    [ $status -le 2 ] || verdict "$command on noise" "status $status"
done
verdicts vdisk
