/*
 * debugger.c - a session: opening it, and executing one line.
 *
 * Called by hv/cli/prompt.c and script.c, by the stub's `monitor`, and by commands that hold lines
 * (source, alias, the commands of a stop). Next: table.c, then the commands_*.c in the order of
 * that table.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/command.h"
#include "debugger/display.h"
#include "debugger/session.h"
#include "debugger/settings.h"
#include "debugger/stops.h"
#include "debugger/values.h"

int
debugger_open(struct debugger *debugger, struct machine *machine, FILE *out, struct error *err)
{
    memset(debugger, 0, sizeof(*debugger));
    debugger->machine = machine;
    debugger->out = out;
    settings_default(&debugger->settings);
    debugger->stops = calloc(1, sizeof(*debugger->stops));
    debugger->session = calloc(1, sizeof(*debugger->session));
    if (debugger->stops && debugger->session && !values_open(&debugger->values, err) &&
        !displays_open(&debugger->displays, err))
        return 0;
    debugger_close(debugger);
    return error_set(err, ENOMEM, "no memory for a session of the debugger");
}

void
debugger_close(struct debugger *debugger)
{
    struct session *session = debugger->session;

    if (debugger->stops)
        stops_free(debugger->stops);
    for (unsigned i = 0; session && i < session->aliases; i++) {
        free(session->alias[i].name);
        free(session->alias[i].command);
    }
    for (unsigned i = 0; session && i < SESSION_LOG; i++)
        free(session->log[i]);
    if (session) {
        free(session->checkpoint);
        free(session->pending);
    }
    values_close(debugger->values);
    displays_close(debugger->displays);
    free(session);
    free(debugger->repeat);
    debugger->stops = NULL;
    debugger->session = NULL;
    debugger->values = NULL;
    debugger->displays = NULL;
    debugger->repeat = NULL;
}

int
debug_count(struct debugger *debugger, const char *text, uint64_t *count, struct error *err)
{
    struct value value;
    int rc;

    *count = 1;
    if (!*text)
        return 0;
    if ((rc = expr_evaluate_all(debugger, text, &value, err)))
        return rc;
    if (!value.bits || (value.is_signed && (int64_t)value.bits < 0))
        return error_set(err, ERANGE, "how often? A number from 1 on");
    *count = value.bits;
    return 0;
}

uint64_t
debugger_this_exit(const struct debugger *debugger)
{
    return debugger->machine->now.exits;
}

bool
debugger_confirm(const struct debugger *debugger, const char *question)
{
    if (!debugger->interactive || !debugger->settings.confirm || !debugger->ask ||
        debugger->script_depth)
        return true;
    fflush(debugger->out);
    return debugger->ask(question);
}

/* --- aliases ---------------------------------------------------------------------------------- */

const struct alias *
session_alias(const struct session *session, const char *word, size_t length)
{
    for (unsigned i = 0; i < session->aliases; i++)
        if (strlen(session->alias[i].name) == length &&
            !memcmp(session->alias[i].name, word, length))
            return &session->alias[i];
    return NULL;
}

int
session_set_alias(struct session *session, const char *name, const char *command, struct error *err)
{
    struct alias *alias = (struct alias *)session_alias(session, name, strlen(name));
    char *copy = command ? strdup(command) : NULL;

    if (command && !copy)
        return error_set(err, ENOMEM, "no memory for an alias");
    if (alias) {
        free(alias->command);
        alias->command = copy;
        if (!copy) {
            free(alias->name);
            *alias = session->alias[--session->aliases];
        }
        return 0;
    }
    if (!command)
        return error_set(err, ENOENT, "there is no alias '%s'", name);
    if (session->aliases == SESSION_ALIASES || !(name = strdup(name))) {
        free(copy);
        return error_set(err, ENOSPC, "there is room for %d aliases", SESSION_ALIASES);
    }
    session->alias[session->aliases++] = (struct alias){(char *)name, copy};
    return 0;
}

/* --- one line --------------------------------------------------------------------------------- */

