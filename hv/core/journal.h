/*
 * journal.h - what came into the machine from outside, and when: all that a counted run needs to be
 * repeated.
 *
 * On an engine that counts instructions a run is determined by the machine and by this: the bytes
 * that were typed, and how long HLT really waited while somebody could type. The run loop writes both
 * here; when the debugger has gone back it takes them from here, at the same points, until the run
 * is where it had been. Points are (retired instructions, waits in HLT).
 *
 * Called by run.c; owned by the debugger (hv/debugger). Next: run.c.
 */
#ifndef HV_CORE_JOURNAL_H
#define HV_CORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum journal_what {
    JOURNAL_BYTE,  /* value: typed */
    JOURNAL_WAIT,  /* value: guest time, ns, at which HLT's wait ended */
    JOURNAL_AWAKE, /* the same, because something was typed */
};

struct journal_entry {
    uint64_t icount, waits, value;
    enum journal_what what;
};

struct journal {
    struct journal_entry *entry;
    size_t count, room;
    size_t at; /* the next to be repeated */
    /* The run has been as far as this: before it nothing new comes in. */
    uint64_t until_icount, until_waits;
    bool incomplete; /* no memory for an entry: the run cannot be repeated */
};

/* Is this point in the past, so that what comes in is in the journal? */
bool journal_replays(const struct journal *journal, uint64_t icount, uint64_t waits);
/* The next entry, if it belongs to this point; else NULL. The caller takes it by at++. */
const struct journal_entry *journal_next(const struct journal *journal, uint64_t icount,
                                         uint64_t waits);
/* Something has come in: the last entry. */
void journal_add(struct journal *journal, struct journal_entry entry);
/* The run is here now. */
void journal_reached(struct journal *journal, uint64_t icount, uint64_t waits);
/* What lies ahead will not happen: somebody changed the machine here. */
void journal_forget_future(struct journal *journal, uint64_t icount, uint64_t waits);
void journal_free(struct journal *journal);

#endif
