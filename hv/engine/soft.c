/*
 * soft.c - the soft engine: a loop over the interpreter of hv/isa/x86.
 *
 * Its clock is the number of retired instructions, one nanosecond each, plus the time that HLT
 * jumped over: the same guest with the same input takes the same steps, always. It honours
 * intercepts as SVM does (APM vol. 2, 15.9) and stops at the same points as engine kvm.
 *
 * Called through engine_ops by core/run.c. Next: soft_cache.c, then isa/x86/emulate.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/engines.h"
#include "engine/soft.h"
#include "tracer/record.h"

/* How many instructions run between two looks at `kicked`. */
#define KICK_INTERVAL 65536

static uint64_t
soft_time(struct vcpu *vcpu)
{
    return vcpu->engine->cpu.retired + vcpu->engine->idle;
}

static uint64_t
soft_icount(struct vcpu *vcpu)
{
    return vcpu->engine->cpu.retired;
}

/* --- hooks of the interpreter ----------------------------------------------------------------- */

static uint64_t
guest_tsc(void *ctx)
{
    struct engine_vcpu *v = ctx;

    return v->cpu.retired + v->idle;
}

/* --trace-guest: a transfer inside the guest, which is no exit. */
static void
guest_transfer(void *ctx, enum x86_transfer what, unsigned vector, unsigned from_cpl)
{
    static const enum trace_kind kinds[] = {
        [X86_T_SYSCALL] = TRACE_SYSCALL,     [X86_T_SYSRET] = TRACE_SYSRET,
        [X86_T_INTERRUPT] = TRACE_INTERRUPT, [X86_T_EXCEPTION] = TRACE_GUEST_FAULT,
        [X86_T_IRET] = TRACE_IRET,
    };
    struct engine_vcpu *v = ctx;
    const struct x86_cpu *cpu = &v->cpu;

    if (!v->vm->recorder)
        return;
    struct trace_event *e = recorder_begin(v->vm->recorder);
    e->kind = kinds[what];
    e->from = from_cpl == 3 ? TRACE_ACTOR_GUEST_USER : TRACE_ACTOR_GUEST_KERNEL;
    e->to = cpu->cpl == 3 ? TRACE_ACTOR_GUEST_USER : TRACE_ACTOR_GUEST_KERNEL;
    e->rip = cpu->r.rip;
    e->icount = cpu->retired;
    e->address = vector;
    if (what == X86_T_SYSCALL) { /* the Linux convention: number in RAX, first argument in RDI */
        e->address = cpu->r.gpr[X86_RAX];
        e->value = cpu->r.gpr[X86_RDI];
    } else if (what == X86_T_SYSRET) {
        e->value = cpu->r.gpr[X86_RAX];
    } else if (what == X86_T_EXCEPTION) {
        e->value = vector == VEC_PF ? cpu->r.cr2 : cpu->fault.error;
        e->flags = cpu->fault.has_error ? TRACE_ERROR : 0;
        e->extra = (uint8_t)cpu->fault.error;
    }
    recorder_commit(v->vm->recorder);
}

/* --- open and close --------------------------------------------------------------------------- */

static void
soft_close(struct vm *vm)
{
    struct engine_vcpu *v = vm->vcpu[0].engine;

    if (!v)
        return;
    soft_cache_close(&v->cache);
    vm->ram.on_write = NULL;
    vm->ram.on_clean = NULL;
    free(v);
    vm->vcpu[0].engine = NULL;
    vm->vcpu[0].watches = NULL;
    vm->engine = NULL;
}

static int
soft_open(struct vm *vm, struct error *err)
{
    struct engine_vcpu *v = aligned_alloc(64, (sizeof(*v) + 63) / 64 * 64);

    if (!v)
        return error_set(err, ENOMEM, "no memory for a virtual CPU");
    memset(v, 0, sizeof(*v));
    v->vm = vm;
    x86_cpu_init(&v->cpu);
    int rc = soft_cache_open(&v->cache, &vm->ram, err);
    if (rc) {
        free(v);
        return rc;
    }
    soft_cache_connect(v);
    v->cpu.watches = vm->vcpu[0].watches = &v->stops.watches;
    v->cpu.hooks.ctx = v;
    v->cpu.hooks.tsc = guest_tsc;
    v->cpu.hooks.transfer = vm->trace_guest ? guest_transfer : NULL;
    vm->vcpu[0].engine = v;
    /* One vcpu: the engine keeps nothing per machine, but a machine with an engine must say so. */
    vm->engine = (struct engine_vm *)v;
    return 0;
}

