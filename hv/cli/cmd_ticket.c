/*
 * cmd_ticket.c - `hv ticket list|start|check`: virtual environments that are broken, to be mended.
 *
 * A ticket is a folder (labs/tickets/README.md). `start` hands a copy out, `check` runs the
 * ticket's check.sh on it, which says line by line what is good and what is not, and why.
 * Called by main.c through command_ticket. Next: exercise.c.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/exercise.h"

#define KIND  "tickets"
#define CHECK "check.sh"

static int
start(const char *which, const char *to)
{
    static const char *const skip[] = {CHECK, NULL};
    char from[PATH_MAX];
    struct error err;

    if (exercise_find(KIND, which, from, sizeof(from), &err) || exercise_copy(from, to, skip, &err))
        return cli_error(STATUS_USER, "%s", err.message);
    printf("Ticket %s is in %s: read README.md there, mend it, then 'hv ticket check %s %s'.\n",
           which, to, which, to);
    return STATUS_OK;
}

/* A relative HV_LABS, or folder, would be lost when the checker changes its folder. */
static int
check(const char *which, const char *dir)
{
    char from[PATH_MAX], script[PATH_MAX + 16], full[PATH_MAX];
    struct error err;
    struct stat st;

    if (exercise_find(KIND, which, from, sizeof(from), &err))
        return cli_error(STATUS_USER, "%s", err.message);
    if (!realpath(dir, full) || stat(full, &st) || !S_ISDIR(st.st_mode))
        return cli_error(STATUS_USER, "'%s' is not a folder: 'hv ticket start %s DIR' makes one",
                         dir, which);
    snprintf(script, sizeof(script), "%s/" CHECK, from);
    int status = exercise_run(script, full, &err);
    if (status < 0)
        return cli_error(STATUS_OURS, "%s", err.message);
    return status == 0 ? STATUS_OK : status == 1 ? STATUS_USER : STATUS_OURS;
}

static int
run_ticket(const struct args *args)
{
    const char *what = args->word[0];
    struct error err;

    if (!strcmp(what, "list") && args->words == 1)
        return exercise_print_all(KIND, &err) ? cli_error(STATUS_USER, "%s", err.message)
                                              : STATUS_OK;
    if (!strcmp(what, "start") && args->words == 3)
        return start(args->word[1], args->word[2]);
    if (!strcmp(what, "check") && args->words >= 2)
        return check(args->word[1], args->words == 3 ? args->word[2] : ".");
    return cli_error(STATUS_USER, "it is 'hv ticket list', 'hv ticket start NUMBER DIR' or "
                                  "'hv ticket check NUMBER [DIR]'");
}

static const struct option_desc options[] = {{NULL}};

const struct command command_ticket = {
    .name = "ticket",
    .words = "list | start NUMBER DIR | check NUMBER [DIR]",
    .min = 1,
    .max = 3,
    .summary = "A virtual environment that is broken: find out why, and mend it.",
    .text = "list shows the tickets. start copies one into DIR, a new folder: its README.md is\n"
            "what a user complains of, and which files you may change. check says line by line\n"
            "what is right and what is not. It takes any mend that cures the cause, and none\n"
            "that hides the symptom.\n\n"
            "Status of check: 0: mended; 1: not yet; 2: the checker itself failed.\n",
    .options = {options},
    .run = run_ticket,
};
