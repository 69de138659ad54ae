# shellcheck shell=sh disable=SC2154 # variables of grade.sh
# tests.sh - the tests of lab 8. The student's box runs the attacks of `make check-ski` (tests/ski) and a
# program that means no harm; `outside` (labs/tools/outside.c) sets up what they are after, and believes
# nobody but them. What a container may do is tried, and not read from its source. labs/lib/grade.sh has
# the words; bounds: RLIMIT_CPU, RLIMIT_NPROC, and for what waits for ever a clock in outside.c.

OUTSIDE=$LAB/../../build/guests/tools/ski
[ -d "$OUTSIDE" ] || OUTSIDE=$LAB/../../guests/tools/ski

# No score at all is better than a wrong one.
"$OUTSIDE/outside" able . >"$W/able" 2>&1 || {
    echo "hv: lab $name cannot be graded here: $(cat "$W/able"); 'hv run --strategy ski -- hello' says what to do" >&2
    exit 2
}

box() {
    [ ! -x "$W/box" ] || return
    have box.c
    run cc "${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -g -O1 -Wall -o "$W/box" "$DIR/box.c"
    built box.c
}

# look attacks|honest|family: what is seen from outside in $W/NAME.out; run once for all tests
look() {
    box
    [ -s "$W/$1.out" ] || run "$1" "$OUTSIDE/outside" "$1" "$W/box"
    hole=$(grep 'is not written yet' "$W/$1.err" | grep -F "(hole ${2:-0})" | head -n 1)
    [ -z "$hole" ] || line "$bad" BAD "${hole#box: }"
    step=$(grep '^box: ' "$W/$1.err" | grep -v 'not written yet' | head -n 1)
    [ -z "$step" ] || line "$bad" BAD "$step"
    silent=$(grep -E 'nothing was said|did not end' "$W/$1.out" | head -n 1)
    [ -z "$silent" ] || line "$bad" BAD "$silent"
    [ -z "$silent" ] || flunk "The program in the box must come to its end, and say what it found: ./outside $1 ./box. Status 125: a step failed, and stderr says which; above 128: a signal. If it was the filter that you changed, it refuses too much."
}

# row NAME: its line in the table (or nothing)
row() { grep -F -e "  $1 " "$W/$2.out" | head -n 1 | sed 's/^ *//' | tr -s ' '; }

# holds WHY ROW...: these attacks did not get through. If $exactly is set, it is why another error than the
# expected one is not enough.
exactly=''
unmade() {
    line "$bad" BAD "$1"
    flunk "This attack could not even be made: what it begins with, fork() above all, does not work in your box. ./outside honest ./box"
}
holds() {
    why=$1
    shift
    for attack in "$@"; do
        found=$(row "$attack" attacks)
        case $found in
        "11 "*" untried "*) line "$dim" "" "$found" ;; # another architecture: the host may have none
        *" untried "*) unmade "$found" ;;
        *" refused "*)
            [ -z "$exactly" ] || { line "$bad" BAD "$found" && flunk "$exactly"; }
            line "$good" GOOD "$found"
            ;;
        *" stopped "*) line "$good" GOOD "$found" ;;
        *)
            line "$bad" BAD "${found:-nothing was heard of: $attack}"
            flunk "$why"
            ;;
        esac
    done
}

# works WHY ROW...: the honest program could do this
works() {
    why=$1
    shift
    for thing in "$@"; do
        found=$(row "$thing" honest)
        case $found in
        *" works "*) line "$good" GOOD "honest: $found" ;;
        *)
            line "$bad" BAD "honest: ${found:-nothing was heard of: $thing}"
            flunk "$why"
            ;;
        esac
    done
}

# All that it does works.
honest() {
    look honest
    works "A container in which nothing works is none. hv debug --strategy ./plain.so -- ./box ./honest works; catch exit syscall NAME" \
        "it is uid 0" "a file in /tmp" "a FIFO" "/dev/null, /dev/urandom" "a terminal" "16 MiB of memory" "a thread" \
        "a child runs a program" "a signal to a child" "the clock" "its own 127.0.0.1" "a pair of sockets"
}

# fact KEY VALUE WHY: what the kernel says of the guest's process
fact() {
    found=$(sed -n "s/^outside: $1:[[:blank:]]*//p" "$W/attacks.out")
    same "$1" "$2" "$found" "$3"
}

part "A. A root, and processes"

t_root() {
    look attacks 1
    holds "After enter_root() the old root must not be mounted any more (hole 1): pivot_root(), then umount2() with MNT_DETACH." \
        "chroot, then .. upwards" "chroot, then fchdir" "a host's file by its path"
    fact "Old root" gone "The host's root is still mounted in the box' mount namespace, behind its root or over it (hole 1). Other layers may keep the guest from it today; detach it: umount2() with MNT_DETACH."
}
check root 15 "no way back to the host's files"

