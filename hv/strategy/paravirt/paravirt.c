/*
 * paravirt.c - strategy paravirt: setting the guest up, and what each of its exits means.
 *
 * At CPL 3 with no gate in its IDT and no SYSCALL, whatever leaves the guest is an exception. So
 * this file is a decision: is it a hypercall, a system call, INT n, or the guest's own fault? And
 * did the kernel execute an instruction that it should have asked for?
 *
 * Called by core/run.c through strategy_ops. Next: hypercalls.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "isa/x86/cpu.h"
#include "strategy/deprivilege.h"
#include "strategy/paravirt/paravirt.h"
#include "strategy/strategies.h"
#include "strategy/strategy.h"

/*
 * Error code of a #GP (SDM vol. 3, 6.13):  15-3 index   2 TI   1 IDT   0 EXT
 * IDT alone: the index is that of a gate, and an instruction asked for it.
 */
#define ERROR_BITS 0x7u
#define ERROR_GATE 0x2u
#define ERROR_EXT  0x1u

static bool
is_gate_error(const struct vm_exit *exit)
{
    return exit->exception.vector == VEC_GP && (exit->exception.error & ERROR_BITS) == ERROR_GATE;
}

static bool
is_hypercall(const struct paravirt *pv, const struct vm_exit *exit)
{
    uint32_t index = exit->exception.error >> 3;

    /* QEMU's processor counts a gate of 64-bit mode as two: its index is doubled. */
    return !pv->user && is_gate_error(exit) && (index == HC_VECTOR || index == 2 * HC_VECTOR);
}

/* --- from one set of registers to the other -------------------------------------------------------- */

int
paravirt_sync(struct paravirt *pv, struct error *err)
{
    struct x86_regs real;

    if (pv->synced)
        return 0;
    int rc = pv->vm->engine_ops->get_regs(pv->vcpu, &real, err);
    if (rc)
        return rc;
    deprivilege_readback(&pv->regs, &real);
    pv->synced = true;
    return 0;
}

int
paravirt_enter(struct paravirt *pv, struct error *err)
{
    const struct engine_ops *engine = pv->vm->engine_ops;
    struct x86_regs real;

    if (!x86_canonical(pv->regs.rip))
        return error_set(err, EFAULT,
                         "the guest's instruction pointer 0x%" PRIx64 " left the address space",
                         pv->regs.rip);
    events_publish(pv);
    deprivilege_regs(&real, &pv->regs, memory_cr3(pv));
    int rc = engine->set_regs(pv->vcpu, &real, err);
    if (rc)
        return rc;
    if (pv->frames.stale)
        engine->flush_tlb(pv->vcpu);
    pv->frames.stale = false;
    pv->synced = false;
    return 0;
}

/* --- what an exit means ------------------------------------------------------------------------------ */

/* The instruction at rip; false: it cannot be read any more, or is none. */
static bool
decode(struct paravirt *pv, struct x86_insn *in)
{
    uint8_t bytes[X86_INSN_MAX];
    unsigned n = memory_fetch(pv, pv->regs.rip, bytes, sizeof(bytes));

    return n && x86_decode(bytes, n, 8, in) > 0;
}

/* The two instructions by which a guest calls on purpose, SYSCALL and INT 82h, have two bytes. That
 * one of them is at rip can be seen without decoding, unless a prefix stands before it. */
#define CODE_SYSCALL UINT16_C(0x050f)
#define CODE_INT82   UINT16_C(0x82cd)

/*
 * Is it one that a kernel at CPL 0 may execute and one at CPL 3 may not? Beside those that the
 * processor calls privileged: the ones that IOPL guards (SDM vol. 1, 18.5), and returns, which
 * mean nothing without the guest's own descriptor tables.
 */
static bool
is_privileged(const struct x86_insn *in)
{
    static const char *const others[] = {"cli", "sti",   "in",   "out",  "insb",
                                         "ins", "outsb", "outs", "iret", "sysret"};

    if (in->op->flags & OP_CPL0)
        return true;
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (!strcmp(in->op->name, others[i]))
            return true;
    return false;
}

/*
 * The kernel's own fault. One privileged instruction is one too many: it is counted, and it ends
 * the run with its name, because its author forgot a hypercall. A kernel with a handler could
 * go on; but to hand it a #GP that no hardware gives it would hide the mistake.
 */
static int
check_kernel(struct paravirt *pv, const struct vm_exit *exit, struct error *err)
{
    struct x86_insn in;

    if (pv->user || (exit->exception.vector != VEC_GP && exit->exception.vector != VEC_UD) ||
        !decode(pv, &in) || !in.op->name || !is_privileged(&in))
        return 0;
    pv->privileged++;
    return error_set(err, EPERM,
                     "the guest's kernel executed the privileged instruction '%s' at rip 0x%" PRIx64
                     ": under strategy paravirt it must use a hypercall instead "
                     "(docs/HYPERCALLS.md); an unmodified kernel runs with --strategy hardware",
                     in.op->name, pv->regs.rip);
}

