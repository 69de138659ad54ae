/*
 * view_state.c - the view "state": Graphviz DOT of who hands control to whom.
 *
 * Actors are nodes in clusters (guest, VMM, devices, host); an edge is one reason, with its count,
 * its mean cost and its share of the time, the wider the more. graph.c counts and keeps it small;
 * here it is laid out, from left to right because labels on parallel edges then stand one below
 * the other. dot.c runs Graphviz on the text.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/graph.h"
#include "tracer/picture.h"
#include "tracer/view.h"

#define LEGEND_COLUMNS 4

/* --- nodes ------------------------------------------------------------------------------------ */

/* What an actor does to itself (an interrupt of a kernel by its device) is a line of its node: as
 * edges, dot writes the labels of loops on top of each other. */
static void
put_loops(FILE *out, const struct graph *g, unsigned actor)
{
    char text[32];

    for (uint32_t i = 0; i < g->edges; i++) {
        const struct graph_edge *e = &g->edge[i];
        if (e->from != actor || e->to != actor)
            continue;
        fprintf(out, "<br/><font point-size=\"10\" color=\"%s\">", picture_edge_color(g, e));
        picture_edge_name(out, g, e);
        fprintf(out, " %sx, inside</font>",
                describe_count(picture_edge_count(e), text, sizeof(text)));
    }
}

static void
put_node(FILE *out, const struct graph *g, unsigned actor, bool times)
{
    const struct graph_node *node = &g->node[actor];
    char name[64], text[32];

    if (actor == GRAPH_OTHERS)
        snprintf(name, sizeof(name), "%" PRIu32 " more", g->others);
    else
        snprintf(name, sizeof(name), "%s", g->trace->actor[actor].name);
    fprintf(out, "    a%u [id=\"actor-%u\" label=<<b>", actor, actor);
    picture_text(out, name);
    fprintf(out, "</b>");
    if (actor < TRACE_ACTOR_FIRST_FREE)
        fprintf(out, "<br/><font point-size=\"9\" color=\"#555555\">%s</font>",
                picture_actor_text[actor]);
    if (times)
        fprintf(out, "<br/><font point-size=\"10\">%s of the time</font>",
                picture_share_text(picture_share(node->stay, g->total_ns), text, sizeof(text)));
    put_loops(out, g, actor);
    if (times && node->waiting)
        fprintf(out, "<br/><font point-size=\"10\" color=\"#555555\">and %s waiting</font>",
                picture_share_text(picture_share(node->waiting, g->total_ns), text, sizeof(text)));
    fprintf(out, "> tooltip=\"");
    picture_text(out, name);
    fprintf(out, ": %s transfers\"];\n", describe_count(node->events, text, sizeof(text)));
}

/* Is anything known of what happens between the guest's user and kernel? */
static bool
has_guest_edges(const struct graph *g)
{
    for (uint32_t i = 0; i < g->edges; i++)
        if (g->edge[i].from == TRACE_ACTOR_GUEST_USER && g->edge[i].to == TRACE_ACTOR_GUEST_KERNEL)
            return true;
    return false;
}

/* The guest's user and kernel stand one above the other (`rank=same`, as the picture goes from
 * left to right) unless there are edges between them: dot writes the labels of edges within a rank
 * on top of each other. Then the user is left of its kernel. */
static void
put_box(FILE *out, const struct graph *g, enum picture_box box, bool times)
{
    bool open = false;

    for (unsigned i = 0; i < g->trace->actors; i++) {
        if (!g->node[i].drawn || picture_domain_box[g->trace->actor[i].domain] != box)
            continue;
        if (!open)
            fprintf(out,
                    "  subgraph cluster_%s {\n"
                    "    id=\"box-%s\"; label=\"%s\"; tooltip=\"%s\"; bgcolor=\"%s\"; "
                    "color=\"%s\";\n",
                    picture_boxes[box].name, picture_boxes[box].name, picture_boxes[box].title,
                    picture_boxes[box].title, picture_boxes[box].fill, picture_boxes[box].line);
        open = true;
        put_node(out, g, i, times);
    }
    if (box == BOX_GUEST && g->node[TRACE_ACTOR_GUEST_USER].drawn &&
        g->node[TRACE_ACTOR_GUEST_KERNEL].drawn && !has_guest_edges(g))
        fprintf(out, "    { rank=same; a%u; a%u; }\n", TRACE_ACTOR_GUEST_USER,
                TRACE_ACTOR_GUEST_KERNEL);
    if (open)
        fprintf(out, "  }\n");
}

/* --- edges ------------------------------------------------------------------------------------ */

/* "io 1,024x" and below it "1.9 us each, 35 %". On an edge within a rank dot centres the label on
 * the line: blanks move it to the side. */
