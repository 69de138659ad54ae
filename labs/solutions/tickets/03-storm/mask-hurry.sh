# says: us off its time
# shellcheck shell=sh
sed -i 's/^append.*/append samples=100 period=50 wait=none uart=fifo/' meter.vm
