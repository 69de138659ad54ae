# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - the tests of lab 1. The right answers stand nowhere: they are read from recordings that
# are made here. labs/lib/grade.sh has the words.

record() { # NAME WORD...: the guest, recorded; $W/NAME.csv has a line for each event
    [ -x "$W/first" ] || guest first # which has a $to of its own
    to=$1
    shift
    hv_run "$to" --trace "$W/$to.hvt" "$@" "$W/first"
    run "$to.table" "$HV" trace --format csv -o "$W/$to.csv" "$W/$to.hvt"
}
# The fields of the CSV: 2 exit, 5 class, 6 kind, 7 from, 8 to.
reason_of() { awk -F, -v n="$2" '$2 == n && $5 == "exit" { print $6 }' "$W/$1.csv"; }
asked_at() {
    who=$(awk -F, -v n="$2" '$2 == n && $6 == "call" { print $8; exit }' "$W/$1.csv")
    echo "${who:-dispatcher}"
}
exits_of() { awk -F, '$5 == "exit"' "$W/$1.csv" | wc -l; }

part "A. Read"

t_reasons() {
    record first --append Hi
    for n in 1 2 3 4 5; do
        answer "exit-$n" "$(reason_of first $n),? $(asked_at first $n)" \
            "Look at exit $n in 'hv trace --no-times first.hvt': column 'reason' of its own line, then column 'to' of the line with 'call' below it, if there is one."
    done
}
check reasons 10 "the reason of each exit, and who was asked"

t_nobody() {
    record first --append Hi
    found=$(awk -F, '$2 == 4 && $6 == "return"' "$W/first.csv" | grep -o -- '-> 0x[0-9a-f]*' | cut -c4-)
    answer exit-4-value "$found" "The line 'return' of exit 4 ends with what was read."
    reason exit-4-because 6 'no (device|one)|nobody|not? .*(own|claim|answer)|unclaimed|unmapped' \
        "Say who owns that address, and what the allocator answers for it."
}
check nobody 5 "memory that is none"

t_alone() {
    record first --append Hi
    run "stop" "$HV" trace --no-times "$W/first.hvt"
    answer push-exits "$(grep -c 'first.S:2[0-2])' "$W/stop.out")" "Is there a line of the recording whose rip is at PUSH or POP (lines 20 to 22 of first.S)?"
    reason push-because 6 'own|its memory|not (sensitive|privileged)|without' \
        "Whose memory do they touch, and does the VMM have to know?"
}
check alone 5 "what a guest does alone"

part "B. Predict"

t_hello() {
    record hello --append Hello
    answer hello-exits "$(exits_of hello)" "Count: what does not depend on the command line, and what does, once for each letter?"
    answer hello-10 "$(reason_of hello 10),? $(asked_at hello 10)" "Which instruction makes exit 10, now that there are five letters?"
    reason hello-because 6 'letter|byte|character' "What is one exit each?"
}
check hello 10 "another command line"

t_trap() {
    record trap --strategy trap --append Hi
    run trap.text "$HV" trace --no-times "$W/trap.hvt"
    out=$(awk -F, '$5 == "exit" && /clock_select/ { print $6; exit }' "$W/trap.csv")
    cpu=no
    awk -F, '$5 == "exit" && /ask_cpu/ && !/page fault|#PF/' "$W/trap.csv" | grep -q . && cpu=yes
    # Whoever names the exception has seen its reason, too: "exception", "#GP", "exception, #GP general protection".
    fault=$(sed -n '/exception .*clock_select/ s/.*#\([A-Z]*\) .*/\1/p' "$W/trap.text.out" | head -n 1 | tr '[:upper:]' '[:lower:]')
    [ "$out" != exception ] || out="exception(,? #?$fault.*)?|#?$fault( .*)?"
    answer trap-out "$out" "What does a processor do when a program at CPL 3 executes OUT? An event of that kind is the exit's reason."
    answer trap-cpuid "$cpu" "Can a program at CPL 3 execute CPUID on any machine? Then what would lead to the VMM?"
    reason trap-because 8 'privileg|fault|trap' "Say which of the two instructions is privileged, and what that has to do with an exit."
}
check trap 10 "another strategy"
