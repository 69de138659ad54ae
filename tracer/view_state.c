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
#include "tracer/view.h"

#define LEGEND_COLUMNS 4

/* Why control moves, in groups that have a colour: told apart by the colour-blind (after Okabe and
 * Ito), dark enough for text on white. */
enum group {
    GROUP_OTHER,
    GROUP_DEVICE,
    GROUP_PROCESSOR,
    GROUP_SERVICE,
    GROUP_INTERRUPT,
    GROUP_IDLE,
    GROUP_FAULT,
    GROUP_ENTRY,
    GROUP_CALL,
    GROUP_COUNT,
};

static const struct {
    const char *color, *text;
} groups[GROUP_COUNT] = {
    [GROUP_OTHER] = {"#555555", "other"},
    [GROUP_DEVICE] = {"#0060a8", "the guest touches a device"},
    [GROUP_PROCESSOR] = {"#a03a80", "a sensitive instruction"},
    [GROUP_SERVICE] = {"#7a5200", "a call for a service"},
    [GROUP_INTERRUPT] = {"#c05000", "an interrupt"},
    [GROUP_IDLE] = {"#777777", "the guest waits"},
    [GROUP_FAULT] = {"#c01515", "a fault or a failure"},
    [GROUP_ENTRY] = {"#007a50", "the VMM resumes the guest"},
    [GROUP_CALL] = {"#2a7f96", "the VMM asks one of its parts, and gets an answer"},
};

static const uint8_t kind_group[TRACE_KIND_COUNT] = {
    [TRACE_IO] = GROUP_DEVICE,
    [TRACE_MMIO] = GROUP_DEVICE,
    [TRACE_HLT] = GROUP_IDLE,
    [TRACE_HYPERCALL] = GROUP_SERVICE,
    [TRACE_MSR] = GROUP_PROCESSOR,
    [TRACE_CPUID] = GROUP_PROCESSOR,
    [TRACE_EXCEPTION] = GROUP_FAULT,
    [TRACE_CR] = GROUP_PROCESSOR,
    [TRACE_DR] = GROUP_PROCESSOR,
    [TRACE_INVLPG] = GROUP_PROCESSOR,
    [TRACE_DTABLE] = GROUP_PROCESSOR,
    [TRACE_TSC] = GROUP_PROCESSOR,
    [TRACE_INSTRUCTION] = GROUP_PROCESSOR,
    [TRACE_INTR_WINDOW] = GROUP_INTERRUPT,
    [TRACE_KICK] = GROUP_INTERRUPT,
    [TRACE_SHUTDOWN] = GROUP_FAULT,
    [TRACE_UNIMPLEMENTED] = GROUP_FAULT,
    [TRACE_FAIL_ENTRY] = GROUP_FAULT,
    [TRACE_INTERNAL_ERROR] = GROUP_FAULT,
    [TRACE_SYSTEM_EVENT] = GROUP_SERVICE,
    [TRACE_ENTRY] = GROUP_ENTRY,
    [TRACE_INJECT] = GROUP_INTERRUPT,
    [TRACE_CALL] = GROUP_CALL,
    [TRACE_RETURN] = GROUP_CALL,
    [TRACE_SYSCALL] = GROUP_SERVICE,
    [TRACE_SYSRET] = GROUP_SERVICE,
    [TRACE_INTERRUPT] = GROUP_INTERRUPT,
    [TRACE_GUEST_FAULT] = GROUP_FAULT,
    [TRACE_IRET] = GROUP_INTERRUPT,
    [TRACE_IRQ] = GROUP_INTERRUPT,
};

/* The boxes around actors, from left to right. */
enum box { BOX_GUEST, BOX_VMM, BOX_DEVICE, BOX_HOST, BOX_COUNT };

static const struct {
    const char *name, *title, *fill, *line;
} boxes[BOX_COUNT] = {
    [BOX_GUEST] = {"guest", "Guest: the virtual machine", "#eef7f1", "#8fbfa5"},
    [BOX_VMM] = {"vmm", "VMM: the hypervisor", "#eef3fa", "#93afd0"},
    [BOX_DEVICE] = {"device", "Devices, imitated by the VMM", "#faf5ea", "#cdb88a"},
    [BOX_HOST] = {"host", "Host", "#f3f3f3", "#b0b0b0"},
};

static const uint8_t domain_box[TRACE_DOMAIN_COUNT] = {
    [TRACE_GUEST_USER] = BOX_GUEST, [TRACE_GUEST_KERNEL] = BOX_GUEST, [TRACE_VMM] = BOX_VMM,
    [TRACE_DEVICE] = BOX_DEVICE,    [TRACE_HOST_KERNEL] = BOX_HOST,
};

