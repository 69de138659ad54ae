/*
 * view_ladder.c - the view "ladder": a sequence diagram of transfers, as DOT.
 *
 * Every row has a point on every lifeline, all of one rank; a group for each lifeline keeps it
 * straight. Invisible edges along the row keep the order of the lifelines; a message is a chain of
 * edges beside them, from point to point between its ends, so that it is a line. What has more
 * than LADDER_DOT_ROWS rows is drawn by svg_ladder.c, which looks the same.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/ladder.h"
#include "tracer/picture.h"
#include "tracer/view.h"

#define TEXT_MAX    70  /* letters at the right of a row, */
#define TEXT_WIDTH  420 /* points they have, */
#define CYCLE_WIDTH 140 /* and "x780: exits 1 to 1,560" */

/* A column is a node of fixed width: its text then begins where that of the other rows does. */
static void
put_cell(FILE *out, const char *align, unsigned width, const char *fill, const char *color,
         const char *text)
{
    fprintf(out,
            "<td fixedsize=\"true\" width=\"%u\" height=\"24\" align=\"%s\" bgcolor=\"%s\">"
            "<font color=\"%s\">",
            width, align, fill, color);
    picture_text(out, text[0] ? text : " ");
    fprintf(out, "</font></td>");
}

static void
put_columns(FILE *out, const struct ladder *l, uint64_t number, const struct view_options *o)
{
    const char *table = "[shape=plain tooltip=\" \" label=<<table border=\"0\" cellborder=\"0\" "
                        "cellspacing=\"0\" cellpadding=\"2\"><tr>";
    const struct ladder_row *row = &l->row[number];
    char text[256], label[64], cycle[96] = "";
    const char *fill = row->turns > 1 ? "#fff0c8" : "white";

    if (row->turns > 1 && row->place == 0)
        ladder_cycle_text(l, row, cycle, sizeof(cycle));
    fprintf(out, "    l%" PRIu64 " %s", number, table);
    put_cell(out, "left", CYCLE_WIDTH, fill, "#7a5200", cycle);
    put_cell(out, "right", o->time_axis ? 90 : 50, fill, "black",
             ladder_label(l, row, o, label, sizeof(label)));
    fprintf(out, "</tr></table>>];\n    t%" PRIu64 " %s", number, table);
    ladder_text(l, row, o, text, sizeof(text));
    if (strlen(text) > TEXT_MAX)
        snprintf(text + TEXT_MAX, sizeof(text) - TEXT_MAX, "...");
    put_cell(out, "left", TEXT_WIDTH, "white", "#333333", describe_clean(text));
    fprintf(out, "</tr></table>>];\n");
}

/* From lane to lane; the arrow is at the message's end, its name over its first edge. */
static void
put_message(FILE *out, const struct ladder *l, uint64_t number)
{
    const struct trace_event *e = ladder_event_of(l, &l->row[number]);
    unsigned from = l->lane[e->from], to = l->lane[e->to];
    unsigned left = from < to ? from : to, right = from < to ? to : from;
    const char *color = picture_groups[picture_group_of(l->trace, e->kind)].color;

    for (unsigned i = left; i < right; i++) {
        bool arrow = from < to ? i + 1 == right : i == left;
        fprintf(out, "  p%" PRIu64 "_%u -> p%" PRIu64 "_%u [constraint=false color=\"%s\" ", number,
                i, number, i + 1, color);
        if (i == left) {
            fprintf(out, "fontcolor=\"%s\" id=\"row-%" PRIu64 "\" label=\"", color, number);
            picture_text(out, l->trace->kind[e->kind].name);
            fprintf(out, "\" ");
        }
        fprintf(out, "penwidth=1.6 %s];\n",
                !arrow      ? "dir=none"
                : from < to ? "dir=forward"
                            : "dir=back");
    }
}

/* Something that happens at one lifeline: its name is in a node there. */
static void
put_point(FILE *out, const struct ladder *l, uint64_t number, unsigned lane)
{
    const struct trace_event *e = ladder_event_of(l, &l->row[number]);

    if (l->lane[e->from] == l->lane[e->to] && l->lane[e->to] == lane) {
        const char *color = picture_groups[picture_group_of(l->trace, e->kind)].color;
        fprintf(out,
                "    p%" PRIu64 "_%u [group=g%u shape=box style=\"rounded,filled\" "
                "fillcolor=white color=\"%s\" fontcolor=\"%s\" margin=\"0.06,0.01\" height=0.2 "
                "label=\"",
                number, lane, lane, color, color);
        picture_text(out, l->trace->kind[e->kind].name);
        fprintf(out, "\"];\n");
    } else {
        fprintf(out, "    p%" PRIu64 "_%u [group=g%u];\n", number, lane, lane);
    }
}

static void
put_row(FILE *out, const struct ladder *l, uint64_t number, const struct view_options *o)
{
    fprintf(out, "  { rank=same;\n");
    put_columns(out, l, number, o);
    for (unsigned lane = 0; lane < l->lanes; lane++)
        put_point(out, l, number, lane);
    fprintf(out, "  }\n  l%" PRIu64, number);
    for (unsigned lane = 0; lane < l->lanes; lane++)
        fprintf(out, " -> p%" PRIu64 "_%u", number, lane);
    fprintf(out, " -> t%" PRIu64 " [style=invis];\n", number);
}

