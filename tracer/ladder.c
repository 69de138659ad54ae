/*
 * ladder.c - see ladder.h: steps, the cycles among them, lanes, and the words of a row.
 *
 * Called by view_ladder.c. Next: view_ladder.c, svg_ladder.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/ladder.h"
#include "tracer/picture.h"

void
ladder_init(struct ladder *l, const struct trace *trace)
{
    memset(l, 0, sizeof(*l));
    l->trace = trace;
    l->others = LADDER_LANES;
}

void
ladder_free(struct ladder *l)
{
    free(l->step);
    free(l->row);
    memset(l, 0, sizeof(*l));
}

/* --- steps -------------------------------------------------------------------------------------- */

/* The part of an address that tells transfers apart: console output is one cycle whatever is
 * written, but reads of two ports are two things. Of a device's memory the page counts; what the
 * VMM's own parts are asked is an address of the guest, and each time another. */
static uint64_t
address_key(const struct trace *t, const struct trace_event *e)
{
    bool device = t->actor[e->kind == TRACE_CALL ? e->to : e->from].domain == TRACE_DEVICE;

    switch (e->kind) {
    case TRACE_INVLPG: return 0;
    case TRACE_MMIO: return e->address >> 12;
    case TRACE_CALL:
    case TRACE_RETURN: return !device ? 0 : e->address > UINT16_MAX ? e->address >> 12 : e->address;
    default: return e->address;
    }
}

static uint64_t
mix(uint64_t key, uint64_t value)
{
    key = (key ^ value) * 0x9e3779b97f4a7c15u;
    return key ^ key >> 29;
}

static uint64_t
step_key(const struct trace *t, const struct trace_event *e)
{
    uint64_t key = mix(0, (uint64_t)e->kind << 32 | (uint64_t)e->from << 24 |
                              (uint64_t)e->to << 16 | (uint64_t)e->vcpu << 8 | e->size);

    return mix(mix(key, e->flags & TRACE_WRITE), address_key(t, e));
}

int
ladder_event(struct ladder *l, const struct trace_event *e, uint64_t exit)
{
    bool note = l->trace->kind[e->kind].class == TRACE_CLASS_NOTE;

    if (note && e->kind != TRACE_IRQ && e->kind != TRACE_END && e->kind != TRACE_MARK &&
        e->kind != TRACE_INPUT)
        return 0;
    if (l->steps == l->room) {
        uint64_t room = l->room ? 2 * l->room : 256;
        struct ladder_step *step = realloc(l->step, (size_t)room * sizeof(*step));
        if (!step)
            return -ENOMEM;
        l->step = step;
        l->room = room;
    }
    l->step[l->steps++] = (struct ladder_step){e, exit, step_key(l->trace, e)};
    l->used[e->from]++;
    l->used[e->to]++;
    return 0;
}

/* --- cycles ------------------------------------------------------------------------------------- */

/* For each period p, where the run of steps that equal the one p later ends. As the search only
 * moves forward, each step is compared once for each period: O(N * LADDER_PERIOD). */
struct search {
    uint64_t end[LADDER_PERIOD + 1];
};

static uint64_t
run_end(const struct ladder *l, struct search *s, uint64_t at, unsigned period)
{
    uint64_t *end = &s->end[period];

    if (*end < at)
        *end = at;
    while (*end + period < l->steps && l->step[*end].key == l->step[*end + period].key)
        ++*end;
    return *end;
}

/* A cycle should begin with an exit, as a reader thinks of it, unless there is none in it. */
static bool
begins_well(const struct ladder *l, uint64_t at, unsigned period)
{
    for (unsigned i = 0; i < period; i++)
        if (l->trace->kind[l->step[at + i].event->kind].class == TRACE_CLASS_EXIT)
            return i == 0;
    return true;
}

/* The cycle that begins at a step and covers most; of equal ones the shortest. It must save two
 * rows. Returns its length, 0: there is none. */
