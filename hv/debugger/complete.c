/*
 * complete.c - what Tab offers: names of commands, subcommands, reasons, symbols, registers,
 * settings; from the same tables that execute the line.
 *
 * Knows nothing of readline: hv/cli/prompt.c hands it the line. Next: commands_session.c.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/expr_parse.h"
#include "debugger/help.h"
#include "debugger/session.h"
#include "debugger/settings.h"
#include "debugger/values.h"
#include "isa/x86/regs.h"
#include "loader/symbols.h"

#define OFFERS_MAX 4096

struct offers {
    char **list; /* ends with NULL */
    size_t count, room;
    const char *head; /* stands before each: the part of the word that is complete already */
    size_t head_length;
    const char *typed; /* what each begins with */
    size_t length;
};

/* Adds `prefix` + `name` if it begins with what was typed. No memory: it is not offered. */
static void
offer(struct offers *o, const char *prefix, const char *name)
{
    char *whole = NULL;

    if (o->count + 1 >= o->room) {
        size_t room = o->room ? 2 * o->room : 64;
        char **grown = room <= 2 * OFFERS_MAX ? realloc(o->list, room * sizeof(*grown)) : NULL;
        if (!grown)
            return;
        o->list = grown, o->room = room;
    }
    if (asprintf(&whole, "%.*s%s%s", (int)o->head_length, o->head, prefix, name) < 0)
        return;
    if (strncmp(whole + o->head_length, o->typed, o->length)) {
        free(whole);
        return;
    }
    o->list[o->count++] = whole;
    o->list[o->count] = NULL;
}

/* --- kinds of words --------------------------------------------------------------------------- */

static void
offer_table(struct offers *o, const struct debug_command *table)
{
    for (; table->name; table++)
        offer(o, "", table->name);
}

static void
offer_commands(struct offers *o, const struct debugger *debugger)
{
    const struct session *session = debugger->session;

    for (const struct debug_command *const *t = debug_command_tables; *t; t++)
        offer_table(o, *t);
    for (unsigned i = 0; i < session->aliases; i++)
        offer(o, "", session->alias[i].name);
}

static void
offer_symbols(struct offers *o, const struct debugger *debugger)
{
    const char *name;
    uint64_t address;
    bool function;

    for (size_t i = 0; (name = symbols_list(debugger->machine->symbols, i, &address, &function));
         i++)
        if (!strncmp(name, o->typed, o->length))
            offer(o, "", name);
}

/* Registers, variables, fields of the exit, symbols. */
static void
offer_expression(struct offers *o, const struct debugger *debugger, const char *word)
{
    static const char *const moments[] = {"icount", "exit", "cpl", "mode", "pc", "sp", "fp"};
    const char *name;
    struct value value;
    size_t n = strlen(word);

    /* The last name in it: "*($r" is about "$r". */
    while (n && (isalnum((unsigned char)word[n - 1]) || strchr("$._", word[n - 1])))
        n--;
    o->head = word;
    o->head_length = n;
    o->typed = word + n;
    o->length = strlen(o->typed);
    if (o->typed[0] == '$') {
        for (unsigned i = 0; i < x86_reg_count; i++)
            offer(o, "$", x86_reg_table[i].name);
        for (unsigned i = 0; i < ARRAY_SIZE(moments); i++)
            offer(o, "$", moments[i]);
        for (unsigned i = 0; (name = values_name(debugger->values, i, &value)); i++)
            offer(o, "$", name);
        return;
    }
    if (!strncmp(o->typed, "exit.", 5)) {
        for (unsigned i = 0; (name = expr_exit_field(i)); i++)
            offer(o, "exit.", name);
        return;
    }
    offer_symbols(o, debugger);
}

static void
offer_reasons(struct offers *o)
{
    static const char *const words[] = {"any",  "port",   "gpa",      "msr",    "vector",
                                        "leaf", "number", "register", "address"};

    for (unsigned k = 1; k < TRACE_KIND_COUNT; k++)
        if (trace_kinds[k].class == TRACE_CLASS_EXIT)
            offer(o, "", trace_kinds[k].name);
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
        offer(o, "", words[i]);
}

static void
offer_settings(struct offers *o)
{
    for (const struct setting *s = setting_table; s->name; s++)
        offer(o, "", s->name);
}

