/*
 * views.c - how long do the views of a recording of a million events take?
 *
 * Records them (exits with a device's answer, at some 4,000 addresses), then runs each view as `hv
 * trace` and `hv graph` do, into files in FOLDER, and counts CPU time, Graphviz' too. Called by
 * `make bench`.
 *
 * Usage: bench-views FOLDER [ROUNDS]. Status 1: a target was missed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tracer/ctf.h"
#include "tracer/dot.h"
#include "tracer/record.h"
#include "tracer/view.h"

#define EVENTS 1000000u

static const struct {
    const char *what;
    const struct view_ops *view; /* NULL: opening the recording */
    double target;               /* seconds */
} rows[] = {
    {"open and check", NULL, 0.5},
    {"--stats", &view_stats, 0.5},
    {"--stats --json", &view_stats_json, 0.5},
    {"--format text", &view_table, 3},
    {"--format csv", &view_csv, 3},
    {"--format jsonl", &view_jsonl, 3},
    {"--format chrome", &view_chrome, 3},
    {"--format ctf", &view_ctf, 3},
    {"hv graph state, SVG", &view_state, 1.5},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static double
cpu_seconds(void)
{
    double sum = 0;

    for (int i = 0; i < 2; i++) {
        struct rusage u;
        getrusage(i ? RUSAGE_CHILDREN : RUSAGE_SELF, &u);
        sum += (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
               1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    }
    return sum;
}

static void
give_up(const char *message)
{
    fprintf(stderr, "bench-views: %s\n", message);
    exit(2);
}

static void
record(const char *path)
{
    static const uint16_t kinds[4] = {TRACE_IO, TRACE_CALL, TRACE_RETURN, TRACE_ENTRY};
    struct trace_about about = {"soft", "hardware", "none", "", "bench-views"};
    struct recorder *recorder;
    char message[256];
    uint8_t device[8];

    if (recorder_open(&recorder, path, &about, message, sizeof(message)))
        give_up(message);
    for (unsigned i = 0; i < 8; i++) {
        snprintf(message, sizeof(message), "device%u", i);
        device[i] = recorder_actor(recorder, message, TRACE_DEVICE);
    }
    for (unsigned i = 0; i < EVENTS; i++) {
        unsigned exit = i / 4, step = i % 4;
        struct trace_event *e = recorder_begin(recorder);
        e->kind = step == 0 && exit % 9 == 0 ? TRACE_MMIO : kinds[step];
        e->from = step == 0   ? TRACE_ACTOR_GUEST_KERNEL
                  : step == 2 ? device[exit % 8]
                              : TRACE_ACTOR_DISPATCHER;
        e->to = step == 3   ? TRACE_ACTOR_GUEST_KERNEL
                : step == 1 ? device[exit % 8]
                            : TRACE_ACTOR_DISPATCHER;
        e->icount = i;
        e->rip = 0xffffffff80100000u + exit * 7919u % 4096;
        e->address = 0x3f8 + exit % 8;
        e->value = exit;
        e->size = 1;
        e->flags = exit & 1 ? TRACE_WRITE : 0;
        recorder_commit(recorder);
    }
    if (recorder_lost(recorder) || recorder_close(recorder))
        give_up("the recording could not be written");
}

/* As a guest's symbols say it, but without the search for them: that is not the views' work. */
static void
resolve(void *context, uint64_t rip, char *text, size_t size)
{
    (void)context;
    snprintf(text, size, "function_%u+0x%x (file.c:%u)", (unsigned)(rip >> 4) & 0xff,
             (unsigned)rip & 15, (unsigned)rip & 0xfff);
}

/* CPU seconds of one row. */
static double
measure(unsigned row, const struct trace *trace, const char *path)
{
    struct view_options options = {.resolve = resolve};
    double start = cpu_seconds();
    char message[512], out[4200];
    struct trace again;
    int rc;

    snprintf(out, sizeof(out), "%s.svg", path);
    if (!rows[row].view) {
        rc = trace_open(&again, path, message, sizeof(message));
        if (rc == 0)
            trace_close(&again);
    } else if (rows[row].view->form == VIEW_DOT) {
        rc = dot_write(rows[row].view, trace, &options, out, message, sizeof(message));
    } else {
        options.out = fopen(out, "w");
        rc = options.out ? view_run(rows[row].view, trace, &options, message, sizeof(message)) : -1;
        if (options.out)
            fclose(options.out);
    }
    if (rc)
        give_up(message);
    double seconds = cpu_seconds() - start;
    unlink(out);
    return seconds;
}

int
main(int argc, char **argv)
{
    unsigned rounds = argc > 2 ? bench_rounds(argv[2]) : 3, missed = 0;
    static struct samples samples[ROWS];
    struct trace trace;
    char path[4096], message[512] = "";

    if (argc < 2)
        give_up("usage: bench-views FOLDER [ROUNDS]");
    snprintf(path, sizeof(path), "%s/views-%d.hvt", argv[1], (int)getpid());
    record(path);
    if (trace_open(&trace, path, message, sizeof(message)))
        give_up(message);
    for (unsigned i = 0; i < rounds; i++)
        for (unsigned row = 0; row < ROWS; row++)
            samples_add(&samples[row], measure(row, &trace, path));
    trace_close(&trace);
    unlink(path);
    printf("A recording of %u events, CPU time, the median of %u rounds:\n", EVENTS, rounds);
    for (unsigned row = 0; row < ROWS; row++) {
        double seconds = samples_median(&samples[row]);
        printf("  %-22s %6.3f s  %6.1f million events a second   target: at most %.1f s   %s\n",
               rows[row].what, seconds, EVENTS / 1e6 / (seconds > 0 ? seconds : 1e-6),
               rows[row].target, seconds <= rows[row].target ? "met" : "MISSED");
        missed += seconds > rows[row].target;
    }
    return missed ? 1 : 0;
}
