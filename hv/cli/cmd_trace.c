/*
 * cmd_trace.c - `hv trace FILE`: a recording as text, line by line or as statistics.
 *
 * Called by main.c through command_trace. The work is done in tracer/: view.c and view_*.c.
 */
#include <stdio.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "isa/x86/cpu.h"
#include "tracer/view.h"

/* view.h's name: what the processor's manual calls the address of an event. */
static const char *
address_name(unsigned kind, uint64_t address)
{
    switch (kind) {
    case TRACE_EXCEPTION:
    case TRACE_GUEST_FAULT:
    case TRACE_INJECT:
    case TRACE_INTERRUPT: return address < 32 ? x86_vector_name((unsigned)address) : NULL;
    case TRACE_MSR: return address <= UINT32_MAX ? x86_msr_name((uint32_t)address) : NULL;
    default: return NULL;
    }
}

static int
run_trace(const struct args *args)
{
    const struct view_ops *view = args_flag(args, "stats") ? &view_stats : &view_table;
    struct view_options options = {
        .out = stdout,
        .no_times = args_flag(args, "no-times"),
        .name = address_name,
    };
    struct trace trace;
    struct error err = {""};

    if (args_number(args, "from", &options.from, &err) ||
        args_number(args, "limit", &options.limit, &err) ||
        trace_open(&trace, args->word[0], err.message, sizeof(err.message)))
        return cli_error(STATUS_USER, "%s", err.message);
    int rc = view_run(view, &trace, &options, err.message, sizeof(err.message));
    trace_close(&trace);
    return rc ? cli_error(STATUS_USER, "%s", err.message) : STATUS_OK;
}

static const struct option_desc options[] = {
    {"stats", 's', NULL, "For each reason how often, how long, and where from."},
    {"from", 'f', "N", "Begin with exit N. Exits are numbered from 1."},
    {"limit", 'n', "N", "Show N exits, each with what follows it."},
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
            "runs until the guest is entered again.\n",
    .options = {options},
    .run = run_trace,
};
