/*
 * view_chrome.c - the view "chrome": the Trace Event Format, which ui.perfetto.dev and
 * chrome://tracing open.
 *
 *   process  a domain: guest user, guest kernel, VMM, devices, host kernel
 *   thread   an actor, on one virtual CPU: a line of the picture
 *   slice    ("X") who had control: the guest between an entry and an exit; the dispatcher from an
 *            exit until the guest is entered; a device or part of the VMM from a call to its return
 *   flow     ("s", "t", "f") an arrow for each exit: from the guest to the VMM and back
 *   instant  ("i") notes: an interrupt line, input, a mark, the end
 *
 * Times are microseconds with three decimals. A slice is written when its end is known (span.h), so
 * lines are not in the order of time, which readers do not ask for; but an arrow stands behind
 * the slice that it belongs to.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/names.h"
#include "tracer/put.h"
#include "tracer/span.h"
#include "tracer/view.h"

#define TID_FIRST 100u /* of an actor; 0 and the numbers of processes mean something to readers */

struct chrome {
    struct put put;
    struct names names;
    struct spans spans;
    bool any;             /* an entry was written: the next one needs a comma */
    bool seen[256];       /* by vcpu: it has lines, and its tracks need names */
    uint64_t last;        /* the latest time */
    uint64_t number[256]; /* by vcpu: of the exit that is being handled */
};

/* --- lines -------------------------------------------------------------------------------------- */

/* {"ph":"X","pid":3,"tid":102 */
static void
open_line(struct chrome *c, const struct trace *t, const char *phase, unsigned actor, unsigned vcpu)
{
    struct put *p = &c->put;

    put_text(p, c->any ? ",\n{\"ph\":\"" : "\n{\"ph\":\"");
    c->any = true;
    c->seen[vcpu] = true;
    put_text(p, phase);
    put_text(p, "\",\"pid\":");
    put_number(p, t->actor[actor].domain + 1u);
    put_text(p, ",\"tid\":");
    put_number(p, TID_FIRST + vcpu * TRACE_ACTOR_MAX + actor);
}

static void
put_time(struct chrome *c, const char *name, uint64_t ns)
{
    put_text(&c->put, name);
    put_us(&c->put, ns);
}

/* "args" of a slice that an event began, and the end of its line. */
static void
put_args(struct chrome *c, const struct view *view, const struct trace_event *e, uint64_t exit)
{
    struct put *p = &c->put;
    char operands[DESCRIBE_SIZE];
    const char *symbol = names_of(&c->names, e->rip);

    describe_operands(view->trace, e, view->options->name, operands, sizeof(operands));
    put_json_number(p, ",\"args\":{\"exit\":", exit);
    if (operands[0])
        put_json_text(&c->put, ",\"operands\":", operands);
    if (e->rip)
        put_json_hex(p, ",\"rip\":", e->rip);
    if (symbol[0])
        put_json_text(&c->put, ",\"symbol\":", symbol);
    if (e->icount)
        put_json_number(p, ",\"icount\":", e->icount);
    put_text(p, "}}");
}

static void
put_slice(struct chrome *c, const struct view *view, const struct trace_event *e, uint64_t ns,
          const char *name, uint64_t exit)
{
    const struct trace *t = view->trace;

    open_line(c, t, "X", e->to, e->vcpu);
    put_time(c, ",\"ts\":", e->time);
    put_time(c, ",\"dur\":", ns);
    put_json_text(&c->put, ",\"cat\":", trace_class_names[t->kind[e->kind].class]);
    put_json_text(&c->put, ",\"name\":", name);
    put_args(c, view, e, exit);
}

/* One end of an arrow, at a point of time within a slice of this actor. */
static void
put_arrow(struct chrome *c, const struct view *view, const char *phase,
          const struct trace_event *at, unsigned actor, uint64_t time, uint64_t exit)
{
    open_line(c, view->trace, phase, actor, at->vcpu);
    put_time(c, ",\"ts\":", time);
    put_text(&c->put, ",\"cat\":\"control\",\"name\":\"exit\",\"id\":");
    put_number(&c->put, exit);
    put_text(&c->put, phase[0] == 'f' ? ",\"bp\":\"e\"}" : "}");
}

/* --- events ------------------------------------------------------------------------------------- */

static bool
is_guest(const struct trace *t, unsigned actor)
{
    return t->actor[actor].domain <= TRACE_GUEST_KERNEL;
}

/* "write 0x3f8 <- 0x48 'H'" says more than "call". */
static void
put_call(struct chrome *c, const struct view *view, const struct span *span, uint64_t exit)
{
    char name[DESCRIBE_SIZE];

    describe_transfer(view->trace, span->began, view->options->name, name, sizeof(name));
    put_slice(c, view, span->began, span->ns, name[0] ? name : "call", exit);
}

/* exit: the number of the exit that the span belongs to; next: of the one that ends it, if one does.
 * An injection and the entry that follows it are one entry: the guest runs after the last. */
static void
put_span(struct chrome *c, const struct view *view, const struct span *span, uint64_t exit,
         uint64_t next)
{
    const struct trace *t = view->trace;
    const struct trace_event *e = span->began;
    enum trace_class ended = t->kind[span->ended->kind].class;

    if (span->kind == SPAN_CALL) {
        put_call(c, view, span, exit);
    } else if (span->kind == SPAN_HANDLER) {
        put_slice(c, view, e, span->ns, t->kind[e->kind].name, exit);
        put_arrow(c, view, "t", e, e->to, e->time, exit);
    } else if (span->kind == SPAN_STAY && is_guest(t, e->to) && ended != TRACE_CLASS_ENTRY) {
        put_slice(c, view, e, span->ns, t->kind[e->kind].name, exit);
        if (exit && t->kind[e->kind].class == TRACE_CLASS_ENTRY)
            put_arrow(c, view, "f", e, e->to, e->time, exit);
        /* Within the slice, or it would belong to none. */
        if (ended == TRACE_CLASS_EXIT)
            put_arrow(c, view, "s", e, e->to, e->time + (span->ns ? span->ns - 1 : 0), next);
    }
}

