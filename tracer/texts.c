/*
 * texts.c - see texts.h.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/texts.h"

static uint32_t
hash_text(const char *text)
{
    uint64_t hash = 0;

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash >> 32);
}

/* Where a text is in the index, or the free slot where it belongs. */
static uint32_t
find_slot(const struct texts *t, const char *text)
{
    uint32_t at = hash_text(text) & (t->slots - 1);

    while (t->index[at] && strcmp(t->text[t->index[at] - 1], text))
        at = (at + 1) & (t->slots - 1);
    return at;
}

/* At most half of the slots are used: there is always a free one. */
static bool
grow(struct texts *t)
{
    uint32_t slots = t->slots ? 2 * t->slots : 1024;
    char **text = realloc(t->text, slots / 2 * sizeof(*text));

    if (!text)
        return false;
    t->text = text;
    uint32_t *index = calloc(slots, sizeof(*index));
    if (!index)
        return false;
    free(t->index);
    t->index = index;
    t->slots = slots;
    t->room = slots / 2;
    for (uint32_t i = 0; i < t->count; i++)
        t->index[find_slot(t, t->text[i])] = i + 1;
    return true;
}

uint32_t
texts_add(struct texts *t, const char *text)
{
    if (t->count == t->room && (t->room > UINT32_MAX / 8 || !grow(t)))
        return TEXTS_NONE;
    uint32_t at = find_slot(t, text);
    if (t->index[at])
        return t->index[at] - 1;
    t->text[t->count] = strdup(text);
    if (!t->text[t->count])
        return TEXTS_NONE;
    t->index[at] = ++t->count;
    return t->count - 1;
}

void
texts_free(struct texts *t)
{
    for (uint32_t i = 0; i < t->count; i++)
        free(t->text[i]);
    free(t->text);
    free(t->index);
    memset(t, 0, sizeof(*t));
}
