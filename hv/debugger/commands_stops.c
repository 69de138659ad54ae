/*
 * commands_stops.c - the commands that make stops, and those that change them.
 *
 * Called through table.c. Next: stops.c; the catchpoints are in commands_catch.c.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/catch.h"
#include "debugger/command.h"
#include "debugger/session.h"
#include "debugger/stops.h"
#include "loader/symbols.h"

/* --- what all of them share ------------------------------------------------------------------- */

/* "PLACE if EXPRESSION": cuts text before "if" and returns the expression; NULL: there is none. */
char *
stops_split_condition(char *text)
{
    for (char *at = text; (at = strstr(at, "if")); at += 2) {
        bool begins = at == text || isspace((unsigned char)at[-1]);
        if (!begins || (at[2] != '(' && !isspace((unsigned char)at[2]) && at[2]))
            continue;
        char *end = at;
        while (end > text && isspace((unsigned char)end[-1]))
            end--;
        at += 2;
        at += strspn(at, " \t");
        *end = 0;
        return at;
    }
    return NULL;
}

/* Is the expression one? What it needs may not be there yet: only nonsense is refused. */
static int
set_condition(struct debugger *debugger, struct stop_entry *entry, const char *text,
              struct error *err)
{
    struct value value;
    struct error why;
    char *copy;

    if (!*text)
        return error_set(err, EINVAL, "a condition is an expression: 'if $rax == 0'");
    if (expr_evaluate_all(debugger, text, &value, &why) == -EINVAL)
        return error_set(err, EINVAL, "%s", why.message);
    if (!(copy = strdup(text)))
        return error_set(err, ENOMEM, "no memory for a condition");
    free(entry->condition);
    entry->condition = copy;
    return 0;
}

/* What an expression watches is not seen in it: `watch $rsp` is memory, at the address in rsp. */
static void
print_watched(FILE *out, const struct stop_entry *entry)
{
    fprintf(out, " (%" PRIu64 " byte%s at 0x%" PRIx64 ")", entry->size, entry->size == 1 ? "" : "s",
            entry->address);
}

int
stops_finish(struct debugger *debugger, struct stop_entry *entry, const char *condition,
             struct error *err)
{
    char place[128];
    int rc = condition ? set_condition(debugger, entry, condition, err) : 0;

    if (rc) {
        stops_delete(debugger->stops, entry);
        debugger->stops->last--;
        return rc;
    }
    fprintf(debugger->out, "%s %u%s", stops_type_name(entry->type), entry->number,
            entry->once ? " (once)" : "");
    if (entry->type <= BREAK_HARD)
        fprintf(debugger->out, " at %s",
                symbols_format(debugger->machine->symbols, entry->address, place, sizeof(place)));
    else
        fprintf(debugger->out, ": %s", entry->what);
    if (entry->type >= WATCH_WRITE && entry->type <= WATCH_ACCESS)
        print_watched(debugger->out, entry);
    fputc('\n', debugger->out);
    return 0;
}

/* --- break, tbreak, hbreak -------------------------------------------------------------------- */

static int
present_address(struct debugger *debugger, uint64_t *address, struct error *err)
{
    struct x86_regs regs;
    int rc = debugger->machine->ops->get_regs(debugger->machine, &regs, err);

    if (!rc)
        *address = regs.seg[X86_CS].base + regs.rip;
    return rc;
}

static int
add_break(struct debugger *debugger, const char *arguments, enum stop_type type, bool once,
          struct error *err)
{
    char *text = strdup(arguments), *condition = text ? stops_split_condition(text) : NULL;
    struct stop_entry *entry = NULL;
    uint64_t address = 0;
    int rc;

    if (!text)
        return error_set(err, ENOMEM, "no memory for a stop");
    rc = *text ? expr_location(debugger, text, &address, err)
               : present_address(debugger, &address, err);
    if (!rc && !(entry = stops_add(debugger->stops, type, *text ? text : "here", err)))
        rc = -ENOSPC;
    if (!rc) {
        entry->address = address;
        entry->size = 1;
        entry->once = once;
        rc = stops_finish(debugger, entry, condition, err);
    }
    free(text);
    return rc;
}

static int
run_break(struct debugger *debugger, const char *arguments, struct error *err)
{
    return add_break(debugger, arguments, BREAK_SOFT, false, err);
}

