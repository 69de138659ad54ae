/*
 * lab_all.h - `hv lab grade-all`: a whole class at once. Shared by cmd_lab.c, lab_all.c, lab_box.c.
 */
#ifndef HV_CLI_LAB_ALL_H
#define HV_CLI_LAB_ALL_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"
#include "cli/cli.h"

/* What a submission may use, and what it sees of this machine. */
struct lab_box {
    bool plain;          /* no box: limits only, for work that is trusted */
    bool namespaces;     /* the work makes some itself: a box without the filter and the covers */
    char labs[PATH_MAX]; /* as the grader finds them: in the box or outside */
    char guests[PATH_MAX];
    char include[PATH_MAX];
    char hv[PATH_MAX];
    char view[PATH_MAX];  /* the box' root file system, a mount of our own; "": none */
    unsigned cpu_seconds; /* of one process */
};

/* --- lab_box.c ------------------------------------------------------------------------------------ */

/* Puts the box' root file system together, in a mount namespace of our own, so that it goes with us:
 * /usr, a C compiler's links, hv, guests, labs without solutions. 0, or -errno with a sentence. */
int lab_box_open(struct lab_box *box, bool plain, struct error *err);
void lab_box_close(struct lab_box *box);
/* In a process of its own: grades the submission that is packed in file descriptor `packed`; what the
 * grader says goes to `out`, the JSON after it. Never returns. */
void lab_box_grade(const struct lab_box *box, const char *lab, int packed, int out)
    __attribute__((noreturn));

/* --- lab_all.c ------------------------------------------------------------------------------------ */

/* lab: its folder. Returns hv's status. */
int lab_grade_all(const struct args *args, const char *lab, const char *folder);

#endif
