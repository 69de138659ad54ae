/*
 * view_flame.c - the view "flame": exits by domain, reason and function, as a flame graph in SVG.
 *
 *   +-----------------------------------------------+
 *   | 2,348 exits                                   |
 *   +--------------------------------------+--------+
 *   | guest kernel                         | guest. |
 *   +--------------------------+-----+-----+--------+
 *   | io                       | msr | hlt | ...    |
 *   +------------------+-------+-----+-----+
 *   | console_write    | ...   |
 *
 * A recording has no stacks, only the rip of each exit: so a box stands on its domain and reason,
 * not on its callers. graph.c counts; a box is as wide as its share of the exits.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/graph.h"
#include "tracer/picture.h"
#include "tracer/svg.h"

#define WIDTH  1200 /* of all exits */
#define LEFT   10
#define TOP    84
#define HEIGHT 26
#define LETTER 7 /* points, about */

static int
flame_begin(struct view *view)
{
    struct view_options by = *view->options;
    struct graph *graph = malloc(sizeof(*graph));

    if (!graph)
        return -ENOMEM;
    view->state = graph;
    by.by = by.by == VIEW_BY_REASON ? VIEW_BY_SYMBOL : by.by;
    return graph_init(graph, view->trace, &by);
}

static int
flame_event(struct view *view, const struct trace_event *event, uint64_t exit)
{
    return graph_event(view->state, event, exit, view->hidden);
}

/* By domain, reason, count: boxes of one parent stand together, the widest first. */
static int
by_box(const void *a, const void *b)
{
    const struct graph_edge *x = a, *y = b;

    if (x->from != y->from)
        return x->from - y->from;
    if (x->kind != y->kind)
        return x->kind - y->kind;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return x->place != y->place ? (x->place < y->place ? -1 : 1) : 0;
}

/* count of `total` exits, after `before` others. Too narrow a box is left out: below a point it
 * cannot be seen. */
static void
put_box(FILE *out, unsigned level, const char *name, const char *color, const struct graph *g,
        const struct graph_edge *sum, uint64_t before, bool times)
{
    double x = LEFT + WIDTH * picture_share(before, g->exits);
    double width = WIDTH * picture_share(sum->count, g->exits);
    unsigned letters = width > 2 * LETTER ? (unsigned)(width / LETTER) - 1 : 0, y;
    char text[160], count[32], share[32], time[32];

    if (width < 1)
        return;
    y = TOP + level * (HEIGHT + 1);
    describe_count(sum->count, count, sizeof(count));
    fprintf(out,
            "<g><rect x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%u\" rx=\"2\" fill=\"%s\"/>"
            "<title>",
            x, y, width > 2 ? width - 1 : width, HEIGHT, color);
    picture_text(out, name);
    fprintf(out, ": %s exits, %s", count,
            picture_share_text(picture_share(sum->count, g->exits), share, sizeof(share)));
    if (times && sum->timed)
        fprintf(out, "; the VMM took %s for them, %s each",
                describe_time((double)sum->ns, text, sizeof(text)),
                describe_time((double)sum->ns / (double)sum->timed, time, sizeof(time)));
    fprintf(out, "</title>");
    snprintf(text, sizeof(text), "%.100s %s", name, count);
    if (strlen(text) > letters)
        snprintf(text, sizeof(text), "%.100s", name);
    if (strlen(text) > letters && letters > 2)
        snprintf(text + letters - 2, sizeof(text) - letters + 2, "..");
    else if (strlen(text) > letters)
        text[0] = 0;
    svg_text(out, (uint64_t)x + 5, y + 17, "b", describe_clean(text));
    fprintf(out, "</g>\n");
}

static void
add_to(struct graph_edge *sum, const struct graph_edge *e)
{
    sum->count += e->count;
    sum->timed += e->timed;
    sum->ns += e->ns;
}

/* The sum of the edges from i on that have the same domain and, with deep, the same reason. */
static struct graph_edge
sum_from(const struct graph_edge *edge, uint32_t i, uint32_t count, bool deep)
{
    struct graph_edge sum = {0};

    for (uint32_t j = i;
         j < count && edge[j].from == edge[i].from && (!deep || edge[j].kind == edge[i].kind); j++)
        add_to(&sum, &edge[j]);
    return sum;
}

static void
put_flame(FILE *out, const struct graph *g, const struct graph_edge *edge, uint32_t count,
          bool times)
{
    struct graph_edge all = {0};
    uint64_t before = 0;
    char name[96];

    for (uint32_t i = 0; i < count; i++)
        add_to(&all, &edge[i]);
    if (count)
        put_box(out, 0, "all exits", "#666666", g, &all, 0, times);
    for (uint32_t i = 0; i < count; i++) {
        const struct graph_edge *e = &edge[i];
        bool domain = i == 0 || edge[i - 1].from != e->from;
        const char *color = picture_groups[picture_group_of(g->trace, e->kind)].color;
        if (domain) {
            struct graph_edge sum = sum_from(edge, i, count, false);
            put_box(out, 1, g->trace->actor[e->from].name, "#3f7f5f", g, &sum, before, times);
        }
        if (domain || edge[i - 1].kind != e->kind) {
            struct graph_edge sum = sum_from(edge, i, count, true);
            put_box(out, 2, g->trace->kind[e->kind].name, color, g, &sum, before, times);
        }
        places_name(&g->places, e->place, name, sizeof(name));
        put_box(out, 3, name, color, g, e, before, times);
        before += e->count;
    }
}

static void
put_picture(const struct view *view, struct graph *g)
{
    FILE *out = view->options->out;
    uint32_t count = 0;

    for (uint32_t i = 0; i < g->edges; i++)
        if (g->trace->kind[g->edge[i].kind].class == TRACE_CLASS_EXIT)
            g->edge[count++] = g->edge[i];
    if (count)
        qsort(g->edge, count, sizeof(*g->edge), by_box);
    svg_begin(out, WIDTH + 2 * LEFT, TOP + 4 * (HEIGHT + 1) + 12,
              ".b{fill:white}g:hover rect{fill-opacity:.7}");
    fprintf(out, "<text x=\"10\" y=\"24\" class=\"title\">");
    picture_title(out, view, "Where exits come from");
    fprintf(out, "</text>\n");
    svg_text(out, 10, 44, "note",
             "From top to bottom: domain, reason, and the guest's function (or address) at the "
             "exit. A box is as wide as its share of the exits; point at it for more.");
    svg_text(out, 10, 60, "note",
             "A recording holds no stacks: what is above a function is not what called it.");
    put_flame(out, g, g->edge, count, !view->options->no_times);
    fprintf(out, "</svg>\n");
}

static int
flame_end(struct view *view, bool failed)
{
    struct graph *graph = view->state;

    if (!graph)
        return 0;
    if (!failed) {
        graph_end(graph);
        put_picture(view, graph);
    }
    graph_free(graph);
    free(graph);
    return 0;
}

const struct view_ops view_flame = {
    .name = "flame",
    .help = "a flame graph: exits by domain, reason and function",
    .form = VIEW_SVG,
    .sees_hidden = true,
    .begin = flame_begin,
    .event = flame_event,
    .end = flame_end,
};
