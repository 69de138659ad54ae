#!/bin/sh
# run.sh HV GUESTS - the command line as a user meets it: help, and what is refused, with which
# words and status. Called by `make check-cli`; ends with "N passed, N failed".
set -u
hv=$1 guests=$2
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"

# refused STATUS PATTERN WORD...: hv WORD... ends with STATUS; on stderr is one line that matches.
refused() {
    want=$1 pattern=$2
    shift 2
    timeout 300 "$hv" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    if [ $got != "$want" ]; then
        verdict "hv $*" "status $got, not $want"
    elif [ "$(wc -l <"$work/err")" != 1 ]; then
        verdict "hv $*" "not one line on stderr"
    elif ! grep -q -e "$pattern" "$work/err"; then
        verdict "hv $*" "stderr lacks '$pattern'"
    else
        verdict "hv $*"
    fi
}

# prints PATTERN WORD...: hv WORD... ends with 0, prints a line that matches, nothing on stderr.
prints() {
    pattern=$1
    shift
    timeout 300 "$hv" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    if [ $got != 0 ]; then
        verdict "hv $*" "status $got, not 0"
    elif [ -s "$work/err" ]; then
        verdict "hv $*" "says something on stderr"
    elif ! grep -q -e "$pattern" "$work/out"; then
        verdict "hv $*" "stdout lacks '$pattern'"
    else
        verdict "hv $*"
    fi
}

# --- help ---------------------------------------------------------------------------------------

prints '^usage: hv' help
prints '^usage: hv' --help
prints '^hv [0-9]' version
prints '^hv [0-9]' --version
commands=$("$hv" help | sed -n 's/^  \([a-z]*\) .*/\1/p')
[ -n "$commands" ] || verdict "hv help" "lists no command"
for command in $commands; do
    prints "^usage: hv $command " "$command" --help
    prints "^usage: hv $command " help "$command"
    refused 1 "no option '--nonsense'" "$command" --nonsense
done
"$hv" >"$work/out" 2>"$work/err" </dev/null
check "hv alone: status" [ $? = 1 ]
check "hv alone: usage" grep -q '^usage: hv' "$work/out"

# --- words that are wrong -------------------------------------------------------------------------

refused 1 "did you mean 'run'" rnu
refused 1 "'hv help' lists them" zzzzzz
refused 1 "did you mean '--engine'" run --enginee soft hello16
refused 1 "needs a value" run hello16 --engine
refused 1 "takes no value" run --stats=yes hello16
refused 1 "which guest" run
refused 1 "takes no words ('two')" run one two
refused 1 "no engine 'sofd'; did you mean 'soft'" run --engine sofd hello16
refused 1 "no engine 'zzzz'" run --engine zzzz hello16
refused 1 "did you mean 'hardware'" run --engine soft --strategy hardwear hello16
refused 1 "there is no loader 'none'" run --engine soft --loader none hello16
refused 1 "'--mem'.*not a size" run --mem lots hello16
refused 1 "4096 bytes of memory.*1M to 3G" run --engine soft --mem 4K hello16
refused 1 "bytes of memory.*1M to 3G" run --engine soft --mem 99999G hello16
refused 1 "exits=N or instructions=N" run --limit 12 hello16
refused 1 "not a number" run --limit exits=many hello16
refused 1 "0 would run nothing" run --limit exits=0 hello16
refused 1 "a port is" run --debug-exit-port 0x10000 hello16
refused 1 "option '--date': '2025-02-30' is no date" run --date 2025-02-30 hello16
refused 1 "needs --trace" run --trace-guest hello16
refused 1 "one of the two" run --bios x hello16
refused 1 "'telegraph' is no console" run --engine soft --console telegraph hello16
refused 1 "no list of 'things'" list things

# --- files that are wrong -------------------------------------------------------------------------

