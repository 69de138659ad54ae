/*
 * measure.c - samples: the median of the rounds, and how far they lie apart. See bench.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"

void
samples_add(struct samples *s, double value)
{
    if (s->count < BENCH_ROUNDS_MAX)
        s->value[s->count++] = value;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The k-th smallest; the samples stay in the order of the rounds. */
static double
ranked(const struct samples *s, unsigned k)
{
    struct samples sorted = *s;

    qsort(sorted.value, sorted.count, sizeof(sorted.value[0]), by_value);
    return sorted.value[k];
}

double
samples_median(const struct samples *s)
{
    return (ranked(s, (s->count - 1) / 2) + ranked(s, s->count / 2)) / 2;
}

double
samples_min(const struct samples *s)
{
    return ranked(s, 0);
}

double
samples_max(const struct samples *s)
{
    return ranked(s, s->count - 1);
}

unsigned
bench_rounds(const char *text)
{
    char *end;
    unsigned long rounds = strtoul(text, &end, 10);

    if (*end || !rounds || rounds > BENCH_ROUNDS_MAX) {
        fprintf(stderr, "bench: a number of rounds is 1 to %d, not '%s'\n", BENCH_ROUNDS_MAX, text);
        exit(2);
    }
    return (unsigned)rounds;
}
