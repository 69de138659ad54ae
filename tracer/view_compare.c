/*
 * view_compare.c - Graphviz DOT of several recordings, one row each: where control went under each
 * strategy, at the same scale.
 *
 * A row is smaller than the picture of view_state.c: actors are folded into the program, the guest's
 * kernel, the VMM and its devices, and of each pair only the most frequent reasons are drawn. Bars
 * above it show time and exits, as long as the numbers are large: a bar twice as long is twice
 * as much in any row. Edges are as wide as their part of the largest row.
 *
 * Called by hv compare -o. Next: dot.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/graph.h"
#include "tracer/picture.h"
#include "tracer/view_compare.h"

#define BAR       560 /* points: the longest bar, */
#define NAME      44  /* what stands before it, */
#define TEXT      300 /* and behind it */
#define PAIR_KEEP 4   /* reasons drawn between the same two; the rest say "N more" */

/* The nodes of a row. */
enum part { PART_USER, PART_KERNEL, PART_VMM, PART_DEVICE, PART_HOST, PARTS };

static const char *const part_names[PARTS] = {
    [PART_USER] = "guest user", [PART_KERNEL] = "guest kernel", [PART_VMM] = "VMM",
    [PART_DEVICE] = "devices",  [PART_HOST] = "host kernel",
};

static const uint8_t domain_part[TRACE_DOMAIN_COUNT] = {
    [TRACE_GUEST_USER] = PART_USER, [TRACE_GUEST_KERNEL] = PART_KERNEL, [TRACE_VMM] = PART_VMM,
    [TRACE_DEVICE] = PART_DEVICE,   [TRACE_HOST_KERNEL] = PART_HOST,
};

static const uint8_t part_box[PARTS] = {
    [PART_USER] = BOX_GUEST,    [PART_KERNEL] = BOX_GUEST, [PART_VMM] = BOX_VMM,
    [PART_DEVICE] = BOX_DEVICE, [PART_HOST] = BOX_HOST,
};

/* All events of one kind between two parts. */
struct flow {
    uint64_t count, returns, timed, ns;
};

struct row {
    struct graph graph;
    uint64_t stay[PARTS], events[PARTS];
    uint64_t group[GROUP_COUNT]; /* exits */
    struct flow flow[PARTS][PARTS][TRACE_KIND_MAX];
};

/* What the longest bars stand for. */
struct scale {
    uint64_t ns, exits, events;
};

/* --- counting ----------------------------------------------------------------------------------- */

static void
fold(struct row *row, const struct trace *trace)
{
    for (unsigned a = 0; a < trace->actors; a++) {
        unsigned part = domain_part[trace->actor[a].domain];
        row->stay[part] += row->graph.node[a].stay;
        row->events[part] += row->graph.node[a].events;
    }
    for (uint32_t i = 0; i < row->graph.edges; i++) {
        const struct graph_edge *e = &row->graph.edge[i];
        struct flow *f = &row->flow[domain_part[trace->actor[e->from].domain]]
                                   [domain_part[trace->actor[e->to].domain]][e->kind];
        f->count += e->count;
        f->returns += e->returns;
        f->timed += e->timed;
        f->ns += e->ns;
        if (trace->kind[e->kind].class == TRACE_CLASS_EXIT)
            row->group[picture_group_of(trace, e->kind)] += e->count;
    }
}

static int
count_row(struct row *row, const struct trace *trace)
{
    int rc = graph_init(&row->graph, trace, NULL);
    uint64_t exit = 0;

    for (uint64_t i = 0; !rc && i < trace->count; i++) {
        const struct trace_event *e = &trace->events[i];
        exit += e->kind < trace->kinds && trace->kind[e->kind].class == TRACE_CLASS_EXIT;
        rc = graph_event(&row->graph, e, exit, false);
    }
    if (!rc)
        fold(row, trace);
    return rc;
}

