/*
 * info_exits.c - `info exits`, `info exit N`, `info trace`: what the recording knows so far.
 *
 * "So far" is up to where the machine stands: who has gone back sees less.
 *
 * Called through commands_info.c. Next: info_machine.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/command.h"
#include "debugger/explain.h"
#include "debugger/info.h"
#include "debugger/paint.h"
#include "loader/symbols.h"
#include "tracer/describe.h"
#include "tracer/span.h"

#define EVENTS_SHOWN 200 /* of one exit */

/* Of each kind: how many, and the time until the guest was entered again, as the tracer's statistics
 * have it. */
struct tally {
    uint64_t count[TRACE_KIND_MAX], ns[TRACE_KIND_MAX], all, all_ns;
    struct spans spans;
};

static void
add_handlers(struct tally *t, const struct span *span, unsigned count)
{
    for (; count-- > 0; span++)
        if (span->kind == SPAN_HANDLER) {
            t->ns[span->began->kind] += span->ns;
            t->all_ns += span->ns;
        }
}

static void
count_exits(const struct trace *trace, uint64_t last, struct tally *t)
{
    struct span span[SPAN_MAX];

    memset(t, 0, sizeof(*t));
    spans_init(&t->spans, trace);
    for (uint64_t i = 0; i < trace->count; i++) {
        const struct trace_event *e = &trace->events[i];
        if (trace->kind[e->kind].class == TRACE_CLASS_EXIT) {
            if (t->all == last)
                break;
            t->all++;
            t->count[e->kind]++;
        }
        add_handlers(t, span, spans_event(&t->spans, e, span));
    }
    for (unsigned vcpu = 0; vcpu < ARRAY_SIZE(t->spans.vcpu); vcpu++)
        add_handlers(t, span, spans_end(&t->spans, vcpu, span));
}

static int
compare_counts(const void *a, const void *b, void *context)
{
    const struct tally *t = context;
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

    if (t->count[x] != t->count[y])
        return t->count[x] < t->count[y] ? 1 : -1;
    return x < y ? -1 : 1;
}

static void
print_tally(struct debugger *d, const struct trace *trace, struct tally *t)
{
    unsigned order[TRACE_KIND_MAX], kinds = 0;
    char count[32], total[32], mean[32];

    for (unsigned k = 0; k < trace->kinds; k++)
        if (t->count[k])
            order[kinds++] = k;
    qsort_r(order, kinds, sizeof(order[0]), compare_counts, t);
    fprintf(d->out, "%s  %-16s %10s %6s %10s %6s %10s%s\n", paint_on(d, PAINT_DIM), "exit", "count",
            "%", "time", "%", "mean", paint_off(d));
    for (unsigned i = 0; i < kinds; i++) {
        unsigned k = order[i];
        fprintf(d->out, "  %-16s %10s %6.1f %10s %6.1f %10s\n", trace->kind[k].name,
                describe_count(t->count[k], count, sizeof(count)),
                100.0 * (double)t->count[k] / (double)t->all,
                describe_time((double)t->ns[k], total, sizeof(total)),
                t->all_ns ? 100.0 * (double)t->ns[k] / (double)t->all_ns : 0.0,
                describe_time((double)t->ns[k] / (double)t->count[k], mean, sizeof(mean)));
    }
    fprintf(d->out, "  %-16s %10s        %10s\n", "all",
            describe_count(t->all, count, sizeof(count)),
            describe_time((double)t->all_ns, total, sizeof(total)));
    fprintf(d->out, "time: from the exit to the entry, of those that the guest came back from\n");
}

int
info_exits(struct debugger *d, const char *arguments, struct error *err)
{
    struct trace opened, *trace;
    struct tally *t;
    bool close;
    int rc = machine_trace(d->machine, &opened, &trace, &close, err);

    (void)arguments;
    if (rc)
        return rc;
    t = malloc(sizeof(*t));
    if (t) {
        count_exits(trace, d->machine->now.exits, t);
        if (t->all)
            print_tally(d, trace, t);
        else
            fprintf(d->out, "no exits so far\n");
    }
    free(t);
    if (close)
        trace_close(trace);
    return t ? 0 : error_set(err, ENOMEM, "no memory to count exits");
}

/* --- one exit --------------------------------------------------------------------------------------- */