/* A command is a word of letters, digits, '-' and '_': in "x/8i" what follows it are arguments. */
static size_t
word_length(const char *text)
{
    size_t n = 0;

    while (isalnum((unsigned char)text[n]) || text[n] == '-' || text[n] == '_')
        n++;
    return n;
}

static const char *
skip_space(const char *text)
{
    return text + strspn(text, " \t\r\n\v\f");
}

/* Keeps a line for `show commands`. No memory: it is not kept. */
static void
remember(struct session *session, const char *line)
{
    char **slot = &session->log[session->logged % SESSION_LOG];

    free(*slot);
    *slot = strdup(line);
    session->logged++;
}

/* What an empty line will mean after this command. */
static void
prepare_repeat(struct debugger *debugger, const struct debug_command *command, const char *line)
{
    if (debugger->script_depth)
        return;
    free(debugger->repeat);
    debugger->repeat = NULL;
    if (command->flags & COMMAND_ADVANCES)
        debugger->repeat = strdup(command->name);
    else if (command->flags & COMMAND_REPEATS)
        debugger->repeat = strdup(line);
}

/* Can this machine do it? */
static int
check_flags(struct debugger *debugger, const struct debug_command *command, struct error *err)
{
    const char *why;

    if ((command->flags & COMMAND_LIVE) && !debugger->machine->vm)
        return error_set(
            err, ENOTSUP,
            "'%s' needs a machine that runs, and this is a recording: 'hv debug GUEST' "
            "starts one",
            command->name);
    if ((command->flags & COMMAND_BACK) && !machine_can_go_back(debugger->machine, &why))
        return error_set(err, ENOTSUP, "%s", why);
    return 0;
}

/* "'info' needs one of: registers, sregs, ..." */
static int
needs_subcommand(const struct debug_command *command, struct error *err)
{
    char list[400];
    size_t used = 0;

    for (const struct debug_command *c = command->table; c->name; c++)
        if (used + strlen(c->name) + 3 < sizeof(list))
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "",
                                     c->name);
    return error_set(err, EINVAL, "'%s' needs one of: %s", command->name, list);
}

/* line: without white space at both ends, and not empty. */
static int
execute_command(struct debugger *debugger, const char *line, unsigned depth, struct error *err)
{
    size_t length = word_length(line);
    const struct alias *alias = session_alias(debugger->session, line, length);
    const struct debug_command *command;
    const char *rest = skip_space(line + length);
    int rc;

    if (alias && depth < SESSION_DEPTH) {
        char *expanded = NULL;
        if (asprintf(&expanded, "%s%s%s", alias->command, *rest ? " " : "", rest) < 0)
            return error_set(err, ENOMEM, "no memory for a line");
        if (strlen(expanded) > LINE_LONGEST)
            rc = error_set(err, E2BIG, "a command of more than %d bytes", LINE_LONGEST);
        else
            rc = execute_command(debugger, expanded, depth + 1, err);
        free(expanded);
        return rc;
    }
    if (!length)
        return error_set(err, EINVAL, "a command begins with its name; 'help' lists them");
    command = debug_command_find(debug_command_tables, line, length, err);
    if (!command)
        return -EINVAL;
    while (command->table) {
        const struct debug_command *const tables[] = {command->table, NULL};
        const struct debug_command *sub;
        size_t n = word_length(rest);
        if (!n && !command->run)
            return needs_subcommand(command, err);
        if (!n)
            break;
        sub = debug_command_find(tables, rest, n, err);
        if (!sub && command->run)
            break;
        if (!sub)
            return error_prefix(err, -EINVAL, "%s", command->name);
        command = sub;
        rest = skip_space(rest + n);
    }
    if ((rc = check_flags(debugger, command, err)))
        return rc;
    prepare_repeat(debugger, command, line);
    return command->run(debugger, rest, err);
}

/* The next line of a text, without white space at both ends, in *line (of LINE_LONGEST + 1 bytes).
 * False: there is none. */