static void
put_edge_label(FILE *out, const struct graph *g, const struct graph_edge *e, bool times)
{
    char text[32];

    for (int i = 0; e->kind == TRACE_IRQ && !e->merged && i < 20; i++)
        fputs("&#160;", out);
    picture_edge_name(out, g, e);
    fprintf(out, " %sx", describe_count(picture_edge_count(e), text, sizeof(text)));
    if (!times || !e->timed)
        return;
    fprintf(out, "\\n%s each, ",
            describe_time((double)e->ns / (double)e->timed, text, sizeof(text)));
    fprintf(out, "%s", picture_share_text(picture_share(e->ns, g->total_ns), text, sizeof(text)));
}

static void
put_edge_tooltip(FILE *out, const struct graph *g, const struct graph_edge *e)
{
    if (e->merged)
        fprintf(out, "%" PRIu32 " sorts of transfer that are too rare to be drawn alone",
                e->merged);
    else
        picture_text(out, g->trace->kind[e->kind].text);
    if (e->first_exit)
        fprintf(out, " First: exit %" PRIu64 ".", e->first_exit);
}

/* Only what leads from left to right gives nodes their place; what comes back is fitted in. */
static void
put_edge(FILE *out, const struct graph *g, const struct graph_edge *e, bool times)
{
    enum trace_class class = g->trace->kind[e->kind].class;
    bool forward = class == TRACE_CLASS_EXIT || e->kind == TRACE_CALL ||
                   (e->from == TRACE_ACTOR_GUEST_USER && e->to == TRACE_ACTOR_GUEST_KERNEL);
    const char *color = picture_edge_color(g, e);
    double part = times ? picture_share(e->ns, g->total_ns) : picture_share(e->count, g->events);

    fprintf(out, "  a%u -> a%u [id=\"edge-%u-%u-", e->from, e->to, e->from, e->to);
    if (e->merged)
        fprintf(out, "more");
    else
        picture_text(out, g->trace->kind[e->kind].name);
    if (e->place && !e->merged && g->places.by == VIEW_BY_REASON) {
        char call[64]; /* by its name, as player/state.js looks for it */
        fputc('-', out);
        picture_text(out, places_name(&g->places, e->place, call, sizeof(call)));
    } else if (e->place && !e->merged) {
        fprintf(out, "-%" PRIu64, e->place);
    }
    fprintf(out, "\" label=\"");
    put_edge_label(out, g, e, times);
    fprintf(out, "\" tooltip=\"");
    put_edge_tooltip(out, g, e);
    fprintf(out, "\" labeltooltip=\"");
    put_edge_tooltip(out, g, e);
    fprintf(out, "\" color=\"%s\" fontcolor=\"%s\" penwidth=%s", color, color,
            picture_edge_width(part));
    if (e->returns && e->count)
        fprintf(out, " dir=both arrowtail=open");
    if (e->kind == TRACE_IRQ)
        fprintf(out, " style=dashed");
    if (!forward)
        fprintf(out, " constraint=false");
    fprintf(out, "];\n");
}

/* --- title and legend ------------------------------------------------------------------------- */

static void
put_summary(FILE *out, const struct graph *g, bool times)
{
    char text[32];

    fprintf(out, "%s exits", describe_count(g->exits, text, sizeof(text)));
    if (!times)
        return;
    fprintf(out, " in %s:", describe_time((double)g->total_ns, text, sizeof(text)));
    fprintf(out, " the guest ran %s of the time",
            picture_share_text(picture_share(g->guest_ns, g->total_ns), text, sizeof(text)));
    if (g->host_ns)
        fprintf(out, ", the host's kernel %s",
                picture_share_text(picture_share(g->host_ns, g->total_ns), text, sizeof(text)));
    fprintf(out, ", the VMM %s",
            picture_share_text(picture_share(g->vmm_ns, g->total_ns), text, sizeof(text)));
    if (g->waiting_ns)
        fprintf(out, ", and %s was waiting in hlt",
                picture_share_text(picture_share(g->waiting_ns, g->total_ns), text, sizeof(text)));
}

