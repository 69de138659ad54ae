#!/bin/sh
# gdb.sh HV GUESTS - a real gdb at the other end of --gdb: breakpoints by name and line, steps in both
# directions, registers, memory, watchpoints, Ctrl-C, `monitor`, detach. Called by `make check-gdb`;
# ends with "N passed, N failed".
set -u
hv=$1 guests=$2
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"

# session NAME GUEST OPTIONS -- gdb's commands on standard input: hv with that guest, gdb with that script.
session() {
    name=$1 guest=$2
    shift 2
    sock=$work/$name.sock
    cat >"$work/script"
    timeout 300 "$hv" run "$guests/$guest" --engine soft --gdb "unix:$sock" --console null "$@" \
        >"$work/hv" 2>&1 &
    pid=$!
    wait_until listens "$sock"
    timeout 300 gdb -nx -q -batch -ex 'set confirm off' -ex 'set pagination off' \
        -ex 'set style enabled off' -ex "file $guests/$guest" -ex "target remote $sock" \
        -x "$work/script" >"$work/out" 2>"$work/err" </dev/null
    gdb_status=$?
    wait $pid
    hv_status=$?
}

# has WHAT PATTERN: gdb printed a line that matches; what `monitor` says is on its stderr.
has() {
    if grep -q -e "$2" "$work/out" "$work/err"; then verdict "$name: $1"; else verdict "$name: $1" "no '$2'"; fi
}

# is WHAT STATUS WANTED
is() {
    if [ "$2" = "$3" ]; then verdict "$name: $1"; else verdict "$name: $1" "status $2"; fi
}

# endless WORD...: hv in the background with a guest that will jump to itself; its pid, not that of a `timeout`,
# is needed, so what bounds it is processor time.
endless() {
    # shellcheck disable=SC3045 # dash, bash and busybox have it
    (ulimit -t 300 && exec "$hv" "$@" "$guests/hello64" --engine soft --console null) >"$work/hv" 2>&1 </dev/null &
    pid=$!
    wait_until listens "$sock"
}
# Processor time that hv has used, in ticks of 10 ms (proc(5): 14 and 15 of stat; 2, a name, may have blanks).
ticks() { sed 's/.*) //' "/proc/$pid/stat" 2>"$work/killed" | awk '{ print $12 + $13 }'; }
# started: gdb's last word before it lets the guest run is there, and then the guest does run: without work hv
# would wait for gdb.
started() {
    wait_until grep -q running "$work/out"
    idle=$(ticks)
    wait_until works
}
works() { [ "$(ticks)" -ge $((idle + 20)) ]; } 2>"$work/killed"

for strategy in hardware trap; do
    session "$strategy" minios --strategy $strategy --append 'init=hello' <<'END'
break kmain
continue
printf "KMAIN %d\n", $rip == (long)&kmain || 1
info line
break console_write
continue
backtrace 3
stepi
reverse-stepi
printf "BACK %d\n", $rip
next
step
finish
x/2i $rip
info registers rip cr0 cr3 efer fs_base cs
delete
monitor when
monitor stepexit
maintenance flush register-cache
info breakpoints
reverse-continue
detach
END
    has "stops at a breakpoint by name" '^Breakpoint 1, kmain'
    has "stops at the second one" '^Breakpoint 2, console_write'
    has "knows the line" 'file.c'
    has "has a backtrace" '^#1 '
    has "has control registers" '^cr3 .*0x'
    has "has EFER" '^efer .*0x'
    has "monitor reaches our commands" 'exit'
    has "goes back to the beginning" 'No more reverse-execution history'
    is "gdb is content" $gdb_status 0
    is "the guest goes on alone after detach" $hv_status 1
done

session lines minios --append 'init=hello' <<'END'
break trap.c:1
tbreak syscall
continue
printf "A %#lx\n", $rip
set $a = $rip
stepi 50
set $b = $rip
reverse-stepi 50
printf "SAME %d\n", $rip == $a
stepi 50
printf "AGAIN %d\n", $rip == $b
watch *(long *)($rsp - 8)
continue
kill
END
has "fifty steps back are where it was" '^SAME 1'
has "and forth again" '^AGAIN 1'
has "a watchpoint" 'atchpoint 3'

session backwards crash64 <<'END'
break clear_counters
continue
watch *(unsigned long *)&idt
continue
continue
reverse-continue
printf "ROUND %d\n", $rcx
reverse-continue
printf "FIRST %d\n", $rcx
detach
END
has "goes back to who wrote last" '^ROUND 4'
has "and from there to what was before" '^FIRST 0'
has "shows the value that it had" '^New value = [1-9]'

session real hello16 <<'END'
stepi
set $there = $rip
stepi
set $rip = $there
hbreak *($there + 1)
tbreak *$there
printf "AT %d\n", $rip == $there && $there < 0x8000
set $rax = 0x1234
printf "AX %#x\n", $rax
set {short} 0x500 = 0x55aa
x/xh 0x500
kill
END
has "real mode" '^AT 1'
has "a register is written" '^AX 0x1234'
has "memory is written" '0x500:.*0x55aa'

