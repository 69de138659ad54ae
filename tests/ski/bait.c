/*
 * bait.c - see bait.h. Called by host.c, and by labs/tools/outside.c, which attacks a student's container.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/ski/attacks.h"
#include "tests/ski/bait.h"

static int
listen_on_loopback(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) || listen(fd, 8) ||
        getsockname(fd, (struct sockaddr *)&at, &size))
        return -1;
    return ntohs(at.sin_port);
}

static void
listen_abstract(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1, "%.90s", name);
    if (fd < 0 ||
        bind(fd, (struct sockaddr *)&at,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))) ||
        listen(fd, 8))
        fprintf(stderr, "no abstract socket: %s\n", strerror(errno));
}

/* Does a child that runs this instruction survive it? */
static bool
has_i386(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        long value;
        __asm__ volatile("int $0x80" : "=a"(value) : "a"(20L /* getpid */) : "memory");
        _exit(value != getpid());
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Root of a container may have no rights: then it is a user like any other. */
static bool
is_root(void)
{
    return geteuid() == 0 && prctl(PR_CAPBSET_READ, CAP_DAC_OVERRIDE, 0, 0, 0) == 1;
}

void
bait_set_up(struct bait *bait)
{
    struct timespec up;
    char path[4096];

    bait->root = is_root();
    snprintf(path, sizeof(path), "%s/secret", bait->folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, bait->root ? 0600 : 0400);
    if (fd < 0 || write(fd, "s", 1) != 1)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    close(fd);
    bait->victim = fork();
    if (bait->victim == 0) {
        prctl(PR_SET_NAME, VICTIM_NAME);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    bait->shm = shmget(SHM_KEY, 4096, IPC_CREAT | 0600);
    fd = open(bait->folder, O_RDONLY | O_DIRECTORY);
    dup2(fd, LEAKED_FD);
    close(fd);
    clock_gettime(CLOCK_BOOTTIME, &up);
    snprintf(path, sizeof(path), "hv-ski-test-%d", (int)getpid());
    listen_abstract(path);
    snprintf(bait->words[0], 160, "secret=%.140s/secret", bait->folder);
    snprintf(bait->words[1], 160, "port=%d", listen_on_loopback());
    snprintf(bait->words[2], 160, "abstract=%.100s", path);
    snprintf(bait->words[3], 160, "victim=%d", (int)bait->victim);
    snprintf(bait->words[4], 160, "boottime=%ld", (long)up.tv_sec);
    snprintf(bait->words[5], 160, "i386=%d", has_i386());
    snprintf(bait->words[6], 160, "x32=%d", syscall(0x40000000 | SYS_getpid) == getpid());
    snprintf(bait->words[7], 160, "jail=%.140s/jail", bait->folder);
}

void
bait_tear_down(struct bait *bait)
{
    char path[4096];

    kill(bait->victim, SIGKILL);
    waitpid(bait->victim, NULL, 0);
    shmctl(bait->shm, IPC_RMID, NULL);
    snprintf(path, sizeof(path), "%s/secret", bait->folder);
    unlink(path);
}

/* --- a line of the attacks --------------------------------------------------------------------- */

bool
bait_parse(const char *line, struct row *row)
{
    return sscanf(line, "%d|%63[^|]|%47[^|]|%15[^|]|%47[^\n]", &row->number, row->name, row->layer,
                  row->verdict, row->detail) == 5;
}
