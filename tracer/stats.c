/*
 * stats.c - see stats.h. span.c says what a duration is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/stats.h"

#define HANDLERS_NAMED 3

void
stats_init(struct stats *stats, const struct trace *trace)
{
    memset(stats, 0, sizeof(*stats));
    stats->trace = trace;
    spans_init(&stats->spans, trace);
}

void
stats_free(struct stats *stats)
{
    for (unsigned i = 0; i < TRACE_KIND_MAX; i++) {
        free(stats->handler[i].values);
        free(stats->work[i].values);
        free(stats->reentry[i].values);
        free(stats->host[i].values);
        free(stats->guest[i].values);
    }
    free(stats->addresses.slot);
    free(stats->rips.slot);
    memset(stats, 0, sizeof(*stats));
}

static int
series_add(struct stats_series *s, uint64_t ns)
{
    if (s->count == s->room) {
        uint64_t room = s->room ? 2 * s->room : 64;
        uint64_t *values = realloc(s->values, (size_t)room * sizeof(*values));
        if (!values)
            return -ENOMEM;
        s->values = values;
        s->room = room;
    }
    s->min = s->count == 0 || ns < s->min ? ns : s->min;
    s->max = ns > s->max ? ns : s->max;
    s->sum += ns;
    s->values[s->count++] = ns;
    return 0;
}

static int
value_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Quickselect with three parts: many equal durations must not make it slow. A file made to defeat
 * the choice of the pivot costs a sort. */
static uint64_t
select_rank(uint64_t *v, uint64_t n, uint64_t rank)
{
    for (unsigned round = 0; n > 1; round++) {
        if (round == 64) {
            qsort(v, (size_t)n, sizeof(*v), value_compare);
            return v[rank];
        }
        uint64_t a = v[0], b = v[n / 2], c = v[n - 1];
        uint64_t pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
        uint64_t low = 0, i = 0, high = n;
        while (i < high) {
            uint64_t x = v[i];
            if (x < pivot)
                v[i++] = v[low], v[low++] = x;
            else if (x > pivot)
                v[i] = v[--high], v[high] = x;
            else
                i++;
        }
        if (rank >= low && rank < high)
            return pivot;
        if (rank < low) {
            n = low;
        } else {
            v += high;
            n -= high;
            rank -= high;
        }
    }
    return v[0];
}

uint64_t
stats_percentile(struct stats_series *s, unsigned percent)
{
    if (s->count == 0)
        return 0;
    /* Nearest rank, ceil(p * n), without overflow for any count that fits in memory. */
    uint64_t rank = s->count / 100 * percent + (s->count % 100 * percent + 99) / 100;
    return select_rank(s->values, s->count, rank ? rank - 1 : 0);
}

/* The slot of a place, or the free one where it belongs; the table is never full. */
static struct stats_place *
place_slot(struct stats_place *slot, uint64_t slots, uint16_t kind, uint64_t address)
{
    uint64_t hash = (address ^ (uint64_t)kind << 56) * 0x9e3779b97f4a7c15u;
    uint64_t i = (hash ^ hash >> 32) & (slots - 1);

    while (slot[i].kind != TRACE_NONE && (slot[i].kind != kind || slot[i].address != address))
        i = (i + 1) & (slots - 1);
    return &slot[i];
}

static int
places_grow(struct stats_places *p)
{
    uint64_t slots = p->slots ? 2 * p->slots : 64;
    struct stats_place *slot = calloc((size_t)slots, sizeof(*slot));

    if (!slot)
        return -ENOMEM;
    for (uint64_t i = 0; i < p->slots; i++)
        if (p->slot[i].kind != TRACE_NONE)
            *place_slot(slot, slots, p->slot[i].kind, p->slot[i].address) = p->slot[i];
    free(p->slot);
    p->slot = slot;
    p->slots = slots;
    return 0;
}

/* Finds or adds a place; NULL: no memory. kind is of class EXIT, so never TRACE_NONE. */
static struct stats_place *
place_get(struct stats_places *p, uint16_t kind, uint64_t address)
{
    if (p->used * 2 >= p->slots && places_grow(p))
        return NULL;
    struct stats_place *place = place_slot(p->slot, p->slots, kind, address);
    if (place->kind == TRACE_NONE) {
        *place = (struct stats_place){
            .address = address, .kind = kind, .asked = TRACE_ACTOR_DISPATCHER};
        p->used++;
    }
    return place;
}

/* The place of an exit that was counted: it is there. */
static struct stats_place *
place_find(const struct stats_places *p, const struct trace_event *exit, uint64_t address)
{
    return place_slot(p->slot, p->slots, exit->kind, address);
}

static bool
has_place(const struct stats *stats, const struct trace_event *exit)
{
    return describe_address_noun(stats->trace, exit->kind) != NULL;
}

static int
count_exit(struct stats *stats, const struct trace_event *e)
{
    struct stats_place *rip = place_get(&stats->rips, e->kind, e->rip);

    stats->exits++;
    stats->hosted[e->kind] += stats->trace->actor[e->to].domain == TRACE_HOST_KERNEL;
    if (!rip)
        return -ENOMEM;
    rip->count++;
    if (!has_place(stats, e))
        return 0;
    struct stats_place *place = place_get(&stats->addresses, e->kind, e->address);
    if (!place)
        return -ENOMEM;
    place->count++;
    place->writes += (e->flags & TRACE_WRITE) != 0;
    place->foreign |= (e->flags & TRACE_FOREIGN) != 0;
    return 0;
}

