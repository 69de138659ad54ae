/*
 * kvm.h - what the files of the kvm engine share; nobody else includes it.
 *
 *   kvm.c        the engine_ops: run, step, inject, kick - read this one first
 *   kvm_step.c   one instruction
 *   kvm_stops.c  points to stop at
 *   kvm_exits.c  KVM's exit reasons: names, sentences, and their form as struct vm_exit
 *   kvm_rip.c    which instruction an exit belongs to
 *   kvm_regs.c   struct x86_regs <-> KVM's structures
 *   kvm_open.c   opening: memory slots, CPUID, limits that KVM must have
 *   kvm_probe.c  does KVM work here? A guest of a few instructions tells
 */
#ifndef HV_ENGINE_KVM_H
#define HV_ENGINE_KVM_H

#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/error.h"
#include "core/exit.h"
#include "core/vm.h"
#include "engine/engine.h"
#include "engine/points.h"
#include "isa/x86/cpu.h"

#define KVM_NEVER UINT64_MAX

/* Memory slots: RAM in at most ROM_REGIONS + 3 parts (ROM and the A20 window cut it), and ROM. */
#define KVM_SLOTS (2 * ROM_REGIONS + 4)

struct engine_vm {
    int kvm, fd;     /* /dev/kvm and the machine */
    size_t run_size; /* bytes of the page that KVM and we share */
    uint64_t start;  /* host time, ns, at which guest time began */
    bool sync;       /* KVM can copy the general registers into struct kvm_run at an exit */
    bool msr_exits;  /* KVM can hand RDMSR and WRMSR to us */
    bool a20_closed;
    bool broken;    /* the memory slots could not be laid out anew */
    unsigned slots; /* in use */
};

/*
 * An access that is on its way. KVM shows INS and OUTS as a block of elements, and memory accesses
 * that cross a boundary as 3, 5, 6 or 7 bytes; the VMM sees pieces of 1, 2, 4 or 8 bytes, one an
 * exit, as the soft engine shows them. The data stays in struct kvm_run until KVM resumes.
 */
struct kvm_access {
    uint8_t *data;    /* the piece that is shown; NULL: no access is on its way */
    uint8_t *next;    /* the bytes after it */
    uint64_t address; /* of the next piece */
    uint32_t left;    /* bytes at next */
    uint8_t element;  /* ports: bytes an element; memory: 0 */
    bool write;
};

/* What is remembered of places that exits came from (kvm_rip.c). An entry whose key is 0 is empty. */
#define KVM_PLACES 16
#define KVM_OUTS   64
struct kvm_places {
    struct {
        uint64_t code;  /* the page of code, + 1 */
        uint64_t stack; /* RSP >> 20 */
        bool user;      /* CPL 3 */
    } page[KVM_PLACES];
    struct {
        uint64_t rip; /* at the exit, + 1 */
        uint8_t back; /* so many bytes before it the OUT begins */
    } out[KVM_OUTS];
};

struct kvm_state;

struct engine_vcpu {
    int fd;
    struct kvm_state *state; /* what KVM holds, as it was read or written last ... */
    bool state_known;        /* ... and the guest has not run since */
    struct kvm_run *run;     /* shared with KVM */
    bool regs_known;         /* run->s.regs.regs is what KVM has: see kvm_exit_regs() */
    struct kvm_access access;
    bool msr_pending;    /* the last exit was MSR: KVM waits for the answer */
    bool completing;     /* KVM finishes an instruction at the next entry */
    bool unread;         /* KVM_RUN has returned an exit that the VMM has not seen yet */
    bool halted;         /* HLT was executed, no interrupt injected since */
    bool injected;       /* an interrupt waits for the next entry */
    bool stale;          /* what kvm_run says of interrupts is older than the registers */
    bool stepping;       /* KVM_SET_GUEST_DEBUG is on */
    uint64_t tsc_offset; /* what set_regs was given last */

    /* The deadline: a timer whose signal ends KVM_RUN. */
    bool has_timer;
    timer_t timer;
    uint64_t armed;                      /* guest time, ns; KVM_NEVER: not armed */
    pid_t thread;                        /* that runs this vcpu */
    volatile sig_atomic_t fired, kicked; /* set by signal handlers */

