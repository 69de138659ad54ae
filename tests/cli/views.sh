#!/bin/sh
# views.sh HV GUESTS [--bless] - what the debugger shows: the context at a stop, explain and info,
# under each strategy. Called by `make check-cli`; ends with "N passed, N failed". --bless writes
# views/hello64.txt anew.
#
# hello64 is compared as a whole, without times and line numbers of hv's own sources; of minios, whose
# addresses a compiler chooses, some lines are looked for.
# shellcheck disable=SC2016 # $idtr and the like are the debugger's
set -u
hv=$1 guests=$2 bless=${3-}
here=$(dirname "$0")/views
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"

# debug STRATEGY GUEST: commands on standard input, what they print into $work/out.
debug() {
    timeout 900 "$hv" debug --nx --engine soft --strategy "$1" "$guests/$2" >"$work/out" 2>&1
}

# says WHAT PATTERN...: each is somewhere in the output, be it across lines.
says() {
    what=$1
    shift
    tr -s ' \n' '  ' <"$work/out" >"$work/flat"
    for pattern in "$@"; do
        grep -q -e "$pattern" "$work/out" "$work/flat"
        is_zero "$what: '$pattern'" $?
    done
}

# --- hello64: every word ---------------------------------------------------------------------------

debug hardware hello64 <"$here/hello64.in"
sed -e 's/\(\.c\):[0-9][0-9]*)/\1:N)/g' -e 's/^\(  +\)[0-9.]* [num]*s */\1T /' -e 's/^cost: [0-9.]* [num]*s/cost: T/' "$work/out" >"$work/hello64"
if [ "$bless" = --bless ]; then
    cp "$work/hello64" "$here/hello64.txt"
fi
diff "$here/hello64.txt" "$work/hello64"
is_zero "hello64 is as in views/hello64.txt" $?

# --- each strategy -----------------------------------------------------------------------------------

debug hardware minios <<'END'
break proc_run
continue
info idt
info gdt
info walk $rsp
info irq
info exits
catch exit hlt
continue
explain
END
! grep -q '!!' "$work/out"
is_zero "hardware: a good kernel's tables have no mark" $?
says "hardware" 'interrupt gate' '64-bit TSS, busy  *<- tr' 'PT\[' 'pit .*20 ' '^  io ' \
    'handle_hlt (hv/core/dispatch.c:[0-9]*)' 'HLT exiting'

debug trap minios <<'END'
stepexit
explain
break proc_run
continue
info walk $rsp
info strategy
stepexit 3
info exits
explain
END
says "trap" '^  cause: ' 'trap_dispatch (hv/strategy/trap/dispatcher.c:[0-9]*)' \
    "the guest's tables, CR3.*the shadow, CR3 0xd0" 'virtual CPL 0' '^  exception '

# What `explain` finds of an exit when it has happened, trying it on a processor that only looks, is what
# the dispatcher then did, by the recording. init=lazy has four of the causes.
{
    echo 'set exit-edge both'
    yes stepexit | head -n 2400
} >"$work/steps"
timeout 900 "$hv" debug --nx --engine soft --strategy trap --append init=lazy "$guests/minios" \
    <"$work/steps" >"$work/out" 2>&1
awk '/^exit [0-9]+ out:/ && $2 != number { differ += cause != ""; number = $2; cause = "" }
     /^exit/ { edge = $3 }
     /^  cause: / {
         now = substr($0, 10)
         sub(/: .*/, "", now)
         if (edge == "out:") cause = now
         else if (now == cause) { same[now]++; cause = "" }
     }
     END { for (c in same) { print "causes:", c; all += same[c] }
           print differ + 0, "causes differ, and", all, "do not" }' \
    "$work/out" >"$work/causes"
cp "$work/causes" "$work/out"
says "causes" "^causes: the guest's own fault" '^causes: a page table' '^causes: an instruction' \
    '^causes: .*lacks the entry' '^causes: .*dirty bit' '^0 causes differ, and [0-9][0-9][0-9]'

