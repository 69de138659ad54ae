/*
 * table.c - all commands of the debugger, and how a word finds its command.
 *
 * To add a command: a row in the table of the file that it belongs to (commands_*.c). Called by
 * debugger.c, help.c and complete.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "debugger/command.h"

/* clang-format off */
const struct debug_command *const debug_command_tables[] = {
    commands_step,
    commands_source,
    commands_run,
    commands_stops,
    commands_look,
    commands_info,
    commands_explain,
    commands_output,
    commands_session,
    commands_gdb,
    NULL,
};
/* clang-format on */

#define NAMES_MAX 256

/* Is `word` in a list of aliases, "sx,step-exit"? */
static bool
is_alias(const char *list, const char *word, size_t length)
{
    while (list && *list) {
        size_t n = strcspn(list, ",");
        if (n == length && !memcmp(list, word, n))
            return true;
        list += n + (list[n] == ',');
    }
    return false;
}

/* By its whole name or an alias. */
static const struct debug_command *
find_whole(const struct debug_command *const *tables, const char *word, size_t length)
{
    for (; *tables; tables++)
        for (const struct debug_command *c = *tables; c->name; c++)
            if ((strlen(c->name) == length && !memcmp(c->name, word, length)) ||
                is_alias(c->alias, word, length))
                return c;
    return NULL;
}

/* "'reverse-s' is ambiguous: reverse-step, reverse-stepi" */
static const struct debug_command *
ambiguous(const struct debug_command *const *tables, const char *word, size_t length,
          struct error *err)
{
    char list[256];
    size_t used = 0;

    for (; *tables; tables++)
        for (const struct debug_command *c = *tables; c->name; c++)
            if (!strncmp(c->name, word, length) && used + strlen(c->name) + 3 < sizeof(list))
                used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "",
                                         c->name);
    error_set(err, EINVAL, "'%.*s' is ambiguous: %s", (int)length, word, list);
    return NULL;
}

static const struct debug_command *
unknown(const struct debug_command *const *tables, const char *word, size_t length,
        struct error *err)
{
    const char *names[NAMES_MAX], *near = NULL;
    char typed[33];
    unsigned count = 0;

    for (; *tables; tables++)
        for (const struct debug_command *c = *tables; c->name && count < NAMES_MAX; c++)
            names[count++] = c->name;
    if (length < sizeof(typed)) {
        memcpy(typed, word, length);
        typed[length] = 0;
        near = nearest_name(typed, names, count);
    }
    if (near)
        error_set(err, EINVAL, "there is no command '%s'; did you mean '%s'?", typed, near);
    else
        error_set(err, EINVAL, "there is no command '%.*s'; 'help' lists them",
                  length > 32 ? 32 : (int)length, word);
    return NULL;
}

const struct debug_command *
debug_command_find(const struct debug_command *const *tables, const char *word, size_t length,
                   struct error *err)
{
    const struct debug_command *found = find_whole(tables, word, length);

    if (found || !length)
        return found ? found : unknown(tables, word, length, err);
    for (const struct debug_command *const *t = tables; *t; t++)
        for (const struct debug_command *c = *t; c->name; c++) {
            if (strncmp(c->name, word, length))
                continue;
            if (found)
                return ambiguous(tables, word, length, err);
            found = c;
        }
    return found ? found : unknown(tables, word, length, err);
}
