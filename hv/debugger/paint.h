/*
 * paint.h - colour, and text of a paragraph's width: for context.c, explain*.c and info_*.c.
 */
#ifndef HV_DEBUGGER_PAINT_H
#define HV_DEBUGGER_PAINT_H

#include "debugger/debugger.h"

enum paint { PAINT_TITLE, PAINT_DIM, PAINT_CHANGED, PAINT_BAD, PAINT_NAME };

/* The escape that begins a colour, and the one that ends it; "" if settings.color is off. */
const char *paint_on(const struct debugger *debugger, enum paint paint);
const char *paint_off(const struct debugger *debugger);

/* Prints text in lines of at most 88 columns; the first begins with label (at most 8 columns, "" for
 * none), all are indented behind it. */
void paint_paragraph(const struct debugger *debugger, const char *label, const char *text);

#endif
