/*
 * debugdoc.c - the debugger's commands and settings as a page of docs/gen and a part of the manual
 * page, from the tables that execute them.
 *
 * Called by tables.c and manpage.c.
 */
#include <string.h>

#include "cli/tables.h"
#include "debugger/help.h"
#include "debugger/settings.h"

/* One form of document. */
struct form {
    FILE *out;
    const char *group; /* of the commands that are wanted now */
    void (*command)(FILE *out, const struct debug_command *parent,
                    const struct debug_command *command);
};

static bool
visit(void *context, const struct debug_command *parent, const struct debug_command *command)
{
    const struct form *form = context;

    if (!strcmp((parent ? parent : command)->group, form->group))
        form->command(form->out, parent, command);
    return true;
}

/* --- Markdown --------------------------------------------------------------------------------- */

/* '|' would end the cell. */
static void
cell(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void
row(FILE *out, const struct debug_command *parent, const struct debug_command *command)
{
    fprintf(out, "| `%s%s%s", parent ? parent->name : "", parent ? " " : "", command->name);
    for (const char *a = command->alias; a && *a;) {
        size_t n = strcspn(a, ",");
        fprintf(out, "`, `%.*s", (int)n, a);
        a += n + (a[n] == ',');
    }
    fputs("` ", out);
    cell(out, command->arguments);
    fputs(" | ", out);
    cell(out, command->summary);
    fputc('.', out);
    if (command->text) {
        fputc(' ', out);
        cell(out, command->text);
    }
    fputs(" | `", out);
    cell(out, command->example);
    fputs("` |\n", out);
}

void
write_debugger_page(FILE *out)
{
    fputs(
        "# Commands of the debugger\n\n`hv debug GUEST`. A command may be shortened as long as it "
        "is clear which one is meant.\n",
        out);
    for (const char *const *g = debug_groups; *g; g++) {
        struct form form = {out, *g, row};
        fprintf(out, "\n## %s\n\n| command | | for example |\n| --- | --- | --- |\n", *g);
        debug_commands_visit(visit, &form);
    }
    fputs("\n## Settings\n\n| `set` | values | |\n| --- | --- | --- |\n", out);
    for (const struct setting *s = setting_table; s->name; s++) {
        fprintf(out, "| `%s` | ", s->name);
        cell(out, s->values);
        fprintf(out, " | %s. |\n", s->summary);
    }
}

/* --- man(7) ----------------------------------------------------------------------------------- */

static void
entry(FILE *out, const struct debug_command *parent, const struct debug_command *command)
{
    fputs(".TP\n\\fB", out);
    if (parent)
        roff(out, parent->name), fputc(' ', out);
    roff(out, command->name);
    if (command->alias)
        fputs(", ", out), roff(out, command->alias);
    fputs("\\fR ", out);
    roff(out, command->arguments);
    fputc('\n', out);
    roff(out, command->summary);
    fputs(".\n", out);
    if (command->text) {
        roff(out, command->text);
        fputc('\n', out);
    }
    fputs("For example: \\fB", out);
    roff(out, command->example);
    fputs("\\fR\n", out);
}

void
write_debugger_manual(FILE *out)
{
    fputs(".SH COMMANDS OF THE DEBUGGER\n"
          "For hv debug. A command may be shortened as long as it is clear which one is meant.\n",
          out);
    for (const char *const *g = debug_groups; *g; g++) {
        struct form form = {out, *g, entry};
        fprintf(out, ".SS %s\n", *g);
        debug_commands_visit(visit, &form);
    }
    fputs(".SS Settings\n", out);
    for (const struct setting *s = setting_table; s->name; s++) {
        fputs(".TP\n\\fBset ", out);
        roff(out, s->name);
        fputs("\\fR ", out);
        roff(out, s->values);
        fputc('\n', out);
        roff(out, s->summary);
        fputs(".\n", out);
    }
}
