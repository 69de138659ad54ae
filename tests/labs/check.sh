#!/bin/bash
# check.sh HV LABS [LAB] - every lab, as a student meets it: started into a folder of its own, then with
# its holes filled in one after the other from labs/solutions. After each step the grader must say
# what the handout announces (its blocks ```after-K), no score may sink, the starter's must not be full,
# the reference's must be. Called by `make check-labs`, with an installed hv; ends with
# "labs: N passed, N failed".
set -u
hv=$1 labs=$2 only=${3-}
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh" || exit 2
about='labs: ' shown=$work/said lines=60

# One line, single blanks: where a line breaks does not matter.
words() { tr -s '[:space:]' ' ' | sed 's/^ //; s/ $//'; }

# stage K LAB DIR: DIR as it is after step K of the lab's LAST.
stage() {
    for file in "$labs/solutions/$2"/*; do
        name=$(basename "$file")
        if grep -q 'HOLE [0-9]' "$labs/$2/$name" 2>/dev/null; then
            awk -v done="$1" -f "$labs/lib/stage.awk" "$file" "$labs/$2/$name" >"$3/$name"
        elif [ "$1" = "$last" ]; then
            cp "$file" "$3/$name"
        fi
    done
}

# Each block "```after-K" of the handout is in the grader's words.
announced() { # K README SAID
    awk -v fence="\`\`\`after-$1" '$0 == fence { n++; on = 1; next } /^```/ { on = 0 } on { print n "\t" $0 }' "$2" >"$work/blocks"
    [ -s "$work/blocks" ] || { verdict "$lab: step $1" "the handout announces no message (\`\`\`after-$1)"; return; }
    count=$(tail -n 1 "$work/blocks" | cut -f1)
    for n in $(seq "$count"); do
        want=$(awk -F '\t' -v n="$n" '$1 == n' "$work/blocks" | cut -f2- | words)
        if words <"$3" | grep -qF -e "$want"; then
            verdict "$lab: step $1: the message"
        else
            verdict "$lab: step $1" "the handout announces \"$want\"; the grader says:"
        fi
    done
}

# `make clean` takes away what `make` puts there: `make install` relies on it.
is_clean() { # DIR
    find "$1" | sort >"$work/had"
    timeout 300 make -s -C "$1" && make -s -C "$1" clean && find "$1" | sort | diff "$work/had" -
}

for folder in "$labs"/[0-9][0-9]-*/; do
    lab=$(basename "$folder")
    [ -z "$only" ] || [ "$only" = "$lab" ] || continue
    last=$(cat "$labs/solutions/$lab"/* | grep -o 'HOLE [0-9]*' | cut -c6- | sort -n | tail -n 1)
    before=-1
    "$hv" lab start "${lab%%-*}" "$work/$lab" >/dev/null || { verdict "$lab" "cannot be started"; continue; }
    for k in $(seq 0 "${last:-0}"); do
        stage "$k" "$lab" "$work/$lab"
        NO_COLOR=1 "$hv" lab grade "${lab%%-*}" "$work/$lab" --json "$work/json" >"$work/said" 2>&1
        status=$?
        read -r score total < <(sed -n '1s/.*"score": \([0-9]*\), "total": \([0-9]*\),.*/\1 \2/p' "$work/json")
        announced "$k" "$work/$lab/README.md" "$work/said"
        if ! grep -q '^{.* "state": "graded", "because": "",' "$work/json"; then
            verdict "$lab: step $k" "is said not to be fit to be tried: $(sed -n '1s/.*"state"/"state"/p' "$work/json")"
        elif [ "${score:--1}" -le "$before" ]; then
            verdict "$lab: step $k" "the score is ${score:-none}, and was $before before"
        elif [ "$k" = "$last" ] && { [ "$score" != "$total" ] || [ $status != 0 ]; }; then
            verdict "$lab: the reference" "scores $score of $total (status $status)"
        elif [ "$k" != "$last" ] && [ $status != 1 ]; then
            verdict "$lab: step $k" "status $status with $score of $total points"
        else
            verdict "$lab: step $k: the score"
        fi
        before=$score
    done
    check "$lab: make, make clean" is_clean "$work/$lab"
done

[ $passed != 0 ] || verdict "${only:-all}" "there is no such lab in $labs"
verdicts labs
