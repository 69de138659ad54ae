/*
 * place.c - see place.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/place.h"

#define LOOK_AHEAD 64 /* events after an exit, to find who was asked */
#define NAME_SIZE  96

void
places_init(struct places *p, const struct trace *trace, const struct view_options *options)
{
    memset(p, 0, sizeof(*p));
    p->trace = trace;
    p->by = options ? options->by : VIEW_BY_REASON;
    p->resolve = options ? options->resolve : NULL;
    p->context = options ? options->context : NULL;
}

void
places_free(struct places *p)
{
    for (uint64_t i = 0; i < p->names; i++)
        free(p->name[i]);
    free(p->name);
    free(p->index);
    free(p->cache);
    memset(p, 0, sizeof(*p));
}

static uint64_t
hash_number(uint64_t n)
{
    n *= 0x9e3779b97f4a7c15u;
    return n ^ n >> 32;
}

/* --- functions ---------------------------------------------------------------------------------- */

#define INDEX_SIZE (4u * PLACE_NAMES)

/* The place of a name, a new one if need be. */
static uint64_t
intern(struct places *p, const char *name)
{
    uint64_t hash = 0;

    if (!p->index)
        p->index = calloc(INDEX_SIZE, sizeof(*p->index));
    if (!p->index)
        return PLACE_OTHERS;
    for (const char *c = name; *c; c++)
        hash = hash_number(hash ^ (unsigned char)*c);
    uint32_t *slot = &p->index[hash % INDEX_SIZE];
    while (*slot && strcmp(p->name[*slot - 1], name)) {
        hash++;
        slot = &p->index[hash % INDEX_SIZE];
    }
    if (*slot)
        return *slot;
    if (p->names == PLACE_NAMES)
        return PLACE_OTHERS;
    if (p->names == p->room) {
        uint64_t room = p->room ? 2 * p->room : 64;
        char **grown = realloc(p->name, (size_t)room * sizeof(*grown));
        if (!grown)
            return PLACE_OTHERS;
        p->name = grown;
        p->room = room;
    }
    p->name[p->names] = strdup(name);
    if (!p->name[p->names])
        return PLACE_OTHERS;
    *slot = (uint32_t)++p->names;
    return *slot;
}

/* "kmain+0x1c (minios.c:40)" is in "kmain". Addresses without a name, as those of the guest's
 * programs, are one place. */
static uint64_t
ask_function(struct places *p, uint64_t rip)
{
    char text[NAME_SIZE] = "";

    if (p->resolve)
        p->resolve(p->context, rip, text, sizeof(text));
    text[strcspn(text, "+ ")] = 0;
    return intern(p, text[0] ? describe_clean(text) : "(no symbol)");
}

static bool
cache_grow(struct places *p)
{
    uint64_t slots = p->slots ? 2 * p->slots : 1024;
    struct place_cached *cache = calloc((size_t)slots, sizeof(*cache));

    if (!cache)
        return false;
    for (uint64_t i = 0; i < p->slots; i++) {
        uint64_t at = hash_number(p->cache[i].rip) & (slots - 1);
        while (p->cache[i].place && cache[at].place)
            at = (at + 1) & (slots - 1);
        if (p->cache[i].place)
            cache[at] = p->cache[i];
    }
    free(p->cache);
    p->cache = cache;
    p->slots = slots;
    return true;
}

static uint64_t
function_of(struct places *p, uint64_t rip)
{
    if (2 * p->used >= p->slots && !cache_grow(p))
        return PLACE_OTHERS;
    uint64_t at = hash_number(rip) & (p->slots - 1);
    while (p->cache[at].place && p->cache[at].rip != rip)
        at = (at + 1) & (p->slots - 1);
    if (!p->cache[at].place) {
        p->cache[at] = (struct place_cached){rip, ask_function(p, rip)};
        p->used++;
    }
    return p->cache[at].place;
}

/* --- devices ------------------------------------------------------------------------------------ */

/* Who was asked last, if anybody, before the guest ran again: under trap the interpreter is asked first, and the
 * device by it. */
static uint64_t
asked(const struct trace *t, const struct trace_event *exit)
{
    uint64_t at = (uint64_t)(exit - t->events), end = t->count - at;
    uint64_t place = 0;

    if (end > LOOK_AHEAD)
        end = LOOK_AHEAD;
    for (const struct trace_event *e = exit + 1; e < exit + end; e++) {
        if (e->vcpu != exit->vcpu)
            continue;
        if (t->kind[e->kind].class <= TRACE_CLASS_ENTRY)
            break;
        if (e->kind == TRACE_CALL)
            place = e->to + 1u;
    }
    return place;
}

/* --- any ---------------------------------------------------------------------------------------- */

uint64_t
places_of(struct places *p, const struct trace_event *e)
{
    if (p->trace->kind[e->kind].class != TRACE_CLASS_EXIT)
        return 0;
    /* Which call it is, is a reason of its own. */
    if (p->by == VIEW_BY_REASON)
        return (e->kind == TRACE_HOST_CALL || e->kind == TRACE_DENIED) &&
                       !(e->flags & TRACE_FOREIGN) && syscall_name(e->address)
                   ? e->address + 1
                   : 0;
    switch (p->by) {
    case VIEW_BY_RIP: return e->rip;
    case VIEW_BY_SYMBOL: return function_of(p, e->rip);
    case VIEW_BY_DEVICE: return asked(p->trace, e);
    default: return 0;
    }
}

char *
places_name(const struct places *p, uint64_t place, char *text, size_t size)
{
    text[0] = 0;
    if (place == PLACE_OTHERS)
        snprintf(text, size, "elsewhere");
    else if (place == 0)
        return text;
    else if (p->by == VIEW_BY_REASON)
        snprintf(text, size, "%s", syscall_name(place - 1));
    else if (p->by == VIEW_BY_RIP)
        snprintf(text, size, "0x%" PRIx64, place);
    else if (p->by == VIEW_BY_SYMBOL)
        snprintf(text, size, "%s", p->name[place - 1]);
    else
        snprintf(text, size, "%s", p->trace->actor[place - 1].name);
    return text;
}
