/*
 * graph.c - see graph.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/graph.h"

int
graph_init(struct graph *graph, const struct trace *trace, const struct view_options *options)
{
    memset(graph, 0, sizeof(*graph));
    graph->trace = trace;
    spans_init(&graph->spans, trace);
    places_init(&graph->places, trace, options);
    memset(graph->hidden, options && options->only, sizeof(graph->hidden));
    graph->slots = 1024;
    graph->index = calloc(graph->slots, sizeof(*graph->index));
    return graph->index ? 0 : -ENOMEM;
}

void
graph_free(struct graph *graph)
{
    places_free(&graph->places);
    free(graph->index);
    free(graph->edge);
    memset(graph, 0, sizeof(*graph));
}

static bool
is_edge(const struct graph_edge *a, const struct graph_edge *key)
{
    return a->from == key->from && a->to == key->to && a->kind == key->kind &&
           a->place == key->place;
}

/* The slot of an edge, or the free one where it belongs. */
static uint32_t *
index_slot(struct graph *g, const struct graph_edge *key)
{
    uint64_t hash = (uint64_t)key->from << 32 | (uint64_t)key->to << 16 | key->kind;

    hash = (hash ^ key->place * 0xff51afd7ed558ccdu) * 0x9e3779b97f4a7c15u;
    for (uint32_t at = (uint32_t)(hash >> 32);; at++) {
        uint32_t *slot = &g->index[at & (g->slots - 1)];
        if (!*slot || is_edge(&g->edge[*slot - 1], key))
            return slot;
    }
}

static bool
index_grow(struct graph *g)
{
    uint32_t *index = calloc(2 * (size_t)g->slots, sizeof(*index));

    if (!index)
        return false;
    free(g->index);
    g->index = index;
    g->slots *= 2;
    for (uint32_t i = 0; i < g->edges; i++)
        *index_slot(g, &g->edge[i]) = i + 1;
    return true;
}

/* The edge for a key, added if it is new; NULL: no memory. */
static struct graph_edge *
edge_get(struct graph *g, const struct graph_edge *key)
{
    uint32_t *slot = index_slot(g, key);

    if (*slot)
        return &g->edge[*slot - 1];
    if (2 * g->edges >= g->slots) {
        if (!index_grow(g))
            return NULL;
        slot = index_slot(g, key);
    }
    if (g->edges == g->room) {
        uint32_t room = g->room ? 2 * g->room : 64;
        struct graph_edge *edge = realloc(g->edge, room * sizeof(*edge));
        if (!edge)
            return NULL;
        g->edge = edge;
        g->room = room;
    }
    g->edge[g->edges] = *key;
    *slot = ++g->edges;
    return &g->edge[*slot - 1];
}

/* A return is drawn with its call, unless nobody called. */
static struct graph_edge *
edge_of_event(struct graph *g, const struct trace_event *e)
{
    struct graph_edge key = {.from = e->from, .to = e->to, .kind = e->kind};
    struct graph_edge call = {.from = e->to, .to = e->from, .kind = TRACE_CALL};

    if (e->kind == TRACE_RETURN) {
        uint32_t *slot = index_slot(g, &call);
        return *slot ? &g->edge[*slot - 1] : edge_get(g, &key);
    }
    key.place = places_of(&g->places, e);
    if (key.place && g->edges >= GRAPH_ROOM && !*index_slot(g, &key))
        key.place = PLACE_OTHERS;
    return edge_get(g, &key);
}

static bool
is_drawn(const struct graph *g, const struct trace_event *e)
{
    /* Notes are no transfers, but a line from device to device explains the interrupt. */
    return g->trace->kind[e->kind].class != TRACE_CLASS_NOTE ||
           (e->kind == TRACE_IRQ && e->from != e->to);
}

