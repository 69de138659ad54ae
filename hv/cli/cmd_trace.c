/*
 * cmd_trace.c - `hv trace FILE`: a recording as text, line by line or as statistics.
 *
 * Called by main.c through command_trace. The work is done in tracer/: view.c and view_*.c;
 * names that the tracer cannot know come from hv/debugger/recording.c.
 */
#include <stdio.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "debugger/recording.h"

static int
run_trace(const struct args *args)
{
    const struct view_ops *view = args_flag(args, "stats") ? &view_stats : &view_table;
    struct view_options options = {
        .out = stdout,
        .no_times = args_flag(args, "no-times"),
    };
    struct symbols *symbols;
    struct trace trace;
    struct error err = {""};

    if (args_number(args, "from", &options.from, &err) ||
        args_number(args, "limit", &options.limit, &err) ||
        trace_open(&trace, args->word[0], err.message, sizeof(err.message)))
        return cli_error(STATUS_USER, "%s", err.message);
    int rc = recording_symbols(&symbols, &trace, args_value(args, "symbols"), &err);
    if (rc == 0 && err.message[0])
        fprintf(stderr, "hv: %s\n", err.message);
    recording_view(&options, &trace, symbols);
    if (rc == 0)
        rc = view_run(view, &trace, &options, err.message, sizeof(err.message));
    symbols_close(symbols);
    trace_close(&trace);
    return rc ? cli_error(STATUS_USER, "%s", err.message) : STATUS_OK;
}

static const struct option_desc options[] = {
    {"stats", 's', NULL, "For each reason how often, how long, and where from."},
    {"from", 'f', "N", "Begin with exit N. Exits are numbered from 1."},
    {"limit", 'n', "N", "Show N exits, each with what follows it."},
    {"symbols", 0, "FILE", "Take the names of addresses from this ELF file."},
    {"no-times", 0, NULL, "Leave out all times: what is left is the same in every run."},
    {NULL},
};

const struct command command_trace = {
    .name = "trace",
    .words = "FILE",
    .min = 1,
    .max = 1,
    .summary = "Print a recording: one line an event, or statistics.",
    .text = "FILE was made with 'hv run --trace FILE'; it can be read while it is recorded, and\n"
            "after hv was killed. Lines between two exits belong to the first of them.\n\n"
            "Times are microseconds since the recording began. With --stats the time of an exit\n"
            "runs until the guest is entered again. Addresses get their names from the guest's\n"
            "file, if it is where it was.\n",
    .options = {options},
    .run = run_trace,
};
