/*
 * svg_ladder.c - the ladder as SVG, for more rows than dot can lay out: O(rows).
 *
 * The same look as view_ladder.c: yellow margin of cycles, labels, lifelines, operands. The heads
 * are repeated, so that a reader of row 5,000 sees whose line it is.
 */
#include <inttypes.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/ladder.h"
#include "tracer/picture.h"
#include "tracer/svg.h"

#define ROW        26  /* points from a row to the next */
#define HEAD       36  /* a line of heads */
#define BOX        18  /* height of what happens at one lifeline */
#define HEAD_EVERY 40  /* rows */
#define CYCLE_X    10  /* columns: what is repeated, */
#define LABEL_X    250 /* number or time (its right end), */
#define LANE_X     320 /* lifelines, */
#define LANE       124
#define TEXT_WIDTH 520 /* and operands */
#define TEXT_MAX   80

struct canvas {
    FILE *out;
    const struct ladder *l;
    const struct view_options *options;
    uint64_t y;       /* of the row that is drawn */
    unsigned control; /* lane where control is; LADDER_LANES: not known */
    unsigned since;   /* rows after the last heads */
    unsigned boxed;   /* lane that the row before has a box on; LADDER_LANES: none */
};

/* Again after HEAD_EVERY rows, but not within a cycle. */
static bool
wants_heads(const struct ladder *l, uint64_t number, unsigned *since)
{
    bool wanted = *since >= HEAD_EVERY && l->row[number].place == 0;

    *since = wanted ? 1 : *since + 1;
    return wanted;
}

static unsigned
lane_x(unsigned lane)
{
    return LANE_X + lane * LANE;
}

static void
put_heads(struct canvas *c)
{
    char name[64];

    for (unsigned lane = 0; lane < c->l->lanes; lane++) {
        unsigned domain = c->l->trace->actor[c->l->actor[lane]].domain;
        unsigned box = lane == c->l->others ? BOX_DEVICE : picture_domain_box[domain];
        fprintf(c->out,
                "<rect x=\"%u\" y=\"%" PRIu64 "\" width=\"%u\" height=\"24\" rx=\"5\" fill=\"%s\" "
                "stroke=\"%s\"/>\n",
                lane_x(lane) - LANE / 2 + 6, c->y, LANE - 12, picture_boxes[box].fill,
                picture_boxes[box].line);
        ladder_lane_name(c->l, lane, name, sizeof(name));
        if (strlen(name) > 16)
            snprintf(name + 14, sizeof(name) - 14, "..");
        svg_text(c->out, lane_x(lane), c->y + 16, "h", describe_clean(name));
    }
    c->y += HEAD;
}

/* From the row before to this one, `height` points. */
static void
put_lifelines(struct canvas *c, uint64_t height)
{
    for (unsigned lane = 0; lane < c->l->lanes; lane++) {
        unsigned box = lane == c->boxed ? BOX / 2 : 0; /* the line begins below it */
        fprintf(c->out, "<path class=\"%s\" d=\"M%u %" PRIu64 "v%" PRIu64 "\"/>\n",
                lane == c->control ? "n" : "o", lane_x(lane), c->y - height + box, height - box);
    }
}

static void
put_message(struct canvas *c, const struct ladder_row *row)
{
    const struct trace_event *e = ladder_event_of(c->l, row);
    unsigned from = c->l->lane[e->from], to = c->l->lane[e->to], group;
    unsigned left = lane_x(from < to ? from : to);
    char name[TRACE_NAME_SIZE];

    group = picture_group_of(c->l->trace, e->kind);
    snprintf(name, sizeof(name), "%s", c->l->trace->kind[e->kind].name);
    if (from == to) {
        c->boxed = from;
        fprintf(c->out,
                "<rect x=\"%u\" y=\"%" PRIu64 "\" width=\"70\" height=\"%u\" rx=\"5\" "
                "fill=\"white\" stroke=\"%s\"/>\n",
                left - 35, c->y - BOX / 2, BOX, picture_groups[group].color);
        fprintf(c->out, "<g fill=\"%s\">", picture_groups[group].color);
        svg_text(c->out, left, c->y + 4, "m", name);
        fprintf(c->out, "</g>\n");
        return;
    }
    unsigned end = lane_x(to), back = from < to ? end - 7 : end + 7;
    fprintf(c->out,
            "<g fill=\"%s\" stroke=\"%s\"><path class=\"a\" d=\"M%u %" PRIu64 "H%u\"/><path "
            "stroke=\"none\" d=\"M%u %" PRIu64 "L%u %" PRIu64 "L%u %" PRIu64 "Z\"/></g>",
            picture_groups[group].color, picture_groups[group].color, lane_x(from), c->y, back, end,
            c->y, back, c->y - 4, back, c->y + 4);
    fprintf(c->out, "<g fill=\"%s\">", picture_groups[group].color);
    svg_text(c->out, left + LANE / 2, c->y - 4, "m", name);
    fprintf(c->out, "</g>\n");
}

