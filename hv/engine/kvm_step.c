/*
 * kvm_step.c - one instruction on KVM, with its peculiarities hidden.
 *
 * The processor executes the step, stopped behind it by the trap flag. Where that shows, our
 * interpreter carries the step out on KVM's registers instead:
 *   - behind MOV SS, and on some processors STI, the trap comes an instruction late (SDM vol. 3,
 *     6.8.3); INT n and SYSCALL lose it; PUSHF shows TF to the guest; HLT may be stepped over.
 *   - an exception or interrupt clears TF on its way to the handler, which would run unseen, and
 *     pushes TF with the flags. So the interpreter tries each instruction first, on memory that it
 *     may not write; one that faults there is left to it, and so is an injected interrupt.
 * And two peculiarities of KVM itself:
 *   - an instruction that accesses a port or a device exits for that *instead of* the step; where
 *     KVM emulated it, the step's trap is lost, and going on would execute one instruction more.
 *     So the instruction is ended without entering the guest (kvm_finish), and that is the step.
 *   - TF is gone after POPF and IRET: so stepping is asked for anew each time.
 *
 * A deprivileged guest (kvm_monitor.c) is stepped by the interpreter altogether: what faults goes to
 * the stub, whose exit is the answer; and no TLB need be flushed. What the interpreter does not
 * know the processor steps, behind the stub's way in.
 *
 * What stays: REP INS is one step with an exit for each element; and a fault that the trial does not
 * foresee (an MSR, an instruction that only the processor knows) is stepped over with its handler.
 *
 * Called through engine_kvm by the debugger. Next: kvm_regs.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/util.h"
#include "core/ram.h"
#include "engine/engine.h"
#include "engine/kvm.h"
#include "isa/x86/insn.h"

/* --- the interpreter on KVM's registers ------------------------------------------------------- */

static struct x86_page
guest_page(void *ctx, uint64_t gpa)
{
    struct vcpu *vcpu = ctx;
    struct x86_page page = {0};

    page.host = ram_page(&vcpu->vm->ram, gpa & ~UINT64_C(0xfff), &page.writable);
    page.writable &= !vcpu->engine->trial; /* what would be written ends with EMU_MMIO */
    return page;
}

/* An interpreted processor in the state of vcpu; kept, for the next step. */
static int
load_cpu(struct vcpu *vcpu, bool trial, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;

    if (!v->cpu && !(v->cpu = malloc(sizeof(*v->cpu))))
        return error_set(err, ENOMEM, "no memory for stepping");
    v->trial = trial;
    x86_cpu_init(v->cpu);
    v->cpu->mem.ctx = vcpu;
    v->cpu->mem.page = guest_page;
    v->cpu->watches = &v->watches;
    v->watches.hit = false; /* a trial has accessed nothing */
    if (vcpu->vm->engine->a20_closed)
        v->cpu->mem.a20_mask = ~(UINT64_C(1) << 20);
    /* Of these the processor knows more than the interpreter. */
    v->cpu->intercepts = INTERCEPT_CPUID | INTERCEPT_MSR | INTERCEPT_CR_READ | INTERCEPT_CR_WRITE |
                         INTERCEPT_DR | INTERCEPT_TSC | INTERCEPT_HYPERCALL;
    int rc = kvm_get_regs(vcpu, &v->cpu->r, err);
    x86_update_mode(v->cpu);
    return rc;
}

/* Those that the trap flag does not stop behind, or that show it to the guest. `careful`: an
 * interrupt shadow follows (STI, MOV SS, POP SS). */
static bool
cannot_be_stepped(const struct x86_insn *in)
{
    static const uint16_t opcodes[] = {
        0x9c, 0xcc,  0xcd,  0xce, 0xf1, /* PUSHF, INT3, INT n, INTO, INT1 */
        0xf4, 0x105, 0x134,             /* HLT, SYSCALL, SYSENTER */
    };

    for (unsigned i = 0; i < ARRAY_SIZE(opcodes); i++)
        if (in->opcode == opcodes[i])
            return true;
    return in->careful;
}

/* #UD may only say that the interpreter does not know the instruction; UD2 is meant. */
static bool
is_unknown(struct x86_cpu *cpu, int result)
{
    struct x86_insn in;

    return result == EMU_FAULT && cpu->fault.vector == VEC_UD &&
           (x86_fetch_insn(cpu, &in) || in.opcode != 0x10b);
}

/* Is this step the interpreter's? */
static bool
is_for_interpreter(struct vcpu *vcpu)
{
    struct x86_cpu *cpu = vcpu->engine->cpu;
    struct x86_insn in;

    if (vcpu->engine->injected || vcpu->engine->monitor)
        return true;
    int result = x86_fetch_insn(cpu, &in);
    if (!result && cannot_be_stepped(&in))
        return true;
    if (!result)
        result = x86_execute(cpu, &in);
    return result == EMU_FAULT && !is_unknown(cpu, result);
}

/* Carries the step out. 1: done, vcpu->exit says so; 0: a device is in the way, or a triple fault,
 * and KVM shall say it in its own words; -errno. */
