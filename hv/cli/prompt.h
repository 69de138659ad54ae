/* prompt.h - the lines that a user types at a terminal, by GNU readline. Next: prompt.c. */
#ifndef HV_CLI_PROMPT_H
#define HV_CLI_PROMPT_H

#include "debugger/debugger.h"

/* Reads lines from the terminal and executes them until `quit` or the end of input. */
void prompt_run(struct debugger *debugger);
/* debugger->ask: yes or no. */
bool prompt_ask(const char *question);

/* From here on Ctrl-C stops the guest, or clears the line at the prompt; NULL: it kills again. */
void prompt_catch_interrupt(struct machine *machine);
/* While held, Ctrl-C waits: the machine is taken away and built anew. */
void prompt_hold_interrupt(bool hold);

/* script.c: executes what a file or a pipe holds, a line each. 0; -errno and a sentence with the
 * line's number for the first that fails. */
int script_run(struct debugger *debugger, FILE *in, struct error *err);
/* $VARIABLE/REST, or $HOME/HOME_PART/REST: where the XDG base directory specification puts files.
 * False: neither is set, or it does not fit. */
bool script_path(char *path, size_t size, const char *variable, const char *home_part,
                 const char *rest);
/* The file `rc`, if there is one. Errors are printed; the session goes on. */
void script_run_rc(struct debugger *debugger);

#endif