/* #PF: the address goes where CR2 would be, the error code is told as a kernel at CPL 0 knows it
 * (SDM vol. 3, 4.7). */
static uint32_t
page_fault(struct paravirt *pv, const struct vm_exit *exit)
{
    uint32_t error = exit->exception.error;
    uint64_t address = exit->exception.address;

    events_fault_address(pv, address);
    if (!pv->user)
        return error & ~PF_USER;
    /* The kernel's half is not in the user's copy of the root, but it is there: as if U/S had
     * protected it. */
    if (address >> 63 && memory_is_mapped(pv, address))
        error |= PF_PRESENT;
    return error;
}

/* The vector that INT n or INT3 asked for. The instruction tells: see is_hypercall() on QEMU. */
static unsigned
gate_of(const struct x86_insn *in)
{
    const unsigned int3 = 0xcc;

    return in->opcode == int3 ? VEC_BP : (unsigned)in->imm & 0xff;
}

/*
 * Where the real processor faults otherwise than the guest's own would: INT1 is #DB without a look
 * at DPL (SDM vol. 2, INT n), but here it finds no gate; SYSRET is #GP(0) in user mode, but #UD as
 * the real EFER.SCE is clear.
 */
static unsigned
own_vector(struct paravirt *pv, const struct vm_exit *exit, bool *has_error, uint32_t *error)
{
    unsigned vector = exit->exception.vector;
    bool no_gate = vector == VEC_GP && (*error & ERROR_BITS) == (ERROR_GATE | ERROR_EXT);
    struct x86_insn in;

    if (no_gate && decode(pv, &in) && in.opcode == 0xf1) {
        pv->regs.rip += in.length;
        *has_error = false;
        return VEC_DB;
    }
    if (pv->user && vector == VEC_UD && decode(pv, &in) && in.opcode == 0x107) {
        *has_error = true;
        *error = 0;
        return VEC_GP;
    }
    return vector;
}

/* INT n, or what the guest did wrong. */
static int
deliver(struct paravirt *pv, const struct vm_exit *exit, struct error *err)
{
    uint32_t error = exit->exception.error;
    bool has_error = exit->exception.has_error;
    unsigned vector = own_vector(pv, exit, &has_error, &error), n;
    struct x86_insn in;

    if (vector >= HC_EVENT_TRAP)
        return error_set(err, EIO, "the engine reports exception %u, which no processor has",
                         vector);
    if (is_gate_error(exit) && decode(pv, &in) && (n = gate_of(&in)) != HC_VECTOR &&
        pv->trap[n].address && (!pv->user || pv->trap[n].flags & HC_TRAP_USER)) {
        pv->regs.rip += in.length; /* a trap: the next instruction follows it */
        return paravirt_trap(pv, n, NULL, err);
    }
    if (vector == VEC_PF)
        error = page_fault(pv, exit);
    return paravirt_trap(pv, vector, has_error ? &error : NULL, err);
}

static bool
is_syscall(struct paravirt *pv, const struct vm_exit *exit, unsigned *length)
{
    struct x86_insn in;

    if (!pv->user || exit->exception.vector != VEC_UD)
        return false;
    *length = 2;
    if (memory_has_code(pv, pv->regs.rip, CODE_SYSCALL))
        return true;
    if (!decode(pv, &in) || in.opcode != 0x105)
        return false;
    *length = in.length;
    return true;
}

/* Of INT 82h. Prefixes mean nothing to it, but they are a part of it. */
static unsigned
hypercall_length(struct paravirt *pv)
{
    struct x86_insn in;

    return memory_has_code(pv, pv->regs.rip, CODE_INT82) || !decode(pv, &in) ? 2 : in.length;
}

/* --- strategy_ops ------------------------------------------------------------------------------------ */

static int
paravirt_prepare(struct vm *vm, struct error *err)
{
    return deprivilege_prepare(vm, (uint64_t)PARAVIRT_POOL_PAGES * PAGE_SIZE, err);
}

static void
paravirt_detach(struct vcpu *vcpu)
{
    struct paravirt *pv = paravirt_of(vcpu);

    if (!pv)
        return;
    if (pv->vm->irq.ctx == pv)
        events_detach(pv);
    frames_close(&pv->frames);
    free(pv);
    vcpu->strategy_state = NULL;
}

