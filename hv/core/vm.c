/* vm.c - an empty machine, and the names that its parts have in a recording. Next: run.c. */
#include <string.h>

#include "core/vm.h"
#include "device/device.h"
#include "tracer/record.h"

int
vm_create(struct vm *vm, uint64_t mem_size, struct error *err)
{
    vm->vcpu[0].vm = vm;
    return ram_create(&vm->ram, mem_size, err);
}

void
vm_destroy(struct vm *vm)
{
    ram_destroy(&vm->ram);
}

void
vm_name_actors(struct vm *vm)
{
    for (unsigned i = 0; i < vm->bus.devices; i++)
        vm->bus.device[i].actor = recorder_actor(vm->recorder, vm->bus.device[i].ops->name,
                                                 TRACE_DEVICE);
}

const char *
run_end_text(enum run_end end)
{
    switch (end) {
    case RUN_POWER_OFF: return "the guest powered off";
    case RUN_RESET: return "the guest asked for a reset";
    case RUN_HALTED: return "the guest halted for good: nothing can wake it";
    case RUN_SHUTDOWN: return "the guest ended in a triple fault";
    case RUN_REFUSED: return "the strategy cannot go on with this guest";
    case RUN_LIMIT: return "the limit was reached";
    case RUN_STOPPED: return "stopped by the user";
    case RUN_INJECT: return "an interrupt is about to be handed over";
    case RUN_DEBUG: return "the debugger has stopped it";
    default: return "the engine could not go on";
    }
}
