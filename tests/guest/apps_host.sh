#!/bin/sh
# apps_host.sh GUESTS - the programs of apps.list, run by this machine's Linux: they must print
# tests/guest/NAME.txt to the byte, as they do on minios under hv (run.sh), and end with its status.
# Called by `make check-guest`; ends with "N passed, N failed".
set -u
guests=$1
here=$(cd "$(dirname "$0")" && pwd) || exit 2
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"
out=$work/out shown=''

cd "$guests/apps" || exit 2
while IFS="|" read -r name want words; do
    case $name in '#'*) continue ;; esac
    input=/dev/null
    [ ! -f "$here/$name.in" ] || input=$here/$name.in
    # The words are cut at blanks, as minios does it: "sh -c cat | wc" has five.
    # shellcheck disable=SC2086
    set -- $words
    program=$1
    shift
    timeout 300 env -i "./$program" "$@" >"$out" 2>&1 <"$input"
    status=$?
    if [ $status != "$want" ]; then
        verdict "$name on Linux" "status $status, not $want"
    elif ! cmp -s "$out" "$here/$name.txt"; then
        verdict "$name on Linux" "prints something else than on minios:"
        diff -a "$here/$name.txt" "$out" | head -n 10 | sed 's/^/    /'
    else
        verdict "$name on Linux"
    fi
done <"$here/apps.list"
verdicts "apps on Linux"
