/*
 * engine.h - what executes guest instructions.
 *
 * A strategy is written against this interface alone. Three engines carry it today: `kvm` (the
 * Linux KVM API), `soft` (our interpreter) and `host` (a process of the host under ptrace).
 * Everything that differs between the first two and can be hidden is hidden here: both stop at the
 * same points with the same struct vm_exit. A process has no kernel of its own, so `host` has other
 * exits.
 *
 * This header is an interface: hv/core and its siblings may include it (docs/ARCHITECTURE.md).
 */
#ifndef HV_ENGINE_ENGINE_H
#define HV_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/exit.h"
#include "core/state.h"

struct ram;
struct vm;
struct vcpu;
struct x86_regs;

/* What an engine can do; a strategy's `needs` must lie within it. */
#define CAP_GUEST_KERNEL   0x0001u /* runs a guest kernel: modes, paging, interrupts */
#define CAP_INTERCEPT_INSN 0x0002u /* can intercept single instructions (CPUID, CR, ...) */
#define CAP_INTERCEPT_EXC  0x0004u /* can intercept guest exceptions */
#define CAP_HYPERCALL      0x0008u /* VMCALL / VMMCALL reach the VMM */
#define CAP_ICOUNT         0x0010u /* counts retired instructions; deterministic */
#define CAP_STEP           0x0020u /* single step */
#define CAP_TRACE_GUEST    0x0040u /* can show transfers inside the guest */
#define CAP_MSR_EXIT       0x0080u /* RDMSR / WRMSR reach the VMM */
#define CAP_DEPRIVILEGE    0x0100u /* shows every exception of a guest kernel at CPL 3 */
#define CAP_PROCESS        0x0200u /* runs a process of the host: there is no RAM, no board */

/*
 * A point at which the engine stops for the debugger. Addresses are the guest's linear ones.
 * EXECUTE: before the instruction at `address`; not before each iteration of its REP, nor when RF says that
 * it is tried again. The others: after the instruction that accessed a
 * byte of [address, address + size).
 */
enum stop_kind { STOP_EXECUTE, STOP_WRITE, STOP_READ, STOP_ACCESS };
struct stop_point {
    uint64_t address, size;
    enum stop_kind kind;
};

struct cap_name {
    uint32_t bit;
    const char *name, *text;
};
extern const struct cap_name engine_caps[];
extern const unsigned engine_cap_count;

struct engine_ops {
    const char *name;    /* "soft", "kvm" */
    const char *summary; /* one line for `hv list` */
    uint32_t caps;       /* CAP_* */
    uint64_t exits;      /* bit k: this engine can show exits of enum trace_kind k */

    /* Is it usable on this machine? 0, or -errno with a sentence: why not and what to do. */
    int (*probe)(struct error *err);

    /* Creates the engine's side of vm (whose RAM and ROM are complete) and of its vcpu 0; sets
     * vm->engine and vcpu->engine. 0 or -errno. */
    int (*open)(struct vm *vm, struct error *err);
    void (*close)(struct vm *vm);

    /*
     * Enters the guest until an exit, at the latest at guest time `deadline` (ns; UINT64_MAX:
     * none) or after `budget` more instructions (UINT64_MAX: none; engines with CAP_ICOUNT):
     * then the exit is KICK or LIMIT. Fills vcpu->exit. 0, or -errno when the engine itself broke.
     */
    int (*run)(struct vcpu *vcpu, uint64_t deadline, uint64_t budget, struct error *err);
    /* Executes one instruction (exit DEBUG) or less, if it exits for another reason. */
    int (*step)(struct vcpu *vcpu, struct error *err);
    /* Carries out the intercepted instruction of the last exit as the processor would have: the
     * exit table's answer to CPUID, CR, MSR ... NULL: such exits do not happen. */
    int (*emulate)(struct vcpu *vcpu, struct error *err);

    int (*get_regs)(struct vcpu *vcpu, struct x86_regs *regs, struct error *err);
    /* -EINVAL with a sentence if no processor could be in that state. What the last exit would
     * have completed (a read's value, a hypercall's result and rip) is cancelled: rip is final. */
    int (*set_regs)(struct vcpu *vcpu, const struct x86_regs *regs, struct error *err);

    /* Can an external interrupt go in now (IF set, no shadow, nothing pending)? */
    bool (*can_inject)(struct vcpu *vcpu);
    /* Delivers it at the next run; only after can_inject() said so. */
    int (*inject)(struct vcpu *vcpu, uint8_t vector, struct error *err);

    /*
     * From now on run() and step() exit with DEBUG at these points (copied; count 0: at none). step()
     * does not stop before the instruction it is asked for, so who goes on from an EXECUTE point steps
     * until the exit is DEBUG (a page fault of a strategy's may come first). Neither exits nor
     * instructions are counted for a stop, and the guest cannot tell. 0; -ENOSPC or -ENOTSUP with a sentence
     * that says how many of which kind the engine has. NULL: none.
     */
    int (*set_stops)(struct vcpu *vcpu, const struct stop_point *points, unsigned count,
                     struct error *err);
    /* Where the engine's state lies (core/state.h): fills parts (room for STATE_PARTS), returns how
     * many. NULL: this engine cannot be taken back. */
    unsigned (*state)(struct vcpu *vcpu, struct state_part *parts);
    /* It was overwritten, and so was guest memory: forget what was derived from either. */
    void (*restored)(struct vcpu *vcpu);

    /* Which INTERCEPT_* (isa/x86/cpu.h) and exception vectors exit. -ENOTSUP if it cannot. */
    int (*intercept)(struct vcpu *vcpu, uint32_t instructions, uint32_t exceptions,
                     struct error *err);
    /* Fills IDT and stub of the window of engine/monitor.h, which the strategy has built in private
     * memory, so that exceptions of a guest at CPL 3 become exits. NULL: the engine intercepts
     * them without help. 0 or -errno. */
    int (*open_monitor)(struct vcpu *vcpu, struct error *err);
    /* Page tables in memory have changed: forget translations before the next entry. */
    void (*flush_tlb)(struct vcpu *vcpu);
    /* The A20 gate; only real-mode software from before 1990 cares. */
    void (*set_a20)(struct vm *vm, bool open);

    /* Makes run() return soon with KICK. Async-signal-safe. */
    void (*kick)(struct vcpu *vcpu);
    /* Guest time in ns since power-on, and retired instructions (0: cannot count). */
    uint64_t (*time)(struct vcpu *vcpu);
    uint64_t (*icount)(struct vcpu *vcpu);
    /* HLT: nothing happens until guest time t (ns): go there. soft jumps, kvm need not. */
    void (*idle_until)(struct vcpu *vcpu, uint64_t t);

    /* Memory of a guest that has no RAM of its own (CAP_PROCESS), at a linear address. NULL: it lies
     * in vm->ram. All of it, or -EFAULT with the first address that cannot be reached. write:
     * pages that the guest may only read, too. */
    int (*read)(struct vcpu *vcpu, uint64_t address, void *to, size_t size, struct error *err);
    int (*write)(struct vcpu *vcpu, uint64_t address, const void *from, size_t size,
                 struct error *err);
    /* The pid on this host of the process that came out last; 0: it is gone. */
    int (*process)(struct vcpu *vcpu);
};

/* All engines; ends with NULL (table.c). */
extern const struct engine_ops *const engine_table[];
const struct engine_ops *engine_find(const char *name);

#endif
