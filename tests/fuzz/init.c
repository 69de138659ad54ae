/*
 * init.c - process 1 of minios in the fuzzer of applications: runs random programs, one after the
 * other, each in a process of its own, and says how each ended: "number status" a line. The status is
 * what it gave to exit(), the low seven bits, or 128 + the signal that ended it.
 *
 * What a program cannot do: use the console, as it has the two ends of a pipe instead; and outlive
 * its turn, as all processes are killed after a few ticks. A program that is killed has not
 * failed: it did not end by itself. apps.c puts the programs into `batch` and makes the file's segments
 * writable and executable; guests/Makefile builds this like an app.
 */
#include "lib.h"
#include "../../tests/fuzz/batch.h"

#define TICK    100000 /* ns, at hz=10000 */
#define TICKS   2      /* that a program has */
#define WNOHANG 1
#define SIGSEGV 11

#define KERNEL     0xffffffff80100000 /* minios' text, constants, data; it ends before KERNEL_END */
#define KERNEL_END 0xffffffff80160000

struct batch batch = {.marker = BATCH_MARKER};
uint8_t arena[BATCH_ARENA] __attribute__((aligned(0x1000)));

/* Becomes program n. If it returns, that is its end. */
static void
become(unsigned n)
{
    uint8_t *program = arena + BATCH_START;
    int fds[2];

    if (sys_pipe(fds) || sys_dup2(fds[0], 0) < 0 || sys_dup2(fds[1], 1) < 0 || sys_dup2(1, 2) < 0 ||
        sys_close(fds[0]) || sys_close(fds[1]))
        sys_exit(99);
    memcpy(program, batch.program[n], BATCH_SIZE);
    ((void (*)(void))program)();
    sys_exit(0);
}

/* True: it has ended by itself. */
static bool
ends(int64_t pid, int *status)
{
    const struct timespec tick = {0, TICK};

    sys_call(SYS_SCHED_YIELD, 0, 0, 0);
    for (unsigned i = 0;; i++) {
        if (sys_call4(SYS_WAIT4, pid, (uint64_t)status, WNOHANG, 0) == pid)
            return true;
        if (i == TICKS)
            return false;
        sys_call(SYS_NANOSLEEP, (uint64_t)&tick, 0, 0);
    }
}

/* After all that: a read of each page of the kernel's image, in a child, must end the child. */
static bool
kernel_is_closed(void)
{
    for (uint64_t page = KERNEL; page < KERNEL_END; page += 0x1000) {
        int status = 0;
        int64_t pid = sys_fork();
        if (pid == 0) {
            *(volatile uint8_t *)page;
            sys_exit(0);
        }
        if (pid < 0 || sys_wait(pid, &status) != pid || status != SIGSEGV)
            return false;
    }
    return true;
}

int
main(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    if (sys_call(SYS_GETPID, 0, 0, 0) != 1)
        return 1; /* on Linux it would end all that runs there */
    for (unsigned n = 0; n < batch.count; n++) {
        int status = 0;
        int64_t pid = sys_fork();
        if (pid == 0)
            become(n);
        bool ended = pid < 0 || ends(pid, &status);
        sys_kill(-1, SIGKILL); /* it, and what it has left behind */
        if (!ended && sys_wait(pid, &status) != pid)
            return 2;
        if (pid < 0)
            return 3;
        say("%d %d\n", (int64_t)n, status & 0x7f ? 128 + (status & 0x7f) : status >> 8 & 0x7f);
    }
    return kernel_is_closed() ? 0 : BATCH_OPEN;
}
