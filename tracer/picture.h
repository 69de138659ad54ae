/*
 * picture.h - what all pictures of recordings have in common: a colour for each reason why control
 * moves, a box for each part of the machine, and text as DOT wants it.
 *
 * Used by all views that are pictures.
 */
#ifndef TRACER_PICTURE_H
#define TRACER_PICTURE_H

#include <stdint.h>
#include <stdio.h>

#include "tracer/graph.h"
#include "tracer/view.h"

/* Why control moves, in groups that have a colour: told apart by the colour-blind (after Okabe and
 * Ito), dark enough for text on white. */
enum picture_group {
    GROUP_OTHER,
    GROUP_DEVICE,
    GROUP_PROCESSOR,
    GROUP_SERVICE,
    GROUP_INTERRUPT,
    GROUP_IDLE,
    GROUP_FAULT,
    GROUP_ENTRY,
    GROUP_CALL,
    GROUP_COUNT,
};

struct picture_group_look {
    const char *color, *text;
};
extern const struct picture_group_look picture_groups[GROUP_COUNT];
/* The group of a kind of event, as the recording numbers it. */
enum picture_group picture_group_of(const struct trace *trace, unsigned kind);

/* The boxes around actors, from left to right. */
enum picture_box { BOX_GUEST, BOX_VMM, BOX_DEVICE, BOX_HOST, BOX_COUNT };

struct picture_box_look {
    const char *name, *title, *fill, *line;
};
extern const struct picture_box_look picture_boxes[BOX_COUNT];
extern const uint8_t picture_domain_box[TRACE_DOMAIN_COUNT];

/* What a newcomer needs to know of the fixed actors, below their names. */
extern const char *const picture_actor_text[TRACE_ACTOR_FIRST_FREE];

/* Text inside "..." and inside <...> of DOT: the same set of entities serves both. */
void picture_text(FILE *out, const char *text);
/* The heading: options->title, or "WHAT: minios on engine soft, strategy trap". */
void picture_title(FILE *out, const struct view *view, const char *what);
/* part / whole; 0 of nothing. */
double picture_share(uint64_t part, uint64_t whole);
/* "35 %", "0.2 %", "<0.1 %" with the entity for <. Returns text. */
char *picture_share_text(double part, char *text, size_t size);

/* The kind's name and, if exits are told apart by it, their place; or "N more". */
void picture_edge_name(FILE *out, const struct graph *g, const struct graph_edge *e);
const char *picture_edge_color(const struct graph *g, const struct graph_edge *e);
/* Returns that nobody asked for have an edge of their own. */
uint64_t picture_edge_count(const struct graph_edge *e);
/* dot's penwidth for a part of the whole, in steps that the eye tells apart. */
const char *picture_edge_width(double part);

#endif
