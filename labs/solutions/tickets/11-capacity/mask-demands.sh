# says: a plan is for what was measured
# shellcheck shell=sh
# shellcheck source=/dev/null
. "$(dirname "$0")/right.sh"
place "erp-db erp-app shop backup"
sed -i "/^ci-2/d" demands.csv
