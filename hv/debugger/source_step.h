/*
 * source_step.h - moving by lines of source and by functions.
 *
 * Called by commands_source.c. Next: source_step.c, source_back.c.
 */
#ifndef HV_DEBUGGER_SOURCE_STEP_H
#define HV_DEBUGGER_SOURCE_STEP_H

#include "debugger/go.h"
#include "debugger/stack.h"

enum source_step {
    SOURCE_INTO,  /* step: into functions that have lines */
    SOURCE_OVER,  /* next: over all calls */
    SOURCE_UNTIL, /* until: and not back to an earlier line */
};

/* To the beginning of another line. stop->why is STOP_DONE if it came there. */
int source_forward(struct debugger *debugger, enum source_step how, struct stop *stop,
                   struct error *err);
int source_backward(struct debugger *debugger, enum source_step how, struct stop *stop,
                    struct error *err);
/* To where the present function returns to; back: to its call. */
int source_finish(struct debugger *debugger, struct stop *stop, struct error *err);
int source_back_to_call(struct debugger *debugger, struct stop *stop, struct error *err);

/* --- what the two files share (source_step.c) ------------------------------------------------------ */

/* Where a step began, or is. */
struct source_place {
    struct symbols_frame frame, caller;
    bool caller_known; /* then caller.cfa tells this call of the function from all others */
    const char *file;  /* NULL: no line is known */
    int line;
};

int source_here(struct debugger *debugger, struct source_place *place, struct error *err);
/* The same call of a function? */
bool source_same_call(const struct source_place *a, const struct source_place *b);
/* The same line of the same call of a function? */
bool source_same_line(const struct source_place *a, const struct source_place *b);
/* One instruction. */
int source_one(struct debugger *debugger, bool back, struct stop *stop, struct error *err);

/* To a return address, when it is that frame's turn. back: to where an interrupt came. */
int source_run_to_caller(struct debugger *debugger, const struct symbols_frame *caller, bool back,
                         struct stop *stop, struct error *err);

#endif
