/*
 * events.c - what does it cost to record one event?
 *
 * Fills events as core/run.c does, into a recording on disk, and counts this process's CPU time.
 * Beside it, what of that is the clock, which each event reads once. An exit takes at least two
 * events: itself and the entry that follows. Called by `make bench`.
 *
 * Usage: bench-events FOLDER [ROUNDS]: the recording is made in FOLDER and removed. Status 1: it
 * costs more than its target.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tracer/record.h"

#define EVENTS 500000u /* a round: 24 MB */
#define TARGET 60.0    /* ns */

static double
clock_now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Nanoseconds an event. */
static double
record_events(struct recorder *recorder)
{
    double start = clock_now(CLOCK_PROCESS_CPUTIME_ID);

    for (unsigned i = 0; i < EVENTS; i++) {
        struct trace_event *e = recorder_begin(recorder);
        e->kind = i & 1 ? TRACE_ENTRY : TRACE_IO;
        e->from = TRACE_ACTOR_GUEST_KERNEL;
        e->to = TRACE_ACTOR_DISPATCHER;
        e->icount = i;
        e->rip = 0x7c00;
        e->address = 0x3f8;
        e->value = i;
        e->size = 1;
        e->flags = TRACE_WRITE;
        recorder_commit(recorder);
    }
    return (clock_now(CLOCK_PROCESS_CPUTIME_ID) - start) / EVENTS;
}

static double
read_clock(void)
{
    double start = clock_now(CLOCK_PROCESS_CPUTIME_ID);
    struct timespec t;

    for (unsigned i = 0; i < EVENTS; i++)
        clock_gettime(CLOCK_MONOTONIC, &t);
    return (clock_now(CLOCK_PROCESS_CPUTIME_ID) - start) / EVENTS;
}

static void
print_row(const char *what, const struct samples *s)
{
    printf("  %-34s %9.1f ns   %7.1f to %.1f\n", what, samples_median(s), samples_min(s),
           samples_max(s));
}

int
main(int argc, char **argv)
{
    struct trace_about about = {"soft", "hardware", "none", "", "bench-events"};
    struct samples event = {.count = 0}, clock = {.count = 0};
    unsigned rounds = argc > 2 ? bench_rounds(argv[2]) : 7;
    struct recorder *recorder;
    char path[4096], message[256];

    if (argc < 2) {
        fprintf(stderr, "usage: bench-events FOLDER [ROUNDS]\n");
        return 2;
    }
    snprintf(path, sizeof(path), "%s/events-%d.hvt", argv[1], (int)getpid());
    for (unsigned i = 0; i < rounds; i++) {
        if (recorder_open(&recorder, path, &about, message, sizeof(message))) {
            fprintf(stderr, "bench-events: %s\n", message);
            return 2;
        }
        samples_add(&event, record_events(recorder));
        samples_add(&clock, read_clock());
        if (recorder_lost(recorder))
            fprintf(stderr, "bench-events: the disk is full\n");
        if (recorder_lost(recorder) | (recorder_close(recorder) != 0) | (unlink(path) != 0))
            return 2;
    }
    printf("One recorded event, CPU time, the median of %u rounds of %u events:\n", rounds, EVENTS);
    print_row("recorded", &event);
    print_row("of that, reading the clock", &clock);
    printf("  target: at most %.0f ns   %s\n", TARGET,
           samples_median(&event) <= TARGET ? "met" : "MISSED");
    return samples_median(&event) <= TARGET ? 0 : 1;
}
