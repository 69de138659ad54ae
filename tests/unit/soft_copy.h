/*
 * soft_copy.h - the plainest snapshot of a machine: core/state.h word by word, without any cleverness.
 * Used by the tests of state (soft_state.c).
 */
#ifndef TESTS_UNIT_SOFT_COPY_H
#define TESTS_UNIT_SOFT_COPY_H

#include "core/bus.h"
#include "core/state.h"
#include "core/vm.h"

struct machine_copy {
    struct state_part part[2 * STATE_PARTS + BUS_DEVICES]; /* .at: where it belongs */
    unsigned parts;
    uint8_t *bytes, *ram, *private_ram;
    struct vcpu vcpu;
    struct vm vm;
};

void copy_take(struct machine_copy *s, struct vm *vm);
/* How many pages differ from the snapshot without having been marked since: must be 0. */
unsigned copy_unmarked(const struct machine_copy *s, const struct vm *vm);
void copy_restore(const struct machine_copy *s, struct vm *vm);
void copy_free(struct machine_copy *s);
/* A hash of the machine as it is: all that is not derived. */
uint64_t copy_hash(struct vm *vm);

#endif
