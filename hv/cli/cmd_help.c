/* cmd_help.c - `hv help [COMMAND]` and `hv version`. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/tables.h"

static int
run_help(const struct args *args)
{
    const char *dir = args_value(args, "gen");
    struct error err;

    if (dir)
        return write_documents(dir, &err) ? cli_error(STATUS_USER, "%s", err.message) : STATUS_OK;
    if (!args->words) {
        print_commands();
        return STATUS_OK;
    }
    const struct command *command = command_find(args->word[0]);
    if (!command)
        return cli_error(STATUS_USER, "'%s' is not a command; 'hv help' lists them", args->word[0]);
    print_help(command);
    return STATUS_OK;
}

static const struct option_desc options[] = {
    {"gen", 0, "DIR", "Write the reference pages and the manual page below DIR."},
    {NULL},
};

const struct command command_help = {
    .name = "help",
    .words = "[COMMAND]",
    .max = 1,
    .summary = "Say what the commands are, or what one of them takes.",
    .text = "Without a word: the list of commands. With the name of a command: its help.\n",
    .options = {options},
    .run = run_help,
};

static int
run_version(const struct args *args)
{
    (void)args;
    puts("hv " HV_VERSION);
    return STATUS_OK;
}

const struct command command_version = {
    .name = "version",
    .words = "",
    .summary = "Print the version of hv.",
    .text = "One line: hv and its version.\n",
    .run = run_version,
};
