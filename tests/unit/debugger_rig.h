/*
 * debugger_rig.h - a machine under the debugger, with snapshots close together: for the tests of
 * going back and of what a snapshot has.
 */
#ifndef TESTS_UNIT_DEBUGGER_RIG_H
#define TESTS_UNIT_DEBUGGER_RIG_H

#include "cli/launch.h"
#include "debugger/machine.h"

struct subject {
    const char *guest, *strategy, *append;
    const char *type; /* typed at exit type_at */
    uint64_t type_at;
};

struct rig {
    struct launch launch;
    struct machine machine;
    char trace[64];
    struct error err;
};

/* Engine soft, recording, its console's output kept. */
void rig_open(struct rig *rig, const struct subject *subject);
void rig_close(struct rig *rig);
/* To that very moment. */
void rig_seek(struct rig *rig, const struct moment *to);
/* What the subject types, at its moment. */
void rig_type(struct rig *rig, const struct subject *subject);
/* Until the guest powers off. */
void rig_run_to_end(struct rig *rig);

#endif
