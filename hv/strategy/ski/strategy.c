/*
 * strategy.c - strategy ski as the run loop sees it: who starts the process, and what a process is told
 * whose system call the filter has denied.
 *
 * Everything else the host's kernel does by itself: that is the point of a single kernel image. The
 * cli opens the guest (ski_open()) and hangs it at vm->process_context. Next: start.c.
 */
#include <errno.h>
#include <stdio.h>

#include "core/vm.h"
#include "engine/engine.h"
#include "strategy/ski/ski.h"
#include "strategy/strategies.h"
#include "strategy/strategy.h"

static int
ski_prepare(struct vm *vm, struct error *err)
{
    if (!vm->process_context)
        return error_set(err, EINVAL, "strategy ski has no guest to isolate");
    vm->process = &ski_process_ops;
    return 0;
}

static int
ski_attach(struct vcpu *vcpu, struct error *err)
{
    (void)vcpu;
    (void)err;
    return 0;
}

static void
ski_detach(struct vcpu *vcpu)
{
    (void)vcpu;
}

const struct ski_denial *
ski_denial_of_filter(uint16_t data)
{
    for (unsigned i = 0; data && ski_denials[i].name; i++)
        if (i + 1u == data)
            return &ski_denials[i];
    return NULL;
}

/* The filter has asked the tracer (SECCOMP_RET_TRACE): the table says what the program is told. A
 * number newer than the table does not exist for a guest. */
static enum strategy_verdict
ski_on_exit(struct vcpu *vcpu, struct run_result *result)
{
    const struct ski_denial *denial;

    (void)result;
    if (vcpu->exit.kind != TRACE_DENIED)
        return STRATEGY_PASS;
    denial = ski_denial_of_filter(vcpu->exit.call.filter);
    vcpu->exit.call.result = denial ? -denial->error : -ENOSYS;
    return STRATEGY_HANDLED;
}

const struct strategy_ops strategy_ski = {
    .abi = STRATEGY_ABI,
    .name = "ski",
    .summary = "a process on the host's own kernel, kept apart by namespaces, cgroups and a filter",
    .needs = CAP_PROCESS,
    .prepare = ski_prepare,
    .attach = ski_attach,
    .detach = ski_detach,
    .on_exit = ski_on_exit,
};
