# says: An average does not show it
# shellcheck shell=sh
# On the average each host has half of it; by day, b has not.
# shellcheck source=/dev/null
. "$(dirname "$0")/right.sh"
place "backup ci-1 report shop shop-db wiki"
