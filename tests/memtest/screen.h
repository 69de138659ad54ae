/*
 * screen.h - what stands on a terminal after some bytes were sent to it.
 *
 * Enough of ECMA-48 for programs that place the cursor and write: CUP, CR, LF, BS and erasing all;
 * colours and modes are passed over. No scrolling. Used by main.c.
 */
#ifndef TESTS_MEMTEST_SCREEN_H
#define TESTS_MEMTEST_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

#define SCREEN_ROWS    25
#define SCREEN_COLUMNS 80

struct screen {
    char text[SCREEN_ROWS][SCREEN_COLUMNS + 1]; /* each row ends with a zero byte */
    unsigned row, column;                       /* of the cursor; column 80: behind the last */
    char sequence[32];                          /* of an escape sequence so far, ESC included */
    unsigned length;                            /* 0: not in one */
};

void screen_clear(struct screen *s);
/* One byte from the program. True if it filled the last column of a row: that row is complete. */
bool screen_put(struct screen *s, char byte);
/* The number that stands behind `label`, wherever it is on the screen; -1 if there is none. */
int screen_number(const struct screen *s, const char *label);
/* The rows without trailing blanks; empty rows at the end are left out. */
void screen_print(const struct screen *s, FILE *out);

#endif