static unsigned
find_cycle(const struct ladder *l, struct search *s, uint64_t at, uint64_t *turns)
{
    uint64_t covered = 0;
    unsigned best = 0;

    for (unsigned p = 1; p <= LADDER_PERIOD && at + 2 * (uint64_t)p <= l->steps; p++) {
        uint64_t n = (run_end(l, s, at, p) - at) / p + 1;
        if (n < 2 || (n - 1) * p < 2 || n * p <= covered || !begins_well(l, at, p))
            continue;
        covered = n * p;
        best = p;
        *turns = n;
    }
    return best;
}

static int
find_rows(struct ladder *l)
{
    struct search search = {{0}};

    l->row = malloc((size_t)(l->steps ? l->steps : 1) * sizeof(*l->row));
    if (!l->row)
        return -ENOMEM;
    for (uint64_t at = 0; at < l->steps;) {
        uint64_t turns = 1;
        unsigned cycle = find_cycle(l, &search, at, &turns);
        if (cycle == 0)
            cycle = 1;
        for (unsigned i = 0; i < cycle; i++)
            l->row[l->rows++] = (struct ladder_row){at + i, turns, cycle, i};
        at += cycle * turns;
    }
    return 0;
}

/* --- lanes -------------------------------------------------------------------------------------- */

/* Guest, VMM, devices, host; within each as in the recording's table. */
static unsigned
lane_rank(const struct ladder *l, unsigned actor)
{
    return picture_domain_box[l->trace->actor[actor].domain] * TRACE_ACTOR_MAX + actor;
}

/* The least used actors, but never a fixed one, share a lane when there are too many. */
static void
merge_lanes(struct ladder *l, bool *shown, unsigned count)
{
    while (count + (l->merged ? 1u : 0u) > LADDER_LANES) {
        unsigned least = TRACE_ACTOR_MAX;
        for (unsigned i = TRACE_ACTOR_FIRST_FREE; i < l->trace->actors; i++)
            if (shown[i] && (least == TRACE_ACTOR_MAX || l->used[i] < l->used[least]))
                least = i;
        shown[least] = false;
        l->merged++;
        count--;
    }
}

static void
find_lanes(struct ladder *l)
{
    bool shown[TRACE_ACTOR_MAX] = {false};
    unsigned count = 0;

    for (unsigned i = 0; i < l->trace->actors; i++)
        count += shown[i] = l->used[i] != 0;
    merge_lanes(l, shown, count);
    for (unsigned i = 0; i < l->trace->actors; i++) {
        unsigned n = l->lanes;
        if (!shown[i])
            continue;
        for (; n > 0 && lane_rank(l, l->actor[n - 1]) > lane_rank(l, i); n--)
            l->actor[n] = l->actor[n - 1];
        l->actor[n] = (uint8_t)i;
        l->lanes++;
    }
    if (l->merged) {
        l->others = (uint8_t)l->lanes;
        l->actor[l->lanes++] = TRACE_ACTOR_DISPATCHER; /* not used */
    }
    memset(l->lane, l->others, sizeof(l->lane));
    for (unsigned i = 0; i < l->lanes; i++)
        if (i != l->others)
            l->lane[l->actor[i]] = (uint8_t)i;
}

int
ladder_finish(struct ladder *l)
{
    int rc = find_rows(l);

    find_lanes(l);
    return rc;
}

/* --- words -------------------------------------------------------------------------------------- */

char *
ladder_lane_name(const struct ladder *l, unsigned lane, char *text, size_t size)
{
    if (lane == l->others)
        snprintf(text, size, "%u more", l->merged);
    else
        snprintf(text, size, "%s", l->trace->actor[l->actor[lane]].name);
    return text;
}

