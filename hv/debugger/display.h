/*
 * display.h - what `display` shows at each stop, and where `x` and `list` go on.
 *
 * Owned by struct debugger; the commands are in commands_look.c. Next: display.c.
 */
#ifndef HV_DEBUGGER_DISPLAY_H
#define HV_DEBUGGER_DISPLAY_H

#include "debugger/format.h"

#define DISPLAYS_MAX 64

struct display {
    unsigned number;
    struct format format;
    char *text; /* the expression */
};

struct displays {
    struct display display[DISPLAYS_MAX];
    unsigned count, last; /* the highest number that was given */

    struct format format[2]; /* the last of x, by enum machine_space */
    uint64_t next[2];        /* the address behind what it showed */
    bool next_known[2];

    char *list_file;              /* what `list` showed last; NULL: nothing yet */
    int list_first, list_last;    /* its lines */
    uint64_t list_pc;             /* where the guest was then: elsewhere, `list` begins there */
    struct source_cache *sources; /* source.c: files that lines were shown of; NULL: none yet */
    char *directories; /* where sources are looked for, with colons; NULL: nowhere else */
};

/* 0 or -ENOMEM. */
int displays_open(struct displays **out, struct error *err);
void displays_close(struct displays *displays);
/* At a stop: each expression with its value, or why it has none. */
void displays_show(struct debugger *debugger);
/* One of them. */
void display_show(struct debugger *debugger, const struct display *display);
/* `info display`: number, format, expression. */
int displays_list(struct debugger *debugger, const char *arguments, struct error *err);
/* 0, -ENOSPC or -ENOMEM with a sentence; *out: the new one. */
int displays_add(struct displays *displays, const struct format *format, const char *text,
                 struct display **out, struct error *err);
/* number 0: all. 0, or -ENOENT with a sentence. */
int displays_remove(struct displays *displays, uint64_t number, struct error *err);

#endif
