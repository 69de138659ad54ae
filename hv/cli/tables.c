/*
 * tables.c - the reference pages docs/gen/NAME.md and the exit table, from the program's tables.
 *
 * `hv help --gen DIR` (make docs) calls write_documents(); make lint compares the result with
 * what is committed, so the pages cannot go stale. The manual page is in manpage.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/tables.h"
#include "device/device.h"
#include "engine/engine.h"
#include "loader/loader.h"
#include "strategy/paravirt/paravirt.h"
#include "strategy/strategy.h"
#include "tracer/event.h"

void
print_exit_table(FILE *out)
{
    fprintf(out, "%-16s", "exit");
    for (const struct engine_ops *const *e = engine_table; *e; e++)
        fprintf(out, "%-6s", (*e)->name);
    fputs("what happened\n", out);
    for (unsigned k = 0; k < TRACE_KIND_COUNT; k++) {
        if (trace_kinds[k].class != TRACE_CLASS_EXIT)
            continue;
        fprintf(out, "%-16s", trace_kinds[k].name);
        for (const struct engine_ops *const *e = engine_table; *e; e++)
            fprintf(out, "%-6s", (*e)->exits >> k & 1 ? "yes" : "-");
        fprintf(out, "%s\n", trace_kinds[k].text);
    }
}

static const char *const class_names[] = {
    [TRACE_CLASS_EXIT] = "exit",   [TRACE_CLASS_ENTRY] = "entry", [TRACE_CLASS_CALL] = "call",
    [TRACE_CLASS_GUEST] = "guest", [TRACE_CLASS_NOTE] = "note",
};

/* Exits with a column for each engine, then every other kind of event. */
static void
write_exits(FILE *out)
{
    fputs("# Exits and other events\n\nWhich exits each engine can show. docs/ENGINES.md says why "
          "KVM hides some.\n\n| exit |",
          out);
    for (const struct engine_ops *const *e = engine_table; *e; e++)
        fprintf(out, " %s |", (*e)->name);
    fputs(" what happened |\n| --- |", out);
    for (const struct engine_ops *const *e = engine_table; *e; e++)
        fputs(" --- |", out);
    fputs(" --- |\n", out);
    for (unsigned k = 0; k < TRACE_KIND_COUNT; k++) {
        if (trace_kinds[k].class != TRACE_CLASS_EXIT)
            continue;
        fprintf(out, "| `%s` |", trace_kinds[k].name);
        for (const struct engine_ops *const *e = engine_table; *e; e++)
            fprintf(out, " %s |", (*e)->exits >> k & 1 ? "yes" : "-");
        fprintf(out, " %s |\n", trace_kinds[k].text);
    }
    fputs("\n## Events that are no exits\n\n| event | class | what happened |\n"
          "| --- | --- | --- |\n",
          out);
    for (unsigned k = 0; k < TRACE_KIND_COUNT; k++)
        if (trace_kinds[k].class != TRACE_CLASS_EXIT)
            fprintf(out, "| `%s` | %s | %s |\n", trace_kinds[k].name,
                    class_names[trace_kinds[k].class], trace_kinds[k].text);
}

/* Text in a cell of a table: '|' would end it. */
static void
write_cell(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputs(" |\n", out);
}

/* The options of one command as a table; --help last. */
static void
write_options(FILE *out, const struct command *command)
{
    fputs("| option | |\n| --- | --- |\n", out);
    for (unsigned t = 0; t < ARRAY_SIZE(command->options) && command->options[t]; t++)
        for (const struct option_desc *o = command->options[t]; o->name; o++) {
            fputs("| ", out);
            if (o->letter)
                fprintf(out, "`-%c`, ", o->letter);
            fprintf(out, "`--%s%s%s` | ", o->name, o->value ? " " : "", o->value ? o->value : "");
            write_cell(out, o->help);
        }
    fprintf(out, "| `-%c`, `--%s` | %s |\n", help_option.letter, help_option.name,
            help_option.help);
}

static void
write_commands(FILE *out)
{
    fputs("# Commands\n\n| command | |\n| --- | --- |\n", out);
    for (const struct command *const *c = command_table; *c; c++)
        fprintf(out, "| [`hv %s`](#hv-%s) | %s |\n", (*c)->name, (*c)->name, (*c)->summary);
    for (const struct command *const *c = command_table; *c; c++) {
        fprintf(out, "\n## hv %s\n`hv %s [OPTION]...%s%s`\n\n%s\n", (*c)->name, (*c)->name,
                (*c)->words[0] ? " " : "", (*c)->words, (*c)->text);
        write_options(out, *c);
    }
}

