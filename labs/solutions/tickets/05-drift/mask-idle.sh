# says: Which ticks are missing
# shellcheck shell=sh
sed -i 's/load=35/load=0/' accounts.vm
