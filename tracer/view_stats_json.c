/*
 * view_stats_json.c - the view "stats-json": what view_stats.c prints, as one object of JSON. Times
 * are nanoseconds; with no_times there are none. vmm_ns of a reason or a place runs from the exit to
 * the entry, and host_kernel_ns of a reason is what the host's kernel had of it.
 */
#include <errno.h>
#include <stdlib.h>

#include "tracer/names.h"
#include "tracer/put.h"
#include "tracer/stats.h"
#include "tracer/view.h"

#define TOP 100 /* places of each sort */

struct report {
    struct put put;
    struct names names;
    struct stats stats;
};

static int
json_begin(struct view *view)
{
    struct report *r = malloc(sizeof(*r));

    if (!r)
        return -ENOMEM;
    view->state = r;
    put_begin(&r->put, view->options->out);
    names_init(&r->names, view->options);
    stats_init(&r->stats, view->trace);
    return 0;
}

static int
json_event(struct view *view, const struct trace_event *event, uint64_t exit)
{
    struct report *r = view->state;

    (void)exit;
    return stats_event(&r->stats, event);
}

/* ,"NAME":{"count":..,"total":..} */
static void
put_series(struct put *p, const char *name, struct stats_series *s)
{
    put_text(p, name);
    put_json_number(p, "{\"count\":", s->count);
    put_json_number(p, ",\"total\":", s->sum);
    put_json_number(p, ",\"min\":", s->min);
    put_json_number(p, ",\"p50\":", stats_percentile(s, 50));
    put_json_number(p, ",\"p99\":", stats_percentile(s, 99));
    put_json_number(p, ",\"max\":", s->max);
    put_json_number(p, ",\"mean\":", s->count ? s->sum / s->count : 0);
    put_char(p, '}');
}

static void
put_reasons(struct report *r, const struct view *view)
{
    struct stats *s = &r->stats;
    struct put *p = &r->put;
    unsigned order[TRACE_KIND_MAX], n = stats_order(s, true, order);
    char text[128];

    put_text(p, ",\n\"reasons\":[");
    for (unsigned i = 0; i < n; i++) {
        unsigned k = order[i];
        put_json_text(p, i ? ",\n{\"reason\":" : "\n{\"reason\":", view->trace->kind[k].name);
        put_json_text(p, ",\"text\":", view->trace->kind[k].text);
        put_json_number(p, ",\"count\":", s->count[k]);
        put_json_text(p, ",\"handled_by\":", stats_handlers(s, k, text, sizeof(text)));
        if (!view->options->no_times) {
            put_series(p, ",\n \"vmm_ns\":", &s->handler[k]);
            put_series(p, ",\n \"vmm_handling_ns\":", &s->work[k]);
            put_series(p, ",\n \"vmm_reentry_ns\":", &s->reentry[k]);
            put_series(p, ",\n \"host_kernel_ns\":", &s->host[k]);
            put_series(p, ",\n \"guest_before_ns\":", &s->guest[k]);
        }
        put_char(p, '}');
    }
    put_text(p, "]");
}

static void
put_others(struct report *r, const struct view *view)
{
    unsigned order[TRACE_KIND_MAX], n = stats_order(&r->stats, false, order);

    put_text(&r->put, ",\n\"others\":[");
    for (unsigned i = 0; i < n; i++) {
        const struct trace_kind_row *kind = &view->trace->kind[order[i]];
        put_json_text(&r->put, i ? ",\n{\"kind\":" : "\n{\"kind\":", kind->name);
        put_json_text(&r->put, ",\"class\":", trace_class_names[kind->class]);
        put_json_number(&r->put, ",\"count\":", r->stats.count[order[i]]);
        put_char(&r->put, '}');
    }
    put_text(&r->put, "]");
}

/* Addresses (code is false) or instructions. */
static int
put_places(struct report *r, const struct view *view, const struct stats_places *places, bool code)
{
    const struct view_options *o = view->options;
    struct put *p = &r->put;
    struct stats_place *top;
    uint64_t n = stats_top(places, TOP, &top);

    if (!top)
        return -ENOMEM;
    put_json_number(
        p, code ? ",\n\"instructions\":{\"all\":" : ",\n\"addresses\":{\"all\":", places->used);
    put_text(p, ",\"top\":[");
    for (uint64_t i = 0; i < n; i++) {
        const struct stats_place *at = &top[i];
        const char *noun = code ? NULL : describe_address_noun(view->trace, at->kind);
        const char *name = code ? names_of(&r->names, at->address) : stats_place_name(at, o->name);
        put_json_text(p,
                      i ? ",\n{\"reason\":" : "\n{\"reason\":", view->trace->kind[at->kind].name);
        if (noun)
            put_json_text(p, ",\"what\":", noun);
        put_json_hex(p, code ? ",\"rip\":" : ",\"address\":", at->address);
        if (name && name[0])
            put_json_text(p, code ? ",\"symbol\":" : ",\"name\":", name);
        put_json_number(p, ",\"count\":", at->count);
        if (!code)
            put_json_number(p, ",\"writes\":", at->writes);
        if (!o->no_times)
            put_json_number(p, ",\"vmm_ns\":", at->ns);
        if (!code)
            put_json_text(p, ",\"asked\":", view->trace->actor[at->asked].name);
        put_char(p, '}');
    }
    put_text(p, "]}");
    free(top);
    return 0;
}

static int
put_report(struct report *r, const struct view *view)
{
    const struct trace *t = view->trace;
    struct stats *s = &r->stats;
    struct put *p = &r->put;

    put_json_text(p, "{\"guest\":", t->guest);
    put_json_text(p, ",\"engine\":", t->engine);
    put_json_text(p, ",\"strategy\":", t->strategy);
    put_json_number(p, ",\n\"events\":", s->events);
    put_json_number(p, ",\"exits\":", s->exits);
    put_json_number(p, ",\"lost\":", t->lost);
    put_text(p, t->closed ? ",\"closed\":true" : ",\"closed\":false");
    if (!view->options->no_times) {
        put_json_number(p, ",\n\"total_ns\":", s->total_ns);
        put_json_number(p, ",\"guest_ns\":", s->guest_ns);
        put_json_number(p, ",\"vmm_ns\":", s->vmm_ns);
        put_json_number(p, ",\"waiting_ns\":", s->waiting_ns);
        put_json_number(p, ",\"host_kernel_ns\":", s->host_ns);
    }
    put_reasons(r, view);
    put_others(r, view);
    if (put_places(r, view, &s->addresses, false) || put_places(r, view, &s->rips, true))
        return -ENOMEM;
    put_text(p,
             ",\n\"note\":\"Exits that the host's kernel handles by itself are not seen from user "
             "space: they are not in this recording.\"}\n");
    return put_end(p);
}

static int
json_end(struct view *view, bool failed)
{
    struct report *r = view->state;
    int rc = 0;

    if (!r)
        return 0;
    if (!failed) {
        rc = stats_finish(&r->stats);
        rc = rc ? rc : put_report(r, view);
    }
    stats_free(&r->stats);
    names_free(&r->names);
    free(r);
    return rc;
}

const struct view_ops view_stats_json = {
    .name = "stats-json",
    .help = "the statistics as an object of JSON",
    .begin = json_begin,
    .event = json_event,
    .end = json_end,
};
