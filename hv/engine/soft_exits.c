/*
 * soft_exits.c - from what stopped the interpreter to a struct vm_exit.
 *
 * Called by soft.c. Next: core/dispatch.c, which handles the exits.
 */
#include "engine/soft.h"
#include "isa/x86/operand.h"

struct vm_exit *
soft_begin_exit(struct vcpu *vcpu, enum trace_kind kind)
{
    const struct x86_cpu *cpu = &vcpu->engine->cpu;

    vcpu->exit = (struct vm_exit){.kind = kind, .rip = cpu->r.rip, .user = cpu->cpl == 3};
    return &vcpu->exit;
}

static void
exit_failure(struct vcpu *vcpu, enum trace_kind kind, const char *text)
{
    soft_begin_exit(vcpu, kind)->failure.text = text;
}

static void
exit_access(struct vcpu *vcpu, enum trace_kind kind)
{
    struct engine_vcpu *v = vcpu->engine;
    const struct x86_access *access = &v->cpu.access;
    struct vm_exit *exit = soft_begin_exit(vcpu, kind);

    exit->access.address = access->address;
    exit->access.value = access->value;
    exit->access.size = access->size;
    exit->access.write = access->write;
    if (access->write) /* the instruction has committed: rip is already behind it */
        exit->rip = v->cpu.replay.rip;
    v->completing = !access->write;
}

static void
exit_exception(struct vcpu *vcpu)
{
    const struct x86_fault *fault = &vcpu->engine->cpu.fault;
    struct vm_exit *exit = soft_begin_exit(vcpu, TRACE_EXCEPTION);

    exit->exception.vector = fault->vector;
    exit->exception.has_error = fault->has_error;
    exit->exception.error = fault->error;
    exit->exception.address = fault->address;
}

/* Arguments as KVM passes them: number in RAX, then RBX RCX RDX RSI (Linux, kvm/x86/hypercalls). */
static void
exit_hypercall(struct vcpu *vcpu)
{
    const struct x86_regs *r = &vcpu->engine->cpu.r;
    struct vm_exit *exit = soft_begin_exit(vcpu, TRACE_HYPERCALL);

    vcpu->engine->hypercall_length = vcpu->engine->cpu.insn->length;

    exit->hypercall.number = r->gpr[X86_RAX];
    exit->hypercall.args[0] = r->gpr[X86_RBX];
    exit->hypercall.args[1] = r->gpr[X86_RCX];
    exit->hypercall.args[2] = r->gpr[X86_RDX];
    exit->hypercall.args[3] = r->gpr[X86_RSI];
    exit->hypercall.args[4] = r->gpr[X86_RDI];
}

/* The register that a MOV to or from CR or DR, or LMSW and CLTS, is about. */
static void
exit_register(struct vcpu *vcpu, const struct x86_insn *in, enum trace_kind kind)
{
    const struct x86_cpu *cpu = &vcpu->engine->cpu;
    struct vm_exit *exit = soft_begin_exit(vcpu, kind);
    bool write = in->opcode == 0x122 || in->opcode == 0x123;
    bool move = write || in->opcode == 0x120 || in->opcode == 0x121;

    exit->reg.number = move ? in->operand[write ? 0 : 1].reg : 0;
    exit->reg.write = write || cpu->intercepted & INTERCEPT_CR_WRITE;
    if (write)
        exit->reg.value = cpu->r.gpr[in->operand[1].reg];
}

static void
exit_intercepted(struct vcpu *vcpu)
{
    const struct x86_cpu *cpu = &vcpu->engine->cpu;
    const struct x86_insn *in = cpu->insn;
    struct vm_exit *exit;

    switch (cpu->intercepted) {
    case INTERCEPT_CPUID:
        exit = soft_begin_exit(vcpu, TRACE_CPUID);
        exit->cpuid.leaf = (uint32_t)cpu->r.gpr[X86_RAX];
        exit->cpuid.subleaf = (uint32_t)cpu->r.gpr[X86_RCX];
        break;
    case INTERCEPT_MSR:
        exit = soft_begin_exit(vcpu, TRACE_MSR);
        exit->msr.index = (uint32_t)cpu->r.gpr[X86_RCX];
        exit->msr.write = in->opcode == 0x130;
        exit->msr.value = cpu->r.gpr[X86_RDX] << 32 | (uint32_t)cpu->r.gpr[X86_RAX];
        break;
    case INTERCEPT_CR_READ:
    case INTERCEPT_CR_WRITE: exit_register(vcpu, in, TRACE_CR); break;
    case INTERCEPT_DR: exit_register(vcpu, in, TRACE_DR); break;
    case INTERCEPT_INVLPG:
        exit = soft_begin_exit(vcpu, TRACE_INVLPG);
        exit->invlpg.address = (cpu->seg_base[in->seg] + x86_effective_address(cpu, in)) &
                               cpu->linear_mask;
        break;
    case INTERCEPT_DTABLE: exit_failure(vcpu, TRACE_DTABLE, in->op->name); break;
    case INTERCEPT_TSC: exit_failure(vcpu, TRACE_TSC, in->op->name); break;
    default: exit_failure(vcpu, TRACE_INSTRUCTION, in->op->name); break;
    }
}

/*
 * What the interpreter stopped for becomes an exit (true), or is dealt with here (false): an
 * exception that nobody intercepts is the guest's own affair.
 */
bool
soft_stopped(struct vcpu *vcpu, int result)
{
    struct engine_vcpu *v = vcpu->engine;
    struct x86_cpu *cpu = &v->cpu;

    if (result == EMU_FAULT) {
        if (cpu->intercept_exceptions >> cpu->fault.vector & 1) {
            x86_replay_reset(cpu);
            cpu->retired++; /* as below: else no time would pass in a loop of nothing but faults */
            exit_exception(vcpu);
            return true;
        }
        result = x86_deliver_fault(cpu);
        cpu->retired++;
    }
    switch (result) {
    case EMU_OK: return false;
    case EMU_IO: exit_access(vcpu, TRACE_IO); break;
    case EMU_MMIO: exit_access(vcpu, TRACE_MMIO); break;
    case EMU_HALT: soft_begin_exit(vcpu, TRACE_HLT)->rip = cpu->r.rip - 1; break;
    case EMU_HYPERCALL: exit_hypercall(vcpu); break;
    case EMU_INTERCEPT: exit_intercepted(vcpu); break;
    case EMU_SHUTDOWN: exit_failure(vcpu, TRACE_SHUTDOWN, NULL); break;
    default: exit_failure(vcpu, TRACE_UNIMPLEMENTED, cpu->unimplemented); break;
    }
    return true;
}
