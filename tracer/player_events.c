/*
 * player_events.c - the player's events, as columns of numbers and tables of texts.
 *
 * An event takes about ten bytes: the same operands, addresses and names come again and again, and
 * the page has each of them once. Called by player.c. Next: json.h, tracer/player/data.js, which
 * unpacks it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/card.h"
#include "tracer/describe.h"
#include "tracer/player_own.h"

static int
add_text(struct player *p, const char *text, uint32_t *row)
{
    uint32_t before = p->texts.count;

    *row = texts_add(&p->texts, text);
    if (*row == TEXTS_NONE)
        return -ENOMEM;
    if (p->texts.count > before)
        p->texts_size += json_text_size(text);
    return 0;
}

/* --- places ------------------------------------------------------------------------------------- */

/* The instruction at an exit: what view.h's card adds to "where". */
static int
add_code(struct player *p, struct player_place *place, const struct trace_event *e)
{
    const struct view_options *o = &p->options->view;
    struct card *card = o->card ? malloc(sizeof(*card)) : NULL;
    const char *label = "", *code = "";

    if (o->card && !card)
        return -ENOMEM;
    if (card) {
        card_init(card);
        o->card(o->context, card, e);
        if (card->rows && card->row[0].section == CARD_WHERE)
            label = card->row[0].label, code = card->row[0].text;
    }
    int rc = add_text(p, label, &place->label);
    if (rc == 0)
        rc = add_text(p, code, &place->code);
    free(card);
    return rc;
}

static int
name_place(struct player *p, struct player_place *place, const struct trace_event *e)
{
    const struct view_options *o = &p->options->view;
    bool exit = p->trace->kind[e->kind].class == TRACE_CLASS_EXIT;
    char symbol[CARD_TEXT] = "";

    place->file = -1;
    if (p->places > PLAYER_NAMED)
        return 0;
    if (o->resolve)
        o->resolve(o->context, e->rip, symbol, sizeof(symbol));
    place->file = player_touch_line(p, e->rip, &place->line);
    int rc = add_text(p, symbol, &place->symbol);
    return rc == 0 && exit ? add_code(p, place, e) : rc;
}

static uint32_t
find_place(const struct player *p, uint64_t rip, bool kernel)
{
    uint64_t hash = (rip ^ kernel) * 0x9e3779b97f4a7c15u;
    uint32_t at = (uint32_t)(hash >> 32) & (p->place_slots - 1);

    for (; p->place_index[at]; at = (at + 1) & (p->place_slots - 1)) {
        const struct player_place *place = &p->place[p->place_index[at] - 1];
        if (place->rip == rip && place->kernel == kernel)
            break;
    }
    return at;
}

/* At most half of the slots are used: there is always a free one. */
static int
grow_places(struct player *p)
{
    uint32_t slots = p->place_slots ? 2 * p->place_slots : 1024;
    struct player_place *place = realloc(p->place, slots / 2 * sizeof(*place));

    if (!place)
        return -ENOMEM;
    p->place = place;
    uint32_t *index = calloc(slots, sizeof(*index));
    if (!index)
        return -ENOMEM;
    free(p->place_index);
    p->place_index = index;
    p->place_slots = slots;
    p->places_room = slots / 2;
    for (uint32_t i = 0; i < p->places; i++)
        p->place_index[find_place(p, p->place[i].rip, p->place[i].kernel)] = i + 1;
    return 0;
}

/* Only where the guest itself was is a place: an entry's address is that of its exit. */
static int
add_place(struct player *p, const struct trace_event *e, uint32_t *row)
{
    enum trace_class class = p->trace->kind[e->kind].class;
    bool kernel = e->from == TRACE_ACTOR_GUEST_KERNEL;

    *row = 0;
    if (class != TRACE_CLASS_EXIT && class != TRACE_CLASS_GUEST)
        return 0;
    if (p->places == p->places_room && grow_places(p))
        return -ENOMEM;
    uint32_t at = find_place(p, e->rip, kernel);
    *row = p->place_index[at];
    if (*row)
        return 0;
    struct player_place *place = &p->place[p->places++];
    *place = (struct player_place){.rip = e->rip, .kernel = kernel};
    *row = p->place_index[at] = p->places;
    return name_place(p, place, e);
}

/* --- events ------------------------------------------------------------------------------------- */

/* About the size of all that player_print_events() writes. */
static uint64_t
size_so_far(const struct player *p)
{
    uint64_t size = p->texts_size + 48 * (uint64_t)p->places;

    for (unsigned i = 0; i < COLUMN_COUNT; i++)
        size += p->column[i].used / 3 * 4;
    return size;
}

int
player_add(struct player *p, const struct trace_event *e, uint64_t exit)
{
    const struct view_options *o = &p->options->view;
    bool is_exit = p->trace->kind[e->kind].class == TRACE_CLASS_EXIT;
    char text[DESCRIBE_SIZE];
    uint32_t place, row;

    if ((is_exit && (p->events >= PLAYER_EVENTS || size_so_far(p) >= PLAYER_BYTES)) ||
        p->events >= 2 * PLAYER_EVENTS || size_so_far(p) >= PLAYER_BYTES + PLAYER_BYTES / 16)
        p->full = true; /* after a whole exit, unless one has more events than any should have */
    if (p->full)
        return 0;
    describe_transfer(p->trace, e, o->name, text, sizeof(text));
    if (add_place(p, e, &place) || add_text(p, text, &row))
        return -ENOMEM;
    const uint64_t number[COLUMN_COUNT] = {
        [COLUMN_KIND] = e->kind, [COLUMN_FROM] = e->from, [COLUMN_TO] = e->to,
        [COLUMN_VCPU] = e->vcpu, [COLUMN_PLACE] = place,  [COLUMN_TEXT] = row,
    };
    int rc = json_column_add_delta(&p->column[COLUMN_TIME], o->no_times ? 0 : e->time);
    if (rc == 0)
        rc = json_column_add_delta(&p->column[COLUMN_ICOUNT], e->icount);
    for (unsigned i = COLUMN_KIND; i < COLUMN_COUNT && rc == 0; i++)
        rc = json_column_add(&p->column[i], number[i]);
    p->events++;
    p->last = exit;
    if (!p->first)
        p->first = exit;
    return rc;
}

void
player_free(struct player *p)
{
    for (unsigned i = 0; i < COLUMN_COUNT; i++)
        json_column_free(&p->column[i]);
    texts_free(&p->texts);
    free(p->place);
    free(p->place_index);
    free(p->file);
    memset(p, 0, sizeof(*p));
}

void
player_print_events(const struct player *p, FILE *out)
{
    static const char *const names[COLUMN_COUNT] = {"time", "icount", "kind",  "from",
                                                    "to",   "vcpu",   "place", "text"};

    fprintf(out, "\"places\":[");
    for (uint32_t i = 0; i < p->places; i++) {
        const struct player_place *place = &p->place[i];
        fprintf(out, "%s[\"0x%" PRIx64 "\",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%d,%d]",
                i ? ",\n" : "\n", place->rip, place->symbol, place->label, place->code, place->file,
                place->line);
    }
    fprintf(out, "],\n\"texts\":[");
    for (uint32_t i = 0; i < p->texts.count; i++) {
        fputs(i ? ",\n" : "\n", out);
        json_text(out, p->texts.text[i]);
    }
    fprintf(out, "],\n\"columns\":{");
    for (unsigned i = 0; i < COLUMN_COUNT; i++) {
        fprintf(out, "%s\"%s\":", i ? ",\n" : "\n", names[i]);
        json_column_print(out, &p->column[i]);
    }
    fprintf(out, "}");
}
