#!/bin/bash
# forge.sh HV LABS - submissions of labs 2 and 3 that do no work and want all points: they print a score, write the
# grader's files and JSON, kill it, leave processes behind that do so later, plant files that a later test would use,
# put programs where it might look for its own. Each must have what the starter has. And each is made to find out that
# it fails: the reference with the same in it stays full, if what it tried was refused. Called by `make check-class`, as
# root; ends with "forging: N passed, N failed".
set -u
hv=$(realpath "$1") labs=$(realpath "$2")
# shellcheck source=tests/scripts/verdict.sh
. "$(dirname "$0")/../scripts/verdict.sh" || exit 2
about='forging: ' shown=$work/said
export HV_LABS=$labs
[ "$(id -u)" = 0 ] || { echo "forging: only root has boxes" && exit 0; }

# forger NAME LAB FILE CODE: the starter, and code that runs when hv loads it
forger() {
    "$hv" lab start "${2%%-*}" "$work/$2/$1" >/dev/null
    cat >>"$work/$2/$1/$3" <<END

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static const char full[] = "\n@@json@@\n{\"lab\": \"$2\", \"score\": $total, \"total\": $total, \"state\": \"graded\"}\n";
static int put(const char *path, const char *text)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0777);
    int done = fd >= 0 && write(fd, text, strlen(text)) > 0;
    if (fd >= 0)
        close(fd);
    return done;
}
static int stay(void)
{
    if (fork())
        return 0;
    setsid();
    return fork() ? (_exit(0), 0) : 1;
}
__attribute__((constructor)) static void forge(void)
{
    (void)full, (void)put, (void)stay;
    $4
}
END
}

for lab in 02-device 03-dispatcher; do
    total=$(awk '$1 == "check" { n += $3 } END { print n }' "$labs/$lab/tests.sh")
    case $lab in 02*) file=fold.c ;; *) file=dispatcher.c ;; esac
    forger starter $lab $file ''
    forger says $lab $file "printf(\"Score: $total/$total\n%s\", full); fflush(stdout); fprintf(stderr, \"Score: $total/$total\n%s\", full);"
    forger json $lab $file 'if (stay()) for (;;) { put("/tmp/json", full + 10); put("/tmp/g/json", full + 10); put("/tmp/w/json", full + 10); usleep(500); }'
    # All tests there are, with their points.
    results=$(awk '$1 == "check" { printf "%s\\t\\t%d\\t%d\\t\\t\\n", $2, $3, $3 }' "$labs/$lab/tests.sh")
    forger results $lab $file "if (stay()) for (;;) { put(\"/tmp/w/results\", \"$results\"); usleep(500); }"
    forger kills $lab $file 'for (int p = 1; p < 64; p++) {
        char path[64];
        sprintf(path, "/proc/%d/fd/1", p);
        int fd = p == getpid() ? -1 : open(path, O_WRONLY | O_APPEND);
        if (fd >= 0)
            dprintf(fd, "%s", full);
    }
    kill(-1, SIGKILL);'
    forger plants $lab $file 'const char *names[] = {"guest", "driver", "count.out", "port.out", "all.csv", "fold.so", "dispatcher.so"};
    const char *words[] = {"cc", "gcc", "awk", "sed", "grep", "timeout", "tail", "hv", "tests.sh"};
    const char *places[] = {"/tmp", "/tmp/s", "/tmp/w", "/tmp/g", "/usr/bin", "/hv", "/hv/labs/lib"};
    char path[64];
    for (int i = 0; i < 7; i++) {
        sprintf(path, "/tmp/w/%s", names[i]);
        put(path, "port sum: 36\nport sum: 36\n");
    }
    for (int i = 0; i < 9 * 7; i++) {
        sprintf(path, "%s/%s", places[i % 7], words[i / 7]);
        put(path, "#!/bin/sh\nexit 0\n");
    }'
    # Nothing has to run for these.
    "$hv" lab start ${lab%%-*} "$work/$lab/files" >/dev/null
    printf 'all grade:\n\t@echo "Score: %d/%d"\n' "$total" "$total" >"$work/$lab/files/Makefile"
    printf '#!/bin/sh\nexit 0\n' | tee "$work/$lab/files/cc" "$work/$lab/files/hv" "$work/$lab/files/sh" >"$work/$lab/files/awk"
    chmod +x "$work/$lab/files/"{cc,hv,sh,awk}
    echo "check all $total all" >"$work/$lab/files/tests.sh"
    mkdir "$work/$lab/files/grade"
    # shellcheck disable=SC2059 # the format has the tabs
    printf "$results" >"$work/$lab/files/grade/results"
    # What has to be refused, or the program ends before it has done anything: the reference is full.
    forger reaches $lab $file 'char path[64];
    int reached = put("/tmp/w/results", "") + put("/tmp/g/json", "") + put("/tmp/s/answers.txt", "") + !setuid(0) + !seteuid(0);
    const char *what[] = {"mem", "fd/1", "environ", "cwd/x"};
    for (int i = 0; i < 4 * 64; i++) {
        sprintf(path, "/proc/%d/%s", i / 4, what[i % 4]);
        int fd = i / 4 == getpid() ? -1 : open(path, i % 4 == 2 ? O_RDONLY : O_WRONLY);
        reached += fd >= 0;
        if (fd >= 0)
            close(fd);
    }
    for (int p = 1; p < 64; p++)
        reached += p != getpid() && !kill(p, 0);
    if (reached)
        abort();'
    sed -n '/^#include <fcntl.h>$/,$p' "$work/$lab/reaches/$file" >"$work/code"
    cp "$labs/solutions/$lab"/* "$work/$lab/reaches"
    cat "$work/code" >>"$work/$lab/reaches/$file"

    "$hv" lab grade-all $lab "$work/$lab" --jobs 2 --seconds 60 --csv "$work/csv" >"$work/said" 2>&1
    for name in starter says json results kills plants files; do
        check "$lab: $name" grep -q "^$name,$lab,0,$total,graded," "$work/csv"
    done
    check "$lab: reaches nothing" grep -q "^reaches,$lab,$total,$total,graded," "$work/csv"
done
verdicts forging
