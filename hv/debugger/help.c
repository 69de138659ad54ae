/*
 * help.c - help and apropos, printed from the tables of commands.
 *
 * Called by commands_session.c, the manual page and the tests. Next: complete.c.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "debugger/help.h"
#include "debugger/session.h"

const char *const debug_groups[] = {"instruction", "source line", "VM exit", "run", "stops",
                                    "look",        "output",      "session", NULL};

void
debug_commands_visit(command_visit_fn *visit, void *context)
{
    for (const struct debug_command *const *t = debug_command_tables; *t; t++)
        for (const struct debug_command *c = *t; c->name; c++) {
            if (!visit(context, NULL, c))
                return;
            for (const struct debug_command *sub = c->table; sub && sub->name; sub++)
                if (!visit(context, c, sub))
                    return;
        }
}

/* "stepexit, sx": the name and its aliases. */
static void
name_with_aliases(const struct debug_command *command, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%s", command->name);

    for (const char *a = command->alias; a && *a && used < size;) {
        size_t n = strcspn(a, ",");
        used += (size_t)snprintf(text + used, size - used, ", %.*s", (int)n, a);
        a += n + (a[n] == ',');
    }
}

static void
print_line(FILE *out, const char *prefix, const struct debug_command *command)
{
    char name[64];

    name_with_aliases(command, name, sizeof(name));
    fprintf(out, "  %s%-*s %s\n", prefix, 24 - (int)strlen(prefix), name, command->summary);
}

/* All of them, group by group. */
static void
print_all(FILE *out)
{
    for (const char *const *g = debug_groups; *g; g++) {
        bool headed = false;
        for (const struct debug_command *const *t = debug_command_tables; *t; t++)
            for (const struct debug_command *c = *t; c->name; c++) {
                if (strcmp(c->group, *g))
                    continue;
                if (!headed)
                    fprintf(out, "%s:\n", *g);
                headed = true;
                print_line(out, "", c);
            }
    }
    fputs(
        "\n'help COMMAND' tells what it takes, with an example; 'apropos WORD' looks for a word.\n"
        "A command may be shortened as long as it is clear which one is meant.\n",
        out);
}

static void
print_one(FILE *out, const struct debug_command *parent, const struct debug_command *command)
{
    const char *before = parent ? parent->name : "", *space = parent ? " " : "";
    char name[64];

    name_with_aliases(command, name, sizeof(name));
    fprintf(out, "%s%s%s%s%s\n\n%s.\n", before, space, name, command->arguments[0] ? " " : "",
            command->arguments, command->summary);
    if (command->text)
        fprintf(out, "\n%s\n", command->text);
    if (command->table) {
        fputc('\n', out);
        for (const struct debug_command *c = command->table; c->name; c++)
            print_line(out, "", c);
    }
    fprintf(out, "\nFor example: %s\n", command->example);
}

/* A group of commands by its name. Where a command has that name, too (run), it comes first. */
static bool
print_group(FILE *out, const char *name)
{
    const struct debug_command *same = NULL;
    bool found = false;

    for (const char *const *g = debug_groups; *g; g++)
        found |= !strcmp(name, *g);
    if (!found)
        return false;
    for (const struct debug_command *const *t = debug_command_tables; *t; t++)
        for (const struct debug_command *c = *t; c->name; c++)
            if (!strcmp(c->name, name))
                same = c;
    if (same) {
        print_one(out, NULL, same);
        fprintf(out, "\nCommands of the group %s:\n", name);
    }
    for (const struct debug_command *const *t = debug_command_tables; *t; t++)
        for (const struct debug_command *c = *t; c->name; c++)
            if (!strcmp(c->group, name))
                print_line(out, "", c);
    return true;
}

int
debug_help(struct debugger *debugger, const char *arguments, struct error *err)
{
    const struct debug_command *command, *sub;
    const struct alias *alias;
    size_t n = strcspn(arguments, " \t/");

    if (!n) {
        print_all(debugger->out);
        return 0;
    }
    if ((alias = session_alias(debugger->session, arguments, n))) {
        fprintf(debugger->out, "%s is an alias of '%s'.\n", alias->name, alias->command);
        return 0;
    }
    if (print_group(debugger->out, arguments))
        return 0;
    command = debug_command_find(debug_command_tables, arguments, n, err);
    if (!command)
        return -EINVAL;
    arguments += n;
    arguments += strspn(arguments, " \t");
    if (!*arguments || !command->table) {
        print_one(debugger->out, NULL, command);
        return 0;
    }
    sub = debug_command_find((const struct debug_command *const[]){command->table, NULL}, arguments,
                             strcspn(arguments, " \t"), err);
    if (!sub)
        return error_prefix(err, -EINVAL, "%s", command->name);
    print_one(debugger->out, command, sub);
    return 0;
}

/* --- apropos ---------------------------------------------------------------------------------- */

struct search {
    FILE *out;
    const char *word;
    unsigned found;
};

static bool
contains(const char *text, const char *word)
{
    return text && strcasestr(text, word);
}

static bool
search_one(void *context, const struct debug_command *parent, const struct debug_command *command)
{
    struct search *search = context;
    char prefix[32] = "";

    if (!contains(command->name, search->word) && !contains(command->summary, search->word) &&
        !contains(command->text, search->word) && !contains(command->alias, search->word))
        return true;
    if (parent)
        snprintf(prefix, sizeof(prefix), "%s ", parent->name);
    print_line(search->out, prefix, command);
    search->found++;
    return true;
}

int
debug_apropos(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct search search = {debugger->out, arguments, 0};

    if (!*arguments)
        return error_set(err, EINVAL, "apropos what? 'apropos exit'");
    debug_commands_visit(search_one, &search);
    if (!search.found)
        fprintf(debugger->out, "No command's help has '%s' in it.\n", arguments);
    return 0;
}
