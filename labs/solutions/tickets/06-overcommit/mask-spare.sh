# says: Exempting one sends the next one to death
# shellcheck shell=sh
sed -i 's/^spare.*/spare    db web mail/' host.txt
