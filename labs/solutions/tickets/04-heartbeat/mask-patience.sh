# says: The gate stays closed.
# shellcheck shell=sh
sed -i 's/^append.*/& timeout=40/' gate.vm
