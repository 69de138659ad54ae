/*
 * probe.c - asks the kernel for what it must refuse, and looks at the error numbers.
 *
 * Every pointer of every system call is tried with addresses that are not the program's: the kernel
 * has to answer -EFAULT, and to survive.
 */
#include "lib.h"

static const uint64_t wild[] = {
    0xdead000,          /* nothing is mapped here, neither by Linux nor by minios */
    8,                  /* the first page never is */
    0x00007fffffffffff, /* the end of the user's half */
    0x0000800000000000, /* not canonical: bits 63-47 differ */
    0xffffffff80000000, /* the kernel's own memory */
    0xffffffffffffffff,
};
#define WILD (sizeof(wild) / sizeof(wild[0]))

static const char *name;
static int64_t good, asked;

static void
expect(const char *what, int64_t result, int64_t expected)
{
    asked++;
    good += result == expected;
    if (result != expected)
        say("%s: %s gave %d, not %d\n", name, what, result, expected);
}

/* fds: a pipe with some bytes in it, so that there would be something to read and write. */
static void
try_pointer(uint64_t p, int fds[2])
{
    char path[256];
    uint64_t pointers[2] = {p, 0};
    int64_t pid;

    expect("write", sys_call(SYS_WRITE, fds[1], p, 1), -EFAULT);
    expect("read", sys_call(SYS_READ, fds[0], p, 1), -EFAULT);
    expect("pipe", sys_call(SYS_PIPE, p, 0, 0), -EFAULT);
    expect("nanosleep", sys_call(SYS_NANOSLEEP, p, 0, 0), -EFAULT);
    expect("clock_gettime", sys_call(SYS_CLOCK_GETTIME, 1, p, 0), -EFAULT);
    expect("uname", sys_call(SYS_UNAME, p, 0, 0), -EFAULT);
    expect("execve of it", sys_call(SYS_EXECVE, p, 0, 0), -EFAULT);
    if (path_beside(name, "true", path, sizeof(path))) {
        expect("execve with it", sys_call(SYS_EXECVE, (uint64_t)path, p, 0), -EFAULT);
        expect("execve argv", sys_call(SYS_EXECVE, (uint64_t)path, (uint64_t)pointers, 0), -EFAULT);
        expect("execve env", sys_call(SYS_EXECVE, (uint64_t)path, 0, p), -EFAULT);
    }
    pid = sys_fork();
    if (pid == 0)
        sys_exit(0);
    expect("wait4", sys_call(SYS_WAIT4, pid, p, 0), -EFAULT);
}

static void
try_numbers(int fds[2])
{
    static const struct timespec bad = {0, 1000000000};
    const uint64_t code = (uint64_t)main; /* ours, but read-only */
    char c;
    int two[2];

    expect("write to 99", sys_write(99, "x", 1), -EBADF);
    expect("write to -1", sys_write(-1, "x", 1), -EBADF);
    expect("write to a pipe's wrong end", sys_write(fds[0], "x", 1), -EBADF);
    expect("read from a pipe's wrong end", sys_read(fds[1], &c, 1), -EBADF);
    expect("write of nothing", sys_call(SYS_WRITE, fds[1], wild[0], 0), 0);
    expect("read to code", sys_call(SYS_READ, fds[0], code, 1), -EFAULT);
    expect("pipe to code", sys_call(SYS_PIPE, code, 0, 0), -EFAULT);
    expect("clock_gettime to code", sys_call(SYS_CLOCK_GETTIME, 1, code, 0), -EFAULT);
    expect("uname to code", sys_call(SYS_UNAME, code, 0, 0), -EFAULT);
    expect("close of 99", sys_close(99), -EBADF);
    expect("dup2 of 99", sys_dup2(99, 1), -EBADF);
    expect("dup2 to -1", sys_dup2(fds[0], -1), -EBADF);
    expect("nanosleep", sys_call(SYS_NANOSLEEP, (uint64_t)&bad, 0, 0), -EINVAL);
    expect("clock_gettime of 99", sys_call(SYS_CLOCK_GETTIME, 99, (uint64_t)&bad, 0), -EINVAL);
    expect("wait4 without a child", sys_wait(-1, two), -ECHILD);
    expect("wait4 with strange options", sys_call4(SYS_WAIT4, -1, 0, 0x1000, 0), -EINVAL);
    expect("execve of nothing", sys_execve("./there-is-none", NULL, NULL), -ENOENT);
    expect("no such call", sys_call(9999, 0, 0, 0), -ENOSYS);
    expect("no such call, -1", sys_call(-1, 0, 0, 0), -ENOSYS);
    expect("pipe", sys_pipe(two), 0);
    sys_close(two[0]);
    sys_close(two[1]);
    expect("read of what was written", sys_read(fds[0], &c, 1), 1);
}

int
main(int argc, char **argv, char **envp)
{
    int fds[2];
    (void)envp;
    name = argc > 0 ? argv[0] : "probe";
    if (sys_pipe(fds) || sys_write(fds[1], "some", 4) != 4)
        return 1;
    for (unsigned i = 0; i < WILD; i++)
        try_pointer(wild[i], fds);
    try_numbers(fds);
    say("probe: %d of %d answers are right\n", good, asked);
    return good != asked;
}
