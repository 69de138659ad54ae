/*
 * texts.h - a set of texts, each kept once and known by its number.
 *
 * Used by player_events.c, as the events of a recording say the same things again and again.
 */
#ifndef TRACER_TEXTS_H
#define TRACER_TEXTS_H

#include <stdint.h>

#define TEXTS_NONE UINT32_MAX

struct texts {
    char **text;
    uint32_t count, room;
    uint32_t *index; /* number + 1 by its hash: open addressing */
    uint32_t slots;  /* 0 or a power of two */
};

/* The number of a text, from 0 on; a text that is new gets the next. TEXTS_NONE: no memory. */
uint32_t texts_add(struct texts *texts, const char *text);
void texts_free(struct texts *texts);

#endif
