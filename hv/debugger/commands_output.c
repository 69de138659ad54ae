/*
 * commands_output.c - what leaves the session: the recording, pictures, lines of text.
 *
 * Called through table.c. Next: printf.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/command.h"
#include "debugger/escape.h"
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
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, COMPLETE_NOTHING, 0, NULL, NULL},
};

const struct debug_command commands_output[] = {
    {"trace", NULL, "output", "on|off|save FILE", "Print exits as they happen, or keep the recording", NULL,
     "trace on", COMPLETE_SUBCOMMAND, 0, trace_table, NULL},
    {"echo", NULL, "output", "TEXT", "Print a line; TEXT has C's escapes", NULL,
     "echo here we are", COMPLETE_NOTHING, 0, NULL, run_echo},
    {"printf", NULL, "output", "\"FORMAT\", EXPRESSION...", "Print values",
     "%d %i %u %x %o %c print a value, %p one with 0x, %s the guest's string at an\n"
     "address; flags and a width as in C.",
     "printf \"%d: %s\\n\", $exit, $rdi", COMPLETE_EXPRESSION, 0, NULL, debug_printf},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, COMPLETE_NOTHING, 0, NULL, NULL},
};
/* clang-format on */
