# shellcheck shell=sh
# Woken by the timer; sixteen bytes for each look at the serial port.
sed -i 's/wait=poll uart=byte/wait=irq uart=fifo/' meter.vm