: >"$work/empty"
head -c 100 "$guests/hello64" >"$work/cut"
printf '\177ELF' >"$work/four"
refused 1 "no file 'nosuchguest' here" run --engine soft nosuchguest
refused 1 "cannot open '/no/such/file'" run --engine soft /no/such/file
refused 1 "not a regular file" run --engine soft "$work"
refused 1 "empty" run --engine soft "$work/empty"
refused 1 "cut cannot be loaded.*outside the file" run --engine soft "$work/cut"
refused 1 "ends within its ELF header" run --engine soft --loader elf "$work/four"
refused 1 "cannot open" run --engine soft --bios /no/such/rom
refused 1 "cannot open.*/no/such/disk" run --engine soft --disk /no/such/disk hello16
refused 1 "cannot open" run --engine soft --initrd /no/such/initrd hello64
refused 1 "/no/such/folder" run --engine soft --trace /no/such/folder/x.hvt hello16
refused 1 "/no/such/folder" run --engine soft --console file:/no/such/folder/x hello16
refused 1 "/no/such/file.*No such file" trace /no/such/file
refused 1 "not a recording" trace "$work/empty"
refused 1 "not a recording" trace "$guests/hello16"
refused 1 "/no/such/file.*No such file" graph /no/such/file -o "$work/x.dot"
refused 1 "cannot make the folder" help --gen /no/such/folder/docs

# A guest without permission to read it; root may read everything.
cp "$guests/hello16" "$work/secret" && chmod 000 "$work/secret"
[ "$(id -u)" = 0 ] || refused 1 "Permission denied" run --engine soft "$work/secret"

# --- lists, doctor --------------------------------------------------------------------------------

prints '^  soft ' list engines
prints '^  hardware ' list strategies
prints '^  elf ' list loaders
prints '^  uart ' list devices
prints '^  hello16 ' list guests
prints '^  .* hello ' list apps
prints '^guests:' list
prints '^io .*yes' run --list-exits
{ "$hv" list && "$hv" doctor; } >"$work/out" 2>&1
! grep -q '.\{101\}' "$work/out"
check "hv list and hv doctor fit a hundred columns" [ $? = 0 ]

# doctor on the picture of another machine: --root.
fake() { # FLAGS MODULE: makes a machine in $work/root
    rm -rf "$work/root" && mkdir -p "$work/root/proc" "$work/root/etc" "$work/root/dev" "$work/root/sys/module"
    echo "flags		: fpu $1 sse" >"$work/root/proc/cpuinfo"
    [ -z "$2" ] || mkdir -p "$work/root/sys/module/kvm" "$work/root/sys/module/$2"
}
doctor() { # STATUS PATTERN: hv doctor --root says so
    "$hv" doctor --root "$work/root" >"$work/out" 2>"$work/err"
    got=$?
    if [ $got = "$1" ] && grep -q -e "$2" "$work/out"; then
        verdict "hv doctor: $2"
    else
        cp "$work/out" "$work/err"
        verdict "hv doctor: $2" "status $got, or not said"
    fi
}
fake vmx "" && doctor 1 "modprobe kvm_intel"
fake svm "" && doctor 1 "modprobe kvm_amd"
fake "" "" && doctor 1 "VT-x or SVM on"
fake hypervisor "" && doctor 1 "nested virtualization"
fake "vmxx notvmx" "" && doctor 1 "neither flag"
fake svm kvm_amd && doctor 1 "no NO\|there is none"
doctor 1 "kvm_amd is loaded"
doctor 1 "container"
: >"$work/root/dev/kvm" && chmod 660 "$work/root/dev/kvm"
printf 'kvm:x:%s:\n' "$(id -g)" >"$work/root/etc/group"
doctor 1 "group kvm; you may open it"
mkdir -p "$work/root/usr/bin" && : >"$work/root/usr/bin/dot" && chmod 755 "$work/root/usr/bin/dot"
PATH=$PATH:/usr/bin doctor 0 "All is well"
refused 1 "not a folder" doctor --root /no/such/root

