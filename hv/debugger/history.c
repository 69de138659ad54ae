/*
 * history.c - the chain of snapshots: when one is taken, which are dropped, which is put back.
 *
 * The chain is sorted by time. The machine descends from one of them, `base`: pages marked as written
 * were written since. Going somewhere else in the chain, these pages are put back and those that
 * the snapshots in between have: no other page can differ.
 *
 * How close they lie: STEP instructions apart near the present, and further in the past in proportion
 * to the distance, so that their number grows with the logarithm of the run. One that the user
 * changed the machine at stays: nothing leads to it but itself.
 *
 * Called by live.c, back.c and look.c. Next: snapshot.c.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "debugger/history.h"
#include "debugger/live.h"
#include "debugger/snapshot.h"

#define STEP      1000000u /* instructions and waits: some 10 ms of the soft engine */
#define EXIT_COST 100u
#define NEAR      64u /* at distance d the gaps are about d / NEAR */
#define LIMIT     (UINT64_C(256) << 20)

struct history {
    struct machine *machine;
    struct snapshot **snapshot; /* sorted */
    unsigned count, room, base;
    uint64_t bytes, limit;
    uint64_t whole; /* bytes of the first one's pages, all there are: the limit is for the rest */
    const struct moment *change; /* the first change behind base; NULL: none */
    uint64_t step;               /* from one to the next that is taken */
    uint64_t next;               /* cost_of() at which the next one is due */
    uint64_t coarser;            /* memory was short: gaps are so many times wider */
    uint8_t *wanted;             /* scratch: a byte for each page */
};

/* How long it takes to run until there, in instructions: an exit costs as much as so many. */
static uint64_t
cost_of(const struct moment *moment)
{
    return moment_steps(moment) + moment->exits * EXIT_COST;
}

static uint64_t
distance(uint64_t a, uint64_t b)
{
    return a < b ? b - a : a - b;
}

/* --- dropping ----------------------------------------------------------------------------------------- */

/* Forgets snapshot i, which is not base. Its pages go to the next one. False: there is no memory for
 * that, and it stays. */
static bool
drop(struct history *h, unsigned i)
{
    assert(i != h->base);
    if (i + 1 < h->count && snapshot_merge(h->snapshot[i], h->snapshot[i + 1], &h->bytes))
        return false;
    snapshot_free(h->snapshot[i], &h->bytes);
    memmove(h->snapshot + i, h->snapshot + i + 1, (h->count - i - 1) * sizeof(*h->snapshot));
    h->count--;
    if (h->base > i)
        h->base--;
    if (!i)
        h->whole = snapshot_page_bytes(h->snapshot[0]);
    return true;
}

/* The gap that may be at snapshot i, seen from the present. */
static uint64_t
gap_at(const struct history *h, unsigned i)
{
    uint64_t far = distance(cost_of(&h->machine->now), cost_of(&h->snapshot[i]->now));

    return far > UINT64_MAX / h->coarser ? UINT64_MAX : far * h->coarser / NEAR;
}

/* Which change does the run come to next? When it does, it is put back, and base is it. */
static void
find_change(struct history *h)
{
    h->change = NULL;
    for (unsigned i = h->base + 1; i < h->count && !h->change; i++)
        if (h->snapshot[i]->changed)
            h->change = &h->snapshot[i]->now;
}

/* Drops those that lie closer together than they need to. Not base: it was just taken, and where the
 * machine stands no gap is too narrow. */
static void
thin(struct history *h)
{
    for (unsigned i = h->count; i-- > 1;) {
        if (h->snapshot[i]->changed || i + 1 >= h->count)
            continue;
        if (cost_of(&h->snapshot[i + 1]->now) - cost_of(&h->snapshot[i - 1]->now) < gap_at(h, i))
            drop(h, i);
    }
}

/* Too much memory: wider gaps, the far ones first; then a later beginning. */
static void
shrink(struct history *h)
{
    if (h->coarser > 1 && h->bytes - h->whole < h->limit / 2)
        h->coarser /= 2;
    while (h->bytes - h->whole > h->limit && h->coarser < UINT64_C(1) << 40) {
        h->coarser *= 2;
        thin(h);
    }
    while (h->bytes - h->whole > h->limit && h->base > 0 && drop(h, 0))
        ;
}

