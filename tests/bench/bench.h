/*
 * bench.h - what the programs of `make bench` share: samples of one quantity, their median and
 * spread. measure.c has the functions; loop.c, events.c are the programs.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#define BENCH_ROUNDS_MAX 99

/* Measured once a round. The median is what counts: one disturbed round does not move it. */
struct samples {
    double value[BENCH_ROUNDS_MAX];
    unsigned count;
};

void samples_add(struct samples *s, double value);
/* Of at least one sample. */
double samples_median(const struct samples *s);
double samples_min(const struct samples *s);
double samples_max(const struct samples *s);
/* A number of rounds from the command line, 1 to BENCH_ROUNDS_MAX; status 2 if it is none. */
unsigned bench_rounds(const char *text);

#endif
