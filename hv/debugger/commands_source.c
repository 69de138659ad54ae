/*
 * commands_source.c - the commands about the guest's source: list, backtrace, and steps by line.
 *
 * Called through table.c. Next: source_step.c, stack.c, source_list.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "debugger/command.h"
#include "debugger/display.h"
#include "debugger/source.h"
#include "debugger/source_step.h"
#include "debugger/values.h"
#include "loader/symbols.h"

/* --- steps ---------------------------------------------------------------------------------------- */

typedef int step_fn(struct debugger *debugger, enum source_step how, struct stop *stop,
                    struct error *err);

/* N times, or until something else stops the machine. */
static int
steps(struct debugger *debugger, const char *arguments, step_fn *step, enum source_step how,
      struct error *err)
{
    struct stop stop = {.why = STOP_DONE};
    uint64_t count;
    int rc = debug_count(debugger, arguments, &count, err);

    /* There is no next line, and looking for it would never end. */
    if (!rc && !symbols_file(debugger->machine->symbols, 0))
        return error_set(err, ENOENT,
                         "this guest comes without lines of source: 'stepi' steps by instruction, "
                         "'stepexit' by exit");
    while (!rc && count-- && stop.why == STOP_DONE)
        rc = step(debugger, how, &stop, err);
    if (!rc)
        debugger_stopped(debugger, &stop);
    return rc;
}

static int
run_step(struct debugger *debugger, const char *arguments, struct error *err)
{
    return steps(debugger, arguments, source_forward, SOURCE_INTO, err);
}

static int
run_next(struct debugger *debugger, const char *arguments, struct error *err)
{
    return steps(debugger, arguments, source_forward, SOURCE_OVER, err);
}

static int
run_reverse_step(struct debugger *debugger, const char *arguments, struct error *err)
{
    return steps(debugger, arguments, source_backward, SOURCE_INTO, err);
}

static int
run_reverse_next(struct debugger *debugger, const char *arguments, struct error *err)
{
    return steps(debugger, arguments, source_backward, SOURCE_OVER, err);
}

static int
run_until(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct stop_point place = {.size = 1, .kind = STOP_EXECUTE};
    const struct go go = {.place = &place};

    if (!*arguments)
        return steps(debugger, "", source_forward, SOURCE_UNTIL, err);
    int rc = expr_location(debugger, arguments, &place.address, err);
    return rc ? rc : debugger_go_and_show(debugger, &go, err);
}

/* --- finish --------------------------------------------------------------------------------------- */

static int
run_finish(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct symbols_frame frame;
    struct stop stop;
    char text[512];
    int rc = stack_first(debugger, &frame, err);

    if (!rc && *arguments)
        rc = error_set(err, EINVAL, "finish takes no arguments");
    if (rc)
        return rc;
    fprintf(debugger->out, "Run till exit from %s\n",
            stack_format(debugger, &frame, text, sizeof(text)));
    rc = source_finish(debugger, &stop, err);
    if (rc)
        return rc;
    debugger_stopped(debugger, &stop);
    struct value value;
    /* What a C function returns is in rax (System V psABI, 3.2.3); its type is not known here. */
    if (stop.why == STOP_DONE && !expr_evaluate_all(debugger, "$rax", &value, NULL)) {
        unsigned number = values_push(debugger->values, &value);
        fprintf(debugger->out, "Value returned, if any: $%u = %s\n", number,
                format_value(debugger, &value, 0, text, sizeof(text)));
    }
    return 0;
}

static int
run_reverse_finish(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct stop stop = {.why = STOP_DONE};
    int rc = *arguments ? error_set(err, EINVAL, "reverse-finish takes no arguments")
                        : source_back_to_call(debugger, &stop, err);

    if (!rc)
        debugger_stopped(debugger, &stop);
    return rc;
}

/* --- the rest ------------------------------------------------------------------------------------- */

static int
run_backtrace(struct debugger *debugger, const char *arguments, struct error *err)
{
    uint64_t count = 64;
    int rc = *arguments ? debug_count(debugger, arguments, &count, err) : 0;

    return rc ? rc : stack_print(debugger, count, err);
}

