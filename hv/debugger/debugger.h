/*
 * debugger.h - one session of the debugger: the machine, what the user has set, where it prints.
 *
 * Called by hv/cli/cmd_debug.c, which reads lines from a terminal, a script or a pipe, and by the
 * gdb stub for `monitor`. Next: command.h, then machine.h.
 */
#ifndef HV_DEBUGGER_DEBUGGER_H
#define HV_DEBUGGER_DEBUGGER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "debugger/expr.h"
#include "debugger/machine.h"

struct stops;    /* stops.h: breakpoints, watchpoints, catchpoints */
struct displays; /* display.c */
struct values;   /* values.c: $1, $name */
struct session;  /* session.h: aliases, checkpoints, what was typed */

/* What `set` changes; one row of settings.c each. */
struct settings {
    unsigned exit_edge; /* EDGE_OUT, EDGE_IN or both: where stepexit stops */
    bool color;
    bool confirm;
    unsigned listsize;
    char graph_viewer[128]; /* command that shows a picture; "": print its name only */
    uint64_t skip_kinds;    /* nextexit skips exits of enum trace_kind k */
};

struct debugger {
    struct machine *machine;
    FILE *out;        /* where commands print */
    bool interactive; /* a terminal: prompt, repeat, questions */
    bool quit;        /* `quit` was said */
    int status;       /* hv's exit status, if a script failed */
    struct settings settings;
    struct stops *stops;
    struct displays *displays;
    struct values *values;
    struct session *session;  /* session.h */
    char *repeat;             /* what an empty line means; NULL: nothing */
    unsigned script_depth;    /* of `source` */
    struct run_limits limits; /* --limit: no movement forwards goes beyond it */
    bool started;             /* the machine has moved since it was built */
    /* Asks a yes-or-no question on the terminal; NULL: the answer is yes. Owned by the cli. */
    bool (*ask)(const char *question);
    /* Builds the machine anew for `run`; NULL: cannot. Owned by the cli. */
    int (*restart)(struct debugger *debugger, struct error *err);
    void *restart_context;
};

/* Sets up a session with its defaults; machine and out are the caller's. 0 or -ENOMEM. */
int debugger_open(struct debugger *debugger, struct machine *machine, FILE *out, struct error *err);
void debugger_close(struct debugger *debugger);

/*
 * Executes one line: a command and its arguments. Prints to debugger->out. 0, or -errno with a
 * sentence for the caller to print; the session goes on either way unless debugger->quit.
 */
int debugger_execute(struct debugger *debugger, const char *line, struct error *err);

/* True, or the user's answer if the session is one that asks. */
bool debugger_confirm(const struct debugger *debugger, const char *question);

/* Shows where the machine stopped and why: at most 12 lines (context.c). */
void debugger_show_stop(struct debugger *debugger, const struct stop *stop);

/* The number of the exit that a command without a number means: the one at the present edge, or the
 * last one; 0: there was none. */
uint64_t debugger_this_exit(const struct debugger *debugger);

#endif
