/*
 * graph.h - a recording folded into a graph: who hands control to whom, how often, at what cost.
 *
 * Nodes are actors, an edge is all events of one kind between the same two; exits may be told apart
 * by their place as well (place.h). A RETURN is folded
 * into the CALL that it answers. view_state.c draws it; graph_reduce() keeps it small enough for
 * dot, whose time grows steeply (60 labelled edges 0.05 s, 500 edges 52 s), and for the reader.
 */
#ifndef TRACER_GRAPH_H
#define TRACER_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "tracer/place.h"
#include "tracer/span.h"

#define GRAPH_NODES 20 /* drawn at most */
#define GRAPH_EDGES 60
#define GRAPH_KEEP  40    /* of these with a kind of their own; the rest say "N more" */
#define GRAPH_KEEP2 24    /* the same if exits are told apart by their place */
#define GRAPH_KEEP3 16    /* the same with system calls, which all are between the same two */
#define GRAPH_ROOM  65536 /* edges that are counted; beyond, exits have no place of their own */

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
    uint32_t merged;     /* edges that are folded into this one; 0: it is one kind and place */
    uint64_t place;      /* place.h; 0: it has none */
    uint64_t count;      /* events */
    uint64_t returns;    /* CALL: how many came back */
    uint64_t timed, ns;  /* how many had a duration (span.h), and the sum */
    uint64_t first_exit; /* the exit that its first event is or belongs to */
};

struct graph {
    const struct trace *trace;
    uint64_t events, exits;
    uint64_t total_ns, guest_ns, vmm_ns, waiting_ns, host_ns; /* as in stats.h */
    struct graph_node node[TRACE_ACTOR_MAX + 1];
    struct graph_edge *edge; /* sorted by from, to, kind after graph_reduce() */
    uint32_t edges, room;
    struct places places;
    bool hidden[256];     /* by vcpu: its last exit is not to be counted */
    uint32_t others;      /* actors merged into GRAPH_OTHERS */
    uint32_t left_out;    /* edges that are not drawn at all ... */
    uint64_t left_events; /* ... and how many events they have */
    uint32_t *index;      /* private: edge + 1 by from, to, kind, place: open addressing */
    uint32_t slots;
    struct spans spans;
};

/* 0 or -ENOMEM; trace must outlive graph. options: for by, resolve and context; or NULL. */
int graph_init(struct graph *graph, const struct trace *trace, const struct view_options *options);
/* hidden: only the time that passed is counted. */
int graph_event(struct graph *graph, const struct trace_event *event, uint64_t exit, bool hidden);
/* After the last event, in place of graph_reduce(): only what still waits for its end is counted. */
void graph_end(struct graph *graph);
/* After the last event: merges the rarest until the limits hold. by_time: time decides what is
 * kept, then the count; else the count alone, which is the same in every run. */
void graph_reduce(struct graph *graph, bool by_time);
void graph_free(struct graph *graph);

#endif
