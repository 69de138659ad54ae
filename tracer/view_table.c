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

#define OPERANDS_WIDTH 34

static int
table_begin(struct view *view)
{
    FILE *out = view->options->out;

    fprintf(out, "%8s ", "exit");
    if (!view->options->no_times)
        fprintf(out, "%14s ", "time us");
    fprintf(out, " %-12s    %-12s  %-14s %-*s %s\n", "from", "to", "reason", OPERANDS_WIDTH,
            "operands", "rip");
    return 0;
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
    }
}

/* Fills a line; spaces at its end are left out. */
static int
table_event(struct view *view, const struct trace_event *event, uint64_t exit)
{
    const struct trace *t = view->trace;
    const struct trace_kind_row *kind = &t->kind[event->kind];
    char operands[DESCRIBE_SIZE], rip[256], number[24] = "", time[32] = "", line[640];

    if (kind->class == TRACE_CLASS_EXIT)
        snprintf(number, sizeof(number), "%" PRIu64, exit);
    if (!view->options->no_times)
        snprintf(time, sizeof(time), "%10" PRIu64 ".%03u ", event->time / 1000,
                 (unsigned)(event->time % 1000));
    describe_operands(t, event, view->options->name, operands, sizeof(operands));
    format_rip(view, event, rip, sizeof(rip));
    int n = snprintf(line, sizeof(line), "%8s %s %-12s %s %-12s  %-14s %-*s %s", number, time,
                     t->actor[event->from].name, kind->class == TRACE_CLASS_NOTE ? "  " : "->",
                     kind->class == TRACE_CLASS_NOTE ? "" : t->actor[event->to].name, kind->name,
                     OPERANDS_WIDTH, operands, rip);
    if (n >= (int)sizeof(line))
        n = sizeof(line) - 1;
    while (n > 0 && line[n - 1] == ' ')
        n--;
    line[n] = 0;
    return fprintf(view->options->out, "%s\n", line) >= 0 ? 0 : errno ? -errno : -EIO;
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