# Ctrl-C while the guest jumps to itself for ever.
name=interrupt sock=$work/int.sock
endless run --gdb "unix:$sock"
# shellcheck disable=SC2016 # $pc is gdb's
gdb -nx -q -batch -ex 'set style enabled off' -ex 'set confirm off' \
    -ex "target remote $sock" -ex 'set {unsigned short}$pc = 0xfeeb' -ex 'set $there = $pc' \
    -ex 'echo running\n' -ex continue -ex 'printf "STOPPED %d\n", $pc == $there' -ex kill \
    >"$work/out" 2>"$work/err" </dev/null &
gdb=$!
started
kill -INT $gdb
wait $gdb # when hv has ended: after five minutes, if Ctrl-C does not work
wait $pid
has "Ctrl-C stops a guest that runs" 'SIGINT'
has "where it was" '^STOPPED 1'

# A signal to hv itself, while gdb waits for the guest to stop: hv ends, as it does without gdb.
name=ended sock=$work/ended.sock
"$hv" run "$guests/hello64" --engine soft --gdb "unix:$sock" --console null >"$work/hv" 2>&1 </dev/null &
pid=$!
wait_until listens "$sock"
# shellcheck disable=SC2016 # $pc is gdb's
timeout 300 gdb -nx -q -batch -ex 'set style enabled off' -ex 'set confirm off' \
    -ex "target remote $sock" -ex 'set {unsigned short}$pc = 0xfeeb' -ex 'echo running\n' -ex continue \
    >"$work/out" 2>"$work/err" </dev/null &
gdb=$!
wait_until grep -q running "$work/out"
sleep 1
kill -TERM $pid
gone() { ! kill -0 $pid 2>"$work/killed"; }
wait_until gone || kill -KILL $pid
wait $pid 2>"$work/killed"
is "SIGTERM ends hv under a gdb whose guest runs" $? 143
wait $gdb

# The kernel may tell late, when hv has read it, that something came from gdb: told so at any time, hv
# makes no step more and none less.
name=late sock=$work/late.sock
cat >"$work/script" <<'END'
break trap.c:1
continue
set $i = 0
set $wrong = 0
while $i < 20
    set $a = $rip
    stepi 20
    set $b = $rip
    reverse-stepi 20
    set $wrong = $wrong + ($rip != $a)
    stepi 20
    set $wrong = $wrong + ($rip != $b)
    set $i = $i + 1
end
printf "WRONG %d OF %d\n", $wrong, $i
kill
END
"$hv" run "$guests/minios" --engine soft --gdb "unix:$sock" --console null --append 'init=hello' \
    >"$work/hv" 2>&1 </dev/null &
pid=$!
wait_until listens "$sock"
timeout 300 gdb -nx -q -batch -ex 'set confirm off' -ex 'set style enabled off' \
    -ex "file $guests/minios" -ex "target remote $sock" -ex 'echo connected\n' -x "$work/script" \
    >"$work/out" 2>"$work/err" </dev/null &
gdb=$!
wait_until grep -q connected "$work/out"
while ! grep -q WRONG "$work/out" && kill -0 $gdb 2>"$work/killed"; do
    for _ in 1 2 3 4 5 6 7 8 9 10; do kill -IO $pid; done 2>"$work/killed"
done
wait $gdb
wait $pid 2>"$work/killed"
has "a signal that comes late changes no step" '^WRONG 0 OF 20'

# A gdb that goes away while its `monitor` runs the machine; and no server within a server.
name=gone sock=$work/gone.sock
endless debug --batch -ex "gdbserver unix:$sock" -ex 'echo behind'
# shellcheck disable=SC2016 # $pc is gdb's
gdb -nx -q -batch -ex 'set style enabled off' -ex 'set confirm off' \
    -ex "target remote $sock" -ex "monitor gdbserver unix:$work/more.sock" \
    -ex 'set {unsigned short}$pc = 0xfeeb' -ex 'echo running\n' -ex 'monitor continue' \
    >"$work/out" 2>"$work/err" </dev/null &
gdb=$!
started
kill -KILL $gdb
wait $gdb 2>"$work/killed"
wait $pid
is "hv goes on" $? 0
has "no server within a server" 'has the machine already'
cat "$work/hv" >>"$work/out"
has "gdb's leaving stops the machine" '^behind'

# What is no address, and where nobody listens but us.
"$hv" run "$guests/hello64" --engine soft --gdb nonsense >"$work/out" 2>"$work/err" </dev/null
if [ $? = 1 ] && grep -q "unix:PATH" "$work/err"; then
    verdict "a bad address is refused"
else
    verdict "a bad address is refused" "not so"
fi

verdicts gdb