static void
add_span(struct graph *g, const struct span *span, bool hidden)
{
    const struct trace_event *e = span->began;
    enum trace_class class = g->trace->kind[e->kind].class;

    if (hidden) {
        g->total_ns += span->kind == SPAN_STAY ? span->ns : 0;
        return;
    }
    if (span->kind == SPAN_STAY) {
        *(e->kind == TRACE_HLT ? &g->node[e->to].waiting : &g->node[e->to].stay) += span->ns;
        g->total_ns += span->ns;
        if (class != TRACE_CLASS_GUEST)
            return; /* exits, entries and calls have spans of their own */
    } else if (span->kind == SPAN_GUEST) {
        g->guest_ns += span->ns;
    } else if (span->kind == SPAN_HANDLER) {
        *(e->kind == TRACE_HLT ? &g->waiting_ns : &g->vmm_ns) += span->ns - span->host;
        g->host_ns += span->host;
    }
    struct graph_edge *edge = edge_of_event(g, e); /* it was added with its event */
    if (edge) {
        edge->ns += span->ns;
        edge->timed++;
    }
}

int
graph_event(struct graph *g, const struct trace_event *e, uint64_t exit, bool hidden)
{
    bool is_exit = g->trace->kind[e->kind].class == TRACE_CLASS_EXIT;
    struct span span[SPAN_MAX];
    unsigned n = spans_event(&g->spans, e, span);

    /* What ends here belongs to the exit before. */
    for (unsigned i = 0; i < n; i++)
        add_span(g, &span[i], g->hidden[e->vcpu]);
    if (is_exit)
        g->hidden[e->vcpu] = hidden;
    g->events++;
    g->exits += is_exit && !hidden;
    if (hidden || !is_drawn(g, e))
        return 0;
    struct graph_edge *edge = edge_of_event(g, e);
    if (!edge)
        return -ENOMEM;
    if (e->kind == TRACE_RETURN && edge->kind == TRACE_CALL)
        edge->returns++;
    else if (edge->count++ == 0)
        edge->first_exit = exit;
    g->node[e->from].events++;
    g->node[e->to].events++;
    return 0;
}

/* --- to a size that can be drawn -------------------------------------------------------------- */

static int
by_key(const void *a, const void *b)
{
    const struct graph_edge *x = a, *y = b;

    if (x->from != y->from)
        return x->from - y->from;
    if (x->to != y->to)
        return x->to - y->to;
    /* "N more" after the edges that have a name. */
    if (!x->merged != !y->merged)
        return x->merged ? 1 : -1;
    if (x->kind != y->kind)
        return x->kind - y->kind;
    return x->place != y->place ? (x->place < y->place ? -1 : 1) : 0;
}

static int
by_count(const void *a, const void *b)
{
    const struct graph_edge *x = a, *y = b;

    return x->count != y->count ? (x->count < y->count ? 1 : -1) : by_key(a, b);
}

static int
by_time_then_count(const void *a, const void *b)
{
    const struct graph_edge *x = a, *y = b;

    return x->ns != y->ns ? (x->ns < y->ns ? 1 : -1) : by_count(a, b);
}

static void
edge_merge(struct graph_edge *into, const struct graph_edge *edge)
{
    into->count += edge->count;
    into->returns += edge->returns;
    into->timed += edge->timed;
    into->ns += edge->ns;
    into->merged += edge->merged ? edge->merged : 1;
    if (edge->first_exit < into->first_exit)
        into->first_exit = edge->first_exit;
}

/* Sorts by key and folds equal keys, which merged nodes leave behind, into one edge. */
static void
edges_fold(struct graph *g)
{
    uint32_t n = 0;

    if (g->edges == 0)
        return;
    qsort(g->edge, g->edges, sizeof(*g->edge), by_key);
    for (uint32_t i = 1; i < g->edges; i++) {
        if (by_key(&g->edge[n], &g->edge[i]) == 0) {
            uint32_t merged = g->edge[n].merged + g->edge[i].merged;
            edge_merge(&g->edge[n], &g->edge[i]);
            g->edge[n].merged = merged; /* the same kind, still */
        } else {
            g->edge[++n] = g->edge[i];
        }
    }
    g->edges = n + 1;
}