static void
put_row(struct canvas *c, uint64_t number)
{
    const struct ladder_row *row = &c->l->row[number];
    uint64_t height = ROW * (uint64_t)(1 + ladder_gap(c->l, number, c->options));
    char text[256], label[64];

    if (wants_heads(c->l, number, &c->since)) {
        c->boxed = LADDER_LANES;
        c->y += 8;
        put_heads(c);
    }
    c->y += height;
    fprintf(c->out, "<g id=\"row-%" PRIu64 "\">", number);
    if (row->turns > 1) {
        unsigned line = row->place == 0 ? 2 : 0; /* that parts a cycle from the one before */
        fprintf(c->out,
                "<rect x=\"4\" y=\"%" PRIu64 "\" width=\"%u\" height=\"%u\" fill=\"#fff0c8\"/>",
                c->y - ROW / 2 + line, LABEL_X + 4, ROW - line);
    }
    if (row->turns > 1 && row->place == 0)
        svg_text(c->out, CYCLE_X, c->y + 4, "x",
                 ladder_cycle_text(c->l, row, label, sizeof(label)));
    ladder_label(c->l, row, c->options, label, sizeof(label));
    svg_text(c->out, LABEL_X, c->y + 4, "l", label);
    put_lifelines(c, height);
    c->boxed = LADDER_LANES;
    put_message(c, row);
    ladder_text(c->l, row, c->options, text, sizeof(text));
    if (strlen(text) > TEXT_MAX)
        snprintf(text + TEXT_MAX, sizeof(text) - TEXT_MAX, "...");
    svg_text(c->out, lane_x(c->l->lanes) - LANE / 2, c->y + 4, "t", describe_clean(text));
    fprintf(c->out, "</g>\n");
    c->control = ladder_control(c->l, number, c->control);
}

/* What the rows will need, so that the picture's size can stand at its head. */
static uint64_t
total_height(const struct ladder *l, const struct view_options *o, uint64_t rows)
{
    uint64_t height = 100 + HEAD;
    unsigned since = 0;

    for (uint64_t i = 0; i < rows; i++) {
        height += ROW * (uint64_t)(1 + ladder_gap(l, i, o));
        height += wants_heads(l, i, &since) ? HEAD + 8 : 0;
    }
    return height;
}

void
ladder_print_svg(const struct ladder *l, const struct view *view)
{
    uint64_t rows = l->rows < LADDER_SVG_ROWS ? l->rows : LADDER_SVG_ROWS;
    struct canvas c = {view->options->out, l, view->options, 70, LADDER_LANES, 0, LADDER_LANES};
    char note[256], text[32];

    svg_begin(c.out, lane_x(l->lanes) - LANE / 2 + TEXT_WIDTH, total_height(l, view->options, rows),
              ".h{text-anchor:middle;font-weight:bold}.m{text-anchor:middle;font-size:11px}"
              ".l{text-anchor:end}.t{fill:#333}.x{fill:#7a5200}.a{fill:none;stroke-width:1.6}"
              ".o{stroke:#bbb}.n{stroke:#7f8ea3;stroke-width:4}");
    fprintf(c.out, "<text x=\"10\" y=\"24\" class=\"title\">");
    picture_title(c.out, view, "Who hands control to whom");
    fprintf(c.out, "</text>\n");
    snprintf(note, sizeof(note), "From top to bottom. Control is where the line is wide. %s",
             ladder_axis_text(view->options));
    svg_text(c.out, 10, 42, "note", note);
    snprintf(note, sizeof(note),
             "Rows with a yellow margin happen again and again, as often as x says; the operands "
             "are those of the first time.");
    svg_text(c.out, 10, 58, "note", note);
    put_heads(&c);
    for (uint64_t i = 0; i < rows; i++)
        put_row(&c, i);
    if (rows < l->rows) {
        snprintf(note, sizeof(note), "%s more rows are not drawn: choose fewer exits with --range.",
                 describe_count(l->rows - rows, text, sizeof(text)));
        svg_text(c.out, 10, c.y + 30, "note", note);
    }
    fprintf(c.out, "</svg>\n");
}
