/*
 * state.h - where the state of a machine lies, for those who copy it: snapshots, and reverse
 * execution by them.
 *
 * Who has state says where: plain memory that neither moves nor is allocated anew while the machine
 * exists. A snapshot copies the pieces; to go back they are overwritten, and their owner is told.
 * Pointers within the pieces stay valid, because a snapshot is for this process alone.
 */
#ifndef HV_CORE_STATE_H
#define HV_CORE_STATE_H

#include <stddef.h>

struct state_part {
    void *at;
    size_t size; /* bytes */
};

/* At most so many pieces from one owner. */
#define STATE_PARTS 16

#endif
