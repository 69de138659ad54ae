/*
 * main.c - hv's command line: find the subcommand, take its words apart, run it.
 *
 * The first word names a row of command_table (table.c); the rest is parsed by that row's tables
 * of options (options.c); @FILE stands for options (wordfile.c). Next: cmd_run.c, which builds a
 * machine and runs it.
 */
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/wordfile.h"

static bool
is_one_of(const char *word, const char *a, const char *b)
{
    return !strcmp(word, a) || !strcmp(word, b);
}

/* "'rnu' is not a command; did you mean 'run'?" */
static int
unknown_command(const char *word)
{
    const char *names[ARGS_MAX];
    unsigned count = 0;

    for (const struct command *const *c = command_table; *c && count < ARGS_MAX; c++)
        names[count++] = (*c)->name;
    const char *near = nearest_name(word, names, count);
    if (near)
        return cli_error(STATUS_USER, "'%s' is not a command; did you mean '%s'?", word, near);
    return cli_error(STATUS_USER, "'%s' is not a command; 'hv help' lists them", word);
}

int
main(int argc, char **argv)
{
    /* 1. Which command? hv --help and hv --version are commands too. */
    if (argc < 2) {
        print_commands();
        return STATUS_USER;
    }
    const char *name = argv[1];
    if (is_one_of(name, "--help", "-h"))
        name = "help";
    else if (is_one_of(name, "--version", "-V"))
        name = "version";
    const struct command *command = command_find(name);
    if (!command)
        return unknown_command(name);

    /* 2. Its options and words. */
    struct wordfile words;
    struct args args;
    struct error err;
    int status = STATUS_OK;
    if (wordfile_expand(&words, command, argc - 2, argv + 2, &err) ||
        args_parse(&args, command, words.words, words.word, &err)) {
        wordfile_free(&words);
        return cli_error(STATUS_USER, "%s (see 'hv %s --help')", err.message, command->name);
    }
    args.argc = argc;
    args.argv = argv;

    /* 3. Do it. */
    if (args_flag(&args, "help"))
        print_help(command);
    else
        status = command->run(&args);
    wordfile_free(&words);
    return status;
}
