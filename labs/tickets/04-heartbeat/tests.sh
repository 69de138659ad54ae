# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - ticket 4: do the heartbeats arrive, as interrupts, and does the gate still depend on them?
# shellcheck source=/dev/null
. "$HV_LABS/lib/ticket.sh"

part "A. The heartbeat arrives"

t_opens() {
    vm_run opens gate.vm
    reject "$W/opens.out" "A line is open now that nobody in the appliance handles. Open those that are needed, and no more." "which nobody expects"
    expect "$W/opens.out" "The gate stays closed. In a recording: does the clock raise line 8? Does its controller have it masked? On which line of the first controller does the second hang, and is that one masked?" \
        "gate: 20 heartbeats" "gate: open"
}
check opens 50 "20 heartbeats, and the gate opens"

t_interrupts() {
    vm_run seen gate.vm
    expect "$W/seen.out" "There are no 20 heartbeats yet." "gate: 20 heartbeats"
    ticks=$(sed -n 's/.*heartbeats in \([0-9]*\) ticks.*/\1/p' "$W/seen.out")
    [ "${ticks:-99}" -le 3 ] || flunk "20 heartbeats take 20 ms, and these took $ticks ticks of 10 ms: they did not come as interrupts, the clock was asked for them, and nine of ten got lost"
    line "$good" GOOD "in $ticks ticks"
}
check interrupts 20 "by interrupt, not by asking"

part "B. The gate still depends on it"

t_closed() {
    vm_run closed gate.vm
    expect "$W/closed.out" "It does not open at all yet." "gate: open"
    vm_run mute gate.vm beats=1000000
    reject "$W/mute.out" "The gate opens although heartbeats are missing: this is the car." "gate: open"
    expect "$W/mute.out" "The gate has to say that it stays closed." "the gate stays closed"
}
check closed 30 "no heartbeat, no way in"
