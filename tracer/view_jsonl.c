/*
 * view_jsonl.c - the view "jsonl": JSON Lines, for scripts. The first line is about the recording,
 * each other line is one event.
 *
 * rip, address and value are strings ("0x101208"): readers that keep numbers as doubles would
 * change the last digits of some. What an event does not have is left out. Of arguments and texts of
 * the event before, what they hold is in "operands".
 */
#include <errno.h>
#include <stdlib.h>

#include "tracer/names.h"
#include "tracer/put.h"
#include "tracer/view.h"

struct jsonl {
    struct put put;
    struct names names;
};

/* ,"name": and its value, unless there is none. */
static void
put_string(struct put *p, const char *name, const char *value)
{
    if (value[0])
        put_json_text(p, name, value);
}

static int
jsonl_begin(struct view *view)
{
    const struct trace *t = view->trace;
    struct jsonl *j = malloc(sizeof(*j));

    if (!j)
        return -ENOMEM;
    view->state = j;
    struct put *p = &j->put;
    put_begin(p, view->options->out);
    names_init(&j->names, view->options);
    put_text(p, "{\"recording\":\"hv\"");
    put_string(p, ",\"engine\":", t->engine);
    put_string(p, ",\"strategy\":", t->strategy);
    put_string(p, ",\"guest\":", t->guest);
    put_string(p, ",\"build_id\":", t->build_id);
    put_string(p, ",\"command\":", t->command);
    if (!view->options->no_times)
        put_json_number(p, ",\"started_ns\":", t->started);
    put_json_number(p, ",\"events\":", t->count);
    put_json_number(p, ",\"exits\":", t->exits);
    put_json_number(p, ",\"lost\":", t->lost);
    put_text(p, t->closed ? ",\"closed\":true}\n" : ",\"closed\":false}\n");
    return p->rc;
}

/* Where it was, and what it was about. */
static void
put_what(struct jsonl *j, const struct view *view, const struct trace_event *e)
{
    struct put *p = &j->put;
    char operands[DESCRIBE_SIZE];

    if (e->rip)
        put_json_hex(p, ",\"rip\":", e->rip);
    put_json_hex(p, ",\"address\":", e->address);
    put_json_hex(p, ",\"value\":", e->value);
    if (e->size)
        put_json_number(p, ",\"size\":", e->size);
    put_text(p, e->flags & TRACE_WRITE ? ",\"write\":true" : "");
    put_text(p, e->flags & TRACE_ERROR ? ",\"error\":true" : "");
    put_text(p, e->flags & TRACE_HANDLED ? ",\"handled\":true" : "");
    if (e->extra)
        put_json_number(p, ",\"extra\":", e->extra);
    put_string(p, ",\"operands\":",
               describe_operands(view->trace, e, view->options->name, operands, sizeof(operands)));
    put_string(p, ",\"symbol\":", names_of(&j->names, e->rip));
}

/* Of which argument, and what. */
static void
put_part(struct put *p, const struct trace_event *e)
{
    char operands[DESCRIBE_PART_SIZE];

    if (e->size)
        put_json_number(p, ",\"size\":", e->size);
    put_json_number(p, ",\"extra\":", e->extra);
    put_json_text(p, ",\"operands\":", describe_part(e, operands, sizeof(operands)));
}

static int
jsonl_event(struct view *view, const struct trace_event *e, uint64_t exit)
{
    const struct trace *t = view->trace;
    struct jsonl *j = view->state;
    struct put *p = &j->put;
    bool part = describe_is_part(e);

    put_json_number(p, "{\"event\":", (uint64_t)(e - t->events) + 1);
    put_json_number(p, ",\"exit\":", exit);
    if (!view->options->no_times)
        put_json_number(p, ",\"time_ns\":", e->time);
    if (e->icount && !part)
        put_json_number(p, ",\"icount\":", e->icount);
    put_string(p, ",\"class\":", trace_class_names[t->kind[e->kind].class]);
    put_string(p, ",\"kind\":", t->kind[e->kind].name);
    put_string(p, ",\"from\":", t->actor[e->from].name);
    put_string(p, ",\"to\":", t->actor[e->to].name);
    put_json_number(p, ",\"vcpu\":", e->vcpu);
    if (part)
        put_part(p, e);
    else
        put_what(j, view, e);
    put_text(p, "}\n");
    return p->rc;
}

static int
jsonl_end(struct view *view, bool failed)
{
    struct jsonl *j = view->state;
    int rc = j && !failed ? put_end(&j->put) : 0;

    if (j)
        names_free(&j->names);
    free(j);
    return rc;
}

const struct view_ops view_jsonl = {
    .name = "jsonl",
    .help = "JSON Lines: one object an event, for scripts",
    .sees_parts = true,
    .begin = jsonl_begin,
    .event = jsonl_event,
    .end = jsonl_end,
};
