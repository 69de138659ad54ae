# says: Not the sum of each machine's own peak
# shellcheck shell=sh
# shellcheck source=/dev/null
. "$(dirname "$0")/right.sh"
place "erp-db erp-app shop backup"
tell peak 1954
tell holds-today no
