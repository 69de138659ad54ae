/*
 * ladder.h - a sequence of transfers as rows, one lifeline a column, repeats collapsed.
 *
 *   exit   guest kernel   dispatcher    uart
 *                |             |          |
 *      7         |----- io --->|          |    write port 0x3f8 <- 0x48 'H'
 *                |             |-- call ->|
 *                |             |<- return-|
 *                |<-- entry ---|          |
 *
 * ladder.c finds the rows; view_ladder.c draws them for dot, svg_ladder.c itself when there are
 * more than dot can lay out.
 */
#ifndef TRACER_LADDER_H
#define TRACER_LADDER_H

#include <stdbool.h>
#include <stdint.h>

#include "tracer/view.h"

#define LADDER_DOT_ROWS 200   /* dot takes 0.3 s for 200 rows, 35 s for 1000 */
#define LADDER_SVG_ROWS 20000 /* what a browser still scrolls through */
#define LADDER_LANES    12
#define LADDER_PERIOD   64 /* the longest cycle that is found */
#define LADDER_LETTERS  24 /* bytes that a repeated row shows as text */

/* One transfer, as it was recorded. */
struct ladder_step {
    const struct trace_event *event;
    uint64_t exit; /* that it is or belongs to; 0: none */
    uint64_t key;  /* equal for transfers that look alike */
};

/* What is drawn as one line: a step, or the same step of each turn of a cycle. */
struct ladder_row {
    uint64_t step;  /* its first */
    uint64_t turns; /* 1: not repeated */
    uint32_t cycle; /* steps in a turn; rows of a cycle follow each other */
    uint32_t place; /* within the cycle, from 0 */
};

struct ladder {
    const struct trace *trace;
    struct ladder_step *step;
    struct ladder_row *row;
    uint64_t steps, rows, room;
    unsigned lanes;
    uint8_t lane[TRACE_ACTOR_MAX];  /* of an actor */
    uint8_t actor[LADDER_LANES];    /* of a lane */
    uint8_t merged;                 /* actors in the lane of `others`, */
    uint8_t others;                 /* which is this; LADDER_LANES: none */
    uint64_t used[TRACE_ACTOR_MAX]; /* steps that begin or end there */
};

void ladder_init(struct ladder *ladder, const struct trace *trace);
/* 0 or -ENOMEM. Notes that are no line between two parts are left out. */
int ladder_event(struct ladder *ladder, const struct trace_event *event, uint64_t exit);
/* After the last event: finds the rows and the lanes. 0 or -ENOMEM. */
int ladder_finish(struct ladder *ladder);
void ladder_free(struct ladder *ladder);

static inline const struct trace_event *
ladder_event_of(const struct ladder *ladder, const struct ladder_row *row)
{
    return ladder->step[row->step].event;
}

/* Names a lane: an actor, or "3 more". Returns text. */
char *ladder_lane_name(const struct ladder *ladder, unsigned lane, char *text, size_t size);
/* What stands at the left of a row: the number of its exit, or its time; "" if nothing. */
char *ladder_label(const struct ladder *ladder, const struct ladder_row *row,
                   const struct view_options *options, char *text, size_t size);
/* What stands at the right: operands, and for an exit where the guest was. */
char *ladder_text(const struct ladder *ladder, const struct ladder_row *row,
                  const struct view_options *options, char *text, size_t size);
/* How many rows of blank precede a row if the axis is time: 0 to 3, by the time that passed. */
unsigned ladder_gap(const struct ladder *ladder, uint64_t row, const struct view_options *options);
/* Where control is after a row, LADDER_LANES if that is not known: `before`, if it is a note. */
unsigned ladder_control(const struct ladder *ladder, uint64_t row, unsigned before);
/* What stands at the left of all rows, as a sentence. */
const char *ladder_axis_text(const struct view_options *options);
/* "x780: exits 12 to 1,571"; for the first row of a cycle. */
char *ladder_cycle_text(const struct ladder *ladder, const struct ladder_row *row, char *text,
                        size_t size);

/* svg_ladder.c. At most LADDER_SVG_ROWS rows; the picture says what is left out. */
void ladder_print_svg(const struct ladder *ladder, const struct view *view);

#endif
