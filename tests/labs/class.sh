#!/bin/bash
# class.sh HV LABS [ROUNDS [SECONDS]] - `hv lab grade-all` on a class with good, bad and hostile submissions of lab 3:
# 21 a round; then on eleven of lab 8. SECONDS is what one may take. Scores must be right, the same twice, and none may harm another or this host. Called by
# `make check-class`; ends with "class: N passed, N failed". As another user than root it can only see
# that hv refuses.
set -u
hv=$(realpath "$1") labs=$(realpath "$2") rounds=${3-1} seconds=${4-30}
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh" || exit 2
about='class: ' shown=$work/said
class=$work/class
mkdir "$class"
export HV_LABS=$labs
guests=$(dirname "$hv")/../guests
[ -d "$guests" ] || guests=$(dirname "$hv")/../share/hv/guests
include=$("$hv" lab flags | sed 's/^-I\([^ ]*\) .*/\1/')

absent() { # FILE...: none of them is there
    for file; do [ ! -e "$file" ] || return 1; done
}

submission() { # NAME: the reference
    "$hv" lab start 3 "$class/$1" >/dev/null
    cp "$labs"/solutions/03-dispatcher/* "$class/$1"
}
# The reference, and code that runs when hv loads the plug-in, before anything else.
hostile() { # NAME CODE
    submission "$1"
    cat >>"$class/$1/dispatcher.c" <<END

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
static int tries(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
    return fd >= 0 && write(fd, "x", 1) == 1;
}
__attribute__((constructor)) static void hostile(void)
{
    (void)tries;
    $2
}
END
}

canary=/tmp/hv-canary.$$
secret=$work/secret
echo "nobody reads this" >"$secret"
for r in $(seq "$rounds"); do
    submission "reference-$r"
    "$hv" lab start 3 "$class/starter-$r" >/dev/null
    hostile "crash-$r" 'raise(SIGSEGV);'
    hostile "exits-$r" '_exit(0);'
    hostile "loop-$r" 'for (;;) ;'
    hostile "sleep-$r" 'for (;;) pause();'
    hostile "forkbomb-$r" 'for (;;) fork();'
    hostile "memory-$r" 'for (;;) { volatile char *p = malloc(1 << 20); if (p) for (int i = 0; i < 1 << 20; i += 4096) p[i] = 1; }'
    hostile "disk-$r" 'char b[4096] = "x"; int fd = open("/tmp/big", O_WRONLY | O_CREAT, 0666); while (write(fd, b, 4096) > 0) ; '
    hostile "output-$r" 'char b[4096] = "x"; while (write(1, b, 4096) > 0) ;'
    hostile "kill-$r" 'kill(-1, SIGKILL); kill(getppid(), SIGKILL);'
    hostile "writes-$r" "if (tries(\"$canary\") && 0) _exit(9); tries(\"$secret\"); tries(\"/etc/canary\"); tries(\"/usr/canary\"); tries(\"/hv/hv\");"
    # Steps that do nothing but end badly if they succeed: then the score is not full.
    hostile "reads-$r" "if (!access(\"$secret\", F_OK) || !access(\"$class\", F_OK) || !access(\"/etc/passwd\", F_OK)) abort();"
    hostile "solutions-$r" 'DIR *d = opendir("/hv/labs/solutions"); int n = 0; while (d && readdir(d)) n++; if (n > 2 || !access("/hv/above/labs/solutions", F_OK)) abort();'
    hostile "network-$r" 'if (socket(AF_INET, SOCK_RAW, 1) >= 0 || socket(AF_PACKET, SOCK_RAW, 0) >= 0) abort();'
    submission "shadow-$r"
    sed -i '1i #include "/etc/shadow"' "$class/shadow-$r/dispatcher.c"
    submission "endless-$r"
    sed -i '1i #include __FILE__' "$class/endless-$r/dispatcher.c"
    mkdir "$class/empty-$r"
    submission "a name; \$(touch canary) \"$r\""
    submission "large-$r"
    head -c 20000000 /dev/zero >"$class/large-$r/zeros"
    submission "links-$r"
    rm "$class/links-$r/dispatcher.c"
    ln -s "$labs/solutions/03-dispatcher/dispatcher.c" "$class/links-$r/dispatcher.c"
    mkfifo "$class/links-$r/fifo"
done

# Work that is trusted, without the box, by whoever is here.
mkdir "$work/plain" && cp -r "$class/reference-1" "$class/starter-1" "$work/plain"
"$hv" lab grade-all 3 "$work/plain" --plain --csv "$work/plain.csv" >"$work/said" 2>&1
check "--plain: the reference is full" grep -q '^reference-1,03-dispatcher,50,50,graded' "$work/plain.csv"
check "--plain: the starter is not" grep -q '^starter-1,03-dispatcher,0,50,graded' "$work/plain.csv"

# In each lab, work that cannot be tried is not taken for a starter: a source that does not compile, a file that is
# gone. A file of the student's is one of the reference's.
untried() { # NAME STATE BECAUSE: its row in the CSV
    grep -E "^$1,[^,]*,[0-9]+,[0-9]+,$2,\"?$3" "$work/lab.csv" || { grep "^$1," "$work/lab.csv" && false; }
}
for solution in "$labs"/solutions/[0-9][0-9]-*; do
    lab=$(basename "$solution")
    rm -rf "$work/lab" && mkdir "$work/lab"
    for file in "$solution"/*; do
        file=$(basename "$file")
        "$hv" lab start "${lab%%-*}" "$work/lab/no-$file" >/dev/null
        rm "$work/lab/no-$file/$file"
        case $file in
        *.[chS])
            "$hv" lab start "${lab%%-*}" "$work/lab/bad-$file" >/dev/null
            echo '#error "this, and no more' >"$work/lab/bad-$file/$file"
            ;;
        esac
    done
    "$hv" lab grade-all "$lab" "$work/lab" --plain --csv "$work/lab.csv" --json "$work/lab.json" >"$work/said" 2>&1
    for folder in "$work/lab"/*; do
        name=$(basename "$folder") file=${name#*-}
        case $name in
        bad-*) check "$lab: $name" untried "$name" 'does not compile' "$file:1:2: error: #error \"\"this, and no more" ;;
        *.h) ;; # what lacks a header does not compile
        no-*) check "$lab: $name" untried "$name" 'lacks a file' "there is no $file" ;;
        esac
    done
    check "$lab: JSON says so" jq -e 'all(.[]; (.because | length > 0))' "$work/lab.json"
done

# hv is interrupted, or killed, at the second of three, which waits for ever: what is known is written, and nothing
# stays, at the latest until the next start.
mkdir "$work/three" && cp -r "$class/reference-1" "$work/three/1" && cp -r "$class/sleep-1" "$work/three/2" &&
    cp -r "$class/reference-1" "$work/three/3"
family() { # PID: its children, and theirs
    for child in $(pgrep -P "$1"); do
        echo "$child"
        family "$child"
    done
}
second_waits() {
    [ -f "$work/three.kept/1.txt" ] || return 1
    for child in $(family $pid); do
        ! tr '\0' ' ' <"/proc/$child/cmdline" 2>/dev/null | grep -q '^[^ ]*hv run .*dispatcher.so' || return 0
    done
    return 1
}
all_gone() {
    for child in $children; do
        case $(ps -o stat= -p "$child") in '' | Z*) ;; *) return 1 ;; esac
    done
}
stopped() { # WHAT SIGNAL STATUS OPTION...
    what=$1 signal=$2 want=$3
    shift 3
    rm -rf "$work/three.kept" "$work/three.csv"
    # What a shell starts behind its back ignores SIGINT, if nobody says otherwise.
    env --default-signal=INT \
        "$hv" lab grade-all 3 "$work/three" --jobs 1 --keep "$work/three.kept" --csv "$work/three.csv" "$@" >"$work/said" 2>&1 &
    pid=$!
    check "$what: the second waits" wait_until second_waits
    children=$(family $pid)
    folder=$(readlink /proc/$pid/fd/* | grep '^/tmp/hv-boxes-')
    kill "-$signal" $pid
    wait $pid 2>/dev/null
    check "$what: its status" [ $? = "$want" ]
}
interrupted() { # WHAT OPTION...
    what=$1
    shift
    stopped "$what" INT 130 "$@"
    check "$what: no process is left" wait_until all_gone
    check "$what: nor a folder" absent "$folder"
    check "$what: the first is written, the others say why not" diff - "$work/three.csv" <<END
$(printf 'name,lab,score,total,state,because\r\n1,03-dispatcher,50,50,graded,\r')
$(printf '2,03-dispatcher,0,50,stopped: interrupted,\r\n3,03-dispatcher,0,50,not begun: interrupted,\r')
END
}
killed() { # WHAT OPTION...
    what=$1
    shift
    stopped "$what" KILL 137 "$@"
    case $* in
    *--plain*) echo "$children" | xargs kill -KILL 2>/dev/null ;;
    *) check "$what: no process is left" wait_until all_gone ;;
    esac
    "$hv" lab grade-all 3 "$work/plain" --plain >"$work/said" 2>&1
    check "$what: at the next start its folder goes" absent "${folder:-$work}"
}
interrupted "Ctrl-C, --plain" --plain
killed "SIGKILL, --plain" --plain

if [ "$(id -u)" != 0 ]; then
    "$hv" lab grade-all 3 "$class" >"$work/said" 2>&1
    check "without root and --plain it refuses" grep -q 'say --plain' "$work/said"
    verdicts class
    exit
fi
interrupted "Ctrl-C"
killed "SIGKILL"

# Those that were started in a box know hv by the box' name for it.
in_boxes() { grep -l -z -x 'HV=/hv/hv' /proc/[0-9]*/environ 2>/dev/null; }
boxes() {
    grep -o '/tmp/hv-boxes-[^ ]*' /proc/mounts
    ls -d /tmp/hv-boxes-* 2>/dev/null
}
# What others have at this moment is not ours.
in_boxes >"$work/before"
boxes_before=$(boxes)
left() { in_boxes | grep -qvxF -f "$work/before"; }
no_box() { ! boxes | grep -vxF -e "$boxes_before"; }
nobody() { ! left; }
"$hv" lab grade-all 3 "$class" --jobs 4 --seconds "$seconds" --csv "$work/1.csv" --json "$work/1.json" >"$work/1.txt" 2>&1
check "it ends well" [ $? = 0 ]
total=$(grep -c . "$work/1.csv")
check "a line for each: $total" [ "$total" = $((rounds * 21 + 1)) ]
check "JSON" jq -e "length == $((rounds * 21))" "$work/1.json"