static void
write_engines(FILE *out)
{
    fputs("# Engines\n\nWhat executes guest instructions.\n\n| engine | |\n| --- | --- |\n", out);
    for (const struct engine_ops *const *e = engine_table; *e; e++)
        fprintf(out, "| `%s` | %s |\n", (*e)->name, (*e)->summary);
    fputs("\n## What each can do\n\n| capability |", out);
    for (const struct engine_ops *const *e = engine_table; *e; e++)
        fprintf(out, " %s |", (*e)->name);
    fputs(" |\n| --- |", out);
    for (const struct engine_ops *const *e = engine_table; *e; e++)
        fputs(" --- |", out);
    fputs(" --- |\n", out);
    for (unsigned i = 0; i < engine_cap_count; i++) {
        fprintf(out, "| %s |", engine_caps[i].name);
        for (const struct engine_ops *const *e = engine_table; *e; e++)
            fprintf(out, " %s |", (*e)->caps & engine_caps[i].bit ? "yes" : "-");
        fprintf(out, " %s |\n", engine_caps[i].text);
    }
}

static void
write_strategies(FILE *out)
{
    fputs("# Strategies\n\nHow sensitive operations are virtualized.\n\n"
          "| strategy | | needs of the engine |\n| --- | --- | --- |\n",
          out);
    for (const struct strategy_ops *const *s = strategy_table; *s; s++) {
        fprintf(out, "| `%s` | %s |", (*s)->name, (*s)->summary);
        for (unsigned i = 0, n = 0; i < engine_cap_count; i++)
            if ((*s)->needs & engine_caps[i].bit)
                fprintf(out, "%s %s", n++ ? "," : "", engine_caps[i].name);
        fputs(" |\n", out);
    }
}

static void
write_hypercalls(FILE *out)
{
    fputs("# Hypercalls\n\nWhat a guest of strategy paravirt may ask for; docs/HYPERCALLS.md "
          "explains. The number is in "
          "RAX, arguments are in RDI and RSI.\n\n| | name | arguments | | in a multicall |\n"
          "| --- | --- | --- | --- | --- |\n",
          out);
    for (unsigned i = 0; i < HC_COUNT; i++) {
        const struct hypercall *call = &paravirt_hypercalls[i];
        fprintf(out, "| %u | `%s` | %s | %s | %s |\n", i, call->name, call->arguments, call->text,
                call->alone ? "no" : "yes");
    }
}

static void
write_devices(FILE *out)
{
    fputs("# Devices\n\n| device | |\n| --- | --- |\n", out);
    for (const struct device_ops *const *d = device_table; *d; d++)
        fprintf(out, "| `%s` | ", (*d)->name), write_cell(out, (*d)->summary);
}

static void
write_loaders(FILE *out)
{
    fputs("# Loaders\n\nThe first whose format the file has is taken; `--loader` overrides "
          "that.\n\n| loader | |\n| --- | --- |\n",
          out);
    for (const struct loader_ops *const *l = loader_table; *l; l++)
        fprintf(out, "| `%s` | %s |\n", (*l)->name, (*l)->summary);
}

static const struct {
    const char *path; /* below the folder of documents */
    void (*write)(FILE *out);
} pages[] = {
    {"gen/commands.md", write_commands},      {"gen/exits.md", write_exits},
    {"gen/engines.md", write_engines},        {"gen/strategies.md", write_strategies},
    {"gen/hypercalls.md", write_hypercalls},  {"gen/devices.md", write_devices},
    {"gen/loaders.md", write_loaders},        {"man/hv.1", write_manual},
    {"gen/debugger.md", write_debugger_page},
};

int
write_documents(const char *dir, struct error *err)
{
    static const char *const folders[] = {"", "/gen", "/man"};
    char path[PATH_MAX];

    for (unsigned i = 0; i < ARRAY_SIZE(folders); i++) {
        snprintf(path, sizeof(path), "%s%s", dir, folders[i]);
        if (mkdir(path, 0777) && errno != EEXIST)
            return error_set(err, errno, "cannot make the folder '%s': %s", path, strerror(errno));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, pages[i].path);
        FILE *out = fopen(path, "we");
        if (!out)
            return error_set(err, errno, "cannot write '%s': %s", path, strerror(errno));
        if (strstr(path, ".md"))
            fputs("<!-- Made by `make docs` from hv's own tables: change those, not this. -->\n",
                  out);
        pages[i].write(out);
        int failed = ferror(out);
        if (fclose(out) || failed)
            return error_set(err, EIO, "cannot write '%s'", path);
    }
    return 0;
}
