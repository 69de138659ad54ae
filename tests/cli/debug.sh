#!/bin/sh
# debug.sh HV GUESTS PTY - the debugger as its users meet it: scripts, pipes, options, a terminal.
#
# PTY is the program of pty.c. What is looked for are words, not addresses: those differ from
# compiler to compiler. Called by `make check-cli`; ends with "N passed, N failed".
set -u
hv=$(realpath "$1") guests=$(realpath "$2") pty=$(realpath "$3")
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"
shown="$work/out"
export HOME="$work/home" TERM=xterm NO_COLOR=1 HV_GUESTS="$guests"
unset XDG_STATE_HOME XDG_CONFIG_HOME
mkdir "$HOME"
# MODE=asan: readline itself keeps the undo list of a line of history that was typed over.
echo leak:libreadline >"$work/lsan"
export LSAN_OPTIONS="suppressions=$work/lsan:print_suppressions=0"

# debug WORD... <SCRIPT: runs hv debug on minios; output in $work/out, status in $work/status: in a
# file, because the end of a pipe is a shell of its own.
debug() {
    timeout 300 "$hv" debug --engine soft "$@" minios >"$work/out" 2>&1
    echo $? >"$work/status"
}

# --- steps ----------------------------------------------------------------------------------------

debug <<'END'
when
stepi
si 4
when
stepexit
sx 2
when
set exit-edge both
sx
sx
END
ends "steps" 0 '^exit 0, after 0 instr' '^exit 0, after 5 instr' '^exit 1 out: io' '^exit 3 out: io' \
    '^exit 3, its edge out' '^exit 3 in: io' '^exit 4 out: '

# --- list ------------------------------------------------------------------------------------------

debug <<END
directory $(realpath "$(dirname "$0")/../..")
list kmain
list 30,34
list -
list
list 100000
END
ends "list" 1 'kmain(' '^   30' '^   34' '^   20' '^   29' '^   30' '^   39' 'has fewer than'

debug <<'END'
tbreak kmain
run
set $sp0 = $rsp
nexti 3
printf "same frame %d\n", $sp0 == $rsp
seek 10
when
rsx 3
when
reverse-stepi
rc
when
seek icount=100
when
END
ends "back" 0 '^same frame 1' '^exit 10, its edge out' '^exit 7, its edge out' '^exit 0, after 0 instr' \
    '^exit [0-9]*, after 100 instr'

debug <<'END'
checkpoint
sx 5
checkpoint
info checkpoints
restart 1
when
restart 2
when
END
ends "checkpoints" 0 '^checkpoint 1: exit 0' '^checkpoint 2: exit 5' '^checkpoint 1: exit 0' \
    '^checkpoint 2: exit 5' '^exit 0, after 0' '^exit 5, its edge out'

# Twice through the same window: the same numbers, the same output once.
debug <<'END'
sx 60
printf "A %d %x\n", $icount, $rsp
seek 20
sx 40
printf "B %d %x\n", $icount, $rsp
END
ends "again" 0 '^A ' '^B '
sed -n 's/^[AB] //p' "$work/out" | uniq | wc -l | grep -q '^ *1$' || verdict "again" "two ways differ"

# --- stops ----------------------------------------------------------------------------------------

debug <<'END'
catch exit io port 0x3f8
tcatch exit cpuid
break kmain if $rsp == 1
catch inject 32
ignore 1 3
info breakpoints
continue
continue
disable 1
continue
continue
info breakpoints
run
END
ends "stops" 0 'catch exit 1: exit io port 0x3f8' 'catch exit 2 (once)' 'breakpoint 3 at kmain' \
    'stops only if .rsp == 1' '^catchpoint 1' '^catchpoint 1' '^catchpoint 2' '^exit .* out: cpuid' \
    '^catchpoint 4' '^inject: .*0x20 (IRQ 0: pit)' 'hit 5 times' '^4 .*inject' 'hit 1 time' '^catchpoint 4'