/* What a newcomer needs to know of the fixed actors, below their names. */
static const char *const actor_text[TRACE_ACTOR_FIRST_FREE] = {
    [TRACE_ACTOR_GUEST_USER] = "programs",
    [TRACE_ACTOR_GUEST_KERNEL] = "the guest's operating system",
    [TRACE_ACTOR_DISPATCHER] = "decides who handles an exit",
    [TRACE_ACTOR_INTERPRETER] = "carries out one instruction",
    [TRACE_ACTOR_ALLOCATOR] = "owns the map of resources",
    [TRACE_ACTOR_HOST_KERNEL] = "Linux, below the VMM",
};

static enum group
group_of(const struct trace *trace, unsigned kind)
{
    return kind < trace->kinds && kind < TRACE_KIND_COUNT ? kind_group[kind] : GROUP_OTHER;
}

/* --- text ------------------------------------------------------------------------------------- */

/* Text inside "..." and inside <...> of DOT: the same set of entities serves both. */
static void
put_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\\': fputs("&#92;", out); break;
        default: fputc(*text, out);
        }
    }
}

static double
share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

/* "35 %", "0.2 %", "<0.1 %" with the entity for <. */
static char *
share_text(double part, char *text, size_t size)
{
    if (part > 0 && part < 0.0005)
        snprintf(text, size, "&lt;0.1 %%");
    else
        snprintf(text, size, part < 0.0995 ? "%.1f %%" : "%.0f %%", 100 * part);
    return text;
}

static void
put_edge_name(FILE *out, const struct graph *g, const struct graph_edge *e)
{
    if (e->merged)
        fprintf(out, "%" PRIu32 " more", e->merged);
    else
        put_text(out, g->trace->kind[e->kind].name);
}

static const char *
edge_color(const struct graph *g, const struct graph_edge *e)
{
    return groups[e->merged ? GROUP_OTHER : group_of(g->trace, e->kind)].color;
}

