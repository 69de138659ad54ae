#!/bin/bash
# ski.sh HV LABS - lab 8 with what one is tempted to write: boxes that leak although they look closed, that
# deny so much that nothing works in them, that claim what did not happen, that do not end. Each is the
# reference with one thing changed, and each must be told what is wrong with it. Called by `make check-labs`,
# with an installed hv; ends with "ski boxes: N passed, N failed".
set -u
hv=$(realpath "$1") labs=$(realpath "$2")
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh" || exit 2
about='ski boxes: ' shown=$work/said lines=60
chmod 755 "$work"
reference=$labs/solutions/08-ski/box.c

# Root is nobody in a box of this lab: the reference is tried as both, the rest as a user.
if [ "$(id -u)" = 0 ]; then
    users="root 12345"
    # Where root keeps its own things others may not look: a copy for them.
    cp -r "${hv%/bin/hv}" "$work/installed" && chmod -R go+rX "$work/installed" || exit 2
    hv=$work/installed/bin/hv
else
    users=me
fi
as() { # USER COMMAND...
    user=$1
    shift
    case $user in
    root | me) "$@" ;;
    *) setpriv --reuid "$user" --regid "$user" --clear-groups "$@" ;;
    esac
}

# The work is in $work/box/box.c. told WHAT SCORE TEXT [TEST]: it has this score and is told this
told() {
    for who in $users; do
        rm -rf "$work/box/grade"
        [ "$who" != 12345 ] || chown -R 12345 "$work/box"
        as "$who" timeout 900 "$hv" lab grade 8 "$work/box" ${4+"$4"} >"$work/said" 2>&1
        if grep -qE "^Score: $2\$" "$work/said" && tr -s ' ' <"$work/said" | grep -qF -e "$3"; then
            verdict "$1"
        else
            verdict "$1, as $who" "not 'Score: $2', or no '$3':"
        fi
    done
}
# changed WHAT SCORE TEXT SED: the reference, changed
changed() {
    mkdir -p "$work/box"
    sed -e "$4" "$reference" >"$work/box/box.c"
    if cmp -s "$reference" "$work/box/box.c"; then
        verdict "$1" "the reference is not changed by it"
    fi
    told "$1" "$2" "$3"
}

