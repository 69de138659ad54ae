/*
 * player.h - a recording as one page of HTML that plays it: pictures, ladder, card and source, with
 * nothing loaded from anywhere.
 *
 * The page's own sources are in tracer/player/; the Makefile puts them into the program (embed.S).
 * Here the recording is packed and put between them:
 *
 *   player.c         the page: what is in it, and in which order
 *   player_events.c  the events as columns of numbers, and what they say as tables of texts
 *   player_source.c  the lines of the guest's source that they touch
 *
 * Called by hv/cli/cmd_trace.c.
 */
#ifndef TRACER_PLAYER_H
#define TRACER_PLAYER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tracer/view.h"

/* What a page holds at most; beyond it ends with a whole exit, and says so. A browser scrolls no
 * further than some 17 million pixels, and the page shall stay below 20 MB whatever the texts. */
#define PLAYER_EVENTS 400000u
#define PLAYER_BYTES  (16u << 20)

struct player_options {
    /* from, limit, no_times, title, resolve, name, card, context: as for any view. */
    struct view_options view;
    /* The line of source of an address; false: not known. file stays valid. Both may be NULL. */
    bool (*line)(void *source_context, uint64_t rip, const char **file, int *line);
    /* Opens a file of the source; NULL: it is not there. */
    FILE *(*source)(void *source_context, const char *file);
    void *source_context;
};

/* What became of it. */
struct player_result {
    uint64_t first, last; /* exits on the page; both 0: none */
    bool cut;             /* it has fewer than were asked for */
    bool no_picture;      /* `dot` is missing, or failed: `why` says it in a sentence */
    char why[512];
};

/* Writes the page to path, and meanwhile PATH.svg for Graphviz. 0, or -errno and a sentence in
 * message (size bytes). */
int player_write(const struct trace *trace, const struct player_options *options, const char *path,
                 struct player_result *result, char *message, size_t size);

#endif