# A picture whose nodes are listed, and whose users are its own.
as() { # USER PATTERN
    "$hv" doctor --root "$work/root" --as "$1" >"$work/err" 2>&1
    check "hv doctor --as $1: $2" grep -q -e "$2" "$work/err"
}
listed() { printf 'c%s 1 root %s 10, 232 Nov 22 10:00 kvm\n' "$1" "$2" >"$work/root/dev/ls-l"; }
printf 'root:x:0:0::/:/bin/sh\n%s\n%s\n%s\n' 'ann:x:1:100::/:/bin/sh' 'bob:x:2:100::/:/bin/sh' \
    'eve:x:3:36::/:/bin/sh' >"$work/root/etc/passwd"
printf 'root:x:0:\nkvm:x:36:ann\nusers:x:100:\n' >"$work/root/etc/group"
listed rw-rw---- kvm
as ann 'ok .*/dev/kvm .*ann may open it'
as eve 'ok .*/dev/kvm .*eve may open it'
as bob 'NO .*/dev/kvm .*bob is not in that group'
as bob 'usermod -aG kvm bob'
as root 'ok .*/dev/kvm .*root may open it'
as joe "there is no user 'joe'"
listed rw-rw---- root
as ann 'NO .*group root; ann may not'
listed rw-rw-rw- root
as bob 'ok .*bob may open it'
listed rw------- kvm
as ann 'NO .*mode 600'

# --- tickets ----------------------------------------------------------------------------------------
# That each can be mended is checked by tests/labs/tickets.sh; here: the command's own words.

prints '^  07  mapping ' ticket list
refused 1 "there is none '99'" ticket start 99 "$work/t99"
refused 1 "there is none '../tickets'" ticket start ../tickets "$work/t99"
prints '^Ticket 10-sprawl is in' ticket start 10 "$work/sprawl"
check "hv ticket start: handed out" test -f "$work/sprawl/guests.csv"
check "hv ticket start: not the checker" test ! -e "$work/sprawl/tests.sh"
check "hv ticket start: what was not there stays away" test ! -e "$work/t99"
refused 1 "cannot be made: File exists" ticket start 10 "$work/sprawl"
refused 1 "is not a folder" ticket check 10 "$work/none"
refused 1 "it is 'hv ticket list'" ticket mend 10
"$hv" ticket check sprawl "$work/sprawl" >"$work/out" 2>"$work/err"
check "hv ticket check: status" [ $? = 1 ]
check "hv ticket check: by name, a reason" grep -q 'why:' "$work/out"
HV_LABS=/no/such/folder refused 1 "cannot be read" ticket list

# A machine in a file; what follows it overrides it.
printf '# m\nguest hello32\nmem 16M\nengine soft\nconsole null\n' >"$work/machine"
"$hv" run "@$work/machine" >"$work/out" 2>"$work/err"
check "hv run @FILE" grep -q 'engine soft' "$work/err"
refused 1 "memory" run "@$work/machine" --mem 1K
refused 1 "cannot open '/no/such/machine'" run @/no/such/machine

# --- audit ----------------------------------------------------------------------------------------

here=$(dirname "$0")
prints 'theorem 1' audit
# The processor alone, which is the same everywhere; what strategies do about it is in tests/unit.
sed -n '/^ *what is executed/,/^RDMSR/p' "$work/out" | cut -c 1-83 | sed 's/ *$//' >"$work/audit"
check "hv audit says what tests/cli/audit.txt says" diff "$here/audit.txt" "$work/audit"
! grep -q '.\{101\}' "$work/out"
check "hv audit fits a hundred columns" [ $? = 0 ]
prints '^SGDT .*leaks state' audit --umip off
prints '^SGDT .*traps (#GP)' audit --umip on
prints '^POPF .*silently wrong' audit --umip on
prints 'trap: wrong\|trap: not right: .*POPF' audit --umip on
prints '"name": "STR"' audit --json
prints '^POPF .*silently wrong' audit --engine host
prints '^CLI .*traps (#GP)' audit --engine host
prints '^SGDT .*\(emulated by the host (UMIP)\|leaks state\|traps\)' audit --engine host
refused 1 "on, off or both" audit --umip maybe
refused 1 "no engine 'vax'" audit --engine vax
refused 1 "the host's to turn on" audit --engine host --umip on

