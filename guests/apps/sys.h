/*
 * sys.h - what the programs in this folder have instead of a C library.
 *
 * They use only system calls that Linux and minios share, so the same file runs on both.
 */
#ifndef APPS_SYS_H
#define APPS_SYS_H

#include <stddef.h>
#include <stdint.h>

/* Numbers: Linux, arch/x86/entry/syscalls/syscall_64.tbl. */
#define SYS_READ          0
#define SYS_WRITE         1
#define SYS_SCHED_YIELD   24
#define SYS_NANOSLEEP     35
#define SYS_GETPID        39
#define SYS_EXIT          60
#define SYS_CLOCK_GETTIME 228

struct timespec {
    int64_t seconds, nanoseconds;
};

/* One system call: number in rax, result in rax (negative: an error's number). The processor
 * keeps the return address in rcx and the flags in r11. */
static inline int64_t
sys_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    int64_t result;
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(a), "S"(b), "d"(c)
                 : "rcx", "r11", "memory");
    return result;
}

/* Prints with %s %d %x, all of it by one write(). %d and %x take 64 bits. */
void say(const char *format, ...);
/* A decimal number. */
int64_t number(const char *s);

int main(int argc, char **argv);

#endif
