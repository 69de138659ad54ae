/*
 * card.c - see card.h: rows of text, and the DOT that shows them as a table.
 *
 * Graphviz reads the table as HTML-like text. A row has three cells: label, value, value; most
 * values take both. Next: view_card.c, which fills a card from a recording.
 */
#include <stdarg.h>
#include <string.h>

#include "tracer/card.h"
#include "tracer/describe.h"
#include "tracer/picture.h"

#define BAR 220 /* points: the longest bar of the costs */

static const struct {
    const char *title, *label, *before, *after;
} sections[CARD_SECTIONS] = {
    [CARD_WHERE] = {"Where the guest was", NULL, NULL, NULL},
    [CARD_WHY] = {"Why it came out", NULL, NULL, NULL},
    [CARD_HANDLED] = {"Who handled it", NULL, NULL, NULL},
    [CARD_REGISTERS] = {"Registers", "", "at the exit", "at the entry after it"},
    [CARD_COST] = {"What it cost", NULL, NULL, NULL},
};

void
card_init(struct card *card)
{
    memset(card, 0, sizeof(*card));
    card->color = picture_groups[GROUP_OTHER].color;
}

static struct card_row *
add_row(struct card *card, enum card_section section, const char *label)
{
    if (card->rows == CARD_ROWS)
        return NULL;
    struct card_row *row = &card->row[card->rows++];
    row->section = section;
    snprintf(row->label, sizeof(row->label), "%s", label);
    describe_clean(row->label);
    return row;
}

static void __attribute__((format(printf, 5, 0)))
add_text(struct card *card, enum card_section section, bool code, const char *label,
         const char *format, va_list list)
{
    struct card_row *row = add_row(card, section, label);

    if (!row)
        return;
    vsnprintf(row->text, sizeof(row->text), format, list);
    describe_clean(row->text);
    row->code = code;
}

void
card_add(struct card *card, enum card_section section, const char *label, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    add_text(card, section, false, label, format, list);
    va_end(list);
}

void
card_add_code(struct card *card, enum card_section section, const char *label, const char *format,
              ...)
{
    va_list list;

    va_start(list, format);
    add_text(card, section, true, label, format, list);
    va_end(list);
}

void
card_add_register(struct card *card, const char *name, const char *before, const char *after)
{
    struct card_row *row = add_row(card, CARD_REGISTERS, name);

    if (!row)
        return;
    snprintf(row->before, sizeof(row->before), "%s", before ? before : "");
    snprintf(row->text, sizeof(row->text), "%s", after ? after : "");
    describe_clean(row->before);
    describe_clean(row->text);
    row->code = true;
    row->changed = before && after && strcmp(before, after);
}

void
card_add_cost(struct card *card, const char *label, uint64_t ns)
{
    struct card_row *row = add_row(card, CARD_COST, label);

    if (!row)
        return;
    describe_time((double)ns, row->text, sizeof(row->text));
    row->ns = ns;
}

/* --- DOT ---------------------------------------------------------------------------------------- */

static void
put_cell(FILE *out, const char *attributes, const char *text, bool code, bool bold)
{
    fprintf(out, "<td align=\"left\"%s>", attributes);
    if (code)
        fprintf(out, "<font face=\"Courier\">");
    if (bold)
        fprintf(out, "<b>");
    picture_text(out, text[0] ? text : " ");
    fprintf(out, "%s%s</td>", bold ? "</b>" : "", code ? "</font>" : "");
}

/* The whole bar is `most` long. A cell has at least one point of width. */
static void
put_bar(FILE *out, uint64_t ns, uint64_t most)
{
    unsigned width = 1 + (unsigned)((BAR - 1) * picture_share(ns, most));

    fprintf(out,
            "<td align=\"left\"><table border=\"0\" cellspacing=\"0\" cellpadding=\"0\"><tr><td "
            "fixedsize=\"true\" width=\"%u\" height=\"9\" bgcolor=\"%s\"></td><td "
            "fixedsize=\"true\" width=\"%u\" height=\"9\"></td></tr></table></td>",
            width, picture_groups[GROUP_CALL].color, BAR + 1 - width);
}

static void
put_row(FILE *out, const struct card_row *row, uint64_t most)
{
    bool reg = row->section == CARD_REGISTERS, cost = row->ns > 0;

    fprintf(out, "<tr>");
    put_cell(out, row->changed ? " bgcolor=\"#fff0c8\"" : "", row->label, reg, row->changed);
    if (reg)
        put_cell(out, row->changed ? " bgcolor=\"#fff0c8\"" : "", row->before, true, false);
    if (reg)
        put_cell(out, row->changed ? " bgcolor=\"#fff0c8\"" : "", row->text, true, row->changed);
    else
        put_cell(out, cost ? "" : " colspan=\"2\"", row->text, row->code, row->changed);
    if (cost)
        put_bar(out, row->ns, most);
    fprintf(out, "</tr>\n");
}

static void
put_section(FILE *out, const struct card *card, enum card_section section)
{
    const char *head = "<tr><td align=\"left\" colspan=\"3\" bgcolor=\"#e8e8e8\"><b>%s</b></td>"
                       "</tr>\n";
    bool open = false;
    uint64_t most = 0;

    for (unsigned i = 0; i < card->rows; i++)
        if (card->row[i].section == section && card->row[i].ns > most)
            most = card->row[i].ns;
    for (unsigned i = 0; i < card->rows; i++) {
        if (card->row[i].section != section)
            continue;
        if (!open)
            fprintf(out, head, sections[section].title);
        if (!open && sections[section].label)
            fprintf(out,
                    "<tr><td></td><td align=\"left\"><font color=\"#555555\">%s</font></td>"
                    "<td align=\"left\"><font color=\"#555555\">%s</font></td></tr>\n",
                    sections[section].before, sections[section].after);
        open = true;
        put_row(out, &card->row[i], most);
    }
}

void
card_print(const struct card *card, FILE *out)
{
    fprintf(out,
            "digraph card {\n"
            "  graph [id=\"card\" fontname=\"Helvetica\" bgcolor=white tooltip=\" \"];\n"
            "  card [shape=plain fontname=\"Helvetica\" fontsize=12 tooltip=\" \" label=<\n"
            "<table border=\"1\" cellborder=\"0\" cellspacing=\"0\" cellpadding=\"4\" "
            "color=\"%s\" bgcolor=\"white\">\n"
            "<tr><td align=\"left\" colspan=\"3\" bgcolor=\"%s\"><font color=\"white\" "
            "point-size=\"16\"><b>",
            card->color, card->color);
    picture_text(out, card->title[0] ? card->title : "an exit");
    fprintf(out, "</b></font></td></tr>\n");
    if (card->subtitle[0]) {
        fprintf(out, "<tr><td align=\"left\" colspan=\"3\"><font color=\"#555555\">");
        picture_text(out, card->subtitle);
        fprintf(out, "</font></td></tr>\n");
    }
    for (unsigned section = 0; section < CARD_SECTIONS; section++)
        put_section(out, card, section);
    fprintf(out, "</table>>];\n}\n");
}
