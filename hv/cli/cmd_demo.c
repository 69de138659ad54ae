/*
 * cmd_demo.c - `hv demo list|play NAME`: what is shown in a lecture, executed and checked.
 *
 * Called by main.c through command_demo. Next: demo.h.
 */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/demo.h"
#include "cli/guestdir.h"

static int
is_demo(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot && dot != entry->d_name && !strcmp(dot, ".demo");
}

/* "03-trap.demo" is meant by "03-trap", "trap", "3" and "03". */
static bool
is_meant(const char *file, const char *word)
{
    const char *rest = strchr(file, '-');
    size_t length = strlen(word), all = strlen(file) - strlen(".demo");
    char *end;
    unsigned long number = strtoul(word, &end, 10);

    if (length && !*end)
        return number == strtoul(file, NULL, 10);
    if (length == all && !strncmp(file, word, all))
        return true;
    return rest && length == strlen(rest + 1) - strlen(".demo") && !strncmp(rest + 1, word, length);
}

/* --- hv demo list --------------------------------------------------------------------------------- */

static int
list(const char *folder)
{
    struct dirent **entry;
    struct demo *demo = calloc(1, sizeof(*demo));
    char path[3 * PATH_MAX];
    struct error err;
    int count = demo ? scandir(folder, &entry, is_demo, alphasort) : -1, status = STATUS_OK;

    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry[i]->d_name);
        *demo = (struct demo){.steps = 0};
        if (demo_read(demo, path, &err))
            status = cli_error(STATUS_USER, "%s", err.message);
        else
            printf("  %-24.*s  %s (%s min)\n", (int)(strlen(entry[i]->d_name) - strlen(".demo")),
                   entry[i]->d_name, demo->title, demo->minutes);
        demo_free(demo);
        free(entry[i]);
    }
    if (count >= 0)
        free(entry);
    free(demo);
    return count < 0 ? cli_error(STATUS_USER, "%s has no demos: %s", folder, strerror(errno))
                     : status;
}

/* --- hv demo play --------------------------------------------------------------------------------- */

/* A word with a slash is a file; else the name of one of ours. */
static int
find(const char *folder, const char *word, char path[3 * PATH_MAX], struct error *err)
{
    struct dirent **entry;
    int count, rc = -ENOENT;

    if (strchr(word, '/')) {
        snprintf(path, 3 * PATH_MAX, "%s", word);
        return 0;
    }
    count = scandir(folder, &entry, is_demo, alphasort);
    for (int i = 0; i < count; i++) {
        if (rc && is_meant(entry[i]->d_name, word)) {
            snprintf(path, 3 * PATH_MAX, "%s/%s", folder, entry[i]->d_name);
            rc = 0;
        }
        free(entry[i]);
    }
    if (count >= 0)
        free(entry);
    return rc ? error_set(err, ENOENT, "there is no demo '%s'; 'hv demo list' names them", word)
              : 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    remove(path);
    return 0;
}

/* Where its commands run: --work, or a folder that goes with us. */
static int
make_folder(struct demo *demo, const char *work, struct error *err)
{
    const char *tmp = getenv("TMPDIR");
    char path[PATH_MAX];

    if (work) {
        if (mkdir(work, 0777) && errno != EEXIST)
            return error_set(err, errno, "folder '%s' cannot be made: %s", work, strerror(errno));
        if (!realpath(work, demo->folder))
            return error_set(err, errno, "'%s': %s", work, strerror(errno));
        return 0;
    }
    snprintf(path, sizeof(path), "%s/hv-demo-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
    if (!mkdtemp(path))
        return error_set(err, errno, "no folder can be made in '%s': %s", path, strerror(errno));
    if (!realpath(path, demo->folder))
        return error_set(err, errno, "'%s': %s", path, strerror(errno));
    return 0;
}

/* "needs: ski dot": what this machine may lack. */
static int
check_needs(const struct demo *demo, struct error *err)
{
    if (strstr(demo->needs, "dot") && system("command -v dot >/dev/null 2>&1"))
        return error_set(err, ENOENT,
                         "this demo draws pictures with Graphviz' dot, which is not here: "
                         "apt-get install graphviz");
    return 0;
}

static int
show(struct demo *demo, const struct args *args, uint64_t seconds, struct error *err)
{
    const char *html = args_value(args, "html");
    int taken = -1, rc;

    if (html) {
        if ((rc = demo_write_html(demo, html, err)))
            return rc;
        printf("%s\n", html);
        return 0;
    }
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        demo_print(demo);
        return 0;
    }
    do {
        rc = demo_play(demo, (unsigned)seconds, args_value(args, "viewer"), &taken, err);
        if (!rc && taken >= 0)
            rc = demo_take_over(demo, (unsigned)taken, err);
    } while (!rc && taken >= 0);
    return rc;
}

