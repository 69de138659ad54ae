/*
 * paint.c - see paint.h.
 */
#include <stdio.h>
#include <string.h>

#include "debugger/paint.h"

#define WIDTH  79
#define INDENT 10

const char *
paint_on(const struct debugger *debugger, enum paint paint)
{
    static const char *const codes[] = {
        [PAINT_TITLE] = "\033[1m",  [PAINT_DIM] = "\033[2m",   [PAINT_CHANGED] = "\033[33m",
        [PAINT_BAD] = "\033[1;31m", [PAINT_NAME] = "\033[36m",
    };

    return debugger->settings.color ? codes[paint] : "";
}

const char *
paint_off(const struct debugger *debugger)
{
    return debugger->settings.color ? "\033[0m" : "";
}

/* Bytes of the next line of text: up to the last blank before `room`, or a word that is longer. */
static size_t
line_length(const char *text, size_t room)
{
    size_t length = strlen(text), at;

    if (length <= room)
        return length;
    for (at = room; at > 0 && text[at] != ' '; at--)
        ;
    return at ? at : strcspn(text, " ");
}

void
paint_paragraph(const struct debugger *debugger, const char *label, const char *text)
{
    const char *on = paint_on(debugger, PAINT_NAME), *off = paint_off(debugger);

    while (*text == ' ')
        text++;
    do {
        size_t length = line_length(text, WIDTH - INDENT);
        fprintf(debugger->out, "  %s%-*s%s%.*s\n", *label ? on : "", INDENT - 2, label,
                *label ? off : "", (int)length, text);
        label = "";
        text += length;
        while (*text == ' ')
            text++;
    } while (*text);
}
