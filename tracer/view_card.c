/*
 * view_card.c - the view "card": one exit in full, from a recording.
 *
 * Events that belong to an exit are those of its vcpu until the guest is entered for the last time
 * before its next exit. The exit is options->from. card.c draws.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/card.h"
#include "tracer/describe.h"
#include "tracer/picture.h"
#include "tracer/view.h"

#define HANDLED_MAX 10 /* transfers that are listed one by one */

/* Where the time went, from one transfer to the next (span.h's STAY). */
struct costs {
    /* In the dispatcher: before the first call, between two, and from the last to the entry. */
    uint64_t before, between, after;
    uint64_t actor[TRACE_ACTOR_MAX]; /* in each part that was asked */
    uint64_t all;                    /* from the exit to the last entry */
    bool asked, entered;
};

static uint64_t
elapsed(const struct trace_event *from, const struct trace_event *to)
{
    return to->time > from->time ? to->time - from->time : 0;
}

/* --- sections ----------------------------------------------------------------------------------- */

static void
fill_where(struct card *card, const struct trace *t, const struct trace_event *e,
           const struct view_options *o)
{
    char symbol[CARD_TEXT] = "";

    card_add(card, CARD_WHERE, "control", "from %s to %s", t->actor[e->from].name,
             t->actor[e->to].name);
    card_add_code(card, CARD_WHERE, "rip", "0x%" PRIx64, e->rip);
    if (o->resolve)
        o->resolve(o->context, e->rip, symbol, sizeof(symbol));
    if (symbol[0])
        card_add_code(card, CARD_WHERE, "in", "%s", symbol);
    if (e->icount)
        card_add(card, CARD_WHERE, "guest's clock", "%s instructions",
                 describe_count(e->icount, symbol, sizeof(symbol)));
    if (e->vcpu)
        card_add(card, CARD_WHERE, strcmp(t->engine, "host") ? "virtual CPU" : "process", "%u",
                 e->vcpu);
}

static void
fill_why(struct card *card, const struct trace *t, const struct trace_event *e,
         const struct view_options *o)
{
    char operands[DESCRIBE_SIZE];

    card_add(card, CARD_WHY, "reason", "%s", t->kind[e->kind].name);
    describe_operands(t, e, o->name, operands, sizeof(operands));
    if (operands[0])
        card_add_code(card, CARD_WHY, "operands", "%s", operands);
    card_add(card, CARD_WHY, "that is", "%s", t->kind[e->kind].text);
}

/* One transfer after the exit. */
static void
fill_step(struct card *card, const struct trace *t, const struct trace_event *e,
          const struct view_options *o)
{
    char operands[DESCRIBE_SIZE], label[40];

    describe_transfer(t, e, o->name, operands, sizeof(operands));
    if (e->kind == TRACE_CALL)
        snprintf(label, sizeof(label), "asked: %.30s", t->actor[e->to].name);
    else if (e->kind == TRACE_RETURN)
        snprintf(label, sizeof(label), "answer of %.28s", t->actor[e->from].name);
    else
        snprintf(label, sizeof(label), "%.30s", t->kind[e->kind].name);
    if (t->kind[e->kind].class == TRACE_CLASS_ENTRY)
        card_add(card, CARD_HANDLED, label, "%s runs%s%s", t->actor[e->to].name,
                 operands[0] ? ": " : "", operands);
    else
        card_add_code(card, CARD_HANDLED, label, "%s", operands);
}

static void
fill_costs(struct card *card, const struct trace *t, const struct trace_event *e,
           const struct costs *c)
{
    uint64_t host = c->actor[TRACE_ACTOR_HOST_KERNEL];
    char label[40];

    if (!c->asked && !c->entered)
        return;
    if (!c->asked) {
        if (!host || c->before)
            card_add_cost(card,
                          host                   ? "VMM"
                          : e->kind == TRACE_HLT ? "VMM, and waiting for an interrupt"
                                                 : "VMM, until the guest runs again",
                          c->before + c->after);
        if (host) /* the guest is a process of it */
            card_add_cost(card, "host kernel, until the guest runs again", host);
        return;
    }
    card_add_cost(card, "VMM: who handles this?", c->before);
    for (unsigned i = 0; i < t->actors; i++) {
        snprintf(label, sizeof(label), "%.8s: %.28s",
                 t->actor[i].domain == TRACE_DEVICE ? "device" : "VMM", t->actor[i].name);
        if (c->actor[i])
            card_add_cost(card, label, c->actor[i]);
    }
    if (c->between)
        card_add_cost(card, "VMM: between these", c->between);
    if (!c->entered)
        return;
    card_add_cost(card, "VMM: back to the guest", c->after);
    card_add(card, CARD_COST, "from exit to entry", "%s",
             describe_time((double)c->all, label, sizeof(label)));
}

/* --- from the exit to the entry ----------------------------------------------------------------- */

/* Control was at last->to until e. */
static void
add_stay(struct costs *c, const struct trace *t, const struct trace_event *last,
         const struct trace_event *e)
{
    uint64_t ns = elapsed(last, e);

    if (last->to != TRACE_ACTOR_DISPATCHER)
        c->actor[last->to] += ns;
    else if (!c->asked)
        c->before += ns;
    else if (t->kind[e->kind].class == TRACE_CLASS_ENTRY)
        c->after += ns;
    else
        c->between += ns;
}

