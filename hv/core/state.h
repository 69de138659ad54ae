/*
 * state.h - where the state of a machine lies, for those who copy it: snapshots, and reverse
 * execution by them.
 *
 * Who has state says where: plain memory that neither moves nor is allocated anew while the machine
 * exists. A snapshot copies the pieces; to go back they are overwritten, and their owner is told.
 * Pointers within the pieces stay valid, because a snapshot is for this process alone.
 *
 * Pieces may be large (some MiB) and mostly unchanged since the last snapshot, and how long one is
 * may differ from one call to the next: what goes back is what the call for that snapshot said.
 *
 * An exact snapshot of a machine, taken between two exits, is
 *   1. engine_ops.state and strategy_ops.state;
 *   2. each device of vm->bus: device_ops.state, if it has one; not the levels of wires, which
 *      each device drives anew in restored();
 *   3. the run loop's: of struct vcpu all but vm, engine, strategy_state and watches; of struct vm power,
 *      power_status, next_device, next_known, next_input, waits, exits, exits_by_kind; of struct
 *      bus unclaimed; where the journal is (icount and waits say so);
 *   4. the pages of RAM and of private memory that ram_track() has marked since the last one
 *      (core/ram.h), and then ram_clean().
 * To go back: overwrite all of it, pages too, and only then ram_clean(), engine_ops.restored,
 * strategy_ops.restored, each device's restored (those that are there), with vm->recorder NULL: wires
 * move. Guest output and the recording are not undone by it. tests/unit/soft_copy.c is just this.
 */
#ifndef HV_CORE_STATE_H
#define HV_CORE_STATE_H

#include <stdbool.h>
#include <stddef.h>

struct state_part {
    void *at;
    size_t size;  /* bytes */
    bool derived; /* copied, but not compared or hashed: caches, scratch, addresses of the host */
};

/* At most so many pieces from one owner. */
#define STATE_PARTS 16

/* What lies in [from, to): some members of a struct. */
static inline struct state_part
state_between(void *from, void *to, bool derived)
{
    return (struct state_part){from, (size_t)((char *)to - (char *)from), derived};
}

#endif
