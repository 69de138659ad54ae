/*
 * machine.h - the machine that is being debugged, as the debugger's commands see it.
 *
 * Two kinds, one interface: a machine that runs (live.c), which can go back if its engine counts
 * instructions, and a recording of one that has ended (postmortem.c), whose exits can be walked
 * both ways. The commands, the gdb stub and the views know only this header.
 *
 * Where the machine is, is a `moment`. Exits are numbered as in the recording. An exit has two
 * edges: EDGE_OUT, it has happened and nobody has dealt with it; EDGE_IN, it was dealt with and the
 * guest is about to go on.
 *
 * Next: live.c, history.h (going back), postmortem.c.
 */
#ifndef HV_DEBUGGER_MACHINE_H
#define HV_DEBUGGER_MACHINE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/exit.h"
#include "core/vm.h"
#include "engine/engine.h"
#include "isa/x86/insn.h"
#include "isa/x86/regs.h"
#include "tracer/read.h"

struct machine;

enum machine_edge {
    EDGE_NONE = 0, /* between two instructions of the guest */
    EDGE_OUT = 1,
    EDGE_IN = 2,
};

/* seek(): any number of waits; `icount` alone says where. */
#define MOMENT_ANY UINT64_MAX
struct moment {
    uint64_t exits;  /* how many have happened: the number of the last one */
    uint64_t icount; /* instructions retired since power-on; 0 where the engine cannot count */
    uint64_t waits;  /* struct vm */
    enum machine_edge edge;
};
/* < 0: a is earlier than b; 0: the same; > 0: later. */
int moment_compare(const struct moment *a, const struct moment *b);

enum stop_why {
    STOP_DONE,        /* what was asked for is done: so many instructions, that moment */
    STOP_EDGE,        /* an edge of an exit */
    STOP_POINT,       /* stop point `point`; `address`: what was accessed (watch points) */
    STOP_INJECT,      /* an interrupt, `point` is its vector, is about to be handed to the guest */
    STOP_INTERRUPTED, /* machine_interrupt(), or Ctrl-A x was typed at the guest's terminal */
    STOP_BEGINNING,   /* going back came to where the machine was switched on */
    STOP_END,         /* the machine has ended: machine->result says how */
};
struct stop {
    enum stop_why why;
    unsigned point;
    uint64_t address;
};

/* How far to go. Zeroed: until the machine ends or is interrupted. */
struct machine_goal {
    uint64_t
        instructions; /* stop after so many; 0: however many. Needs CAP_ICOUNT unless it is 1 */
    unsigned edges;   /* EDGE_* | ...: at which edges of exits to stop */
    bool injects;     /* stop at each interrupt that is handed over */
    bool points;      /* stop at the points that set_points() was given */
    /* Stop here? Asked for each STOP_EDGE, STOP_POINT and STOP_INJECT, with the machine standing
     * there. NULL: yes. It may look at the machine, and must not move it. */
    bool (*wanted)(void *context, struct machine *machine, const struct stop *stop);
    void *context;
};

enum machine_space { SPACE_LINEAR, SPACE_PHYSICAL };

struct machine_ops {
    const char *name; /* "live", "recording" */
    /* Towards the end, or towards the beginning. Going back finds the last stop *before* now, at
     * the same moments at which going forward would have stopped. 0, or -errno with a sentence;
     * -ENOTSUP: this machine cannot (then what to use instead). */
    int (*forward)(struct machine *, const struct machine_goal *, struct stop *, struct error *);
    int (*backward)(struct machine *, const struct machine_goal *, struct stop *, struct error *);
    /* To that very moment, which lies in the past or ahead: EDGE_OUT and EDGE_IN by `exits`,
     * EDGE_NONE by `icount` and `waits`: the first at which so many have gone by. -ERANGE: the
     * machine ends before. */
    int (*seek)(struct machine *, const struct moment *, struct stop *, struct error *);

    /* The registers, as the guest believes to have them. A recording knows rip alone: -ENODATA. */
    int (*get_regs)(struct machine *, struct x86_regs *, struct error *);
    /* Changing anything makes what lay ahead untrue: it is forgotten. */
    int (*set_regs)(struct machine *, const struct x86_regs *, struct error *);
    /* Memory as the guest sees it at its present CR3; no permission is checked, nothing is changed,
     * no device is asked. -EFAULT with the first address that is not mapped or has no memory. */
    int (*read)(struct machine *, enum machine_space, uint64_t address, void *to, size_t size,
                struct error *);
    int (*write)(struct machine *, enum machine_space, uint64_t address, const void *from,
                 size_t size, struct error *);
    /* Replaces all stop points; copied. As engine_ops.set_stops. */
    int (*set_points)(struct machine *, const struct stop_point *, unsigned count, struct error *);
    void (*close)(struct machine *);
};

