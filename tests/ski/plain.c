/*
 * plain.c - a strategy that isolates nothing, as a plug-in: what engine host sees of a process is then
 * just what strace sees of it. Used by traced.sh.
 */
#include "core/vm.h"
#include "engine/engine.h"
#include "strategy/strategy.h"

static int
plain_attach(struct vcpu *vcpu, struct error *err)
{
    (void)vcpu;
    (void)err;
    return 0;
}

static enum strategy_verdict
plain_on_exit(struct vcpu *vcpu, struct run_result *result)
{
    (void)vcpu;
    (void)result;
    return STRATEGY_PASS;
}

const struct strategy_ops hv_strategy = {
    .abi = STRATEGY_ABI,
    .name = "plain",
    .summary = "a process, and nothing around it",
    .needs = CAP_PROCESS,
    .attach = plain_attach,
    .on_exit = plain_on_exit,
};
