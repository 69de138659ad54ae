/*
 * dispatcher.c - why did the deprivileged guest trap, and who deals with it?
 *
 *   #PF   the guest's own tables decide (x86_page_walk on the virtual processor):
 *           they forbid the access         -> the guest's fault: its kernel gets it
 *           it is in the monitor's slot    -> the interpreter carries the instruction out
 *           a device lies there            -> the interpreter carries the instruction out
 *           a page table of the guest's is written -> the interpreter, and the shadow forgets
 *           else                           -> only the shadow lacked it: fill it in
 *   other the interpreter carries out the instruction on the virtual processor. At virtual CPL 0 a
 *         privileged one succeeds; a true fault faults there too, and the guest's kernel gets it.
 *
 * Called by trap.c. Next: shadow.c.
 */
#include <errno.h>

#include "engine/engine.h"
#include "engine/monitor.h"
#include "strategy/trap/trap.h"

/* The interpreter may need several turns for one instruction: device reads, held-back writes. */
#define TURNS_MAX 200

static void
record(struct trap *trap, enum trace_kind kind, uint8_t part, uint64_t address)
{
    if (trap->vcpu->vm->recorder)
        vm_record_call(trap->vcpu->vm, trap->vcpu, kind, part, address, 0, 0, false);
}

/* The allocator answers for a port or a device's memory. */
static void
serve_access(struct trap *trap)
{
    struct x86_cpu *cpu = &trap->cpu;
    const struct x86_access *a = &cpu->access;
    uint64_t value = vm_access(trap->vcpu->vm, trap->vcpu, a->port ? BUS_PORT : BUS_MMIO,
                               a->address, a->size, a->write, a->value);

    if (!a->write)
        x86_complete_read(cpu, value);
}

static bool
fail(struct run_result *result, enum run_end end, const char *what)
{
    result->end = end;
    error_set(&result->message, EIO, "%s", what);
    return false;
}

/* On kvm the processor knows more instructions than the interpreter (SSE). Is the next one of them? */
static bool
next_is_unknown(struct x86_cpu *cpu)
{
    struct x86_insn in;

    return x86_fetch_insn(cpu, &in) == EMU_OK && !in.op->name;
}

bool
trap_finish(struct trap *trap, int emu, struct run_result *result)
{
    struct x86_cpu *cpu = &trap->cpu;

    for (unsigned turns = 0; turns < TURNS_MAX; turns++) {
        switch (emu) {
        case EMU_OK:
            /* STI holds interrupts off for one more instruction: carry that out as well, so that
             * STI; HLT cannot lose an interrupt in between. (The interpreter sees to it that of
             * many in a row not every one does so: SDM vol. 3, 6.8.3.) Behind the last byte of a
             * canonical half the processor cannot be put: the fetch from there is the guest's #GP. */
            if (cpu->r.shadow && next_is_unknown(cpu))
                cpu->r.shadow = 0;
            if (!cpu->r.shadow && x86_canonical(cpu->r.rip)) {
                if (x86_between_iterations(cpu)) /* the real processor's RF tells it */
                    cpu->r.rflags |= FLAG_RF;
                return true;
            }
            emu = x86_emulate_one(cpu);
            break;
        case EMU_HALT: trap->vcpu->halted = true; return true;
        case EMU_IO:
        case EMU_MMIO:
            serve_access(trap);
            if (cpu->access.write && cpu->replay.written >= cpu->replay.writes)
                /* It had committed before its last write left; only its single step is to come. */
                emu = cpu->attention & ATTENTION_TRAP ? x86_emulate_one(cpu) : EMU_OK;
            else
                emu = cpu->delivering ? x86_deliver_fault(cpu) : x86_emulate_one(cpu);
            break;
        case EMU_FAULT:
            trap->causes[TRAP_REFLECTED]++;
            if (!cpu->fault.trap)
                x86_watch_forget(cpu);
            emu = x86_deliver_fault(cpu);
            break;
        case EMU_SHUTDOWN:
            return fail(result, RUN_SHUTDOWN,
                        "triple fault on the virtual processor: delivering an exception through "
                        "the guest's IDT faulted, and so did the double fault");
        case EMU_UNIMPLEMENTED:
            result->end = RUN_FAILED;
            error_set(&result->message, ENOTSUP, "unimplemented: %s", cpu->unimplemented);
            return false;
        default: return fail(result, RUN_FAILED, "the interpreter stopped for an unknown reason");
        }
    }
    return fail(result, RUN_FAILED, "one instruction of the guest did not come to an end");
}

/*
 * One instruction on the virtual processor. On kvm the real one knows more than the interpreter (SSE):
 * if it came as far as an exception that is not #UD, that exception is the guest's own.
 */
