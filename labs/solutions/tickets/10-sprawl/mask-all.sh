# says: no ci machine is left running
# shellcheck shell=sh
awk -F, "\$6 != \"production\" && NR > 1 { print \$1 }" guests.csv >stop.txt