/* From the state that the loader made for CPL 0. */
static int
open_guest(struct paravirt *pv, struct error *err)
{
    int rc = pv->vm->engine_ops->get_regs(pv->vcpu, &pv->regs, err);

    if (rc)
        return rc;
    if (!(pv->regs.efer & EFER_LMA) || !(pv->regs.seg[X86_CS].attr & SEG_L))
        return error_set(err, ENOTSUP,
                         "strategy paravirt starts 64-bit guests (ELF64) that are built for it, as "
                         "minios-pv is: this one starts in another mode");
    pv->synced = true;
    pv->regs.cr0 |= CR0_TS | CR0_MP; /* no FPU: #NM says so, after WAIT too */
    pv->regs.rflags &= ~(uint64_t)FLAG_IF;
    pv->root = pv->shared = NO_FRAME;
    /* Accessed already: so the processor has no reason to write to it. */
    rc = frames_open(&pv->frames, &pv->vm->ram, deprivilege_root_entry() | ENTRY_A, err);
    if (!rc)
        memory_start(pv);
    return rc;
}

static int
paravirt_attach(struct vcpu *vcpu, struct error *err)
{
    struct paravirt *pv = aligned_alloc(16, sizeof(*pv));
    int rc;

    if (!pv)
        return error_set(err, ENOMEM, "no memory for strategy paravirt");
    memset(pv, 0, sizeof(*pv));
    pv->vcpu = vcpu;
    pv->vm = vcpu->vm;
    vcpu->strategy_state = pv;
    (void)((rc = open_guest(pv, err)) || (rc = deprivilege_attach(vcpu, err)) ||
           (rc = events_attach(pv, err)) || (rc = paravirt_enter(pv, err)));
    if (rc)
        paravirt_detach(vcpu);
    else
        paravirt_name_parts(pv);
    return rc;
}

/* A hypercall is one in the recording too, with its number and first argument. */
static void
paravirt_refine(struct vcpu *vcpu)
{
    struct paravirt *pv = paravirt_of(vcpu);
    struct vm_exit *exit = &vcpu->exit;
    struct error ignored;

    if (exit->kind != TRACE_EXCEPTION || !is_hypercall(pv, exit) || paravirt_sync(pv, &ignored))
        return;
    exit->kind = TRACE_HYPERCALL;
    exit->hypercall.number = pv->regs.gpr[X86_RAX];
    exit->hypercall.args[0] = pv->regs.gpr[X86_RDI];
    exit->hypercall.args[1] = pv->regs.gpr[X86_RSI];
    exit->hypercall.args[2] = pv->regs.gpr[X86_RDX];
}

static int
handle(struct paravirt *pv, const struct vm_exit *exit, struct error *err)
{
    unsigned length;

    if (exit->kind == TRACE_HYPERCALL) {
        pv->regs.rip += hypercall_length(pv);
        paravirt_hypercall(pv);
        return 0;
    }
    if (is_syscall(pv, exit, &length)) {
        pv->regs.rip += length;
        return paravirt_syscall(pv, err);
    }
    int rc = check_kernel(pv, exit, err);
    return rc ? rc : deliver(pv, exit, err);
}

static enum strategy_verdict
paravirt_on_exit(struct vcpu *vcpu, struct run_result *result)
{
    struct paravirt *pv = paravirt_of(vcpu);
    const struct vm_exit *exit = &vcpu->exit;
    struct error *err = &result->message;

    if (exit->kind != TRACE_EXCEPTION && exit->kind != TRACE_HYPERCALL)
        return STRATEGY_PASS;
    result->end = RUN_FAILED;
    if (paravirt_sync(pv, err))
        return STRATEGY_END;
    if (handle(pv, exit, err) || paravirt_enter(pv, err)) {
        result->end = RUN_REFUSED;
        return STRATEGY_END;
    }
    return STRATEGY_HANDLED;
}

static bool
paravirt_can_inject(struct vcpu *vcpu)
{
    return !events_masked(paravirt_of(vcpu));
}

static int
paravirt_inject(struct vcpu *vcpu, uint8_t vector, struct error *err)
{
    struct paravirt *pv = paravirt_of(vcpu);
    int rc = paravirt_sync(pv, err);

    pv->delivered++;
    if (!rc)
        rc = paravirt_trap(pv, vector, NULL, err);
    return rc ? rc : paravirt_enter(pv, err);
}

static bool
paravirt_in_user(struct vcpu *vcpu)
{
    return paravirt_of(vcpu)->user;
}

const struct strategy_ops strategy_paravirt = {
    .abi = STRATEGY_ABI,
    .name = "paravirt",
    .summary = "the kernel is built for a VMM: it runs at CPL 3 and asks by hypercalls",
    .needs = CAP_GUEST_KERNEL | CAP_DEPRIVILEGE,
    .prepare = paravirt_prepare,
    .attach = paravirt_attach,
    .detach = paravirt_detach,
    .refine = paravirt_refine,
    .on_exit = paravirt_on_exit,
    .can_inject = paravirt_can_inject,
    .inject = paravirt_inject,
    .in_user = paravirt_in_user,
    .describe = paravirt_describe,
    .get_regs = paravirt_get_regs,
    .set_regs = paravirt_set_regs,
    .before_write = paravirt_before_write,
    .state = paravirt_state,
};