# --- compare --------------------------------------------------------------------------------------

prints 'Every column printed the same' compare hello64 --strategies hardware,trap --rounds 2 --no-times
check "hv compare says what tests/cli/compare.txt says" diff "$here/compare.txt" "$work/out"
prints 'Every column printed the same' compare primes 20 --no-times
prints '^time .*the middle of 1 runs' compare hello64 --strategies hardware --rounds 1
prints '"same": true' compare hello64 --strategies hardware,trap --rounds 1 --json
timeout 300 "$hv" compare hello64 --strategies hardware,paravirt --limit exits=1 --rounds 1 --no-times \
    >"$work/out" 2>"$work/err" </dev/null
check "what printed nothing, as it failed, is not the same" [ $? = 1 ]
check "that is what it says" grep -q 'did NOT end alike' "$work/out"
prints '"program": "hello x[?]"' compare hello "$(printf 'x\351')" --strategies hardware --rounds 1 --json
for suffix in svg dot; do
    prints 'hash' compare hello64 --strategies hardware,trap --rounds 1 --no-times -o "$work/two.$suffix"
    check "hv compare -o two.$suffix" [ -s "$work/two.$suffix" ]
done
cp "$work/two.dot" "$work/one.dot"
prints 'hash' compare hello64 --strategies hardware,trap --rounds 1 --no-times -o "$work/two.dot"
check "the picture is the same again" cmp "$work/one.dot" "$work/two.dot"
for app in hello "primes 1000" "echo a  b" "forkwait 3"; do
    # shellcheck disable=SC2086 # an app has arguments
    prints 'Every column printed the same' compare --rounds 1 --no-times $app
done
prints 'this host itself printed something else' compare --rounds 1 --no-times uname
printf 'echo one | cat\nprimes 50 | wc\nexit\n' >"$work/sh.in"
prints 'Every strategy printed the same' compare --rounds 1 --no-times --input "$work/sh.in" sh
# Exits an operation, under hardware, trap and paravirt: docs/COMPARE.md says why.
prints '^forkwait  *0 ' compare --nano --no-times --count 1000
sed -n '/Adams/q;s/^\(syscall\|in\|cr8wr\|callret\|pgfault\|divzero\|ptemod\)  *\([0-9.]*\)  *\([0-9.]*\)  *\([0-9.]*\)  *[0-9.]* .*/\1 \2 \3 \4/p' \
    "$work/out" >"$work/nano"
cat >"$work/want" <<'END'
syscall 0 2 2
in 1 1 1
cr8wr 0 1 0
callret 0 0 0
pgfault 0 3 2
divzero 0 2 2
ptemod 0 1 1
END
check "exits an operation" diff "$work/want" "$work/nano"
refused 1 "no guest and no program 'nosuch'" compare nosuch
refused 1 "leave out '--strategy'; --strategies names" compare hello64 --strategy trap
refused 1 "no strategy 'tarp'" compare hello64 --strategies tarp
refused 1 "'--pids' is for --strategy ski" run --engine soft --pids 3 hello64
refused 1 "'--without' is for --strategy ski" debug --engine soft --without seccomp hello64
refused 1 "'--rounds' takes 1 to" compare hello64 --rounds 0
refused 1 "no suffix" compare hello64 -o "$work/picture"
refused 1 "goes in --append" compare hello64 1000
refused 1 "strategy trap.*64-bit" compare hello16 --strategies trap
refused 1 "give no GUEST" compare --nano hello64
refused 1 "no engine 'zz'" compare --engine zz hello64

# --- runs that end in their different ways ---------------------------------------------------------

