/*
 * demo.h - a demo: what is told and what is typed in a lecture, executed and checked before it is shown.
 *
 * A demo is a file labs/demos/NAME.demo. All of it is executed first, by the programs that a viewer
 * could start himself (hv debug, and commands of a shell), so a step back shows what was there; the
 * engine soft repeats it to the byte. Used by cmd_demo.c. Next: demo_read.c.
 */
#ifndef HV_CLI_DEMO_H
#define HV_CLI_DEMO_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define DEMO_STEPS   128
#define DEMO_CHECKS  12 /* in a step */
#define DEMO_LONGEST 1024

/* What must be true of what a step has printed. */
struct demo_check {
    bool absent; /* :reject; else :expect */
    char *text;
};

struct demo_step {
    unsigned line;
    char *told;       /* lines of text, before the command; "" if there are none */
    char *command;    /* NULL: nothing is executed */
    bool shell;       /* of sh; else of the debugger */
    unsigned session; /* debugger: which; session_words has its command line */
    int status;       /* shell: what it must end with */
    struct demo_check check[DEMO_CHECKS];
    unsigned checks;
    char *picture; /* a file that the command makes, or NULL */
    char *caption;
    char *output; /* filled in by demo_execute() */
    char *image;  /* the picture's bytes */
    size_t image_size;
};

struct demo {
    char title[DEMO_LONGEST], shows[DEMO_LONGEST], minutes[16], needs[64];
    struct demo_step step[DEMO_STEPS];
    unsigned steps;
    char *session_words[DEMO_STEPS]; /* what follows "hv debug" */
    unsigned sessions;
    char folder[PATH_MAX]; /* where its commands are executed */
};

/* --- demo_read.c ---------------------------------------------------------------------------------- */

/* Reads a file; the caller frees with demo_free(), after a failure, too. 0, or -errno with a sentence
 * that has the line. */
int demo_read(struct demo *demo, const char *path, struct error *err);
void demo_free(struct demo *demo);

/* --- demo_run.c ----------------------------------------------------------------------------------- */

/* Executes all of it in demo->folder and checks what it prints. 0, or -errno with a sentence that
 * says which line was wrong and why. */
int demo_execute(struct demo *demo, struct error *err);
/* Puts the commands of a debugger's session up to and with `step` into demo->folder/script, and runs
 * `hv debug` with that script and a prompt, to its end. */
int demo_take_over(const struct demo *demo, unsigned step, struct error *err);

/* --- demo_show.c, demo_html.c --------------------------------------------------------------------- */

/* Prints all of it. */
void demo_print(const struct demo *demo);
/* Plays it on a terminal: keys, or the next step each `seconds` (0: keys alone). *taken: the step at
 * which the viewer wants a prompt, -1: none; before, the step to come back to, -1: the beginning. 0, or -errno with a sentence. */
int demo_play(const struct demo *demo, unsigned seconds, const char *viewer, int *taken,
              struct error *err);
/* One page with everything in it. */
int demo_write_html(const struct demo *demo, const char *path, struct error *err);

#endif
