/*
 * export.h - a recording as text, as statistics, or in a format for other programs: the options
 * --format, --stats, --json and -o of `hv trace`.
 *
 * Called by cmd_trace.c.
 */
#ifndef HV_CLI_EXPORT_H
#define HV_CLI_EXPORT_H

#include "cli/cli.h"
#include "tracer/view.h"

/* Which format the options ask for, a number for export_write(). 0, or -EINVAL with a sentence:
 * there is none of that name, or the options do not go together. */
int export_choose(const struct args *args, unsigned *format, struct error *err);
/* Writes it to stdout, or where -o says, and meanwhile says on a terminal how far it is. options:
 * what to show; out is stdout. 0 or -errno with a sentence. */
int export_write(const struct args *args, unsigned format, const struct trace *trace,
                 struct view_options *options, struct error *err);

#endif