debug <<'END'
watch ticks
continue
continue
info breakpoints
delete
info breakpoints
END
ends "watch" 0 'watchpoint 1: ticks (8 bytes at 0x.*)$' '^hw watchpoint 1' 'timer_interrupt' \
    'ticks: 0x1$' '^hw watchpoint 1' 'ticks: 0x1 -> 0x2$' 'hit 2 times' '^There are no '

debug <<'END'
watch *(uint64_t *)&ticks
commands
silent
printf "<%d>\n", *(uint64_t *)&ticks
end
continue
continue
continue
reverse-continue
reverse-continue
END
ends "watch on the way back: before the write" 0 '^<1>' '^<2>' '^<3>' '^<1>' '^<0>'

debug <<'END'
catch exit io port 0x3f8
commands
silent
printf "<%c>\n", exit.value
continue
end
tcatch inject
continue
echo not reached by the commands
END
ends "commands of a stop" 0 '^<m>' '^<i>' '^<n>' '^inject'

# At an interrupt, explain speaks of it and not of the exit before it. The handlers are the guest's own.
for strategy in hardware trap paravirt; do
    guest=minios
    [ $strategy != paravirt ] || guest=minios-pv
    printf 'tcatch inject\nc\nexplain\nrsi\nexplain\n' |
        timeout 300 "$hv" debug --engine soft --strategy $strategy --console null --append 'hz=1000' $guest >"$work/out" 2>&1
    echo $? >"$work/status"
    case $strategy in
    hardware) set -- "Device 'pit' has raised line 0" 'IF is set' 'x86_deliver_event' ;;
    trap) set -- "Device 'pit' has raised line 0" 'virtual IF is set' 'trap_inject$' ;;
    paravirt) set -- 'waits: trap 32' "'masked' in the shared page is 0" 'paravirt_trap (hv/strategy' ;;
    esac
    ends "explain at an interrupt, $strategy" 0 "^inject: vector 0x20.* under strategy $strategy" "$@" \
        'goes on at kernel_text+0x200 (entry.S:' '^exit [0-9]*: .* under strategy'
done
printf 'catch inject port 5\n' | debug
ends "an interrupt has no port" 1 'an interrupt has no port'
printf 'catch inject 256\n' | debug
ends "a vector that is none" 1 'a vector is a number from 0 to 255'

printf 'echo <f1>\necho <f2>\n' >"$work/of-a-stop.hv"
debug <<END
catch exit io
commands
silent
source $work/of-a-stop.hv
echo <c>
end
continue
END
ends "a file among the commands of a stop" 0 '^<f1>' '^<f2>' '^<c>'
printf 'catch exit io\ncommands io\n' | debug
ends "commands of no stop" 1 "line 2: 'io' is no number of a stop"

debug <<'END'
break kmain
condition 1 *(int *)0x123456789abc == 1
continue
when
END
ends "a condition without memory" 0 'has no value here' '^exit 0'

debug <<'END'
trace on
sx 2
trace off
trace save x.hvt
END
(cd "$work" && printf 'sx 5\ntrace save x.hvt\ngraph state 1:5 s.dot\ngraph card 3 c.dot\ngraph ladder l.dot\n' |
    timeout 300 "$hv" debug --engine soft minios >out 2>&1)
echo $? >"$work/status"
ends "output" 0 '^x.hvt: 5 exits' '^s.dot' '^c.dot' '^l.dot'
for f in s c l; do
    grep -q '^digraph' "$work/$f.dot" || verdict "graph $f" "no DOT"
done
grep -q 'rsp' "$work/c.dot" || verdict "graph card" "has no registers"
"$hv" trace "$work/x.hvt" >"$work/out" 2>&1
echo $? >"$work/status"
ends "trace save" 0 ' io '
grep -q 'not closed' "$work/out" && verdict "trace save" "is not closed"

# The recording, when the machine is gone.
cat >"$work/post.hv" <<'END'
stepexit
sx 2
when
explain
catch exit io port 0x3f8
rsx 2
c
rc
when
END
timeout 300 "$hv" debug --trace "$work/x.hvt" -x "$work/post.hv" --batch >"$work/out" 2>&1
echo $? >"$work/status"
ends "post mortem" 0 '^exit 1 out: io' '^exit 3 out: io' '^exit 3, its edge out' '^exit 1 out' \
    '^catchpoint 1' '^exit 3 out' '^exit 0'