static void
put_notes(FILE *out, const struct graph *g, const struct view_options *o)
{
    bool times = !o->no_times, first = true;
    const char *row = "<tr><td align=\"left\"><font point-size=\"10\" color=\"#555555\">";
    const char *end = "</font></td></tr>";
    char text[32];

    fprintf(out, "%sAn edge: reason, how often%s. The wider, the %s.%s", row,
            times ? ", mean cost, share of the time" : "", times ? "more time" : "more often", end);
    if (times)
        fprintf(out,
                "%sCost of an exit: until the guest runs again. Of an entry: how long it then "
                "runs.%s%sExits and entries make up the whole time: a call is part of its exit, "
                "what happens inside the guest is part of its entry.%s",
                row, end, row, end);
    for (unsigned k = 0; o->only && k < g->trace->kinds; k++) {
        if (!o->only[k])
            continue;
        fprintf(out, "%s", first ? row : ", ");
        if (first)
            fprintf(out, "Of all exits only these are drawn, with what followed them: ");
        picture_text(out, g->trace->kind[k].name);
        first = false;
    }
    fprintf(out, "%s", first ? "" : end);
    if (g->left_out)
        fprintf(out, "%s%" PRIu32 " more kinds of transfer (%s events) are too rare to be drawn.%s",
                row, g->left_out, describe_count(g->left_events, text, sizeof(text)), end);
    if (g->trace->lost)
        fprintf(out, "%s%s events at the end are lost: the disk was full.%s", row,
                describe_count(g->trace->lost, text, sizeof(text)), end);
    fprintf(out, "%sExits that the host's kernel handles by itself are not seen here.%s", row, end);
}

/* The colours that occur, each with its meaning. */
static void
put_legend(FILE *out, const struct graph *g)
{
    bool used[GROUP_COUNT] = {false}, open = false;

    for (uint32_t i = 0; i < g->edges; i++)
        used[g->edge[i].merged ? GROUP_OTHER : picture_group_of(g->trace, g->edge[i].kind)] = true;
    for (unsigned i = 1, n = 0; i <= GROUP_COUNT; i++) {
        unsigned group = i % GROUP_COUNT; /* "other" comes last */
        if (!used[group])
            continue;
        if (n % LEGEND_COLUMNS == 0)
            fprintf(out, "%s<tr><td align=\"left\">", n ? "</td></tr>" : "");
        fprintf(out, "<font point-size=\"10\" color=\"%s\">&#9632; %s</font> &#160; ",
                picture_groups[group].color, picture_groups[group].text);
        n++;
        open = true;
    }
    if (open)
        fprintf(out, "</td></tr>");
}

/* What stands above the picture. */
static void
put_heading(FILE *out, const struct view *view, const struct graph *g)
{
    fprintf(out, "    label=<<table border=\"0\" cellspacing=\"2\" cellpadding=\"0\">"
                 "<tr><td align=\"left\"><font point-size=\"16\"><b>");
    picture_title(out, view, "Where control went");
    fprintf(out, "</b></font></td></tr><tr><td align=\"left\">");
    put_summary(out, g, !view->options->no_times);
    fprintf(out, "</td></tr>");
    put_legend(out, g);
    put_notes(out, g, view->options);
    fprintf(out, "</table>>");
}

static void
put_graph(FILE *out, const struct view *view, const struct graph *g)
{
    bool times = !view->options->no_times;

    fprintf(out, "digraph control {\n"
                 "  graph [id=\"control\" rankdir=LR newrank=true compound=true labeljust=l "
                 "labelloc=t fontname=\"Helvetica\" fontsize=12 nodesep=0.25 ranksep=0.6 "
                 "style=rounded bgcolor=white tooltip=\" \"\n");
    if (!view->options->bare)
        put_heading(out, view, g);
    fprintf(out, "];\n"
                 "  node [shape=box style=\"rounded,filled\" fillcolor=white color=\"#444444\" "
                 "fontname=\"Helvetica\" fontsize=12];\n"
                 "  edge [fontname=\"Helvetica\" fontsize=10 arrowsize=0.7];\n");
    for (unsigned box = 0; box < BOX_COUNT; box++)
        put_box(out, g, box, times);
    if (g->others)
        put_node(out, g, GRAPH_OTHERS, times);
    for (uint32_t i = 0; i < g->edges; i++)
        if (g->edge[i].from != g->edge[i].to)
            put_edge(out, g, &g->edge[i], times);
    fprintf(out, "}\n");
}

/* --- the view --------------------------------------------------------------------------------- */

static int
state_begin(struct view *view)
{
    struct graph *graph = malloc(sizeof(*graph));

    if (!graph)
        return -ENOMEM;
    view->state = graph;
    return graph_init(graph, view->trace, view->options);
}

static int
state_event(struct view *view, const struct trace_event *event, uint64_t exit)
{
    return graph_event(view->state, event, exit, view->hidden);
}

static int
state_end(struct view *view, bool failed)
{
    struct graph *graph = view->state;

    if (!graph)
        return 0;
    if (!failed) {
        graph_reduce(graph, !view->options->no_times);
        put_graph(view->options->out, view, graph);
    }
    graph_free(graph);
    free(graph);
    return 0;
}

const struct view_ops view_state = {
    .name = "state",
    .help = "a picture (Graphviz): who hands control to whom, and why",
    .form = VIEW_DOT,
    .sees_hidden = true,
    .begin = state_begin,
    .event = state_event,
    .end = state_end,
};
