#!/bin/sh
# traced.sh HV GUESTS PLAIN - a guest of strategy ski that is traced: what is recorded, what the
# debugger says, what bad guests do to it. PLAIN is plain.c's plug-in. Ends with "traced: N passed,
# N failed". Called by `make check-ski`.
# shellcheck disable=SC2016 # the guest's shell expands what stands in single quotes
set -u
hv=$1 guests=$2 plain=$3
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"
export HV_GUESTS="$guests"

has() { # WHAT PATTERN: in what was printed
    grep -q -e "$2" "$work/out"
    is_zero "$1: no '$2'" $?
}
run() { # STATUS WORDS...: of `hv run`
    want=$1
    shift
    timeout 300 "$hv" run "$@" >"$work/out" 2>&1 </dev/null
    is_zero "status not $want: $*" "$(($? - want))"
}
debug() { # WORDS...: of `hv debug`, commands in $work/commands
    timeout 300 "$hv" debug --nx --batch --strategy ski -x "$work/commands" "$@" >"$work/out" 2>&1 </dev/null
    is_zero "hv debug $*" $?
}

# Not one call is missing: strace and hv count the same, of the same program without isolation. strace
# leaves out exit_group, which never returns; hv begins after the first execve.
script='for i in $(busybox seq 200); do busybox true; done'
run 0 --strategy "$plain" --trace "$work/t" -- /bin/busybox sh -c "$script"
"$hv" trace "$work/t" 2>&1 | sed -n 's/^.* syscall  *\([a-z0-9_]*\)(.*/\1/p' | sort | uniq -c |
    awk '$2 != "exit_group" { print $2, $1 + ($2 == "execve") }' | sort >"$work/ours"
env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin HOME=/ TERM=linux \
    strace -f -c -o "$work/strace" /bin/busybox sh -c "$script" >/dev/null 2>&1
awk '$4 ~ /^[0-9]+$/ && $NF != "total" { print $NF, $4 }' "$work/strace" | sort >"$work/theirs"
diff "$work/ours" "$work/theirs" >"$work/out"
is_zero "hv and strace count the same calls" $?
[ -s "$work/theirs" ]
is_zero "strace has counted" $?

# The same in isolation: each of 200 was born, has exec'ed and ended; seq is one more, and the shell.
script='for i in $(seq 200); do /bin/true; done'
run 0 --strategy ski --trace "$work/t" --stats -- /bin/sh -c "$script"
has "200 children" ' 201  *[0-9.]*%  fork '
has "200 children" ' 201  *[0-9.]*%  exec '
has "200 children" ' 202  *[0-9.]*%  exit '
"$hv" trace --stats "$work/t" >"$work/out" 2>&1
has "no event lost" '^exec  *201 '
has "no event lost" '^Lost events: 0\.$'
has "whose time it was" '^Time: guest .*, host kernel [1-9].*, VMM .*, not told apart'
has "who answers a call" '^ *handled by the host.s kernel'
timeout 300 "$hv" trace --stats --json "$work/t" | jq -f "${0%/*}/../cli/stats.jq" >"$work/out" 2>&1
has "the numbers add up" '^true$'
timeout 300 "$hv" trace --format chrome "$work/t" | jq -f "${0%/*}/../cli/chrome.jq" >"$work/out" 2>&1
has "each process has its tracks, with names" '^true$'
"$hv" graph state "$work/t" >"$work/out" 2>&1
has "the picture" 'syscall wait4'
"$hv" graph ladder --range 2:6 "$work/t" >"$work/out" 2>&1
has "the ladder" 'brk(NULL)'
"$hv" graph card --exit 2 "$work/t" >"$work/out" 2>&1
has "the card" 'brk(NULL)'

# Levels.
run 0 --strategy ski --trace-level denied --trace "$work/t" -- /bin/sh -c 'mount -t tmpfs x /tmp; exit 0'
"$hv" trace "$work/t" >"$work/out" 2>&1
has "denied" 'denied  *mount("x", "/tmp", "tmpfs"'
! grep -q ' syscall ' "$work/out"
is_zero "level denied shows no other calls" $?
run 0 --strategy ski --trace-level off --stats -- /bin/sh -c 'exit 0'
has "level off" '(0 exits'