static void
widen(struct scale *scale, const struct graph *g)
{
    scale->ns = g->total_ns > scale->ns ? g->total_ns : scale->ns;
    scale->exits = g->exits > scale->exits ? g->exits : scale->exits;
    scale->events = g->events > scale->events ? g->events : scale->events;
}

/* --- bars ----------------------------------------------------------------------------------------- */

/* Returns how long it is. */
static unsigned
put_piece(FILE *out, uint64_t part, uint64_t whole, const char *color)
{
    unsigned points = (unsigned)(picture_share(part, whole) * BAR + 0.5);

    if (!part)
        return 0;
    points = points ? points : 1;
    fprintf(out, "<td width=\"%u\" height=\"11\" fixedsize=\"true\" bgcolor=\"%s\"></td>", points,
            color);
    return points;
}

static void
begin_bar(FILE *out, const char *name)
{
    fprintf(out,
            "<tr><td align=\"left\"><table border=\"0\" cellborder=\"0\" cellspacing=\"0\" "
            "cellpadding=\"0\"><tr><td width=\"%u\" height=\"12\" fixedsize=\"true\" "
            "align=\"left\"><font point-size=\"10\">%s</font></td>",
            NAME, name);
}

/* Every bar and its text together are equally wide, or dot would stretch the pieces. */
static void
end_bar(FILE *out, unsigned length, const char *text)
{
    fprintf(out,
            "<td width=\"%u\" height=\"12\" fixedsize=\"true\" align=\"left\">"
            "<font point-size=\"10\">&#160;%s</font></td></tr></table></td></tr>",
            BAR + TEXT - length, text);
}

static void
put_bars(FILE *out, const struct row *row, const struct scale *scale, bool times)
{
    const struct graph *g = &row->graph;
    char text[160], part[4][32];
    unsigned length;
    int n;

    if (times) {
        begin_bar(out, "time");
        length = put_piece(out, g->guest_ns, scale->ns, picture_groups[GROUP_ENTRY].color);
        length += put_piece(out, g->vmm_ns, scale->ns, picture_groups[GROUP_CALL].color);
        length += put_piece(out, g->host_ns, scale->ns, picture_boxes[BOX_HOST].line);
        length += put_piece(out, g->waiting_ns, scale->ns, "#cccccc");
        n = snprintf(text, sizeof(text), "%s: guest %s, VMM %s",
                     describe_time((double)g->total_ns, part[0], sizeof(part[0])),
                     describe_time((double)g->guest_ns, part[1], sizeof(part[1])),
                     describe_time((double)g->vmm_ns, part[2], sizeof(part[2])));
        if (g->host_ns)
            snprintf(text + n, sizeof(text) - (size_t)n, ", host kernel %s",
                     describe_time((double)g->host_ns, part[3], sizeof(part[3])));
        end_bar(out, length, text);
    }
    begin_bar(out, "exits");
    length = 0;
    for (unsigned i = 0; i < GROUP_COUNT; i++)
        length += put_piece(out, row->group[i], scale->exits, picture_groups[i].color);
    end_bar(out, length, describe_count(g->exits, text, sizeof(text)));
}

/* --- a row -------------------------------------------------------------------------------------- */

static void
put_node(FILE *out, const struct row *row, unsigned number, unsigned part, const struct graph *g,
         bool times)
{
    const struct picture_box_look *box = &picture_boxes[part_box[part]];
    char text[32];

    fprintf(out, "    r%up%u [id=\"row-%u-%u\" label=<<b>%s</b>", number, part, number, part,
            part_names[part]);
    if (times)
        fprintf(out, "<br/><font point-size=\"10\">%s</font>",
                describe_time((double)row->stay[part], text, sizeof(text)));
    /* What the VMM asks of its own parts would be a loop at the node. */
    for (unsigned k = 0; k < g->trace->kinds; k++) {
        const struct flow *f = &row->flow[part][part][k];
        if (!f->count)
            continue;
        fprintf(out, "<br/><font point-size=\"10\" color=\"%s\">",
                picture_groups[picture_group_of(g->trace, k)].color);
        picture_text(out, k == TRACE_CALL ? "its own parts" : g->trace->kind[k].name);
        fprintf(out, " %sx</font>", describe_count(f->count, text, sizeof(text)));
    }
    fprintf(out, "> fillcolor=\"%s\" color=\"%s\" tooltip=\"%s\"];\n", box->fill, box->line,
            part_names[part]);
}

