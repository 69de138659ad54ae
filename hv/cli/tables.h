/*
 * tables.h - prints the program's own tables for people: `hv run --list-exits`, docs/gen.
 */
#ifndef HV_CLI_TABLES_H
#define HV_CLI_TABLES_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

/* Which exits each engine can show: a row an exit, a column an engine. */
void print_exit_table(FILE *out);
/* The manual page hv(1) in man(7)'s language (manpage.c). */
void write_manual(FILE *out);
/* Text as roff takes it. */
void roff(FILE *out, const char *text);
/* The debugger's commands: docs/gen/debugger.md, and a section of the manual page (debugdoc.c). */
void write_debugger_page(FILE *out);
void write_debugger_manual(FILE *out);
/* Writes DIR/gen/NAME.md and DIR/man/hv.1; makes the folders. 0 or -errno with a sentence. */
int write_documents(const char *dir, struct error *err);

#endif