debug paravirt minios-pv <<'END'
set exit-edge both
stepexit
explain
stepexit
explain
info idt
info strategy
info exit 1
catch exit exception
continue
explain
END
says "paravirt" 'SYSCALL of a user program' 'A program executed SYSCALL' '^  set-shared(frame 0x' ') = 0$' 'set_shared (hv/strategy/paravirt/hypercalls.c:' \
    'HC_SET_TRAPS' 'in the kernel' '(set-shared)'

# --- triple faults: the bad bit is named -----------------------------------------------------------------

# broken STRATEGY COMMAND PATTERN...: minios with COMMAND executed, then a jump to nowhere.
broken() {
    strategy=$1 command=$2
    shift 2
    debug "$strategy" minios <<END
break proc_run
continue
set *(uint8_t *)(\$idtr.base + 8 * 16 + 5) = 0x0e
$command
set \$rip = 0xdead000
continue
explain
END
    says "$strategy: $command" 'First  *#PF page fault at 0xdead000' \
        'so the processor tries #DF' 'triple fault' "$@"
}
for strategy in hardware trap; do
    broken "$strategy" 'set *(uint8_t *)($idtr.base + 14 * 16 + 5) = 0x0e' \
        'gate 14 of the IDT.*P (bit 47) is clear' 'gate 8 of the IDT.*P (bit 47) is clear'
    broken "$strategy" 'set *(uint8_t *)($idtr.base + 14 * 16 + 5) = 0x89' 'type (bits 44-40) is 0x9'
    broken "$strategy" 'set *(uint16_t *)($idtr.base + 14 * 16 + 2) = 0x10' 'names no code segment'
    broken "$strategy" 'set *(uint16_t *)($idtr.base + 14 * 16 + 2) = 0' 'bits 31-16) is null'
    broken "$strategy" 'set *(uint32_t *)($idtr.base + 14 * 16 + 8) = 0x8000' 'is not canonical'
    broken "$strategy" 'set $idtr.limit = 0x3f' 'IDT.s limit 0x3f' 'room for 4 gates'
    broken "$strategy" 'set $idtr.base = 0x123456789000' 'the IDT cannot be used at 0x1234567890'
    broken "$strategy" 'set $rsp = 0xdead0000' 'the present stack, RSP 0xdead0000' 'P (bit 0) is clear'
done

# --- states that no kernel is in --------------------------------------------------------------------------

debug hardware minios <<'END'
break proc_run
continue
set $gdtr.base = 0xfffffffffffffff8
set $gdtr.limit = 0xffff
set $idtr.base = 0x7fffffffffff
set $idtr.limit = 0xffff
info gdt
info idt
set $cr3 = 0x000ffffffffff000
info gdt
info idt
info walk $rip
info walk 0
info sregs
info irq
info tlb
set $cr3 = 0
info walk -1
info walk 0xffffffff80000000
info mem
continue
explain
END
says "hostile" '!!' 'no memory is there' 'First '

# --- a recording ------------------------------------------------------------------------------------------

timeout 900 "$hv" run --engine soft --strategy trap --limit exits=600 --trace "$work/trap.hvt" \
    "$guests/minios" >/dev/null 2>&1 </dev/null
timeout 900 "$hv" debug --nx --trace "$work/trap.hvt" >"$work/out" 2>&1 <<'END'
stepexit 3
explain
stepexit 590
reverse-stepexit
info exit
info exits
explain 4
info registers
END
says "a recording" '^exit 3 out: exception, guest kernel -> VMM' 'a hidden page fault' \
    '^exit 592 out' 'In the past' '^  exception ' 'a recording has no registers but rip'

debug hardware minios <<'END'
stepexit 5
checkpoint
info checkpoints
END
says "checkpoints" '^checkpoint 1: '

verdicts views
