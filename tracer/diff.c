/*
 * diff.c - see diff.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/diff.h"

/* --- one set of tables ------------------------------------------------------------------------ */

/* The row of an actor of one side, added if it is new. There is always room. */
static unsigned
actor_row(struct diff *d, const struct trace_actor_row *actor)
{
    unsigned i = 0;

    while (i < d->actors &&
           (d->actor[i].domain != actor->domain || strcmp(d->actor[i].name, actor->name)))
        i++;
    if (i == d->actors)
        d->actor[d->actors++] = (struct diff_actor){.name = actor->name, .domain = actor->domain};
    return i;
}

static unsigned
kind_row(struct diff *d, const struct trace_kind_row *kind)
{
    unsigned i = 0;

    while (i < d->kinds && strcmp(d->kind[i]->name, kind->name))
        i++;
    if (i == d->kinds)
        d->kind[d->kinds++] = kind;
    return i;
}

/* --- counting ----------------------------------------------------------------------------------- */

uint64_t
diff_count(const struct diff_side *side)
{
    return side->count ? side->count : side->returns;
}

double
diff_mean(const struct diff_side *side)
{
    return side->timed ? (double)side->ns / (double)side->timed : 0;
}

/* The edges of one side, behind those that are there. */
static int
take_side(struct diff *d, unsigned side, const struct graph *g)
{
    unsigned actor[TRACE_ACTOR_MAX], kind[TRACE_KIND_MAX];
    const struct trace *t = g->trace;
    struct diff_edge *edge = realloc(d->edge, (d->edges + g->edges + 1ul) * sizeof(*edge));

    if (!edge)
        return -ENOMEM;
    d->edge = edge;
    for (unsigned i = 0; i < t->actors; i++) {
        actor[i] = actor_row(d, &t->actor[i]);
        d->actor[actor[i]].there[side] |= g->node[i].events > 0;
        d->actor[actor[i]].events += g->node[i].events;
        d->actor[actor[i]].stay[side] += g->node[i].stay;
    }
    for (unsigned i = 0; i < t->kinds; i++)
        kind[i] = kind_row(d, &t->kind[i]);
    for (uint32_t i = 0; i < g->edges; i++) {
        const struct graph_edge *from = &g->edge[i];
        struct diff_edge *to = &d->edge[d->edges++];
        *to = (struct diff_edge){.from = (uint16_t)actor[from->from],
                                 .to = (uint16_t)actor[from->to],
                                 .kind = (uint16_t)kind[from->kind]};
        to->side[side] = (struct diff_side){from->count, from->returns, from->timed,
                                            d->times ? from->ns : 0};
    }
    d->exits[side] = g->exits;
    d->total_ns[side] = g->total_ns;
    d->guest_ns[side] = g->guest_ns;
    d->vmm_ns[side] = g->vmm_ns;
    d->waiting_ns[side] = g->waiting_ns;
    d->host_ns[side] = g->host_ns;
    return 0;
}

static int
count_side(struct diff *d, unsigned side, const struct view_options *o)
{
    const struct trace *t = d->trace[side];
    struct graph *g = malloc(sizeof(*g));
    uint64_t exit = 0;
    int rc = g ? graph_init(g, t, NULL) : -ENOMEM;

    for (uint64_t i = 0; rc == 0 && i < t->count; i++) {
        exit += t->kind[t->events[i].kind].class == TRACE_CLASS_EXIT;
        if (o->progress && (i & 0xffff) == 0)
            o->progress(o->progress_context, i, t->count);
        rc = graph_event(g, &t->events[i], exit, false);
    }
    if (rc == 0) {
        graph_end(g);
        rc = take_side(d, side, g);
    }
    if (g)
        graph_free(g);
    free(g);
    return rc;
}

/* --- order -------------------------------------------------------------------------------------- */

static int
by_key(const void *a, const void *b)
{
    const struct diff_edge *x = a, *y = b;

    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    return x->kind < y->kind ? -1 : x->kind > y->kind;
}

static void
side_add(struct diff_side *to, const struct diff_side *from)
{
    to->count += from->count;
    to->returns += from->returns;
    to->timed += from->timed;
    to->ns += from->ns;
}

