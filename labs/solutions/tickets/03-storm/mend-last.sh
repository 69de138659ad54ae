# shellcheck shell=sh
# The last word counts.
sed -i 's/^append.*/& wait=irq uart=fifo/' meter.vm
