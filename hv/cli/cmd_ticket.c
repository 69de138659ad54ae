/*
 * cmd_ticket.c - `hv ticket list|start|check`: virtual environments that are broken, to be mended.
 *
 * A ticket is a folder (labs/tickets/README.md). `start` hands a copy out, `check` grades
 * it as a lab is graded: labs/lib/grade.sh and the ticket's tests.sh say what is good, and why not.
 * Called by main.c through command_ticket. Next: exercise.c.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/exercise.h"
#include "cli/guestdir.h"

#define KIND "tickets"

/* The title is what follows " - " in the first line of the README.md, or all of that line. */
static void
print_ticket(const char *folder, const char *name)
{
    char path[PATH_MAX + 16], line[120] = "";
    const char *title = line, *dash;
    FILE *file;

    snprintf(path, sizeof(path), "%s/README.md", folder);
    if ((file = fopen(path, "re"))) {
        if (fgets(line, sizeof(line), file) && (dash = strstr(line, " - ")))
            title = dash + 3;
        fclose(file);
    }
    line[strcspn(line, "\n")] = 0;
    printf("  %.2s  %-20s %s\n", name, name + 3, title);
}

/* What was built for a ticket (images, tools) comes from the folder of guests. */
static int
start(const char *which, const char *to)
{
    char from[PATH_MAX], guests[PATH_MAX], built[2 * PATH_MAX];
    struct error err;

    if (exercise_find(KIND, which, from, sizeof(from), &err) ||
        exercise_copy(from, to, true, "tests.sh", &err))
        return cli_error(STATUS_USER, "%s", err.message);
    if (guestdir_find(guests, sizeof(guests)) &&
        snprintf(built, sizeof(built), "%s/" KIND "%s", guests, strrchr(from, '/')) > 0 &&
        !access(built, F_OK) && exercise_copy(built, to, false, NULL, &err))
        return cli_error(STATUS_USER, "%s", err.message);
    printf("Ticket %s is in %s. Read README.md there, mend what is broken, then say\n"
           "'hv ticket check %s' there.\n",
           strrchr(from, '/') + 1, to, which);
    return STATUS_OK;
}

static int
check(const char *which, const char *dir, const char *test)
{
    char folder[PATH_MAX];
    struct error err;
    struct stat st;

    if (exercise_find(KIND, which, folder, sizeof(folder), &err))
        return cli_error(STATUS_USER, "%s", err.message);
    if (stat(dir, &st) || !S_ISDIR(st.st_mode))
        return cli_error(STATUS_USER, "'%s' is not a folder: 'hv ticket start %s DIR' makes one",
                         dir, which);
    exercise_become("lib/grade.sh", folder, dir, test, &err);
    return cli_error(STATUS_OURS, "%s", err.message);
}

static int
run_ticket(const struct args *args)
{
    const char *what = args->word[0];
    struct error err;

    if (!strcmp(what, "list") && args->words == 1)
        return exercise_each(KIND, print_ticket, &err) ? cli_error(STATUS_USER, "%s", err.message)
                                                       : STATUS_OK;
    if (!strcmp(what, "start") && args->words == 3)
        return start(args->word[1], args->word[2]);
    if (!strcmp(what, "check") && args->words >= 2)
        return check(args->word[1], args->words >= 3 ? args->word[2] : ".",
                     args->words == 4 ? args->word[3] : NULL);
    return cli_error(STATUS_USER, "it is 'hv ticket list', 'hv ticket start NUMBER DIR' or "
                                  "'hv ticket check NUMBER [DIR [TEST]]'");
}

static const struct option_desc options[] = {{NULL}};

const struct command command_ticket = {
    .name = "ticket",
    .words = "list | start NUMBER DIR | check NUMBER [DIR [TEST]]",
    .min = 1,
    .max = 4,
    .summary = "A virtual environment that is broken: find out why, and mend it.",
    .text = "list shows the tickets. start copies one into DIR, a new folder: its README.md is\n"
            "what a user complains of, and which files you may change. check says line by line\n"
            "what is right and what is not. It takes any mend that cures the cause, and none\n"
            "that hides the symptom.\n\n"
            "Status of check: 0: mended; 1: not yet; 2: the checker could not be started.\n",
    .options = {options},
    .run = run_ticket,
};
