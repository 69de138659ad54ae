/* table.c - the subcommands of hv, in the order of `hv help`. */
#include <stddef.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"

/* clang-format off */
const struct command *const command_table[] = {
    &command_run,
    &command_debug,
    &command_trace,
    &command_graph,
    &command_audit,
    &command_compare,
    &command_ticket,
    &command_lab,
    &command_ski,
    &command_demo,
    &command_list,
    &command_doctor,
    &command_help,
    &command_version,
    NULL,
};
/* clang-format on */

const struct command *
command_find(const char *name)
{
    for (const struct command *const *c = command_table; *c; c++)
        if (!strcmp((*c)->name, name))
            return *c;
    return NULL;
}