static void
put_note(struct chrome *c, const struct view *view, const struct trace_event *e, uint64_t exit)
{
    open_line(c, view->trace, "i", e->from, e->vcpu);
    put_time(c, ",\"ts\":", e->time);
    put_text(&c->put, ",\"s\":\"t\",\"cat\":\"note\"");
    put_json_text(&c->put, ",\"name\":", view->trace->kind[e->kind].name);
    put_args(c, view, e, exit);
}

static int
chrome_event(struct view *view, const struct trace_event *e, uint64_t exit)
{
    enum trace_class class = view->trace->kind[e->kind].class;
    struct chrome *c = view->state;
    struct span span[SPAN_MAX];
    unsigned n = spans_event(&c->spans, e, span);

    if (e->time > c->last)
        c->last = e->time;
    /* What an exit ends belongs to the exit before it on this processor. */
    for (unsigned i = 0; i < n; i++)
        put_span(c, view, &span[i], c->number[e->vcpu], exit);
    if (class == TRACE_CLASS_EXIT)
        c->number[e->vcpu] = exit;
    if (class == TRACE_CLASS_NOTE)
        put_note(c, view, e, exit);
    return c->put.rc;
}

/* --- begin and end ------------------------------------------------------------------------------ */

static int
chrome_begin(struct view *view)
{
    const struct trace *t = view->trace;
    struct chrome *c = malloc(sizeof(*c));

    if (!c)
        return -ENOMEM;
    view->state = c;
    put_begin(&c->put, view->options->out);
    names_init(&c->names, view->options);
    spans_init(&c->spans, t);
    c->any = false;
    c->last = 0;
    memset(c->seen, 0, sizeof(c->seen));
    memset(c->number, 0, sizeof(c->number));
    put_json_text(&c->put, "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"guest\":", t->guest);
    put_json_text(&c->put, ",\"engine\":", t->engine);
    put_json_text(&c->put, ",\"strategy\":", t->strategy);
    put_json_text(&c->put, ",\"command\":", t->command);
    put_text(&c->put, ",\"lost\":\"");
    put_number(&c->put, t->lost);
    put_text(&c->put, "\"},\"traceEvents\":[");
    return c->put.rc;
}

/* One "M" line. value NULL: number. */
static void
put_metadata(struct chrome *c, const struct trace *t, unsigned actor, unsigned vcpu,
             const char *name, const char *value, unsigned number)
{
    open_line(c, t, "M", actor, vcpu);
    put_json_text(&c->put, ",\"name\":", name);
    if (value) {
        put_json_text(&c->put, ",\"args\":{\"name\":", value);
    } else {
        put_text(&c->put, ",\"args\":{\"sort_index\":");
        put_number(&c->put, number);
    }
    put_text(&c->put, "}}");
}

/* The names of processes and threads that have a line. */
static void
put_tracks(struct chrome *c, const struct trace *t)
{
    bool domain[TRACE_DOMAIN_COUNT] = {false};
    bool process = !strcmp(t->engine, "host"); /* event.h: there a vcpu is a process */
    char name[TRACE_NAME_SIZE + 16];

    for (unsigned vcpu = 0; vcpu < 256; vcpu++) {
        if (vcpu && !c->seen[vcpu])
            continue;
        for (unsigned a = 0; a < t->actors; a++) {
            unsigned d = t->actor[a].domain;
            if (!domain[d])
                put_metadata(c, t, a, vcpu, "process_name", trace_domain_names[d], 0);
            if (!domain[d])
                put_metadata(c, t, a, vcpu, "process_sort_index", NULL, d);
            domain[d] = true;
            snprintf(name, sizeof(name), vcpu ? "%s, %s %u" : "%s", t->actor[a].name,
                     process ? "process" : "cpu", vcpu);
            put_metadata(c, t, a, vcpu, "thread_name", name, 0);
            put_metadata(c, t, a, vcpu, "thread_sort_index", NULL, a);
        }
    }
}

/* What is not over at the end: the exit that ended the run, or the guest that runs still. */
static void
put_rest(struct chrome *c, const struct view *view)
{
    struct span span[SPAN_MAX];

    for (unsigned vcpu = 0; vcpu < 256; vcpu++) {
        const struct span_vcpu *v = &c->spans.vcpu[vcpu];
        if (v->exit && !v->entry)
            put_span(c, view,
                     &(struct span){.kind = SPAN_HANDLER,
                                    .began = v->exit,
                                    .ended = v->exit,
                                    .ns = c->last > v->exit->time ? c->last - v->exit->time : 0},
                     c->number[vcpu], 0);
        for (unsigned n = spans_end(&c->spans, vcpu, span), i = 0; i < n; i++)
            put_span(c, view, &span[i], c->number[vcpu], 0);
    }
}

static int
chrome_end(struct view *view, bool failed)
{
    struct chrome *c = view->state;
    int rc = 0;

    if (c && !failed) {
        put_rest(c, view);
        put_tracks(c, view->trace);
        put_text(&c->put, "\n]}\n");
        rc = put_end(&c->put);
    }
    if (c)
        names_free(&c->names);
    free(c);
    return rc;
}

const struct view_ops view_chrome = {
    .name = "chrome",
    .help = "JSON for ui.perfetto.dev and chrome://tracing",
    .begin = chrome_begin,
    .event = chrome_event,
    .end = chrome_end,
};
