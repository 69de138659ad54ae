/*
 * host.c - the host's processor as the oracle: the parent's end of diff_child.
 *
 * The child is another program (child.c); the pages and the cases lie in memory that both map, and
 * a byte through a pipe says "run them" and "done". If a case kills the child, another is started.
 *
 * Next: child.c, then machine.c, the other side.
 */
#include "tests/diff/diff.h"

#include <cpuid.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES_SIZE          (DIFF_CODE_SIZE + DIFF_DATA_SIZE)
#define HWCAP2_FSGSBASE_BIT 0x2u
#define HYPERVISOR_BIT      0x80000000u
#define HYPERVISOR_LEAF     0x40000000u

/* The child's program lies beside this one. */
static void
child_path(char path[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof("/diff_child"));

    path[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(path, '/');
    strcpy(slash ? slash + 1 : path, "diff_child");
}

/* In the forked process: files to their places, all others closed, and away. */
static void
become_child(const struct diff_host *h, int commands, int answers)
{
    char path[PATH_MAX], *args[] = {path, h->fsgsbase ? "1" : "0", NULL};
    int from[] = {h->pages_fd, h->arena_fd, commands, answers};
    enum { HIGH = 100 };

    child_path(path);
    for (int i = 0; i < 4; i++) /* first out of each other's way */
        if (dup2(from[i], HIGH + i) < 0)
            _exit(2);
    for (int i = 0; i < 4; i++)
        if (dup2(HIGH + i, CHILD_PAGES + i) < 0)
            _exit(2);
    close_range(CHILD_ANSWERS + 1, ~0u, 0);
    execv(path, args);
    perror(path);
    _exit(2);
}

static int
spawn(struct diff_host *h)
{
    int down[2], up[2];
    uint8_t ldt = 0;

    memset(h->code, DIFF_FILL, DIFF_CODE_SIZE);
    if (pipe(down) || pipe(up)) {
        perror("diff: pipe");
        return -1;
    }
    h->pid = fork();
    if (h->pid < 0) {
        perror("diff: fork");
        return -1;
    }
    if (h->pid == 0)
        become_child(h, down[0], up[1]);
    close(down[0]);
    close(up[1]);
    h->to_child = down[1];
    h->from_child = up[0];
    if (read(h->from_child, &ldt, 1) != 1) {
        fprintf(stderr, "diff: diff_child did not start\n");
        return -1;
    }
    h->ldt = ldt;
    return 0;
}

static void
reap(struct diff_host *h)
{
    close(h->to_child);
    close(h->from_child);
    kill(h->pid, SIGKILL);
    waitpid(h->pid, NULL, 0);
}

/* QEMU's translator says so in the hypervisor's CPUID leaf. It is no processor to learn from. */
static bool
is_translated(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & HYPERVISOR_BIT))
        return false;
    __cpuid(HYPERVISOR_LEAF, a, b, c, d);
    return !memcmp(&b, "TCGT", 4);
}

static void
detect(struct diff_host *h)
{
    unsigned a = 0, b = 0, c = 0, d = 0;

    h->fsgsbase = getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT;
    h->intel = __get_cpuid(0, &a, &b, &c, &d) && b == signature_INTEL_ebx;
    h->reference = h->intel && !is_translated();
}

int
host_open(struct diff_host *h)
{
    uint8_t *pages;

    *h = (struct diff_host){.pid = -1};
    detect(h);
    h->pages_fd = memfd_create("diff", MFD_CLOEXEC);
    h->arena_fd = memfd_create("diff arena", MFD_CLOEXEC);
    if (h->pages_fd < 0 || ftruncate(h->pages_fd, PAGES_SIZE) || h->arena_fd < 0 ||
        ftruncate(h->arena_fd, sizeof(*h->arena))) {
        perror("diff: memfd");
        return -1;
    }
    h->arena = mmap(NULL, sizeof(*h->arena), PROT_READ | PROT_WRITE, MAP_SHARED, h->arena_fd, 0);
    pages = mmap(NULL, PAGES_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, h->pages_fd, 0);
    if (h->arena == MAP_FAILED || pages == MAP_FAILED) {
        perror("diff: mmap");
        return -1;
    }
    h->code = pages;
    h->data = pages + DIFF_CODE_SIZE;
    signal(SIGPIPE, SIG_IGN); /* a dead child is seen by host_wait() */
    return spawn(h);
}

void
host_close(struct diff_host *h)
{
    reap(h);
    munmap(h->code, PAGES_SIZE);
    munmap(h->arena, sizeof(*h->arena));
    close(h->pages_fd);
    close(h->arena_fd);
}

void
host_start(struct diff_host *h)
{
    h->arena->done = 0;
    if (write(h->to_child, "", 1) != 1)
        perror("diff: the child is gone");
}

void
host_wait(struct diff_host *h)
{
    uint8_t byte;
    ssize_t n;

    while ((n = read(h->from_child, &byte, 1)) < 0 && errno == EINTR)
        ;
    if (n == 1)
        return;
    /* It died: what was not done has no end, and the pages are not to be trusted. */
    for (uint32_t i = h->arena->done; i < h->arena->count; i++)
        h->arena->ends[i] = (struct diff_end){.stop = STOP_OTHER};
    reap(h);
    if (spawn(h))
        exit(2);
}