/* --- registers -------------------------------------------------------------------------------- */

static int
soft_get_regs(struct vcpu *vcpu, struct x86_regs *regs, struct error *err)
{
    (void)err;
    *regs = vcpu->engine->cpu.r;
    /* As VT-x saves it: what a strategy hands over here pushes RF (SDM vol. 3, 27.3.3). */
    if (x86_between_iterations(&vcpu->engine->cpu))
        regs->rflags |= FLAG_RF;
    return 0;
}

/* Does memory look different with these registers? */
static bool
translation_differs(const struct x86_regs *a, const struct x86_regs *b)
{
    return a->cr0 != b->cr0 || a->cr3 != b->cr3 || a->cr4 != b->cr4 || a->efer != b->efer ||
           memcmp(a->pdpte, b->pdpte, sizeof(a->pdpte)) || memcmp(a->dr, b->dr, sizeof(a->dr));
}

static int
soft_set_regs(struct vcpu *vcpu, const struct x86_regs *regs, struct error *err)
{
    struct x86_cpu *cpu = &vcpu->engine->cpu;
    const char *why = x86_regs_invalid(regs);

    if (why)
        return error_set(err, EINVAL, "the processor cannot be in this state: %s", why);
    bool remap = translation_differs(&cpu->r, regs);
    cpu->r = *regs;
    cpu->attention = 0;
    cpu->rep_retired = 0; /* RF says it, if it was so */
    x86_replay_reset(cpu);
    if (remap)
        x86_tlb_flush_all(cpu);
    x86_update_mode(cpu);
    vcpu->engine->result = EMU_OK;
    vcpu->engine->completing = false;
    vcpu->engine->hypercall_length = 0;
    return 0;
}

/* --- running ---------------------------------------------------------------------------------- */

static bool
soft_can_inject(struct vcpu *vcpu)
{
    const struct engine_vcpu *v = vcpu->engine;
    const struct x86_cpu *cpu = &v->cpu;

    /* Between two instructions only: not while a device's answer is awaited, nor before a trap. */
    return cpu->r.rflags & FLAG_IF && !cpu->r.shadow && !v->injecting && !v->completing &&
           v->result == EMU_OK && !cpu->delivering &&
           !(cpu->attention & (ATTENTION_REPLAY | ATTENTION_TRAP));
}

static int
soft_inject(struct vcpu *vcpu, uint8_t vector, struct error *err)
{
    (void)err;
    vcpu->engine->injecting = true;
    vcpu->engine->vector = vector;
    return 0;
}

/* What the last exit left to do before the next instruction. EMU_OK, or what stopped it again. */
static int
resume(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;
    struct x86_cpu *cpu = &v->cpu;
    int result = v->result;

    v->result = EMU_OK;
    if (v->completing) {
        v->completing = false;
        x86_complete_read(cpu, vcpu->exit.access.value);
    } else if (v->hypercall_length) {
        cpu->r.gpr[X86_RAX] = vcpu->exit.hypercall.result;
        cpu->r.rip += v->hypercall_length;
        cpu->retired++;
        v->hypercall_length = 0;
    }
    if (result)
        return result;
    if (cpu->delivering)
        return x86_deliver_fault(cpu);
    if (v->injecting) {
        v->injecting = false;
        if (x86_between_iterations(cpu)) { /* before its delivery counts */
            cpu->r.rflags |= FLAG_RF;
            x86_update_mode(cpu);
        }
        cpu->retired++;
        return x86_deliver_interrupt(cpu, v->vector);
    }
    return EMU_OK;
}

/* One instruction on the careful path, decoded by the cache where possible. */
static int
step_carefully(struct engine_vcpu *v)
{
    return x86_emulate_one(&v->cpu);
}

/*
 * The hot loop: cached instructions, one after the other, while retired < run_until. Returns EMU_OK,
 * or what stopped an instruction.
 *
 * rip is kept in a variable beside r.rip: where most instructions go next is known without asking
 * memory, and the host's processor can look ahead. base and mask can only change together with
 * cpu->fetch.page (x86_update_mode).
 */
