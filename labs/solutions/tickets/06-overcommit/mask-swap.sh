# says: slow death instead of a quick one
# shellcheck shell=sh
sed -i 's/^swap.*/swap     65536/' host.txt
