# says: writing a larger number into it adds no memory
# shellcheck shell=sh
sed -i 's/^ram.*/ram      131072/' host.txt
