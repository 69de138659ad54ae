/* help.h - help, apropos and completion, from the tables of commands. Next: help.c, complete.c. */
#ifndef HV_DEBUGGER_HELP_H
#define HV_DEBUGGER_HELP_H

#include <stdio.h>

#include "debugger/command.h"

/* `help`, `help WORD...`, `apropos WORD`, to debugger->out. */
int debug_help(struct debugger *debugger, const char *arguments, struct error *err);
int debug_apropos(struct debugger *debugger, const char *arguments, struct error *err);

/* Calls visit for each command and each subcommand, with the command that it belongs to or NULL,
 * until it returns false: the manual page, the tests. */
typedef bool command_visit_fn(void *context, const struct debug_command *parent,
                              const struct debug_command *command);
void debug_commands_visit(command_visit_fn *visit, void *context);

/*
 * What Tab offers for the word of `line` that starts at byte `start` and ends at `end`: the strings
 * and the list are the caller's to free, the list ends with NULL and is sorted; NULL: nothing. *files
 * says that names of files fit there too.
 */
char **debug_complete(struct debugger *debugger, const char *line, size_t start, size_t end,
                      bool *files);

/* The names of groups of commands, in the order of `help`; ends with NULL. */
extern const char *const debug_groups[];

#endif
