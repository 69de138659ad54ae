/*
 * lab_all.h - `hv lab grade-all`: a whole class at once. Shared by cmd_lab.c, lab_all.c, lab_box.c,
 * lab_table.c.
 */
#ifndef HV_CLI_LAB_ALL_H
#define HV_CLI_LAB_ALL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

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
    char
        view[PATH_MAX]; /* the box' root file system, a mount of our own, on a folder of this class;
                             plain: what is graded is in the folder. "": none */
    int lock;           /* held on the folder as long as we live */
    unsigned cpu_seconds; /* of one process */
};

struct submission {
    const char *name;
    pid_t pid; /* 0: not started, or ended */
    int out;   /* what the grader says */
    uint64_t deadline;
    int score;
    bool over;
    const char *state; /* "graded", what its work lacks, or why there is no score */
    char *because;     /* the grader's word on that; NULL: none. From malloc */
};

struct class
{
    struct lab_box box;
    const char *lab, *folder, *keep;
    const char *other; /* the first entry that is no submission, and how many are not */
    unsigned others;
    int total; /* points of the lab */
    struct submission *list;
    unsigned count, jobs;
    uint64_t seconds;
};

/* --- lab_box.c ------------------------------------------------------------------------------------ */

/* Puts the box' root file system together, in a mount namespace of our own, so that it goes with us:
 * /usr, a C compiler's links, hv, guests, labs without solutions. 0, or -errno with a sentence. */
int lab_box_open(struct lab_box *box, bool plain, struct error *err);
void lab_box_close(struct lab_box *box);
/* In a process of its own: grades submission `number` of the class, that is packed in file descriptor `packed`; what the
 * grader says goes to `out`, the JSON after it. Never returns. */
void lab_box_grade(const struct lab_box *box, const char *lab, unsigned number, int packed, int out)
    __attribute__((noreturn));

/* --- lab_table.c ---------------------------------------------------------------------------------- */

/* The table to standard output, and to the files that are not NULL. 0, or -errno with a sentence. */
int lab_table_write(const struct class *class, const char *json, const char *csv,
                    struct error *err);

/* --- lab_all.c ------------------------------------------------------------------------------------ */

/* lab: its folder. Returns hv's status. */
int lab_grade_all(const struct args *args, const char *lab, const char *folder);

#endif