# ends STATUS PATTERN WORD...: hv run --engine soft WORD... ends so and says so.
ends() {
    refused_status=$1 refused_pattern=$2
    shift 2
    refused "$refused_status" "$refused_pattern" run --engine soft --console null "$@"
}
ends 1 "powered off with status 1 (" hello16
ends 124 "(1 exit," --limit exits=1 hello16
ends 124 "limit was reached (0 exits" --limit instructions=3 hello16
printf '\272\370\003\260\012\356\353\376' >"$work/spin" # mov dx, 3f8h; mov al, 10; out dx, al; jmp $
# All interrupts masked, the timer running, sti, hlt: nothing will ever wake it.
printf '\260\377\346\041\346\241\260\064\346\103\260\000\346\100\346\100\373\364\353\375' >"$work/asleep"
ends 124 "limit was reached" --loader flat --limit instructions=100000 "$work/asleep"
# killed SIGNAL OPTION...: the spinning guest gets the signal when it has printed its line; hv's status in $got.
killed() {
    signal=$1
    shift
    rm -f "$work/line"
    "$hv" run --engine soft --loader flat --console "file:$work/line" --limit instructions=2000000000 "$@" \
        "$work/spin" 2>"$work/err" </dev/null &
    pid=$!
    wait_until [ -s "$work/line" ]
    kill -"$signal" $pid
    wait $pid
    got=$?
}
killed INT
check "SIGINT ends a run" grep -q "stopped by the user .*exits, engine soft" "$work/err"
check "SIGINT: status 128 + 2" [ $got = 130 ]
killed TERM --trace "$work/killed.hvt"
check "SIGTERM: status 128 + 15" [ $got = 143 ]
check "SIGTERM: what ended it" grep -q "stopped by the user" "$work/err"
prints 'write port 0x3f8 <- 0xa' trace "$work/killed.hvt"
check "SIGTERM: the recording is whole" [ "$(grep -c 'was not closed' "$work/out")" = 0 ]

# --- recordings ---------------------------------------------------------------------------------

# A guest that leaves for ever, 200 times at once: mov cx, 200; out 80h, al; loop; then 16 times loop $, or the
# recording would grow by hundreds of megabytes a second; jmp back. hv is killed in the middle of it.
printf '\271\310\000\346\200\342\374\273\020\000\342\376\113\165\373\353\357' >"$work/outs"
"$hv" run --engine soft --loader flat --console null --trace "$work/cut.hvt" "$work/outs" 2>"$work/err" </dev/null &
pid=$!
has_ten_exits() { "$hv" trace --from 10 --limit 1 "$work/cut.hvt" >"$work/out" 2>"$work/check"; }
wait_until has_ten_exits
refused 1 "in use by another hv" run --engine soft --loader flat --trace "$work/cut.hvt" "$work/outs"
kill -KILL $pid
wait $pid 2>"$work/err"
prints '^io .* 100\.0%\|^io .* 99\.' trace --stats "$work/cut.hvt"
check "SIGKILL: the recording says so" grep -q '^The recording was not closed' "$work/out"
prints '^ *2 .*guest kernel -> dispatcher .*write port 0x80' trace --from 2 --limit 1 "$work/cut.hvt"
check "one exit and what follows it" [ "$(grep -c . "$work/out")" -le 6 ]
refused 1 "there is no exit 4000000000" trace --from 4000000000 "$work/cut.hvt"
refused 1 "a form of its own" trace --html "$work/page.html" --stats "$work/cut.hvt"
refused 1 "are for a page" trace --title x "$work/cut.hvt"
refused 1 "cannot create '/no/such" trace --html /no/such/folder/x.html "$work/cut.hvt"
cp "$work/cut.hvt" "$work/kept.hvt"
refused 1 "is the recording itself" trace --html "$work/kept.hvt" "$work/kept.hvt"
refused 1 "is the recording itself" trace --format csv -o "$work/kept.hvt" "$work/kept.hvt"
check "what is refused leaves the recording alone" cmp -s "$work/cut.hvt" "$work/kept.hvt"
check "a page of ten exits" timeout 300 "$hv" trace --range 1:10 --html "$work/page.html" "$work/cut.hvt" 2>"$work/err"
check "... is a page" grep -q '"first":1,"last":10,' "$work/page.html"
refused 1 "no suffix" graph "$work/cut.hvt" -o "$work/picture"
prints '^digraph' graph --no-times "$work/cut.hvt"
for suffix in svg png dot; do
    "$hv" graph "$work/cut.hvt" -o "$work/picture.$suffix" >"$work/out" 2>"$work/err"
    check "hv graph -o picture.$suffix" [ -s "$work/picture.$suffix" ]
