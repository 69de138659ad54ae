/*
 * player_own.h - what the files of the player share: the recording in the form that the page has.
 *
 * Next: player_events.c, which fills it.
 */
#ifndef TRACER_PLAYER_OWN_H
#define TRACER_PLAYER_OWN_H

#include "tracer/json.h"
#include "tracer/player.h"
#include "tracer/texts.h"

#define PLAYER_NAMED 65536 /* places whose names are asked for; others have their address alone */
#define PLAYER_FILES 256
#define PLAYER_LINES 4096 /* of one file that are touched */

/* What is known of each event, one column each. */
enum player_column {
    COLUMN_TIME,   /* delta, ns */
    COLUMN_ICOUNT, /* delta */
    COLUMN_KIND,
    COLUMN_FROM,
    COLUMN_TO,
    COLUMN_VCPU,
    COLUMN_PLACE, /* row of places + 1; 0: it has none */
    COLUMN_TEXT,  /* row of texts: its operands */
    COLUMN_COUNT
};

/* An address at which the guest came out. */
struct player_place {
    uint64_t rip;
    bool kernel;     /* the guest's kernel was there, not one of its programs */
    uint32_t symbol; /* rows of texts: what the address is called, */
    uint32_t label;  /* ... and the instruction there, with what to say of it */
    uint32_t code;
    int file, line; /* row of files; -1: not known */
};

struct player_file {
    const char *name;
    int lines, line[PLAYER_LINES]; /* that are touched, each once */
};

struct player {
    const struct trace *trace;
    const struct player_options *options;
    struct json_column column[COLUMN_COUNT];
    struct texts texts;
    uint64_t texts_size; /* as JSON */
    struct player_place *place;
    uint32_t places, places_room;
    uint32_t *place_index; /* place + 1 by its hash: open addressing */
    uint32_t place_slots;  /* 0 or a power of two */
    struct player_file *file;
    int files;
    uint64_t events, first, last; /* on the page; exits, 0: none */
    bool full;
};

/* Takes the next event, unless the page is full. 0 or -ENOMEM. */
int player_add(struct player *player, const struct trace_event *event, uint64_t exit);
void player_free(struct player *player);
/* "places":...,"texts":...,"columns":... */
void player_print_events(const struct player *player, FILE *out);

/* player_source.c. Notes that the line of an address is to be shown. The row of its file, and
 * *line; -1: not known. */
int player_touch_line(struct player *player, uint64_t rip, int *line);
/* "files":... */
void player_print_source(const struct player *player, FILE *out);

#endif
