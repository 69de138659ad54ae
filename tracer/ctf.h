/*
 * ctf.h - a recording as a trace of the Common Trace Format 1.8, for babeltrace2 and Trace Compass.
 *
 * Such a trace is a folder of two files: `metadata`, text in TSDL that describes every bit, and
 * `stream`, the events. docs/RECORDING.md draws them.
 *
 * Called by hv/cli/cmd_trace.c.
 */
#ifndef TRACER_CTF_H
#define TRACER_CTF_H

#include "tracer/view.h"

/* Makes the folder (it may be there, but neither of the two files in it may be) and writes both.
 * options->out is ignored; ->from, ->limit and ->only choose events. 0, or -errno and a sentence in
 * message (size bytes). */
int ctf_write(const struct trace *trace, const struct view_options *options, const char *path,
              char *message, size_t size);

/* The two files by themselves. view_ctf writes the stream; it is no row of views[], because alone
 * it means nothing. */
extern const struct view_ops view_ctf;
int ctf_print_metadata(const struct trace *trace, FILE *out);

#endif
