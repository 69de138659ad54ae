# shellcheck shell=sh
# shellcheck source=/dev/null
. "$(dirname "$0")/right.sh"
place "erp-db mail ci-1 report"
