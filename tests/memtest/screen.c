/*
 * screen.c - a terminal of 25 rows and 80 columns in memory; the contract is screen.h.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tests/memtest/screen.h"

#define ESC 0x1b

void
screen_clear(struct screen *s)
{
    memset(s, 0, sizeof(*s));
    for (unsigned row = 0; row < SCREEN_ROWS; row++)
        memset(s->text[row], ' ', SCREEN_COLUMNS);
}

/* "ESC [ row ; column H", both from 1; what is missing is 1 (ECMA-48, 8.3.21). */
static void
place_cursor(struct screen *s)
{
    const char *second = strchr(s->sequence, ';');
    int row = atoi(s->sequence + 2), column = second ? atoi(second + 1) : 1;

    row = row < 1 ? 1 : row > SCREEN_ROWS ? SCREEN_ROWS : row;
    column = column < 1 ? 1 : column > SCREEN_COLUMNS ? SCREEN_COLUMNS : column;
    s->row = (unsigned)row - 1;
    s->column = (unsigned)column - 1;
}

/* "ESC [" parameters (0-9 : ; < = > ?), then one letter (ECMA-48, 5.4); or ESC and one byte. */
static void
in_sequence(struct screen *s, char byte)
{
    if (s->length == sizeof(s->sequence) - 1) {
        s->length = 0; /* too long to be one of ours */
        return;
    }
    s->sequence[s->length++] = byte;
    s->sequence[s->length] = 0;
    if (s->length == 2 ? byte == '[' : byte < '@')
        return;
    if (byte == 'H' && s->length > 2)
        place_cursor(s);
    else if (!strcmp(s->sequence + 1, "[2J"))
        screen_clear(s);
    s->length = 0;
}

bool
screen_put(struct screen *s, char byte)
{
    if (s->length || byte == ESC) {
        in_sequence(s, byte);
        return false;
    }
    switch (byte) {
    case '\r': s->column = 0; return false;
    case '\b': s->column -= s->column > 0; return false;
    case '\n': s->row += s->row < SCREEN_ROWS - 1; return false;
    default: break;
    }
    if (s->column == SCREEN_COLUMNS)
        return false;
    s->text[s->row][s->column++] = isprint((unsigned char)byte) ? byte : '?';
    return s->column == SCREEN_COLUMNS;
}

int
screen_number(const struct screen *s, const char *label)
{
    for (unsigned row = 0; row < SCREEN_ROWS; row++) {
        const char *found = strstr(s->text[row], label);
        if (!found)
            continue;
        found += strlen(label);
        found += strspn(found, " ");
        return isdigit((unsigned char)*found) ? atoi(found) : -1;
    }
    return -1;
}

void
screen_print(const struct screen *s, FILE *out)
{
    unsigned empty = 0;

    for (unsigned row = 0; row < SCREEN_ROWS; row++) {
        int length = SCREEN_COLUMNS;
        while (length && s->text[row][length - 1] == ' ')
            length--;
        if (!length) {
            empty++;
            continue;
        }
        for (; empty; empty--)
            fprintf(out, "    |\n");
        fprintf(out, "    |%.*s\n", length, s->text[row]);
    }
}
