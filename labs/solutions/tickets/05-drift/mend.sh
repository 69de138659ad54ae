# shellcheck shell=sh
# A counter cannot be missed.
sed -i 's/clock=tick/clock=counter/' accounts.vm