/* The values of the setting whose name is the `length` bytes at `name`: "out|in|both". */
static void
offer_values(struct offers *o, const char *name, size_t length)
{
    char one[32];

    for (const struct setting *s = setting_table; s->name; s++) {
        if (strlen(s->name) != length || memcmp(s->name, name, length))
            continue;
        if (!strcmp(s->name, "skip-exits"))
            offer_reasons(o);
        for (const char *v = s->values; *v && islower((unsigned char)*v);) {
            size_t n = strcspn(v, "|");
            snprintf(one, sizeof(one), "%.*s", (int)n, v);
            offer(o, "", one);
            v += n + (v[n] == '|');
        }
    }
}

/* --- the line --------------------------------------------------------------------------------- */

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, each once. */
static char **
finish(struct offers *o)
{
    size_t kept = 0;

    if (!o->count) {
        free(o->list);
        return NULL;
    }
    qsort(o->list, o->count, sizeof(*o->list), by_text);
    for (size_t i = 0; i < o->count; i++)
        if (kept && !strcmp(o->list[kept - 1], o->list[i]))
            free(o->list[i]);
        else
            o->list[kept++] = o->list[i];
    o->list[kept] = NULL;
    return o->list;
}

/* The words before the one that is completed: what they mean for it. */
struct context {
    const struct debug_command *command; /* NULL: the word is the command itself */
    unsigned arguments;                  /* words between the command and this one */
    const char *first;                   /* the first of them */
    size_t first_length;
};

/* False: the words before make no sense. */
static bool
read_context(const char *before, struct context *context)
{
    const struct debug_command *const *tables = debug_command_tables;
    const struct debug_command *const *table = tables;
    const struct debug_command *sub[2] = {NULL, NULL};

    *context = (struct context){NULL, 0, NULL, 0};
    while (*(before += strspn(before, " \t"))) {
        size_t n = strcspn(before, " \t"), letters = 0;
        while (isalnum((unsigned char)before[letters]) || before[letters] == '-' ||
               before[letters] == '_')
            letters++;
        if (table) {
            const struct debug_command *found = debug_command_find(table, before,
                                                                   letters < n ? letters : n, NULL);
            if (!found && table == tables)
                return false;
            if (found) {
                sub[0] = found->table;
                table = found->table ? (const struct debug_command *const *)sub : NULL;
                context->command = found;
                before += n;
                continue;
            }
            table = NULL;
        }
        if (!context->arguments++) {
            context->first = before;
            context->first_length = n;
        }
        before += n;
    }
    return true;
}

static void
offer_arguments(struct offers *o, struct debugger *debugger, const struct context *context,
                const char *word, bool *files)
{
    const struct debug_command *command = context->command;

    if (command->table && !context->arguments)
        offer_table(o, command->table);
    switch (command->complete) {
    case COMPLETE_NOTHING:
    case COMPLETE_SUBCOMMAND: break;
    case COMPLETE_COMMAND:
        if (!context->arguments) {
            offer_commands(o, debugger);
        } else {
            const struct debug_command *of = debug_command_find(
                debug_command_tables, context->first, context->first_length, NULL);
            if (of && of->table)
                offer_table(o, of->table);
        }
        break;
    case COMPLETE_LOCATION:
    case COMPLETE_EXPRESSION: offer_expression(o, debugger, word); break;
    case COMPLETE_REASON:
        if (word[0] == '$' || strncmp(word, "exit.", 5) == 0)
            offer_expression(o, debugger, word);
        else
            offer_reasons(o);
        break;
    case COMPLETE_FILE: *files = true; break;
    case COMPLETE_SETTING:
        if (word[0] == '$')
            offer_expression(o, debugger, word);
        else if (!context->arguments)
            offer_settings(o);
        else
            offer_values(o, context->first, context->first_length);
        break;
    }
}

char **
debug_complete(struct debugger *debugger, const char *line, size_t start, size_t end, bool *files)
{
    struct offers o = {0};
    struct context context;
    const struct alias *alias;
    char *before = NULL, *word = NULL;

    *files = false;
    size_t first = strspn(line, " \t"), length = strcspn(line + first, " \t");
    alias = first + length < start ? session_alias(debugger->session, line + first, length) : NULL;
    if (asprintf(&before, "%s%.*s", alias ? alias->command : "",
                 (int)(start - (alias ? first + length : 0)),
                 line + (alias ? first + length : 0)) < 0)
        return NULL;
    if (asprintf(&word, "%.*s", (int)(end - start), line + start) < 0) {
        free(before);
        return NULL;
    }
    o.typed = word;
    o.length = strlen(word);
    o.head = "";
    if (read_context(before, &context)) {
        if (!context.command)
            offer_commands(&o, debugger);
        else
            offer_arguments(&o, debugger, &context, word, files);
    }
    free(before);
    free(word);
    return finish(&o);
}