struct history;
struct symbols;

struct machine {
    const struct machine_ops *ops;
    const char *engine, *strategy; /* names */
    struct vm *vm;                 /* NULL: a recording */
    struct vcpu *vcpu;
    struct trace *trace;     /* a recording, opened; NULL: live. See machine_trace() */
    struct symbols *symbols; /* of the guest's file; may be NULL. Owned by who opened the machine */
    struct moment now;
    uint64_t exits_seen; /* the highest exit number so far: what lies ahead up to it is known */
    struct vm_exit exit; /* the exit that now.edge belongs to, or the last one */
    bool ended;          /* going forward is not possible: result says why */
    struct run_result result; /* valid if ended */
    struct x86_regs before;   /* at the stop before this one: what changed since */
    bool before_known;
    struct history *history;           /* live, with an engine that counts; else NULL */
    void *own;                         /* of live.c or postmortem.c */
    volatile sig_atomic_t interrupted; /* set by machine_interrupt() */
};

/* --- live.c ---------------------------------------------------------------------------------- */

/*
 * Takes over a machine that is ready to run (vm, with its strategy attached and nothing run). path:
 * where vm->recorder writes, for machine_trace(); NULL: not recording. 0 or -errno. The vm stays the
 * caller's.
 */
int machine_open_live(struct machine *machine, struct vm *vm, const char *recording,
                      struct error *err);

/* --- postmortem.c ------------------------------------------------------------------------------ */

/* A recording, opened with trace_open(); it stays the caller's. symbols: of its guest's file, for
 * reading the program's text; may be NULL. */
int machine_open_recording(struct machine *machine, struct trace *trace, struct symbols *symbols,
                           struct error *err);

/* --- machine.c: the same for both --------------------------------------------------------------- */

void machine_close(struct machine *machine);
/* The user wants the machine to stop. Async-signal-safe: whatever goes on, or the next movement, stops
 * soon with STOP_INTERRUPTED. */
void machine_interrupt(struct machine *machine);
/* The same, but it is not the user who asks (vm->asked). */
void machine_disturb(struct machine *machine);
/* It has stopped, or is to go on: an interruption that nothing has stopped for yet is forgotten, but
 * not that the user asked. */
void machine_resume(struct machine *machine);
/* That too: the user has the next word anyway. */
void machine_forget_interrupt(struct machine *machine);

/* The recording so far, opened for reading, for statistics and pictures: of a recording itself; of a
 * live machine up to the furthest exit. *close tells whether the caller must trace_close() it.
 * 0 or -errno. */
int machine_trace(struct machine *machine, struct trace *trace, struct trace **out, bool *close,
                  struct error *err);
/* The event of exit `number`, with its entry if it has one (else entry->kind is TRACE_END).
 * -ENOENT with a sentence. */
int machine_find_exit(struct machine *machine, uint64_t number, struct trace_event *exit,
                      struct trace_event *entry, struct error *err);

/* What a recording keeps of an exit (tracer/event.h). */
void machine_exit_of_event(struct vm_exit *exit, const struct trace_event *event);

/* Types at the guest's serial line: the bytes come in as fast as the guest takes them, from now on.
 * -ENOTSUP for a recording or a guest without one. */
int machine_type(struct machine *machine, const void *bytes, size_t size, struct error *err);

/* Can it go back? If not, *why is a sentence that says what to use instead. */
bool machine_can_go_back(const struct machine *machine, const char **why);

/* Has it stopped before an interrupt that is about to be handed over (STOP_INJECT), and not moved since?
 * A recording never has. */
bool machine_at_inject(const struct machine *machine);

/* Of the code that runs: 2, 4 or 8 bytes. A recording does not know, but the guest's file may say. */
unsigned machine_code_size(struct machine *machine);
/* The bytes of an instruction: as many as are there, at most X86_INSN_MAX. 0 with a sentence. */
unsigned machine_fetch(struct machine *machine, enum machine_space space, uint64_t address,
                       uint8_t bytes[X86_INSN_MAX], struct error *err);

/* Translates a linear address as the guest's tables do now: -EFAULT if it is not mapped. */
int machine_translate(struct machine *machine, uint64_t linear, uint64_t *physical,
                      struct error *err);

#endif
