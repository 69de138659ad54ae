/*
 * strategy.h - how sensitive operations are virtualized.
 *
 * A strategy tells the engine what to intercept and looks at each exit first. What it does not
 * handle goes to the exit table, which asks the devices.
 *
 * This header is an interface: hv/core and its siblings may include it (docs/ARCHITECTURE.md). It is
 * also what a strategy built elsewhere includes: `make install` puts it and the headers that it
 * stands on under PREFIX/include/hv, and docs/PLUGINS.md says which functions of hv may be called.
 */
#ifndef HV_STRATEGY_STRATEGY_H
#define HV_STRATEGY_STRATEGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/state.h"

struct vm;
struct vcpu;
struct run_result;
struct x86_regs;

/*
 * The version of this interface: of struct strategy_ops and of the structures that the installed
 * headers show to a plug-in. A change that an older plug-in would misread makes it one more;
 * plugin.c holds the layouts that this number stands for.
 */
#define STRATEGY_ABI 2u

enum strategy_verdict {
    STRATEGY_PASS,    /* not mine: the exit table handles it */
    STRATEGY_HANDLED, /* done: resume the guest */
    STRATEGY_END,     /* stop the machine; the run_result is filled */
};

struct strategy_ops {
    unsigned abi;        /* STRATEGY_ABI; always the first member */
    const char *name;    /* "hardware", "trap", "paravirt", "ski" */
    const char *summary; /* one line for `hv list` */
    uint32_t needs;      /* CAP_* (engine/engine.h) */

    /* Before the engine opens: claims private memory (core/ram.h). May be NULL. 0 or -errno. */
    int (*prepare)(struct vm *vm, struct error *err);
    /* Before the first entry, with the guest loaded and its registers set. 0 or -errno. */
    int (*attach)(struct vcpu *vcpu, struct error *err);
    void (*detach)(struct vcpu *vcpu);
    /* Looks at vcpu->exit. */
    enum strategy_verdict (*on_exit)(struct vcpu *vcpu, struct run_result *result);

    /*
     * A strategy that keeps the guest's interrupt flag itself (trap, paravirt) takes the engine's
     * place in handing over external interrupts: can the guest take one now, and take it. NULL:
     * the engine does it. can_inject is asked after each exit; no interrupt window is needed,
     * because a guest cannot change such a flag without an exit, or says so. inject: 0, -ESHUTDOWN
     * if the guest met a triple fault on the way to its handler, or another -errno.
     */
    bool (*can_inject)(struct vcpu *vcpu);
    int (*inject)(struct vcpu *vcpu, uint8_t vector, struct error *err);
    /* Is the guest in user mode, as it believes itself? NULL: the processor's CPL says so. */
    bool (*in_user)(struct vcpu *vcpu);
    /* The strategy's own state and counts, a line each, for `info strategy`. May be NULL. */
    void (*describe)(struct vcpu *vcpu, char *text, size_t size);
    /* Says in vcpu->exit what the exit means, before it is counted and recorded: that an exception
     * is this guest's way to make a hypercall. NULL: it is what the engine says. */
    void (*refine)(struct vcpu *vcpu);

    /* The registers as the guest believes to have them, for who looks at it (a debugger). NULL: they
     * are the engine's. 0 or -errno; set_regs: -EINVAL if no processor could be in that state. get_regs
     * changes nothing. After set_regs an exit that was not handled yet must not be: it was another
     * instruction's. CR3 may lie in private memory (ram_page() reads it, ram_read() does not). */
    int (*get_regs)(struct vcpu *vcpu, struct x86_regs *regs, struct error *err);
    int (*set_regs)(struct vcpu *vcpu, const struct x86_regs *regs, struct error *err);
    /* Who looks at the machine is about to write size bytes of guest memory at gpa, within one page: what
     * was derived from them must go. -EPERM with a sentence if they may not be written. NULL: any may. */
    int (*before_write)(struct vcpu *vcpu, uint64_t gpa, size_t size, struct error *err);
    /* Where the strategy's state lies (core/state.h), private memory left out: as in engine.h. NULL:
     * a machine with this strategy cannot be taken back. */
    unsigned (*state)(struct vcpu *vcpu, struct state_part *parts);
    /* It was overwritten. May be NULL. */
    void (*restored)(struct vcpu *vcpu);
};

/* All strategies; ends with NULL (table.c). */
extern const struct strategy_ops *const strategy_table[];
const struct strategy_ops *strategy_find(const char *name);

/* Does this word of the command line name a plug-in, not a row of the table? It has a slash in it or
 * ends in ".so". */
bool strategy_is_path(const char *word);
/* Loads the plug-in in the file path: a shared object that defines `const struct strategy_ops
 * hv_strategy`. It stays loaded until hv ends. NULL with a sentence that says what is wrong. */
const struct strategy_ops *strategy_load(const char *path, struct error *err);

/* Is `needs` within `caps`? 0, or -ENOTSUP with a sentence that names what is missing and which
 * engine has it. */
struct engine_ops;
int strategy_check(const struct strategy_ops *strategy, const struct engine_ops *engine,
                   struct error *err);

#endif
