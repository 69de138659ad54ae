/*
 * recording.c - what the run loop writes into the recording: exits with their operands, entries.
 *
 * tracer/event.h says what address and value of each kind mean. Called by run.c, and by engine host
 * for what its guest's kernel, the host's, answers. Next: dispatch.c.
 */
#include <stddef.h>
#include <string.h>

#include "core/recording.h"
#include "core/vm.h"
#include "engine/engine.h"
#include "strategy/strategy.h"
#include "tracer/record.h"

uint8_t
recording_guest(const struct vcpu *vcpu)
{
    if (vcpu->exit.in_kernel)
        return TRACE_ACTOR_HOST_KERNEL;
    return vcpu->exit.user ? TRACE_ACTOR_GUEST_USER : TRACE_ACTOR_GUEST_KERNEL;
}

/* Who gets control by this exit: the host's kernel answers a process itself. */
static uint8_t
exit_goes_to(const struct vm_exit *exit)
{
    return exit->kind == TRACE_HOST_CALL ? TRACE_ACTOR_HOST_KERNEL : TRACE_ACTOR_DISPATCHER;
}

struct trace_event *
recording_begin(struct vm *vm, struct vcpu *vcpu, enum trace_kind kind, uint8_t from, uint8_t to)
{
    struct trace_event *e = recorder_begin(vm->recorder);

    e->kind = (uint16_t)kind;
    e->vcpu = (uint8_t)vcpu->id;
    e->from = from;
    e->to = to;
    e->icount = vm->engine_ops->icount(vcpu);
    e->rip = vcpu->exit.rip;
    return e;
}

/* What argument i points to, piece by piece. */
static void
record_text(struct vm *vm, struct vcpu *vcpu, const struct exit_call *call, unsigned i)
{
    unsigned at = 0;

    do {
        struct trace_event *e = recording_begin(vm, vcpu, TRACE_TEXT, 0, 0);
        unsigned left = call->text[i].size - at;
        e->extra = (uint8_t)i;
        e->size = (uint8_t)(left < TRACE_TEXT_SIZE ? left : TRACE_TEXT_SIZE);
        e->flags = call->text[i].cut ? TRACE_CUT : 0;
        e->icount = e->rip = 0;
        memcpy((char *)e + offsetof(struct trace_event, icount), call->text[i].bytes + at, e->size);
        recorder_commit(vm->recorder);
        at += TRACE_TEXT_SIZE;
    } while (at < call->text[i].size);
}

/* A system call's other arguments, and the texts that they point to, in notes behind it. */
static void
record_call_notes(struct vm *vm, struct vcpu *vcpu, const struct exit_call *call)
{
    for (unsigned i = 1; vcpu->exit.kind != TRACE_EXEC && i < 6; i += 4) {
        struct trace_event *e = recording_begin(vm, vcpu, TRACE_ARGUMENTS, 0, 0);
        e->extra = (uint8_t)i;
        e->icount = call->args[i];
        e->rip = i == 1 ? call->args[2] : 0;
        e->address = i == 1 ? call->args[3] : 0;
        e->value = i == 1 ? call->args[4] : 0;
        recorder_commit(vm->recorder);
    }
    for (unsigned i = 0; i < 6; i++)
        if (call->text[i].there)
            record_text(vm, vcpu, call, i);
}

/* The exits of a process (engine host). */
static void
record_process_exit(struct trace_event *e, const struct vm_exit *exit)
{
    switch (exit->kind) {
    case TRACE_DENIED: e->extra = (uint8_t)exit->call.filter; /* fall through */
    case TRACE_HOST_CALL:
        e->address = exit->call.number;
        e->value = exit->call.first;
        e->flags = exit->call.foreign ? TRACE_FOREIGN : 0;
        break;
    case TRACE_HOST_FAULT:
    case TRACE_SIGNAL:
    case TRACE_PROCESS_END:
        e->address = exit->signal.number;
        e->value = exit->signal.value;
        e->extra = (uint8_t)exit->signal.code;
        break;
    case TRACE_FORK:
        e->address = exit->process.pid;
        e->value = exit->process.vcpu;
        break;
    case TRACE_EXEC: e->address = exit->call.number; break;
    default: break;
    }
}

