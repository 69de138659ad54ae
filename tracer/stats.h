/*
 * stats.h - numbers of a recording: how often, how long, where from.
 *
 * Fed event by event, in order; all times in ns. view_stats.c prints them, view_state.c draws the
 * shares. Percentiles are exact (nearest rank): every duration is kept until stats_free().
 */
#ifndef TRACER_STATS_H
#define TRACER_STATS_H

#include <stdint.h>

#include "tracer/describe.h"
#include "tracer/span.h"

/* A set of durations. */
struct stats_series {
    uint64_t count, sum, min, max;
    uint64_t *values; /* in no order */
    uint64_t room;
};

/* What happened at one place: an address that exits touched, or an instruction that caused them. */
struct stats_place {
    uint64_t address;
    uint16_t kind; /* of the exits; TRACE_NONE in a free slot of the table */
    uint8_t asked; /* the actor that the VMM asked last for it, or TRACE_ACTOR_DISPATCHER */
    bool foreign;  /* some are TRACE_FOREIGN: the number alone does not say which call it was */
    uint64_t count, writes;
    uint64_t ns; /* from exit to entry */
};

/* Places by kind and address: a hash table with open addressing. */
struct stats_places {
    struct stats_place *slot;
    uint64_t slots, used; /* slots is 0 or a power of two */
};

struct stats {
    const struct trace *trace;
    uint64_t events, exits;
    uint64_t first, last;                        /* time of the first and the last event */
    uint64_t count[TRACE_KIND_MAX];              /* events of each kind */
    struct stats_series handler[TRACE_KIND_MAX]; /* by the exit's kind */
    struct stats_series work[TRACE_KIND_MAX];    /* handler without ... */
    struct stats_series reentry[TRACE_KIND_MAX]; /* ... the way back to the guest (span.h) ... */
    struct stats_series host[TRACE_KIND_MAX];    /* ... and what the host's kernel had of it */
    struct stats_series guest[TRACE_KIND_MAX];   /* by the kind of the exit that ended it */
    uint64_t asked[TRACE_KIND_MAX][TRACE_ACTOR_MAX]; /* calls, by the exit's kind */
    uint64_t handled[TRACE_KIND_MAX];                /* exits that the strategy handled */
    uint64_t hosted[TRACE_KIND_MAX];                 /* exits that went to the host's kernel */
    uint64_t stay[TRACE_ACTOR_MAX];                  /* control was there */
    struct stats_places addresses, rips;
    /* Sums over all kinds. `waiting` is HLT's exit to entry: not work of the VMM. `host`: only of
     * recordings whose guests are processes of the host. */
    uint64_t guest_ns, vmm_ns, waiting_ns, host_ns, total_ns;
    struct spans spans;
};

/* trace must outlive stats. */
void stats_init(struct stats *stats, const struct trace *trace);
/* 0 or -ENOMEM. */
int stats_event(struct stats *stats, const struct trace_event *event);
/* After the last event. */
int stats_finish(struct stats *stats);
void stats_free(struct stats *stats);

/* The smallest value that at least `percent` of them do not exceed; 0 of an empty series. Reorders
 * the values. */
uint64_t stats_percentile(struct stats_series *series, unsigned percent);
/* The kinds that occurred, of class EXIT or of all others, the most frequent first. Returns how many. */
unsigned stats_order(const struct stats *stats, bool exits, unsigned order[TRACE_KIND_MAX]);
/* Who handled exits of a kind: "the strategy: uart, pic, sink, 2 more". Returns text. */
char *stats_handlers(const struct stats *stats, unsigned kind, char *text, size_t size);
/* The name of its address, or NULL; name may be NULL. System calls have theirs from syscall.h. */
const char *stats_place_name(const struct stats_place *place, describe_name_fn *name);
/* Moves the n places with the highest counts to the front of a new array (from malloc; the
 * caller frees it), equal ones by kind and address. Returns how many, at most n. */
uint64_t stats_top(const struct stats_places *places, uint64_t n, struct stats_place **top);

#endif
