/*
 * vmm.c - see vmm.h. Given; nothing is to be filled in here. It is strategy `trap` of hv
 * (hv/strategy/trap) without its shadow paging, and as short as it can be. Read it from the end:
 * hv_strategy, vmm_on_exit, vmm_interpret.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "strategy/deprivilege.h"
#include "strategy/strategy.h"
#include "vmm.h"

/* One instruction may need several turns: device reads, an exception, the one behind STI. */
#define TURNS_MAX 200

static struct vmm *
vmm_of(struct vcpu *vcpu)
{
    return vcpu->strategy_state;
}

/* --- the virtual processor's memory -------------------------------------------------------------- */

bool
vmm_is_memory(struct vmm *vmm, uint64_t gpa, bool *writable)
{
    return (gpa < RAM_PRIVATE || gpa - RAM_PRIVATE >= RAM_PRIVATE_MAX) &&
           ram_page(&vmm->vcpu->vm->ram, gpa & ~UINT64_C(0xfff), writable);
}

/* Every page is watched: what is written may be a page table, or code that the engine has decoded. */
static struct x86_page
virtual_page(void *ctx, uint64_t gpa)
{
    struct vmm *vmm = ctx;
    struct x86_page page = {.watched = true};

    if (gpa < RAM_PRIVATE || gpa - RAM_PRIVATE >= RAM_PRIVATE_MAX)
        page.host = ram_page(&vmm->vcpu->vm->ram, gpa & ~UINT64_C(0xfff), &page.writable);
    return page;
}

static void
virtual_written(void *ctx, uint64_t gpa, unsigned len)
{
    struct vmm *vmm = ctx;

    if (vmm_parts.written)
        vmm_parts.written(vmm, gpa, len);
    ram_written(&vmm->vcpu->vm->ram, gpa, len);
}

static uint64_t
virtual_tsc(void *ctx)
{
    struct vmm *vmm = ctx;

    return vmm->vcpu->vm->engine_ops->time(vmm->vcpu);
}

uint64_t
vmm_operand(const struct vmm *vmm, const struct x86_insn *in)
{
    const struct x86_regs *r = &vmm->cpu.r;
    uint64_t at = (uint64_t)(int64_t)in->disp;

    if (in->base == X86_RIP)
        at += r->rip + in->length;
    else if (in->base != X86_NO_REG)
        at += r->gpr[in->base];
    if (in->index != X86_NO_REG)
        at += r->gpr[in->index] << in->scale;
    if (in->adsize == 4)
        at = (uint32_t)at;
    return at + (in->seg == X86_FS || in->seg == X86_GS ? r->seg[in->seg].base : 0);
}

/* --- from one processor to the other ---------------------------------------------------------------- */

static int
sync_regs(struct vmm *vmm, struct error *err)
{
    struct x86_regs real;

    if (vmm->synced)
        return 0;
    int rc = vmm->vcpu->vm->engine_ops->get_regs(vmm->vcpu, &real, err);
    if (rc)
        return rc;
    deprivilege_readback(&vmm->cpu.r, &real);
    vmm->cpu.rep_retired = 0;
    x86_update_mode(&vmm->cpu);
    vmm->synced = true;
    return 0;
}

static int
enter(struct vmm *vmm, struct error *err)
{
    const struct engine_ops *engine = vmm->vcpu->vm->engine_ops;
    struct x86_regs real;

    if (!x86_is_64bit(&vmm->cpu))
        return error_set(err, ENOTSUP, "this VMM runs 64-bit code only");
    deprivilege_regs(&real, &vmm->cpu.r, vmm_parts.root(vmm));
    int rc = engine->set_regs(vmm->vcpu, &real, err);
    if (rc)
        return rc;
    if (vmm->stale)
        engine->flush_tlb(vmm->vcpu);
    vmm->stale = false;
    vmm->synced = false;
    return 0;
}

/* --- one instruction, to its end ---------------------------------------------------------------------- */

bool
vmm_fail(struct run_result *result, const char *sentence)
{
    result->end = RUN_FAILED;
    error_set(&result->message, EPROTO, "%s", sentence);
    return false;
}

