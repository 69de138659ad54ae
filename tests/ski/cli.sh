#!/bin/sh
# cli.sh HV GUESTS - `hv run --strategy ski` from the command line: programs, statuses, refusals.
#
# The programs of tests/guest/apps.list must print under ski what they print on minios, to the byte.
# Ends with "cli of ski: N passed, N failed". Called by `make check-ski`.
set -u
hv=$1 guests=$2
here=$(cd "$(dirname "$0")/../guest" && pwd) || exit 2
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh"
out=$work/out
export HV_GUESTS="$guests"

while IFS="|" read -r name want words; do
    case $name in '#'*) continue ;; esac
    input=/dev/null
    [ ! -f "$here/$name.in" ] || input=$here/$name.in
    # shellcheck disable=SC2086 # words are cut at blanks, as minios does it
    timeout 300 "$hv" run --strategy ski --cpu 200 -- $words >"$out" 2>&1 <"$input"
    status=$?
    sed -i '/^hv: limits degraded/d' "$out"
    if [ $status = "$want" ] && cmp -s "$out" "$here/$name.txt"; then
        verdict "$name under ski"
    else
        verdict "$name under ski" "status $status, not $want, or another output than on minios"
    fi
done <"$here/apps.list"

# expect STATUS PATTERN WORDS...: of `hv run --strategy ski`
expect() {
    want=$1 pattern=$2
    shift 2
    timeout 300 "$hv" run --strategy ski "$@" >"$out" 2>&1 </dev/null
    status=$?
    if [ $status = "$want" ] && { [ -z "$pattern" ] || grep -qE -- "$pattern" "$out"; }; then
        verdict "$*"
    else
        verdict "$*" "status $status (not $want), or no '$pattern'"
    fi
}
expect 3 '' -- /bin/sh -c 'exit 3'
expect 143 '' -- /bin/sh -c 'kill -TERM $$'
expect 0 '^0$' -- /bin/sh -c 'id -u'
expect 0 '^other$' --hostname other -- /bin/hostname
expect 0 "^$(uname -r)\$" -- /bin/uname -r
expect 1 'cannot be run in the guest' -- nosuch
expect 1 'cannot be opened' --rootfs /nowhere -- /bin/sh
expect 1 "no layer 'secomp'; did you mean 'seccomp'" --without secomp -- true
expect 1 'takes none or veth' --net some -- true
expect 1 "'--disk' is for a guest with a machine" --disk x -- true
expect 1 'which program' --pids 10
expect 1 "'--disk' is for a guest with a machine" --disk x --stats -- true
expect 1 'engine host, not soft' --engine soft -- true
expect 1 "that --without net leaves out" --net veth --without net --i-know -- true
expect 0 'pivot_root' --explain

# mounts OPTIONS...: the guest's, as proc(5) tells: field 5 where, 6 how, from 7 on how they spread.
mounts() {
    "$hv" run --strategy ski "$@" -- /bin/cat /proc/self/mountinfo 2>/dev/null </dev/null >"$work/mounts"
    cut -d ' ' -f 5,6 "$work/mounts" | sed 's/,[a-z]*atime//'
}
# One root alone: the old one, if it were there, would be a second, and "cd /.." the way to it.
cat >"$work/want" <<'END'
/ ro,nosuid,nodev
/bin/busybox ro,nosuid,nodev
/dev ro,nosuid,noexec
/dev/pts rw,nosuid,noexec
/dev/shm rw,nosuid,nodev,noexec
/proc rw,nosuid,nodev,noexec
/tmp rw,nosuid,nodev
END
mounts | grep -vE '^/(proc/|dev/(null|zero|full|random|urandom|tty) )' | LC_ALL=C sort >"$work/some"
check "what the guest's mounts allow" cmp -s "$work/want" "$work/some"
for name in kcore keys key-users kmsg kallsyms timer_list kpagecount interrupts acpi driver sysrq-trigger; do
    [ ! -e "/proc/$name" ] || check "/proc/$name is covered" grep -q " /proc/$name " "$work/mounts"
done
for name in sys bus fs irq mtrr; do
    [ ! -e "/proc/$name" ] ||
        check "/proc/$name cannot be written" grep -q " /proc/$name ro,nosuid,nodev,noexec" "$work/mounts"
done
# What is left to the program and to pid 1: no capability and none to be had, no group but root's, a
# filter, a session of its own, no descriptor of the supervisor's (3 is the one that ls reads by).
cat >"$work/want" <<'END'
CapInh:0 CapPrm:0 CapEff:0 CapBnd:0 CapAmb:0 NoNewPrivs:1 Seccomp:2
END
for pid in self 1; do
    "$hv" run --strategy ski -- /bin/cat /proc/$pid/status 2>/dev/null </dev/null |
        sed -nE '/^(Cap...|NoNewPrivs|Seccomp):/s/:[[:space:]]*0*([0-9a-f])/:\1/p' | tr '\n' ' ' |
        sed 's/ $/\n/' >"$work/some"
    check "what /proc/$pid/status says" cmp -s "$work/want" "$work/some"
