/*
 * view_timeline.c - the view "timeline": where control was over the run, and how often the guest
 * came out, as SVG.
 *
 * Two charts of up to BUCKETS columns. The upper has the host's time from left to right, and shows
 * each domain's share of it; the lower has the time that the guest itself ran, and shows the exits
 * in each millisecond of that. How long a run is is known only at its end: columns are folded in
 * pairs whenever there are too many, so that one pass and fixed memory do.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/picture.h"
#include "tracer/span.h"
#include "tracer/svg.h"

#define BUCKETS 512
#define WIDTH   1100 /* points, of both charts */
#define LEFT    70
#define HEIGHT  150
#define TOP1    100
#define TOP2    (TOP1 + HEIGHT + 90)
#define LAYERS                                                                                     \
    ((unsigned)GROUP_COUNT > TRACE_DOMAIN_COUNT + 1u ? (unsigned)GROUP_COUNT                       \
                                                     : TRACE_DOMAIN_COUNT + 1u)

/* The upper chart's layers, from below: the domains, and the guest in HLT. */
#define WAITING TRACE_DOMAIN_COUNT

static const struct {
    const char *color, *text;
} shares[TRACE_DOMAIN_COUNT + 1] = {
    [TRACE_GUEST_USER] = {"#66b893", "guest user"},
    [TRACE_GUEST_KERNEL] = {"#007a50", "guest kernel"},
    [TRACE_VMM] = {"#2a6fb5", "VMM"},
    [TRACE_DEVICE] = {"#e0a030", "devices"},
    [TRACE_HOST_KERNEL] = {"#a03a80", "host kernel"},
    [WAITING] = {"#d5d5d5", "waiting in hlt"},
};

struct chart {
    uint64_t width; /* ns of a column; a power of two */
    uint64_t end;   /* the first ns behind all */
    uint64_t value[BUCKETS][LAYERS];
};

struct timeline {
    struct spans spans;
    struct chart share, exits;
    uint64_t origin; /* time of the first event */
    uint64_t guest;  /* ns that the guest ran till now */
    uint64_t count;  /* events */
};

/* --- charts ------------------------------------------------------------------------------------- */

static void
chart_fold(struct chart *c)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        for (unsigned layer = 0; layer < LAYERS; layer++)
            c->value[i][layer] = i < BUCKETS / 2
                                     ? c->value[2 * i][layer] + c->value[2 * i + 1][layer]
                                     : 0;
    c->width *= 2;
}

static void
chart_reach(struct chart *c, uint64_t at)
{
    while (at / c->width >= BUCKETS)
        chart_fold(c);
    if (c->end <= at)
        c->end = at + (at < UINT64_MAX);
}

/* ns from `at` on, each to its column. */
static void
chart_spread(struct chart *c, unsigned layer, uint64_t at, uint64_t ns)
{
    if (ns == 0)
        return;
    chart_reach(c, at + (ns - 1));
    while (ns) {
        uint64_t room = c->width - at % c->width, part = ns < room ? ns : room;
        c->value[at / c->width][layer] += part;
        at += part;
        ns -= part;
    }
}

/* --- counting ----------------------------------------------------------------------------------- */

static int
timeline_begin(struct view *view)
{
    struct timeline *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    view->state = t;
    spans_init(&t->spans, view->trace);
    t->share.width = t->exits.width = 1;
    return 0;
}

static void
add_stay(struct timeline *t, const struct trace *trace, const struct span *span)
{
    unsigned domain = trace->actor[span->began->to].domain;
    uint64_t at = span->began->time > t->origin ? span->began->time - t->origin : 0;
    uint64_t ns = span->ns > UINT64_MAX - at ? UINT64_MAX - at : span->ns;

    if (domain == TRACE_GUEST_USER || domain == TRACE_GUEST_KERNEL)
        t->guest += ns < UINT64_MAX - t->guest ? ns : UINT64_MAX - t->guest;
    chart_spread(&t->share, span->began->kind == TRACE_HLT ? WAITING : domain, at, ns);
}

static int
timeline_event(struct view *view, const struct trace_event *e, uint64_t exit)
{
    struct timeline *t = view->state;
    struct span span[SPAN_MAX];

    (void)exit;
    if (t->count++ == 0)
        t->origin = e->time;
    for (unsigned n = spans_event(&t->spans, e, span), i = 0; i < n; i++)
        if (span[i].kind == SPAN_STAY)
            add_stay(t, view->trace, &span[i]);
    if (view->trace->kind[e->kind].class != TRACE_CLASS_EXIT || view->hidden)
        return 0;
    chart_reach(&t->exits, t->guest);
    t->exits.value[t->guest / t->exits.width][picture_group_of(view->trace, e->kind)]++;
    return 0;
}

/* --- drawing ------------------------------------------------------------------------------------ */

static unsigned
columns_of(const struct chart *c)
{
    uint64_t n = c->end ? (c->end - 1) / c->width + 1 : 0;

    return n < BUCKETS ? (unsigned)n : BUCKETS;
}

static uint64_t
column_sum(const struct chart *c, unsigned column)
{
    uint64_t sum = 0;

    for (unsigned layer = 0; layer < LAYERS; layer++)
        sum += c->value[column][layer];
    return sum;
}

/* The largest column; a column that is full has that height. */
static uint64_t
chart_peak(const struct chart *c)
{
    uint64_t peak = 0;

    for (unsigned i = 0; i < columns_of(c); i++)
        if (column_sum(c, i) > peak)
            peak = column_sum(c, i);
    return peak;
}