is() { # KIND SCORE STATE: in each round
    [ "$(grep -c "^$1-[0-9]*,03-dispatcher,$2,50,$3" "$work/1.csv")" = "$rounds" ] && return
    grep "^$1-" "$work/1.csv" | head -n 3
    return 1
}
check "the reference is full" is reference 50 graded
check "the starter is not" is starter 0 graded
for kind in crash exits; do check "$kind" is $kind 0 graded; done
check "endless: told from a starter" is endless 0 'does not compile,dispatcher.c:.*: error: #include nested'
check "shadow: told from a starter" is shadow 0 'does not compile,dispatcher.c:1:10: fatal error: /etc/shadow'
for kind in empty links; do check "$kind: told from a starter" is $kind 0 'lacks a file,there is no dispatcher.c'; done
for kind in loop sleep forkbomb memory; do check "$kind" is $kind 0 ''; done
check "too much to the grader's own output" is output 0 ''
for kind in kill writes reads solutions network; do check "$kind: nothing is to be had" is $kind 50 graded; done
check "a name is no command" grep -q '^"a name; .*,50,50,graded' "$work/1.csv"
check "too large" is large 0 'too large'
check "nothing was written on the host" absent "$canary" canary
check "nor into files there" [ "$(cat "$secret")" = "nobody reads this" ]
check "nor into the system" absent /etc/canary /usr/canary
check "no process is left" wait_until nobody
check "nor a mount or a folder" no_box