done
expect 0 '^1$' -- /bin/cut -d ' ' -f 6 /proc/1/stat
expect 0 '^Max core file size  *0  *0 ' -- /bin/cat /proc/self/limits
expect 0 '^Max open files  *(1024|[0-9]{1,3})  *(1024|[0-9]{1,3}) ' -- /bin/cat /proc/self/limits
"$hv" run --strategy ski -- /bin/ls /proc/self/fd 2>/dev/null </dev/null | tr -s '\n' ' ' >"$work/some"
check "no descriptor is left open" [ "$(cat "$work/some")" = '0 1 2 3 ' ]
expect 0 '^Max locked memory  *65536  *65536 ' -- /bin/cat /proc/self/limits
prlimit --nofile=200 "$hv" run --strategy ski -- /bin/cat /proc/self/limits >"$out" 2>&1 </dev/null
check "a lower limit of the caller's stays" grep -q '^Max open files  *200  *200 ' "$out"
timeout 300 "$hv" ski spawn -n 3 -- cat >"$out" 2>&1
check "three guests that wait" grep -q '^3 guests, all alive at once' "$out"
timeout 300 "$hv" ski spawn -n 30 -- hello >"$out" 2>&1
check "thirty that end" grep -q "^30 guests, of which [1-9][0-9]* have ended" "$out"
check "they print nowhere" [ "$(grep -c hello, "$out")" = 0 ]
# The signals that its caller ignores and blocks are not those of the guest. (Run by make, 32 and 33 are
# among them: glibc's posix_spawn() leaves its own signals ignored.)
env --ignore-signal=USR1 --block-signal=USR2 "$hv" run --strategy ski -- /bin/grep -E '^Sig(Blk|Ign):' /proc/self/status \
    2>/dev/null </dev/null | sed 's/.*://' | tr -d ' \t\n' >"$work/some"
check "no signal is ignored or blocked" [ "$(cat "$work/some")" = 00000000000000000000000000000000 ]
if [ "$(id -u)" = 0 ]; then
    setpriv --groups 4,24 "$hv" run --strategy ski -- /bin/grep '^Groups:' /proc/self/status >"$out" 2>&1 </dev/null
    check "the caller's groups are not the guest's" grep -q '^Groups:[[:space:]]*$' "$out"
    expect 1 'i-know' --without seccomp -- true
    mkdir -m 700 "$work/closed"
    expect 1 'not open to others' --rootfs "$work/closed" -- /bin/true
    expect 0 'Seccomp:.0' --without seccomp --i-know -- /bin/grep Seccomp: /proc/self/status
    # A root file system with a mount of its own below, that spreads to others.
    mkdir -p "$work/root/bin" "$work/root/proc" "$work/root/dev" "$work/root/tmp" "$work/root/sub"
    cp "$(command -v busybox)" "$work/root/bin/cat"
    chmod -R go+rX "$work/root" # the guest's root is nobody here, and this user's umask may be anything
    : >"$work/root/bin/noexec"
    expect 1 "'noexec' cannot be run in the guest: Permission denied\$" --rootfs "$work/root" -- noexec
    if mount -t tmpfs none "$work/root/sub" 2>"$out" && mount --make-shared "$work/root/sub" 2>"$out"; then
        mounts --rootfs "$work/root" | grep -E '^/(sub)? ' | LC_ALL=C sort >"$work/some"
        printf '/ ro,nosuid,nodev\n/sub ro,nosuid,nodev\n' >"$work/want"
        check "what is mounted below --rootfs" cmp -s "$work/want" "$work/some"
        grep -E 'shared:|master:' "$work/mounts" >"$work/some"
        check "no mount spreads" [ ! -s "$work/some" ]
    else
        echo "skipped: a mount below --rootfs, nothing can be mounted here"
    fi
    umount "$work/root/sub" 2>/dev/null
    # Empty cgroups: of a dead supervisor, and of one that cannot be seen and is about to fill it.
    point=$(sed -n 's|.* \(/[^ ]*\) [^ ]* - cgroup2* .*|\1|p' /proc/self/mountinfo | head -n 1)
    space=$(stat -L -c %i /proc/self/ns/pid)
    start=$(sed 's/.*) //' /proc/$$/stat | cut -d ' ' -f 20)
    if mkdir "$point/hv-ski-4194304-1-$space-0" "$point/hv-ski-4194304-1-1-0" \
        "$point/hv-ski-$$-1-$space-0" "$point/hv-ski-$$-$start-$space-0" 2>"$work/out"; then
        sleep 2 # not so new that no age at all would do
        "$hv" run --strategy ski -- true >"$out" 2>&1
        check "a dead supervisor's cgroup is swept" [ ! -d "$point/hv-ski-4194304-1-$space-0" ]
        check "so is that of one whose pid is another process'" [ ! -d "$point/hv-ski-$$-1-$space-0" ]
        check "a living one's stays" [ -d "$point/hv-ski-$$-$start-$space-0" ]
        check "another pid namespace's cgroup stays" [ -d "$point/hv-ski-4194304-1-1-0" ]
        rmdir "$point"/hv-ski-4194304-1-*-0 "$point/hv-ski-$$-"*-0 2>/dev/null
    else
        echo "skipped: whose cgroups are swept, none can be made in '$point'"
    fi
    # The limits as they stand while the guest runs: by cgroup v1 or v2, whichever has the controller.
    "$hv" run --strategy ski --mem 64M --pids 20 --cpu 50 -- /bin/sh -c 'echo ready; exec sleep 1000' >"$out" 2>&1 &
    guest=$!
    wait_until grep -q ready "$out" # no program runs before its limits are set
    # limit WANT FILE...: the first of these that the guest's cgroups have
    limit() {
        want=$1
        shift
        for file in "$@"; do
            found=$(sed -n 's|.* \(/[^ ]*\) [^ ]* - cgroup2* .*|\1|p' /proc/self/mountinfo |
                while read -r top; do find "$top" -path "*/hv-ski-$guest-*/$file" 2>/dev/null; done | head -n 1)
            [ -z "$found" ] || break
        done
        if [ -n "$found" ]; then
            check "$file is $want" [ "$(cat "$found")" = "$want" ]
        else
            echo "skipped: no cgroup has a file $*"
        fi
    }
    limit 67108864 memory.max memory.limit_in_bytes
    limit 20 pids.max
    limit '50000 100000' cpu.max
    limit 50000 cpu.cfs_quota_us
    limit 0 memory.swap.max
    limit 67108864 memory.memsw.limit_in_bytes
    # They bite: its /tmp is memory, too; and no process beyond the last.
    [ -z "$found" ] || expect 137 'the guest used up its memory: 1 killed' --mem 8M -- \
        /bin/dd if=/dev/zero of=/tmp/x bs=1M count=30
    expect 2 "can't fork" --pids 5 -- /bin/sh -c 'for i in 1 2 3 4 5; do /bin/sleep 1 & done; wait'
    kill $guest
    wait $guest 2>/dev/null
    # A kernel may lack veth: then that is what it says.
    if "$hv" run --strategy ski --net veth -- true 2>&1 | grep -q 'not supported'; then
        echo "skipped: --net veth, this kernel does not have it"
        skipped=2
    else
        expect 0 'inet addr:10\.77\.' --net veth -- /bin/ifconfig eth0
        expect 1 '' --net none -- /bin/ifconfig eth0
    fi
