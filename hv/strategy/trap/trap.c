/*
 * trap.c - strategy trap: setting up the two processors, and going from one to the other.
 *
 * Called by core/run.c through strategy_ops. Next: dispatcher.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "strategy/deprivilege.h"
#include "strategy/strategies.h"
#include "strategy/trap/trap.h"
#include "tracer/record.h"

/* --- the virtual processor's memory -------------------------------------------------------------- */

/*
 * What the guest may name by a physical address: its RAM and ROM, never the VMM's private memory.
 * Every page is watched: what the interpreter writes may be a guest's page table, or code that
 * the engine keeps decoded.
 */
static struct x86_page
virtual_page(void *ctx, uint64_t gpa)
{
    struct trap *trap = ctx;
    struct x86_page page = {.watched = true};

    if (gpa < RAM_PRIVATE || gpa - RAM_PRIVATE >= RAM_PRIVATE_MAX)
        page.host = ram_page(&trap->vcpu->vm->ram, gpa & ~UINT64_C(0xfff), &page.writable);
    return page;
}

static void
virtual_written(void *ctx, uint64_t gpa, unsigned len)
{
    struct trap *trap = ctx;

    shadow_written(&trap->shadow, gpa, len);
    ram_written(&trap->vcpu->vm->ram, gpa, len);
}

static uint64_t
virtual_tsc(void *ctx)
{
    struct trap *trap = ctx;

    return trap->vcpu->vm->engine_ops->time(trap->vcpu);
}

/* --- from one processor to the other ---------------------------------------------------------------- */

enum shadow_view
trap_view(const struct trap *trap)
{
    const struct x86_regs *r = &trap->cpu.r;

    if (trap->cpu.cpl == 3)
        return SHADOW_USER;
    return r->cr4 & CR4_SMAP && r->rflags & FLAG_AC ? SHADOW_KERNEL_AC : SHADOW_KERNEL;
}

int
trap_sync(struct trap *trap, struct error *err)
{
    struct x86_regs real;
    const struct engine_ops *engine = trap->vcpu->vm->engine_ops;

    /* What the engine looks for for a debugger, it is told without a word to us. */
    if (trap->cpu.watches && trap->cpu.watches->count)
        x86_tlb_slow(&trap->cpu, true);
    if (trap->synced)
        return 0;
    int rc = engine->get_regs(trap->vcpu, &real, err);
    if (rc)
        return rc;
    deprivilege_readback(&trap->cpu.r, &real);
    trap->cpu.rep_retired = 0; /* the real processor may have gone on: its RF tells */
    x86_update_mode(&trap->cpu);
    trap->synced = true;
    return 0;
}

/* The bits that decide what a guest's entry allows: when they change, no shadow entry is true. */
static uint64_t
access_rules(const struct x86_regs *r)
{
    return (r->cr0 & CR0_WP) | (r->cr4 & (CR4_SMEP | CR4_SMAP)) | (r->efer & EFER_NXE);
}

int
trap_enter(struct trap *trap, struct error *err)
{
    const struct engine_ops *engine = trap->vcpu->vm->engine_ops;
    struct x86_regs real;
    uint64_t root;

    if (!x86_is_64bit(&trap->cpu))
        return error_set(err, ENOTSUP,
                         "strategy trap runs 64-bit code only, and the guest has left 64-bit mode: "
                         "use --strategy hardware");
    if (trap->rules != access_rules(&trap->cpu.r)) {
        trap->rules = access_rules(&trap->cpu.r);
        shadow_drop(&trap->shadow);
    }
    root = shadow_root(&trap->shadow, trap->cpu.r.cr3, trap_view(trap));
    deprivilege_regs(&real, &trap->cpu.r, root);
    int rc = engine->set_regs(trap->vcpu, &real, err);
    if (rc)
        return rc;
    if (trap->shadow.stale)
        engine->flush_tlb(trap->vcpu);
    trap->shadow.stale = false;
    trap->synced = false;
    return 0;
}

/* --- strategy_ops ------------------------------------------------------------------------------------- */

static int
trap_prepare(struct vm *vm, struct error *err)
{
    return deprivilege_prepare(vm, (uint64_t)SHADOW_TABLES * PAGE_SIZE, err);
}

static void
trap_detach(struct vcpu *vcpu)
{
    struct trap *trap = trap_of(vcpu);

    if (!trap)
        return;
    shadow_close(&trap->shadow);
    free(trap);
    vcpu->strategy_state = NULL;
}

