#!/bin/sh
# tickets.sh HV SOLUTIONS [TICKET] - every ticket as its user meets it: what is handed out is found
# broken; each labs/solutions/tickets/NN-name/mend*.sh is accepted, in full; each mask*.sh, which makes the
# symptom go away and not the cause, is rejected, with the reason that its first line ("# says: ...")
# gives. Called by `make check-tickets`; ends with "tickets: N passed, N failed".
set -u
hv=$(realpath "$1") solutions=$(realpath "$2") only=${3-}
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"
about='tickets: ' shown=$work/said lines=60

# hand_out NAME: the ticket in $work/NAME
hand_out() {
    rm -rf "${work:?}/$1"
    "$hv" ticket start "$ticket" "$work/$1" >"$work/said" 2>&1
}
look() { # NAME: the check's status; what it says in $work/said
    timeout 300 "$hv" ticket check "$ticket" "$work/$1" >"$work/said" 2>&1
}
words() { tr -s '[:space:]' ' '; }

"$hv" ticket list | while read -r number ticket _; do
    echo "$number-$ticket"
done >"$work/list"
[ -s "$work/list" ] || verdict "hv ticket list" "lists none"
[ -z "$only" ] || grep -qx -e "$only" "$work/list" || verdict "$only" "there is no such ticket"
while read -r ticket; do
    [ -z "$only" ] || [ "$only" = "$ticket" ] || continue
    hand_out broken || { verdict "$ticket" "cannot be started"; continue; }
    look broken
    if [ $? = 1 ] && grep -q 'why:' "$work/said"; then
        verdict "$ticket: what is broken is found"
    else
        verdict "$ticket: as it is handed out" "is not found broken"
    fi
    mends=0 masks=0
    for script in "$solutions/$ticket"/m*.sh; do
        name=$(basename "$script" .sh)
        hand_out "$name"
        if ! (cd "$work/$name" && HV=$hv sh -eu "$script") >"$work/said" 2>&1; then
            verdict "$ticket: $name.sh" "fails"
            continue
        fi
        look "$name"
        status=$?
        case $name in
        mend*)
            mends=$((mends + 1))
            if [ $status = 0 ]; then
                verdict "$ticket: $name"
            else
                verdict "$ticket: $name" "a right mend is not accepted"
            fi ;;
        mask*)
            masks=$((masks + 1))
            reason=$(sed -n '1s/^# says: //p' "$script")
            if [ $status = 1 ] && [ -n "$reason" ] && words <"$work/said" | grep -qF -e "$reason"; then
                verdict "$ticket: $name"
            else
                verdict "$ticket: $name" "a mask is not rejected with \"$reason\" (status $status)"
            fi ;;
        esac
    done
    if [ $mends = 0 ] || [ $masks = 0 ]; then
        verdict "$ticket" "has $mends mends and $masks masks"
    fi
done <"$work/list"
verdicts tickets