# Who keeps all to himself may grade as well; but the labs themselves have to be open.
(umask 077 && "$hv" lab grade-all 3 "$work/plain" --csv "$work/mask.csv") >"$work/said" 2>&1
check "umask 077" grep -q '^reference-1,03-dispatcher,50,50,graded' "$work/mask.csv"
check "and its files are for nobody else" [ "$(stat -c %a "$work/mask.csv")" = 600 ]
cp -r "$labs" "$work/labs" && chmod 700 "$work/labs"
HV_LABS=$work/labs "$hv" lab grade-all 3 "$work/plain" >"$work/said" 2>&1
check "labs that are closed" grep -q "labs' is not open to others" "$work/said"

# Each lab can be graded in its box: its reference is full there, as it is outside.
for solution in "$labs"/solutions/[0-9][0-9]-*; do
    lab=$(basename "$solution")
    "$hv" lab start "${lab%%-*}" "$work/references/$lab/it" >/dev/null
    cp -r "$solution"/. "$work/references/$lab/it"
    "$hv" lab grade-all "$lab" "$work/references/$lab" --keep "$work/kept" --csv "$work/lab.csv" >"$work/said" 2>&1
    grep -A 2 FAIL "$work/kept/it.txt" >>"$work/said"
    check "$lab: the reference in the box" grep -q '^it,[^,]*,\([0-9]*\),\1,graded,' "$work/lab.csv"
