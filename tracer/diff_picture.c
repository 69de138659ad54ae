/*
 * diff_picture.c - two recordings as one state picture; see diff.h. Graphviz draws it (dot.c).
 *
 * What tells the edges apart is colour, kind of line, and words, so that one of them is enough: only
 * in B is blue, bold and says so; only in A orange and dashed; another count purple; the same grey
 * and thin. Orange and blue are told apart by all kinds of colour-blindness (Okabe and Ito).
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/diff.h"
#include "tracer/dot.h"
#include "tracer/picture.h"

static const struct {
    const char *color, *style, *prefix, *text;
} looks[DIFF_CHANGES] = {
    [DIFF_SAME] = {"#6a6a6a", "solid", "", "the same in both"},
    [DIFF_CHANGED] = {"#7a2a8a", "solid", "", "another count, or another cost"},
    [DIFF_ADDED] = {"#0060a8", "bold", "only B: ", "only in B (bold)"},
    [DIFF_REMOVED] = {"#b04800", "dashed", "only A: ", "only in A (dashed)"},
};

#define ARROW " &#8594; "

/* --- nodes -------------------------------------------------------------------------------------- */

static void
put_node(FILE *out, const struct diff *d, unsigned actor)
{
    const struct diff_actor *a = &d->actor[actor];
    char share[2][32], name[64];

    if (actor == DIFF_OTHERS)
        snprintf(name, sizeof(name), "%" PRIu32 " more", d->others);
    else
        snprintf(name, sizeof(name), "%s", a->name);
    fprintf(out, "    a%u [id=\"actor-%u\" label=<<b>", actor, actor);
    picture_text(out, name);
    fprintf(out, "</b>");
    if (!a->there[DIFF_A] || !a->there[DIFF_B])
        fprintf(out, "<br/><font point-size=\"10\">only in %s</font>",
                a->there[DIFF_A] ? "A" : "B");
    for (unsigned side = 0; side < 2; side++)
        picture_share_text(picture_share(a->stay[side], d->total_ns[side]), share[side],
                           sizeof(share[side]));
    if (d->times)
        fprintf(out, "<br/><font point-size=\"10\">time: %s" ARROW "%s</font>", share[0], share[1]);
    fprintf(out, ">");
    if (!a->there[DIFF_A])
        fprintf(out, " color=\"%s\" penwidth=2.5", looks[DIFF_ADDED].color);
    else if (!a->there[DIFF_B])
        fprintf(out, " color=\"%s\" style=\"rounded,filled,dashed\"", looks[DIFF_REMOVED].color);
    fprintf(out, " tooltip=\"");
    picture_text(out, name);
    fprintf(out, "\"];\n");
}

static void
put_box(FILE *out, const struct diff *d, enum picture_box box)
{
    const struct picture_box_look *look = &picture_boxes[box];
    bool open = false;

    for (unsigned i = 0; i < d->actors; i++) {
        if (!d->actor[i].drawn || picture_domain_box[d->actor[i].domain] != box)
            continue;
        if (!open)
            fprintf(out,
                    "  subgraph cluster_%s {\n    id=\"box-%s\"; label=\"%s\"; tooltip=\"%s\"; "
                    "bgcolor=\"%s\"; color=\"%s\";\n",
                    look->name, look->name, look->title, look->title, look->fill, look->line);
        open = true;
        put_node(out, d, i);
    }
    if (open)
        fprintf(out, "  }\n");
}

/* --- edges -------------------------------------------------------------------------------------- */

/* "io 1,024x -> 512x (-50 %)", or "only B: io 512x". */
static void
put_counts(FILE *out, const struct diff *d, const struct diff_edge *e, enum diff_change change)
{
    uint64_t a = diff_count(&e->side[DIFF_A]), b = diff_count(&e->side[DIFF_B]);
    char text[32];

    fprintf(out, "%s", looks[change].prefix);
    if (e->merged)
        fprintf(out, "%" PRIu32 " more", e->merged);
    else
        picture_text(out, d->kind[e->kind]->name);
    fprintf(out, " %sx", describe_count(change == DIFF_ADDED ? b : a, text, sizeof(text)));
    if (a && b && a != b) {
        fprintf(out, ARROW "%sx", describe_count(b, text, sizeof(text)));
        fprintf(out, " (%s)", diff_text((double)a, (double)b, text, sizeof(text)));
    }
}

static void
put_costs(FILE *out, const struct diff_edge *e)
{
    const struct diff_side *a = &e->side[DIFF_A], *b = &e->side[DIFF_B];
    char text[32];

    if (!a->timed && !b->timed)
        return;
    fprintf(out, "\\n");
    if (a->timed)
        fprintf(out, "%s", describe_time(diff_mean(a), text, sizeof(text)));
    fprintf(out, "%s", a->timed && b->timed ? ARROW : "");
    if (b->timed)
        fprintf(out, "%s", describe_time(diff_mean(b), text, sizeof(text)));
    fprintf(out, " each");
}

/* By its share of the time, or of the transfers, where that is larger. */
static const char *
width(const struct diff *d, const struct diff_edge *e, const uint64_t events[2])
{
    double most = 0;

    for (unsigned side = 0; side < 2; side++) {
        const struct diff_side *s = &e->side[side];
        double part = d->times ? picture_share(s->ns, d->total_ns[side])
                               : picture_share(diff_count(s), events[side]);
        most = part > most ? part : most;
    }
    return picture_edge_width(most);
}