changed "the reference" 100/100 "whole containment table (15/15)" 's/lab 8: a container/Lab 8: a container/'
users=${users##* }
i386=$(grep -c 'int 0x80 unshare .* stopped' "$work/box/grade/attacks.out")

# It leaks.
# The filter refuses chroot() then, and no attack gets through: what is left behind is seen all the same.
changed "chroot is no root" 85/100 "BAD Old root: still mounted" 's/return syscall(SYS_pivot_root.*/return chroot(".") || chdir("\/");/'
changed "the old root lies on top" 85/100 "BAD Old root: still mounted" 's/ || umount2(".", MNT_DETACH) || chdir("\/")/ || chdir("\/")/'
changed "the host's /proc" 70/100 "3 see the host's processes THROUGH" \
    's/return mount("proc", "proc".*/return mount("\/proc", "proc", NULL, MS_BIND | MS_REC, NULL);/'
changed "pid 1 waits for the program only" 85/100 "honest: orphans are waited for BROKEN" 's/waitpid(-1, /waitpid(program, /'
changed "descriptors are left open" 75/100 "12 a descriptor left open THROUGH" 's/ || close_range(3, ~0u, 0)//'
changed "the bounding set is kept" "(70|85)/100" "BAD CapEff: 000001" 's/if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))/if (0)/; s/syscall(SYS_capset, &header, none)/0/'
[ "$i386" = 0 ] || changed "no architecture" 65/100 "11 int 0x80 unshare THROUGH" '/AUDIT_ARCH_X86_64/{n;s/KILL_PROCESS/ALLOW/}'
[ "$i386" = 0 ] || changed "the architecture is not looked at" 80/100 "BAD 11 int 0x80 unshare refused EPERM" '/^    LOAD(arch),$/,/KILL_PROCESS/d'
changed "clone3 is forgotten" 65/100 "5 clone3(CLONE_NEWUSER) THROUGH" 's/IF_EQUAL(SYS_clone3, 1),/IF_EQUAL(SYS_clone3 + 20000, 1),/'

# It is a wall.
changed "lo is down" 45/100 "honest: its own 127.0.0.1 BROKEN" 's/link_up("lo") || //'
changed "EPERM for clone3" 55/100 "honest: a thread BROKEN EPERM" '/SYS_clone3/{n;s/ENOSYS/EPERM/}'
changed "who asks is killed" 80/100 "BAD 5 unshare(CLONE_NEWUSER) refused SIGSYS" '/^#define DENY/s/REFUSE(EPERM)/ANSWER(SECCOMP_RET_KILL_PROCESS)/'
changed "nr is not loaded again" 0/100 "untried no process for it: EPERM" '/^    REFUSE(EPERM),$/{n;/LOAD(nr)/d}'
changed "a skip behind the end" 0/100 "BAD box: step filter: last, because it denies most of the above: Invalid argument" 's/IF_EQUAL(SYS_socket, 8),/IF_EQUAL(SYS_socket, 9),/'
changed "attacks get no process" 10/100 "1 chroot, then .. upwards untried no process for it: EAGAIN" \
    's/^    return execve(box->path,/    if (strstr(box->path, "attacks"))\n        setrlimit(RLIMIT_NPROC, \&(struct rlimit){0, 0});\n&/'
changed "no call at all" 0/100 "nothing was said" 's/^    LOAD(arch),$/    REFUSE(EPERM),/'
changed "only what the attacks need" 55/100 "honest: a pair of sockets BROKEN" 's/^    DENY(unshare),$/    DENY(unshare), DENY(socketpair),/'
changed "one process only" 0/100 "1 chroot, then .. upwards untried" 's/processes = {32, 32}/processes = {2, 2}/'

# It claims.
cat >"$work/box/box.c" <<'END'
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
    if (argc > 2 && !strcmp(argv[2], "guest"))
        for (int i = 0; i < 47; i++)
            printf("1|chroot, then .. upwards|mount|stopped|EPERM\n");
    printf("0|it is uid 0|honest|works|as it should\n");
    return 42;
}
END
told "it prints a table itself" 0/100 "nothing was said in there"

# It does not end.
export HV_LAB_GUARD=16 # its half is the box' own, and less than its 10 seconds of processor time
sed -e 's/^    int status = 125 << 8;/    int status = pause();/' "$reference" >"$work/box/box.c"
told "it waits for ever" 0/15 "did not end within 8 seconds" root
sed -e 's/^    int status = 125 << 8;/    int status = 0; for (;;);/' "$reference" >"$work/box/box.c"
told "it loops for ever" 0/15 "did not end within 8 seconds" root

# A box that is killed leaves nothing behind: neither the reference nor the starter.
for source in "$reference" "$labs/08-ski/box.c"; do
    rm -rf "$work/place" && mkdir -m 1777 "$work/place"
    cc -std=gnu11 -D_GNU_SOURCE -o "$work/killed" "$source" 2>"$work/said"
    TMPDIR=$work/place as "$who" "$work/killed" /bin/busybox sh -c 'echo in; exec sleep 100' >"$work/in" 2>&1 &
    wait_until grep -q '^in$' "$work/in" || cat "$work/in"
    pkill -KILL -P $! -x killed || kill -KILL $!
    wait $! 2>/dev/null
    check "a box that is killed leaves no folder" rmdir "$work/place"
done

# Where namespaces are forbidden there is no score, and the reason.
cp "$reference" "$work/box/box.c"
# shellcheck disable=SC2016 # the inner shell's
as "$who" unshare --user --map-root-user \
    sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$0" lab grade 8 "$1"' "$hv" "$work/box" >"$work/said" 2>&1
status=$?
if [ $status = 2 ] && grep -q 'cannot be graded here: user namespaces cannot be made' "$work/said" && ! grep -q Score "$work/said"; then
    verdict "without namespaces"
else
    verdict "without namespaces" "status $status, not 2, or no reason, or a score"
fi

verdicts "ski boxes"