/* The operands of an exit, as tracer/event.h says. */
void
recording_exit(struct vm *vm, struct vcpu *vcpu)
{
    const struct vm_exit *exit = &vcpu->exit;
    struct trace_event *e = recording_begin(vm, vcpu, exit->kind, recording_guest(vcpu),
                                            exit_goes_to(exit));
    const struct exit_call *call = NULL;

    switch (exit->kind) {
    case TRACE_IO:
    case TRACE_MMIO:
        e->address = exit->access.address;
        e->value = exit->access.write ? exit->access.value : 0;
        e->size = exit->access.size;
        e->flags = exit->access.write ? TRACE_WRITE : 0;
        break;
    case TRACE_HYPERCALL:
        e->address = exit->hypercall.number;
        e->value = exit->hypercall.args[0];
        break;
    case TRACE_MSR:
        e->address = exit->msr.index;
        e->value = exit->msr.write ? exit->msr.value : 0;
        e->flags = exit->msr.write ? TRACE_WRITE : 0;
        break;
    case TRACE_CPUID:
        e->address = exit->cpuid.leaf;
        e->value = exit->cpuid.subleaf;
        break;
    case TRACE_EXCEPTION:
        e->address = exit->exception.vector;
        e->value = exit->exception.address ? exit->exception.address : exit->exception.error;
        e->flags = exit->exception.has_error ? TRACE_ERROR : 0;
        e->extra = (uint8_t)exit->exception.error;
        break;
    case TRACE_CR:
    case TRACE_DR:
        e->address = exit->reg.number;
        e->value = exit->reg.value;
        e->flags = exit->reg.write ? TRACE_WRITE : 0;
        break;
    case TRACE_INVLPG: e->address = exit->invlpg.address; break;
    case TRACE_HOST_CALL:
    case TRACE_DENIED:
    case TRACE_EXEC: call = exit->call.more; /* fall through */
    default: record_process_exit(e, exit); break;
    }
    recorder_commit(vm->recorder);
    if (call)
        record_call_notes(vm, vcpu, call);
}

void
vm_record_answer(struct vm *vm, struct vcpu *vcpu, uint64_t number, bool foreign, int64_t result)
{
    struct trace_event *e;

    if (!vm->recorder)
        return;
    e = recording_begin(vm, vcpu, TRACE_HOST_RETURN, TRACE_ACTOR_HOST_KERNEL,
                        TRACE_ACTOR_GUEST_USER);
    e->address = number;
    e->value = (uint64_t)result;
    e->flags = foreign ? TRACE_FOREIGN : 0;
    recorder_commit(vm->recorder);
}

void
recording_entry(struct vm *vm, struct vcpu *vcpu)
{
    /* Handling the exit may have changed who goes on: a system call enters the kernel. */
    if (vm->strategy->in_user)
        vcpu->exit.user = vm->strategy->in_user(vcpu);
    struct trace_event *e = recording_begin(vm, vcpu, TRACE_ENTRY, TRACE_ACTOR_DISPATCHER,
                                            recording_guest(vcpu));

    e->flags = vcpu->handled ? TRACE_HANDLED : 0;
    recorder_commit(vm->recorder);
}

void
recording_end(struct vm *vm, const struct run_result *result)
{
    struct vcpu *vcpu = &vm->vcpu[0];
    struct trace_event *e = recording_begin(vm, vcpu, TRACE_END, TRACE_ACTOR_DISPATCHER,
                                            TRACE_ACTOR_DISPATCHER);

    e->address = vcpu->exit.kind;
    e->value = (uint64_t)result->status;
    recorder_commit(vm->recorder);
}
