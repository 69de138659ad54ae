/*
 * view_stats.c - the view "stats": how often, how long, where from; after `perf kvm stat report`.
 *
 * stats.c counts; here it is laid out. For each reason the time is split in what the VMM took,
 * from the exit to the next entry, and what the guest had run before, since the last entry; of the
 * former, the way back to the guest is shown by itself (span.h), and what the host's kernel had, if
 * the guest is a process of it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/stats.h"
#include "tracer/view.h"

#define TOP 10 /* places shown of each sort */

static int
stats_view_begin(struct view *view)
{
    struct stats *stats = malloc(sizeof(*stats));

    if (!stats)
        return -ENOMEM;
    stats_init(stats, view->trace);
    view->state = stats;
    return 0;
}

static int
stats_view_event(struct view *view, const struct trace_event *event, uint64_t exit)
{
    (void)exit;
    return stats_event(view->state, event);
}

static double
percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void
put_time(FILE *out, uint64_t ns)
{
    char text[24];

    fprintf(out, " %8s", describe_time((double)ns, text, sizeof(text)));
}

static void
put_series(FILE *out, struct stats_series *s)
{
    if (s->count == 0) {
        fprintf(out, " %8s %8s %8s %8s %8s %8s", "-", "-", "-", "-", "-", "-");
        return;
    }
    put_time(out, s->sum);
    put_time(out, s->min);
    put_time(out, stats_percentile(s, 50));
    put_time(out, stats_percentile(s, 99));
    put_time(out, s->max);
    put_time(out, s->sum / s->count);
}

static void
print_head(const struct view *view, const struct stats *s)
{
    const struct trace *t = view->trace;
    FILE *out = view->options->out;
    char exits[32], events[32], time[24];

    fprintf(out, "%s exits, %s events", describe_count(s->exits, exits, sizeof(exits)),
            describe_count(s->events, events, sizeof(events)));
    if (!view->options->no_times)
        fprintf(out, " in %s",
                describe_time((double)(s->last > s->first ? s->last - s->first : 0), time,
                              sizeof(time)));
    fprintf(out, "\nguest %s, engine %s, strategy %s\n\n", t->guest[0] ? t->guest : "unknown",
            t->engine[0] ? t->engine : "unknown", t->strategy[0] ? t->strategy : "unknown");
}

static void
print_reasons(const struct view *view, struct stats *s)
{
    bool times = !view->options->no_times;
    FILE *out = view->options->out;
    unsigned order[TRACE_KIND_MAX], n = stats_order(s, true, order);
    char text[32];

    if (times)
        fprintf(out, "%-14s %12s %7s  %s\n", "", "", "",
                s->host_ns ? "-- host kernel and VMM: from the exit to the entry -------"
                           : "---------- VMM: from the exit to the entry ---------------");
    fprintf(out, "%-14s %12s %7s", "reason", "count", "share");
    if (times)
        fprintf(out, " %7s %8s %8s %8s %8s %8s %8s", "of time", "total", "min", "p50", "p99", "max",
                "mean");
    fputc('\n', out);
    for (unsigned i = 0; i < n; i++) {
        unsigned k = order[i];
        fprintf(out, "%-14s %12s %6.1f%%", view->trace->kind[k].name,
                describe_count(s->count[k], text, sizeof(text)), percent(s->count[k], s->exits));
        if (times) {
            fprintf(out, " %6.1f%%", percent(s->handler[k].sum, s->total_ns));
            put_series(out, &s->handler[k]);
        }
        fputc('\n', out);
    }
}

/* One line of print_split(). */
static void
put_part(const struct view *view, const struct stats *s, const char *reason, const char *part,
         struct stats_series *series)
{
    FILE *out = view->options->out;

    fprintf(out, "%-14s %-20s %6.1f%%", reason, part, percent(series->sum, s->total_ns));
    put_series(out, series);
    fputc('\n', out);
}

/* The same exits once more, with their time in three parts. Where the guest is a process the last of
 * them is nothing: nobody injects. */
static void
print_split(const struct view *view, struct stats *s)
{
    unsigned order[TRACE_KIND_MAX], n = stats_order(s, true, order);

    if (n == 0 || view->options->no_times)
        return;
    fprintf(view->options->out, "\n%-14s %-20s %7s %8s %8s %8s %8s %8s %8s\n", "Where it goes",
            "part", "of time", "total", "min", "p50", "p99", "max", "mean");
    for (unsigned i = 0; i < n; i++) {
        unsigned k = order[i];
        put_part(view, s, view->trace->kind[k].name, "guest, before it", &s->guest[k]);
        put_part(view, s, "", "VMM, handling it", &s->work[k]);
        if (s->host_ns)
            put_part(view, s, "", "host kernel", &s->host[k]);
        else
            put_part(view, s, "", "VMM, back to guest", &s->reentry[k]);
    }
}

static void
print_meaning(const struct view *view, const struct stats *s)
{
    FILE *out = view->options->out;
    unsigned order[TRACE_KIND_MAX], n = stats_order(s, true, order);
    char text[128];

    fprintf(out, "\nWhat the reasons mean, and who handled them\n");
    for (unsigned i = 0; i < n; i++)
        fprintf(out, "%-14s %s\n%-14s handled by %s\n", view->trace->kind[order[i]].name,
                view->trace->kind[order[i]].text, "",
                stats_handlers(s, order[i], text, sizeof(text)));
}

