/*
 * lib.h - what the programs of guests/apps have instead of a C library.
 *
 * They use only system calls that Linux and minios share, so the same file runs on both. A system
 * call gives its result, or a negative error number.
 */
#ifndef APPS_LIB_H
#define APPS_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- system calls ------------------------------------------------------------------------------ */

/* Numbers: Linux, arch/x86/entry/syscalls/syscall_64.tbl. */
#define SYS_READ          0
#define SYS_WRITE         1
#define SYS_CLOSE         3
#define SYS_BRK           12
#define SYS_PIPE          22
#define SYS_SCHED_YIELD   24
#define SYS_DUP2          33
#define SYS_NANOSLEEP     35
#define SYS_GETPID        39
#define SYS_FORK          57
#define SYS_EXECVE        59
#define SYS_EXIT          60
#define SYS_WAIT4         61
#define SYS_KILL          62
#define SYS_UNAME         63
#define SYS_GETPPID       110
#define SYS_CLOCK_GETTIME 228

#define ENOENT 2
#define ESRCH  3
#define EBADF  9
#define ECHILD 10
#define EAGAIN 11
#define ENOMEM 12
#define EFAULT 14
#define EINVAL 22
#define ENOSYS 38

struct timespec {
    int64_t seconds, nanoseconds;
};

/* One system call: number in rax, arguments in rdi, rsi, rdx, r10, result in rax. The processor
 * keeps the return address in rcx and the flags in r11. */
static inline int64_t
sys_call4(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    register uint64_t r10 asm("r10") = d;
    int64_t result;
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                 : "rcx", "r11", "memory");
    return result;
}

static inline int64_t
sys_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    return sys_call4(number, a, b, c, 0);
}

static inline int64_t
sys_read(int fd, void *buffer, size_t size)
{
    return sys_call(SYS_READ, fd, (uint64_t)buffer, size);
}

static inline int64_t
sys_write(int fd, const void *buffer, size_t size)
{
    return sys_call(SYS_WRITE, fd, (uint64_t)buffer, size);
}

static inline int64_t
sys_close(int fd)
{
    return sys_call(SYS_CLOSE, fd, 0, 0);
}

static inline int64_t
sys_pipe(int fds[2])
{
    return sys_call(SYS_PIPE, (uint64_t)fds, 0, 0);
}

static inline int64_t
sys_dup2(int from, int to)
{
    return sys_call(SYS_DUP2, from, to, 0);
}

/* 0 in the child, the child's pid in the parent. */
static inline int64_t
sys_fork(void)
{
    return sys_call(SYS_FORK, 0, 0, 0);
}

static inline int64_t
sys_execve(const char *path, char *const argv[], char *const envp[])
{
    return sys_call(SYS_EXECVE, (uint64_t)path, (uint64_t)argv, (uint64_t)envp);
}

/* Waits for a child (-1: any). Its status: see status_of(). */
static inline int64_t
sys_wait(int64_t pid, int *status)
{
    return sys_call4(SYS_WAIT4, pid, (uint64_t)status, 0, 0);
}

/* Only SIGKILL, and 0 to ask whether there is such a process. */
#define SIGKILL 9
static inline int64_t
sys_kill(int64_t pid, int signal)
{
    return sys_call(SYS_KILL, pid, signal, 0);
}

static inline void __attribute__((noreturn)) sys_exit(int status)
{
    for (;;)
        sys_call(SYS_EXIT, status, 0, 0);
}

/* --- print.c ------------------------------------------------------------------------------------ */

/* Prints with %s %d %u %x %c, all of it by one write(). %d, %u and %x take 64 bits. */
void say(const char *format, ...);

/* --- string.c ----------------------------------------------------------------------------------- */

/* A decimal number, and one that may be missing. */
int64_t number(const char *s);
int64_t number_at(int argc, char **argv, int index, int64_t otherwise);
bool equal(const char *a, const char *b);
size_t length(const char *s);
/* The program `name` in the folder of the running one, argv[0]. False: does not fit. */
bool path_beside(const char *argv0, const char *name, char *path, size_t size);
/* How a process ended, as the shell's $? has it: what it gave to exit(), or 128 + a signal. */
int status_of(int wait_status);
/* What the compiler calls on its own. */
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);

int main(int argc, char **argv, char **envp);

#endif