done

# Twice, in two parts, without those that only wait for the clock: the same scores.
rm -rf "$class"/{loop,sleep,forkbomb,memory}-*
for part in 1/2 2/2; do
    # hv is replaced meanwhile, as by an upgrade: what runs is what was started.
    cp "$hv" "$work/new" && mv "$work/new" "$work/hv"
    (wait_until left && rm "$work/hv") &
    upgrade=$!
    HV_GUESTS=$guests HV_INCLUDE=$include \
        "$work/hv" lab grade-all 3 "$class" --jobs 4 --seconds "$seconds" --part $part --csv "$work/part" >"$work/2.txt" 2>&1
    wait $upgrade # or it would take the next part's away
    sed 1d "$work/part"
done | sort >"$work/2.csv"
grep -v -E '^(name,|(loop|sleep|forkbomb|memory)-)' "$work/1.csv" | sort >"$work/1.sorted"
check "the same scores twice, and by parts" diff "$work/1.sorted" "$work/2.csv"

# Lab 8, whose submissions make namespaces: a box without filter and covers. What they could do with it, in
# namespaces of their own, they try in a child; if it succeeds the score is not full.
rm -rf "$class" && mkdir "$class"
container() { # NAME CODE
    mkdir "$class/$1"
    cp "$labs/solutions/08-ski/box.c" "$class/$1"
    cat >>"$class/$1/box.c" <<END
#include <dirent.h>
static int own(const char *path, const char *text) { return write_file(path, text); }
__attribute__((constructor)) static void hostile(void)
{
    int status = 0;
    (void)own;
    if (!fork()) {
        unsigned uid = geteuid();
        char map[32];
        snprintf(map, sizeof(map), "0 %u 1", uid);
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) || own("/proc/self/uid_map", map))
            _exit(0);
        $2
        _exit(0);
    }
    wait(&status);
    if (status)
        _exit(9);
}
END
}
mkdir "$class/starter"
cp "$labs/08-ski/box.c" "$class/starter"
container reference ''
container control '_exit(!access("/hv/labs/08-ski/tests.sh", F_OK)); /* what is there is seen */'
container uncovers 'umount2("/hv/labs/solutions", MNT_DETACH); DIR *d = opendir("/hv/labs/solutions"); int n = 0; while (d && readdir(d)) n++; _exit(n > 2);'
container binds 'mount("/hv/labs", "/tmp", NULL, MS_BIND, NULL); DIR *d = opendir("/tmp/solutions"); int n = 0; while (d && readdir(d)) n++; _exit(n > 2);'
container remounts "mount(NULL, \"/usr\", NULL, MS_REMOUNT | MS_BIND, NULL); mount(NULL, \"/\", NULL, MS_REMOUNT | MS_BIND, NULL); _exit(open(\"/usr/canary\", O_WRONLY | O_CREAT, 0666) >= 0 || open(\"/hv/canary\", O_WRONLY | O_CREAT, 0666) >= 0);"
container chroots "for (int i = 0; i < 64; i++) chdir(\"..\"); chroot(\".\"); _exit(!access(\"$secret\", F_OK) || !access(\"/etc/shadow\", F_OK));"
container devices 'if (!mknod("/tmp/mem", S_IFCHR | 0600, 0x101)) _exit(open("/tmp/mem", O_RDONLY) >= 0);'
container sets 'int fd = open("/proc/sys/kernel/core_pattern", O_WRONLY); int f2 = open("/proc/sysrq-trigger", O_WRONLY); _exit(fd >= 0 || f2 >= 0);'
container kills 'kill(-1, SIGKILL);'
container forks 'for (;;) fork();'
"$hv" lab grade-all 8 "$class" --jobs 4 --seconds "$seconds" --csv "$work/8.csv" >"$work/8.txt" 2>&1
score() { # NAME SCORE
    grep -q "^$1,08-ski,$2,100," "$work/8.csv" || { grep "^$1," "$work/8.csv" && false; }
}
check "lab 8: the starter" score starter 10
for name in reference uncovers binds remounts chroots devices sets; do check "lab 8: $name: nothing is to be had" score $name 100; done
for name in control kills forks; do check "lab 8: $name" score $name 0; done
check "lab 8: nothing was written" absent /usr/canary "$(dirname "$labs")/canary"
check "lab 8: no process is left" wait_until nobody
check "lab 8: nor a mount or a folder" no_box
verdicts class
