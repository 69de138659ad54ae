/*
 * source.h - the guest's source: finding its files, printing lines of them.
 *
 * Called by commands_source.c, the stop's context and `disassemble /s`. Next: source.c.
 */
#ifndef HV_DEBUGGER_SOURCE_H
#define HV_DEBUGGER_SOURCE_H

#include "debugger/debugger.h"

/* Opens a file, as the compiler was given its name: from the present folder on, then in those of the
 * list, "one:another" or NULL, by the whole name or its end. NULL: it is not found. */
FILE *source_open(const char *folders, const char *file);
/*
 * Prints lines first to last of a file, as the compiler was given its name; "=>" before line `mark`,
 * if that is not 0. Returns how many lines there were to print: 0 and a sentence if the file is not
 * found. The folders of `directory` are searched for it, from the present one on.
 */
unsigned source_print(struct debugger *debugger, const char *file, int first, int last, int mark,
                      struct error *err);
/* Line `line` of the file, without white space in front, for the one line of a context. False: the
 * file is not found, or is shorter. */
bool source_line(struct debugger *debugger, const char *file, int line, char *text, size_t size);

struct displays;
/* The files are read anew when they are next wanted: there are other folders to look in. */
void source_forget(struct displays *displays);

/* --- source_list.c ------------------------------------------------------------------------------- */

/* `list`, and the rows of `info` that are about the program. */
int source_list(struct debugger *debugger, const char *arguments, struct error *err);
int source_info_line(struct debugger *debugger, const char *arguments, struct error *err);
int source_info_symbol(struct debugger *debugger, const char *arguments, struct error *err);
int source_info_source(struct debugger *debugger, const char *arguments, struct error *err);
int source_info_sources(struct debugger *debugger, const char *arguments, struct error *err);
int source_info_functions(struct debugger *debugger, const char *arguments, struct error *err);

#endif