fi
# As a user: what is not limited, and a refusal's reason, whole.
as='' user=$hv
if [ "$(id -u)" = 0 ]; then
    as='setpriv --reuid 12345 --regid 12345 --clear-groups' user=$work/hv
    cp "$hv" "$user" && chmod 755 "$work" "$user"
fi
user_says() { # STATUS PATTERN WORDS...
    want=$1 pattern=$2
    shift 2
    # shellcheck disable=SC2086 # words, or none
    timeout 300 $as "$user" run --strategy ski "$@" >"$out" 2>&1 </dev/null
    status=$?
    check "a user: $*: status" [ $status = "$want" ]
    check "a user: $*" grep -qE -- "$pattern" "$out"
}
user_says 0 'limits degraded, not root: memory by RLIMIT_AS, .*by RLIMIT_NPROC' -- /bin/true
user_says 0 'limits degraded, not root: memory not limited; processes not limited' --without rlimits -- /bin/true
# Children that outlive the program end with it; without a pid namespace that is its reaper's work.
long=$((100000 + $$))
for layer in nnp pid; do
    user_says 7 '' --without $layer -- /bin/sh -c "/bin/sleep $long & exec /bin/sh -c 'exit 7'"
    check "--without $layer: no child is left" [ -z "$(pgrep -f "^/bin/sleep $long")" ]
done
mkdir "$work/shut" && chmod 0 "$work/shut"
user_says 1 "^hv: step 'open' of the isolation: the folder '$work/shut' cannot be opened: Permission denied" \
    --rootfs "$work/shut" -- /bin/true
chmod 700 "$work/shut"
# A signal that comes just before hv waits for the guest's end, where gdb holds it, is not waited over.
if command -v gdb >"$out"; then
    cat >"$work/hold" <<'END'
set confirm off
set breakpoint pending on
set startup-with-shell off
handle SIGTERM nostop noprint pass
break waitpid
break ppoll
run
python import os; os.kill(gdb.selected_inferior().pid, 15)
delete
continue
END
    HOME=$work timeout 300 gdb -nx -q -batch -x "$work/hold" --args "$hv" run --strategy ski -- \
        /bin/sleep 100 >"$out" 2>&1 </dev/null
    check "a signal just before the wait" grep -q 'exited with code 0217' "$out"
fi

verdicts "cli of ski"