debug --trace "$work/left.hvt" --batch --ex 'explain 5' </dev/null
ends "no exit yet" 1 'there was none yet'
debug --trace "$work/left.hvt" --batch --ex 'sx 5' </dev/null
timeout 300 "$hv" debug --trace "$work/left.hvt" --batch --ex continue --ex 'info exit 5' >"$work/out" 2>&1
echo $? >"$work/status"
ends "a session that was left" 0 'stopped by the user' 'left the debugger' '^exit 5'

timeout 300 "$hv" run --engine soft --console null --append init=hello --trace "$work/run.hvt" minios >"$work/out" 2>&1
printf 'catch inject 32\nc\nc\nrsx\nwhen\nrc\nstepexit\n' |
    timeout 300 "$hv" debug --trace "$work/run.hvt" >"$work/out" 2>&1
echo $? >"$work/status"
ends "post mortem, an interrupt" 0 '^inject: .*0x20' '^inject: ' '^exit [0-9]* out' '^exit .* edge out' '^inject: '
timeout 300 "$hv" debug --trace "$work/x.hvt" -ex 'stepi' --batch >"$work/out" 2>&1
echo $? >"$work/status"
ends "post mortem, an instruction" 1 'recording'

# What is typed reaches the guest, once, on the way forth as on the way back.
debug <<'END'
type echo one two\n
seek icount=60000000
checkpoint
seek 10
restart
quit
END
ends "type" 0 '^one two'
[ "$(grep -c '^one two' "$work/out")" = 1 ] || verdict "type" "put out twice"

timeout 300 "$hv" debug --engine soft hello16 -ex step --batch >"$work/out" 2>&1
echo $? >"$work/status"
ends "a step where there are no lines" 1 'without lines of source'

# --- scripts --------------------------------------------------------------------------------------

printf 'echo from a file\nsx\n' >"$work/good.hv"
printf 'echo before\nnonsense\necho behind\n' >"$work/bad.hv"
debug -x "$work/good.hv" -ex 'echo between' -x "$work/good.hv" --batch </dev/null
ends "-x and -ex" 0 '^from a file' '^exit 1 out' '^between' '^from a file' '^exit 2 out'
debug -x "$work/bad.hv" --batch </dev/null
ends "a script that fails" 1 '^before' "bad.hv: line 2: .*no command 'nonsense'"
grep -q '^behind' "$work/out" && verdict "a script that fails" "goes on"
printf 'sx\n\n\nwhen\nsx 0\nwhen\n' | debug
ends "a pipe that fails" 1 '^exit 1, its edge out' 'line 5: '
grep -q '(hv)' "$work/out" && verdict "a pipe" "has a prompt"
printf 'source %s\necho behind\n' "$work/bad.hv" | debug
ends "source that fails" 1 '^before' 'bad.hv:2: '
debug -ex 'quit 7' </dev/null
ends "quit" 7
debug --limit exits=100 -ex continue --batch </dev/null
ends "a limit" 1 '^hv: the limit is used up, after 100 exits'
debug --limit exits=100 -ex 'seek 100' -ex when -ex 'seek 3' -ex 'seek 101' --batch </dev/null
ends "seek beyond a limit" 1 '^exit 100, its edge out' '^exit 3 out' 'used up, after 100 exits'
debug --limit instructions=1000 -ex 'seek icount=1000' -ex when -ex 'seek 99' --batch </dev/null
ends "seek beyond a limit" 1 'after 1000 instructions$' 'the limit is used up'
debug --limit instructions=1000 -ex 'seek icount=1001' --batch </dev/null
ends "seek beyond a limit" 1 'used up, after .* exits and 1000 instructions'
debug -ex 'seek -1' --batch </dev/null
ends "seek to nowhere" 1 "'-1' is no moment"
debug --console stdio </dev/null
ends "--console stdio" 1 'type TEXT'
mkdir -p "$HOME/.config/hv"
echo 'alias hello = echo from rc' >"$HOME/.config/hv/rc"
echo 'echo from the working folder' >"$work/rc"
cp "$work/rc" "$work/.hvrc"
(cd "$work" && echo hello | timeout 300 "$hv" debug --engine soft minios >out 2>&1)
echo $? >"$work/status"
ends "rc" 0 '^from rc'
grep -q 'working folder' "$work/out" && verdict "rc" "reads the working folder"
debug --nx -ex hello --batch </dev/null
ends "--nx" 1 "no command 'hello'"

