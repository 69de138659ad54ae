/*
 * view_compare.h - a picture of several recordings of the same program, at one scale.
 *
 * Not a row of views[] (view.h), because those show one recording.
 */
#ifndef TRACER_VIEW_COMPARE_H
#define TRACER_VIEW_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "tracer/dot.h"
#include "tracer/read.h"

struct view_compare {
    const struct trace *trace; /* `traces` of them */
    unsigned traces;
    const char *title;
    bool no_times; /* as in struct view_options */
};

/* Writes it to path, in the format that its suffix says. 0, or -errno and a sentence (dot.h). */
int view_compare_write(const struct view_compare *view, const char *path, char *message,
                       size_t size);

#endif
