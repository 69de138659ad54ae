# says: The gate opens although heartbeats are missing
# shellcheck shell=sh
sed -i 's/^append.*/& ignore=1/' gate.vm
