/*
 * cmd_trace.c - `hv trace FILE`: a recording as text, line by line or as statistics.
 *
 * Called by main.c through command_trace. The work is done in tracer/: view.c and view_*.c. Here
 * names are added that the tracer cannot know: the processor's, and those of the guest's symbols.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "isa/x86/cpu.h"
#include "loader/symbols.h"
#include "strategy/paravirt/paravirt.h"
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

/* The same where the strategy is paravirt: hypercalls have names, and vectors from 32 are events. */
static const char *
paravirt_name(unsigned kind, uint64_t address)
{
    if (kind == TRACE_HYPERCALL)
        return address < HC_COUNT ? paravirt_hypercalls[address].name : NULL;
    if (kind == TRACE_INJECT && address == HC_EVENT_TRAP + HC_EVENT_TIMER)
        return "event timer";
    if (kind == TRACE_INJECT && address == HC_EVENT_TRAP + HC_EVENT_CONSOLE)
        return "event console";
    return address_name(kind, address);
}

/* view.h's resolve: a name, or nothing where symbols_format() would repeat the number. */
static void
resolve(void *context, uint64_t rip, char *text, size_t size)
{
    struct symbols *symbols = context;
    uint64_t offset;

    text[0] = 0;
    if (symbols_name(symbols, rip, &offset))
        symbols_format(symbols, rip, text, size);
}

/* Is it the file that the guest was started from? Its build-id tells, if it had one. */
static bool
is_recorded_guest(const struct symbols *symbols, const struct trace *trace)
{
    char build_id[64];

    symbols_build_id(symbols, build_id, sizeof(build_id));
    return !strcmp(build_id, trace->build_id);
}

/* The recording may come from anywhere, and so may the path in it: only a regular file is opened,
 * and one without symbols, or none at all, leaves the addresses without names. So does a guest
 * that was built again since: wrong names are worse than none. */
static int
open_symbols(struct symbols **symbols, const struct args *args, const struct trace *trace,
             struct error *err)
{
    const char *path = args_value(args, "symbols");
    struct stat st;

    *symbols = NULL;
    if (path)
        return symbols_open(path, symbols, err);
    if (trace->guest[0] && stat(trace->guest, &st) == 0 && S_ISREG(st.st_mode))
        symbols_open(trace->guest, symbols, NULL);
    if (*symbols && !is_recorded_guest(*symbols, trace)) {
        fprintf(stderr,
                "hv: '%s' is another build than the recorded one: addresses stay without names "
                "(--symbols FILE takes them from FILE)\n",
                trace->guest);
        symbols_close(*symbols);
        *symbols = NULL;
    }
    return 0;
}

static int
run_trace(const struct args *args)
{
    const struct view_ops *view = args_flag(args, "stats") ? &view_stats : &view_table;
    struct view_options options = {
        .out = stdout,
        .no_times = args_flag(args, "no-times"),
        .resolve = resolve,
        .name = address_name,
    };
    struct symbols *symbols;
    struct trace trace;
    struct error err = {""};

    if (args_number(args, "from", &options.from, &err) ||
        args_number(args, "limit", &options.limit, &err) ||
        trace_open(&trace, args->word[0], err.message, sizeof(err.message)))
        return cli_error(STATUS_USER, "%s", err.message);
    int rc = open_symbols(&symbols, args, &trace, &err);
    if (!strcmp(trace.strategy, "paravirt"))
        options.name = paravirt_name;
    options.context = symbols;
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
