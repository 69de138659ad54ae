/*
 * place.h - by what exits of one reason are told apart: the instruction, the function that it is
 * in, or the device that was asked.
 *
 * A place is a number that only this file understands: 0 none, else what options->by says. Used by
 * graph.c, which has an edge for each.
 */
#ifndef TRACER_PLACE_H
#define TRACER_PLACE_H

#include "tracer/view.h"

#define PLACE_OTHERS UINT64_MAX /* there are too many */
#define PLACE_NAMES  32768      /* functions that are told apart */

/* An address whose name was asked for, for asking costs much. */
struct place_cached {
    uint64_t rip;
    uint64_t place; /* 0: a free slot */
};

struct places {
    const struct trace *trace;
    enum view_by by;
    void (*resolve)(void *context, uint64_t rip, char *text, size_t size);
    void *context;
    struct place_cached *cache; /* open addressing; `slots` is 0 or a power of two */
    uint64_t slots, used;
    char **name; /* of place n + 1 */
    uint64_t names, room;
    uint32_t *index; /* name + 1 by its text's hash */
};

/* options may be NULL: exits are told apart by nothing. */
void places_init(struct places *places, const struct trace *trace,
                 const struct view_options *options);
void places_free(struct places *places);
/* Of an event of the trace. If memory runs out, it is PLACE_OTHERS. */
uint64_t places_of(struct places *places, const struct trace_event *event);
/* "0x101208", "uart_putc", "uart"; "" for 0. Returns text. */
char *places_name(const struct places *places, uint64_t place, char *text, size_t size);

#endif
