/*
 * compare_two.c - see compare_two.h. tracer/diff.c does the work.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/compare_two.h"
#include "cli/progress.h"
#include "tracer/diff.h"
#include "tracer/view.h"

/* Short names that differ: the files' own, or else the paths as given. */
static void
short_names(const char *const path[2], const char *name[2])
{
    for (unsigned i = 0; i < 2; i++) {
        const char *slash = strrchr(path[i], '/');
        name[i] = slash && slash[1] ? slash + 1 : path[i];
    }
    if (!strcmp(name[0], name[1]))
        memcpy(name, path, 2 * sizeof(*name));
}

static int
print_picture(const struct args *args, struct diff *diff, struct error *err)
{
    struct diff_picture picture = {diff, args_value(args, "title")};
    const char *out = args_value(args, "output");

    diff_reduce(diff);
    if (out)
        return diff_picture_write(&picture, out, err->message, sizeof(err->message));
    diff_picture_print(&picture, stdout);
    return 0;
}

/* With both recordings open. */
static int
show(const struct args *args, const struct trace trace[2], bool picture, struct error *err)
{
    const struct trace *traces[2] = {&trace[0], &trace[1]};
    const char *name[2];
    struct progress progress;
    struct view_options options = {
        .no_times = args_flag(args, "no-times"),
        .progress = progress_say,
        .progress_context = &progress,
    };
    struct diff *diff = malloc(sizeof(*diff));

    if (!diff)
        return error_set(err, ENOMEM, "no memory to compare two recordings");
    short_names(args->word, name);
    progress_begin(&progress, "comparing");
    int rc = diff_make(diff, traces, name, &options);
    progress_end(&progress);
    if (rc) {
        free(diff);
        return error_set(err, -rc, "no memory to compare two recordings");
    }
    if (picture)
        rc = print_picture(args, diff, err);
    else
        diff_table(diff, stdout);
    if (rc == 0 && (fflush(stdout) || ferror(stdout)))
        rc = error_set(err, errno ? errno : EIO, "cannot write the comparison: %s",
                       strerror(errno ? errno : EIO));
    diff_free(diff);
    free(diff);
    return rc;
}

int
compare_two(const struct args *args, bool picture)
{
    struct trace trace[2];
    struct error err = {""};

    if (args->words != 2)
        return cli_error(STATUS_USER, "--diff takes two recordings: hv %s --diff A B",
                         args->command->name);
    for (unsigned i = 0; i < args->options; i++) {
        const char *name = args->option[i].desc->name;
        static const char *const fit[] = {"diff", "output", "no-times", "title"};
        bool fits = false;
        for (unsigned j = 0; j < ARRAY_SIZE(fit); j++)
            fits |= !strcmp(name, fit[j]);
        if (!fits || (!picture && !strcmp(name, "output")))
            return cli_error(STATUS_USER, "--diff compares whole recordings: it takes no --%s",
                             name);
    }
    if (picture)
        signal(SIGPIPE, SIG_IGN); /* a dot that went away is a failed write */
    if (trace_open(&trace[0], args->word[0], err.message, sizeof(err.message)))
        return cli_error(STATUS_USER, "%s", err.message);
    if (trace_open(&trace[1], args->word[1], err.message, sizeof(err.message))) {
        trace_close(&trace[0]);
        return cli_error(STATUS_USER, "%s", err.message);
    }
    int rc = show(args, trace, picture, &err);
    trace_close(&trace[0]);
    trace_close(&trace[1]);
    return rc ? cli_error(STATUS_USER, "%s", err.message) : STATUS_OK;
}
