/*
 * stops.h - breakpoints, watchpoints and catchpoints: the user's list, and which of them is hit.
 *
 * The machine is told of addresses alone (struct stop_point); numbers, conditions, ignore counts,
 * `tbreak` and the commands of a stop live here. Catchpoints stop at edges of exits and at
 * interrupts that are handed over.
 *
 * Called by go.c while the machine moves, and by commands_stops.c. Next: stops.c.
 */
#ifndef HV_DEBUGGER_STOPS_H
#define HV_DEBUGGER_STOPS_H

#include "debugger/debugger.h"

#define STOPS_MAX 256 /* of them; hardware has less */

enum stop_type {
    BREAK_SOFT, /* break: the engine chooses how */
    BREAK_HARD, /* hbreak */
    WATCH_WRITE,
    WATCH_READ,
    WATCH_ACCESS,
    CATCH_EXIT,   /* EDGE_OUT */
    CATCH_ENTRY,  /* EDGE_IN */
    CATCH_INJECT, /* an interrupt */
};

struct stop_entry {
    unsigned number;
    enum stop_type type;
    bool enabled;
    bool once;       /* tbreak, tcatch: deleted when it is hit; `enable once`: disabled */
    bool disable;    /* ... which of the two */
    char *what;      /* as the user typed it */
    char *condition; /* an expression; NULL: none */
    char *commands;  /* lines; NULL: none */
    uint64_t hits, ignore;
    uint64_t address, size; /* breakpoints and watchpoints */
    uint64_t seen;          /* watchpoints of at most 8 bytes: the value at the last stop there */
    bool seen_known;
    uint64_t kinds;     /* catchpoints: bit k: enum trace_kind k */
    bool operand_given; /* ... with this port, address, MSR, vector ... only */
    uint64_t operand;
};

struct stops {
    struct stop_entry *entry[STOPS_MAX];
    unsigned count, last;                   /* the highest number that was given */
    bool changed;                           /* the machine does not know of the present list */
    struct stop_point point[STOPS_MAX + 1]; /* what the machine was given */
    unsigned points;
    struct error note; /* why a condition could not be evaluated; "": it could */
};

struct go;

/* What the machine is asked for so that all enabled stops and the place of `go` count. 0 or -errno
 * from set_points, with its sentence. */
int stops_prepare(struct debugger *debugger, const struct go *go, struct machine_goal *goal,
                  struct error *err);
/*
 * The machine stands where *stop says: which of the user's stops holds it there? NULL: none. Going
 * forwards, hits are counted and ignore counts used up; going back (which asks for more places than
 * it stops at) neither happens.
 */
struct stop_entry *stops_hit(struct debugger *debugger, const struct stop *stop, bool back);
/* It stopped there: deletes or disables what was for once. */
void stops_used(struct stops *stops, struct stop_entry *entry);

/* The new entry, enabled, with the next number; NULL: there are STOPS_MAX or no memory. */
struct stop_entry *stops_add(struct stops *stops, enum stop_type type, const char *what,
                             struct error *err);
/* By its number, or NULL with a sentence. */
struct stop_entry *stops_find(const struct stops *stops, uint64_t number, struct error *err);
void stops_delete(struct stops *stops, struct stop_entry *entry);
void stops_free(struct stops *stops);
const char *stops_type_name(enum stop_type type);

/* `info breakpoints` (commands_stops.c). */
int stops_print(struct debugger *debugger, const char *arguments, struct error *err);

#endif
