# says: Which ticks are missing
# shellcheck shell=sh
# Too short a run to see it.
sed -i 's/^append.*/& run=20/' accounts.vm
