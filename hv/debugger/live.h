/*
 * live.h - between the files of the machine that runs: live.c moves it forward, back.c takes it back,
 * look.c looks at it and changes it, history.c keeps its past.
 */
#ifndef HV_DEBUGGER_LIVE_H
#define HV_DEBUGGER_LIVE_H

#include <stdlib.h>

#include "core/journal.h"
#include "debugger/history.h"
#include "debugger/machine.h"
#include "isa/x86/cpu.h"

struct live {
    struct stop_point *point; /* as the user set them */
    unsigned points;
    bool armed;            /* the engine has them */
    bool at_inject;        /* the stop at this interrupt has been reported: hand it over now */
    uint64_t end_position; /* of the recorder, before the event that says how the run ended */
    char *recording;       /* the recorder's file; NULL: none */
    struct journal journal;
    struct x86_cpu *eyes; /* a processor that only looks: for page walks */
};

/* Instructions and waits: what counts as time when a run is to be stopped at a point. */
static inline uint64_t
moment_steps(const struct moment *moment)
{
    return moment->icount + moment->waits;
}

static inline bool
live_counts(const struct machine *machine)
{
    return machine->vm->engine_ops->caps & CAP_ICOUNT;
}

/* How far live_go() may go: never past `until` (NULL: without limit), nor past so many steps. */
struct live_bound {
    const struct moment *until;
    uint64_t steps; /* absolute; 0: without limit */
};

/*
 * Goes forward until a stop that the goal asks for (goal->wanted is asked; goal->instructions is not
 * looked at) or the bound: STOP_DONE. 0, or -errno.
 */
int live_go(struct machine *machine, const struct machine_goal *goal,
            const struct live_bound *bound, struct stop *stop, struct error *err);
/* Forward to that moment and no further: STOP_DONE, STOP_END or STOP_INTERRUPTED. */
int live_go_to(struct machine *machine, const struct moment *moment, struct stop *stop,
               struct error *err);
/* The machine stands elsewhere, by no step of its own. */
void live_moved(struct machine *machine, const struct moment *to);
/* Keeps the registers of this stop for machine->before, and takes up what was interrupted. */
void live_begin(struct machine *machine);
/* The machine stands at an edge: is the instruction that made the exit over? */
bool live_has_ended(struct machine *machine);

/* back.c */
int live_backward(struct machine *machine, const struct machine_goal *goal, struct stop *stop,
                  struct error *err);
int live_seek(struct machine *machine, const struct moment *moment, struct stop *stop,
              struct error *err);

/* look.c */
int live_get_regs(struct machine *machine, struct x86_regs *regs, struct error *err);
int live_set_regs(struct machine *machine, const struct x86_regs *regs, struct error *err);
int live_read(struct machine *machine, enum machine_space space, uint64_t address, void *to,
              size_t size, struct error *err);
int live_write(struct machine *machine, enum machine_space space, uint64_t address,
               const void *from, size_t size, struct error *err);

#endif