static bool
next_line(const char **text, char *line)
{
    size_t n;

    if (!**text)
        return false;
    n = strcspn(*text, "\n");
    const char *start = *text, *end = start + n;
    *text = end + (*end == '\n');
    while (start < end && isspace((unsigned char)*start))
        start++;
    while (end > start && isspace((unsigned char)end[-1]))
        end--;
    n = (size_t)(end - start) < LINE_LONGEST ? (size_t)(end - start) : LINE_LONGEST;
    memcpy(line, start, n);
    line[n] = 0;
    return true;
}

/* A line between `commands N` and `end`. */
static int
collect(struct debugger *debugger, const char *line, struct error *err)
{
    struct session *session = debugger->session;
    struct stop_entry *entry = stops_find(debugger->stops, session->collecting, NULL);
    char *all = NULL;

    if (!entry || !strcmp(line, "end")) {
        session->collecting = 0;
        return 0;
    }
    if (strlen(entry->commands) > 16 * LINE_LONGEST ||
        asprintf(&all, "%s%s\n", entry->commands, line) < 0)
        return error_set(err, ENOMEM, "no memory for the commands of %u", entry->number);
    free(entry->commands);
    entry->commands = all;
    return 0;
}

/* The lines that a stop has left to be executed. A line that lets the machine go replaces the rest
 * by those of the next stop, so nothing here is nested. */
static int
execute_pending(struct debugger *debugger, struct error *err)
{
    struct session *session = debugger->session;
    char line[LINE_LONGEST + 1];
    int rc = 0;

    debugger->script_depth++;
    while (!rc && session->pending && !debugger->quit && !debugger->machine->interrupted) {
        const char *text = session->pending;
        if (!next_line(&text, line)) {
            free(session->pending);
            session->pending = NULL;
            break;
        }
        memmove(session->pending, text, strlen(text) + 1);
        if (line[0] && line[0] != '#')
            rc = execute_command(debugger, line, 0, err);
    }
    debugger->script_depth--;
    free(session->pending);
    session->pending = NULL;
    return rc;
}

int
debugger_execute(struct debugger *debugger, const char *line, struct error *err)
{
    struct session *session = debugger->session;
    char text[LINE_LONGEST + 1];
    char *again = NULL;
    const char *at = line;
    int rc;

    if (strlen(line) > LINE_LONGEST)
        return error_set(err, E2BIG, "a command of more than %d bytes", LINE_LONGEST);
    if (!next_line(&at, text))
        text[0] = 0;
    if (session->collecting)
        return collect(debugger, text, err);
    if (!text[0]) {
        if (!debugger->interactive || debugger->script_depth || !debugger->repeat)
            return 0;
        if (!(again = strdup(debugger->repeat)))
            return error_set(err, ENOMEM, "no memory for a line");
    } else if (text[0] == '#') {
        return 0;
    } else {
        remember(session, text);
    }
    rc = execute_command(debugger, again ? again : text, 0, err);
    free(again);
    if (!rc && !debugger->script_depth)
        rc = execute_pending(debugger, err);
    return rc;
}

int
session_execute(struct debugger *debugger, const char *text, unsigned *number, struct error *err)
{
    struct session *session = debugger->session;
    char line[LINE_LONGEST + 1],
        *outer = session->pending; /* if a stop's commands brought us here */
    int rc = 0;

    if (debugger->script_depth >= SESSION_DEPTH)
        return error_set(err, ELOOP, "more than %d scripts within one another", SESSION_DEPTH);
    *number = 0;
    session->pending = NULL;
    debugger->script_depth++;
    while (!rc && !debugger->quit && next_line(&text, line)) {
        ++*number;
        rc = debugger_execute(debugger, line, err);
        if (!rc)
            rc = execute_pending(debugger, err);
    }
    debugger->script_depth--;
    free(session->pending);
    session->pending = outer;
    return rc;
}

const char *
session_prompt(const struct debugger *debugger)
{
    return debugger->session->collecting ? ">" : "(hv) ";
}
