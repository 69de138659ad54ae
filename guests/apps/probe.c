/*
 * probe.c - asks the kernel for what it must refuse, and looks at the error numbers.
 */
#include "sys.h"

#define EBADF  9
#define EFAULT 14
#define EINVAL 22
#define ENOSYS 38

#define NOWHERE 0xdead000
#define KERNEL  0xffffffff80000000

int
main(int argc, char **argv)
{
    static const struct timespec bad = {0, 1000000000};
    const struct {
        uint64_t number, a, b, c;
        int64_t expected;
    } calls[] = {
        {SYS_WRITE, 99, (uint64_t) "x", 1, -EBADF},
        {SYS_WRITE, 1, NOWHERE, 1, -EFAULT},
        {SYS_WRITE, 1, KERNEL, 1, -EFAULT},
        {SYS_WRITE, 1, ~UINT64_C(0), 1, -EFAULT},
        {SYS_WRITE, 1, NOWHERE, 0, 0},
        {SYS_NANOSLEEP, (uint64_t)&bad, 0, 0, -EINVAL},
        {SYS_NANOSLEEP, 0, 0, 0, -EFAULT},
        {SYS_CLOCK_GETTIME, 99, (uint64_t)argv, 0, -EINVAL},
        {SYS_CLOCK_GETTIME, 1, (uint64_t)main, 0, -EFAULT}, /* our own code: read-only */
        {9999, 0, 0, 0, -ENOSYS},
    };
    const unsigned count = sizeof(calls) / sizeof(calls[0]);
    unsigned good = 0;

    for (unsigned i = 0; i < count; i++) {
        int64_t result = sys_call(calls[i].number, calls[i].a, calls[i].b, calls[i].c);
        good += result == calls[i].expected;
        if (result != calls[i].expected)
            say("%s: call %d gave -%d, not -%d\n", argv[0], (int64_t)i, -result,
                -calls[i].expected);
    }
    say("%s: %d of %d answers are right\n", argv[0], (int64_t)good, (int64_t)count);
    return argc < 1 || good != count || sys_call(SYS_GETPID, 0, 0, 0) < 1;
}
