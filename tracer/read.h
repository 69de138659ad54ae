/*
 * read.h - reading a recording: opened once, checked completely, then an array of events.
 *
 * The file may be damaged, hostile, still growing, or from a newer hv. What trace_open() accepts
 * needs no further checks: every event's kind and actors have a row in the tables below, and every
 * text is free of control characters. Of a file that grows, the reader sees what was committed
 * when it was opened.
 *
 * Next: stats.h (numbers), view.h (tables and pictures).
 */
#ifndef TRACER_READ_H
#define TRACER_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tracer/event.h"
#include "tracer/format.h"

/* What to say of a kind. Kinds that a newer hv added come with the file's name and class. */
struct trace_kind_row {
    char name[TRACE_NAME_SIZE];
    enum trace_class class;
    const char *text;
};

struct trace_actor_row {
    char name[TRACE_NAME_SIZE];
    enum trace_domain domain;
};

struct trace {
    const struct trace_event *events;
    uint64_t count, lost;
    uint64_t exits;   /* how many events are exits */
    bool closed;      /* false: hv was killed, or it records still */
    uint64_t started; /* wall clock, ns since 1970 */
    unsigned actors;  /* rows of actor[] */
    unsigned kinds;   /* rows of kind[] */
    char engine[32], strategy[32], build_id[64], guest[512], command[1024];
    struct trace_actor_row actor[TRACE_ACTOR_MAX];
    struct trace_kind_row kind[TRACE_KIND_MAX];

    /* Private to read.c. */
    uint64_t *exit_index; /* event of every EXIT_STEP-th exit */
    void *map;
    size_t map_size;
    int fd;
};

/* Opens and checks path. 0, or -errno and a sentence in message (size bytes); trace is then
 * closed already. Takes a few milliseconds for a million events. */
int trace_open(struct trace *trace, const char *path, char *message, size_t size);
void trace_close(struct trace *trace);
/* Before something is written to path: 0, or -EINVAL and a sentence, as it is the very file that is
 * open (save.c). */
int trace_check_output(const struct trace *trace, const char *path, char *message, size_t size);
/* Writes what is open to another file, as a recording that was closed (save.c). 0, or -errno and a
 * sentence in message (size bytes). */
int trace_save(const struct trace *trace, const char *path, char *message, size_t size);

/* The event (from 0) that is exit `number` (from 1), or -ENOENT. */
int trace_find_exit(const struct trace *trace, uint64_t number, uint64_t *event);
/* How many exits there are among the events before `event`. */
uint64_t trace_exits_before(const struct trace *trace, uint64_t event);

#endif
