# shellcheck shell=sh
# Interrupts are off for less than a tick: none is lost, it only comes late.
sed -i 's/chunk=3500/chunk=500/' accounts.vm
