/*
 * dispatch.c - the exit table: who handles an exit that the strategy passed on.
 *
 * This is the dispatcher of Popek & Goldberg (1974): it decodes why control came here and calls
 * the allocator (the bus, which knows who owns a port) or the interpreter (the engine's emulate,
 * which carries out one instruction). Called by run.c. Next: bus.c.
 */
#include <errno.h>
#include <stdio.h>

#include "core/recording.h"
#include "core/vm.h"
#include "device/device.h"
#include "engine/engine.h"
#include "tracer/record.h"

void
vm_record_call(struct vm *vm, struct vcpu *vcpu, enum trace_kind kind, uint8_t other,
               uint64_t address, uint64_t value, unsigned size, bool write)
{
    bool call = kind == TRACE_CALL;
    struct trace_event *e = recording_begin(vm, vcpu, kind, call ? TRACE_ACTOR_DISPATCHER : other,
                                            call ? other : TRACE_ACTOR_DISPATCHER);

    e->address = address;
    e->value = value;
    e->size = (uint8_t)size;
    e->flags = write ? TRACE_WRITE : 0;
    recorder_commit(vm->recorder);
}

uint64_t
vm_access(struct vm *vm, struct vcpu *vcpu, enum bus_space space, uint64_t address, unsigned size,
          bool write, uint64_t value)
{
    struct bus_range *range = bus_find(&vm->bus, space, address);
    uint8_t who = range ? range->device->actor : TRACE_ACTOR_ALLOCATOR;

    /* A device knows the time from tick() alone; the others are not due before next_device. */
    if (range && range->device->ops->tick)
        range->device->ops->tick(range->device->dev, vm->engine_ops->time(vcpu));
    if (range && range->device->ops->next)
        vm->next_known = false;
    if (vm->recorder)
        vm_record_call(vm, vcpu, TRACE_CALL, who, address, value, size, write);
    if (write)
        bus_write(&vm->bus, space, range, address, size, value);
    else
        value = bus_read(&vm->bus, space, range, address, size);
    if (vm->recorder)
        vm_record_call(vm, vcpu, TRACE_RETURN, who, address, value, size, write);
    return value;
}

/* --- the handlers: true, go on; false, *result says how the run ended -------------------------- */

static bool
handle_access(struct vm *vm, struct vcpu *vcpu, enum bus_space space)
{
    struct vm_exit *exit = &vcpu->exit;

    exit->access.value = vm_access(vm, vcpu, space, exit->access.address, exit->access.size,
                                   exit->access.write, exit->access.value);
    return true;
}

static bool
handle_io(struct vm *vm, struct vcpu *vcpu, struct run_result *result)
{
    (void)result;
    return handle_access(vm, vcpu, BUS_PORT);
}

static bool
handle_mmio(struct vm *vm, struct vcpu *vcpu, struct run_result *result)
{
    (void)result;
    return handle_access(vm, vcpu, BUS_MMIO);
}

static bool
handle_hlt(struct vm *vm, struct vcpu *vcpu, struct run_result *result)
{
    (void)vm;
    (void)result;
    vcpu->halted = true;
    return true;
}

/* A hypercall that no strategy knows: the guest is told so, as KVM tells it. */
static bool
handle_hypercall(struct vm *vm, struct vcpu *vcpu, struct run_result *result)
{
    (void)vm;
    (void)result;
    vcpu->exit.hypercall.result = (uint64_t)-ENOSYS;
    return true;
}

/* The instruction is carried out as the processor would have done: CPUID, MSR, CR ... */
static bool
handle_emulate(struct vm *vm, struct vcpu *vcpu, struct run_result *result)
{
    if (!vm->engine_ops->emulate) { /* only an MSR that the engine does not know comes here */
        vcpu->exit.msr.refused = true;
        return true;
    }
    if (vm->recorder)
        vm_record_call(vm, vcpu, TRACE_CALL, TRACE_ACTOR_INTERPRETER, vcpu->exit.rip, 0, 0, false);
    if (vm->engine_ops->emulate(vcpu, &result->message)) {
        result->end = RUN_FAILED;
        return false;
    }
    if (vm->recorder)
        vm_record_call(vm, vcpu, TRACE_RETURN, TRACE_ACTOR_INTERPRETER, vcpu->exit.rip, 0, 0,
                       false);
    return true;
}

/* The host's kernel answers a process itself: the interpreter of its calls is out there. */
static bool
handle_host_call(struct vm *vm, struct vcpu *vcpu, struct run_result *result)
{
    if (vm->engine_ops->emulate(vcpu, &result->message)) {
        result->end = RUN_FAILED;
        return false;
    }
    return true;
}

