/*
 * cmd_graph.c - `hv graph FILE -o OUT`: a picture of who handed control to whom.
 *
 * Called by main.c through command_graph. The text of the picture is made in tracer/view_state.c;
 * tracer/dot.c runs Graphviz on it.
 */
#include <stdio.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "tracer/dot.h"

static int
run_graph(const struct args *args)
{
    const char *out = args_value(args, "output");
    struct view_options options = {
        .out = stdout,
        .no_times = args_flag(args, "no-times"),
        .title = args_value(args, "title"),
    };
    struct trace trace;
    struct error err = {""};
    int rc;

    if (args_number(args, "from", &options.from, &err) ||
        args_number(args, "limit", &options.limit, &err) ||
        trace_open(&trace, args->word[0], err.message, sizeof(err.message)))
        return cli_error(STATUS_USER, "%s", err.message);
    if (out)
        rc = dot_write(&view_state, &trace, &options, out, err.message, sizeof(err.message));
    else
        rc = view_run(&view_state, &trace, &options, err.message, sizeof(err.message));
    trace_close(&trace);
    return rc ? cli_error(STATUS_USER, "%s", err.message) : STATUS_OK;
}

static const struct option_desc options[] = {
    {"output", 'o', "OUT", "The picture: .svg, .png, .pdf or .dot. Without it: DOT on stdout."},
    {"from", 'f', "N", "Begin with exit N. Exits are numbered from 1."},
    {"limit", 'n', "N", "Draw N exits, each with what follows it."},
    {"title", 0, "TEXT", "The heading, instead of the guest's name and the engine's."},
    {"no-times", 0, NULL, "Leave out all times: what is left is the same in every run."},
    {NULL},
};

const struct command command_graph = {
    .name = "graph",
    .words = "FILE",
    .min = 1,
    .max = 1,
    .summary = "Draw a recording: who handed control to whom, why, how often, at what cost.",
    .text = "FILE was made with 'hv run --trace FILE'. The picture shows the guest, the VMM and\n"
            "its devices; an arrow is one reason why control moves, wider if it takes more of\n"
            "the time. Exits have the same numbers as in 'hv trace': point at an arrow of the\n"
            "SVG to see where its first one is.\n\n"
            "Pictures are made by the program dot of the package graphviz.\n",
    .options = {options},
    .run = run_graph,
};