t_processes() {
    look attacks 2
    holds "A pid namespace, and a /proc that was mounted in it (hole 2): what has no number in there cannot be named." \
        "see the host's processes" "signal one" "... by /proc/1/root"
    holds "pid 1 was your box. It may not be read or traced from inside: fork_program() sees to it, if nobody changes that." \
        "setns of pid 1" "ptrace pid 1" "/proc/1/mem" "/proc/1/exe"
    look honest
    works "pid 1 is everybody's last parent: it waits for any child, -1, until the program has ended (hole 2)." \
        "orphans are waited for"
    same "the program ended with 42, and the box" "outside: its status is 42" "$(grep 'its status is' "$W/honest.out")" \
        "first_process() returns what the program ended with, not what another child did."
    look family
    expect "$W/family.out" "When the box is killed its pid 1 ends, and with it the kernel ends all of the pid namespace." "and its guest is gone"
}
check processes 15 "a pid namespace, and a pid 1 that does its duty"

part "B. What else is shared"

t_doors() {
    look attacks 3
    holds "Descriptors that were open before are open inside (hole 3): no namespace touches what needs no name." \
        "a descriptor left open"
    holds "A name is looked up in a namespace (hole 3): this one is still the host's." \
        "the host's 127.0.0.1" "its abstract socket" "the host's shared memory" "its place in the host's cgroups"
    look honest
    works "A new network namespace has lo, but it is down (hole 3)." "its own 127.0.0.1"
}
check doors 10 "ports, keys, descriptors"

part "C. What it may do"

t_privileges() {
    look attacks 4
    fact CapEff 0000000000000000 "The process still has capabilities (hole 4). If you did capset() and they came back: execve() took them from the bounding set."
    fact CapBnd 0000000000000000 "The bounding set is not empty (hole 4): what is in it can come back by execve()."
    fact CapAmb 0000000000000000 "The ambient set is not empty (hole 4)."
    fact NoNewPrivs 1 "prctl PR_SET_NO_NEW_PRIVS (hole 4)."
    holds "uid 0 with capabilities takes down what you put up: mounts, covers, a read-only root (hole 4)." \
        "mount" "remount / writable" "umount a cover" "fsopen" "write into /" "mknod /dev/mem" "write core_pattern" \
        "open_by_handle_at" "AF_PACKET" "write to the file that is stdin" "init_module" "clock_settime" "reboot"
}
check privileges 15 "uid 0, and nothing that makes it root"

t_filter() {
    look attacks 5
    fact Seccomp 2 "No filter is installed (hole 5); or /proc/PID/status would say Seccomp: 2."
    exactly="Refused, but not as box.c asks (hole 5): with EPERM, and ENOSYS for clone3 and x32. Who is told no can do without; who is killed cannot."
    holds "A user namespace of its own would give it all capabilities again (hole 5): unshare, clone by its flags, clone3 always." \
        "unshare(CLONE_NEWUSER)" "clone(CLONE_NEWUSER)" "clone3(CLONE_NEWUSER)"
    holds "No namespace covers these: only the filter does (hole 5)." keyctl bpf perf_event_open userfaultfd io_uring_setup syslog
    holds "Numbers of x32 begin at 0x40000000 (hole 5): none of those that you list is among them." "a number of x32"
    holds "The kernel takes ioctl's request as 32 bits, so only these may be compared (hole 5)." "TIOCSTI" "TIOCSTI + (1 << 32)"
    holds "Sockets of other families than AF_UNIX, AF_INET, AF_INET6 (hole 5)." AF_VSOCK
    exactly="Refused by luck: unshare is number 310 there, which is process_vm_readv here. Look at arch first (hole 5), and kill what is not AUDIT_ARCH_X86_64."
    holds "The number means nothing before the architecture is known (hole 5): look at arch first, and kill what is not AUDIT_ARCH_X86_64." \
        "int 0x80 unshare"
    honest
}
check filter 20 "system calls that no guest needs"

part "D. A container, and no wall"

t_honest() { honest; }
check honest 10 "a program that means no harm"

t_table() {
    look attacks
    through=$(grep -F ' THROUGH ' "$W/attacks.out" | head -n 1 | sed 's/^ *//' | tr -s ' ')
    if [ -n "$through" ]; then
        line "$bad" BAD "$through"
        flunk "Something still gets through: $(grep -cF ' THROUGH ' "$W/attacks.out") of the table's rows. ./outside attacks ./box shows all."
    fi
    untried=$(grep -F ' untried ' "$W/attacks.out" | grep -v '^11 ' | head -n 1 | sed 's/^ *//' | tr -s ' ')
    [ -z "$untried" ] || unmade "$untried"
    tried=$(sed -n 's/^outside: \([0-9]*\) attacks, .*/\1/p' "$W/attacks.out")
    same "attacks made" 47 "${tried:-none}" "Not all attacks were made: the program has to run to its end."
    honest
}
check table 15 "the whole containment table"
