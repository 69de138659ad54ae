# says: Work was left out
# shellcheck shell=sh
sed -i 's/^append.*/append samples=1 period=50 wait=poll uart=fifo/' meter.vm
