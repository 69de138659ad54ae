#!/bin/bash
# wrong.sh HV LABS [LAB] - solutions that are wrong and tempting get no points: the reference with one line
# changed, and the test that has to find it out. And what is right in other words gets them. Called by
# `make check-labs`, with an installed hv; ends with "wrong solutions: N passed, N failed".
set -u
hv=$1 labs=$2 only=${3-}
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh" || exit 2
about='wrong solutions: ' shown=$work/said lines=20

# graded LAB TEST FILE SED-SCRIPT: what TEST says of the reference with FILE changed so, in $work/said; the lab's
# name in $lab. 1: it is not to be tried, or cannot be.
graded() {
    lab=$(basename "$labs/$1"-*)
    [ -z "$only" ] || [ "$only" = "$lab" ] || return
    [ -d "$work/$lab" ] || "$hv" lab start "$1" "$work/$lab" >/dev/null || { verdict "$lab" "cannot be started"; return 1; }
    cp "$labs/solutions/$lab"/* "$work/$lab"
    sed -e "$4" "$labs/solutions/$lab/$3" >"$work/$lab/$3"
    if cmp -s "$labs/solutions/$lab/$3" "$work/$lab/$3"; then
        verdict "$lab: $3" "the reference has no such line: '$4'"
        return 1
    fi
    NO_COLOR=1 "$hv" lab grade "$1" "$work/$lab" "$2" >"$work/said" 2>&1
    ! grep 'does not build' "$work/said" >/dev/null || { verdict "$lab: $4" "it does not build"; return 1; }
}
verdict_is() { # "FAIL "|"ok   " WHY-NOT LAB TEST FILE SED-SCRIPT WHAT
    want=$1 why=$2
    shift 2
    graded "$@" || return
    if grep -q "^  $want   $2:" "$work/said"; then
        verdict "$lab: $5"
    else
        verdict "$lab: $5" "the test $2 gives $why for it"
    fi
}
wrong() { verdict_is 'FAIL ' points "$@"; } # LAB TEST FILE SED-SCRIPT WHAT
right() { verdict_is 'ok   ' 'no points' "$@"; }

right 01 trap answers.txt 's/^trap-out: .*/trap-out: #GP/' "the exception by its name"
right 01 trap answers.txt 's/^trap-out: .*/trap-out: exception, #GP general protection/' "the exception as the trace has it"
wrong 01 trap answers.txt 's/^trap-out: .*/trap-out: #PF/' "another exception"
wrong 01 trap answers.txt 's/^trap-out: .*/trap-out: io/' "OUT is as it was under hardware"
wrong 03 count dispatcher.c 's/^    lab->count\[vcpu->exit.kind\]++/    if (handlers[vcpu->exit.kind]) &/' "what nobody handles is not counted"
wrong 03 cpuid dispatcher.c '/exit.cpuid.leaf != CPUID_HYPERVISOR/,/STRATEGY_PASS/d' "one answer for all leaves"
wrong 03 msr dispatcher.c 's/(uint32_t)(lab->base + all)/lab->base + all/' "RDMSR puts 64 bits into RAX"
wrong 03 msr dispatcher.c 's/all += lab->count\[k\]/all += k == TRACE_MSR ? lab->count[k] : 0/' "the MSR counts its own exits alone"
wrong 03 calls dispatcher.c 's/uint64_t kind = vcpu/int64_t kind = vcpu/' "a signed index"
wrong 03 calls dispatcher.c 's/? lab->count\[kind\]/? lab->count[TRACE_CPUID]/' "one count for all kinds"
wrong 03 patient dispatcher.c 's/vcpu->exit.access.address != lab->polled_port/0/' "reads of other ports do not matter"
wrong 05 sections kernel.c 's/^    irq_on = 0;$/    ;/' "a section, and a handler, that nobody remembers"
wrong 06 map shadow.c 's/ | (execute ? 0 : PTE_NX)//' "every page can be executed"
wrong 06 stale shadow.c 's/\*entry &= ~PTE_W;/;/' "a page that becomes a table stays writable"
wrong 07 console priv.h 's/== 1 ? byte : -1/>= 0 ? byte : -1/' "a byte that nobody typed"
wrong 07 flag priv.h 's/^    if (priv_shared.pending)$/    if (0)/' "an event that waits is forgotten"
wrong 07 flag priv.h '/priv_hypercall(HC_BLOCK/i priv_sti();' "unmasked, then asleep: a lost wake-up"
if [ "${only:-09-comparing}" = 09-comparing ]; then
    all=$("$hv" compare hello --rounds 1 --no-times --strategies hardware,trap,paravirt | awk '/^guest instructions/ { gsub(",", ""); print $NF }')
    wrong 09 count answers.txt "s/^before-user: .*/before-user: ${all:-none}/" "the instructions of the whole run"
fi
wrong 10 mend kernel.c 's/n < NAME_SIZE - 1/n < NAME_SIZE/' "a name without room for its zero byte"
wrong 11 mask vif.c 's/ && vcpu->vm->engine_ops->can_inject(vcpu)//' "the processor is not asked"
wrong 11 cheap vif.c 's/set_waiting(vcpu, 0)/(void)vcpu/' "something waits for ever after"
wrong 11 lost vif.c 's/ - lab->start//' "the clock begins with the machine"
wrong 12 once driver.c 's/cpuid(0, .*/vendor[0] = 0x756e6547, vendor[1] = 0x49656e69, vendor[2] = 0x6c65746e;/; s/cpuid(1, .*/family = 0x600, a = d = 0, (void)a, (void)d;/' "the processor is not asked"
wrong 12 elsewhere driver.c 's/while (!(in8(UART_LSR) & LSR_THRE))/while (0)/' "a UART that is never asked"
wrong 12 tenth driver.c "s/c == '.n' || //" "lines are kept until the buffer is full"

[ $passed != 0 ] || [ $failed != 0 ] || [ -n "$only" ] || verdict all "nothing was tried"
verdicts "wrong solutions"
