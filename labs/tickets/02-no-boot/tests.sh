# shellcheck shell=sh disable=SC2154,SC2086 # variables of grade.sh
# tests.sh - ticket 2: the delivered image, run as till.vm says.
# shellcheck source=/dev/null
. "$HV_LABS/lib/ticket.sh"

part "A. The till starts"

t_boots() {
    vm_run boots till.vm
    reject "$W/boots.err" "It still ends in a triple fault. Step back from it: the far jump needs a descriptor from the GDT. Where does LGDT look for it, and where does the image lie?" "triple fault"
    # Its sum over its own bytes, as it is where they lie as they were linked.
    run right "$HV" run --engine soft --loader flat --load-at 0x7c00 $LIMIT "$HV_GUESTS/tickets/02-no-boot/till.img"
    expect "$W/boots.out" "The till does not come as far as its message." "$(grep 'program complete, sum' "$W/right.out")"
}
check boots 70 "it reaches protected mode, complete"

t_ends() {
    vm_run ends till.vm
    reject "$W/ends.err" "A crash is no end: see the test before." "triple fault"
    same "status" 1 "$status" "The program has to end by itself and well: status 1, (0 << 1) | 1."
}
check ends 30 "it ends by itself"