static int
run_directory(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct displays *d = debugger->displays;
    char *list = NULL;

    if (*arguments && asprintf(&list, "%s%s%s", arguments, d->directories ? ":" : "",
                               d->directories ? d->directories : "") < 0)
        return error_set(err, ENOMEM, "no memory for a folder's name");
    free(d->directories);
    d->directories = list;
    source_forget(d);
    fprintf(debugger->out, "Sources are looked for in the present folder%s%s.\n",
            list ? ", then in " : "", list ? list : "");
    return 0;
}

/* FILE [-o OFFSET] */
static int
run_add_symbol_file(struct debugger *debugger, const char *arguments, struct error *err)
{
    const char *option = strstr(arguments, " -o ");
    struct value offset = {0};
    char path[4096];
    size_t length = option ? (size_t)(option - arguments) : strlen(arguments);

    if (!length || length >= sizeof(path))
        return error_set(err, EINVAL, "say which file: add-symbol-file build/guests/apps/sh");
    if (!debugger->machine->symbols)
        return error_set(err, ENOTSUP, "no symbols can be added: the guest's own file has none");
    memcpy(path, arguments, length);
    path[length] = 0;
    int rc = option ? expr_evaluate_all(debugger, option + 4, &offset, err) : 0;
    return rc ? rc : symbols_add(debugger->machine->symbols, path, offset.bits, err);
}

/* clang-format off */
const struct debug_command commands_source[] = {
    {"step", "s", "source line", "[N]", "Go on to another line of source, into functions",
     "Functions without lines are stepped over; so are interrupts.",
     "step 3", COMPLETE_NOTHING, COMMAND_REPEATS | COMMAND_LIVE, NULL, run_step},
    {"next", "n", "source line", "[N]", "Go on to another line of this function, or its caller's",
     NULL, "next", COMPLETE_NOTHING, COMMAND_REPEATS | COMMAND_LIVE, NULL, run_next},
    {"until", "u", "source line", "[LOCATION]", "As next, but not back to an earlier line",
     "Leaves a loop at its end. With a location: goes on to it.",
     "until", COMPLETE_LOCATION, COMMAND_REPEATS | COMMAND_LIVE, NULL, run_until},
    {"finish", "fin", "source line", "", "Go on until the present function returns",
     NULL, "finish", COMPLETE_NOTHING, COMMAND_REPEATS | COMMAND_LIVE, NULL, run_finish},
    {"reverse-step", "rs", "source line", "[N]", "Go back to the beginning of the line before",
     NULL, "reverse-step", COMPLETE_NOTHING, COMMAND_REPEATS | COMMAND_LIVE | COMMAND_BACK, NULL,
     run_reverse_step},
    {"reverse-next", "rn", "source line", "[N]", "The same, over functions that were called",
     NULL, "reverse-next", COMPLETE_NOTHING, COMMAND_REPEATS | COMMAND_LIVE | COMMAND_BACK, NULL,
     run_reverse_next},
    {"reverse-finish", NULL, "source line", "", "Go back to where the present function was called",
     NULL, "reverse-finish", COMPLETE_NOTHING, COMMAND_REPEATS | COMMAND_LIVE | COMMAND_BACK, NULL,
     run_reverse_finish},
    {"list", "l", "look", "[LOCATION|FROM,TO|-]", "Show lines of the guest's source",
     "Without arguments: around the guest, then on; `-`: the lines before. The\n"
     "sources are looked for in the present folder and where `directory` says.",
     "list kmain", COMPLETE_LOCATION, COMMAND_ADVANCES, NULL, source_list},
    {"backtrace", "bt,where", "look", "[N]", "Show which function called which",
     "Across interrupts, if the guest's file tells (call frame information).",
     "backtrace 5", COMPLETE_NOTHING, COMMAND_LIVE, NULL, run_backtrace},
    {"directory", NULL, "look", "[FOLDER]", "Look for sources in this folder, too; none: in no other",
     NULL, "directory ../hv", COMPLETE_FILE, 0, NULL, run_directory},
    {"add-symbol-file", "symbol-file", "look", "FILE [-o OFFSET]",
     "Know another file's symbols and lines, too: a user's program",
     "What the guest's own file knows comes first. OFFSET is added to all addresses.",
     "add-symbol-file build/guests/apps/sh", COMPLETE_FILE, 0, NULL, run_add_symbol_file},
    {0},
};
/* clang-format on */
