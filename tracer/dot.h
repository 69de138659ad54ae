/*
 * dot.h - pictures of a recording in a file: runs Graphviz' `dot` on a view's text.
 */
#ifndef TRACER_DOT_H
#define TRACER_DOT_H

#include "tracer/view.h"

/* "svg", "png", "pdf" or "dot" by the suffix of path; NULL: another one, or none. */
const char *dot_format(const char *path);

/* Draws a view (form VIEW_DOT or VIEW_SVG) to path, in the format that its suffix says.
 * options->out and ->svg are ignored. For hv graph and the debugger alike. 0, or -errno and a sentence in message (size bytes). If `dot` is missing or fails, its
 * input is kept as PATH.dot and the sentence says so. */
int dot_write(const struct view_ops *ops, const struct trace *trace,
              const struct view_options *options, const char *path, char *message, size_t size);

/* The same for a picture that is not of one view: write() prints its DOT to out; 0, or -errno and a
 * sentence. */
typedef int dot_text_fn(const void *context, FILE *out, char *message, size_t size);
int dot_write_text(dot_text_fn *write, const void *context, const char *path, char *message,
                   size_t size);

/* Runs `program` (a name that PATH finds) on the file dot_path. 0; or -ENOENT: there is no such
 * program; or another -errno: it failed, and `said` (size bytes) is the first line of its
 * complaint, "" if it said nothing. */
int dot_run(const char *program, const char *dot_path, const char *format, const char *path,
            char *said, size_t size);

#endif
