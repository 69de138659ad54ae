# says: they did not come as interrupts
# shellcheck shell=sh
sed -i 's/^append.*/& poll=1 timeout=50/' gate.vm
