# shellcheck shell=sh
# shellcheck source=/dev/null
. "$(dirname "$0")/right.sh"
place "erp-db erp-app shop backup"