/* name NULL: the rest of a pair. */
static void
put_flow(FILE *out, unsigned number, const unsigned ends[2], const char *name, const char *color,
         const struct flow *f, const struct scale *scale, bool times)
{
    unsigned from = ends[0], to = ends[1];
    double part = times ? picture_share(f->ns, scale->ns) : picture_share(f->count, scale->events);
    char text[32];

    fprintf(out, "  r%up%u -> r%up%u [label=\"", number, from, number, to);
    picture_text(out, name);
    fprintf(out, " %sx", describe_count(f->count ? f->count : f->returns, text, sizeof(text)));
    if (times && f->timed)
        fprintf(out, ", %s each",
                describe_time((double)f->ns / (double)f->timed, text, sizeof(text)));
    fprintf(out, "\" color=\"%s\" fontcolor=\"%s\" penwidth=%s", color, color,
            picture_edge_width(part));
    if (f->returns && f->count)
        fprintf(out, " dir=both arrowtail=open");
    if (to <= from)
        fprintf(out, " constraint=false");
    fprintf(out, " tooltip=\"");
    picture_text(out, name);
    fprintf(out, "\"];\n");
}

/* The most frequent kinds between two parts, one edge each, and one for the rest. */
static void
put_pair(FILE *out, const struct row *row, unsigned number, unsigned from, unsigned to,
         const struct scale *scale, bool times)
{
    const struct trace *trace = row->graph.trace;
    const unsigned ends[2] = {from, to};
    struct flow left[TRACE_KIND_MAX], rest = {0};
    unsigned more = 0;
    char text[32];

    memcpy(left, row->flow[from][to], sizeof(left));
    for (unsigned n = 0;; n++) {
        unsigned most = 0;
        for (unsigned k = 1; k < TRACE_KIND_MAX; k++)
            if (left[k].count + left[k].returns > left[most].count + left[most].returns)
                most = k;
        if (!left[most].count && !left[most].returns)
            break;
        if (n < PAIR_KEEP) {
            put_flow(out, number, ends, trace->kind[most].name,
                     picture_groups[picture_group_of(trace, most)].color, &left[most], scale,
                     times);
        } else {
            rest.count += left[most].count;
            rest.ns += left[most].ns;
            rest.timed += left[most].timed;
            more++;
        }
        left[most] = (struct flow){0};
    }
    snprintf(text, sizeof(text), "%u more", more);
    if (more)
        put_flow(out, number, ends, text, picture_groups[GROUP_OTHER].color, &rest, scale, times);
}

static void
put_row(FILE *out, const struct row *row, unsigned number, const struct scale *scale, bool times)
{
    const struct trace *trace = row->graph.trace;

    fprintf(out,
            "  subgraph cluster_%u {\n    id=\"row-%u\"; bgcolor=\"#fbfbfb\"; color=\"#bbbbbb\"; "
            "tooltip=\" \";\n    label=<<table border=\"0\" cellspacing=\"1\" cellpadding=\"0\">"
            "<tr><td align=\"left\"><font point-size=\"14\"><b>strategy ",
            number, number);
    picture_text(out, trace->strategy[0] ? trace->strategy : "unknown");
    fprintf(out, "</b></font></td></tr>");
    put_bars(out, row, scale, times);
    fprintf(out, "</table>>;\n");
    for (unsigned part = 0; part < PARTS; part++)
        if (row->events[part] || part <= PART_DEVICE)
            put_node(out, row, number, part, &row->graph, times);
    /* The same columns in each row, whatever edges there are. */
    fprintf(out,
            "    r%up%u -> r%up%u [style=invis];\n    r%up%u -> r%up%u [style=invis];\n"
            "    r%up%u -> r%up%u [style=invis];\n",
            number, PART_USER, number, PART_KERNEL, number, PART_KERNEL, number, PART_VMM, number,
            PART_VMM, number, PART_DEVICE);
    fprintf(out, "  }\n");
    for (unsigned from = 0; from < PARTS; from++)
        for (unsigned to = 0; to < PARTS; to++)
            if (from != to)
                put_pair(out, row, number, from, to, scale, times);
}