    struct kvm_places places;
    bool out_behind; /* what the last clear case of an OUT was */
    /* kvm_monitor.c: a guest at CPL 3, whose exceptions come by a stub. */
    bool monitor;    /* the stub is there */
    bool in_monitor; /* the last exit came by it: KVM's registers are the stub's, */
    uint64_t trapped_rip, trapped_rflags, trapped_rsp; /* and these the guest's */
    bool flush;                                        /* the TLB is to be flushed on the way in */
    struct kvm_regs entered_regs;                      /* the guest's, while it is entered so */
    struct kvm_sregs entered_sregs;

    struct debug_point point[DEBUG_POINTS];
    unsigned points, armed_points;
    struct x86_watches watches; /* the same, for what is interpreted */

    struct x86_cpu *cpu; /* for kvm_step.c; NULL: never stepped */
    bool trial;          /* it must not write to memory now */
    char text[256];      /* of vm_exit.failure */
};

/* --- kvm_exits.c ------------------------------------------------------------------------------ */

/* One row for each KVM_EXIT_* of <linux/kvm.h>. */
struct kvm_reason {
    uint32_t number;
    const char *name;
    enum trace_kind kind;
    const char *text;
    /* Fills vcpu->exit; NULL: the reason alone says all, vm_exit.failure gets number and text.
     * False: nothing that the VMM could see happened, enter again. */
    bool (*decode)(struct vcpu *vcpu);
};
extern const struct kvm_reason kvm_reasons[];
extern const unsigned kvm_reason_count;
const struct kvm_reason *kvm_reason_find(uint32_t number); /* NULL: unknown */

/* A number and what it means. */
struct kvm_text {
    uint64_t number;
    const char *text;
};
const char *kvm_suberror_text(uint64_t suberror);    /* of KVM_EXIT_INTERNAL_ERROR; NULL: unknown */
const char *kvm_entry_failure_text(uint64_t reason); /* of KVM_EXIT_FAIL_ENTRY */

/* The general registers at this exit. They cost a copy or a system call: while exits are recorded
 * KVM copies them at each one, else they are asked for at the first look. */
struct kvm_regs *kvm_exit_regs(struct vcpu *vcpu);
/* Turns run->exit_reason into vcpu->exit. False: enter again. */
bool kvm_exit_decode(struct vcpu *vcpu);
/* Fills vcpu->exit with a kind that has no operands. */
void kvm_exit_plain(struct vcpu *vcpu, enum trace_kind kind);
/* The VMM has answered vcpu->exit: hands the answer to KVM. True: the access has a further piece,
 * which is in vcpu->exit now; KVM is not to be entered yet. */
bool kvm_exit_answer(struct vcpu *vcpu);

/* --- kvm_rip.c -------------------------------------------------------------------------------- */

/* Is the guest that has just left at CPL 3? A system call if the place is new. */
bool kvm_exit_user(struct vcpu *vcpu);
/* The address of the instruction that the port exit in kvm_run belongs to; likewise. */
uint64_t kvm_exit_rip(struct vcpu *vcpu);
void kvm_places_forget(struct engine_vcpu *v);

/* --- kvm_regs.c ------------------------------------------------------------------------------- */

/* The model-specific registers of struct x86_regs that are no part of kvm_sregs. */
#define KVM_MSRS 10
struct kvm_msr_block {
    struct kvm_msrs head;
    struct kvm_msr_entry entry[KVM_MSRS];
};

/* Everything that KVM holds of struct x86_regs. */
struct kvm_state {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_fpu fpu;
    struct kvm_debugregs debug;
    struct kvm_vcpu_events events;
    struct kvm_msr_block msrs;
};

/* Pure conversions. What x86_regs has and KVM has not (halted, pdpte, tsc_offset) is left alone;
 * what KVM has and x86_regs has not is left alone in *state. */
void kvm_state_to_regs(const struct kvm_state *state, struct x86_regs *regs);
void kvm_state_from_regs(struct kvm_state *state, const struct x86_regs *regs);

int kvm_get_regs(struct vcpu *vcpu, struct x86_regs *regs, struct error *err);
int kvm_set_regs(struct vcpu *vcpu, const struct x86_regs *regs, struct error *err);
/* One MSR. 0, or -EINVAL: KVM does not know it or refuses the value. */
int kvm_get_msr(struct engine_vcpu *v, uint32_t index, uint64_t *value);
int kvm_set_msr(struct engine_vcpu *v, uint32_t index, uint64_t value);

/* --- kvm_open.c ------------------------------------------------------------------------------- */