done
refused 1 "'ladders' is no picture: did you mean 'ladder'?" graph ladders "$work/cut.hvt"
refused 1 "'table' is no picture" graph table "$work/cut.hvt"
refused 1 "there is no exit 4000000000" graph card --exit 4000000000 "$work/cut.hvt"
refused 1 "exits are numbered from 1" graph --range 5:4 "$work/cut.hvt"
refused 1 "is not FIRST:LAST" graph --range 5 "$work/cut.hvt"
refused 1 "there is no exit 'oi'; did you mean 'io'?" graph --filter oi "$work/cut.hvt"
refused 1 "none of reason, rip" graph --by colour "$work/cut.hvt"
refused 1 "neither time nor exit" graph ladder --axis diagonal "$work/cut.hvt"
refused 1 "always SVG" graph flame "$work/cut.hvt" -o "$work/flame.png"
prints '^digraph ladder' graph ladder --range 2:4 "$work/cut.hvt"
prints '>exit 2: io<' graph card --exit 2 "$work/cut.hvt"
prints '^<svg ' graph timeline "$work/cut.hvt"
prints '<title>io: ' graph flame --filter io "$work/cut.hvt"
check "dot's input is gone" [ ! -e "$work/picture.svg.dot" ]
mkdir "$work/empty-path"
PATH=$work/empty-path "$hv" graph "$work/cut.hvt" -o "$work/nodot.svg" >"$work/out" 2>"$work/err"
check "without dot: status" [ $? = 1 ]
check "without dot: what to install" grep -q 'package graphviz' "$work/err"
check "without dot its input stays" grep -q '^digraph' "$work/nodot.svg.dot"

"$hv" run --engine soft --console null --trace "$work/os.hvt" --trace-guest --append tasks=preempt minios >"$work/out" 2>"$work/err" </dev/null
prints 'io .*[a-z_]+0x[0-9a-f]* ([a-z.]*:[0-9]*)' trace --limit 20 "$work/os.hvt"
prints 'fault .*#PF page fault at 0x' trace "$work/os.hvt"
prints '>code at rip (64 bits)<.*>out dx, al<' graph card --exit 1 "$work/os.hvt"
prints '>io in priv_console_write\|label="io in priv_console_write ' graph --by symbol "$work/os.hvt"
prints '^io .*port 0x3f8 .*uart' trace --stats "$work/os.hvt"
refused 1 "/no/such/file" trace --symbols /no/such/file "$work/os.hvt"

# Names of addresses come from the guest's file, as long as it is the one that ran.
cp "$guests/hello64" "$work/guest"
"$hv" run --engine soft --console null --date 1999-12-31T23:59 --trace "$work/named.hvt" "$work/guest" 2>/dev/null </dev/null
prints 'uart_put' trace "$work/named.hvt"
check "the recording has the command line" grep -aqe '--date 1999-12-31T23:59' "$work/named.hvt"
cp "$guests/minios" "$work/guest"
"$hv" trace "$work/named.hvt" >"$work/out" 2>"$work/err"
check "a guest built again: said" grep -q "another build" "$work/err"
check "a guest built again: no names" [ "$(grep -c 'uart_put\|(.*:[0-9]*)' "$work/out")" = 0 ]

verdicts cli
