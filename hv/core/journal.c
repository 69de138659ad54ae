/*
 * journal.c - input and waits of a run, kept so that it can be repeated. See journal.h.
 *
 * Called by run.c and the debugger.
 */
#include <stdlib.h>

#include "core/journal.h"

/* Does (icount, waits) lie before (icount2, waits2)? Both only grow. */
static bool
before(uint64_t icount, uint64_t waits, uint64_t icount2, uint64_t waits2)
{
    return icount < icount2 || (icount == icount2 && waits < waits2);
}

bool
journal_replays(const struct journal *journal, uint64_t icount, uint64_t waits)
{
    return journal && (journal->at < journal->count ||
                       before(icount, waits, journal->until_icount, journal->until_waits));
}

const struct journal_entry *
journal_next(const struct journal *journal, uint64_t icount, uint64_t waits)
{
    const struct journal_entry *next;

    if (!journal || journal->at == journal->count)
        return NULL;
    next = &journal->entry[journal->at];
    return next->icount == icount && next->waits == waits ? next : NULL;
}

void
journal_add(struct journal *journal, struct journal_entry entry)
{
    if (journal->count == journal->room) {
        size_t room = journal->room ? journal->room * 2 : 256;
        struct journal_entry *more = realloc(journal->entry, room * sizeof(*more));
        if (!more) {
            journal->incomplete = true;
            return;
        }
        journal->entry = more;
        journal->room = room;
    }
    journal->entry[journal->count++] = entry;
    journal->at = journal->count;
}

void
journal_reached(struct journal *journal, uint64_t icount, uint64_t waits)
{
    if (before(journal->until_icount, journal->until_waits, icount, waits)) {
        journal->until_icount = icount;
        journal->until_waits = waits;
    }
}

void
journal_forget_future(struct journal *journal, uint64_t icount, uint64_t waits)
{
    journal->count = journal->at;
    journal->until_icount = icount;
    journal->until_waits = waits;
}

void
journal_free(struct journal *journal)
{
    free(journal->entry);
    *journal = (struct journal){0};
}
