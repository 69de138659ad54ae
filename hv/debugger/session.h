/*
 * session.h - what a session remembers besides the machine: aliases, checkpoints, what was typed,
 * and lines that are still to be executed.
 *
 * Private to the commands of hv/debugger. Next: debugger.c.
 */
#ifndef HV_DEBUGGER_SESSION_H
#define HV_DEBUGGER_SESSION_H

#include "debugger/debugger.h"

#define SESSION_LOG     64 /* lines that `show commands` remembers */
#define SESSION_ALIASES 128
#define SESSION_DEPTH   16   /* `source` and aliases within one another */
#define LINE_LONGEST    4096 /* bytes of a command */

struct alias {
    char *name, *command;
};

struct session {
    struct alias alias[SESSION_ALIASES];
    unsigned aliases;
    struct moment *checkpoint; /* number n is checkpoint[n - 1] */
    unsigned checkpoints;
    char *log[SESSION_LOG]; /* a ring: line n is log[n % SESSION_LOG] */
    uint64_t logged;
    unsigned collecting; /* the number of the stop whose `commands` are being typed; 0: none */
    char *pending;       /* lines of a stop's commands, to be executed next; NULL: none */
    bool tracing;        /* `trace on`: a line for each exit as it happens */
    bool served;         /* a gdb has the machine: what is executed is its `monitor` */
    unsigned hit;        /* the number of the user's stop that held the machine last; 0: none */
};

/* The alias of that very name, or NULL. */
const struct alias *session_alias(const struct session *session, const char *word, size_t length);
/* command NULL: forgets the name. 0, or -ENOMEM, -ENOSPC. */
int session_set_alias(struct session *session, const char *name, const char *command,
                      struct error *err);
/* Executes the lines of a text (a stop's commands, a file); the first that fails ends it, *line
 * is its number. */
int session_execute(struct debugger *debugger, const char *text, unsigned *line, struct error *err);
/* `info checkpoints`: those that the user has made (commands_run.c). */
void session_print_checkpoints(const struct debugger *debugger);
/* The prompt that suits: "(hv) ", or ">" while the lines of `commands` are typed. */
const char *session_prompt(const struct debugger *debugger);

#endif
