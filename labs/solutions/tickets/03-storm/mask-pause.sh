# says: it keeps a processor busy while it waits
# shellcheck shell=sh
sed -i 's/^append.*/append samples=100 period=50 wait=poll pause=4000 uart=fifo/' meter.vm