static void
put_edge(FILE *out, const struct diff *d, const struct diff_edge *e, const uint64_t events[2])
{
    enum diff_change change = diff_change_of(d, e);
    enum trace_class class = d->kind[e->kind]->class;
    bool user_to_kernel = e->from == TRACE_ACTOR_GUEST_USER && e->to == TRACE_ACTOR_GUEST_KERNEL;
    bool forward = class == TRACE_CLASS_EXIT || user_to_kernel ||
                   (class == TRACE_CLASS_CALL && e->side[0].count + e->side[1].count);
    bool answered = (e->side[0].returns && e->side[0].count) ||
                    (e->side[1].returns && e->side[1].count);

    fprintf(out, "  a%u -> a%u [id=\"edge-%u-%u-%u\" label=\"", e->from, e->to, e->from, e->to,
            e->kind);
    put_counts(out, d, e, change);
    if (d->times)
        put_costs(out, e);
    fprintf(out, "\" color=\"%s\" fontcolor=\"%s\" style=%s penwidth=%s tooltip=\"",
            looks[change].color, looks[change].color, looks[change].style,
            change == DIFF_ADDED ? "3" : width(d, e, events));
    picture_text(out, e->merged ? "Sorts of transfer that are too rare to be drawn alone."
                                : d->kind[e->kind]->text);
    fprintf(out, "\"%s%s];\n", answered ? " dir=both arrowtail=open" : "",
            forward ? "" : " constraint=false");
}

/* --- title and legend --------------------------------------------------------------------------- */

static void
put_title(FILE *out, const struct diff_picture *p)
{
    const char *row = "<tr><td align=\"left\">", *end = "</td></tr>";
    const struct diff *d = p->diff;
    char text[400];

    fprintf(out,
            "<table border=\"0\" cellspacing=\"2\" cellpadding=\"0\">%s<font "
            "point-size=\"16\"><b>",
            row);
    picture_text(out, p->title ? p->title : "What changed from A to B");
    fprintf(out, "</b></font>%s", end);
    for (unsigned side = 0; side < 2; side++) {
        fprintf(out, "%s<b>%c:</b> ", row, 'A' + (int)side);
        picture_text(out, d->name[side]);
        fprintf(out, ", ");
        picture_text(out, diff_about(d, side, text, sizeof(text)));
        fprintf(out, "%s", end);
    }
    fprintf(out, "%s", row);
    for (unsigned i = 0; i < DIFF_CHANGES; i++) {
        unsigned change = (i + 1) % DIFF_CHANGES; /* "the same" comes last */
        fprintf(out, "<font point-size=\"10\" color=\"%s\">&#9632; %s</font> &#160; ",
                looks[change].color, looks[change].text);
    }
    fprintf(out,
            "%s%s<font point-size=\"10\" color=\"#555555\">An edge: reason, how often in A" ARROW
            "in B%s. The wider, the larger its share of %s.</font>%s",
            end, row, d->times ? ", mean cost" : "", d->times ? "the time" : "all transfers", end);
    if (d->left_out)
        fprintf(out,
                "%s<font point-size=\"10\" color=\"#555555\">%" PRIu32
                " more sorts of transfer are too rare to be drawn.</font>%s",
                row, d->left_out, end);
    if (diff_inside_text(d))
        fprintf(out, "%s<font point-size=\"10\" color=\"#555555\">%s</font>%s", row,
                diff_inside_text(d), end);
    fprintf(out, "</table>");
}

/* What an actor does to itself is left out, as dot writes the labels of loops on each other; the
 * table has it. */
void
diff_picture_print(const struct diff_picture *p, FILE *out)
{
    const struct diff *d = p->diff;
    uint64_t events[2] = {0, 0};

    fprintf(out, "digraph diff {\n"
                 "  graph [id=\"diff\" rankdir=LR newrank=true compound=true labeljust=l "
                 "labelloc=t fontname=\"Helvetica\" fontsize=12 nodesep=0.25 ranksep=0.6 "
                 "style=rounded bgcolor=white tooltip=\" \"\n    label=<");
    put_title(out, p);
    fprintf(out, ">];\n"
                 "  node [shape=box style=\"rounded,filled\" fillcolor=white color=\"#444444\" "
                 "fontname=\"Helvetica\" fontsize=12];\n"
                 "  edge [fontname=\"Helvetica\" fontsize=10 arrowsize=0.7];\n");
    for (unsigned box = 0; box < BOX_COUNT; box++)
        put_box(out, d, box);
    if (d->others)
        put_node(out, d, DIFF_OTHERS);
    for (uint32_t i = 0; i < d->edges; i++)
        for (unsigned side = 0; side < 2; side++)
            events[side] += diff_count(&d->edge[i].side[side]);
    for (uint32_t i = 0; i < d->edges; i++)
        if (d->edge[i].from != d->edge[i].to)
            put_edge(out, d, &d->edge[i], events);
    fprintf(out, "}\n");
}

static int
write_dot(const void *context, FILE *out, char *message, size_t size)
{
    diff_picture_print(context, out);
    if (!fflush(out) && !ferror(out))
        return 0;
    int rc = errno ? -errno : -EIO;
    snprintf(message, size, "cannot write the picture: %s", strerror(-rc));
    return rc;
}

int
diff_picture_write(const struct diff_picture *p, const char *path, char *message, size_t size)
{
    return dot_write_text(write_dot, p, path, message, size);
}
