/*
 * random.h - chance for tests: the same numbers for the same seed on every machine and with every libc,
 * so that a seed in a report is enough to see a failure again.
 *
 * Called by tests/diff, tests/decode, tests/fuzz and tests/unit. The seed must not be 0: from 0 only 0 follows.
 */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdint.h>

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators" (2016). */
static inline uint64_t
random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

/* One of 0 to n - 1; the upper bits are the better ones. */
static inline uint64_t
random_below(uint64_t *state, uint64_t n)
{
    return (random_next(state) >> 32) % n;
}

#endif
