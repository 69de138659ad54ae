/*
 * nano.c - what a system call costs: the seventh of the nanobenchmarks (minios/nano.c), which only
 * a user can do. `nano [N]`; prints `nano: syscall count N ticks T`.
 */
#include "lib.h"

static uint64_t
ticks(void)
{
    uint32_t low, high;
    asm volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

int
main(int argc, char **argv, char **envp)
{
    int64_t count = number_at(argc, argv, 1, 10000), pid = sys_call(SYS_GETPID, 0, 0, 0), good = 0;
    uint64_t start, empty, full;
    (void)envp;
    start = ticks();
    for (int64_t i = 0; i < count; i++)
        asm volatile("");
    empty = ticks() - start;
    start = ticks();
    for (int64_t i = 0; i < count; i++)
        good += sys_call(SYS_GETPID, 0, 0, 0) == pid;
    full = ticks() - start;
    if (good != count)
        say("nano: syscall count %d failed\n", count);
    else
        say("nano: syscall count %d ticks %u\n", count, full > empty ? full - empty : 0);
    return good != count;
}
