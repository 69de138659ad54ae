/* watchdog.h - a seed that does not end is named, and ends the fuzzer. Called by guests.c, hypercalls.c, apps.c. */
#ifndef TESTS_FUZZ_WATCHDOG_H
#define TESTS_FUZZ_WATCHDOG_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

static uint64_t watchdog_seed;

static void
watchdog_bite(int number)
{
    char text[96];

    (void)number;
    int n = snprintf(text, sizeof(text), "\nFAILED: what began with seed %llu does not end\n",
                     (unsigned long long)watchdog_seed);
    if (write(STDOUT_FILENO, text, (size_t)n) != n)
        _exit(3);
    _exit(2);
}

/*
 * From now on this seed has so many seconds; the seed before has ended. They are seconds of processor
 * time, so that a loaded machine changes nothing; what waits without using any has ten times as many.
 */
static void
watchdog_start(uint64_t seed, unsigned seconds)
{
    const struct itimerval limit = {.it_value = {.tv_sec = seconds}};

    watchdog_seed = seed;
    signal(SIGPROF, watchdog_bite);
    signal(SIGALRM, watchdog_bite);
    setitimer(ITIMER_PROF, &limit, NULL);
    alarm(10 * seconds);
}

#endif
