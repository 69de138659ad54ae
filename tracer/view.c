/*
 * view.c - the table of views, and the loop that feeds one.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "tracer/view.h"

#define PROGRESS_STEP 65536u /* events between two calls of options->progress; a power of two */

const struct view_ops *const views[] = {
    &view_table, &view_stats, &view_state, &view_ladder, &view_card,       &view_timeline,
    &view_flame, &view_csv,   &view_jsonl, &view_chrome, &view_stats_json, NULL,
};

const struct view_ops *
view_find(const char *name)
{
    for (unsigned i = 0; views[i]; i++)
        if (!strcmp(views[i]->name, name))
            return views[i];
    return NULL;
}

int
view_range(const struct trace *trace, const struct view_options *o, uint64_t *first, uint64_t *end,
           char *message, size_t size)
{
    uint64_t from = o->from ? o->from : 1;

    *first = 0;
    *end = trace->count;
    if (o->from && trace_find_exit(trace, o->from, first)) {
        snprintf(message, size, "there is no exit %" PRIu64 ": the recording has %" PRIu64, o->from,
                 trace->exits);
        return -ENOENT;
    }
    if (o->limit && o->limit <= trace->exits && from <= trace->exits - o->limit)
        trace_find_exit(trace, from + o->limit, end);
    return 0;
}

/* With options->only, what follows a hidden exit on the same vcpu is hidden as well. */
static int
feed(const struct view_ops *ops, struct view *view, uint64_t first, uint64_t end)
{
    const struct trace *trace = view->trace;
    const bool *only = view->options->only;
    uint64_t exit = trace_exits_before(trace, first);
    bool hidden[256];

    memset(hidden, only != NULL, sizeof(hidden));
    for (uint64_t i = first; i < end; i++) {
        const struct trace_event *event = &trace->events[i];
        bool is_exit = trace->kind[event->kind].class == TRACE_CLASS_EXIT;
        exit += is_exit;
        if (!ops->sees_parts && describe_is_part(event))
            continue;
        if (view->options->progress && ((i - first) & (PROGRESS_STEP - 1)) == 0)
            view->options->progress(view->options->progress_context, i - first, end - first);
        if (only && is_exit)
            hidden[event->vcpu] = !only[event->kind];
        view->hidden = hidden[event->vcpu] && !(only && only[event->kind]);
        if (view->hidden && !ops->sees_hidden)
            continue;
        int rc = ops->event(view, event, exit);
        if (rc)
            return rc;
    }
    return 0;
}

int
view_run(const struct view_ops *ops, const struct trace *trace, const struct view_options *options,
         char *message, size_t size)
{
    struct view view = {.trace = trace, .options = options};
    uint64_t first, end;
    int rc = view_range(trace, options, &first, &end, message, size);

    if (rc)
        return rc;
    rc = ops->begin(&view);
    if (rc == 0)
        rc = feed(ops, &view, first, end);
    int end_rc = ops->end(&view, rc != 0);
    if (rc == 0)
        rc = end_rc;
    if (rc == 0 && (fflush(options->out) || ferror(options->out)))
        rc = errno ? -errno : -EIO;
    if (rc)
        snprintf(message, size, "cannot write the view '%s': %s", ops->name, strerror(-rc));
    return rc;
}
