/*
 * nap.c - sleeps, and asks the clock whether it did. `nap N` times.
 */
#include "lib.h"

#define NAP_MS 30

static int64_t
now_ms(void)
{
    struct timespec t = {0};
    sys_call(SYS_CLOCK_GETTIME, 1, (uint64_t)&t, 0);
    return t.seconds * 1000 + t.nanoseconds / 1000000;
}

int
main(int argc, char **argv, char **envp)
{
    const struct timespec nap = {0, NAP_MS * 1000000};
    int64_t times = argc > 1 ? number(argv[1]) : 1;
    (void)envp;
    for (int64_t i = 1; i <= times; i++) {
        int64_t start = now_ms();
        sys_call(SYS_NANOSLEEP, (uint64_t)&nap, 0, 0);
        if (now_ms() - start < NAP_MS) {
            say("%s: woken too early\n", argv[0]);
            return 1;
        }
        say("%s: slept %d ms or more, time %d of %d\n", argv[0], (int64_t)NAP_MS, i, times);
    }
    return 0;
}
