#!/bin/sh
# debug.sh HV GUESTS [ENGINE] - the debugger on an engine that cannot go back: kvm, or the one that is named.
#
# minios under each strategy: exits with both edges, instructions, lines, what can be looked at, and
# the sentences for what cannot be done. A thousand steps must come by the places they come by on soft.
# Whether the processor's debug registers strike is asked once: QEMU's emulated SVM has none that
# do. Called by inside.sh; ends with "debug: N passed, N failed[, N skipped]".
# shellcheck disable=SC2016 # the debugger's own variables
set -u
hv=$1 guests=$2 engine=${3:-kvm}
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"
shown="$work/out"
export HOME="$work" TERM=dumb NO_COLOR=1 HV_GUESTS="$guests"

# debug <SCRIPT: a session on minios that says hello; output in $work/out, status in $work/status.
debug() {
    timeout 300 "$hv" debug --engine "${1:-$engine}" --strategy "$strategy" --append 'init=hello' \
        "$guest" >"$work/out" 2>&1
    echo $? >"$work/status" # in a file: the end of a pipe is a shell of its own
}

# What it cannot do it says, and what to use instead.
goes_forward() {
    printf 'stepexit 2\nreverse-stepi\n' | debug
    ends "back by an instruction" 1 'cannot go back.*--engine soft'
    printf 'stepexit 2\nreverse-stepexit\n' | debug
    ends "back by an exit" 1 'cannot go back.*--engine soft'
    printf 'stepexit 3\nseek 1\n' | debug
    ends "seek backwards" 1 'cannot go back.*--engine soft'
    printf 'seek 3\nwhen\nseek icount=100\n' | debug
    ends "seek" 1 '^exit 3, its edge out' 'does not count'
}

# Do execute points strike here?
strategy=hardware guest=minios
printf 'tbreak kmain\ncontinue\nwhen\n' | debug
points=no
! grep -q '^breakpoint 1$' "$work/out" || points=yes
cp "$work/out" "$work/points"

for strategy in hardware trap paravirt; do
    about="$strategy: "
    guest=minios
    case $strategy in
    hardware)
        exit='io port 0x3f8' operands='write byte .* to port 0x3f8: uart'
        printing="$exit if exit.value == 'm'"
        ;;
    trap)
        exit=exception operands='#[GP][PF] '
        printing='exception if $rip >= priv_console_write && $rip < priv_console_write + 32'
        ;;
    paravirt)
        exit=hypercall operands='set-shared\|console-write' guest=minios-pv
        printing='hypercall if $rax == 2'
        ;;
    esac
    kind=${exit%% *}
    finish='# no finish: it needs a stop point'
    [ $points = no ] || finish=$(printf 'finish\nnext\nnext\nnexti')

    debug <<END
when
stepi
stepi 3
catch exit $exit
continue
explain
info registers
x/2i \$rip
p exit.rip != 0
set exit-edge both
stepexit
when
stepexit
explain
delete
set exit-edge out
stepexit 20
bt
END
    ends "exits" 0 '^exit 0' '^catch exit 1: ' "^catchpoint 1 (exit $kind" "^exit [0-9]* out: $kind" \
        "$operands" "^exit [0-9]*: $kind, on engine $engine under strategy $strategy" '^  What ' \
        '^  Why ' '^  VMM ' '^  Guest ' '^. rax ' '^. rip ' '^=> ' ' = 1$' '^exit [0-9]* in: ' \
        'its edge in' '^exit [0-9]* out: ' '^exit [0-9]*: ' '^exit [0-9]* out: ' '^#0 '

    debug <<END
catch exit $printing
continue
delete
$finish
step
step
stepi 2
info walk \$rip
info exits
info devices
info devices uart
info gdt
info idt
info strategy
info irq
info mem
x/4xg \$rsp
set \$saved = \$rbx
set \$rbx = 0x1234
p/x \$rbx
set \$rbx = \$saved
trace on
stepexit
trace off
stepexit
p exit.rip != 0
graph card 1 $work/card.dot
continue
when
END
    ends "lines and views" 0 '^catchpoint 1' '=> ' '=> ' '=> ' '=> ' '^linear 0x' \
        'PML4\[511\] *at 0x[0-9a-f]*: [0-9a-f]*' 'page  *physical 0x' " $kind " '^  uart ' \
        "on engine $engine" ' = 0x1234$' ' at ' '^exit [0-9]* out' '^exit [0-9]* out' ' = 1$' \
        'card.dot' 'powered off' '^exit '

    if [ "$engine" != soft ]; then
        goes_forward
    fi

    # A register that is set while an exit waits to be dealt with: what left the processor is not lost,
    # and nothing happens twice.
    printf 'catch exit %s\ncontinue\ndelete\nset $r15 = 5\np $r15\ncontinue\n' "$printing" | debug
    ends "a register set at an edge out" 0 '^catchpoint 1' ' = 5$' '^minios: 64-bit kernel, console' \
        '^minios: done'

    # The same instructions as on soft, one at a time, devices and exits between them.
    i=0
    while [ $i -lt 400 ]; do
        printf 'stepi\nprintf "at %%x %%x %%x\\n", $rip, $rsp, $rax\n'
        i=$((i + 1))
    done >"$work/steps"
    for e in "$engine" soft; do
        debug "$e" <"$work/steps"
        # Where an exit made the guest try again, soft counts that as a step: even at its first instruction.
        grep '^at ' "$work/out" | grep -v '^at 100000 ' | uniq | head -n 300 >"$work/steps-$e"
    done
    if [ "$(wc -l <"$work/steps-soft")" != 300 ]; then
        verdict "steps" "soft does not make 300"
    elif cmp -s "$work/steps-soft" "$work/steps-$engine"; then
        verdict "steps"
    else
        diff "$work/steps-soft" "$work/steps-$engine" >"$work/out"
        verdict "steps" "not those of soft"
    fi

    if [ $points = yes ]; then
        printf 'tbreak kmain\ncontinue\nbreak note\nwatch ticks\ncontinue\nbt\n' | debug
        ends "stop points" 0 '^breakpoint 1' '=> ' '^hw watchpoint 3\|^breakpoint 2' '^#0 '
    else
        skipped=$((skipped + 1))
        echo "SKIPPED: $strategy: stop points: execute points of KVM_SET_GUEST_DEBUG do not strike here"
    fi
done
[ $points = yes ] || sed 's/^/    /' "$work/points"

# A triple fault is explained on the processor's own state.
strategy=hardware guest=minios
debug <<'END'
catch exit io port 0x3f8
continue
set $idtr.limit = 0
set $rip = 0xfffffffff0000000
delete
continue
explain
END
ends "a triple fault" 0 'triple fault' 'out: shutdown' '^  Why .*triple\|^  Why .*delivered'

verdicts debug
