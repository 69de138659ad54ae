# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - the tests of lab 11: the guest in kernel.c, a word at a time. labs/lib/grade.sh has the words.

# go NAME WORDS: the guest under the plug-in; what the plug-in said is shown if the test fails
go() {
    plugin vif.c
    [ -x "$W/kernel" ] || guest kernel
    to=$1
    shift
    hv_run "$to" --strategy "$W/vif.so" --trace "$W/$to.hvt" --append "$*" "$W/kernel"
    yet=$(grep 'not written yet' "$W/$to.err" | tail -n 1 | sed 's/^lab: //')
    [ -z "$yet" ] || line "$bad" BAD "$yet"
    ! grep -q 'triple fault' "$W/$to.err" ||
        flunk "the guest ended in a triple fault: handlers inside handlers, until its stack was full? on_delivery() masks."
    [ "$status" = 1 ] ||
        flunk "the guest sleeps for ever: it is halted, and interrupts are masked. Who has to unmask in HC_WAIT?"
}
hypercalls() { "$HV" trace --format csv "$W/$1.hvt" | awk -F, '$5 == "exit" && $6 == "hypercall"' | wc -l; }

part "A. The flag"

t_mask() {
    go mask mask
    expect "$W/mask.out" "While 'masked' is set no interrupt is handed over, nor while the processor can take none (can_inject); afterwards it is." \
        "interrupted while masked: 0" "interrupted while the processor could not: 0" "afterwards they came"
}
check mask 10 "no interrupt while masked"

t_handler() {
    go handler handler
    expect "$W/handler.out" "An interrupt masks: the handler must not be interrupted by the next tick before it unmasks itself." \
        "handlers interrupted: 0" "handlers: at least 5"
}
check handler 5 "no interrupt inside a handler"

part "B. The window"

t_window() {
    go window window
    expect "$W/window.out" "Tell the guest that something waits ('waiting'): then it comes back as soon as it unmasks." \
        "interrupted while masked: 0" "taken as soon as unmasked: 20"
}
check window 10 "taken as soon as unmasked"

t_cheap() {
    go cheap window often
    expect "$W/cheap.out" "First the test 'window'." "taken as soon as unmasked: 20" "often: done"
    count=$(hypercalls cheap)
    if [ "$count" -gt 40 ]; then
        line "$bad" BAD "hypercalls: $count (at most 40)"
        flunk "5,000 times masked and unmasked, and nothing waits: 'waiting' must be clear again when the interrupt was taken."
    fi
}
check cheap 5 "unmasking costs nothing if nothing waits"

part "C. Sleep"

t_wait() {
    go wait wait
    expect "$W/wait.out" "HC_WAIT unmasks and sleeps; an interrupt wakes; one that waits already is handed over without sleep." \
        "woken: 20" "slept though one was waiting: 0"
}
check wait 10 "asleep until a tick"

part "D. Lost ticks"

t_lost() {
    go lost lost
    expect "$W/lost.out" "Several ticks while masked are one interrupt, so do not count interrupts: (time - start) / period." \
        "handlers interrupted: 0" "the clock is right" "and few interrupts came"
}
check lost 10 "a clock that does not go slow"
