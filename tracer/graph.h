/*
 * graph.h - a recording folded into a graph: who hands control to whom, how often, at what cost.
 *
 * Nodes are actors, an edge is all events of one kind between the same two. A RETURN is folded
 * into the CALL that it answers. view_state.c draws it; graph_reduce() keeps it small enough for
 * dot, whose time grows steeply (60 labelled edges 0.05 s, 500 edges 52 s), and for the reader.
 */
#ifndef TRACER_GRAPH_H
#define TRACER_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "tracer/span.h"

#define GRAPH_NODES 20 /* drawn at most */
#define GRAPH_EDGES 60
#define GRAPH_KEEP  40 /* of these with a kind of their own; the rest say "N more" */

/* Stands for the actors that graph_reduce() merged. */
#define GRAPH_OTHERS TRACE_ACTOR_MAX

struct graph_node {
    bool drawn;
    uint64_t events;  /* that begin or end here */
    uint64_t stay;    /* ns that control was here ... */
    uint64_t waiting; /* ... and did nothing, because the guest was in HLT */
};

struct graph_edge {
    uint8_t from, to; /* actors, or GRAPH_OTHERS */
    uint16_t kind;
    uint32_t merged;     /* kinds that are folded into this edge; 0: it is one kind */
    uint64_t count;      /* events */
    uint64_t returns;    /* CALL: how many came back */
    uint64_t timed, ns;  /* how many had a duration (span.h), and the sum */
    uint64_t first_exit; /* the exit that its first event is or belongs to */
};

struct graph {
    const struct trace *trace;
    uint64_t events, exits;
    uint64_t total_ns, guest_ns, vmm_ns, waiting_ns; /* as in stats.h */
    struct graph_node node[TRACE_ACTOR_MAX + 1];
    struct graph_edge *edge; /* sorted by from, to, kind after graph_reduce() */
    uint32_t edges, room;
    uint32_t others;      /* actors merged into GRAPH_OTHERS */
    uint32_t left_out;    /* edges that are not drawn at all ... */
    uint64_t left_events; /* ... and how many events they have */
    uint32_t *index;      /* private: edge + 1 by from, to, kind */
    struct spans spans;
};

/* 0 or -ENOMEM; trace must outlive graph. */
int graph_init(struct graph *graph, const struct trace *trace);
int graph_event(struct graph *graph, const struct trace_event *event, uint64_t exit);
/* After the last event: merges the rarest until the limits hold. by_time: time decides what is
 * kept, then the count; else the count alone, which is the same in every run. */
void graph_reduce(struct graph *graph, bool by_time);
void graph_free(struct graph *graph);

#endif
