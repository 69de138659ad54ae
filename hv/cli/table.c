/* table.c - the subcommands of hv, in the order of `hv help`. */
#include <stddef.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"

const struct command *const command_table[] = {
    &command_help,
    &command_run,
    &command_trace,
    &command_graph,
    &command_doctor,
    &command_list,
    &command_version,
    NULL,
};

const struct command *
command_find(const char *name)
{
    for (const struct command *const *c = command_table; *c; c++)
        if (!strcmp((*c)->name, name))
            return *c;
    return NULL;
}