char *
ladder_label(const struct ladder *l, const struct ladder_row *row, const struct view_options *o,
             char *text, size_t size)
{
    const struct ladder_step *step = &l->step[row->step];
    bool exit = l->trace->kind[step->event->kind].class == TRACE_CLASS_EXIT;

    text[0] = 0;
    if (o->time_axis && !o->no_times)
        snprintf(text, size, "%" PRIu64 ".%03u us", step->event->time / 1000,
                 (unsigned)(step->event->time % 1000));
    else if (exit)
        describe_count(step->exit, text, size);
    return text;
}

/* The bytes that a repeated row moved, if all are letters: what the console printed. */
static bool
row_letters(const struct ladder *l, const struct ladder_row *row, char text[LADDER_LETTERS + 8])
{
    const struct trace_event *first = l->step[row->step].event;
    unsigned n = 0;

    if (row->turns < 2 || !(first->flags & TRACE_WRITE) || first->size != 1)
        return false;
    for (uint64_t turn = 0; turn < row->turns && n < LADDER_LETTERS; turn++) {
        uint64_t value = l->step[row->step + turn * row->cycle].event->value;
        if (value != '\n' && value != '\r' && (value < 0x20 || value >= 0x7f))
            return false;
        text[n++] = value < 0x20 ? ' ' : (char)value;
    }
    snprintf(text + n, 4, "%s", row->turns > n ? "..." : "");
    return true;
}

char *
ladder_text(const struct ladder *l, const struct ladder_row *row, const struct view_options *o,
            char *text, size_t size)
{
    const struct trace_event *e = ladder_event_of(l, row);
    char letters[LADDER_LETTERS + 8], symbol[160] = "", *end;
    bool exit = l->trace->kind[e->kind].class == TRACE_CLASS_EXIT;

    describe_transfer(l->trace, e, o->name, text, size);
    end = strstr(text, " <- ");
    if (end && row_letters(l, row, letters))
        snprintf(end, size - (size_t)(end - text), " <- \"%s\"", letters);
    if (exit && o->resolve && e->rip)
        o->resolve(o->context, e->rip, symbol, sizeof(symbol));
    size_t n = strlen(text);
    if (describe_clean(symbol)[0] && n + 1 < size)
        snprintf(text + n, size - n, "%sin %s", n ? ", " : "", symbol);
    return text;
}

unsigned
ladder_gap(const struct ladder *l, uint64_t row, const struct view_options *o)
{
    if (!o->time_axis || o->no_times || row == 0)
        return 0;
    uint64_t at = l->row[row].step;
    const struct trace_event *e = l->step[at].event, *last = l->step[at - 1].event;
    uint64_t ns = e->time > last->time ? e->time - last->time : 0;
    return ns >= 10000000 ? 3 : ns >= 100000 ? 2 : ns >= 1000 ? 1 : 0;
}

unsigned
ladder_control(const struct ladder *l, uint64_t row, unsigned before)
{
    const struct trace_event *e = ladder_event_of(l, &l->row[row]);

    return l->trace->kind[e->kind].class == TRACE_CLASS_NOTE ? before : l->lane[e->to];
}

const char *
ladder_axis_text(const struct view_options *o)
{
    if (o->time_axis && !o->no_times)
        return "At the left: time since the recording began; where more than 1 us, 0.1 ms or 10 "
               "ms pass, the lines are longer.";
    return "At the left: the number of the exit, as in hv trace.";
}

char *
ladder_cycle_text(const struct ladder *l, const struct ladder_row *row, char *text, size_t size)
{
    const struct ladder_step *first = &l->step[row->step];
    const struct ladder_step *last = first + (row->turns * row->cycle - 1);
    char turns[32], from[32], to[32];

    describe_count(row->turns, turns, sizeof(turns));
    describe_count(first->exit, from, sizeof(from));
    describe_count(last->exit, to, sizeof(to));
    if (last->exit > first->exit)
        snprintf(text, size, "x%s: exits %s to %s", turns, from, to);
    else
        snprintf(text, size, "x%s", turns);
    return text;
}
