#!/bin/bash
# wrong.sh HV LABS [LAB] - solutions that are wrong and tempting get no points: the reference with one line
# changed, and the test that has to find it out. Called by `make check-labs`, with an installed hv; ends
# with "wrong solutions: N passed, N failed".
set -u
hv=$1 labs=$2 only=${3-}
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh" || exit 2
about='wrong solutions: ' shown=$work/said lines=20

# wrong LAB TEST FILE SED-SCRIPT WHAT: the reference's FILE, changed so, does not pass TEST
wrong() {
    lab=$(basename "$labs/$1"-*)
    [ -z "$only" ] || [ "$only" = "$lab" ] || return
    [ -d "$work/$lab" ] || "$hv" lab start "$1" "$work/$lab" >/dev/null || { verdict "$lab" "cannot be started"; return; }
    cp "$labs/solutions/$lab"/* "$work/$lab"
    sed -e "$4" "$labs/solutions/$lab/$3" >"$work/$lab/$3"
    if cmp -s "$labs/solutions/$lab/$3" "$work/$lab/$3"; then
        verdict "$lab: $5" "the reference has no such line: '$4'"
        return
    fi
    NO_COLOR=1 "$hv" lab grade "$1" "$work/$lab" "$2" >"$work/said" 2>&1
    if grep -q 'does not build' "$work/said"; then
        verdict "$lab: $5" "it does not build"
    elif grep -q "^  FAIL    $2:" "$work/said"; then
        verdict "$lab: $5"
    else
        verdict "$lab: $5" "the test $2 gives points for it"
    fi
}

wrong 03 count dispatcher.c 's/^    lab->count\[vcpu->exit.kind\]++/    if (handlers[vcpu->exit.kind]) &/' "what nobody handles is not counted"
wrong 03 cpuid dispatcher.c '/exit.cpuid.leaf != CPUID_HYPERVISOR/,/STRATEGY_PASS/d' "one answer for all leaves"
wrong 03 msr dispatcher.c 's/(uint32_t)(lab->base + all)/lab->base + all/' "RDMSR puts 64 bits into RAX"
wrong 03 msr dispatcher.c 's/all += lab->count\[k\]/all += k == TRACE_MSR ? lab->count[k] : 0/' "the MSR counts its own exits alone"
wrong 03 calls dispatcher.c 's/uint64_t kind = vcpu/int64_t kind = vcpu/' "a signed index"
wrong 03 calls dispatcher.c 's/? lab->count\[kind\]/? lab->count[TRACE_CPUID]/' "one count for all kinds"
wrong 03 patient dispatcher.c 's/vcpu->exit.access.address != lab->polled_port/0/' "reads of other ports do not matter"
wrong 11 mask vif.c 's/ && vcpu->vm->engine_ops->can_inject(vcpu)//' "the processor is not asked"
wrong 11 cheap vif.c 's/set_waiting(vcpu, 0)/(void)vcpu/' "something waits for ever after"
wrong 11 lost vif.c 's/ - lab->start//' "the clock begins with the machine"
wrong 12 once driver.c 's/cpuid(0, .*/vendor[0] = 0x756e6547, vendor[1] = 0x49656e69, vendor[2] = 0x6c65746e;/; s/cpuid(1, .*/family = 0x600, a = d = 0, (void)a, (void)d;/' "the processor is not asked"
wrong 12 elsewhere driver.c 's/while (!(in8(UART_LSR) & LSR_THRE))/while (0)/' "a UART that is never asked"
wrong 12 tenth driver.c "s/c == '.n' || //" "lines are kept until the buffer is full"

[ $passed != 0 ] || [ $failed != 0 ] || [ -n "$only" ] || verdict all "nothing was tried"
verdicts "wrong solutions"
