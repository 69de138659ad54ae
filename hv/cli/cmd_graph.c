/*
 * cmd_graph.c - `hv graph VIEW FILE -o OUT`: a recording as a picture.
 *
 * Called by main.c through command_graph. The text of a picture is made in tracer/view_*.c;
 * tracer/dot.c runs Graphviz on it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/compare_two.h"
#include "cli/progress.h"
#include "debugger/recording.h"
#include "tracer/dot.h"

/* The view that is named; with one word it is the state picture. */
static const struct view_ops *
find_view(const struct args *args, struct error *err)
{
    const char *name = args->words > 1 ? args->word[0] : view_state.name;
    const struct view_ops *view = view_find(name);
    const char *names[16];
    unsigned count = 0;

    if (view && view->form != VIEW_TEXT)
        return view;
    for (unsigned i = 0; views[i] && count < ARRAY_SIZE(names); i++)
        if (views[i]->form != VIEW_TEXT)
            names[count++] = views[i]->name;
    const char *near = nearest_name(name, names, count);
    error_set(err, EINVAL, "'%s' is no picture%s%s%s; 'hv graph --help' names them", name,
              near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

/* --exit N is --range N:N. */
static int
parse_range(const struct args *args, struct view_options *o, struct error *err)
{
    if (!args_value(args, "exit"))
        return args_range(args, &o->from, &o->limit, err);
    o->limit = 1;
    return args_number(args, "exit", &o->from, err);
}

static int
parse_axis(const struct args *args, struct view_options *o, struct error *err)
{
    const char *axis = args_value(args, "axis");

    if (axis && strcmp(axis, "time") && strcmp(axis, "exit"))
        return error_set(err, EINVAL, "--axis '%s' is neither time nor exit", axis);
    o->time_axis = axis && !strcmp(axis, "time");
    return 0;
}

static int
parse_by(const struct args *args, struct view_options *o, struct error *err)
{
    static const char *const names[] = {"reason", "rip", "symbol", "device"};
    const char *by = args_value(args, "by");

    for (unsigned i = 0; by && i < ARRAY_SIZE(names); i++)
        if (!strcmp(by, names[i])) {
            o->by = i;
            return 0;
        }
    return by ? error_set(err, EINVAL, "--by '%s' is none of reason, rip, symbol, device", by) : 0;
}

/* One reason, of `length` letters, as the recording names it. */
static int
add_reason(const struct trace *trace, const char *name, size_t length, bool *only,
           struct error *err)
{
    const char *names[TRACE_KIND_MAX];
    unsigned count = 0;
    char typed[64];

    snprintf(typed, sizeof(typed), "%.*s", length < 60 ? (int)length : 60, name);
    for (unsigned k = 0; k < trace->kinds; k++) {
        if (trace->kind[k].class != TRACE_CLASS_EXIT)
            continue;
        names[count++] = trace->kind[k].name;
        if (strcmp(typed, trace->kind[k].name))
            continue;
        only[k] = true;
        return 0;
    }
    const char *near = nearest_name(typed, names, count);
    return error_set(err, EINVAL, "--filter: there is no exit '%s'%s%s%s", typed,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* --filter io,mmio. Fills only[], TRACE_KIND_MAX of them. */
static int
parse_filter(const struct args *args, const struct trace *trace, struct view_options *o, bool *only,
             struct error *err)
{
    const char *list = args_value(args, "filter");

    memset(only, 0, TRACE_KIND_MAX * sizeof(*only));
    while (list && *list) {
        size_t length = strcspn(list, ",");
        int rc = add_reason(trace, list, length, only, err);
        if (rc)
            return rc;
        o->only = only;
        list += length + (list[length] == ',');
    }
    return 0;
}

/* With the recording open. */
static int
draw(const struct args *args, const struct view_ops *view, struct view_options *options,
     const struct trace *trace, struct error *err)
{
    const char *out = args_value(args, "output");
    bool only[TRACE_KIND_MAX];
    struct progress progress;
    struct symbols *symbols;
    int rc = parse_filter(args, trace, options, only, err);

    if (rc)
        return rc;
    rc = recording_symbols(&symbols, trace, args_value(args, "symbols"), err);

    if (rc == 0 && err->message[0])
        fprintf(stderr, "hv: %s\n", err->message);
    recording_view(options, trace, symbols);
    progress_begin(&progress, "drawing");
    options->progress = progress_say;
    options->progress_context = &progress;
    if (rc == 0 && out)
        rc = dot_write(view, trace, options, out, err->message, sizeof(err->message));
    else if (rc == 0)
        rc = view_run(view, trace, options, err->message, sizeof(err->message));
    progress_end(&progress);
    symbols_close(symbols);
    return rc;
}

static int
run_graph(const struct args *args)
{
    struct view_options options = {
        .out = stdout,
        .no_times = args_flag(args, "no-times"),
        .title = args_value(args, "title"),
    };
    struct trace trace;
    struct error err = {""};

    if (args_flag(args, "diff"))
        return compare_two(args, true);
    const struct view_ops *view = find_view(args, &err);

    if (!view || parse_range(args, &options, &err) || parse_axis(args, &options, &err) ||
        parse_by(args, &options, &err) ||
        trace_open(&trace, args->word[args->words - 1], err.message, sizeof(err.message)))
        return cli_error(STATUS_USER, "%s", err.message);
    if (args_value(args, "output"))
        signal(SIGPIPE, SIG_IGN); /* a dot that went away is a failed write */
    int rc = draw(args, view, &options, &trace, &err);
    trace_close(&trace);
    return rc ? cli_error(STATUS_USER, "%s", err.message) : STATUS_OK;
}

static const struct option_desc options[] = {
    {"output", 'o', "OUT", "The picture: .svg, .png, .pdf or .dot. Without it: DOT on stdout."},
    {"range", 'r', "A:B", "Draw exits A to B, each with what follows it. They begin with 1."},
    {"from", 'f', "N", "Begin with exit N."},
    {"limit", 'n', "N", "Draw N exits."},
    {"diff", 0, NULL, "Draw two recordings, A and B, in one state picture: what changed."},
    {"exit", 'x', "N", "Draw exit N alone: for card."},
    {"filter", 0, "REASON,...", "Draw only exits for these reasons, and what followed them."},
    {"by", 0, "WHAT", "state, flame: tell exits apart by rip, symbol or device too (reason)."},
    {"axis", 0, "AXIS", "ladder: 'exit' numbers at its side, or 'time'."},
    {"symbols", 0, "FILE", "Take the names of addresses from this ELF file."},
    {"title", 0, "TEXT", "The heading, instead of the guest's name and the engine's."},
    {"no-times", 0, NULL, "Leave out all times: what is left is the same in every run."},
    {NULL},
};

const struct command command_graph = {
    .name = "graph",
    .words = "[VIEW] FILE, or --diff FILE FILE",
    .min = 1,
    .max = 2,
    .summary = "Draw a recording: who handed control to whom, why, how often, at what cost.",
    .text = "FILE was made with 'hv run --trace FILE'. VIEW is one of\n\n"
            "  state     (without VIEW) the guest, the VMM and its devices; an arrow is one\n"
            "            reason why control moves, wider if it takes more of the time\n"
            "  ladder    a sequence diagram: one transfer below the other, repeats collapsed\n"
            "  card      one exit in full: where, why, who handled it, what it cost\n"
            "  timeline  the run from left to right: where control was, how often the guest\n"
            "            came out\n"
            "  flame     exits by domain, reason and function of the guest, as a flame graph\n\n"
            "Exits have the same numbers as in 'hv trace'. For example:\n\n"
            "  hv run --trace t.hvt minios\n"
            "  hv graph t.hvt -o state.svg\n"
            "  hv graph state --by symbol --filter io,hlt t.hvt -o symbols.svg\n"
            "  hv graph ladder --range 10:20 t.hvt -o ladder.svg\n"
            "  hv graph --diff before.hvt after.hvt -o diff.svg\n"
            "  hv graph card --exit 12 t.hvt -o card.svg\n\n"
            "Most pictures are made by the program dot of the package graphviz. If it is missing\n"
            "or fails, its input is kept in OUT.dot. timeline and flame need nothing, and are\n"
            "always .svg; a ladder of more than 200 rows is whole only as .svg.\n",
    .options = {options},
    .run = run_graph,
};
