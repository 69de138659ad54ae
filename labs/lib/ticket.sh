# shellcheck shell=sh disable=SC2154,SC2034 # variables of grade.sh
# ticket.sh - words for the tests.sh of tickets whose environment is a machine file (`hv run @FILE`).
#
#   vm_run NAME FILE [MORE]    runs the student's FILE with the delivered guest on soft, bounded by
#                              $LIMIT (OVER: what to say then); MORE is put behind its append line.
#                              Output as with `run`
#   vm_value FILE KEY          what FILE says for KEY
#   exits_of NAME              how many exits that run had

vm_value() { # FILE KEY
    sed -n "s/^[[:blank:]]*$2[[:blank:]=][[:blank:]]*//p" "$DIR/$1" | tail -n 1 | sed 's/[[:blank:]]*$//'
}

vm_run() { # NAME FILE [MORE]
    to=$1 file=$2 more=${3-}
    [ -f "$DIR/$file" ] || flunk "there is no $file in your folder, $DIR"
    other=$(sed 's/[[:blank:]=].*//' "$DIR/$file" | grep -vxE '(#.*|guest|mem|append|loader|load-at|engine|)' | head -n 1)
    [ -z "$other" ] || flunk "$file: '$other' does not describe the machine: guest, mem, append, loader, load-at and engine do"
    guest=$(vm_value "$file" guest)
    cmp -s "$DIR/$guest" "$HV_GUESTS/tickets/$name/$guest" ||
        flunk "$file: guest '$guest' is not as the vendor delivered it: the vendor supports it no more, and the next update brings the fault back. Mend how it is run."
    cd "$DIR" || exit 2
    # shellcheck disable=SC2086 # $LIMIT is words
    run "$to" "$HV" run "@$file" --engine soft --append "$(vm_value "$file" append)${more:+ $more}" $LIMIT
    cd "$W" || exit 2
    [ "$status" != 124 ] || flunk "${OVER:-the machine does not come to its end within $LIMIT}"
}

exits_of() { sed -n 's/.*(\([0-9]*\) exits, engine.*/\1/p' "$W/$1.err"; }
