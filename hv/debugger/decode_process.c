/*
 * decode_process.c - the exits of a process (engine host) in words: system calls with their arguments
 * and results, signals, births and deaths.
 *
 * Called by decode_exit.c. Next: explain_process.c.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "debugger/explain.h"
#include "tracer/describe.h"

/* What the engine knows of the exit at which the machine stands. */
static void
values_of_exit(const struct vm_exit *x, struct syscall_values *v)
{
    *v = (struct syscall_values){.number = x->call.number,
                                 .argument = {x->call.first},
                                 .known = 1,
                                 .foreign = x->call.foreign};
    if (!x->call.more)
        return;
    v->known = SYSCALL_ARGUMENTS;
    for (unsigned i = 0; i < SYSCALL_ARGUMENTS; i++) {
        v->argument[i] = x->call.more->args[i];
        v->text[i].there = x->call.more->text[i].there;
        v->text[i].cut = x->call.more->text[i].cut;
        v->text[i].size = x->call.more->text[i].size;
        static_assert(SYSCALL_TEXT == sizeof(x->call.more->text[0].bytes), "one size of text");
        memcpy(v->text[i].bytes, x->call.more->text[i].bytes, SYSCALL_TEXT);
    }
}

void
decode_call_values(const struct subject *s, struct syscall_values *v)
{
    struct trace own, *trace = NULL;
    struct error ignored;
    uint64_t at;
    bool close = false;

    values_of_exit(&s->exit, v);
    if (s->here && s->machine->vm)
        return;
    if (machine_trace(s->machine, &own, &trace, &close, &ignored))
        return;
    if (!trace_find_exit(trace, s->number, &at))
        describe_call_values(v, trace, &trace->events[at]);
    if (close)
        trace_close(trace);
}

static void
decode_call(const struct subject *s, char *text, size_t size)
{
    struct syscall_values values;
    char result[32];

    decode_call_values(s, &values);
    syscall_format(&values, true, text, size);
    if (s->edge == EDGE_IN && !s->exit.call.pending)
        decode_add(text, size, " = %s",
                   syscall_result(values.number, values.foreign, s->exit.call.result, result,
                                  sizeof(result)));
    else if (s->edge == EDGE_IN && s->exit.kind == TRACE_HOST_CALL)
        decode_add(text, size, ": the kernel has not answered yet");
}

static void
decode_signal(const struct subject *s, char *text, size_t size)
{
    const struct vm_exit *x = &s->exit;
    char name[32];

    syscall_signal(x->signal.number, name, sizeof(name));
    if (x->kind == TRACE_HOST_FAULT)
        snprintf(text, size, "%s at 0x%" PRIx64, name, x->signal.value);
    else if (x->kind == TRACE_PROCESS_END && !x->signal.number)
        snprintf(text, size, "status %" PRIu64, x->signal.value);
    else if (x->kind == TRACE_PROCESS_END)
        snprintf(text, size, "killed by %s", name);
    else if (x->signal.value)
        snprintf(text, size, "%s from process %" PRIu64, name, x->signal.value);
    else
        snprintf(text, size, "%s", name);
}

char *
decode_process(const struct subject *s, char *text, size_t size)
{
    struct syscall_values values;

    switch (s->exit.kind) {
    case TRACE_HOST_CALL:
    case TRACE_DENIED: decode_call(s, text, size); break;
    case TRACE_FORK:
        snprintf(text, size, "process %" PRIu64 " of the host, vcpu %" PRIu64, s->exit.process.pid,
                 s->exit.process.vcpu);
        break;
    case TRACE_EXEC:
        decode_call_values(s, &values);
        snprintf(text, size, "%.*s, process %" PRIu64 " of the host", (int)values.text[0].size,
                 values.text[0].bytes, s->exit.call.number);
        break;
    default: decode_signal(s, text, size);
    }
    return text;
}
