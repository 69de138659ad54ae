/*
 * go.h - lets the machine go until there is something that the user wants to see.
 *
 * Every command that moves the machine ends here, so that breakpoints, watchpoints and catchpoints
 * hold under each of them, forwards and backwards. The order: debugger_go(), then
 * debugger_stopped(), which shows the place and has the stop's own commands executed.
 *
 * Called by commands_step.c, commands_run.c, commands_source.c and the gdb stub. Next: go.c, then
 * stops.h.
 */
#ifndef HV_DEBUGGER_GO_H
#define HV_DEBUGGER_GO_H

#include "debugger/debugger.h"

/* Zeroed: forwards, until one of the user's stops, the end or Ctrl-C. */
struct go {
    bool back;
    uint64_t instructions; /* as machine_goal's: then STOP_DONE */
    unsigned edges;        /* EDGE_*: stop there too, STOP_EDGE ... */
    uint64_t skip_kinds;   /* ... but not at exits of enum trace_kind k, bit k */
    bool own_points_only;  /* the user's stops do not count */
    /* A place of the command's own (nexti, until, finish), NULL: none; STOP_DONE when it is reached. */
    const struct stop_point *place;
    /* Is it really there, at that place or that edge? NULL: yes. It may look at the machine and must
     * not move it. */
    bool (*here)(void *context, struct machine *machine);
    void *context;
};

/* What the guest has put out is written, and a line of it that is not complete is ended. */
void debugger_flush_guest(struct debugger *debugger);
/* Goes. stop->point of a STOP_POINT is then the user's number. 0, or -errno with a sentence. */
int debugger_go(struct debugger *debugger, const struct go *go, struct stop *stop,
                struct error *err);
/* Shows where it stopped; the stop's `commands` are executed after the present command. */
void debugger_stopped(struct debugger *debugger, const struct stop *stop);
/* Both. */
int debugger_go_and_show(struct debugger *debugger, const struct go *go, struct error *err);

#endif
