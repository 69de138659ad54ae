# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - ticket 2: the delivered image, run as till.vm says.
# shellcheck source=/dev/null
. "$HV_LABS/lib/ticket.sh"

part "A. The till starts"

t_boots() {
    vm_run boots till.vm
    reject "$W/boots.err" "It still ends in a triple fault. Step back from it: the far jump needs a descriptor from the GDT. Where does LGDT look for it, and where does the image lie?" "triple fault"
    expect "$W/boots.out" "The till does not come as far as its message." "till: protected mode, program complete, sum 385b1228"
}
check boots 70 "it reaches protected mode, complete"

t_ends() {
    vm_run ends till.vm
    same "status" 1 "$status" "The program has to end by itself and well: status 1, (0 << 1) | 1."
}
check ends 30 "it ends by itself"
