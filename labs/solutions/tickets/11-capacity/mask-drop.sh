# says: No machine may be left out
# shellcheck shell=sh
# shellcheck source=/dev/null
. "$(dirname "$0")/right.sh"
place "erp-db erp-app shop backup"
sed -i /^report/d plan.csv