/* The allocator answers for a port or a device's memory. */
static void
serve_access(struct vmm *vmm)
{
    const struct x86_access *a = &vmm->cpu.access;
    uint64_t value = vm_access(vmm->vcpu->vm, vmm->vcpu, a->port ? BUS_PORT : BUS_MMIO, a->address,
                               a->size, a->write, a->value);

    if (!a->write)
        x86_complete_read(&vmm->cpu, value);
}

int
vmm_not_yet(struct vmm *vmm, const char *what)
{
    vmm->cpu.unimplemented = what;
    return EMU_UNIMPLEMENTED;
}

/* The lab's routine, or the interpreter. */
static int
one(struct vmm *vmm)
{
    struct x86_insn in;

    vmm->interprets++;
    if (!vmm_parts.emulate)
        return x86_emulate_one(&vmm->cpu);
    int emu = x86_fetch_insn(&vmm->cpu, &in);
    return emu ? emu : vmm_parts.emulate(vmm, &in);
}

/* A device was asked: on with the instruction. */
static int
go_on(struct vmm *vmm)
{
    struct x86_cpu *cpu = &vmm->cpu;

    serve_access(vmm);
    if (cpu->access.write && cpu->replay.written >= cpu->replay.writes)
        return cpu->attention & ATTENTION_TRAP ? x86_emulate_one(cpu) : EMU_OK;
    return cpu->delivering ? x86_deliver_fault(cpu) : x86_emulate_one(cpu);
}

static bool
finish(struct vmm *vmm, int emu, struct run_result *result)
{
    struct x86_cpu *cpu = &vmm->cpu;
    char sentence[160];
    bool shadowed = false;

    for (unsigned turn = 0; turn < TURNS_MAX; turn++) {
        switch (emu) {
        case EMU_OK:
            /* STI holds interrupts off for one more instruction (SDM vol. 3, 6.8.3), but of two STIs
             * in a row only the first does: that one is carried out here as well. */
            if (!cpu->r.shadow || shadowed) {
                cpu->r.shadow = 0;
                return true;
            }
            shadowed = true;
            cpu->r.shadow = 0;
            emu = one(vmm);
            break;
        case EMU_HALT:
            cpu->r.shadow = 0;
            vmm->vcpu->halted = true;
            return true;
        case EMU_IO:
        case EMU_MMIO: emu = go_on(vmm); break;
        case EMU_FAULT: emu = x86_deliver_fault(cpu); break;
        case EMU_SHUTDOWN:
            result->end = RUN_SHUTDOWN;
            error_set(&result->message, EFAULT,
                      "triple fault on the virtual processor at rip %#" PRIx64, cpu->r.rip);
            return false;
        case EMU_UNIMPLEMENTED:
            snprintf(sentence, sizeof(sentence), "%s is not written yet; the guest needs it at rip %#" PRIx64,
                     cpu->unimplemented, cpu->r.rip);
            return vmm_fail(result, sentence);
        default: return vmm_fail(result, "the interpreter stopped for an unknown reason");
        }
    }
    return vmm_fail(result, "one instruction of the guest did not come to an end");
}

bool
vmm_interpret(struct vmm *vmm, struct run_result *result)
{
    struct vm *vm = vmm->vcpu->vm;
    uint64_t rip = vmm->cpu.r.rip;

    if (vm->recorder)
        vm_record_call(vm, vmm->vcpu, TRACE_CALL, TRACE_ACTOR_INTERPRETER, rip, 0, 0, false);
    bool ok = finish(vmm, one(vmm), result);
    if (vm->recorder)
        vm_record_call(vm, vmm->vcpu, TRACE_RETURN, TRACE_ACTOR_INTERPRETER, rip, 0, 0, false);
    return ok;
}

bool
vmm_reflect(struct vmm *vmm, struct run_result *result)
{
    return finish(vmm, EMU_FAULT, result);
}

/* --- strategy_ops ------------------------------------------------------------------------------------- */

static int
vmm_prepare(struct vm *vm, struct error *err)
{
    return deprivilege_prepare(vm, (uint64_t)POOL_PAGES * PAGE_SIZE, err);
}

static void
vmm_detach(struct vcpu *vcpu)
{
    struct vmm *vmm = vmm_of(vcpu);

    if (vmm && vmm_parts.report)
        vmm_parts.report(vmm);
    free(vmm);
    vcpu->strategy_state = NULL;
}

