/*
 * paravirt.h - strategy paravirt: a kernel that knows of the VMM, at CPL 3, and the state that the
 * VMM keeps of it. docs/HYPERCALLS.md is the interface that all of this serves.
 *
 * There is one processor here, and no interpreter: the kernel never needs an instruction carried
 * out. `regs` is what the kernel and its programs see; an entry makes the real registers of it
 * (strategy/deprivilege.c), an exit reads back what they changed.
 *
 * Next: paravirt.c (exits), hypercalls.c (the table), traps.c, events.c, memory.c, frames.c.
 */
#ifndef HV_STRATEGY_PARAVIRT_PARAVIRT_H
#define HV_STRATEGY_PARAVIRT_PARAVIRT_H

#include "core/state.h"
#include "core/vm.h"
#include "guests/include/hypercall.h"
#include "isa/x86/regs.h"
#include "strategy/paravirt/frames.h"

#define NO_FRAME UINT64_MAX

/* Events that wait, the timer that makes some of them, and bytes that were typed. */
#define PARAVIRT_INPUT 256
struct paravirt_events {
    uint64_t waiting; /* bit n: HC_EVENT_n */
    uint64_t next;    /* guest time of the timer's next event, ns; DEVICE_NEVER: none */
    uint64_t period;  /* ns; 0: once */
    uint32_t in, out; /* count bytes typed and read; modulo PARAVIRT_INPUT: an index */
    uint8_t input[PARAVIRT_INPUT];
};

/* Who carries hypercalls out: actors of a recording. */
enum paravirt_part { PART_MACHINE, PART_CONSOLE, PART_TRAPS, PART_EVENTS, PART_TABLES, PARTS };

struct paravirt {
    struct vcpu *vcpu;
    struct vm *vm;
    struct x86_regs regs; /* the guest's; IF is in the shared page, CS and SS in `user` */
    bool user;            /* a program runs, not the kernel */
    bool synced;          /* regs holds what the processor had at the last exit */

    struct frames frames;
    uint64_t root; /* guest-physical address of the table of level 4 in use; NO_FRAME: the start */
    bool user_stale; /* the user's copy of the root is to be made again */
    uint64_t shared; /* guest-physical address of struct hc_shared, NO_FRAME: none yet */

    uint64_t syscall_entry, stack; /* linear addresses; 0: none */
    struct hc_trap trap[HC_TRAPS];

    struct paravirt_events events;
    struct irq_source old_irq; /* the board's, which this strategy stands in for */
    struct byte_sink old_input;

    uint8_t actor[PARTS]; /* in the recording */
    uint64_t privileged;  /* privileged instructions that the kernel executed: faulted */
    uint64_t calls[HC_COUNT], multicalled, refused, traps, syscalls, delivered;
};

static inline struct paravirt *
paravirt_of(struct vcpu *vcpu)
{
    return vcpu->strategy_state;
}

/* --- paravirt.c ------------------------------------------------------------------------------- */

/* Reads back the guest's registers since the last entry, if that is still to be done. */
int paravirt_sync(struct paravirt *pv, struct error *err);
/* Loads the processor: the guest may run. 0 or -errno. */
int paravirt_enter(struct paravirt *pv, struct error *err);

/* --- inspect.c: as strategy_ops says ----------------------------------------------------------- */

void paravirt_describe(struct vcpu *vcpu, char *text, size_t size);
int paravirt_get_regs(struct vcpu *vcpu, struct x86_regs *regs, struct error *err);
int paravirt_set_regs(struct vcpu *vcpu, const struct x86_regs *regs, struct error *err);
int paravirt_before_write(struct vcpu *vcpu, uint64_t gpa, size_t size, struct error *err);
unsigned paravirt_state(struct vcpu *vcpu, struct state_part *parts);

/* --- hypercalls.c ----------------------------------------------------------------------------- */

struct hypercall {
    const char *name;      /* "console-write" */
    const char *arguments; /* "linear, bytes" */
    enum paravirt_part part;
    bool alone; /* not in a multicall: it is about where control goes */
    int64_t (*run)(struct paravirt *pv, const uint64_t argument[3]);
    const char *text; /* one sentence: what it does and returns */
};
/* Row n is hypercall n. */
extern const struct hypercall paravirt_hypercalls[HC_COUNT];

/* Names the parts in the recording, if there is one. */
void paravirt_name_parts(struct paravirt *pv);
/* Carries out the one whose number and arguments are in the registers; rip is behind it. */
void paravirt_hypercall(struct paravirt *pv);

/* --- traps.c ---------------------------------------------------------------------------------- */

/* Enters the kernel by trap `vector`; `error` may be NULL. -errno with a sentence if that is not
 * possible: no handler, or no stack. */
int paravirt_trap(struct paravirt *pv, unsigned vector, const uint32_t *error, struct error *err);
/* The same for SYSCALL in user mode; rip is behind it. */
int paravirt_syscall(struct paravirt *pv, struct error *err);
/* HC_IRET. 0 or -HC_EFAULT, -HC_EINVAL. */
int64_t paravirt_iret(struct paravirt *pv);

/* --- events.c --------------------------------------------------------------------------------- */

/* Takes the place of the board's interrupt controller, timer and serial port. */
int events_attach(struct paravirt *pv, struct error *err);
void events_detach(struct paravirt *pv);
bool events_masked(const struct paravirt *pv);
void events_mask(struct paravirt *pv, bool masked);
/* Brings the shared page up to date: before each entry. */
void events_publish(struct paravirt *pv);
/* A page fault's address, for the kernel to see. */
void events_fault_address(struct paravirt *pv, uint64_t address);
int64_t events_set_timer(struct paravirt *pv, uint64_t first, uint64_t period);
/* Takes up to `size` typed bytes. */
unsigned events_read(struct paravirt *pv, uint8_t *bytes, unsigned size);

/* --- memory.c: the guest's linear addresses ------------------------------------------------------ */

/* Pages of the strategy's own that memory.c needs: the first map, and the user's copy of the root. */
#define PARAVIRT_POOL_PAGES 8u

/* Builds the map that the guest starts with. */
void memory_start(struct paravirt *pv);
/* What CR3 shall hold. */
uint64_t memory_cr3(struct paravirt *pv);
int64_t memory_set_root(struct paravirt *pv, uint64_t frame);
/* The guest-physical address of the entry of level 1 for a linear address. 0, -HC_EFAULT or
 * -HC_EINVAL. */
int memory_find_entry(const struct paravirt *pv, uint64_t linear, uint64_t *entry);
/* Is it mapped in the root in use, the upper half included? */
bool memory_is_mapped(const struct paravirt *pv, uint64_t linear);
/* Between the VMM and the kernel's (or the user's) linear addresses; page tables are obeyed. 0 or
 * -HC_EFAULT; then nothing was written. memory_check looks only. */
int memory_check(struct paravirt *pv, uint64_t linear, uint64_t size, bool write);
int memory_read(struct paravirt *pv, uint64_t linear, void *to, uint64_t size);
int memory_write(struct paravirt *pv, uint64_t linear, const void *from, uint64_t size);
/* Reads up to `size` bytes of code; how many there are before the first that is not mapped. */
unsigned memory_fetch(struct paravirt *pv, uint64_t linear, uint8_t *to, unsigned size);
/* Are these two bytes of code there (the first in the low byte)? */
bool memory_has_code(struct paravirt *pv, uint64_t linear, uint16_t code);

#endif
