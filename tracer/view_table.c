/*
 * view_table.c - the view "table": one line an event, in the order of the recording.
 *
 *   exit      time us  from            to              reason       operands             rip
 *              12.345  dispatcher   -> guest kernel    entry
 *      1       13.100  guest kernel -> dispatcher      io           write port 0x3f8 ..  0x101208 ..
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/view.h"

/* On a terminal the columns are narrow, a name stands for its address, and lines are cut. */
struct widths {
    int exit, time, reason, operands;
};
static const struct widths whole = {8, 14, 14, 34}, narrow = {7, 11, 9, 24};

static const struct widths *
widths_of(const struct view *view)
{
    return view->options->columns ? &narrow : &whole;
}

/* Writes a line without the spaces at its end; '>' says that it goes on. */
static int
put_line(const struct view *view, char *line)
{
    size_t n = strlen(line), columns = view->options->columns;

    while (n > 0 && line[n - 1] == ' ')
        n--;
    line[n] = 0;
    if (columns && n > columns)
        snprintf(line + columns - 1, 2, ">");
    return fprintf(view->options->out, "%s\n", line) >= 0 ? 0 : errno ? -errno : -EIO;
}

static int
table_begin(struct view *view)
{
    const struct widths *w = widths_of(view);
    char line[256], time[32] = "";

    if (!view->options->no_times)
        snprintf(time, sizeof(time), "%*s ", w->time, "time us");
    snprintf(line, sizeof(line), "%*s %s %-12s    %-12s%s %-*s %-*s %s", w->exit, "exit", time,
             "from", "to", w == &whole ? " " : "", w->reason, "reason", w->operands, "operands",
             "rip");
    return put_line(view, line);
}

/* Where the guest was: events between parts of the VMM have no rip of their own. */
static void
format_rip(const struct view *view, const struct trace_event *event, char *text, size_t size)
{
    const struct view_options *o = view->options;
    int n;

    text[0] = 0;
    if (event->rip == 0)
        return;
    n = snprintf(text, size, "0x%" PRIx64, event->rip);
    if (o->resolve && n > 0 && (size_t)n + 1 < size) {
        text[n] = ' ';
        text[n + 1] = 0;
        o->resolve(o->context, event->rip, text + n + 1, size - (size_t)n - 1);
        if (!describe_clean(text + n + 1)[0])
            text[n] = 0;
        else if (o->columns)
            memmove(text, text + n + 1, strlen(text + n + 1) + 1);
    }
}

static int
table_event(struct view *view, const struct trace_event *event, uint64_t exit)
{
    const struct trace *t = view->trace;
    const struct trace_kind_row *kind = &t->kind[event->kind];
    const struct widths *w = widths_of(view);
    char operands[DESCRIBE_SIZE], rip[256], number[24] = "", time[32] = "", line[640];

    if (kind->class == TRACE_CLASS_EXIT)
        snprintf(number, sizeof(number), "%" PRIu64, exit);
    if (!view->options->no_times)
        snprintf(time, sizeof(time), "%*" PRIu64 ".%03u ", w->time - 4, event->time / 1000,
                 (unsigned)(event->time % 1000));
    describe_operands(t, event, view->options->name, operands, sizeof(operands));
    format_rip(view, event, rip, sizeof(rip));
    snprintf(line, sizeof(line), "%*s %s %-12s %s %-12s%s %-*s %-*s %s", w->exit, number, time,
             t->actor[event->from].name, kind->class == TRACE_CLASS_NOTE ? "  " : "->",
             kind->class == TRACE_CLASS_NOTE ? "" : t->actor[event->to].name,
             w == &whole ? " " : "", w->reason, kind->name, w->operands, operands, rip);
    return put_line(view, line);
}

static int
table_end(struct view *view, bool failed)
{
    const struct trace *t = view->trace;

    if (failed)
        return 0;
    if (t->lost)
        fprintf(view->options->out, "%" PRIu64 " events after these are lost: the disk was full.\n",
                t->lost);
    if (!t->closed)
        fprintf(view->options->out,
                "The recording was not closed: hv was killed, or it is still running.\n");
    return 0;
}

const struct view_ops view_table = {
    .name = "table",
    .help = "one line an event",
    .begin = table_begin,
    .event = table_event,
    .end = table_end,
};