static bool
interpret(struct trap *trap, enum trap_cause cause, struct run_result *result)
{
    const struct vm_exit *exit = &trap->vcpu->exit;
    struct x86_cpu *cpu = &trap->cpu;
    bool ok;

    trap->causes[cause]++;
    record(trap, TRACE_CALL, TRACE_ACTOR_INTERPRETER, cpu->r.rip);
    int emu = x86_emulate_one(cpu);
    if (emu == EMU_FAULT && cpu->fault.vector == VEC_UD && !cpu->insn->op->name &&
        exit->exception.vector != VEC_PF)
        cpu->fault = (struct x86_fault){.vector = exit->exception.vector,
                                        .has_error = exit->exception.has_error,
                                        .error = exit->exception.error};
    ok = trap_finish(trap, emu, result);
    record(trap, TRACE_RETURN, TRACE_ACTOR_INTERPRETER, cpu->r.rip);
    return ok;
}

/* The guest's tables allow the access: then the shadow shall, too. */
static void
fill_shadow(struct trap *trap, uint64_t linear, const struct x86_walk *walk)
{
    const struct x86_regs *r = &trap->cpu.r;
    bool kernel = trap->cpu.cpl < 3;
    bool write = walk->dirty && (walk->writable || (kernel && !(r->cr0 & CR0_WP)));
    bool execute = walk->executable && !(kernel && walk->user && r->cr4 & CR4_SMEP);
    bool writable;

    trap->causes[TRAP_FILL]++;
    record(trap, TRACE_CALL, trap->shadow_actor, linear);
    ram_page(&trap->vcpu->vm->ram, walk->gpa, &writable);
    shadow_map(&trap->shadow, r->cr3, trap_view(trap), linear, walk, write && writable, execute);
    record(trap, TRACE_RETURN, trap->shadow_actor, linear);
}

/*
 * A write to a page table by an instruction that the interpreter does not know. The page stops being a
 * table: all shadows are dropped, and the processor does the write itself before they come back. That
 * fails only for a page that code or data of this very instruction are mapped by.
 */
static bool
release_table(struct trap *trap, uint64_t linear, const struct x86_walk *walk,
              struct run_result *result)
{
    struct x86_cpu *cpu = &trap->cpu;
    struct x86_walk code;

    shadow_drop(&trap->shadow);
    if ((cpu->r.rip >> 39 & 511) != MONITOR_SLOT &&
        x86_page_walk(cpu, cpu->r.rip, ACCESS_FETCH, cpu->cpl, &code) == EMU_OK)
        fill_shadow(trap, cpu->r.rip, &code);
    fill_shadow(trap, linear, walk);
    if (!shadow_is_table(&trap->shadow, walk->gpa))
        return true;
    return fail(result, RUN_REFUSED,
                "the guest writes to a page table that is in use, by an instruction that only the "
                "processor knows: it must use a plain store, or --strategy hardware");
}

static bool
write_table(struct trap *trap, uint64_t linear, const struct x86_walk *walk,
            struct run_result *result)
{
    if (next_is_unknown(&trap->cpu))
        return release_table(trap, linear, walk, result);
    return interpret(trap, TRAP_PTEMOD, result);
}

static bool
page_fault(struct trap *trap, uint64_t linear, uint32_t error, struct run_result *result)
{
    struct x86_cpu *cpu = &trap->cpu;
    bool write = error & PF_WRITE;
    struct x86_walk walk;
    bool writable;

    /* The shadows have no room there: what the guest has mapped is reached by interpreting alone. */
    if ((linear >> 39 & 511) == MONITOR_SLOT)
        return interpret(trap, TRAP_DEVICE, result);
    int emu = x86_page_walk(cpu, linear,
                            (write ? ACCESS_WRITE : 0) | (error & PF_FETCH ? ACCESS_FETCH : 0),
                            cpu->cpl, &walk);
    if (emu) /* the guest's own page fault */
        return trap_finish(trap, emu, result);
    if (!cpu->mem.page(cpu->mem.ctx, walk.gpa).host)
        return interpret(trap, TRAP_DEVICE, result);
    if (write && shadow_is_table(&trap->shadow, walk.gpa))
        return write_table(trap, linear, &walk, result);
    if (write && (!ram_page(&trap->vcpu->vm->ram, walk.gpa, &writable) || !writable))
        return interpret(trap, TRAP_DEVICE, result); /* ROM */
    fill_shadow(trap, linear, &walk);
    return true;
}

bool
trap_dispatch(struct trap *trap, struct run_result *result)
{
    const struct vm_exit *exit = &trap->vcpu->exit;

    trap->cpu.r.shadow = 0; /* an instruction has run since */
    switch (exit->exception.vector) {
    case VEC_PF: return page_fault(trap, exit->exception.address, exit->exception.error, result);
    case VEC_DB: { /* a trap after an instruction that has already run */
        x86_raise(&trap->cpu, VEC_DB);
        trap->cpu.fault.dr6 = DR6_BS;
        trap->cpu.fault.trap = true;
        return trap_finish(trap, EMU_FAULT, result);
    }
    default: return interpret(trap, TRAP_PRIVILEGED, result);
    }
}
