/*
 * commands_output.c - what leaves the session: the recording, pictures, lines of text.
 *
 * Called through table.c. Next: printf.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/command.h"
#include "debugger/escape.h"
#include "debugger/graph.h"
#include "debugger/printf.h"
#include "debugger/session.h"

static int
run_trace_on(struct debugger *debugger, const char *arguments, struct error *err)
{
    if (*arguments)
        return error_set(err, EINVAL, "'trace on' takes no arguments");
    debugger->session->tracing = true;
    return 0;
}

static int
run_trace_off(struct debugger *debugger, const char *arguments, struct error *err)
{
    if (*arguments)
        return error_set(err, EINVAL, "'trace off' takes no arguments");
    debugger->session->tracing = false;
    return 0;
}

static int
run_trace_save(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct trace own, *trace;
    bool close;
    int rc;

    if (!*arguments)
        return error_set(err, EINVAL, "save the recording where? 'trace save boot.hvt'");
    if ((rc = machine_trace(debugger->machine, &own, &trace, &close, err)))
        return rc;
    rc = trace_save(trace, arguments, err->message, sizeof(err->message));
    if (!rc)
        fprintf(debugger->out, "%s: %" PRIu64 " exits\n", arguments, trace->exits);
    if (close)
        trace_close(trace);
    return rc;
}

static int
run_echo(struct debugger *debugger, const char *arguments, struct error *err)
{
    uint8_t bytes[LINE_LONGEST];
    size_t count;
    int rc = unescape(arguments, bytes, sizeof(bytes), &count, err);

    if (rc)
        return rc;
    fwrite(bytes, 1, count, debugger->out);
    fputc('\n', debugger->out);
    return 0;
}

/* clang-format off */
static const struct debug_command trace_table[] = {
    {"on", NULL, "output", "", "Print a line for each exit as it happens", NULL,
     "trace on", COMPLETE_NOTHING, COMMAND_LIVE, NULL, run_trace_on},
    {"off", NULL, "output", "", "Print no more lines", NULL,
     "trace off", COMPLETE_NOTHING, COMMAND_LIVE, NULL, run_trace_off},
    {"save", NULL, "output", "FILE", "Keep the recording of the run so far",
     "'hv trace FILE' reads it, and 'hv debug --trace FILE' walks through it.",
     "trace save boot.hvt", COMPLETE_FILE, 0, NULL, run_trace_save},
    {0},
};

const struct debug_command commands_output[] = {
    {"trace", NULL, "output", "on|off|save FILE", "Print exits as they happen, or keep the recording", NULL,
     "trace on", COMPLETE_SUBCOMMAND, 0, trace_table, NULL},
    {"graph", NULL, "output", "state|ladder|card ...", "Draw the run so far, and print the picture's file name", NULL,
     "graph card", COMPLETE_SUBCOMMAND, 0, commands_graph, NULL},
    {"echo", NULL, "output", "TEXT", "Print a line; TEXT has C's escapes", NULL,
     "echo here we are", COMPLETE_NOTHING, 0, NULL, run_echo},
    {"printf", NULL, "output", "\"FORMAT\", EXPRESSION...", "Print values",
     "%d %i %u %x %o %c print a value, %p one with 0x, %s the guest's string at an\n"
     "address; flags and a width as in C.",
     "printf \"%d: %s\\n\", $exit, $rdi", COMPLETE_EXPRESSION, 0, NULL, debug_printf},
    {0},
};
/* clang-format on */
