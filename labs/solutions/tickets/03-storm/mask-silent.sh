# says: is not sent
# shellcheck shell=sh
sed -i 's/^append.*/append samples=100 period=50 wait=irq records=off/' meter.vm