/* One column: layers on top of each other, `full` is as high as the chart. */
static void
put_column(FILE *out, const struct chart *c, unsigned column, unsigned top, uint64_t full,
           const char *(*color)(unsigned layer))
{
    double width = (double)WIDTH / columns_of(c), y = top + HEIGHT;

    for (unsigned layer = 0; layer < LAYERS; layer++) {
        double height = HEIGHT * picture_share(c->value[column][layer], full);
        if (height < 0.05)
            continue;
        y -= height;
        fprintf(out, "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" fill=\"%s\"/>\n",
                LEFT + column * width, y, width + 0.1, height, color(layer));
    }
}

static const char *
share_color(unsigned layer)
{
    return shares[layer].color;
}

static const char *
group_color(unsigned layer)
{
    return picture_groups[layer].color;
}

/* The frame, marks at its left side from 0 to `most`, and times below. */
static void
put_axes(FILE *out, const struct chart *c, unsigned top, const char *most, const char *half,
         const char *below)
{
    char text[64];

    fprintf(out,
            "<path d=\"M%u %uV%uH%u\" fill=\"none\" stroke=\"#444\"/>"
            "<path d=\"M%u %uh%u\" stroke=\"#444\" stroke-opacity=\".25\"/>\n",
            LEFT, top, top + HEIGHT, LEFT + WIDTH, LEFT, top + HEIGHT / 2, WIDTH);
    svg_text(out, LEFT - 6, top + 8, "l", most);
    svg_text(out, LEFT - 6, top + HEIGHT / 2 + 4, "l", half);
    svg_text(out, LEFT - 6, top + HEIGHT, "l", "0");
    for (unsigned i = 0; i <= 4 && c->end; i++) {
        double ns = (double)columns_of(c) * (double)c->width * i / 4;
        describe_time(ns, text, sizeof(text));
        svg_text(out, LEFT + WIDTH * i / 4, top + HEIGHT + 16, i == 4 ? "l" : i ? "m" : "s", text);
    }
    svg_text(out, LEFT + WIDTH / 2, top + HEIGHT + 32, "m", below);
}

/* A line of colours with their names, for the layers that occur. */
static void
put_legend(FILE *out, const struct chart *c, unsigned y, unsigned layers, bool domains)
{
    unsigned x = LEFT;

    for (unsigned layer = 0; layer < layers; layer++) {
        const char *text = domains ? shares[layer].text : picture_groups[layer].text;
        bool used = false;
        for (unsigned i = 0; i < columns_of(c); i++)
            used |= c->value[i][layer] != 0;
        if (!used)
            continue;
        fprintf(out, "<rect x=\"%u\" y=\"%u\" width=\"10\" height=\"10\" fill=\"%s\"/>", x, y - 9,
                domains ? shares[layer].color : picture_groups[layer].color);
        svg_text(out, x + 14, y, "s", text);
        x += 40 + (unsigned)strlen(text) * 6;
    }
    fprintf(out, "\n");
}

static void
put_shares(FILE *out, const struct timeline *t)
{
    const struct chart *c = &t->share;

    svg_text(out, LEFT, TOP1 - 32, "head", "Where control was");
    put_legend(out, c, TOP1 - 12, WAITING + 1, true);
    for (unsigned i = 0; i < columns_of(c); i++)
        put_column(out, c, i, TOP1, column_sum(c, i), share_color);
    put_axes(out, c, TOP1, "100 %", "50 %", "time of the host since the first event");
}

static void
rate_text(double rate, char *text, size_t size)
{
    if (rate >= 100 && rate < 1e15)
        describe_count((uint64_t)(rate + 0.5), text, size);
    else
        snprintf(text, size, "%.3g", rate);
}

static void
put_exits(FILE *out, const struct timeline *t)
{
    const struct chart *c = &t->exits;
    uint64_t peak = chart_peak(c);
    double rate = (double)peak * 1e6 / (double)c->width;
    char most[48], half[48];

    rate_text(rate, most, sizeof(most));
    rate_text(rate / 2, half, sizeof(half));
    svg_text(out, LEFT, TOP2 - 32, "head", "Exits in a millisecond that the guest ran");
    put_legend(out, c, TOP2 - 12, GROUP_COUNT, false);
    for (unsigned i = 0; peak && i < columns_of(c); i++)
        put_column(out, c, i, TOP2, peak, group_color);
    put_axes(out, c, TOP2, most, half,
             "time that the guest ran: what the VMM took and what the guest waited is left out");
}

static int
timeline_end(struct view *view, bool failed)
{
    struct timeline *t = view->state;
    FILE *out = view->options->out;

    if (t && !failed) {
        svg_begin(out, LEFT + WIDTH + 20, TOP2 + HEIGHT + 50,
                  ".l{text-anchor:end}.m{text-anchor:middle}.s{text-anchor:start}"
                  ".head{font-weight:bold}rect{shape-rendering:crispEdges}");
        fprintf(out, "<text x=\"10\" y=\"24\" class=\"title\">");
        picture_title(out, view, "The run from left to right");
        fprintf(out, "</text>\n");
        if (view->options->no_times || t->count == 0) {
            svg_text(out, 10, 44, "note", "There are no times to be drawn.");
        } else {
            put_shares(out, t);
            put_exits(out, t);
        }
        fprintf(out, "</svg>\n");
    }
    free(t);
    return 0;
}

const struct view_ops view_timeline = {
    .name = "timeline",
    .help = "the run from left to right: where control was, how often the guest came out",
    .form = VIEW_SVG,
    .sees_hidden = true,
    .begin = timeline_begin,
    .event = timeline_event,
    .end = timeline_end,
};