/* Merges the quietest actors into one node. The fixed ones stay: a picture without them would not
 * be understood. */
static void
reduce_nodes(struct graph *g)
{
    unsigned drawn = 0;

    for (unsigned i = 0; i < TRACE_ACTOR_MAX; i++)
        drawn += g->node[i].drawn = g->node[i].events > 0;
    while (drawn + (g->others ? 1 : 0) > GRAPH_NODES) {
        unsigned least = TRACE_ACTOR_MAX;
        for (unsigned i = TRACE_ACTOR_FIRST_FREE; i < TRACE_ACTOR_MAX; i++)
            if (g->node[i].drawn &&
                (least == TRACE_ACTOR_MAX || g->node[i].events < g->node[least].events))
                least = i;
        g->node[least].drawn = false;
        g->node[GRAPH_OTHERS].drawn = true;
        g->node[GRAPH_OTHERS].events += g->node[least].events;
        g->node[GRAPH_OTHERS].stay += g->node[least].stay;
        g->node[GRAPH_OTHERS].waiting += g->node[least].waiting;
        g->others++;
        drawn--;
    }
    for (uint32_t i = 0; i < g->edges; i++) {
        struct graph_edge *e = &g->edge[i];
        e->from = g->node[e->from].drawn ? e->from : GRAPH_OTHERS;
        e->to = g->node[e->to].drawn ? e->to : GRAPH_OTHERS;
    }
    edges_fold(g);
}

/* System calls are many kinds of edge between the same two. */
static bool
has_calls(const struct graph *g)
{
    for (uint32_t i = 0; i < g->edges; i++)
        if (g->edge[i].kind == TRACE_HOST_CALL)
            return true;
    return false;
}

/* The heaviest edges keep their kind. Of the others, those between the same two actors are merged;
 * what is too many even so is left out and counted. */
static void
reduce_edges(struct graph *g, int (*heavier)(const void *, const void *))
{
    uint32_t keep = g->places.by != VIEW_BY_REASON ? GRAPH_KEEP2
                    : has_calls(g)                 ? GRAPH_KEEP3
                                                   : GRAPH_KEEP;
    uint32_t n = keep;

    if (g->edges <= (keep == GRAPH_KEEP3 ? keep : keep + (GRAPH_EDGES - GRAPH_KEEP)))
        return;
    qsort(g->edge, g->edges, sizeof(*g->edge), heavier);
    qsort(g->edge + n, g->edges - n, sizeof(*g->edge), by_key);
    for (uint32_t i = n; i < g->edges; i++) {
        struct graph_edge *last = &g->edge[n - 1], *e = &g->edge[i];
        if (n > keep && last->from == e->from && last->to == e->to) {
            edge_merge(last, e);
        } else {
            g->edge[n] = *e;
            g->edge[n++].merged = 1;
        }
    }
    for (uint32_t i = keep; i < n; i++)
        g->edge[i].merged = g->edge[i].merged > 1 ? g->edge[i].merged : 0; /* still one kind */
    qsort(g->edge + keep, n - keep, sizeof(*g->edge), heavier);
    for (uint32_t i = GRAPH_EDGES; i < n; i++) {
        g->left_out += g->edge[i].merged ? g->edge[i].merged : 1;
        g->left_events += g->edge[i].count + g->edge[i].returns;
    }
    g->edges = n < GRAPH_EDGES ? n : GRAPH_EDGES;
    qsort(g->edge, g->edges, sizeof(*g->edge), by_key);
}

void
graph_end(struct graph *g)
{
    struct span span[SPAN_MAX];

    for (unsigned vcpu = 0; vcpu < 256; vcpu++)
        for (unsigned n = spans_end(&g->spans, vcpu, span), i = 0; i < n; i++)
            add_span(g, &span[i], g->hidden[vcpu]);
}

void
graph_reduce(struct graph *g, bool by_time)
{
    graph_end(g);
    reduce_nodes(g);
    reduce_edges(g, by_time ? by_time_then_count : by_count);
}
