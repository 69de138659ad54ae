/*
 * card.h - all that is known of one exit, as a picture: the text of DOT, a table in one node.
 *
 * card_fill() puts in what a recording holds. Who has more adds it with the same functions: the
 * instruction and its source line from the guest's file (hv graph card), registers before and
 * after (the debugger). What is not known is left out. All texts are copied; what is too long is
 * cut, and rows beyond CARD_ROWS are dropped.
 *
 * Called by view_card.c, hv/cli/picture.c and the debugger. Next: view.h's `card`.
 */
#ifndef TRACER_CARD_H
#define TRACER_CARD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tracer/read.h"

#define CARD_ROWS 96
#define CARD_TEXT 160

/* In the order in which they are drawn. */
enum card_section {
    CARD_WHERE,     /* domains, rip, symbol, source line, instruction */
    CARD_WHY,       /* the reason, its operands, what the manual says */
    CARD_HANDLED,   /* who was asked, what the guest gets */
    CARD_REGISTERS, /* before and after */
    CARD_COST,      /* where the time went */
    CARD_SECTIONS
};

struct card_row {
    enum card_section section;
    char label[40];
    char text[CARD_TEXT];
    char before[CARD_TEXT]; /* CARD_REGISTERS: text is what it was after */
    bool code;              /* text is set in letters of one width */
    bool changed;           /* drawn so that it is seen */
    uint64_t ns;            /* CARD_COST: draws a bar */
};

struct card {
    char title[CARD_TEXT], subtitle[CARD_TEXT];
    const char *color; /* of the title */
    unsigned rows;
    struct card_row row[CARD_ROWS];
};

void card_init(struct card *card);
void card_add(struct card *card, enum card_section section, const char *label, const char *format,
              ...) __attribute__((format(printf, 4, 5)));
/* The same for numbers, instructions and source. */
void card_add_code(struct card *card, enum card_section section, const char *label,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* One register; before or after may be NULL: not known. It is marked if the two differ. */
void card_add_register(struct card *card, const char *name, const char *before, const char *after);
void card_add_cost(struct card *card, const char *label, uint64_t ns);

struct view_options;
/* Adds what the recording holds of exit `number`, by options' name, no_times and title. 0, or
 * -ENOENT: there is no such exit. */
int card_fill(struct card *card, const struct trace *trace, uint64_t number,
              const struct view_options *options);
/* The DOT. Give it to dot.h's dot_write_text() for a file. */
void card_print(const struct card *card, FILE *out);

#endif
