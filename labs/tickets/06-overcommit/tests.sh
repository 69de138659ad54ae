# shellcheck shell=sh disable=SC2154,SC2034,SC2086 # variables of grade.sh
# tests.sh - ticket 6: a day on the delivered host with the student's machines.
# shellcheck source=/dev/null
. "$HV_LABS/lib/ticket.sh"
LIMIT="--limit exits=200000 --limit instructions=20000000"

touched() { sed -n 's/.*touched \([0-9]*\) KiB.*/\1/p' "$W/$1.out"; }
day() { # what the three touch; flunks if one does not serve
    used=0
    for vm in db web mail; do
        vm_run $vm $vm.vm
        expect "$W/$vm.out" "$vm does not serve: a machine with less memory than its working set is killed by its own kernel. Memory below the machine's first 2 MiB and 512 KiB of its own come on top." "$vm: served 1000 requests"
        used=$((used + $(touched $vm)))
    done
}

part "A. All three live"

t_serve() {
    day
}
check serve 20 "each of the three serves"

t_host() {
    day
    same "host.txt: ram, own" "$(grep -E '^(ram|own)' "$LAB/host.txt")" "$(grep -E '^(ram|own)' "$DIR/host.txt")" \
        "host.txt is the hardware: writing a larger number into it adds no memory."
    [ "$used" -le 49152 ] || flunk "the three touch $used KiB, and the host has 49152: it kills the largest that it may. Exempting one sends the next one to death; the sum has to fit."
    line "$good" GOOD "touched: $used of 49152 KiB"
}
check host 40 "together they fit, so nobody is killed"

part "B. And well"

t_fast() {
    day
    for vm in db web mail; do
        misses=$(sed -n 's/.*requests, \([0-9]*\)% from the disk.*/\1/p' "$W/$vm.out")
        [ "$misses" -le 10 ] || flunk "$vm gets $misses% from the disk: its cache is too small. An eighth of the working set does."
        line "$good" GOOD "$vm: $misses% from the disk"
    done
}
check fast 20 "at most 10 % from the disk"

t_swap() {
    day
    swap=$(sed -n 's/^swap[[:blank:]]*//p' "$DIR/host.txt")
    [ "$used" -le 49152 ] || [ "${swap:-0}" = 0 ] || flunk "$((used - 49152)) KiB of the machines would lie on the disk: slow death instead of a quick one"
    [ "$used" -le 49152 ] || flunk "they do not fit yet"
    line "$good" GOOD "nothing on the disk"
}
check swap 10 "nothing of them on the host's disk"

t_ballast() {
    day
    for vm in db web mail; do
        case " $(vm_value $vm.vm append) " in
        *" ballast="*) flunk "$vm has ballast: memory that is held and does nothing" ;;
        esac
    done
    [ "$used" -le 49152 ] || flunk "they do not fit yet"
}
check ballast 10 "no memory is held for nothing"
