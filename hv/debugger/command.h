/*
 * command.h - what a command of the debugger is.
 *
 * The names are gdb's where gdb has one; any unambiguous beginning of a name is accepted, and an
 * alias before it. Help, completion and the manual page come from these tables, so they cannot
 * disagree with what the parser accepts.
 *
 * To add a command: a row in one of the tables that table.c lists.
 */
#ifndef HV_DEBUGGER_COMMAND_H
#define HV_DEBUGGER_COMMAND_H

#include "debugger/debugger.h"

/* What Tab completes behind the command. */
enum completion {
    COMPLETE_NOTHING,
    COMPLETE_COMMAND,    /* names of commands (help) */
    COMPLETE_SUBCOMMAND, /* of this command's own table */
    COMPLETE_LOCATION,   /* symbols, *, $registers */
    COMPLETE_EXPRESSION, /* $registers, symbols, exit.fields */
    COMPLETE_REASON,     /* kinds of exits */
    COMPLETE_FILE,
    COMPLETE_SETTING,
};

#define COMMAND_REPEATS  0x01u /* an empty line executes it again */
#define COMMAND_ADVANCES 0x02u /* ... without its arguments: x and list go on */
#define COMMAND_LIVE     0x04u /* needs a machine that runs: refused on a recording, with a sentence */
#define COMMAND_BACK     0x08u /* goes back: refused where machine_can_go_back() says so */

struct debug_command {
    const char *name;
    const char *alias;     /* "sx"; several: "sx,step-exit"; NULL: none */
    const char *group;     /* "instruction", "VM exit" ...: headings of `help` */
    const char *arguments; /* "[N]" */
    const char *summary;   /* one line, without a full stop at the end */
    const char *text;      /* more, in lines of at most 76 columns; may be NULL */
    const char *example;   /* "stepexit 5" */
    enum completion complete;
    unsigned flags;                    /* COMMAND_* */
    const struct debug_command *table; /* subcommands; ends with a NULL name; NULL: none */
    /* arguments: without white space at both ends. 0 or -errno with a sentence. NULL if the command
     * has only subcommands. */
    int (*run)(struct debugger *debugger, const char *arguments, struct error *err);
};

/* All tables, in the order of the help; each ends with a NULL name, the list with NULL (table.c). */
extern const struct debug_command *const debug_command_tables[];

/* One for each file of commands. */
extern const struct debug_command commands_step[], commands_run[], commands_stops[],
    commands_look[], commands_source[], commands_info[], commands_explain[], commands_output[],
    commands_session[], commands_gdb[];

/* The command that `word` names: whole, by alias, or by an unambiguous beginning. NULL with a
 * sentence: unknown ("did you mean") or ambiguous (the candidates). */
const struct debug_command *debug_command_find(const struct debug_command *const *tables,
                                               const char *word, size_t length, struct error *err);

/* "N" of a command: *count from the expression in text, 1 if text is empty. */
int debug_count(struct debugger *debugger, const char *text, uint64_t *count, struct error *err);

#endif
