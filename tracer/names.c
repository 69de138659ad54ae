/*
 * names.c - see names.h.
 */
#include <stdlib.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/names.h"

void
names_init(struct names *names, const struct view_options *options)
{
    memset(names, 0, sizeof(*names));
    names->options = options;
}

void
names_free(struct names *names)
{
    for (uint32_t i = 0; i < names->slots; i++)
        free(names->slot[i].text);
    free(names->slot);
    memset(names, 0, sizeof(*names));
}

static struct names_slot *
find(struct names_slot *slot, uint32_t slots, uint64_t rip)
{
    uint64_t hash = rip * 0x9e3779b97f4a7c15u;
    uint32_t i = (uint32_t)(hash >> 32) & (slots - 1);

    while (slot[i].text && slot[i].rip != rip)
        i = (i + 1) & (slots - 1);
    return &slot[i];
}

/* Half of the slots stay free. False: nothing more can be remembered. */
static bool
make_room(struct names *names)
{
    uint32_t slots = names->slots ? 2 * names->slots : 256;

    if (2 * names->used < names->slots)
        return true;
    if (names->used >= NAMES_MAX)
        return false;
    struct names_slot *slot = calloc(slots, sizeof(*slot));
    if (!slot)
        return false;
    for (uint32_t i = 0; i < names->slots; i++)
        if (names->slot[i].text)
            *find(slot, slots, names->slot[i].rip) = names->slot[i];
    free(names->slot);
    names->slot = slot;
    names->slots = slots;
    return true;
}

const char *
names_of(struct names *names, uint64_t rip)
{
    const struct view_options *o = names->options;
    struct names_slot *slot = names->slots ? find(names->slot, names->slots, rip) : NULL;

    if (!o->resolve || !rip)
        return "";
    if (slot && slot->text)
        return slot->text;
    names->last[0] = 0;
    o->resolve(o->context, rip, names->last, sizeof(names->last));
    describe_clean(names->last);
    if (make_room(names)) {
        slot = find(names->slot, names->slots, rip);
        slot->text = strdup(names->last);
        slot->rip = rip;
        names->used += slot->text != NULL;
    }
    return names->last;
}