/* The events of the exit at `at`, up to its last entry. */
static void
walk(struct card *card, const struct trace *t, uint64_t at, const struct view_options *o,
     struct costs *c)
{
    const struct trace_event *exit = &t->events[at], *last = exit, *entry = NULL;
    unsigned listed = 0, more = 0;

    for (uint64_t i = at + 1; i < t->count; i++) {
        const struct trace_event *e = &t->events[i];
        enum trace_class class = t->kind[e->kind].class;
        if (e->vcpu != exit->vcpu || class == TRACE_CLASS_NOTE)
            continue;
        if (class == TRACE_CLASS_EXIT || class == TRACE_CLASS_GUEST)
            break;
        if (entry && class != TRACE_CLASS_ENTRY)
            break; /* after the entry nothing belongs to the exit */
        if (entry) /* an injection, and now the entry itself */
            c->after += elapsed(last, e);
        else
            add_stay(c, t, last, e);
        if (e->kind == TRACE_CALL)
            c->asked = true;
        if (class == TRACE_CLASS_ENTRY && t->actor[e->to].domain != TRACE_HOST_KERNEL)
            entry = e, c->entered = true, c->all = elapsed(exit, e);
        last = e;
        if (listed < HANDLED_MAX || class == TRACE_CLASS_ENTRY)
            fill_step(card, t, e, o), listed++;
        else
            more++;
    }
    if (more)
        card_add(card, CARD_HANDLED, "", "and %u more transfers", more);
}

/* How long the guest had run: since the last entry of this vcpu. */
static void
fill_guest(struct card *card, const struct trace *t, uint64_t at)
{
    const struct trace_event *exit = &t->events[at];

    for (uint64_t i = at; i-- > 0;) {
        const struct trace_event *e = &t->events[i];
        if (e->vcpu != exit->vcpu)
            continue;
        if (t->kind[e->kind].class == TRACE_CLASS_EXIT)
            return;
        if (t->kind[e->kind].class == TRACE_CLASS_ENTRY) {
            char text[32]; /* no bar: it would make those of the VMM too short to be seen */
            describe_time((double)elapsed(e, exit), text, sizeof(text));
            card_add(card, CARD_COST, "guest, before it came out", "%s", text);
            return;
        }
    }
}

int
card_fill(struct card *card, const struct trace *t, uint64_t number, const struct view_options *o)
{
    struct costs costs = {0};
    char count[32], total[32];
    uint64_t at;
    int rc = trace_find_exit(t, number, &at);

    if (rc)
        return rc;
    const struct trace_event *e = &t->events[at];
    const char *slash = strrchr(t->guest, '/');
    card->color = picture_groups[picture_group_of(t, e->kind)].color;
    if (o->title)
        snprintf(card->title, sizeof(card->title), "%.*s", CARD_TEXT - 1, o->title);
    else
        snprintf(card->title, sizeof(card->title), "exit %s: %s",
                 describe_count(number, count, sizeof(count)), t->kind[e->kind].name);
    snprintf(card->subtitle, sizeof(card->subtitle), "of %s; guest %.60s, engine %s, strategy %s",
             describe_count(t->exits, total, sizeof(total)),
             !t->guest[0]        ? "unknown"
             : slash && slash[1] ? slash + 1
                                 : t->guest,
             t->engine[0] ? t->engine : "unknown", t->strategy[0] ? t->strategy : "unknown");
    describe_clean(card->title); /* they may have been cut within a letter */
    describe_clean(card->subtitle);
    fill_where(card, t, e, o);
    fill_why(card, t, e, o);
    walk(card, t, at, o, &costs);
    if (!o->no_times) {
        fill_guest(card, t, at);
        fill_costs(card, t, e, &costs);
    }
    return 0;
}

/* --- the view ----------------------------------------------------------------------------------- */

static int
card_begin(struct view *view)
{
    (void)view;
    return 0;
}

static int
card_event(struct view *view, const struct trace_event *event, uint64_t exit)
{
    (void)view;
    (void)event;
    (void)exit;
    return 0;
}

/* The first of the chosen exits; the first event that was given tells nothing of what was before
 * it, so the recording itself is looked at. */
static int
card_end(struct view *view, bool failed)
{
    const struct view_options *o = view->options;
    uint64_t number = o->from ? o->from : 1, at;
    struct card *card;

    if (failed)
        return 0;
    card = malloc(sizeof(*card));
    if (!card)
        return -ENOMEM;
    card_init(card);
    if (card_fill(card, view->trace, number, o) == 0) {
        if (o->card && trace_find_exit(view->trace, number, &at) == 0)
            o->card(o->context, card, &view->trace->events[at]);
    } else {
        snprintf(card->title, sizeof(card->title), "no exit");
    }
    card_print(card, o->out);
    free(card);
    return 0;
}

const struct view_ops view_card = {
    .name = "card",
    .help = "one exit in full: where, why, who handled it, what it cost",
    .form = VIEW_DOT,
    .begin = card_begin,
    .event = card_event,
    .end = card_end,
};