# Under every strategy.
for strategy in trap paravirt; do
    guest=minios
    [ $strategy = paravirt ] && guest=minios-pv
    printf 'sx 30\nwhen\nrsx 5\nwhen\n' |
        timeout 300 "$hv" debug --engine soft --strategy $strategy $guest >"$work/out" 2>&1
    echo $? >"$work/status"
    ends "strategy $strategy" 0 '^exit 30, its edge out' '^exit 25, its edge out'
done

# --- a terminal -----------------------------------------------------------------------------------

terminal() { # script on standard input
    cat >"$work/keys"
    timeout 300 "$pty" "$work/keys" "$hv" debug --engine soft minios >"$work/out" 2>&1
    echo $? >"$work/status"
}

rm -f "$HOME/.config/hv/rc"
terminal <<'END'
(hv) |reverse-stepe\t
reverse-stepexit|\x15stepi\r
(hv) |\r
(hv) |when\r
after 2 instructions|
(hv) |\r
(hv) |bre\tkma\t
break kmain|\r
breakpoint 1|info br\t
info breakpoints|\r
kmain|
(hv) |p $ra\t
p $rax|\r
$1 = |catch exit hyp\t
catch exit hypercall|\x15
|catch exit h\t\t
hlt|\x15x/2i $rip\r
=>|
(hv) |\r
(hv) |nonsense\r
no command|some words\x03
(hv) |echo cl\\x65ar\r
clear|
(hv) |some words
some words|\x03echo b\\x65hind it\r
behind it|
(hv) |delete\r
Delete all stops? (y or n) |y\r
(hv) |continue\r
$ |\x03
interrupted|
(hv) |trace on\r
(hv) |starti\r
(hv) |stepi 1000000000000000000\r
  40  io|\x03
interrupted|
(hv) |trace off\r
(hv) |quit 5\r
END
ends "a terminal" 5
if grep -q "$(printf '\033\\[3')" "$work/out"; then verdict "NO_COLOR" "has colours"; fi
history="$HOME/.local/state/hv/history"
if [ "$(grep -c '^when$' "$history")" = 1 ] && grep -q '^quit 5$' "$history"; then
    verdict "history is saved"
else
    verdict "history is saved" "$(cat "$history")"
fi
terminal <<'END'
(hv) |\x10\x10
trace off|\x0e
quit 5|\x15when\r
after 0|
(hv) |\x04
END
ends "history is read" 0
[ "$(grep -c '^when$' "$history")" = 1 ] || verdict "history" "has a line twice"

# Ctrl-C at any time, also while there is no machine because a new one is built.
{
    echo 'echo it begins'
    i=0
    while [ $((i += 1)) -le 200 ]; do printf 'stepi\nstarti\n'; done
    echo 'echo all restarted'
} >"$work/restarts"
printf '%s\n' "(hv) |source $work/restarts\\r" 'all restarted|' '|quit\r' >"$work/keys"
# shellcheck disable=SC2016 # the inner shell's
timeout 300 "$pty" "$work/keys" sh -c 'echo $$ >"$1"; exec "$2" debug --nx --engine soft minios' sh \
    "$work/pid" "$hv" >"$work/out" 2>&1 &
user=$!
wait_until grep -q 'it begins' "$work/out"
while ! grep -q '^all restarted' "$work/out" && kill -INT "$(cat "$work/pid")" 2>"$work/killed"; do :; done
wait $user
check "Ctrl-C while the machine is built anew" grep -q '^all restarted' "$work/out"

verdicts debugger
