/* host_left.c - is anything left on the host? Mounts, cgroups, processes, files. Called by host.c. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/ski/host.h"

static void
pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* --- nothing is left -------------------------------------------------------------------------- */

static bool seen_cgroup;
static bool noted[1 << 22]; /* no pid is larger (proc(5), pid_max) */

void
note_hv(pid_t pid)
{
    if (pid > 0)
        noted[pid] = true;
}

static int
see_cgroup(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    int pid;

    (void)st;
    if (type == FTW_D && sscanf(path + ftw->base, "hv-ski-%d-", &pid) == 1 && pid > 0 &&
        pid < (int)sizeof(noted) && noted[pid] && kill(pid, 0) && errno == ESRCH) {
        printf("left: %s\n", path);
        seen_cgroup = true;
    }
    return 0;
}

/* Of a supervisor that was ours and is gone. */
static bool
no_cgroup_left(void)
{
    seen_cgroup = false;
    nftw("/sys/fs/cgroup", see_cgroup, 32, FTW_PHYS);
    return !seen_cgroup;
}

static size_t
read_mounts(char *text, size_t size)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    size_t used = file ? fread(text, 1, size, file) : 0;

    if (file)
        fclose(file);
    return used;
}

static unsigned
count_files(const struct host *host)
{
    char line[512];
    unsigned lines = 0;
    char command[4200];

    snprintf(command, sizeof(command), "ls -A '%s'", host->bait.folder);
    FILE *file = popen(command, "r");
    while (file && fgets(line, sizeof(line), file))
        lines++;
    if (file)
        pclose(file);
    return lines;
}

/* Children that were lost to us are waited for; true if one is still alive after ten seconds. */
static bool
orphans_left(const struct host *host)
{
    for (int tries = 0; tries < 1000; tries++) {
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            ;
        FILE *file = fopen("/proc/thread-self/children", "re");
        long child = 0;
        bool other = false;
        while (file && fscanf(file, "%ld", &child) == 1)
            other |= child != host->bait.victim;
        if (file)
            fclose(file);
        if (!other)
            return false;
        pause_ms(10);
    }
    return true;
}

void
look_before(const struct host *host, struct before *before)
{
    before->size = read_mounts(before->mounts, sizeof(before->mounts));
    before->files = count_files(host);
}

void
check_nothing_left(struct host *host, const struct before *before)
{
    static char after[1 << 18];
    size_t size = read_mounts(after, sizeof(after));

    verdict(host, !orphans_left(host), "no process is left");
    verdict(host, no_cgroup_left(), "no cgroup is left");
    verdict(host, size == before->size && !memcmp(after, before->mounts, size), "no mount is left");
    verdict(host, count_files(host) == before->files, "no file is left");
}

void
lifecycle(struct host *host, unsigned count)
{
    static struct before before;
    unsigned started = 0;
    char text[128];
    struct table table;

    look_before(host, &before);
    srandom(1);
    for (unsigned i = 0; i < count; i++) {
        int out = -1;
        pid_t pid = -1;
        if (i % 4 == 3) { /* somewhere in the middle of its start */
            fflush(stdout);
            pid = fork();
            if (pid == 0) {
                dup2(open("/dev/null", O_RDWR | O_CLOEXEC), 1);
                dup2(1, 2);
                execl(host->hv, host->hv, "run", "--strategy", "ski", "--", host->attacks, "sleep",
                      NULL);
                _exit(127);
            }
            note_hv(pid);
            pause_ms(random() % 12);
        } else {
            pid = start_sleeper(host, &out);
        }
        if (pid > 0) {
            started++;
            kill(pid, i % 2 ? SIGKILL : SIGTERM);
            waitpid(pid, NULL, 0);
        }
        if (out >= 0)
            close(out);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
    snprintf(text, sizeof(text), "%u of %u starts, each killed", started, count);
    verdict(host, started == count, text);
    orphans_left(host);
    run_guest(host, NULL, &table, 1, 1); /* the next start sweeps */
    check_nothing_left(host, &before);
}
