/*
 * machine.c - what a running machine and a recording have in common: moments, the recording, closing.
 *
 * Called by the debugger's commands and the gdb stub. Next: live.c, postmortem.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "debugger/machine.h"
#include "loader/symbols.h"
#include "strategy/strategy.h"

/* Within one number of exits: it happens, it is dealt with, the guest goes on. */
static int
rank(const struct moment *moment)
{
    return moment->edge == EDGE_OUT ? 0 : moment->edge == EDGE_IN ? 1 : 2;
}

static int
order(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

int
moment_compare(const struct moment *a, const struct moment *b)
{
    int by;

    if (a->waits == MOMENT_ANY || b->waits == MOMENT_ANY)
        return order(a->icount, b->icount);
    by = order(a->exits, b->exits);
    if (!by)
        by = rank(a) - rank(b);
    /* Where instructions are not counted both are 0: no two such moments can be told apart. */
    if (!by && a->edge == EDGE_NONE)
        by = order(a->icount + a->waits, b->icount + b->waits);
    return by;
}

void
machine_close(struct machine *machine)
{
    if (machine->ops)
        machine->ops->close(machine);
    machine->ops = NULL;
}

void
machine_interrupt(struct machine *machine)
{
    if (machine->vm)
        machine->vm->asked = 1;
    machine_disturb(machine);
}

void
machine_disturb(struct machine *machine)
{
    machine->interrupted = 1;
    if (machine->vm) {
        machine->vm->stop = 1;
        machine->vm->engine_ops->kick(machine->vcpu);
    }
}

void
machine_resume(struct machine *machine)
{
    machine->interrupted = 0;
    if (machine->vm)
        machine->vm->stop = 0;
}

void
machine_forget_interrupt(struct machine *machine)
{
    machine_resume(machine);
    if (machine->vm)
        machine->vm->asked = 0;
}

/* Long because: a case for each kind of exit, the reverse of core/run.c's and the engine's recording. */
void
machine_exit_of_event(struct vm_exit *exit, const struct trace_event *e)
{
    bool write = e->flags & TRACE_WRITE;

    /* Of a newer hv's kinds no table here has a row. */
    *exit = (struct vm_exit){.kind = e->kind < TRACE_KIND_COUNT ? e->kind : TRACE_UNKNOWN,
                             .rip = e->rip,
                             .user = e->from != TRACE_ACTOR_GUEST_KERNEL};
    switch (e->kind) {
    case TRACE_IO:
    case TRACE_MMIO:
        exit->access.address = e->address;
        exit->access.value = e->value;
        exit->access.size = e->size;
        exit->access.write = write;
        break;
    case TRACE_HYPERCALL:
        exit->hypercall.number = e->address;
        exit->hypercall.args[0] = e->value;
        break;
    case TRACE_MSR:
        exit->msr.index = (uint32_t)e->address;
        exit->msr.value = e->value;
        exit->msr.write = write;
        break;
    case TRACE_CPUID:
        exit->cpuid.leaf = (uint32_t)e->address;
        exit->cpuid.subleaf = (uint32_t)e->value;
        break;
    case TRACE_EXCEPTION:
        exit->exception.vector = (uint8_t)e->address;
        exit->exception.has_error = e->flags & TRACE_ERROR;
        exit->exception.error = e->address == VEC_PF ? e->extra : (uint32_t)e->value;
        exit->exception.address = e->address == VEC_PF ? e->value : 0;
        break;
    case TRACE_CR:
    case TRACE_DR:
        exit->reg.number = (uint8_t)e->address;
        exit->reg.value = e->value;
        exit->reg.write = write;
        break;
    case TRACE_INVLPG: exit->invlpg.address = e->address; break;
    case TRACE_DENIED:
    case TRACE_HOST_CALL:
    case TRACE_EXEC:
        exit->call.number = e->address;
        exit->call.first = e->value;
        exit->call.filter = e->kind == TRACE_DENIED ? e->extra : 0;
        exit->call.foreign = e->flags & TRACE_FOREIGN;
        exit->call.pending = true; /* the answer is an event of its own */
        break;
    case TRACE_SIGNAL:
    case TRACE_HOST_FAULT:
    case TRACE_PROCESS_END:
        exit->signal.number = (uint32_t)e->address;
        exit->signal.value = e->value;
        exit->signal.code = e->extra;
        break;
    case TRACE_FORK:
        exit->process.pid = e->address;
        exit->process.vcpu = e->value;
        break;
    default: break;
    }
}

/* The event of exit `number`, and the entry that follows it before the next exit, if there is one. */
static int
find_exit(const struct trace *trace, uint64_t number, struct trace_event *exit,
          struct trace_event *entry, struct error *err)
{
    uint64_t at;

    if (trace_find_exit(trace, number, &at) && !trace->exits)
        return error_set(err, ENOENT, "there is no exit %" PRIu64 ": there was none yet", number);
    if (trace_find_exit(trace, number, &at))
        return error_set(err, ENOENT,
                         "there is no exit %" PRIu64 ": the recording has 1 to %" PRIu64, number,
                         trace->exits);
    *exit = trace->events[at];
    *entry = (struct trace_event){.kind = TRACE_END};
    while (++at < trace->count) {
        const struct trace_event *e = &trace->events[at];
        if (trace->kind[e->kind].class == TRACE_CLASS_EXIT && e->vcpu == exit->vcpu)
            break;
        if (e->vcpu != exit->vcpu)
            continue;
        if (e->kind == TRACE_ENTRY || e->kind == TRACE_HOST_RETURN) {
            *entry = *e;
            break;
        }
    }
    return 0;
}

int
machine_find_exit(struct machine *machine, uint64_t number, struct trace_event *exit,
                  struct trace_event *entry, struct error *err)
{
    struct trace own, *trace;
    bool close;
    int rc = machine_trace(machine, &own, &trace, &close, err);

    if (rc)
        return rc;
    rc = find_exit(trace, number, exit, entry, err);
    if (close)
        trace_close(trace);
    return rc;
}

unsigned
machine_code_size(struct machine *machine)
{
    struct x86_regs regs;

    if (!machine->ops->get_regs(machine, &regs, NULL))
        return x86_code_size(&regs);
    return symbols_bits(machine->symbols) == 32 ? 4 : 8;
}

unsigned
machine_fetch(struct machine *machine, enum machine_space space, uint64_t address,
              uint8_t bytes[X86_INSN_MAX], struct error *err)
{
    unsigned n = 0;

    if (!machine->ops->read(machine, space, address, bytes, X86_INSN_MAX, NULL))
        return X86_INSN_MAX;
    /* Memory ends within; the instruction perhaps before. */
    while (n < X86_INSN_MAX &&
           !machine->ops->read(machine, space, address + n, bytes + n, 1, n ? NULL : err))
        n++;
    return n;
}

bool
machine_can_go_back(const struct machine *machine, const char **why)
{
    const struct vm *vm = machine->vm;

    if (why)
        *why = NULL;
    if (machine->history || machine->trace)
        return true;
    if (!why)
        return false;
    if (vm && vm->engine_ops->process)
        *why = "a process cannot go back: its system calls have been carried out; record it with "
               "--trace FILE and look at that with 'hv debug --trace FILE'";
    else if (vm && !(vm->engine_ops->caps & CAP_ICOUNT))
        *why = "this engine cannot go back: it does not count instructions; use --engine soft, or "
               "record with --trace FILE and look at it with 'hv debug --trace FILE'";
    else
        *why = "this strategy does not say where its state lies, so the machine cannot go back; "
               "record with --trace FILE and look at it with 'hv debug --trace FILE'";
    return false;
}