static int
run_tbreak(struct debugger *debugger, const char *arguments, struct error *err)
{
    return add_break(debugger, arguments, BREAK_SOFT, true, err);
}

static int
run_hbreak(struct debugger *debugger, const char *arguments, struct error *err)
{
    return add_break(debugger, arguments, BREAK_HARD, false, err);
}

/* --- watch, rwatch, awatch -------------------------------------------------------------------- */

static int
add_watch(struct debugger *debugger, const char *arguments, enum stop_type type, struct error *err)
{
    char *text = strdup(arguments), *condition = text ? stops_split_condition(text) : NULL;
    struct stop_entry *entry = NULL;
    uint64_t address = 0, size = 0;
    int rc;

    if (!text || !*text)
        rc = error_set(err, EINVAL,
                       "watch what? '*(uint32_t *)0x1000', or a name, or 'ADDRESS, "
                       "BYTES'");
    else
        rc = stops_parse_object(debugger, text, &address, &size, err);
    if (!rc && !(entry = stops_add(debugger->stops, type, text, err)))
        rc = -ENOSPC;
    if (!rc) {
        entry->address = address;
        entry->size = size;
        stops_remember_watched(debugger, entry);
        rc = stops_finish(debugger, entry, condition, err);
    }
    free(text);
    return rc;
}

static int
run_watch(struct debugger *debugger, const char *arguments, struct error *err)
{
    return add_watch(debugger, arguments, WATCH_WRITE, err);
}

static int
run_rwatch(struct debugger *debugger, const char *arguments, struct error *err)
{
    return add_watch(debugger, arguments, WATCH_READ, err);
}

static int
run_awatch(struct debugger *debugger, const char *arguments, struct error *err)
{
    return add_watch(debugger, arguments, WATCH_ACCESS, err);
}

/* --- changing them ---------------------------------------------------------------------------- */

/* The number at the start of *text, moves behind it and white space. */
static int
take_number(const char **text, uint64_t *number, struct error *err)
{
    char *end;

    if (!isdigit((unsigned char)**text))
        return error_set(err, EINVAL,
                         "'%.32s' is no number of a stop; 'info breakpoints' lists them", *text);
    errno = 0;
    *number = strtoull(*text, &end, 10);
    if (errno)
        return error_set(err, ERANGE, "there is no stop of that number");
    *text = end + strspn(end, " \t,");
    return 0;
}

static int
take_entry(struct debugger *debugger, const char **text, struct stop_entry **entry,
           struct error *err)
{
    uint64_t number;
    int rc = 0;

    /* Without a number: the one that was made last. */
    if (!**text && debugger->stops->count) {
        *entry = debugger->stops->entry[debugger->stops->count - 1];
        return 0;
    }
    if ((rc = take_number(text, &number, err)))
        return rc;
    *entry = stops_find(debugger->stops, number, err);
    return *entry ? 0 : -ENOENT;
}

static int
run_condition(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct stop_entry *entry;
    uint64_t number;
    int rc = take_number(&arguments, &number, err);

    if (rc || !(entry = stops_find(debugger->stops, number, err)))
        return rc ? rc : -ENOENT;
    if (*arguments)
        return set_condition(debugger, entry, arguments, err);
    free(entry->condition);
    entry->condition = NULL;
    fprintf(debugger->out, "%s %u now stops always\n", stops_type_name(entry->type), entry->number);
    return 0;
}

static int
run_ignore(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct stop_entry *entry;
    struct value value;
    uint64_t number;
    int rc = take_number(&arguments, &number, err);

    if (rc || !(entry = stops_find(debugger->stops, number, err)))
        return rc ? rc : -ENOENT;
    if (!*arguments)
        return error_set(err, EINVAL, "ignore how often? 'ignore %u 10'", entry->number);
    if ((rc = expr_evaluate_all(debugger, arguments, &value, err)))
        return rc;
    entry->ignore = value.bits;
    fprintf(debugger->out, "%s %u will be passed %" PRIu64 " times\n", stops_type_name(entry->type),
            entry->number, value.bits);
    return 0;
}

static int
run_commands(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct stop_entry *entry;
    int rc = take_entry(debugger, &arguments, &entry, err);
    char *empty;

    if (rc)
        return rc;
    if (debugger->script_depth && debugger->session->pending)
        return error_set(err, EINVAL, "'commands' does not work within the commands of a stop");
    if (!(empty = strdup("")))
        return error_set(err, ENOMEM, "no memory for commands");
    free(entry->commands);
    entry->commands = empty;
    debugger->session->collecting = entry->number;
    if (debugger->interactive)
        fprintf(debugger->out, "Lines to be executed when %u stops, one a line; 'end' ends them.\n",
                entry->number);
    return 0;
}

