/*
 * trap.h - classical trap-and-emulate: the guest's kernel, unmodified, at CPL 3.
 *
 * The three parts of a VMM (Popek & Goldberg 1974) are files: the dispatcher (dispatcher.c)
 * decodes why the guest trapped; the interpreter is hv/isa/x86 on a second processor, the guest's
 * *virtual* one; the allocator is the bus for devices, and shadow.c for memory.
 *
 * Two processors, one guest. The virtual processor is what the guest believes to have: CPL 0, its
 * own CR3, IDT, MSRs, interrupt flag. The real one runs the guest's instructions at CPL 3 on
 * shadow page tables. Before an entry the real one is made from the virtual one (trap_enter);
 * after an exit the little that the guest can change by itself is read back (trap_sync).
 *
 * Next: trap.c, dispatcher.c, shadow.c.
 */
#ifndef HV_STRATEGY_TRAP_TRAP_H
#define HV_STRATEGY_TRAP_TRAP_H

#include "core/vm.h"
#include "isa/x86/cpu.h"
#include "strategy/strategy.h"
#include "strategy/trap/shadow.h"

/* Why the guest trapped, as the dispatcher decided. */
enum trap_cause {
    TRAP_PRIVILEGED, /* a privileged or otherwise faulting instruction was interpreted */
    TRAP_PTEMOD,     /* a write to a page table of the guest's */
    TRAP_FILL,       /* a shadow entry was missing */
    TRAP_DEVICE,     /* memory that is a device's */
    TRAP_REFLECTED,  /* the guest's own fault: handed to its kernel */
    TRAP_CAUSES,
};

struct trap {
    struct vcpu *vcpu;
    struct x86_cpu cpu; /* the virtual processor */
    struct shadow shadow;
    bool synced;          /* cpu.r holds what the real processor had at the last exit */
    uint8_t shadow_actor; /* shadow paging, in the recording */
    uint64_t rules;       /* access_rules() that the shadows were made under */
    uint64_t causes[TRAP_CAUSES];
    uint64_t interrupts;
};

static inline struct trap *
trap_of(struct vcpu *vcpu)
{
    return vcpu->strategy_state;
}

/* Reads back what the guest changed since the last entry. 0 or -errno. */
int trap_sync(struct trap *trap, struct error *err);
/* Loads the real processor from the virtual one: the guest may run. 0 or -errno. */
int trap_enter(struct trap *trap, struct error *err);
/* The shadow that belongs to the virtual processor's present mode. */
enum shadow_view trap_view(const struct trap *trap);

/* dispatcher.c: deals with vcpu->exit, an EXCEPTION, on the virtual processor (synced before,
 * entered after by the caller). False: *result says how the machine ends. */
bool trap_dispatch(struct trap *trap, struct run_result *result);
/* Carries on with what x86_deliver_fault, _interrupt or x86_emulate_one returned on the virtual
 * processor until the guest can run again. False: as above. */
bool trap_finish(struct trap *trap, int emu, struct run_result *result);

#endif