/* A filter has refused it, and no strategy says how. 0 is what the filter says of calls that are
 * newer than it. */
static bool
handle_denied(struct vm *vm, struct vcpu *vcpu, struct run_result *result)
{
    (void)vm;
    (void)result;
    vcpu->exit.call.result = vcpu->exit.call.filter ? -EPERM : -ENOSYS;
    return true;
}

/* Nothing to do: the reason to come back has been dealt with before the next entry. */
static bool
handle_nothing(struct vm *vm, struct vcpu *vcpu, struct run_result *result)
{
    (void)vm;
    (void)vcpu;
    (void)result;
    return true;
}

static bool
handle_shutdown(struct vm *vm, struct vcpu *vcpu, struct run_result *result)
{
    (void)vm;
    result->end = RUN_SHUTDOWN;
    error_set(
        &result->message, EFAULT,
        "triple fault at rip 0x%llx: delivering an exception faulted, and so did the double "
        "fault; run with --engine soft --trace FILE --trace-guest and look at the last events "
        "with 'hv trace FILE'",
        (unsigned long long)vcpu->exit.rip);
    return false;
}

static bool
handle_failure(struct vm *vm, struct vcpu *vcpu, struct run_result *result)
{
    (void)vm;
    const struct vm_exit *exit = &vcpu->exit;
    /* An exception that nobody wanted has operands there, and the guest chose them. */
    const char *text = exit->kind == TRACE_EXCEPTION ? NULL : exit->failure.text;

    result->end = RUN_FAILED;
    error_set(&result->message, EIO, "%s at rip 0x%llx: %s", trace_kinds[vcpu->exit.kind].name,
              (unsigned long long)vcpu->exit.rip, text ? text : trace_kinds[vcpu->exit.kind].text);
    return false;
}

static bool
handle_system_event(struct vm *vm, struct vcpu *vcpu, struct run_result *result)
{
    (void)vm;
    (void)vcpu;
    result->end = RUN_RESET;
    return false;
}

static bool
handle_limit(struct vm *vm, struct vcpu *vcpu, struct run_result *result)
{
    (void)vm;
    (void)vcpu;
    result->end = RUN_LIMIT;
    return false;
}

typedef bool (*exit_handler)(struct vm *vm, struct vcpu *vcpu, struct run_result *result);
static const exit_handler exit_table[TRACE_KIND_COUNT] = {
    [TRACE_IO] = handle_io,
    [TRACE_MMIO] = handle_mmio,
    [TRACE_HLT] = handle_hlt,
    [TRACE_HYPERCALL] = handle_hypercall,
    [TRACE_MSR] = handle_emulate,
    [TRACE_CPUID] = handle_emulate,
    [TRACE_EXCEPTION] = handle_failure, /* somebody set an intercept and forgot it */
    [TRACE_CR] = handle_emulate,
    [TRACE_DR] = handle_emulate,
    [TRACE_INVLPG] = handle_emulate,
    [TRACE_DTABLE] = handle_emulate,
    [TRACE_TSC] = handle_emulate,
    [TRACE_INSTRUCTION] = handle_emulate,
    [TRACE_INTR_WINDOW] = handle_nothing,
    [TRACE_SHUTDOWN] = handle_shutdown,
    [TRACE_DEBUG] = handle_nothing,
    [TRACE_KICK] = handle_nothing,
    [TRACE_LIMIT] = handle_limit,
    [TRACE_UNIMPLEMENTED] = handle_failure,
    [TRACE_FAIL_ENTRY] = handle_failure,
    [TRACE_INTERNAL_ERROR] = handle_failure,
    [TRACE_SYSTEM_EVENT] = handle_system_event,
    [TRACE_UNKNOWN] = handle_failure,
    [TRACE_HOST_CALL] = handle_host_call,
    [TRACE_DENIED] = handle_denied,
    [TRACE_SIGNAL] = handle_nothing, /* it is delivered with the next entry */
    [TRACE_HOST_FAULT] = handle_nothing,
    [TRACE_FORK] = handle_nothing,
    [TRACE_EXEC] = handle_nothing,
    [TRACE_PROCESS_END] = handle_nothing,
};

bool
vm_dispatch_exit(struct vm *vm, struct vcpu *vcpu, struct run_result *result)
{
    exit_handler handler = exit_table[vcpu->exit.kind];

    return (handler ? handler : handle_failure)(vm, vcpu, result);
}
