# says: db does not serve: a machine with less memory than its working set
# shellcheck shell=sh
sed -i 's/32M/16M/' db.vm
