/* catch.h - what commands_stops.c, commands_catch.c and watch.c share. Next: commands_catch.c. */
#ifndef HV_DEBUGGER_CATCH_H
#define HV_DEBUGGER_CATCH_H

#include "debugger/command.h"
#include "debugger/stops.h"

/* The subcommands of `catch` and of `tcatch`. */
extern const struct debug_command commands_catch[], commands_tcatch[];

/* "PLACE if EXPRESSION": cuts text before "if" and returns the expression; NULL: there is none. */
char *stops_split_condition(char *text);
/* A new entry is complete but for its condition (NULL: none): says what it is. It is deleted if the
 * condition is none. 0 or -errno. */
int stops_finish(struct debugger *debugger, struct stop_entry *entry, const char *condition,
                 struct error *err);
/* "*(TYPE *)ADDRESS", "{TYPE}ADDRESS", "*ADDRESS", "NAME": where it is and how long; ", N" behind
 * it says how long, too (watch.c). 0 or -errno with a sentence. */
int stops_parse_object(struct debugger *debugger, const char *text, uint64_t *address,
                       uint64_t *size, struct error *err);
/* What is watched, and what it was at the stop before: prints it (watch.c). */
void stops_show_watched(struct debugger *debugger, struct stop_entry *entry);
/* The value from which the next stop tells the difference. */
void stops_remember_watched(struct debugger *debugger, struct stop_entry *entry);

#endif
