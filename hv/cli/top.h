/*
 * top.h - `hv run --top`: which exits the guest makes, a second at a time, on the terminal.
 *
 * A thread of its own looks at the machine's counters and draws them. The virtual CPU is never
 * stopped for it: what an exit does is the same with and without it, and no exit is added by the
 * watching. The counters are aligned numbers of 64 bits that only grow, so that reading one while
 * the other thread adds to it gives its value before or after (SDM vol. 3A, 9.1.1).
 *
 * Called by cmd_run.c.
 */
#ifndef HV_CLI_TOP_H
#define HV_CLI_TOP_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tracer/event.h"

struct vm;

/* What is shown: counters at the last two looks. */
struct top_look {
    const char *title, *serial; /* serial: where the guest's serial line goes */
    uint64_t began, now;        /* ns */
    uint64_t span;              /* ns between the two looks; 0: there was only one */
    uint64_t count[TRACE_KIND_COUNT], before[TRACE_KIND_COUNT];
};

struct top {
    struct top_look look;
    const uint64_t *counters; /* the machine's, by kind */
    pthread_t thread;
    atomic_bool done;
    bool drawn, running;
    sigset_t mask; /* of the caller's, before */
    char title[256], serial[256];
};

struct top_about {
    const char *guest, *serial; /* the guest's name; --console, or the pty's name */
};

/* Standard error must be a terminal, which belongs to the view from now on. 0 or -errno with a
 * sentence. vm must outlive top. */
int top_start(struct top *top, const struct vm *vm, const struct top_about *about,
              struct error *err);
/* Ends it and gives the terminal back; does nothing if it was not started. */
void top_stop(struct top *top);

/* Takes the counters as they are at time now. The rates of a look shorter than half a second stay
 * those of the look before. */
void top_take(struct top_look *look, const uint64_t counters[TRACE_KIND_COUNT], uint64_t now);
/* The screen as text, with the escapes that a terminal wants, for a window of this size. Returns its
 * length, less than size. */
size_t top_draw(const struct top_look *look, unsigned columns, unsigned rows, char *text,
                size_t size);

#endif
