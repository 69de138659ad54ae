/*
 * names.h - the names of guest addresses, each asked for once: a recording has millions of events
 * but few instructions, and asking means a search in the guest's symbols and lines.
 */
#ifndef TRACER_NAMES_H
#define TRACER_NAMES_H

#include "tracer/view.h"

#define NAMES_MAX 65536u /* remembered; the others are asked for each time */

struct names {
    const struct view_options *options;
    struct names_slot {
        uint64_t rip;
        char *text; /* NULL: a free slot */
    } * slot;
    uint32_t slots, used; /* open addressing; slots is 0 or a power of two */
    char last[256];
};

void names_init(struct names *names, const struct view_options *options);
void names_free(struct names *names);
/* By options->resolve, free of control characters; "" if it has none. Valid until the next call. */
const char *names_of(struct names *names, uint64_t rip);

#endif
