# shellcheck shell=sh disable=SC2154,SC2034 # variables of grade.sh
# tests.sh - ticket 3: the work is done, in time, for how many exits and instructions.
# shellcheck source=/dev/null
. "$HV_LABS/lib/ticket.sh"
LIMIT="--limit exits=2000000 --limit instructions=50000000"

part "A. The same work"

t_work() {
    vm_run work meter.vm
    expect "$W/work.out" "Work was left out, and so were its exits: 100 readings, 50 us apart." \
        "meter: 100 readings, one each 50 us" "meter: 100 readings, sum 4c57ffb2"
}
check work 15 "100 readings, 50 us apart, the right sum"

t_records() {
    vm_run records meter.vm
    for n in 000 037 099; do
        expect "$W/records.out" "Record $n is not sent: who reads the meter waits for it." "r$n "
    done
    same "records" 100 "$(grep -c '^r[0-9]* [0-9]*$' "$W/records.out")" "Each reading is one record."
}
check records 15 "a record of each"

t_time() {
    vm_run time meter.vm
    off=$(sed -n 's/.*at worst \([0-9]*\) us off.*/\1/p' "$W/time.out")
    [ "${off:-999}" -le 5 ] || flunk "a reading was ${off:-?} us off its time: readings have to be 50 us apart, 5 us off at the most"
    line "$good" GOOD "at worst $off us off"
}
check time 20 "each at its time"

part "B. For a fraction of the cost"

# What the other half of the work would have cost does not count.
t_exits() {
    vm_run exits meter.vm
    expect "$W/exits.out" "Fewer exits for less work are no mend: do the work first." "meter: 100 readings, one each 50 us"
    n=$(exits_of exits)
    [ "$n" -le 2000 ] || flunk "$n exits, and 2000 are allowed. 'hv trace --stats' of a recording has a table of ports: which is asked most often, and for what? When that is mended, look again."
    line "$good" GOOD "$n exits"
}
check exits 30 "within 2,000 exits"

t_busy() {
    LIMIT="--limit instructions=1000000"
    OVER="It executes more than 1000000 instructions: it keeps a processor busy while it waits. Waiting is not work; who has to be woken can sleep."
    vm_run busy meter.vm
    line "$good" GOOD "within 1,000,000 instructions"
}
check busy 20 "within 1,000,000 instructions"
