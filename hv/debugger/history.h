/*
 * history.h - going back in time: snapshots of the machine, and running again from them.
 *
 * A snapshot is the state of processor, devices, strategy and run loop (core/state.h), and the pages
 * that have changed since the snapshot before (copy on write). To reach an earlier moment, the
 * nearest snapshot before it is put back and the guest runs from there, with what was typed taken
 * from the journal (core/journal.h). On an engine that counts instructions that is exact.
 *
 * Snapshots lie close together near the present and further apart in the past, so that a step back
 * costs milliseconds and memory stays below a bound.
 *
 * Called by live.c, back.c and look.c. Next: history.c.
 */
#ifndef HV_DEBUGGER_HISTORY_H
#define HV_DEBUGGER_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "debugger/machine.h"

/* For `info checkpoints`. */
struct history_figures {
    unsigned snapshots;
    uint64_t bytes, limit; /* the pages of the first one included */
    struct moment first, last;
};

/* For an engine that counts instructions and, as its strategy, says where its state lies. 0 or
 * -ENOMEM. */
int history_open(struct history **out, struct machine *machine, struct error *err);
void history_close(struct history *history);

/* The machine stands at a moment where a snapshot can be taken (EDGE_NONE or EDGE_IN): take one if
 * one is due. Cheap if not. */
void history_visit(struct history *history);
/* How many more instructions until one is due. */
uint64_t history_due(const struct history *history);
/* Puts back the last snapshot from which a run comes to `moment`; sets machine->now. -ERANGE: for want
 * of memory the past does not reach back so far. */
int history_restore(struct history *history, const struct moment *moment, struct error *err);
/* The beginning, as far as it is remembered. */
void history_restore_first(struct history *history);
/* Would that spare a long way, from now on forward? */
bool history_is_nearer(const struct history *history, const struct moment *moment);
/* Puts back the last snapshot that is earlier than `moment`; -ENOENT: there is none. */
int history_restore_before(struct history *history, const struct moment *moment);
/* Drops what is later than now. */
void history_forget_future(struct history *history);

/*
 * The user has changed the machine, here and now: what is later is dropped, and the machine as it is
 * now is kept for good. A run that has gone back and comes here again takes it up from there: it
 * would else be the run without the change. history_next_change(): where that is next, or NULL;
 * history_cross_change(): if it is here.
 */
int history_changed(struct history *history, struct error *err);
const struct moment *history_next_change(const struct history *history);
void history_cross_change(struct history *history);
/* For tests: how close together snapshots are taken, in instructions, and how many bytes of memory they
 * may take, but for the pages of the first. */
void history_set_step(struct history *history, uint64_t steps);
void history_set_limit(struct history *history, uint64_t bytes);
void history_figures(const struct history *history, struct history_figures *figures);

/* A hash of everything that a snapshot holds (FNV-1a or better, 64 bits): equal machines, equal
 * hashes. Caches (TLB, decoded instructions) are left out. */
uint64_t machine_hash(struct machine *machine);

#endif