/* Returns that nobody asked for have an edge of their own. */
static uint64_t
edge_count(const struct graph_edge *e)
{
    return e->count ? e->count : e->returns;
}

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
        fprintf(out, "<br/><font point-size=\"10\" color=\"%s\">", edge_color(g, e));
        put_edge_name(out, g, e);
        fprintf(out, " %sx, inside</font>", describe_count(edge_count(e), text, sizeof(text)));
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
    put_text(out, name);
    fprintf(out, "</b>");
    if (actor < TRACE_ACTOR_FIRST_FREE)
        fprintf(out, "<br/><font point-size=\"9\" color=\"#555555\">%s</font>", actor_text[actor]);
    if (times)
        fprintf(out, "<br/><font point-size=\"10\">%s of the time</font>",
                share_text(share(node->stay, g->total_ns), text, sizeof(text)));
    put_loops(out, g, actor);
    if (times && node->waiting)
        fprintf(out, "<br/><font point-size=\"10\" color=\"#555555\">and %s waiting</font>",
                share_text(share(node->waiting, g->total_ns), text, sizeof(text)));
    fprintf(out, "> tooltip=\"");
    put_text(out, name);
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
put_box(FILE *out, const struct graph *g, enum box box, bool times)
{
    bool open = false;

    for (unsigned i = 0; i < g->trace->actors; i++) {
        if (!g->node[i].drawn || domain_box[g->trace->actor[i].domain] != box)
            continue;
        if (!open)
            fprintf(out,
                    "  subgraph cluster_%s {\n"
                    "    id=\"box-%s\"; label=\"%s\"; tooltip=\"%s\"; bgcolor=\"%s\"; "
                    "color=\"%s\";\n",
                    boxes[box].name, boxes[box].name, boxes[box].title, boxes[box].title,
                    boxes[box].fill, boxes[box].line);
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
    put_edge_name(out, g, e);
    fprintf(out, " %sx", describe_count(edge_count(e), text, sizeof(text)));
    if (!times || !e->timed)
        return;
    fprintf(out, "\\n%s each, ",
            describe_time((double)e->ns / (double)e->timed, text, sizeof(text)));
    fprintf(out, "%s", share_text(share(e->ns, g->total_ns), text, sizeof(text)));
}

static void
put_edge_tooltip(FILE *out, const struct graph *g, const struct graph_edge *e)
{
    if (e->merged)
        fprintf(out, "%" PRIu32 " kinds of transfer that are too rare to be drawn alone",
                e->merged);
    else
        put_text(out, g->trace->kind[e->kind].text);
    if (e->first_exit)
        fprintf(out, " First: exit %" PRIu64 ".", e->first_exit);
}

/* In steps that the eye tells apart. */
static const char *
edge_width(double part)
{
    return part >= 0.3    ? "4"
           : part >= 0.1  ? "3"
           : part >= 0.03 ? "2.2"
           : part >= 0.01 ? "1.6"
                          : "1";
}

/* Only what leads from left to right gives nodes their place; what comes back is fitted in. */
static void
put_edge(FILE *out, const struct graph *g, const struct graph_edge *e, bool times)
{
    enum trace_class class = g->trace->kind[e->kind].class;
    bool forward = class == TRACE_CLASS_EXIT || e->kind == TRACE_CALL ||
                   (e->from == TRACE_ACTOR_GUEST_USER && e->to == TRACE_ACTOR_GUEST_KERNEL);
    const char *color = edge_color(g, e);
    double part = times ? share(e->ns, g->total_ns) : share(e->count, g->events);

    fprintf(out, "  a%u -> a%u [id=\"edge-%u-%u-", e->from, e->to, e->from, e->to);
    if (e->merged)
        fprintf(out, "more");
    else
        put_text(out, g->trace->kind[e->kind].name);
    fprintf(out, "\" label=\"");
    put_edge_label(out, g, e, times);
    fprintf(out, "\" tooltip=\"");
    put_edge_tooltip(out, g, e);
    fprintf(out, "\" labeltooltip=\"");
    put_edge_tooltip(out, g, e);
    fprintf(out, "\" color=\"%s\" fontcolor=\"%s\" penwidth=%s", color, color, edge_width(part));
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
put_title(FILE *out, const struct view *view)
{
    const struct trace *t = view->trace;
    const char *slash = strrchr(t->guest, '/');

    if (view->options->title) {
        put_text(out, view->options->title);
        return;
    }
    fprintf(out, "Where control went: ");
    put_text(out, t->guest[0] ? (slash && slash[1] ? slash + 1 : t->guest) : "a guest");
    if (t->engine[0]) {
        fprintf(out, " on engine ");
        put_text(out, t->engine);
    }
    if (t->strategy[0]) {
        fprintf(out, ", strategy ");
        put_text(out, t->strategy);
    }
}

static void
put_summary(FILE *out, const struct graph *g, bool times)
{
    char text[32];

    fprintf(out, "%s exits", describe_count(g->exits, text, sizeof(text)));
    if (!times)
        return;
    fprintf(out, " in %s:", describe_time((double)g->total_ns, text, sizeof(text)));
    fprintf(out, " the guest ran %s of the time",
            share_text(share(g->guest_ns, g->total_ns), text, sizeof(text)));
    fprintf(out, ", the VMM %s", share_text(share(g->vmm_ns, g->total_ns), text, sizeof(text)));
    if (g->waiting_ns)
        fprintf(out, ", and %s was waiting in hlt",
                share_text(share(g->waiting_ns, g->total_ns), text, sizeof(text)));
}

static void
put_notes(FILE *out, const struct graph *g, bool times)
{
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
        used[g->edge[i].merged ? GROUP_OTHER : group_of(g->trace, g->edge[i].kind)] = true;
    for (unsigned i = 1, n = 0; i <= GROUP_COUNT; i++) {
        unsigned group = i % GROUP_COUNT; /* "other" comes last */
        if (!used[group])
            continue;
        if (n % LEGEND_COLUMNS == 0)
            fprintf(out, "%s<tr><td align=\"left\">", n ? "</td></tr>" : "");
        fprintf(out, "<font point-size=\"10\" color=\"%s\">&#9632; %s</font> &#160; ",
                groups[group].color, groups[group].text);
        n++;
        open = true;
    }
    if (open)
        fprintf(out, "</td></tr>");
}

static void
put_graph(FILE *out, const struct view *view, const struct graph *g)
{
    bool times = !view->options->no_times;

    fprintf(out, "digraph control {\n"
                 "  graph [id=\"control\" rankdir=LR newrank=true compound=true labeljust=l "
                 "labelloc=t fontname=\"Helvetica\" fontsize=12 nodesep=0.25 ranksep=0.6 "
                 "style=rounded bgcolor=white tooltip=\" \"\n"
                 "    label=<<table border=\"0\" cellspacing=\"2\" cellpadding=\"0\">"
                 "<tr><td align=\"left\"><font point-size=\"16\"><b>");
    put_title(out, view);
    fprintf(out, "</b></font></td></tr><tr><td align=\"left\">");
    put_summary(out, g, times);
    fprintf(out, "</td></tr>");
    put_legend(out, g);
    put_notes(out, g, times);
    fprintf(out, "</table>>];\n"
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
    return graph_init(graph, view->trace);
}

static int
state_event(struct view *view, const struct trace_event *event, uint64_t exit)
{
    return graph_event(view->state, event, exit);
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
    .begin = state_begin,
    .event = state_event,
    .end = state_end,
};
