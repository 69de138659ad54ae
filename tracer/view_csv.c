/*
 * view_csv.c - the view "csv": one line an event, for spreadsheets and scripts.
 *
 * As RFC 4180 says it: commas, lines that end with CR LF, a first line with the names of columns,
 * quotes only where they are needed. Addresses and values are hexadecimal (0x...), all other
 * numbers decimal; what an event does not have is an empty field. Of arguments and texts of the event
 * before, what they hold is in `operands`.
 */
#include <errno.h>
#include <stdlib.h>

#include "tracer/names.h"
#include "tracer/put.h"
#include "tracer/view.h"

struct csv {
    struct put put;
    struct names names;
};

static int
csv_begin(struct view *view)
{
    struct csv *csv = malloc(sizeof(*csv));

    if (!csv)
        return -ENOMEM;
    view->state = csv;
    put_begin(&csv->put, view->options->out);
    names_init(&csv->names, view->options);
    put_text(&csv->put, "event,exit,time_ns,icount,class,kind,from,to,vcpu,rip,address,value,size,"
                        "write,error,handled,extra,operands,symbol\r\n");
    return 0;
}

static void
put_field(struct put *p, uint64_t number)
{
    put_number(p, number);
    put_char(p, ',');
}

static void
put_hex_field(struct put *p, uint64_t number)
{
    put_hex(p, number);
    put_char(p, ',');
}

static void
put_no_field(struct put *p)
{
    put_char(p, ',');
}

static void
put_text_field(struct put *p, const char *text)
{
    put_csv(p, text);
    put_char(p, ',');
}

static int
csv_event(struct view *view, const struct trace_event *e, uint64_t exit)
{
    const struct trace *t = view->trace;
    struct csv *csv = view->state;
    struct put *p = &csv->put;
    char operands[DESCRIBE_PART_SIZE];
    bool part = describe_is_part(e);

    put_field(p, (uint64_t)(e - t->events) + 1);
    put_field(p, exit);
    view->options->no_times ? put_no_field(p) : put_field(p, e->time);
    part ? put_no_field(p) : put_field(p, e->icount);
    put_text_field(p, trace_class_names[t->kind[e->kind].class]);
    put_text_field(p, t->kind[e->kind].name);
    put_text_field(p, t->actor[e->from].name);
    put_text_field(p, t->actor[e->to].name);
    put_field(p, e->vcpu);
    part ? put_no_field(p) : put_hex_field(p, e->rip);
    part ? put_no_field(p) : put_hex_field(p, e->address);
    part ? put_no_field(p) : put_hex_field(p, e->value);
    put_field(p, e->size);
    put_field(p, (e->flags & TRACE_WRITE) != 0);
    put_field(p, (e->flags & TRACE_ERROR) != 0);
    put_field(p, (e->flags & TRACE_HANDLED) != 0);
    put_field(p, e->extra);
    if (part)
        describe_part(e, operands, sizeof(operands));
    else
        describe_operands(t, e, view->options->name, operands, DESCRIBE_SIZE);
    put_text_field(p, describe_clean(operands));
    put_csv(p, part ? "" : names_of(&csv->names, e->rip));
    put_text(p, "\r\n");
    return p->rc;
}

static int
csv_end(struct view *view, bool failed)
{
    struct csv *csv = view->state;
    int rc = csv && !failed ? put_end(&csv->put) : 0;

    if (csv)
        names_free(&csv->names);
    free(csv);
    return rc;
}

const struct view_ops view_csv = {
    .name = "csv",
    .help = "one line an event, for spreadsheets",
    .sees_parts = true,
    .begin = csv_begin,
    .event = csv_event,
    .end = csv_end,
};