/* The lifelines from a row to the next; where control is, they are wide. */
static void
put_lifelines(FILE *out, const struct ladder *l, uint64_t number, unsigned control,
              const struct view_options *o)
{
    unsigned gap = 1 + ladder_gap(l, number, o);

    for (unsigned lane = 0; lane < l->lanes; lane++) {
        fprintf(out, "  p%" PRIu64 "_%u -> p%" PRIu64 "_%u [dir=none minlen=%u %s];\n", number - 1,
                lane, number, lane, gap,
                lane == control ? "color=\"#7f8ea3\" penwidth=4" : "color=\"#bbbbbb\"");
    }
    fprintf(out,
            "  l%" PRIu64 " -> l%" PRIu64 " [style=invis minlen=%u];\n"
            "  t%" PRIu64 " -> t%" PRIu64 " [style=invis minlen=%u];\n",
            number - 1, number, gap, number - 1, number, gap);
}

/* The boxes at the top, and lines from them to the first row. */
static void
put_heads(FILE *out, const struct ladder *l)
{
    char name[64];

    fprintf(out, "  { rank=same;\n");
    for (unsigned lane = 0; lane < l->lanes; lane++) {
        unsigned domain = l->trace->actor[l->actor[lane]].domain;
        unsigned box = lane == l->others ? BOX_DEVICE : picture_domain_box[domain];
        fprintf(out,
                "    h%u [group=g%u shape=box style=\"rounded,filled\" fillcolor=\"%s\" "
                "color=\"%s\" label=<<b>",
                lane, lane, picture_boxes[box].fill, picture_boxes[box].line);
        picture_text(out, ladder_lane_name(l, lane, name, sizeof(name)));
        fprintf(out, "</b>> margin=\"0.1,0.05\"];\n");
    }
    fprintf(out, "  }\n");
    for (unsigned lane = 0; lane + 1 < l->lanes; lane++)
        fprintf(out, "  h%u -> h%u [style=invis];\n", lane, lane + 1);
    for (unsigned lane = 0; lane < l->lanes && l->rows; lane++)
        fprintf(out, "  h%u -> p0_%u [dir=none color=\"#bbbbbb\"];\n", lane, lane);
}

static void
put_notes(FILE *out, const struct ladder *l, const struct view_options *o, uint64_t rows)
{
    const char *row = "<tr><td align=\"left\"><font point-size=\"10\" color=\"#555555\">";
    const char *end = "</font></td></tr>";
    char text[32];

    fprintf(out, "%sFrom top to bottom. Control is where the line is wide. %s%s", row,
            ladder_axis_text(o), end);
    for (uint64_t i = 0; i < rows; i++)
        if (l->row[i].turns > 1) {
            fprintf(out,
                    "%sRows with a yellow margin happen again and again, as often as x says; the "
                    "operands are those of the first time.%s",
                    row, end);
            break;
        }
    if (rows < l->rows)
        fprintf(out, "%s%s more rows are not drawn: choose fewer exits with --range, or .svg.%s",
                row, describe_count(l->rows - rows, text, sizeof(text)), end);
}

static void
put_ladder(FILE *out, const struct view *view, const struct ladder *l)
{
    uint64_t rows = l->rows < LADDER_DOT_ROWS ? l->rows : LADDER_DOT_ROWS;
    unsigned control = LADDER_LANES;

    fprintf(out, "digraph ladder {\n"
                 "  graph [id=\"ladder\" rankdir=TB newrank=true labeljust=l labelloc=t "
                 "fontname=\"Helvetica\" fontsize=12 nodesep=0.35 ranksep=0.4 bgcolor=white "
                 "tooltip=\" \"\n    label=<<table border=\"0\" cellspacing=\"2\" "
                 "cellpadding=\"0\"><tr><td align=\"left\"><font point-size=\"16\"><b>");
    picture_title(out, view, "Who hands control to whom");
    fprintf(out, "</b></font></td></tr>");
    put_notes(out, l, view->options, rows);
    fprintf(out, "</table>>];\n"
                 "  node [shape=point width=0.03 color=\"#888888\" fontname=\"Helvetica\" "
                 "fontsize=11 tooltip=\" \"];\n"
                 "  edge [fontname=\"Helvetica\" fontsize=10 arrowsize=0.7 tooltip=\" \"];\n");
    put_heads(out, l);
    for (uint64_t i = 0; i < rows; i++) {
        put_row(out, l, i, view->options);
        put_message(out, l, i);
        if (i)
            put_lifelines(out, l, i, control, view->options);
        control = ladder_control(l, i, control);
    }
    fprintf(out, "}\n");
}

/* --- the view ----------------------------------------------------------------------------------- */

static int
ladder_view_begin(struct view *view)
{
    struct ladder *ladder = malloc(sizeof(*ladder));

    if (!ladder)
        return -ENOMEM;
    ladder_init(ladder, view->trace);
    view->state = ladder;
    return 0;
}

static int
ladder_view_event(struct view *view, const struct trace_event *event, uint64_t exit)
{
    return ladder_event(view->state, event, exit);
}

static int
ladder_view_end(struct view *view, bool failed)
{
    struct ladder *ladder = view->state;
    int rc = ladder && !failed ? ladder_finish(ladder) : 0;

    if (ladder && !failed && rc == 0) {
        if (view->options->svg && ladder->rows > LADDER_DOT_ROWS) {
            *view->options->svg = true;
            ladder_print_svg(ladder, view);
        } else {
            put_ladder(view->options->out, view, ladder);
        }
    }
    if (ladder)
        ladder_free(ladder);
    free(ladder);
    return rc;
}

const struct view_ops view_ladder = {
    .name = "ladder",
    .help = "a sequence diagram: one transfer after the other, repeats collapsed",
    .form = VIEW_DOT,
    .begin = ladder_view_begin,
    .event = ladder_view_event,
    .end = ladder_view_end,
};