/* What has the same ends and kind becomes one edge. */
static void
fold(struct diff *d)
{
    uint32_t n = 0;

    if (d->edges == 0)
        return;
    qsort(d->edge, d->edges, sizeof(*d->edge), by_key);
    for (uint32_t i = 1; i < d->edges; i++) {
        if (by_key(&d->edge[n], &d->edge[i])) {
            d->edge[++n] = d->edge[i];
            continue;
        }
        side_add(&d->edge[n].side[DIFF_A], &d->edge[i].side[DIFF_A]);
        side_add(&d->edge[n].side[DIFF_B], &d->edge[i].side[DIFF_B]);
    }
    d->edges = n + 1;
}

enum diff_change
diff_change_of(const struct diff *d, const struct diff_edge *e)
{
    const struct diff_side *a = &e->side[DIFF_A], *b = &e->side[DIFF_B];

    if (!diff_count(a))
        return DIFF_ADDED;
    if (!diff_count(b))
        return DIFF_REMOVED;
    if (diff_count(a) != diff_count(b))
        return DIFF_CHANGED;
    if (!d->times || a->timed < DIFF_ENOUGH || b->timed < DIFF_ENOUGH)
        return DIFF_SAME;
    return diff_mean(a) > DIFF_FACTOR * diff_mean(b) || diff_mean(b) > DIFF_FACTOR * diff_mean(a)
               ? DIFF_CHANGED
               : DIFF_SAME;
}

