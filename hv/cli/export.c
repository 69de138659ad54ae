/*
 * export.c - see export.h. The work is done in tracer/view_*.c and tracer/ctf.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/export.h"
#include "cli/progress.h"
#include "tracer/ctf.h"

/* What --format may be. */
static const struct {
    const char *name;
    const struct view_ops *view;
    bool times;  /* it means nothing without them */
    bool folder; /* and not a file */
} formats[] = {
    {"text", &view_table, false, false},  {"csv", &view_csv, false, false},
    {"jsonl", &view_jsonl, false, false}, {"chrome", &view_chrome, true, false},
    {"ctf", &view_ctf, true, true},
};

int
export_choose(const struct args *args, unsigned *format, struct error *err)
{
    const char *name = args_value(args, "format"), *names[ARRAY_SIZE(formats)];

    *format = 0;
    if (args_value(args, "html") &&
        (name || args_flag(args, "stats") || args_value(args, "output")))
        return error_set(err, EINVAL,
                         "--html OUT is a form of its own: it takes no --format, "
                         "--stats or --output");
    if (!args_value(args, "html") && (args_value(args, "title") || args_value(args, "directory")))
        return error_set(err, EINVAL, "--title and --directory are for a page: --html OUT");
    if (args_flag(args, "json") && !args_flag(args, "stats"))
        return error_set(err, EINVAL, "--json is for --stats; events are JSON with --format jsonl");
    if (name && args_flag(args, "stats"))
        return error_set(err, EINVAL, "--stats has no --format: it is text, or JSON with --json");
    for (unsigned i = 0; name && i < ARRAY_SIZE(formats); i++) {
        names[i] = formats[i].name;
        if (strcmp(name, formats[i].name))
            continue;
        *format = i;
        if (formats[i].times && args_flag(args, "no-times"))
            return error_set(err, EINVAL, "--format %s without times would be empty", name);
        if (formats[i].folder && !args_value(args, "output"))
            return error_set(err, EINVAL, "--format %s writes a folder: name it with -o FOLDER",
                             name);
        return 0;
    }
    if (!name)
        return 0;
    const char *near = nearest_name(name, names, ARRAY_SIZE(formats));
    return error_set(err, EINVAL, "--format '%s' is none of text, csv, jsonl, chrome, ctf%s%s%s",
                     name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* A view into a file; what was written before an error is removed, if it is a file at all. */
static int
write_file(const struct view_ops *view, const struct trace *trace, struct view_options *options,
           const char *path, struct error *err)
{
    struct stat st;

    if (trace_check_output(trace, path, err->message, sizeof(err->message)))
        return -EINVAL;
    options->out = fopen(path, "we");
    if (!options->out)
        return error_set(err, errno, "cannot write '%s': %s", path, strerror(errno));
    bool file = fstat(fileno(options->out), &st) == 0 && S_ISREG(st.st_mode);
    int rc = view_run(view, trace, options, err->message, sizeof(err->message));
    if (fclose(options->out) && rc == 0)
        rc = error_set(err, errno, "cannot write '%s': %s", path, strerror(errno));
    if (rc && file)
        unlink(path);
    return rc;
}

int
export_write(const struct args *args, unsigned format, const struct trace *trace,
             struct view_options *options, struct error *err)
{
    const char *out = args_value(args, "output");
    const struct view_ops *view = !args_flag(args, "stats") ? formats[format].view
                                  : args_flag(args, "json") ? &view_stats_json
                                                            : &view_stats;
    struct progress progress;
    int rc;

    options->columns = out ? 0 : print_columns(STDOUT_FILENO);
    progress_begin(&progress, out ? "writing" : "reading");
    progress.terminal &= out || !isatty(STDOUT_FILENO); /* no line within lines */
    options->progress = progress_say;
    options->progress_context = &progress;
    if (formats[format].folder)
        rc = ctf_write(trace, options, out, err->message, sizeof(err->message));
    else if (out)
        rc = write_file(view, trace, options, out, err);
    else
        rc = view_run(view, trace, options, err->message, sizeof(err->message));
    progress_end(&progress);
    return rc;
}
