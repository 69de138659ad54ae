/*
 * commands_session.c - the session itself: help, settings, aliases, scripts, typing into the guest.
 *
 * Called through table.c. Next: help.c, settings.c.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/command.h"
#include "debugger/escape.h"
#include "debugger/help.h"
#include "debugger/session.h"
#include "debugger/settings.h"

#define SCRIPT_MAX (UINT64_C(1) << 20)

/* --- scripts ---------------------------------------------------------------------------------- */

static int
run_source(struct debugger *debugger, const char *arguments, struct error *err)
{
    unsigned line = 0;
    uint8_t *text;
    size_t size;
    int rc;

    if (!*arguments)
        return error_set(err, EINVAL, "source which file?");
    if ((rc = read_file(arguments, SCRIPT_MAX, &text, &size, err)))
        return rc;
    rc = session_execute(debugger, (const char *)text, &line, err);
    free(text);
    return rc ? error_prefix(err, rc, "%.200s:%u", arguments, line) : 0;
}

/* "NAME = COMMAND"; "NAME" shows it; nothing shows all; "NAME =" forgets it. */
static int
run_alias(struct debugger *debugger, const char *arguments, struct error *err)
{
    const struct session *session = debugger->session;
    size_t n = 0;
    char name[33];

    if (!*arguments) {
        for (unsigned i = 0; i < session->aliases; i++)
            fprintf(debugger->out, "alias %s = %s\n", session->alias[i].name,
                    session->alias[i].command);
        return 0;
    }
    while (isalnum((unsigned char)arguments[n]) || arguments[n] == '-' || arguments[n] == '_')
        n++;
    if (!n || n >= sizeof(name))
        return error_set(err, EINVAL,
                         "the name of an alias is 1 to %zu letters, digits, '-' or '_'",
                         sizeof(name) - 1);
    memcpy(name, arguments, n);
    name[n] = 0;
    arguments += n;
    arguments += strspn(arguments, " \t");
    if (*arguments == '=') {
        arguments++;
        arguments += strspn(arguments, " \t");
        return session_set_alias(debugger->session, name, *arguments ? arguments : NULL, err);
    }
    const struct alias *alias = session_alias(session, name, n);
    if (*arguments || !alias)
        return error_set(err, EINVAL, "alias is 'alias %s = COMMAND'", name);
    fprintf(debugger->out, "alias %s = %s\n", alias->name, alias->command);
    return 0;
}

static int
run_show_commands(struct debugger *debugger, const char *arguments, struct error *err)
{
    const struct session *session = debugger->session;
    uint64_t first = session->logged > 10 ? session->logged - 10 : 0;

    if (*arguments)
        return error_set(err, EINVAL, "'show commands' takes no arguments");
    for (uint64_t n = first; n < session->logged; n++)
        if (session->log[n % SESSION_LOG])
            fprintf(debugger->out, "%5" PRIu64 "  %s\n", n + 1, session->log[n % SESSION_LOG]);
    return 0;
}

/* --- leaving ---------------------------------------------------------------------------------- */

static int
run_quit(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct value value = {0};
    int rc = *arguments ? expr_evaluate_all(debugger, arguments, &value, err) : 0;

    if (rc)
        return rc;
    if (value.bits > 255)
        return error_set(err, ERANGE, "a status is 0 to 255");
    debugger->status = (int)value.bits;
    debugger->quit = true;
    return 0;
}

/* --- the guest's serial line ------------------------------------------------------------------ */

static int
run_type(struct debugger *debugger, const char *arguments, struct error *err)
{
    uint8_t bytes[LINE_LONGEST];
    size_t count;
    int rc = unescape(arguments, bytes, sizeof(bytes), &count, err);

    if (rc)
        return rc;
    if (!count)
        return error_set(err, EINVAL, "type what? 'type ls\\n'");
    return machine_type(debugger->machine, bytes, count, err);
}

/* clang-format off */
static const struct debug_command show_table[] = {
    {"commands", NULL, "session", "", "The last ten lines that were executed", NULL,
     "show commands", COMPLETE_NOTHING, 0, NULL, run_show_commands},
    {0},
};

const struct debug_command commands_session[] = {
    {"help", "h", "session", "[COMMAND]", "What a command does; without one, all of them",
     "The name of a group of commands (stops, look ...) is taken, too.",
     "help stepexit", COMPLETE_COMMAND, 0, NULL, debug_help},
    {"apropos", NULL, "session", "WORD", "Commands whose help has a word in it", NULL,
     "apropos watch", COMPLETE_NOTHING, 0, NULL, debug_apropos},
    {"set", NULL, "session", "SETTING VALUE", "Change a setting, a register, memory or a variable",
     "'show' lists the settings. 'set $rax = 1', 'set $name = $rsp + 8' and\n"
     "'set *(uint8_t *)0x1000 = 0x90' change the machine: what lay ahead of it is\n"
     "forgotten then. An exit that waits to be dealt with begins anew with its\n"
     "instruction, but for a write to a device: that has left the processor.",
     "set exit-edge both", COMPLETE_SETTING, 0, NULL, settings_set},
    {"show", NULL, "session", "[SETTING]", "Settings; or the last lines", NULL,
     "show exit-edge", COMPLETE_SETTING, 0, show_table, settings_show},
    {"alias", NULL, "session", "[NAME [= COMMAND]]", "Another name for a command and its first arguments",
     "Without COMMAND the alias is forgotten; without '=' it is shown; without NAME\n"
     "all are.",
     "alias out = catch exit io port", COMPLETE_COMMAND, 0, NULL, run_alias},
    {"source", NULL, "session", "FILE", "Execute the lines of a file",
     "The first line that fails ends it. '#' begins a comment.",
     "source lab.hv", COMPLETE_FILE, 0, NULL, run_source},
    {"type", NULL, "session", "TEXT", "Type into the guest's serial line",
     "TEXT has C's escapes: \\n ends a line, \\x03 is Ctrl-C. The guest reads it when it\n"
     "runs.",
     "type echo hello\\n", COMPLETE_NOTHING, COMMAND_LIVE, NULL, run_type},
    {"quit", "q,exit", "session", "[STATUS]", "Leave the debugger",
     "STATUS is an expression; hv ends with it.",
     "quit 0", COMPLETE_NOTHING, 0, NULL, run_quit},
    {0},
};
/* clang-format on */
