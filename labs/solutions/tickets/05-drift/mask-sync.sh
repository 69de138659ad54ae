# says: the clock jumps by
# shellcheck shell=sh
sed -i 's/^append.*/& sync=50/' accounts.vm
