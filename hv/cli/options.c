/*
 * options.c - takes a command line apart by a command's tables of options.
 *
 * Smaller than getopt_long and driven by the same tables as the help. An option that nobody knows
 * is answered with the nearest one that exists. Next: print.c.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"

const struct option_desc help_option = {"help", 'h', NULL, "Print this help."};

/* The n-th option of a command, its own tables first and --help last; NULL: there is none. */
static const struct option_desc *
option_at(const struct command *command, unsigned n)
{
    for (unsigned t = 0; t < ARRAY_SIZE(command->options) && command->options[t]; t++)
        for (const struct option_desc *o = command->options[t]; o->name; o++)
            if (n-- == 0)
                return o;
    return n == 0 ? &help_option : NULL;
}

const struct option_desc *
option_find(const struct command *command, const char *name, size_t length)
{
    const struct option_desc *o;

    for (unsigned n = 0; (o = option_at(command, n)); n++)
        if ((strlen(o->name) == length && !memcmp(o->name, name, length)) ||
            (length == 1 && o->letter == name[0]))
            return o;
    return NULL;
}

static int
unknown_option(const struct command *command, const char *word, const char *name, size_t length,
               struct error *err)
{
    const char *names[ARGS_MAX];
    char typed[64];
    unsigned count = 0;
    const struct option_desc *o;

    for (unsigned n = 0; (o = option_at(command, n)) && count < ARGS_MAX; n++)
        names[count++] = o->name;
    if (length < sizeof(typed)) {
        memcpy(typed, name, length);
        typed[length] = 0;
        const char *near = nearest_name(typed, names, count);
        if (near)
            return error_set(err, EINVAL, "'hv %s' has no option '%s'; did you mean '--%s'?",
                             command->name, word, near);
    }
    return error_set(err, EINVAL, "'hv %s' has no option '%s'", command->name, word);
}

/* One option, at argv[*i]; moves *i on if its value is the next word. */
static int
parse_option(struct args *args, int argc, char **argv, int *i, struct error *err)
{
    const char *word = argv[*i];
    const char *name = word + (word[1] == '-' ? 2 : 1);
    size_t length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    const struct option_desc *o = option_find(args->command, name, length);

    if (!o)
        return unknown_option(args->command, word, name, length, err);
    if (value && !o->value)
        return error_set(err, EINVAL, "option '--%s' takes no value", o->name);
    if (o->value && !value) {
        if (*i + 1 >= argc)
            return error_set(err, EINVAL, "option '--%s' needs a value: --%s %s", o->name, o->name,
                             o->value);
        value = argv[++*i];
    }
    if (args->options == ARGS_MAX)
        return error_set(err, E2BIG, "more than %d options", ARGS_MAX);
    args->option[args->options].desc = o;
    args->option[args->options++].value = value;
    return 0;
}

int
args_parse(struct args *args, const struct command *command, int argc, char **argv,
           struct error *err)
{
    bool options_end = false;

    memset(args, 0, sizeof(*args));
    args->command = command;
    for (int i = 0; i < argc; i++) {
        if (!options_end && !strcmp(argv[i], "--")) {
            options_end = true;
        } else if (!options_end && argv[i][0] == '-' && argv[i][1]) {
            int rc = parse_option(args, argc, argv, &i, err);
            if (rc)
                return rc;
        } else if (args->words < ARGS_MAX) {
            args->word[args->words++] = argv[i];
        } else {
            return error_set(err, E2BIG, "more than %d words", ARGS_MAX);
        }
    }
    if (args_flag(args, "help"))
        return 0;
    if (args->words < command->min)
        return error_set(err, EINVAL, "'hv %s' needs %s", command->name, command->words);
    if (args->words > command->max)
        return error_set(err, EINVAL, "'hv %s' does not know what to do with '%s'", command->name,
                         args->word[command->max]);
    return 0;
}

const char *
args_nth(const struct args *args, const char *name, unsigned n)
{
    assert(option_find(args->command, name, strlen(name)));
    for (unsigned i = 0; i < args->options; i++)
        if (!strcmp(args->option[i].desc->name, name) && n-- == 0)
            return args->option[i].value;
    return NULL;
}

const char *
args_value(const struct args *args, const char *name)
{
    const char *value = NULL, *next;

    for (unsigned n = 0; (next = args_nth(args, name, n)); n++)
        value = next;
    return value;
}

bool
args_flag(const struct args *args, const char *name)
{
    assert(option_find(args->command, name, strlen(name)));
    for (unsigned i = 0; i < args->options; i++)
        if (!strcmp(args->option[i].desc->name, name))
            return true;
    return false;
}

int
args_size(const struct args *args, const char *name, uint64_t *value, struct error *err)
{
    const char *text = args_value(args, name);
    int rc = text ? parse_size(text, value, err) : 0;

    return rc ? error_prefix(err, rc, "option '--%s'", name) : 0;
}

int
args_number(const struct args *args, const char *name, uint64_t *value, struct error *err)
{
    const char *text = args_value(args, name);
    int rc = text ? parse_number(text, value, err) : 0;

    return rc ? error_prefix(err, rc, "option '--%s'", name) : 0;
}

int
args_range(const struct args *args, uint64_t *from, uint64_t *limit, struct error *err)
{
    const char *range = args_value(args, "range");
    const char *colon = range ? strchr(range, ':') : NULL;
    char first[32] = "";
    uint64_t last;

    if (args_number(args, "from", from, err) || args_number(args, "limit", limit, err))
        return -EINVAL;
    if (!range)
        return 0;
    if (!colon || (size_t)(colon - range) >= sizeof(first))
        return error_set(err, EINVAL, "--range '%s' is not FIRST:LAST, as in --range 10:20", range);
    memcpy(first, range, (size_t)(colon - range));
    if (parse_number(first, from, err) || parse_number(colon + 1, &last, err))
        return error_prefix(err, EINVAL, "option '--range'");
    if (*from == 0 || last < *from)
        return error_set(err, EINVAL,
                         "--range %s: exits are numbered from 1, the first comes first", range);
    *limit = last - *from + 1;
    return 0;
}
