# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - the tests of lab 9. The numbers are those of runs that are made here, so they are right for
# the hv and the guests that are graded with. labs/lib/grade.sh has the words.

compare() { # NAME PROGRAM...: the table as JSON in $W/NAME.out
    to=$1
    shift
    # shellcheck disable=SC2086 # $LIMIT is words
    run "$to" "$HV" compare --rounds 1 --json --strategies hardware,trap,paravirt $LIMIT "$@"
    [ "$status" = 0 ] || flunk "hv compare $* failed: the log says why"
}
# of NAME STRATEGY KEY: exits, instructions; start_exits, start_instructions: to the first of a user program
of() {
    awk -v s="\"strategy\": \"$2\"" -v k="$3" '
        index($0, "\"strategy\":") { on = index($0, s) }
        on && /"start":/ && k ~ /^start_/ { key = "\"" substr(k, 7) "\": " }
        on && !/"start":/ && k !~ /^start_/ { key = "\"" k "\": " }
        on && key && match($0, key "[0-9]+") { print substr($0, RSTART + length(key), RLENGTH - length(key)); exit }
    ' "$W/$1.out"
}
per_fork() { echo $((($(of "$2" "$3" exits) - $(of "$1" "$3" exits) + 10) / 20)); }

part "A. One program, three kernels"

t_hello() {
    compare hello hello
    for s in hardware trap paravirt; do
        near "hello-$s" "$(of hello $s exits)" "'hv compare hello --no-times': row 'exits', column '$s'."
    done
    reason hardware-because 6 'print|console|uart|serial|character|byte|letter' "Most of them are io. At which port, and what for? 'hv trace --stats' of a recording knows."
    hv_run quiet --strategy trap --append "quiet init=hello" --trace "$W/quiet.hvt" minios
    run quiet.stats "$HV" trace --stats --no-times "$W/quiet.hvt"
    vector=$(sed -n 's/^exception *vector #\([A-Z]*\) .*/\1/p' "$W/quiet.stats.out" | head -n 1)
    answer trap-vector "#?$(printf '%s' "$vector" | tr '[:upper:]' '[:lower:]')( .*)?" "'hv trace --stats': the first line below 'What was touched most'."
    reason trap-because 6 'shadow|page table' "Whose page tables does the processor use under trap, and how are they filled?"
}
check hello 10 "hello, and where its exits come from"

part "B. What one operation costs"

t_fork() {
    compare twenty forkwait 20
    compare forty forkwait 40
    for s in hardware trap paravirt; do
        near "fork-$s" "$(per_fork twenty forty $s)" "(exits of forkwait 40 - exits of forkwait 20) / 20, column '$s', rounded."
    done
    reason fork-trap-because 6 'page table|shadow|entr(y|ies)|pte' "What does a kernel write so that a child shares its parent's memory, and what does trap do with the pages where that lies?"
    reason fork-paravirt-because 6 'multicall|batch|many|several|one (exit|call|hypercall)|array|at once' "How many changes fit into one exit? docs/HYPERCALLS.md has a word for it."
}
check fork 15 "a fork"

t_count() {
    compare hello hello
    fewest=$(for s in hardware trap paravirt; do echo "$(of hello $s exits) $s"; done | sort -n | sed -n '1s/.* //p')
    most=$(for s in hardware trap paravirt; do echo "$(of hello $s instructions) $s"; done | sort -n | sed -n '$s/.* //p')
    answer fewest-exits "$fewest" "Row 'exits' of hello."
    answer most-instructions "$most" "Row 'guest instructions' of hello."
    [ "$(value before-user | tr -d ', ')" != "$(of hello "$most" instructions)" ] ||
        flunk "That is the whole run: how many of them came before the first of a user program? It stands below the reasons."
    near before-user "$(of hello "$most" start_instructions)" "The last row of hello, column '$most'."
    reason count-because 8 '4 ?k|large page|small page|each page|every page|2 ?m' "What has to be written for 128 MiB of memory, once with pages of 2 MiB and once with pages of 4 KiB?"
}
check count 10 "a count is not a cost"

part "C. Without a kernel of its own"

# exits of forkwait N under ski, or what is known of it where no process can be confined
ski() { # NAME N LEVEL
    run "$1" "$HV" run --strategy ski --trace-level "$3" --stats -- forkwait "$2"
    sed -n 's/^hv: the program ended with status 0 (\([0-9]*\) exits.*/\1/p' "$W/$1.err"
}
t_ski() {
    answer ski-kernel "(the )?host('s)?( kernel)?" "Who answers its system calls? 'hv compare' shows minios and minios-pv for the others."
    off=$(ski off 20 off) all=$(ski all20 20 all) all40=$(ski all40 40 all)
    if [ -n "$off" ] && [ -n "$all" ] && [ -n "$all40" ]; then
        each=$(((all40 - all + 10) / 20))
    else
        line '' '' "(this host lets nobody confine a process: the numbers are those of one that does)"
        off=0 each=6
    fi
    answer ski-fork "$off" "What do the numbers in brackets say for 20 and for 40? Between the program and its kernel stands nobody."
    answer ski-fork-traced "$each" "(exits of 40 - exits of 20) / 20, both with --trace-level all."
    reason ski-traced-because 6 'trac|record|watch|ptrace|observ|look|count' "Does the program need hv for a fork? Who wants these exits?"
    reason ski-because 6 'flexib|version|patch|same (os|operating|kernel)|one kernel|secur|reliab|isolat' "The slide 'SKI virtualization': 'at the expense of ...', 'also sacrifices ...'."
}
check ski 10 "a process that believes itself alone"

part "D. Choose"

t_choose() {
    answer case-1 hardware "It may not be changed, and the processor can do it: who does less than all others?"
    answer case-2 trap "It may not be changed, and the processor cannot help: what is left?"
    answer case-3 paravirt "It may be changed, the processor cannot help, and hole 2 says who of the two forks cheaper."
    answer case-4 ski "One kernel is what they all want, and nobody has to be kept from harming the others: what is cheapest?"
    answer case-5 hardware "Kernels of their own choice, strangers as neighbours, and a processor that can do it."
    answer claim no "The table of docs/STRATEGIES.md, row 'needs', and at which CPL such a kernel runs."
    reason claim-because 8 'hypercall|cpl 3|ring 3|vt-x|source|modif|chang' "By what means does a paravirtual kernel get done what needs privilege?"
}
check choose 10 "five cases and a claim"