static int
open_virtual(struct trap *trap, struct error *err)
{
    struct vm *vm = trap->vcpu->vm;
    struct x86_cpu *cpu = &trap->cpu;

    x86_cpu_init(cpu);
    cpu->mem.ctx = cpu->hooks.ctx = trap;
    cpu->mem.page = virtual_page;
    cpu->mem.written = virtual_written;
    cpu->hooks.tsc = virtual_tsc;
    cpu->watches = trap->vcpu->watches;
    int rc = vm->engine_ops->get_regs(trap->vcpu, &cpu->r, err);
    if (rc)
        return rc;
    x86_update_mode(cpu);
    trap->synced = true;
    return shadow_open(&trap->shadow, &vm->ram, vm->ram.private_host + MONITOR_END,
                       RAM_PRIVATE + MONITOR_END, err);
}

static int
trap_attach(struct vcpu *vcpu, struct error *err)
{
    struct trap *trap = aligned_alloc(64, (sizeof(*trap) + 63) / 64 * 64);
    int rc;

    if (!trap)
        return error_set(err, ENOMEM, "no memory for the virtual processor");
    memset(trap, 0, sizeof(*trap));
    trap->vcpu = vcpu;
    vcpu->strategy_state = trap;
    rc = open_virtual(trap, err);
    if (!rc && !x86_is_64bit(&trap->cpu))
        rc = error_set(err, ENOTSUP,
                       "strategy trap starts 64-bit guests (ELF64): this one starts in another "
                       "mode; use --strategy hardware");
    if (!rc)
        rc = deprivilege_attach(vcpu, err);
    if (!rc)
        rc = trap_enter(trap, err);
    if (rc)
        trap_detach(vcpu);
    else if (vcpu->vm->recorder)
        trap->shadow_actor = recorder_actor(vcpu->vm->recorder, "shadow paging", TRACE_VMM);
    return rc;
}

static enum strategy_verdict
trap_on_exit(struct vcpu *vcpu, struct run_result *result)
{
    struct trap *trap = trap_of(vcpu);

    result->end = RUN_FAILED;
    if (vcpu->exit.kind == TRACE_INSTRUCTION) {
        error_set(&result->message, EPROTO,
                  "a privileged instruction was executed for real at rip %#" PRIx64
                  ": the guest is not deprivileged",
                  vcpu->exit.rip);
        return STRATEGY_END;
    }
    if (vcpu->exit.kind != TRACE_EXCEPTION)
        return STRATEGY_PASS;
    if (trap_sync(trap, &result->message) || !trap_dispatch(trap, result))
        return STRATEGY_END;
    int rc = trap_enter(trap, &result->message);
    if (rc) {
        result->end = rc == -ENOTSUP ? RUN_REFUSED : RUN_FAILED;
        return STRATEGY_END;
    }
    return STRATEGY_HANDLED;
}

/* The guest's own interrupt flag decides, not the real one, which is always set. */
static bool
trap_can_inject(struct vcpu *vcpu)
{
    const struct x86_regs *r = &trap_of(vcpu)->cpu.r;

    return r->rflags & FLAG_IF && !r->shadow;
}

static int
trap_inject(struct vcpu *vcpu, uint8_t vector, struct error *err)
{
    struct trap *trap = trap_of(vcpu);
    struct run_result result = {0};
    int rc = trap_sync(trap, err);

    if (rc)
        return rc;
    trap->interrupts++;
    if (!trap_finish(trap, x86_deliver_interrupt(&trap->cpu, vector), &result))
        return error_set(err, result.end == RUN_SHUTDOWN ? ESHUTDOWN : EIO,
                         "handing interrupt %u to the guest: %s", vector, result.message.message);
    return trap_enter(trap, err);
}

static bool
trap_in_user(struct vcpu *vcpu)
{
    return trap_of(vcpu)->cpu.cpl == 3;
}