/* --- the whole ------------------------------------------------------------------------------------ */

static void
put_legend(FILE *out, const struct row *rows, unsigned count, bool times)
{
    const char *small = "<font point-size=\"10\" color=\"%s\">&#9632; %s</font> &#160; ";

    if (times) {
        fprintf(out, "<tr><td align=\"left\"><font point-size=\"10\">time: </font>");
        fprintf(out, small, picture_groups[GROUP_ENTRY].color, "the guest runs");
        fprintf(out, small, picture_groups[GROUP_CALL].color, "the VMM works");
        fprintf(out, small, "#999999", "the guest waits");
        fprintf(out, "</td></tr>");
    }
    fprintf(out, "<tr><td align=\"left\"><font point-size=\"10\">exits: </font>");
    for (unsigned i = 0; i < GROUP_COUNT; i++) {
        bool used = false;
        for (unsigned r = 0; r < count; r++)
            used |= rows[r].group[i] != 0;
        if (used)
            fprintf(out, small, picture_groups[i].color, picture_groups[i].text);
    }
    fprintf(out, "</td></tr><tr><td align=\"left\"><font point-size=\"10\" color=\"#555555\">"
                 "Bars and widths of edges have the same scale in every row. Transfers inside the "
                 "guest are no exits.</font></td></tr>");
}

static void
put_all(FILE *out, const struct view_compare *view, const struct row *rows)
{
    struct scale scale = {0};
    bool times = !view->no_times;

    for (unsigned i = 0; i < view->traces; i++)
        widen(&scale, &rows[i].graph);
    fprintf(out, "digraph compare {\n"
                 "  graph [id=\"compare\" rankdir=LR newrank=true labeljust=l labelloc=t "
                 "fontname=\"Helvetica\" fontsize=12 nodesep=0.3 ranksep=0.8 style=rounded "
                 "bgcolor=white tooltip=\" \"\n    label=<<table border=\"0\" cellspacing=\"2\" "
                 "cellpadding=\"0\"><tr><td align=\"left\"><font point-size=\"16\"><b>");
    picture_text(out, view->title);
    fprintf(out, "</b></font></td></tr>");
    put_legend(out, rows, view->traces, times);
    fprintf(out, "</table>>];\n"
                 "  node [shape=box style=\"rounded,filled\" fontname=\"Helvetica\" fontsize=12 "
                 "margin=\"0.15,0.08\"];\n"
                 "  edge [fontname=\"Helvetica\" fontsize=10 arrowsize=0.7];\n");
    /* dot stacks rows from the bottom up. */
    for (unsigned i = view->traces; i-- > 0;)
        put_row(out, &rows[i], i, &scale, times);
    fprintf(out, "}\n");
}

static int
write_dot(const void *context, FILE *out, char *message, size_t size)
{
    const struct view_compare *view = context;
    struct row *rows = calloc(view->traces, sizeof(*rows));
    int rc = rows ? 0 : -ENOMEM;
    unsigned done = 0;

    while (!rc && done < view->traces) {
        rc = count_row(&rows[done], &view->trace[done]);
        done++;
    }
    if (!rc)
        put_all(out, view, rows);
    else
        snprintf(message, size, "no memory for the picture");
    while (done)
        graph_free(&rows[--done].graph);
    free(rows);
    return rc;
}

int
view_compare_write(const struct view_compare *view, const char *path, char *message, size_t size)
{
    return dot_write_text(write_dot, view, path, message, size);
}
