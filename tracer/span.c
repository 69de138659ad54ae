/*
 * span.c - see span.h. A small state machine per vcpu.
 */
#include <stdbool.h>
#include <string.h>

#include "tracer/span.h"

void
spans_init(struct spans *spans, const struct trace *trace)
{
    memset(spans, 0, sizeof(*spans));
    spans->trace = trace;
}

static struct span
span_between(enum span_kind kind, const struct trace_event *a, const struct trace_event *b)
{
    return (struct span){
        .kind = kind, .began = a, .ended = b, .ns = b->time > a->time ? b->time - a->time : 0};
}

/* From the exit to `end`. A part can be longer than the whole if a clock went backwards. */
static struct span
handler_span(const struct span_vcpu *v, const struct trace_event *end)
{
    struct span span = span_between(SPAN_HANDLER, v->exit, end);

    if (v->back)
        span.reentry = span_between(SPAN_HANDLER, v->back, end).ns;
    if (span.reentry > span.ns)
        span.reentry = span.ns;
    span.host = v->host < span.ns - span.reentry ? v->host : span.ns - span.reentry;
    return span;
}

/* The calls that a return ends: its own, and inner ones that never returned. */
static unsigned
end_call(struct span_vcpu *v, const struct trace_event *event, struct span *out)
{
    for (unsigned i = v->calls; i-- > 0;) {
        if (v->call[i]->to != event->from)
            continue;
        v->calls = i;
        out[0] = span_between(SPAN_CALL, v->call[i], event);
        return 1;
    }
    return 0;
}

/* In the course of a system call a process may have other exits: it forks, it is denied something. */
static bool
in_call(const struct trace_event *exit)
{
    return exit->kind == TRACE_HOST_CALL || exit->kind == TRACE_DENIED ||
           exit->kind == TRACE_FORK || exit->kind == TRACE_EXEC;
}

/* An exit ends the guest's time, and shows which entry was the last one of the exit before. */
static unsigned
end_guest(struct span_vcpu *v, const struct trace_event *event, struct span *out)
{
    unsigned n = 0;

    if (v->entry && v->exit)
        out[n++] = handler_span(v, v->entry);
    else if (v->exit && in_call(v->exit))
        out[n++] = handler_span(v, event);
    if (v->entry)
        out[n++] = span_between(SPAN_GUEST, v->entry, event);
    v->exit = event;
    v->entry = v->back = NULL;
    v->calls = 0;
    v->host = 0;
    return n;
}

static bool
is_host(const struct trace *trace, const struct trace_event *event)
{
    return trace->actor[event->to].domain == TRACE_HOST_KERNEL;
}

unsigned
spans_event(struct spans *spans, const struct trace_event *event, struct span out[SPAN_MAX])
{
    struct span_vcpu *v = &spans->vcpu[event->vcpu];
    enum trace_class class = spans->trace->kind[event->kind].class;
    unsigned n = 0;

    if (class == TRACE_CLASS_NOTE && event->kind != TRACE_END)
        return 0; /* control stays where it is */
    if (v->last) {
        out[n++] = span_between(SPAN_STAY, v->last, event);
        if (is_host(spans->trace, v->last))
            v->host += out[0].ns;
    }
    v->last = event->kind == TRACE_END ? NULL : event;
    if (class == TRACE_CLASS_EXIT) {
        n += end_guest(v, event, out + n);
    } else if (class == TRACE_CLASS_ENTRY && !is_host(spans->trace, event)) {
        v->entry = event;
        v->back = v->back ? v->back : event;
    } else if (event->kind == TRACE_RETURN) {
        v->back = v->entry ? v->back : event;
        n += end_call(v, event, out + n);
    } else if (class == TRACE_CLASS_CALL && v->calls < SPAN_CALL_DEPTH) {
        v->call[v->calls++] = event;
    }
    if (event->kind == TRACE_PROCESS_END) /* the vcpu may be another process' later */
        v->last = v->exit = NULL;
    return n;
}

unsigned
spans_end(struct spans *spans, unsigned vcpu, struct span out[SPAN_MAX])
{
    struct span_vcpu *v = &spans->vcpu[vcpu];

    if (!v->exit || !v->entry)
        return 0;
    out[0] = handler_span(v, v->entry);
    v->exit = NULL;
    return 1;
}