static int
run_cached(struct engine_vcpu *v)
{
    struct x86_cpu *cpu = &v->cpu;
    struct soft_slot *slots = v->cache.slot;
    uint64_t rip = cpu->r.rip, base = cpu->seg_base[X86_CS], mask = cpu->linear_mask;

    while (cpu->retired < cpu->run_until) {
        uint64_t linear = (base + rip) & mask, at = linear & 0xfff;
        uint64_t tag = cpu->fetch.tag + (at << SOFT_TAG_ADDRESS);
        const struct soft_slot *slot = &slots[(cpu->fetch.gpa + at) % SOFT_SLOTS];
        const struct x86_insn *in = &slot->insn;

        if (cpu->fetch.page != linear >> 12 || slot->tag != tag) {
            base = cpu->seg_base[X86_CS];
            mask = cpu->linear_mask;
            TRY(soft_cache_miss(v, (base + rip) & mask, &in));
            if (in->careful)
                return step_carefully(v);
        }
        uint64_t next = (rip + in->length) & mask;
        cpu->next_rip = next;
        int result = in->exec(cpu, in);
        if (result) {
            cpu->insn = in;
            cpu->replay.writes = 0; /* not committed: nothing leaves */
            return result;
        }
        if (cpu->next_rip != next) /* it was a branch */
            next = cpu->next_rip;
        cpu->r.rip = rip = next;
        cpu->retired++;
    }
    return EMU_OK;
}

/* An instruction, or the delivery of an event, ended so. True: that is an exit. */
static bool
is_exit(struct vcpu *vcpu, int result)
{
    if (result == SOFT_STOP) {
        soft_exit_stop(vcpu);
        return true;
    }
    if (result) {
        soft_watch_result(vcpu->engine, result);
        if (soft_stopped(vcpu, result))
            return true;
    }
    return soft_exit_watch(vcpu);
}

/* Did the owner ask to be told that an interrupt can go in, and it can? */
static bool
is_window(struct vcpu *vcpu)
{
    return vcpu->engine->cpu.attention & ATTENTION_WINDOW && soft_can_inject(vcpu);
}

/* Runs until retired == stop (false), or an exit (true). */
static bool
run_until(struct vcpu *vcpu, uint64_t stop)
{
    struct engine_vcpu *v = vcpu->engine;
    struct x86_cpu *cpu = &v->cpu;

    while (cpu->retired < stop) {
        if (is_window(vcpu)) {
            soft_begin_exit(vcpu, TRACE_INTR_WINDOW);
            return true;
        }
        cpu->run_until = stop;
        int result = !cpu->attention      ? run_cached(v)
                     : soft_stops_here(v) ? SOFT_STOP
                                          : step_carefully(v);
        if (is_exit(vcpu, result))
            return true;
    }
    return false;
}

/* Does the run loop want to know when an interrupt can go in? */
static void
watch_window(struct x86_cpu *cpu, bool wanted)
{
    if (cpu->window != wanted) {
        cpu->window = wanted;
        x86_update_mode(cpu);
    }
}

static int
soft_run(struct vcpu *vcpu, uint64_t deadline, uint64_t budget, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    struct x86_cpu *cpu = &v->cpu;
    uint64_t limit = budget < UINT64_MAX - cpu->retired ? cpu->retired + budget : UINT64_MAX;
    uint64_t due = deadline == UINT64_MAX ? UINT64_MAX
                   : deadline > v->idle   ? deadline - v->idle
                                          : 0;
    uint64_t stop = due < limit ? due : limit;

    (void)err;
    int result = resume(vcpu);
    watch_window(cpu, vcpu->window_requested);
    if (is_exit(vcpu, result))
        return 0;
    while (cpu->retired < stop && !v->kicked) {
        uint64_t chunk = cpu->retired + KICK_INTERVAL;
        if (run_until(vcpu, chunk < stop ? chunk : stop))
            return 0;
    }
    soft_begin_exit(vcpu, v->kicked || cpu->retired < limit ? TRACE_KICK : TRACE_LIMIT);
    v->kicked = 0;
    return 0;
}

