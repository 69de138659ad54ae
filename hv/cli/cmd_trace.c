/*
 * cmd_trace.c - `hv trace FILE`: a recording as text, as statistics, for other programs, or as a
 * page that plays it.
 *
 * Called by main.c through command_trace. The work is done in tracer/: view.c, view_*.c, player.c;
 * names that the tracer cannot know come from hv/debugger/recording.c.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/compare_two.h"
#include "cli/export.h"
#include "debugger/recording.h"
#include "debugger/source.h"
#include "tracer/player.h"

/* --- the player --------------------------------------------------------------------------------- */

/* player.h's source_context: where lines and files of the guest's source are found. */
struct source {
    struct symbols *symbols;
    const char *folders; /* NULL: only the present one */
};

static bool
source_line_of(void *context, uint64_t rip, const char **file, int *line)
{
    struct source *source = context;

    return source->symbols && symbols_line(source->symbols, rip, file, line);
}

static FILE *
source_file(void *context, const char *file)
{
    struct source *source = context;

    return source_open(source->folders, file);
}

static int
write_player(const struct args *args, const struct trace *trace, const struct view_options *view,
             struct symbols *symbols, struct error *err)
{
    struct source source = {symbols, args_value(args, "directory")};
    struct player_options options = {*view, source_line_of, source_file, &source};
    struct player_result result;

    options.view.title = args_value(args, "title");
    int rc = player_write(trace, &options, args_value(args, "html"), &result, err->message,
                          sizeof(err->message));
    if (rc == 0 && result.no_picture)
        fprintf(stderr, "hv: the page has no state picture: %s\n", result.why);
    if (rc == 0 && result.cut)
        fprintf(stderr,
                "hv: the page holds exits %" PRIu64 " to %" PRIu64 " of %" PRIu64
                "; others: --range A:B\n",
                result.first, result.last, trace->exits);
    return rc;
}

/* --- the command -------------------------------------------------------------------------------- */

/* With the recording open. */
static int
show(const struct args *args, unsigned format, const struct trace *trace,
     struct view_options *options, struct error *err)
{
    struct symbols *symbols;
    int rc = recording_symbols(&symbols, trace, args_value(args, "symbols"), err);

    if (rc == 0 && err->message[0])
        fprintf(stderr, "hv: %s\n", err->message);
    recording_view(options, trace, symbols);
    if (rc == 0 && args_value(args, "html"))
        rc = write_player(args, trace, options, symbols, err);
    else if (rc == 0)
        rc = export_write(args, format, trace, options, err);
    symbols_close(symbols);
    return rc;
}

static int
run_trace(const struct args *args)
{
    struct view_options options = {
        .out = stdout,
        .no_times = args_flag(args, "no-times"),
    };
    struct trace trace;
    struct error err = {""};
    unsigned format;

    if (args_flag(args, "diff"))
        return compare_two(args, false);
    if (args->words > 1)
        return cli_error(STATUS_USER, "two recordings are compared with --diff");
    if (export_choose(args, &format, &err) ||
        args_range(args, &options.from, &options.limit, &err) ||
        trace_open(&trace, args->word[0], err.message, sizeof(err.message)))
        return cli_error(STATUS_USER, "%s", err.message);
    int rc = show(args, format, &trace, &options, &err);
    trace_close(&trace);
    return rc ? cli_error(STATUS_USER, "%s", err.message) : STATUS_OK;
}

static const struct option_desc options[] = {
    {"stats", 's', NULL, "For each reason how often, how long, and where from."},
    {"diff", 0, NULL, "Compare two recordings: what is new, gone, more or less frequent."},
    {"json", 0, NULL, "With --stats: as JSON, times in nanoseconds."},
    {"format", 0, "FORMAT", "text (the table), csv, jsonl, chrome or ctf."},
    {"output", 'o', "OUT", "Write there; for ctf it is a folder. Without it: stdout."},
    {"html", 0, "OUT", "Write a page that plays the recording in a browser."},
    {"range", 'r', "A:B", "Show exits A to B, each with what follows it. They begin with 1."},
    {"from", 'f', "N", "Begin with exit N."},
    {"limit", 'n', "N", "Show N exits."},
    {"symbols", 0, "FILE", "Take the names of addresses from this ELF file."},
    {"directory", 0, "DIR:...", "For --html: folders with the guest's source, if it is not here."},
    {"title", 0, "TEXT", "For --html: the heading, instead of the guest's name and the engine's."},
    {"no-times", 0, NULL, "Leave out all times: what is left is the same in every run."},
    {NULL},
};

const struct command command_trace = {
    .name = "trace",
    .words = "FILE [FILE]",
    .min = 1,
    .max = 2,
    .summary = "Print a recording: one line an event, or statistics; or export it.",
    .text = "FILE was made with 'hv run --trace FILE'; it can be read while it is recorded, and\n"
            "after hv was killed. Lines between two exits belong to the first of them. On a\n"
            "terminal they are cut at its width ('>'); in a pipe or a file they are whole.\n\n"
            "Times are microseconds since the recording began. With --stats the time of an exit\n"
            "runs until the guest is entered again. Addresses get their names from the guest's\n"
            "file, if it is where it was.\n\n"
            "Formats for other programs:\n\n"
            "  csv       one line an event, for spreadsheets (RFC 4180)\n"
            "  jsonl     one JSON object a line\n"
            "  chrome    JSON for ui.perfetto.dev and chrome://tracing: a track for each part,\n"
            "            an arrow for each exit\n"
            "  ctf       a folder in the Common Trace Format 1.8, for babeltrace2\n\n"
            "  hv trace --format chrome -o t.json t.hvt\n"
            "  hv trace --format ctf -o t.ctf t.hvt && babeltrace2 t.ctf\n\n"
            "With --diff two recordings are compared, be it two strategies, or before and after a\n"
            "change: hv trace --diff A B is the table, hv graph --diff A B the picture.\n\n"
            "With --html the recording becomes one page that needs no network: step through it\n"
            "exit by exit, with the state picture, the ladder, the card of each exit and the\n"
            "guest's source. A page holds some 400,000 events: of a longer recording choose with\n"
            "--range. '#exit=123' behind its address opens it at exit 123. For example:\n\n"
            "  hv run --trace t.hvt minios\n"
            "  hv trace t.hvt --html t.html\n",
    .options = {options},
    .run = run_trace,
};