static int
play(const struct args *args, const char *folder)
{
    struct demo *demo = calloc(1, sizeof(*demo));
    char path[3 * PATH_MAX];
    uint64_t seconds = 0;
    struct error err;
    int rc;

    if (!demo)
        return cli_error(STATUS_OURS, "no memory");
    rc = args_number(args, "auto", &seconds, &err);
    if (!rc && seconds > 3600)
        rc = error_set(&err, EINVAL, "option '--auto': 1 to 3600 seconds");
    if (!rc)
        rc = find(folder, args->word[1], path, &err);
    if (!rc)
        rc = demo_read(demo, path, &err);
    if (!rc)
        rc = check_needs(demo, &err);
    if (!rc)
        rc = make_folder(demo, args_value(args, "work"), &err);
    if (!rc) {
        if (isatty(STDOUT_FILENO))
            fprintf(stderr, "hv: executing %s ...\n", path);
        rc = demo_execute(demo, &err);
    }
    if (!rc)
        rc = show(demo, args, seconds, &err);
    if (!args_value(args, "work") && demo->folder[0])
        nftw(demo->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    demo_free(demo);
    free(demo);
    return rc ? cli_error(STATUS_USER, "%s", err.message) : STATUS_OK;
}

static int
run_demo(const struct args *args)
{
    char labs[PATH_MAX], folder[2 * PATH_MAX];
    const char *what = args->words ? args->word[0] : "list";

    if (!labs_folder_find(labs, sizeof(labs)))
        return cli_error(STATUS_USER, "the demos are not there: install hv, or set HV_LABS to the "
                                      "folder of the labs");
    snprintf(folder, sizeof(folder), "%s/demos", labs);
    if (!strcmp(what, "list") && args->words < 2)
        return list(folder);
    if (!strcmp(what, "play") && args->words == 2)
        return play(args, folder);
    return cli_error(STATUS_USER, "it is 'hv demo list' or 'hv demo play NAME'");
}

/* clang-format off */
static const struct option_desc options[] = {
    {"auto", 0, "SECONDS", "The next step after so many seconds; keys work as well."},
    {"html", 0, "FILE", "Write it as one page of HTML, with the pictures, and show nothing."},
    {"viewer", 0, "COMMAND", "What key p shows a step's picture with: xdg-open, eog, ..."},
    {"work", 0, "FOLDER", "Execute it there and keep what it makes (a folder that is removed)."},
    {NULL},
};
/* clang-format on */

const struct command command_demo = {
    .name = "demo",
    .words = "list | play NAME",
    .max = 2,
    .summary = "Show an idea in a lecture: told, typed, executed, step by step and back.",
    .text =
        "NAME is a demo's name, its number, or a file with a '/'. First all of it is executed, "
        "and\n"
        "what it claims is checked against what was printed. Then it is shown: what is told and\n"
        "typed, a pause, what came out, a pause. Keys: Enter, space or an arrow: on; b, Backspace\n"
        "or an arrow: back; 0: from the start; p: the picture; i: a prompt of the debugger right\n"
        "there, by replaying the session up to this step ('quit' comes back to the demo); q:\n"
        "end. Where standard input or output is no terminal, all is printed without pauses.\n"
        "What to say is in labs/demos/NAME.md.\n\n"
        "Status: 0; 1 if a step fails or does not print what is claimed: then nothing is shown.\n",
    .options = {options},
    .run = run_demo,
};