static int
soft_step(struct vcpu *vcpu, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;

    (void)err;
    /* What is left of the last instruction, or comes before the next one: that is this step. */
    bool event = v->injecting || v->result != EMU_OK || v->cpu.delivering || v->hypercall_length;
    int result = resume(vcpu);
    watch_window(&v->cpu, vcpu->window_requested);
    if (is_exit(vcpu, result))
        return 0;
    if (is_window(vcpu) && !event)
        soft_begin_exit(vcpu, TRACE_INTR_WINDOW);
    else if (event || !is_exit(vcpu, step_carefully(v)))
        soft_begin_exit(vcpu, TRACE_DEBUG);
    return 0;
}

/* Once more, without intercepts. How it ended is taken up by the next run: a fault is delivered, a
 * device access becomes an exit of its own. */
static int
soft_emulate(struct vcpu *vcpu, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    uint32_t intercepts = v->cpu.intercepts;

    (void)err;
    v->cpu.intercepts &= INTERCEPT_HYPERCALL;
    v->result = step_carefully(v);
    soft_watch_result(v, v->result);
    v->cpu.intercepts = intercepts;
    return 0;
}

static int
soft_intercept(struct vcpu *vcpu, uint32_t instructions, uint32_t exceptions, struct error *err)
{
    (void)err;
    vcpu->engine->cpu.intercepts = instructions;
    vcpu->engine->cpu.intercept_exceptions = exceptions;
    return 0;
}

static void
soft_flush_tlb(struct vcpu *vcpu)
{
    x86_tlb_flush_all(&vcpu->engine->cpu);
}

static void
soft_set_a20(struct vm *vm, bool open)
{
    struct x86_cpu *cpu = &vm->vcpu[0].engine->cpu;
    uint64_t mask = open ? ~UINT64_C(0) : ~(UINT64_C(1) << 20);

    /* Not under a VMM with page tables of its own: their addresses would bend, too, so that the
     * processor walked other pages than the VMM has written, a guest's own among them. And if it is
     * the gate's device that was restored, so was the TLB. */
    if (vm->ram.private_host || mask == cpu->mem.a20_mask)
        return;
    cpu->mem.a20_mask = mask;
    x86_tlb_flush_all(cpu);
}

static void
soft_kick(struct vcpu *vcpu)
{
    vcpu->engine->kicked = 1;
}

static void
soft_idle_until(struct vcpu *vcpu, uint64_t t)
{
    uint64_t now = soft_time(vcpu);

    if (t > now)
        vcpu->engine->idle += t - now;
}

#define SHOWS(kind) (UINT64_C(1) << TRACE_##kind)
const struct engine_ops engine_soft = {
    .name = "soft",
    .summary = "our interpreter: deterministic, shows everything, needs nothing of the host",
    .caps = CAP_GUEST_KERNEL | CAP_INTERCEPT_INSN | CAP_INTERCEPT_EXC | CAP_HYPERCALL | CAP_ICOUNT |
            CAP_STEP | CAP_TRACE_GUEST | CAP_MSR_EXIT | CAP_DEPRIVILEGE,
    .exits = SHOWS(IO) | SHOWS(MMIO) | SHOWS(HLT) | SHOWS(HYPERCALL) | SHOWS(MSR) | SHOWS(CPUID) |
             SHOWS(EXCEPTION) | SHOWS(CR) | SHOWS(DR) | SHOWS(INVLPG) | SHOWS(DTABLE) | SHOWS(TSC) |
             SHOWS(INSTRUCTION) | SHOWS(INTR_WINDOW) | SHOWS(SHUTDOWN) | SHOWS(DEBUG) |
             SHOWS(KICK) | SHOWS(LIMIT) | SHOWS(UNIMPLEMENTED),
    .open = soft_open,
    .close = soft_close,
    .run = soft_run,
    .step = soft_step,
    .emulate = soft_emulate,
    .get_regs = soft_get_regs,
    .set_regs = soft_set_regs,
    .set_stops = soft_set_stops,
    .state = soft_state,
    .restored = soft_restored,
    .can_inject = soft_can_inject,
    .inject = soft_inject,
    .intercept = soft_intercept,
    .flush_tlb = soft_flush_tlb,
    .set_a20 = soft_set_a20,
    .kick = soft_kick,
    .time = soft_time,
    .icount = soft_icount,
    .idle_until = soft_idle_until,
};