/* --- taking -------------------------------------------------------------------------------------------- */

/* The last snapshot that is not later than now. There is one: the first. */
static unsigned
place(const struct history *h, const struct moment *now)
{
    unsigned low = 0, high = h->count;

    while (high - low > 1) {
        unsigned middle = (low + high) / 2;
        if (moment_compare(&h->snapshot[middle]->now, now) <= 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int
take(struct history *h, bool changed)
{
    unsigned at = h->count ? place(h, &h->machine->now) + 1 : 0;
    struct snapshot *s;

    if (h->count == h->room) {
        unsigned room = h->room ? 2 * h->room : 64;
        struct snapshot **more = realloc(h->snapshot, room * sizeof(*more));
        if (!more)
            return -ENOMEM;
        h->snapshot = more;
        h->room = room;
    }
    s = snapshot_take(h->machine, at ? h->snapshot[at - 1] : NULL, &h->bytes);
    if (!s)
        return -ENOMEM;
    s->changed = changed;
    memmove(h->snapshot + at + 1, h->snapshot + at, (h->count - at) * sizeof(*h->snapshot));
    h->snapshot[at] = s;
    h->count++;
    h->base = at;
    h->next = cost_of(&s->now) + h->step;
    find_change(h);
    return 0;
}

void
history_visit(struct history *h)
{
    uint64_t now = cost_of(&h->machine->now);
    unsigned at;

    if (now < h->next)
        return;
    h->next = now + h->step;
    at = place(h, &h->machine->now);
    if ((h->base != at && now - cost_of(&h->snapshot[at]->now) < h->step / 2) ||
        (at + 1 < h->count && cost_of(&h->snapshot[at + 1]->now) - now < h->step / 2))
        return; /* somebody was here before */
    if (!take(h, false)) {
        thin(h);
        shrink(h);
    }
}

uint64_t
history_due(const struct history *h)
{
    uint64_t now = cost_of(&h->machine->now);

    return now < h->next ? h->next - now : 1;
}

/* --- going back --------------------------------------------------------------------------------------- */

/* Marks in h->wanted which pages may differ between now and snapshot `to`. Returns how many. */
static uint32_t
differing(struct history *h, unsigned to)
{
    uint32_t pages = snapshot_page_count(h->machine), n = 0;
    unsigned from = h->base < to ? h->base : to, end = h->base < to ? to : h->base;

    for (uint32_t p = 0; p < pages; p++)
        n += h->wanted[p] = snapshot_page_dirty(h->machine, p);
    for (unsigned i = from + 1; i <= end; i++)
        for (unsigned k = 0; k < h->snapshot[i]->pages; k++) {
            uint8_t *wanted = &h->wanted[h->snapshot[i]->page[k].number];
            n += !*wanted;
            *wanted = 1;
        }
    return n;
}

static void
put_back(struct history *h, unsigned to)
{
    uint32_t left = differing(h, to);

    for (unsigned i = to + 1; i-- > 0 && left;)
        for (unsigned k = 0; k < h->snapshot[i]->pages && left; k++) {
            const struct snapshot_page *page = &h->snapshot[i]->page[k];
            if (!h->wanted[page->number])
                continue;
            uint8_t *at = snapshot_page_at(h->machine, page->number);
            if (page->bytes)
                memcpy(at, page->bytes, PAGE_SIZE);
            else
                memset(at, 0, PAGE_SIZE);
            h->wanted[page->number] = 0;
            left--;
        }
    for (uint32_t p = 0; left; p++)
        if (h->wanted[p]) {
            memset(snapshot_page_at(h->machine, p), 0, PAGE_SIZE);
            left--;
        }
    ram_clean(&h->machine->vm->ram);
    snapshot_put_state(h->machine, h->snapshot[to]);
    h->base = to;
    h->next = cost_of(&h->snapshot[to]->now) + h->step;
    find_change(h);
}

/* Does a run from the snapshot come to the moment? An instruction's moment is the first at which so
 * many have retired, so a snapshot at an edge with as many may already be behind it. */
static bool
leads_to(const struct snapshot *s, const struct moment *m)
{
    if (m->edge != EDGE_NONE)
        return moment_compare(&s->now, m) <= 0; /* right there: nothing is run, which saves time */
    if (m->waits == MOMENT_ANY)
        return s->now.icount < m->icount;
    if (moment_steps(&s->now) == moment_steps(m))
        return s->now.edge == EDGE_NONE;
    return moment_steps(&s->now) < moment_steps(m);
}

static unsigned
last_before(const struct history *h, const struct moment *moment)
{
    unsigned i = h->count;

    while (i > 1 && !leads_to(h->snapshot[i - 1], moment))
        i--;
    return i - 1;
}

int
history_restore(struct history *h, const struct moment *moment, struct error *err)
{
    unsigned i = last_before(h, moment);
    const struct moment *first = &h->snapshot[0]->now;

    if (!i && first->exits + moment_steps(first) && !leads_to(h->snapshot[0], moment))
        return error_set(err, ERANGE,
                         "what was before exit %" PRIu64 " (instruction %" PRIu64
                         ") is forgotten: snapshots may take %" PRIu64 " MiB",
                         first->exits, first->icount, h->limit >> 20);
    put_back(h, i);
    return 0;
}

void
history_restore_first(struct history *h)
{
    put_back(h, 0);
}

int
history_restore_before(struct history *h, const struct moment *moment)
{
    unsigned i = h->count;

    while (i > 0 && moment_compare(&h->snapshot[i - 1]->now, moment) >= 0)
        i--;
    if (!i)
        return -ENOENT;
    put_back(h, i - 1);
    return 0;
}

bool
history_is_nearer(const struct history *h, const struct moment *moment)
{
    const struct snapshot *s = h->snapshot[last_before(h, moment)];

    return cost_of(&s->now) > cost_of(&h->machine->now) + h->step;
}

/* --- changes by the user ------------------------------------------------------------------------------- */

void
history_forget_future(struct history *h)
{
    while (h->count > 1 && moment_compare(&h->snapshot[h->count - 1]->now, &h->machine->now) > 0) {
        assert(h->base < h->count - 1); /* the machine descends from it */
        drop(h, h->count - 1);
    }
    find_change(h);
}

int
history_changed(struct history *h, struct error *err)
{
    history_forget_future(h);
    if (take(h, true))
        return error_set(err, ENOMEM,
                         "no memory to remember what was changed: seeking back over "
                         "this moment and forward again would lose it");
    return 0;
}

const struct moment *
history_next_change(const struct history *h)
{
    return h->change;
}

void
history_cross_change(struct history *h)
{
    if (h->change && !moment_compare(h->change, &h->machine->now))
        put_back(h, place(h, h->change));
}

void
history_set_step(struct history *h, uint64_t steps)
{
    h->step = steps;
    h->next = cost_of(&h->machine->now) + steps;
}

void
history_set_limit(struct history *h, uint64_t bytes)
{
    h->limit = bytes;
}

/* --- open and close ------------------------------------------------------------------------------------- */

int
history_open(struct history **out, struct machine *machine, struct error *err)
{
    struct history *h;
    int rc = ram_track(&machine->vm->ram, err);

    *out = NULL;
    if (rc)
        return rc;
    h = calloc(1, sizeof(*h));
    if (h)
        h->wanted = malloc(snapshot_page_count(machine));
    if (!h || !h->wanted) {
        free(h);
        return error_set(err, ENOMEM, "no memory for snapshots");
    }
    h->machine = machine;
    h->limit = LIMIT;
    h->coarser = 1;
    h->step = STEP;
    if (take(h, false)) {
        history_close(h);
        return error_set(err, ENOMEM, "no memory for the first snapshot");
    }
    h->whole = snapshot_page_bytes(h->snapshot[0]);
    *out = h;
    return 0;
}

void
history_close(struct history *h)
{
    for (unsigned i = 0; i < h->count; i++)
        snapshot_free(h->snapshot[i], &h->bytes);
    free(h->snapshot);
    free(h->wanted);
    free(h);
}

void
history_figures(const struct history *h, struct history_figures *figures)
{
    *figures = (struct history_figures){.snapshots = h->count,
                                        .bytes = h->bytes,
                                        .limit = h->limit + h->whole,
                                        .first = h->snapshot[0]->now,
                                        .last = h->snapshot[h->count - 1]->now};
}