static void
trap_describe(struct vcpu *vcpu, char *text, size_t size)
{
    const struct trap *t = trap_of(vcpu);
    const struct x86_regs *r = &t->cpu.r;

    snprintf(text, size,
             "virtual CPL %u, IF %u, CR0 %#" PRIx64 ", CR3 %#" PRIx64 ", CR4 %#" PRIx64 "\n"
             "interpreted %" PRIu64 ", page-table writes %" PRIu64
             ", shadow entries filled %" PRIu64 ", device accesses by memory %" PRIu64 "\n"
             "faults handed to the guest %" PRIu64 ", interrupts %" PRIu64 "\n"
             "shadow tables %u of %u (at most %u), entries dropped %" PRIu64
             ", all dropped %" PRIu64 " times\n",
             t->cpu.cpl, r->rflags & FLAG_IF ? 1u : 0u, r->cr0, r->cr3, r->cr4,
             t->causes[TRAP_PRIVILEGED], t->causes[TRAP_PTEMOD], t->shadow.fills,
             t->causes[TRAP_DEVICE], t->causes[TRAP_REFLECTED], t->interrupts, t->shadow.used,
             SHADOW_TABLES - 1, t->shadow.most_used, t->shadow.drops, t->shadow.resets);
}

/* --- for a debugger --------------------------------------------------------------------------------- */

/* The virtual processor. Nothing of ours changes: the guest may go on from a stop without an entry. */
static int
trap_get_regs(struct vcpu *vcpu, struct x86_regs *regs, struct error *err)
{
    const struct trap *trap = trap_of(vcpu);
    struct x86_regs real;

    *regs = trap->cpu.r;
    if (trap->synced)
        return 0;
    int rc = vcpu->vm->engine_ops->get_regs(vcpu, &real, err);
    if (!rc)
        deprivilege_readback(regs, &real);
    return rc;
}

static int
trap_set_regs(struct vcpu *vcpu, const struct x86_regs *regs, struct error *err)
{
    struct trap *trap = trap_of(vcpu);
    struct x86_cpu *cpu = &trap->cpu;
    const char *why = x86_regs_invalid(regs);

    if (why)
        return error_set(err, EINVAL, "the processor cannot be in this state: %s", why);
    if (!(regs->efer & EFER_LMA) || !(regs->seg[X86_CS].attr & SEG_L) || !x86_canonical(regs->rip))
        return error_set(
            err, EINVAL,
            "strategy trap runs 64-bit code only: leave EFER.LMA, CS.L and a canonical "
            "RIP as they are, or use --strategy hardware");
    cpu->r = *regs;
    cpu->attention = 0;
    cpu->rep_retired = 0;
    x86_replay_reset(cpu);
    x86_tlb_flush_all(cpu);
    x86_update_mode(cpu);
    trap->synced = true;
    return trap_enter(trap, err);
}

/* As a store by the guest itself would, which traps ("ptemod"). The caller flushes the TLB. */
static int
trap_before_write(struct vcpu *vcpu, uint64_t gpa, size_t size, struct error *err)
{
    (void)err;
    shadow_written(&trap_of(vcpu)->shadow, gpa, (unsigned)size);
    x86_tlb_flush_all(&trap_of(vcpu)->cpu);
    return 0;
}

/* The virtual processor with its TLB, and the shadows: which of their entries exist decides which
 * exits come. */
static unsigned
trap_state(struct vcpu *vcpu, struct state_part *parts)
{
    struct trap *trap = trap_of(vcpu);
    struct x86_cpu *cpu = &trap->cpu;

    parts[0] = state_between(&cpu->r, &cpu->mode, false);
    parts[1] = state_between(&cpu->mode, cpu + 1, true);
    parts[2] = state_between(&trap->shadow, &trap->shadow + 1, true);
    parts[3] = state_between(&trap->synced, trap + 1, true);
    return 4 + shadow_state(&trap->shadow, parts + 4);
}

/* Its TLB may be older than the points to stop at. */
static void
trap_restored(struct vcpu *vcpu)
{
    struct x86_cpu *cpu = &trap_of(vcpu)->cpu;

    x86_tlb_slow(cpu, true);
    cpu->insn = &cpu->fetched;
}

const struct strategy_ops strategy_trap = {
    .abi = STRATEGY_ABI,
    .name = "trap",
    .summary = "trap-and-emulate: the unmodified kernel runs at CPL 3, on shadow page tables",
    .needs = CAP_GUEST_KERNEL | CAP_DEPRIVILEGE,
    .prepare = trap_prepare,
    .attach = trap_attach,
    .detach = trap_detach,
    .on_exit = trap_on_exit,
    .can_inject = trap_can_inject,
    .inject = trap_inject,
    .in_user = trap_in_user,
    .describe = trap_describe,
    .get_regs = trap_get_regs,
    .set_regs = trap_set_regs,
    .before_write = trap_before_write,
    .state = trap_state,
    .restored = trap_restored,
};