# Bad guests: each ends with a sentence.
run 137 --strategy ski --stats -- /bin/sh -c 'kill -9 $$'
run 139 --strategy ski --trace "$work/t" -- wild
"$hv" trace "$work/t" >"$work/out" 2>&1
has "a fault" 'fault  *SIGSEGV at 0x[0-9a-f]*, not mapped'
run 0 --strategy ski --stats -- forkbomb
run 0 --strategy ski --stats -- /bin/sh -c 'kill -STOP $$'
has "all stopped" 'nothing can wake it'
run 0 --strategy ski --stats -- /bin/sh -c 'exec 0<&- 1>&- 2>&-; exit 0'
run 0 --strategy ski --stats -- /bin/sh -c 'printf "\177ELFgarbage" >/tmp/g; chmod +x /tmp/g; /tmp/g; exit 0'
run 124 --strategy ski --limit exits=50 -- /bin/sh -c 'while :; do /bin/true; done'
run 1 --strategy ski --stats -- nosuch
has "no such program" 'nosuch'

# The debugger.
printf '%s\n' 'catch exit syscall uname' c 'info namespaces' 'info capabilities' 'info maps' 'info cgroup' \
    'info filter' explain 'x/2i $rip' bt sx si 'info registers rax' >"$work/commands"
debug -- uname
has "catch" 'uname(buf=0x'
has "explain" 'Answer  the UTS namespace'
has "namespaces" '^pid .*its own'
has "capabilities" '^CapEff: 0000000000000000'
has "maps" 'r-xp .*/apps/uname'
has "filter" '^ptrace  *EPERM'
has "bt" 'main'
printf '%s\n' 'catch exit denied' c explain sx >"$work/commands"
debug -- /bin/sh -c 'chroot /'
has "denied" 'SECCOMP_RET_TRACE'
has "denied" 'Filter  chroot: the classical way out'
printf '%s\n' 'catch exit syscall chroot' c explain 'info namespaces' >"$work/commands"
timeout 300 "$hv" debug --nx --batch --strategy "$plain" -x "$work/commands" -- /bin/busybox chroot / /bin/busybox true >"$work/out" 2>&1 </dev/null
is_zero "a strategy that isolates nothing" $?
has "it has no filter to deny anything" 'Answer  the kernel, by what the process'
has "nor namespaces" "^pid .*the host's"
! grep -q Filter "$work/out"
is_zero "no word of a filter" $?
for view in mem 'walk $rip' tlb gdt idt msr devices irq; do
    printf 'sx 1\ninfo %s\n' "$view" >"$work/commands"
    timeout 300 "$hv" debug --nx --batch --strategy ski -x "$work/commands" -- hello >"$work/out" 2>&1 </dev/null
    is_zero "info $view: a process has none" "$(($? - 1))"
    has "info $view: a process has none" 'the guest is a process and sees no .*info maps'
done
printf 'reverse-stepi\n' >"$work/commands"
timeout 300 "$hv" debug --nx --batch --strategy ski -x "$work/commands" -- hello >"$work/out" 2>&1
is_zero "host cannot go back" "$(($? - 1))"
has "host cannot go back" "record it with --trace FILE and look at that with 'hv debug --trace FILE'"

# SIGKILL of hv takes the guest along; how fast, host.c looks.
"$hv" run --strategy ski --stats -- /bin/sleep 9$$ >"$work/out" 2>&1 &
pid=$!
guest_runs() { pgrep -f "^/bin/sleep 9$$\$" >"$work/pid"; }
guest_is_gone() { ! guest_runs; }
check "the guest runs" wait_until guest_runs
kill -9 $pid
check "SIGKILL of hv ends the guest" wait_until guest_is_gone

verdicts traced