static int
interpret(struct vcpu *vcpu, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    struct kvm_vcpu_events events;
    int result, rc;

    if ((rc = load_cpu(vcpu, false, err)))
        return rc;
    if (v->injected) {
        if (ioctl(v->fd, KVM_GET_VCPU_EVENTS, &events) < 0)
            return error_set(err, errno, "KVM_GET_VCPU_EVENTS failed: %s", strerror(errno));
        result = x86_deliver_interrupt(v->cpu, events.interrupt.nr);
    } else {
        result = x86_emulate_one(v->cpu);
    }
    if (v->monitor && is_unknown(v->cpu, result))
        return 0;
    if (result == EMU_FAULT) {
        if (!v->cpu->fault.trap)
            x86_watch_forget(v->cpu);
        result = x86_deliver_fault(v->cpu);
    }
    if (result != EMU_OK && result != EMU_HALT)
        return 0;
    if ((rc = kvm_set_regs(vcpu, &v->cpu->r, err)))
        return rc;
    kvm_exit_plain(vcpu, result == EMU_HALT ? TRACE_HLT : TRACE_DEBUG);
    if (result == EMU_HALT)
        vcpu->exit.rip -= 1;
    else
        kvm_watch_exit(vcpu);
    return 1;
}

/*
 * KVM's emulator leaves a REP OUTS or MOVS whose last element is done at its own address, with RCX 0
 * and RF set, and goes on only when it comes there again. It is over, though, and says so here.
 */
int
kvm_end_rep(struct vcpu *vcpu, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    struct kvm_regs *regs = kvm_exit_regs(vcpu);
    struct x86_insn in;
    int rc;

    if (!(regs->rflags & FLAG_RF) || (uint16_t)regs->rcx)
        return 0;
    if ((rc = load_cpu(vcpu, true, err)))
        return rc;
    if (x86_fetch_insn(v->cpu, &in) || !(in.op->flags & OP_REP) ||
        !(in.prefixes & (PREFIX_REP | PREFIX_REPNE)) || regs->rcx & x86_size_mask(in.adsize))
        return 0;
    regs->rip += in.length;
    regs->rflags &= ~(uint64_t)FLAG_RF;
    v->state_known = false;
    if (ioctl(v->fd, KVM_SET_REGS, regs) < 0)
        return error_set(err, errno, "KVM_SET_REGS failed: %s", strerror(errno));
    return 0;
}

/* --- a step ----------------------------------------------------------------------------------- */

/* The instruction of the last exit has its answer and ends here. */
static int
step_to_end(struct vcpu *vcpu, struct error *err)
{
    int rc = kvm_finish(vcpu, err);

    if (rc && rc != -EINTR)
        return rc;
    if (rc == -EINTR || !kvm_exit_decode(vcpu))
        kvm_exit_plain(vcpu, TRACE_DEBUG);
    return 0;
}

/* Does the processor stand in the monitor's stub? */
static bool
in_stub(const struct engine_vcpu *v, uint64_t rip)
{
    struct kvm_sregs sregs;

    return v->monitor && !ioctl(v->fd, KVM_GET_SREGS, &sregs) &&
           kvm_monitor_stub_offset(rip, sregs.cs.selector) < PAGE_SIZE;
}

/* The instruction raised an exception, and the processor stands at the stub's beginning: on to its
 * port, as kvm_run() would. */
static int
leave_stub(struct vcpu *vcpu, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    int rc;

    if (!in_stub(v, v->cpu->r.rip))
        return 0;
    if ((rc = kvm_set_debug(v, false, err)))
        return rc;
    do {
        rc = kvm_enter(vcpu, err);
        if (rc == -EINTR)
            rc = kvm_monitor_interrupted(vcpu, err);
    } while (rc == -EINTR || (!rc && !kvm_exit_decode(vcpu)));
    return rc ? rc : kvm_monitor_exit(vcpu, err);
}

static int
step_processor(struct vcpu *vcpu, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    bool entering = false; /* by the stub: its steps do not count */
    int rc;

    do {
        if (v->flush) {
            entering = v->monitor;
            if ((rc = kvm_monitor_enter(vcpu, err)))
                return rc;
        }
        if ((rc = kvm_set_debug(v, true, err)))
            return rc;
        rc = kvm_enter(vcpu, err);
        if (rc == -EINTR && v->monitor)
            rc = kvm_monitor_interrupted(vcpu, err);
        if (rc == -EINTR && !kvm_interrupted_early(vcpu, KVM_NEVER)) {
            kvm_exit_plain(vcpu, TRACE_KICK);
            return 0;
        }
        if (rc == -EINTR || (!rc && !kvm_exit_decode(vcpu)))
            continue;
        if (rc || !entering || vcpu->exit.kind != TRACE_DEBUG)
            break;
        entering = in_stub(v, vcpu->exit.rip);
    } while (true);
    if (!rc && (rc = kvm_monitor_exit(vcpu, err)) == 0 && v->in_monitor)
        v->trapped_rflags = (v->trapped_rflags & ~(uint64_t)FLAG_TF) |
                            (v->cpu->r.rflags & FLAG_TF); /* it was ours */
    return rc;
}

int
kvm_step(struct vcpu *vcpu, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    int rc;

    /* 1. What the last exit left to do. */
    if (kvm_exit_answer(vcpu) || kvm_take_unread(vcpu) || kvm_still_halted(vcpu) ||
        kvm_watch_exit(vcpu))
        return 0;
    if ((rc = kvm_settle(vcpu, err)))
        return rc;
    if (kvm_take_unread(vcpu))
        return 0;
    if (v->completing)
        return step_to_end(vcpu, err);

    /* 2. What the processor cannot be stepped through. */
    if ((rc = load_cpu(vcpu, true, err)))
        return rc;
    if (is_for_interpreter(vcpu) && (rc = interpret(vcpu, err)))
        return rc < 0 ? rc : v->monitor ? leave_stub(vcpu, err) : 0;
    v->watches.hit = false;

    /* 3. All else: the processor, one instruction. */
    return step_processor(vcpu, err);
}
