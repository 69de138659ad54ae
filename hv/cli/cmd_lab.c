/*
 * cmd_lab.c - `hv lab`: the labs of the course: list them, start one, grade it.
 *
 * This file finds the folders and leaves the work to two shell scripts beside the labs,
 * labs/lib/start.sh and labs/lib/grade.sh: a grader is read, and changed, by those who teach.
 * Called by main.c through command_lab.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/exercise.h"
#include "cli/guestdir.h"
#include "cli/lab_all.h"

static void
print_lab(const char *folder, const char *name)
{
    char title[128], hours[16];

    exercise_key(folder, "title", title, sizeof(title));
    exercise_key(folder, "hours", hours, sizeof(hours));
    printf("  %-20s %s (%s h)\n", name, title, hours);
}

/* --- hv lab flags ----------------------------------------------------------------------------- */

/* In the source tree tracer/ lies beside hv/, installed it lies in it. */
static int
flags(const char *labs)
{
    char include[PATH_MAX];

    if (!includedir_find(include, sizeof(include)))
        return cli_error(STATUS_USER, "the headers of plug-ins are not there: install hv, or set "
                                      "HV_INCLUDE to their folder");
    printf("-I%s -I%s/.. -I%s/lib\n", include, include, labs);
    return STATUS_OK;
}

/* --- hv lab start, hv lab grade --------------------------------------------------------------- */

/* Returns only if that fails. */
static int
become(const char *script, const char *lab, const char *dir, const char *test)
{
    struct error err;

    exercise_become(script, lab, dir, test, &err);
    return cli_error(STATUS_OURS, "%s", err.message);
}

static int
start(const struct args *args, const char *lab)
{
    if (args->words != 3)
        return cli_error(STATUS_USER, "hv lab start takes a lab and a folder that is not there "
                                      "yet: hv lab start 1 first");
    return become("lib/start.sh", lab, args->word[2], NULL);
}

static int
grade(const struct args *args, const char *lab)
{
    const char *dir = ".", *test = NULL, *json = args_value(args, "json");
    struct stat st;
    unsigned next = 2;

    /* The folder may be left out: a word that is none names a test. */
    if (next < args->words && (args->words > 3 || !stat(args->word[next], &st)))
        dir = args->word[next++];
    if (next < args->words)
        test = args->word[next];
    if (stat(dir, &st) || !S_ISDIR(st.st_mode))
        return cli_error(STATUS_USER,
                         "'%s' is no folder with your work: hv lab start %s FOLDER "
                         "makes one",
                         dir, args->word[1]);
    if (json) {
        /* Better now than behind all tests. */
        int fd = open(json, O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC, 0666);
        if (fd < 0)
            return cli_error(STATUS_USER, "cannot write '%s': %s", json, strerror(errno));
        close(fd);
        setenv("HV_LAB_JSON", json, 1);
    }
    if (args_value(args, "work"))
        setenv("HV_LAB_WORK", args_value(args, "work"), 1);
    return become("lib/grade.sh", lab, dir, test);
}

static int
grade_all(const struct args *args, const char *lab)
{
    if (args->words != 3)
        return cli_error(STATUS_USER, "hv lab grade-all takes a lab and a folder with a folder for "
                                      "each submission: hv lab grade-all 2 class");
    return lab_grade_all(args, lab, args->word[2]);
}

static const struct {
    const char *name;
    int (*run)(const struct args *args, const char *lab);
} actions[] = {{"start", start}, {"grade", grade}, {"grade-all", grade_all}};

static int
run_lab(const struct args *args)
{
    char labs[PATH_MAX], lab[PATH_MAX];
    struct error err;
    const char *what = args->words ? args->word[0] : "list";

    if (!labs_folder_find(labs, sizeof(labs)))
        return cli_error(STATUS_USER, "the labs are not there: install hv, or set HV_LABS to their "
                                      "folder");
    if (!strcmp(what, "list"))
        return exercise_each("", print_lab, &err) ? cli_error(STATUS_USER, "%s", err.message)
                                                  : STATUS_OK;
    if (!strcmp(what, "flags"))
        return flags(labs);
    for (unsigned i = 0; i < ARRAY_SIZE(actions); i++) {
        if (strcmp(what, actions[i].name))
            continue;
        if (args->words < 2)
            return cli_error(STATUS_USER, "hv lab %s: which lab? 'hv lab list' names them", what);
        if (exercise_find("", args->word[1], lab, sizeof(lab), &err))
            return cli_error(STATUS_USER, "there is no lab '%s'; 'hv lab list' names them",
                             args->word[1]);
        return actions[i].run(args, lab);
    }
    return cli_error(STATUS_USER,
                     "hv lab does not know '%s': list, start, grade, grade-all and flags it "
                     "does",
                     what);
}

static const struct option_desc options[] = {
    {"json", 0, "FILE", "grade, grade-all: write the result there, too, as JSON."},
    {"work", 0, "FOLDER", "grade: what is built, and logs, go there (DIR/grade)."},
    {"csv", 0, "FILE", "grade-all: write the table there, too, for a spreadsheet."},
    {"keep", 0, "FOLDER", "grade-all: what the grader says of each goes to FOLDER/NAME.txt."},
    {"jobs", 'j', "N", "grade-all: so many at a time (as many as processors)."},
    {"part", 0, "K/N", "grade-all: only each N-th, from the K-th: for several machines."},
    {"seconds", 0, "N", "grade-all: stop a submission after so long, whatever it does (600)."},
    {"plain", 0, NULL, "grade-all: without a box, for work that you trust."},
    {NULL},
};

const struct command command_lab = {
    .name = "lab",
    .words = "list, start LAB DIR, grade LAB [DIR] [TEST], grade-all LAB DIR, or flags",
    .max = 4,
    .summary = "The labs of the course: list them, start one, grade it.",
    .text =
        "LAB is a number or a name. 'start' copies a lab's handout and the files you begin with\n"
        "into DIR, which must not be there yet. 'grade' says what your work in DIR (here) is\n"
        "worth, and why: all tests, or the one named TEST. Nothing is hidden: the tests are in\n"
        "tests.sh beside the handout, and the score you see is the score. A failed test leaves\n"
        "a log. 'flags' prints what a compiler needs to build a plug-in. For example:\n\n"
        "  hv lab list\n"
        "  hv lab start 2 device\n"
        "  cd device\n"
        "  hv lab grade 2\n"
        "  hv lab grade 2 . port-id --json score.json\n\n"
        "'grade-all' grades a class: each folder in DIR is a submission. Each has a box of its "
        "own\n"
        "(strategy ski: no network, no other submission, no solutions, limits), for which hv must\n"
        "be root; --plain does without. docs/TEACHING.md has more, and several machines.\n\n"
        "Status: 0 if the score is full, 1 if not.\n",
    .options = {options},
    .run = run_lab,
};