/* A call that belongs to an exit names who serves its address. */
static void
note_asked(struct stats *stats, const struct trace_event *call)
{
    const struct trace_event *exit = stats->spans.vcpu[call->vcpu].exit;

    if (exit)
        stats->asked[exit->kind][call->to]++;
    if (!exit || !has_place(stats, exit) || call->address != exit->address)
        return;
    place_find(&stats->addresses, exit, exit->address)->asked = call->to;
}

static int
add_span(struct stats *stats, const struct span *span)
{
    const struct trace_event *e = span->began;

    if (span->kind == SPAN_STAY) {
        stats->stay[e->to] += span->ns;
        stats->total_ns += span->ns;
    } else if (span->kind == SPAN_GUEST) {
        stats->guest_ns += span->ns;
        return series_add(&stats->guest[span->ended->kind], span->ns);
    } else if (span->kind == SPAN_HANDLER) {
        *(e->kind == TRACE_HLT ? &stats->waiting_ns : &stats->vmm_ns) += span->ns - span->host;
        stats->host_ns += span->host;
        place_find(&stats->rips, e, e->rip)->ns += span->ns;
        if (has_place(stats, e))
            place_find(&stats->addresses, e, e->address)->ns += span->ns;
        stats->handled[e->kind] += (span->ended->flags & TRACE_HANDLED) != 0;
        if (series_add(&stats->work[e->kind], span->ns - span->reentry - span->host) ||
            series_add(&stats->reentry[e->kind], span->reentry) ||
            series_add(&stats->host[e->kind], span->host))
            return -ENOMEM;
        return series_add(&stats->handler[e->kind], span->ns);
    }
    return 0;
}

int
stats_event(struct stats *stats, const struct trace_event *e)
{
    struct span span[SPAN_MAX];
    enum trace_class class = stats->trace->kind[e->kind].class;
    unsigned n = spans_event(&stats->spans, e, span);
    int rc = 0;

    if (stats->events++ == 0)
        stats->first = e->time;
    stats->last = e->time;
    stats->count[e->kind]++;
    for (unsigned i = 0; i < n && rc == 0; i++)
        rc = add_span(stats, &span[i]);
    if (class == TRACE_CLASS_EXIT && rc == 0)
        rc = count_exit(stats, e);
    else if (class == TRACE_CLASS_CALL && e->kind != TRACE_RETURN)
        note_asked(stats, e);
    return rc;
}

int
stats_finish(struct stats *stats)
{
    struct span span[SPAN_MAX];
    int rc = 0;

    for (unsigned vcpu = 0; vcpu < 256; vcpu++) {
        unsigned n = spans_end(&stats->spans, vcpu, span);
        for (unsigned i = 0; i < n && rc == 0; i++)
            rc = add_span(stats, &span[i]);
    }
    return rc;
}

unsigned
stats_order(const struct stats *s, bool exits, unsigned order[TRACE_KIND_MAX])
{
    unsigned n = 0;

    for (unsigned k = 0; k < s->trace->kinds; k++) {
        unsigned i = n;
        if (!s->count[k] || (s->trace->kind[k].class == TRACE_CLASS_EXIT) != exits)
            continue;
        for (; i > 0 && s->count[order[i - 1]] < s->count[k]; i--)
            order[i] = order[i - 1];
        order[i] = k;
        n++;
    }
    return n;
}

char *
stats_handlers(const struct stats *s, unsigned kind, char *text, size_t size)
{
    const uint64_t *asked = s->asked[kind];
    const char *who = s->hosted[kind]                              ? "the host's kernel"
                      : !s->handled[kind]                          ? "the exit table"
                      : s->handled[kind] == s->handler[kind].count ? "the strategy"
                                                                   : "strategy, exit table";
    bool named[TRACE_ACTOR_MAX] = {false};
    unsigned others = 0;
    size_t n = (size_t)snprintf(text, size, "%s", who);

    for (unsigned i = 0; i < s->trace->actors; i++)
        others += asked[i] > 0;
    for (unsigned shown = 0; others && n < size; shown++, others--) {
        unsigned most = 0;
        if (shown == HANDLERS_NAMED) {
            snprintf(text + n, size - n, ", %u more", others);
            break;
        }
        for (unsigned i = 0; i < s->trace->actors; i++)
            if (!named[i] && (named[most] || asked[i] > asked[most]))
                most = i;
        named[most] = true;
        n += (size_t)snprintf(text + n, size - n, "%s %s", shown ? "," : ":",
                              s->trace->actor[most].name);
    }
    return text;
}

const char *
stats_place_name(const struct stats_place *place, describe_name_fn *name)
{
    if (place->kind == TRACE_HOST_CALL || place->kind == TRACE_DENIED)
        return place->foreign ? NULL : syscall_name(place->address);
    return name ? name(place->kind, place->address) : NULL;
}

static int
place_compare(const void *a, const void *b)
{
    const struct stats_place *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->address < y->address ? -1 : x->address > y->address;
}

uint64_t
stats_top(const struct stats_places *places, uint64_t n, struct stats_place **top)
{
    uint64_t used = 0;

    *top = malloc((size_t)(places->used + 1) * sizeof(**top));
    if (!*top)
        return 0;
    for (uint64_t i = 0; i < places->slots; i++)
        if (places->slot[i].kind != TRACE_NONE)
            (*top)[used++] = places->slot[i];
    qsort(*top, (size_t)used, sizeof(**top), place_compare);
    return used < n ? used : n;
}