int kvm_open(struct vm *vm, struct error *err);
void kvm_close(struct vm *vm);
/* Lays out RAM and ROM as memory slots, anew if it was done before. */
int kvm_map_memory(struct vm *vm, struct error *err);

/* A part of guest-physical memory that becomes one slot. */
struct kvm_slot {
    uint64_t gpa, size;
    uint8_t *host;
    bool readonly;
};
/* Pure: the slots for this RAM and ROM. How many there are; at most KVM_SLOTS. */
unsigned kvm_slots(const struct ram *ram, bool a20_closed, struct kvm_slot slot[KVM_SLOTS]);
/* Pure: takes from a table of CPUID what this machine does not have. */
void kvm_cpuid_filter(struct kvm_cpuid2 *cpuid);

/* --- kvm_monitor.c ---------------------------------------------------------------------------- */

int kvm_open_monitor(struct vcpu *vcpu, struct error *err);
/* If vcpu->exit is the stub's, makes it the EXCEPTION that it stands for. 0 or -errno. */
int kvm_monitor_exit(struct vcpu *vcpu, struct error *err);
/* After such an exit: puts the guest's registers in place of the stub's. */
void kvm_monitor_regs(const struct engine_vcpu *v, struct x86_regs *regs);
/* engine_ops.flush_tlb, and its doing: sets KVM's registers so that the guest is entered through
 * the stub, which loads CR3. 0 or -errno. */
void kvm_flush_tlb(struct vcpu *vcpu);
int kvm_monitor_enter(struct vcpu *vcpu, struct error *err);
/* KVM_RUN was interrupted, perhaps within the stub, where nobody may see the processor: finishes the
 * way out, or undoes the way in. -EINTR: the guest's own registers are in place; 0: an exit. */
int kvm_monitor_interrupted(struct vcpu *vcpu, struct error *err);
/* Pure: how far behind the beginning of the stub's page this is; PAGE_SIZE: not in the stub. */
unsigned kvm_monitor_stub_offset(uint64_t rip, uint16_t cs);

/* --- kvm_stops.c ------------------------------------------------------------------------------ */

/* engine_ops.set_stops. */
int kvm_set_stops(struct vcpu *vcpu, const struct stop_point *points, unsigned count,
                  struct error *err);
/* Tells KVM to stop at the points, and behind the next instruction or not. 0 or -errno. */
int kvm_set_debug(struct engine_vcpu *v, bool step, struct error *err);
/* KVM_EXIT_DEBUG: says in vcpu->exit if it is a point. */
void kvm_point_exit(struct vcpu *vcpu);
/* True: something that was interpreted has hit a watch point, vcpu->exit says so. */
bool kvm_watch_exit(struct vcpu *vcpu);

/* --- kvm.c, kvm_step.c, kvm_probe.c ----------------------------------------------------------- */

/* The signal that ends KVM_RUN at the deadline; its handler, installed by kvm_open(). */
#define KVM_SIGNAL (SIGRTMIN + 6)
void kvm_on_signal(int number, siginfo_t *info, void *context);

/* engine_ops.kick. */
void kvm_kick(struct vcpu *vcpu);
/* One KVM_RUN. 0: kvm_exit_decode() says why it ended; -EINTR; else the engine broke. */
int kvm_enter(struct vcpu *vcpu, struct error *err);
/* Ends the instruction whose access was answered, without going on. As kvm_enter(). */
int kvm_finish(struct vcpu *vcpu, struct error *err);
/* After the exit for a write: ends its instruction, since nothing is awaited from the VMM; on both
 * engines a write has happened when the VMM sees it. Else does nothing. 0 or -errno. */
int kvm_settle(struct vcpu *vcpu, struct error *err);
/* True: an exit that kvm_settle() came upon is in vcpu->exit now. */
bool kvm_take_unread(struct vcpu *vcpu);
/* After -EINTR. True: the timer fired for a deadline that has moved away; enter again. */
bool kvm_interrupted_early(struct vcpu *vcpu, uint64_t deadline);
/* True: the processor waits in HLT and nothing was injected; vcpu->exit says so again. */
bool kvm_still_halted(struct vcpu *vcpu);

int kvm_step(struct vcpu *vcpu, struct error *err);
/* After a write: ends a REP that has no element left. 0 or -errno. */
int kvm_end_rep(struct vcpu *vcpu, struct error *err);
int kvm_probe(struct error *err);

#endif