/* Calls `change` for each stop of "1 2 4-6". */
static int
each_entry(struct debugger *debugger, const char *text,
           void (*change)(struct stops *stops, struct stop_entry *entry), struct error *err)
{
    uint64_t from, to;

    while (*text) {
        int rc = take_number(&text, &from, err);
        if (rc)
            return rc;
        to = from;
        if (*text == '-') {
            text++;
            if ((rc = take_number(&text, &to, err)))
                return rc;
        }
        if (!stops_find(debugger->stops, from, err))
            return -ENOENT;
        for (uint64_t n = from; n <= to && n <= debugger->stops->last; n++) {
            struct stop_entry *entry = stops_find(debugger->stops, n, NULL);
            if (entry)
                change(debugger->stops, entry);
        }
    }
    return 0;
}

static void
change_all(struct stops *stops, void (*change)(struct stops *stops, struct stop_entry *entry))
{
    for (unsigned i = stops->count; i-- > 0;)
        change(stops, stops->entry[i]);
}

static void
enable(struct stops *stops, struct stop_entry *entry)
{
    entry->enabled = true;
    entry->once &= !entry->disable;
    entry->disable = false;
    stops->changed = true;
}

static void
enable_once(struct stops *stops, struct stop_entry *entry)
{
    entry->enabled = entry->once = entry->disable = true;
    stops->changed = true;
}

static void
disable(struct stops *stops, struct stop_entry *entry)
{
    entry->enabled = false;
    stops->changed = true;
}

static int
change(struct debugger *debugger, const char *arguments,
       void (*how)(struct stops *stops, struct stop_entry *entry), struct error *err)
{
    if (*arguments)
        return each_entry(debugger, arguments, how, err);
    change_all(debugger->stops, how);
    return 0;
}

static int
run_delete(struct debugger *debugger, const char *arguments, struct error *err)
{
    if (!*arguments && debugger->stops->count && !debugger_confirm(debugger, "Delete all stops?"))
        return 0;
    return change(debugger, arguments, stops_delete, err);
}

static int
run_enable(struct debugger *debugger, const char *arguments, struct error *err)
{
    if (!strncmp(arguments, "once", 4) && (!arguments[4] || isspace((unsigned char)arguments[4]))) {
        arguments += 4;
        return change(debugger, arguments + strspn(arguments, " \t"), enable_once, err);
    }
    return change(debugger, arguments, enable, err);
}

static int
run_disable(struct debugger *debugger, const char *arguments, struct error *err)
{
    return change(debugger, arguments, disable, err);
}

/* --- info breakpoints ------------------------------------------------------------------------- */

static void
print_lines(FILE *out, const char *lines)
{
    while (*lines) {
        size_t n = strcspn(lines, "\n");
        fprintf(out, "         %.*s\n", (int)n, lines);
        lines += n + (lines[n] == '\n');
    }
}

int
stops_print(struct debugger *debugger, const char *arguments, struct error *err)
{
    const struct stops *stops = debugger->stops;
    FILE *out = debugger->out;
    char place[128];

    if (*arguments)
        return error_set(err, EINVAL, "'info breakpoints' takes no arguments");
    if (!stops->count) {
        fputs("There are no breakpoints, watchpoints or catchpoints.\n", out);
        return 0;
    }
    fputs("Num  Type            Keep  On  What\n", out);
    for (unsigned i = 0; i < stops->count; i++) {
        const struct stop_entry *e = stops->entry[i];
        fprintf(out, "%-4u %-15s %-5s %-3s ", e->number, stops_type_name(e->type),
                !e->once     ? "keep"
                : e->disable ? "dis"
                             : "del",
                e->enabled ? "y" : "n");
        if (e->type <= BREAK_HARD)
            fprintf(out, "%#" PRIx64 " %s\n", e->address,
                    symbols_format(debugger->machine->symbols, e->address, place, sizeof(place)));
        else
            fputs(e->what, out);
        if (e->type >= WATCH_WRITE && e->type <= WATCH_ACCESS)
            print_watched(out, e);
        if (e->type > BREAK_HARD)
            fputc('\n', out);
        if (e->condition)
            fprintf(out, "         stops only if %s\n", e->condition);
        if (e->hits)
            fprintf(out, "         hit %" PRIu64 " time%s\n", e->hits, e->hits == 1 ? "" : "s");
        if (e->ignore)
            fprintf(out, "         will be passed %" PRIu64 " times more\n", e->ignore);
        if (e->commands)
            print_lines(out, e->commands);
    }
    return 0;
}

