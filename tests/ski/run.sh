#!/bin/sh
# run.sh HV ATTACKS HOST [MODE...] - the containment tests of strategy ski, as root and as a user.
#
# MODE: table, traced, lifecycle (all three are the default), matrix. Run by root it does each as root and as uid 12345;
# run by another user as that user only, and root's runs are counted as skipped. Nothing outside a
# folder of its own is touched. Last line: "ski: N passed, N failed, N skipped". Called by
# `make check-ski` and `make ski-matrix`.
set -u
hv=$1 attacks=$2 host=$3
shift 3
[ $# -gt 0 ] || set -- table traced lifecycle
user=12345
folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0 skipped=0

# as NAME PREFIX... : the tests, started by PREFIX
as() {
    who=$1
    shift
    place=$folder/$who
    mkdir "$place" && cp "$hv" "$place/hv" && cp "$attacks" "$place/attacks" &&
        cp "$host" "$place/host" && chmod 755 "$folder" "$place" || exit 2
    [ "$who" = root ] || chown -R "$(id -u)" "$place"
    [ "$who" != user ] || [ "$(id -u)" != 0 ] || chown -R $user:$user "$place"
    for mode in $modes; do
        echo "--- $mode, as $who"
        (cd "$place" && timeout 900 "$@" ./host ./hv ./attacks "$place" "$mode" 200 2>"$folder/count")
        [ $? -lt 2 ] || failed=$((failed + 1))
        cat "$folder/count"
        counts=$(sed -n 's/.*: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$folder/count")
        # shellcheck disable=SC2086 # three numbers
        set_counts ${counts:-0 1 0}
    done
}
set_counts() {
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

modes=$*
if [ "$(id -u)" = 0 ]; then
    as root env
    as user setpriv --reuid $user --regid $user --clear-groups
else
    echo "--- as root: skipped, the tests are not run by root"
    skipped=$((skipped + 160))
    as user env
fi
echo "ski: $passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
