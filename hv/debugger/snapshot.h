/*
 * snapshot.h - one moment of a machine, kept. history.c has a chain of them, in order of time.
 *
 * All state but memory is copied, in chunks of which those that did not change are shared with the
 * snapshot before. Of memory a snapshot has the pages that were written since the one before: a
 * page of snapshot n is the copy in the last of snapshots 0 ... n that has one; none has: zeros.
 *
 * Next: snapshot.c.
 */
#ifndef HV_DEBUGGER_SNAPSHOT_H
#define HV_DEBUGGER_SNAPSHOT_H

#include "debugger/machine.h"

struct snapshot_chunk {
    unsigned refs, size;
    uint8_t bytes[];
};

/* Pages are numbered: those of RAM, then those of private memory. */
struct snapshot_page {
    uint32_t number;
    uint8_t *bytes; /* PAGE_SIZE; NULL: zeros */
};

struct snapshot {
    struct moment now;
    uint64_t recorded; /* position of the recorder */
    bool changed;      /* the user changed the machine here: what was before does not lead to it */
    struct state_part *part;
    unsigned parts;
    struct snapshot_chunk **chunk;
    unsigned chunks;
    struct snapshot_page *page; /* sorted by number */
    unsigned pages;
};

/* Copies the machine as it is, and takes the marks of written pages away. before: the snapshot before
 * it, or NULL. *bytes is counted up by what it takes. NULL: no memory. */
struct snapshot *snapshot_take(struct machine *machine, const struct snapshot *before,
                               uint64_t *bytes);
/* Frees it; *bytes is counted down. */
void snapshot_free(struct snapshot *snapshot, uint64_t *bytes);
/* Moves its pages to the one behind it, which now follows the one before. 0 or -ENOMEM. */
int snapshot_merge(struct snapshot *from, struct snapshot *to, uint64_t *bytes);

/* What its copies of pages take. */
uint64_t snapshot_page_bytes(const struct snapshot *snapshot);

/* How many pages of both kinds there are, and where one lies. */
uint32_t snapshot_page_count(const struct machine *machine);
uint8_t *snapshot_page_at(const struct machine *machine, uint32_t number);
/* Was it written since the marks were last taken away? */
bool snapshot_page_dirty(const struct machine *machine, uint32_t number);

/* Puts all but memory back, and tells everybody. Memory must be back already. */
void snapshot_put_state(struct machine *machine, const struct snapshot *snapshot);

#endif
