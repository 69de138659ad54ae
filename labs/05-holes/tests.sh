# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - the tests of lab 5. What the audit and minios say is found out here. labs/lib/grade.sh has the words.

# $W/audit.out: the audit of engine soft
audit() { [ -s "$W/audit.out" ] || run audit "$HV" audit --engine soft; }

part "A. The audit"

t_audit() {
    audit
    names=$(sed -n 's/^Without UMIP: of \([0-9]*\) names.*/\1/p' "$W/audit.out")
    without=$(sed -n 's/^Without UMIP: of [0-9]* names \([0-9]*\) trap.*/\1/p' "$W/audit.out")
    with=$(sed -n 's/^With UMIP: of [0-9]* names \([0-9]*\) trap.*/\1/p' "$W/audit.out")
    closes=$(awk '/^for comparison/ { exit } /(leaks state|silently wrong) +traps/ { print tolower($1) }' "$W/audit.out" | tr '\n' ' ' | sed 's/ $//')
    answer names "$names" "Count the rows above 'for comparison', or read the summary below the table."
    answer trap-without-umip "$without" "Column 'CPL 3': how many rows say 'traps'?"
    answer trap-with-umip "$with" "Column 'CPL 3, UMIP': how many rows say 'traps'?"
    answer umip-closes "$closes" "Which rows are no trap in column 'CPL 3', and one in 'CPL 3, UMIP'? First words of the rows, in their order."
}
check audit 10 "what traps, and what does not"

t_theorem() {
    answer theorem no "Is there a sensitive instruction that does not trap? Then the sensitive ones are not within the privileged ones."
    reason theorem-because 8 'popf|pushf|lar|lsl|verr|verw|mov|call|jmp|ret|push|pop' "Name the two sets, and an instruction that is in one of them only."
    answer impossible false "You have run a guest on this processor. What does the theorem promise if its condition does not hold?"
    reason impossible-because 5 'sufficient|not necessary' "There are necessary and sufficient conditions."
}
check theorem 10 "Popek and Goldberg on this processor"

part "B. minios"

t_minios() {
    word=$(value minios-append)
    [ "$word" != '?' ] || answer minios-append '[a-z]+' "Which word makes minios use the holes?"
    for strategy in hardware trap; do
        hv_run "minios-$strategy" --strategy "$strategy" --append "$word" minios
    done
    hardware=$(grep -c WRONG "$W/minios-hardware.out")
    trap=$(grep -c WRONG "$W/minios-trap.out")
    [ "$trap" -gt 0 ] || flunk "With that word minios says nothing that is WRONG under trap."
    answer minios-append '[a-z]+' ""
    answer minios-wrong "$trap" "Count the lines with WRONG under --strategy trap."
    answer minios-wrong-hardware "$hardware" "Count the lines with WRONG under --strategy hardware."
    reason minios-popf 8 'fault|trap|silent|learn|know' "How does a VMM of the trap kind learn of an instruction, and what does POPF at CPL 3 do instead?"
}
check minios 10 "a kernel that is told lies"

part "C. A kernel, mended"

# both NAME WHY LINE...: the kernel under both strategies says these lines
both() {
    mine kernel.c
    word=$1 why=$2
    shift 2
    for strategy in hardware trap; do
        hv_run "$strategy" --strategy "$strategy" --append "$word" "$W/kernel"
        line "$dim" under: "--strategy $strategy"
        expect "$W/$strategy.out" "$why" "$@"
    done
}

t_clock() {
    both clock "If the clock stands behind a critical section, irq_restore() has not switched interrupts on again." \
        "the clock goes" "after a critical section the clock goes" "done"
}
check clock 10 "the clock goes on behind a critical section"

t_sections() {
    both sections "An inner irq_restore() must not switch interrupts on, and none that a handler calls: what irq_save() returned decides." \
        "between the sections interrupts come" "critical sections that were interrupted: 0" "handlers in handlers: 0" "ticks while interrupts were off: 0" "done"
}
check sections 15 "sections within sections, and in handlers"

t_self() {
    both self "What does not trap shows the VMM's state: use what the kernel knows, or what traps." \
        "my CPL: 0" "my GDT: where I put it"
}
check self 10 "who am I"
