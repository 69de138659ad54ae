/*
 * snapshot.h - the plainest snapshot of a machine: core/state.h word by word, without any cleverness.
 * Used by the tests of state (soft_state.c).
 */
#ifndef TESTS_UNIT_SNAPSHOT_H
#define TESTS_UNIT_SNAPSHOT_H

#include "core/bus.h"
#include "core/state.h"
#include "core/vm.h"

struct snapshot {
    struct state_part part[2 * STATE_PARTS + BUS_DEVICES]; /* .at: where it belongs */
    unsigned parts;
    uint8_t *bytes, *ram, *private_ram;
    struct vcpu vcpu;
    struct vm vm;
};

void snapshot_take(struct snapshot *s, struct vm *vm);
/* How many pages differ from the snapshot without having been marked since: must be 0. */
unsigned snapshot_unmarked(const struct snapshot *s, const struct vm *vm);
void snapshot_restore(const struct snapshot *s, struct vm *vm);
void snapshot_free(struct snapshot *s);
/* A hash of the machine as it is: all that is not derived. */
uint64_t snapshot_hash(struct vm *vm);

#endif