/* clang-format off */
const struct debug_command commands_stops[] = {
    {"break", "b", "stops", "[PLACE] [if EXPRESSION]", "Stop before an instruction is executed",
     "PLACE is a function, FILE:LINE, LINE or *ADDRESS; without it, where the guest\n"
     "is. The guest's memory is not changed for it.",
     "break kmain if $rdi == 2", COMPLETE_LOCATION, COMMAND_LIVE, NULL, run_break},
    {"tbreak", "tb", "stops", "[PLACE] [if EXPRESSION]", "The same, once", NULL,
     "tbreak *0x7c00", COMPLETE_LOCATION, COMMAND_LIVE, NULL, run_tbreak},
    {"hbreak", "hb", "stops", "[PLACE] [if EXPRESSION]", "The same, by the processor's debug registers",
     "On engine kvm every breakpoint is one, and there are four; on soft there is no\n"
     "difference.",
     "hbreak timer_interrupt", COMPLETE_LOCATION, COMMAND_LIVE, NULL, run_hbreak},
    {"watch", NULL, "stops", "WHERE [, BYTES] [if EXPRESSION]", "Stop after memory was written (on the way back: before)",
     "WHERE is *(TYPE *)ADDRESS, {TYPE}ADDRESS, a name, or an address; 8 bytes unless\n"
     "the type or BYTES says otherwise. Addresses are the guest's linear ones. Stops\n"
     "also if the value stays what it was.",
     "watch *(uint32_t *)0x1000", COMPLETE_EXPRESSION, COMMAND_LIVE, NULL, run_watch},
    {"rwatch", NULL, "stops", "WHERE [, BYTES] [if EXPRESSION]", "Stop after memory was read", NULL,
     "rwatch ticks", COMPLETE_EXPRESSION, COMMAND_LIVE, NULL, run_rwatch},
    {"awatch", NULL, "stops", "WHERE [, BYTES] [if EXPRESSION]", "Stop after memory was read or written", NULL,
     "awatch ticks", COMPLETE_EXPRESSION, COMMAND_LIVE, NULL, run_awatch},
    {"catch", NULL, "stops", "exit|entry|inject ...", "Stop at exits, entries or interrupts", NULL,
     "catch exit io port 0x3f8", COMPLETE_SUBCOMMAND, 0, commands_catch, NULL},
    {"tcatch", NULL, "stops", "exit|entry|inject ...", "The same, once", NULL,
     "tcatch exit hypercall", COMPLETE_SUBCOMMAND, 0, commands_tcatch, NULL},
    {"condition", NULL, "stops", "N [EXPRESSION]", "Let stop N hold only if EXPRESSION is not 0",
     "Without EXPRESSION it holds always.",
     "condition 1 exit.value == 'A'", COMPLETE_EXPRESSION, 0, NULL, run_condition},
    {"ignore", NULL, "stops", "N COUNT", "Pass stop N COUNT times", NULL,
     "ignore 1 100", COMPLETE_EXPRESSION, 0, NULL, run_ignore},
    {"commands", NULL, "stops", "[N]", "Lines to be executed each time stop N holds",
     "They follow, one a line, up to 'end'. If the first is 'silent', the place is not\n"
     "shown. Without N: for the stop that was made last.",
     "commands 1", COMPLETE_NOTHING, 0, NULL, run_commands},
    {"delete", "d", "stops", "[N]...", "Forget stops: all, or those named; 2-4 is a range", NULL,
     "delete 2 4", COMPLETE_NOTHING, 0, NULL, run_delete},
    {"enable", NULL, "stops", "[once] [N]...", "Let stops hold again",
     "once: each is disabled when it has held the machine.",
     "enable once 2", COMPLETE_NOTHING, 0, NULL, run_enable},
    {"disable", NULL, "stops", "[N]...", "Let stops not hold, without forgetting them", NULL,
     "disable 1-3", COMPLETE_NOTHING, 0, NULL, run_disable},
    {0},
};
/* clang-format on */
