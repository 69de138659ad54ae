/*
 * view.h - a view turns a recording into something to look at: text or a picture's source.
 *
 * All views see the same events with the same exit numbers. To add one: write view_NAME.c with a
 * const struct view_ops and put it into the table of view.c.
 */
#ifndef TRACER_VIEW_H
#define TRACER_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tracer/describe.h"
#include "tracer/read.h"

struct card; /* card.h */

/* By what the picture "state" tells exits apart, besides their reason. */
enum view_by { VIEW_BY_REASON, VIEW_BY_RIP, VIEW_BY_SYMBOL, VIEW_BY_DEVICE };

/* Zeroed, it shows everything. */
struct view_options {
    FILE *out;
    uint64_t from;     /* first exit to show, from 1; 0: from the first event on */
    uint64_t limit;    /* exits to show, each with the events that belong to it; 0: all */
    const bool *only;  /* by kind, TRACE_KIND_MAX of them: show these exits alone; NULL: all */
    enum view_by by;   /* state */
    bool time_axis;    /* ladder: times at its side, not the numbers of exits */
    unsigned columns;  /* table: cut lines at so many, for a terminal; 0: they are whole */
    bool no_times;     /* leave out what differs between two runs: for tests that compare text */
    bool bare;         /* state: no heading, no legend, no notes */
    const char *title; /* NULL: made from the recording's header */
    /* "kmain+0x1c (minios.c:40)" for an address of the guest, "" if it has no name. May be NULL. */
    void (*resolve)(void *context, uint64_t rip, char *text, size_t size);
    void *context;
    describe_name_fn *name; /* of vectors, MSRs and the like; may be NULL */
    /* card: adds what the recording does not hold: the instruction, registers. May be NULL. */
    void (*card)(void *context, struct card *card, const struct trace_event *exit);
    /* A view whose picture is too long for dot writes SVG instead of DOT if this is not NULL, and
     * sets *svg. dot_write() does that for its caller. */
    bool *svg;
    /* Called now and then while events are read: how many of how many. May be NULL. */
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *progress_context;
};

enum view_form { VIEW_TEXT, VIEW_DOT, VIEW_SVG };

struct view {
    const struct trace *trace;
    const struct view_options *options;
    bool hidden; /* the event is not to be shown: options->only */
    void *state; /* the view's own, between begin and end */
};

/* Each returns 0 or -errno. end is called once if begin was called, even if something failed
 * (failed is true then): it frees, and prints only if nothing did. */
struct view_ops {
    const char *name, *help;
    enum view_form form;
    bool sees_hidden; /* event is called for hidden events too: they take time */
    bool sees_parts;  /* ... for ARGUMENTS and TEXT, which are shown with the event before them */
    int (*begin)(struct view *view);
    /* exit: the number of the exit that the event is or belongs to; 0 before the first. */
    int (*event)(struct view *view, const struct trace_event *event, uint64_t exit);
    int (*end)(struct view *view, bool failed);
};

extern const struct view_ops view_table, view_stats, view_state, view_ladder, view_card;
extern const struct view_ops view_timeline, view_flame;
/* Exports: for other programs. A CTF trace is a folder: ctf.h. */
extern const struct view_ops view_csv, view_jsonl, view_chrome, view_stats_json;
/* Every view; ends with NULL. */
extern const struct view_ops *const views[];
/* NULL: there is none of that name. */
const struct view_ops *view_find(const char *name);

/* The events [*first, *end) that belong to the chosen exits. 0, or -ENOENT and a sentence: there is
 * no exit `from`. */
int view_range(const struct trace *trace, const struct view_options *options, uint64_t *first,
               uint64_t *end, char *message, size_t size);
/* Runs a view over the part of the recording that the options choose. 0, or -errno and a sentence
 * in message (size bytes). */
int view_run(const struct view_ops *ops, const struct trace *trace,
             const struct view_options *options, char *message, size_t size);

#endif