static uint64_t
apart(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* What has changed before what has not; then by how many events, then by how many there are. Times
 * decide nothing: they differ in every run. */
static int
by_interest(const void *a, const void *b)
{
    const struct diff_edge *x = a, *y = b;
    uint64_t xa = diff_count(&x->side[0]), xb = diff_count(&x->side[1]);
    uint64_t ya = diff_count(&y->side[0]), yb = diff_count(&y->side[1]);

    if (apart(xa, xb) != apart(ya, yb))
        return apart(xa, xb) > apart(ya, yb) ? -1 : 1;
    if (xa != ya)
        return xa > ya ? -1 : 1;
    return by_key(a, b);
}

/* --- to a size that can be drawn ---------------------------------------------------------------- */

static void
reduce_actors(struct diff *d)
{
    unsigned drawn = 0;

    for (unsigned i = 0; i < d->actors; i++)
        drawn += d->actor[i].drawn = d->actor[i].events > 0;
    while (drawn + (d->others ? 1 : 0) > DIFF_NODES) {
        struct diff_actor *least = NULL, *others = &d->actor[DIFF_OTHERS];
        for (unsigned i = TRACE_ACTOR_FIRST_FREE; i < d->actors; i++)
            if (d->actor[i].drawn && (!least || d->actor[i].events < least->events))
                least = &d->actor[i];
        least->drawn = false;
        others->drawn = true;
        others->events += least->events;
        for (unsigned side = 0; side < 2; side++) {
            others->there[side] |= least->there[side];
            others->stay[side] += least->stay[side];
        }
        d->others++;
        drawn--;
    }
    for (uint32_t i = 0; i < d->edges; i++) {
        struct diff_edge *e = &d->edge[i];
        e->from = d->actor[e->from].drawn ? e->from : DIFF_OTHERS;
        e->to = d->actor[e->to].drawn ? e->to : DIFF_OTHERS;
    }
    fold(d);
}

void
diff_reduce(struct diff *d)
{
    uint32_t n = DIFF_KEEP;

    reduce_actors(d);
    if (d->edges)
        qsort(d->edge, d->edges, sizeof(*d->edge), by_interest);
    if (d->edges <= DIFF_EDGES)
        return;
    qsort(d->edge + n, d->edges - n, sizeof(*d->edge), by_key);
    for (uint32_t i = n; i < d->edges; i++) {
        struct diff_edge *last = &d->edge[n - 1], *e = &d->edge[i];
        if (n > DIFF_KEEP && last->from == e->from && last->to == e->to) {
            side_add(&last->side[DIFF_A], &e->side[DIFF_A]);
            side_add(&last->side[DIFF_B], &e->side[DIFF_B]);
            last->merged += last->merged ? 1 : 2;
        } else {
            d->edge[n++] = *e;
        }
    }
    qsort(d->edge + DIFF_KEEP, n - DIFF_KEEP, sizeof(*d->edge), by_interest);
    for (uint32_t i = DIFF_EDGES; i < n; i++)
        d->left_out += d->edge[i].merged ? d->edge[i].merged : 1;
    d->edges = n < DIFF_EDGES ? n : DIFF_EDGES;
}

/* --- begin and end ------------------------------------------------------------------------------ */

int
diff_make(struct diff *d, const struct trace *const trace[2], const char *const name[2],
          const struct view_options *options)
{
    int rc = 0;

    memset(d, 0, sizeof(*d));
    d->times = !options->no_times;
    for (unsigned side = 0; side < 2; side++) {
        d->trace[side] = trace[side];
        d->name[side] = name[side];
    }
    for (unsigned side = 0; rc == 0 && side < 2; side++)
        rc = count_side(d, side, options);
    if (rc) {
        diff_free(d);
        return rc;
    }
    fold(d);
    if (d->edges)
        qsort(d->edge, d->edges, sizeof(*d->edge), by_interest);
    return 0;
}

void
diff_free(struct diff *d)
{
    free(d->edge);
    d->edge = NULL;
    d->edges = 0;
}

/* --- words -------------------------------------------------------------------------------------- */

char *
diff_text(double a, double b, char *text, size_t size)
{
    double factor = a > 0 ? b / a : 0;

    if (a <= 0 || b <= 0)
        snprintf(text, size, "%s", a > 0 ? "gone" : b > 0 ? "new" : "");
    else if (factor >= 10)
        snprintf(text, size, "x %.0f", factor);
    else if (factor > 0.9995 && factor < 1.0005)
        snprintf(text, size, a == b ? "same" : "%+.1f %%", 100 * (factor - 1));
    else
        snprintf(text, size, factor > 0.95 && factor < 1.05 ? "%+.1f %%" : "%+.0f %%",
                 100 * (factor - 1));
    return text;
}

static double
percent(const struct diff *d, unsigned side, const uint64_t ns[2])
{
    return d->total_ns[side] ? 100.0 * (double)ns[side] / (double)d->total_ns[side] : 0;
}

char *
diff_about(const struct diff *d, unsigned side, char *text, size_t size)
{
    const struct trace *t = d->trace[side];
    const char *slash = strrchr(t->guest, '/');
    char exits[32], time[32];
    int n = snprintf(text, size, "%s on engine %s, strategy %s: %s exits",
                     !t->guest[0]        ? "unknown"
                     : slash && slash[1] ? slash + 1
                                         : t->guest,
                     t->engine[0] ? t->engine : "unknown", t->strategy[0] ? t->strategy : "unknown",
                     describe_count(d->exits[side], exits, sizeof(exits)));

    if (d->times && n > 0 && (size_t)n < size)
        n += snprintf(text + n, size - (size_t)n, " in %s; guest %.1f %%",
                      describe_time((double)d->total_ns[side], time, sizeof(time)),
                      percent(d, side, d->guest_ns));
    if (d->times && d->host_ns[side] && n > 0 && (size_t)n < size)
        n += snprintf(text + n, size - (size_t)n, ", host kernel %.1f %%",
                      percent(d, side, d->host_ns));
    if (d->times && n > 0 && (size_t)n < size)
        snprintf(text + n, size - (size_t)n, ", VMM %.1f %%, waiting in hlt %.1f %%",
                 percent(d, side, d->vmm_ns), percent(d, side, d->waiting_ns));
    return text;
}

const char *
diff_inside_text(const struct diff *d)
{
    bool inside[2] = {false, false};

    for (uint32_t i = 0; i < d->edges; i++)
        for (unsigned side = 0; side < 2; side++)
            inside[side] |= d->kind[d->edge[i].kind]->class == TRACE_CLASS_GUEST &&
                            diff_count(&d->edge[i].side[side]);
    return inside[DIFF_A] == inside[DIFF_B] ? NULL
           : inside[DIFF_A] ? "Only A has transfers inside the guest: those of B are exits, or "
                              "were not recorded (--trace-guest)."
                            : "Only B has transfers inside the guest: those of A are exits, or "
                              "were not recorded (--trace-guest).";
}