static void
print_others(const struct view *view, const struct stats *s)
{
    FILE *out = view->options->out;
    unsigned order[TRACE_KIND_MAX], n = stats_order(s, false, order);
    char count[32];

    if (n)
        fprintf(out, "\nOther events\n");
    for (unsigned i = 0; i < n; i++)
        fprintf(out, "%-14s %12s  %s\n", view->trace->kind[order[i]].name,
                describe_count(s->count[order[i]], count, sizeof(count)),
                view->trace->kind[order[i]].text);
}

static void
put_place(const struct view *view, const struct stats *s, const struct stats_place *p)
{
    FILE *out = view->options->out;
    char count[32];

    fprintf(out, " %10s %6.1f%%", describe_count(p->count, count, sizeof(count)),
            percent(p->count, s->exits));
    if (!view->options->no_times)
        put_time(out, p->ns);
}

static int
print_addresses(const struct view *view, const struct stats *s)
{
    FILE *out = view->options->out;
    struct stats_place *top;
    uint64_t n = stats_top(&s->addresses, TOP, &top);

    if (!top)
        return -ENOMEM;
    if (n)
        fprintf(out, "\nWhat was touched most (%" PRIu64 " of %" PRIu64 ")\n", n,
                s->addresses.used);
    for (uint64_t i = 0; i < n; i++) {
        const struct stats_place *p = &top[i];
        const char *noun = describe_address_noun(view->trace, p->kind);
        char text[64];
        const char *name = stats_place_name(p, view->options->name);
        if (name)
            snprintf(text, sizeof(text), "%s %s", noun ? noun : "", name);
        else
            snprintf(text, sizeof(text), "%s 0x%" PRIx64, noun ? noun : "", p->address);
        fprintf(out, "%-14s %-28s", view->trace->kind[p->kind].name, text);
        put_place(view, s, p);
        fprintf(out, "  %s\n", view->trace->actor[p->asked].name);
    }
    free(top);
    return 0;
}

static int
print_rips(const struct view *view, const struct stats *s)
{
    const struct view_options *o = view->options;
    struct stats_place *top;
    uint64_t n = stats_top(&s->rips, TOP, &top);

    if (!top)
        return -ENOMEM;
    if (n)
        fprintf(o->out, "\nWhich code left the guest most (%" PRIu64 " of %" PRIu64 ")\n", n,
                s->rips.used);
    for (uint64_t i = 0; i < n; i++) {
        char symbol[200] = "", text[32];
        snprintf(text, sizeof(text), "0x%" PRIx64, top[i].address);
        if (o->resolve)
            o->resolve(o->context, top[i].address, symbol, sizeof(symbol));
        fprintf(o->out, "%-14s %-18s", view->trace->kind[top[i].kind].name, text);
        put_place(view, s, &top[i]);
        fprintf(o->out, "%s%s\n", symbol[0] ? "  " : "", describe_clean(symbol));
    }
    free(top);
    return 0;
}

static void
print_foot(const struct view *view, const struct stats *s)
{
    const struct trace *t = view->trace;
    FILE *out = view->options->out;
    char count[32];

    fprintf(out, "\n");
    if (!view->options->no_times) {
        uint64_t known = s->guest_ns + s->host_ns + s->vmm_ns + s->waiting_ns;
        fprintf(out, "Time: guest %.1f %%, ", percent(s->guest_ns, s->total_ns));
        if (s->host_ns)
            fprintf(out, "host kernel %.1f %%, ", percent(s->host_ns, s->total_ns));
        fprintf(out, "VMM %.1f %%, waiting in hlt %.1f %%, not told apart %.1f %%.\n",
                percent(s->vmm_ns, s->total_ns), percent(s->waiting_ns, s->total_ns),
                percent(s->total_ns - known, s->total_ns));
    }
    fprintf(out, "Lost events: %s.%s\n", describe_count(t->lost, count, sizeof(count)),
            t->lost ? " The disk was full: the run's end is missing." : "");
    if (!t->closed)
        fprintf(out, "The recording was not closed: hv was killed, or it is still running.\n");
    fprintf(out, "Exits that the host's kernel handles by itself are not seen from user space:\n"
                 "they are not in this recording.\n");
}

static int
stats_view_end(struct view *view, bool failed)
{
    struct stats *s = view->state;
    int rc = s && !failed ? stats_finish(s) : 0;

    if (s && !failed && rc == 0) {
        print_head(view, s);
        print_reasons(view, s);
        print_split(view, s);
        rc = print_addresses(view, s);
        if (rc == 0)
            rc = print_rips(view, s);
        print_others(view, s);
        print_meaning(view, s);
        print_foot(view, s);
    }
    if (s)
        stats_free(s);
    free(s);
    return rc;
}

const struct view_ops view_stats = {
    .name = "stats",
    .help = "for each reason how often, how long, and where from",
    .begin = stats_view_begin,
    .event = stats_view_event,
    .end = stats_view_end,
};