static void
print_event(struct debugger *d, const struct trace *trace, const struct trace_event *e,
            uint64_t since)
{
    const char *name = decode_address_name(d->machine, e->kind, e->address);
    char text[DESCRIBE_SIZE], number[64], time[32];

    describe_operands(trace, e, NULL, text, sizeof(text));
    number[0] = 0;
    if (name)
        snprintf(number, sizeof(number), "  (%s)", name);
    fprintf(d->out, "  +%-9s %-10s %-14s -> ",
            describe_time(e->time > since ? (double)(e->time - since) : 0.0, time, sizeof(time)),
            trace->kind[e->kind].name, trace->actor[e->from].name);
    if (*text || *number)
        fprintf(d->out, "%-14s %s%s\n", trace->actor[e->to].name, text, number);
    else
        fprintf(d->out, "%s\n", trace->actor[e->to].name);
}

/* The exit's event, and what follows on the same processor until the guest is entered. */
static void
print_exit(struct debugger *d, const struct trace *trace, uint64_t number, uint64_t at)
{
    const struct trace_event *exit = &trace->events[at], *entry = NULL;
    uint64_t events = 0;
    char text[DECODE_SIZE];

    fprintf(d->out, "%sexit %" PRIu64 ": %s%s at %s", paint_on(d, PAINT_TITLE), number,
            trace->kind[exit->kind].name, paint_off(d),
            symbols_format(d->machine->symbols, exit->rip, text, sizeof(text)));
    if (exit->icount)
        fprintf(d->out, ", after %s instructions",
                describe_count(exit->icount, text, sizeof(text)));
    fputc('\n', d->out);
    for (uint64_t i = at; i < trace->count && !entry; i++) {
        const struct trace_event *e = &trace->events[i];
        if (e->vcpu != exit->vcpu || trace->kind[e->kind].class == TRACE_CLASS_GUEST)
            continue;
        if (i > at && trace->kind[e->kind].class == TRACE_CLASS_EXIT)
            break;
        if (events++ < EVENTS_SHOWN)
            print_event(d, trace, e, exit->time);
        if (e->kind == TRACE_ENTRY || e->kind == TRACE_HOST_RETURN)
            entry = e;
    }
    if (events > EVENTS_SHOWN)
        fprintf(d->out, "  and %" PRIu64 " more\n", events - EVENTS_SHOWN);
    if (entry && entry->time >= exit->time)
        fprintf(d->out, "cost: %s from exit to entry, %s\n",
                describe_time((double)(entry->time - exit->time), text, sizeof(text)),
                entry->flags & TRACE_HANDLED ? "handled by the strategy"
                                             : "handled by the exit table");
    else
        fprintf(d->out, "the guest has not been entered since\n");
}

int
info_exit(struct debugger *d, const char *arguments, struct error *err)
{
    uint64_t number = debugger_this_exit(d), at;
    struct trace opened, *trace;
    bool close;
    int rc = *arguments ? debug_count(d, arguments, &number, err) : 0;

    if (rc)
        return rc;
    if (!number)
        return error_set(err, ENOENT, "there was no exit yet: 'stepexit' goes to the first one");
    rc = machine_trace(d->machine, &opened, &trace, &close, err);
    if (rc)
        return rc;
    rc = trace_find_exit(trace, number, &at);
    if (rc)
        error_set(err, ENOENT, "there is no exit %" PRIu64 " in the recording: it has %" PRIu64,
                  number, trace->exits);
    else
        print_exit(d, trace, number, at);
    if (close)
        trace_close(trace);
    return rc;
}

int
info_trace(struct debugger *d, const char *arguments, struct error *err)
{
    struct trace opened, *trace;
    char count[32], exits[32];
    bool close;
    int rc = machine_trace(d->machine, &opened, &trace, &close, err);

    (void)arguments;
    if (rc)
        return rc;
    fprintf(d->out, "%s events, of them %s exits; %" PRIu64 " lost\n",
            describe_count(trace->count, count, sizeof(count)),
            describe_count(trace->exits, exits, sizeof(exits)), trace->lost);
    fprintf(d->out, "engine %s, strategy %s, guest %s\n", trace->engine, trace->strategy,
            *trace->guest ? trace->guest : "(not said)");
    fprintf(d->out, "here: exit %" PRIu64 "%s\n", d->machine->now.exits,
            d->machine->vm ? ", and a live machine records on" : " of a recording");
    if (close)
        trace_close(trace);
    return 0;
}
