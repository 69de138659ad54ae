# says: does not come to its end within --limit instructions=1000000
# shellcheck shell=sh
sed -i 's/^append.*/append samples=100 period=50 wait=poll pause=4000 uart=fifo/' meter.vm