static int
vmm_attach(struct vcpu *vcpu, struct error *err)
{
    struct vmm *vmm = aligned_alloc(64, (sizeof(*vmm) + 63) / 64 * 64);
    struct vm *vm = vcpu->vm;

    if (!vmm)
        return error_set(err, ENOMEM, "no memory for the virtual processor");
    memset(vmm, 0, sizeof(*vmm));
    vcpu->strategy_state = vmm;
    vmm->vcpu = vcpu;
    vmm->pool = vm->ram.private_host + MONITOR_END;
    vmm->pool_gpa = RAM_PRIVATE + MONITOR_END;
    x86_cpu_init(&vmm->cpu);
    vmm->cpu.mem.ctx = vmm->cpu.hooks.ctx = vmm;
    vmm->cpu.mem.page = virtual_page;
    vmm->cpu.mem.written = virtual_written;
    vmm->cpu.hooks.tsc = virtual_tsc;
    int rc = vm->engine_ops->get_regs(vcpu, &vmm->cpu.r, err);
    if (!rc) {
        x86_update_mode(&vmm->cpu);
        vmm->synced = true;
        rc = deprivilege_attach(vcpu, err);
    }
    if (!rc)
        rc = vmm_parts.open(vmm, err);
    if (!rc)
        rc = enter(vmm, err);
    if (rc) {
        free(vmm);
        vcpu->strategy_state = NULL;
    }
    return rc;
}

/* The dispatcher: an exception of the real processor is the only thing that can come. */
static enum strategy_verdict
vmm_on_exit(struct vcpu *vcpu, struct run_result *result)
{
    struct vmm *vmm = vmm_of(vcpu);
    const struct vm_exit *exit = &vcpu->exit;
    bool ok;

    if (exit->kind != TRACE_EXCEPTION)
        return STRATEGY_PASS;
    result->end = RUN_FAILED;
    if (sync_regs(vmm, &result->message))
        return STRATEGY_END;
    vmm->cpu.r.shadow = 0; /* an instruction has run since */
    if (exit->exception.vector == VEC_PF)
        ok = vmm_parts.page_fault(vmm, exit->exception.address, exit->exception.error, result);
    else
        ok = vmm_interpret(vmm, result);
    return ok && !enter(vmm, &result->message) ? STRATEGY_HANDLED : STRATEGY_END;
}

/* The guest's own interrupt flag decides, not the real one, which is always set. */
static bool
vmm_can_inject(struct vcpu *vcpu)
{
    const struct x86_regs *r = &vmm_of(vcpu)->cpu.r;

    return r->rflags & FLAG_IF && !r->shadow;
}

static int
vmm_inject(struct vcpu *vcpu, uint8_t vector, struct error *err)
{
    struct vmm *vmm = vmm_of(vcpu);
    struct run_result result = {0};
    int rc = sync_regs(vmm, err);

    if (rc)
        return rc;
    if (!finish(vmm, x86_deliver_interrupt(&vmm->cpu, vector), &result))
        return error_set(err, result.end == RUN_SHUTDOWN ? ESHUTDOWN : EIO, "interrupt %u: %s",
                         vector, result.message.message);
    return enter(vmm, err);
}

static bool
vmm_in_user(struct vcpu *vcpu)
{
    return vmm_of(vcpu)->cpu.cpl == 3;
}

/* hv debug shows the virtual processor. */
static int
vmm_get_regs(struct vcpu *vcpu, struct x86_regs *regs, struct error *err)
{
    const struct vmm *vmm = vmm_of(vcpu);
    struct x86_regs real;

    *regs = vmm->cpu.r;
    if (vmm->synced)
        return 0;
    int rc = vcpu->vm->engine_ops->get_regs(vcpu, &real, err);
    if (!rc)
        deprivilege_readback(regs, &real);
    return rc;
}

const struct strategy_ops hv_strategy = {
    .abi = STRATEGY_ABI,
    .name = "lab",
    .summary = "trap-and-emulate, a part of it by the student",
    .needs = CAP_GUEST_KERNEL | CAP_DEPRIVILEGE,
    .prepare = vmm_prepare,
    .attach = vmm_attach,
    .detach = vmm_detach,
    .on_exit = vmm_on_exit,
    .can_inject = vmm_can_inject,
    .inject = vmm_inject,
    .in_user = vmm_in_user,
    .get_regs = vmm_get_regs,
};
