/*
 * diff.h - two recordings side by side: which transfers are new, gone, more or less frequent,
 * cheaper or dearer.
 *
 * Each is folded as for the state picture (graph.h); actors and kinds are matched by their names,
 * so the two may come from different machines, strategies and versions of hv. diff_table() prints
 * the result, diff_write() draws it.
 *
 * Called by hv/cli/compare_two.c. Next: diff.c, diff_table.c, diff_picture.c.
 */
#ifndef TRACER_DIFF_H
#define TRACER_DIFF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tracer/graph.h"

#define DIFF_A      0
#define DIFF_B      1
#define DIFF_ACTORS (2 * TRACE_ACTOR_MAX) /* if they have none in common */
#define DIFF_KINDS  (2 * TRACE_KIND_MAX)
#define DIFF_OTHERS DIFF_ACTORS /* stands for the actors that are not drawn alone */
#define DIFF_NODES  20
#define DIFF_EDGES  60
#define DIFF_KEEP   40 /* of these with a kind of their own; the others say "N more" */
/* A mean cost has changed if it is this many times higher or lower, and of that many events: less
 * is what two runs of the same guest differ by. */
#define DIFF_FACTOR 2.0
#define DIFF_ENOUGH 10u

enum diff_change { DIFF_SAME, DIFF_CHANGED, DIFF_ADDED, DIFF_REMOVED, DIFF_CHANGES };

/* One side of a transfer. */
struct diff_side {
    uint64_t count, returns, timed, ns;
};

struct diff_edge {
    uint16_t from, to, kind; /* of struct diff's tables; from and to may be DIFF_OTHERS */
    uint32_t merged;         /* transfers that are folded into this one; 0: it is one kind */
    struct diff_side side[2];
};

struct diff_actor {
    const char *name;
    enum trace_domain domain;
    bool there[2]; /* events begin or end there */
    bool drawn;
    uint64_t events;
    uint64_t stay[2]; /* ns */
};

struct diff {
    const struct trace *trace[2];
    const char *name[2]; /* "A" and "B" stand for them */
    bool times;
    struct diff_actor actor[DIFF_ACTORS + 1];
    unsigned actors;
    const struct trace_kind_row *kind[DIFF_KINDS];
    unsigned kinds;
    struct diff_edge *edge; /* by class, then the most changed first */
    uint32_t edges;
    uint32_t others;   /* actors merged into DIFF_OTHERS by diff_reduce() */
    uint32_t left_out; /* transfers that diff_reduce() dropped */
    /* Of each: the sums of its graph. */
    uint64_t exits[2], total_ns[2], guest_ns[2], vmm_ns[2], waiting_ns[2], host_ns[2];
};

/* Counts both; their traces and names must outlive diff. options: no_times, and progress, which is
 * called for each. 0 or -ENOMEM. */
int diff_make(struct diff *diff, const struct trace *const trace[2], const char *const name[2],
              const struct view_options *options);
void diff_free(struct diff *diff);
/* Merges the least interesting until DIFF_NODES and DIFF_EDGES hold: for a picture. */
void diff_reduce(struct diff *diff);

enum diff_change diff_change_of(const struct diff *diff, const struct diff_edge *edge);
/* Events of a side: returns that nobody asked for count by themselves. */
uint64_t diff_count(const struct diff_side *side);
/* Mean cost in ns; 0: none is known. */
double diff_mean(const struct diff_side *side);
/* How b differs from a: "+12 %", "x 25", "same", "new", "gone", "" if both are 0. Returns text. */
char *diff_text(double a, double b, char *text, size_t size);
/* One line about a side: "minios on engine soft, strategy trap: 2,348 exits in 297 ms; ...". */
char *diff_about(const struct diff *diff, unsigned side, char *text, size_t size);

/* A sentence if only one of them has transfers inside the guest: it was recorded with --trace-guest,
 * or the other's are exits. NULL: there is nothing to say. */
const char *diff_inside_text(const struct diff *diff);

/* diff_table.c. */
void diff_table(const struct diff *diff, FILE *out);
/* diff_picture.c. Writes DOT to out; title may be NULL. */
struct diff_picture {
    const struct diff *diff; /* reduced */
    const char *title;
};
void diff_picture_print(const struct diff_picture *picture, FILE *out);
/* To path, in the format that its suffix says (dot.h). 0, or -errno and a sentence. */
int diff_picture_write(const struct diff_picture *picture, const char *path, char *message,
                       size_t size);

#endif
