/*
 * strategy-template.c - a strategy in a file of its own: counts every exit and passes it on, so the
 * guest runs as under `hardware`. Begin here: handle in on_exit what yours is about.
 *
 *     cc -shared -fPIC -I/usr/local/include/hv -o mine.so strategy-template.c
 *     hv run --engine soft --strategy ./mine.so minios
 *
 * docs/PLUGINS.md says what a strategy may call.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/vm.h"
#include "engine/engine.h"
#include "isa/x86/cpu.h"
#include "strategy/strategy.h"

struct counts {
    uint64_t kind[TRACE_KIND_COUNT];
    uint64_t user; /* of them, from a program at CPL 3 */
};

/* Before the first entry: what shall leave the guest, besides device accesses, HLT and failures,
 * which always do? */
static int
count_attach(struct vcpu *vcpu, struct error *err)
{
    const struct engine_ops *engine = vcpu->vm->engine_ops;

    vcpu->strategy_state = calloc(1, sizeof(struct counts));
    if (!vcpu->strategy_state)
        return error_set(err, ENOMEM, "no memory for the counts");
    if (!(engine->caps & CAP_INTERCEPT_INSN))
        return 0; /* kvm: the host's kernel has chosen */
    return engine->intercept(vcpu, INTERCEPT_CPUID | INTERCEPT_MSR | INTERCEPT_CR_WRITE, 0, err);
}

/* Each exit, before anyone else sees it. */
static enum strategy_verdict
count_on_exit(struct vcpu *vcpu, struct run_result *result)
{
    struct counts *counts = vcpu->strategy_state;

    (void)result;
    counts->kind[vcpu->exit.kind]++;
    counts->user += vcpu->exit.user;
    return STRATEGY_PASS; /* the exit table asks the devices, or carries the instruction out */
}

static void
count_detach(struct vcpu *vcpu)
{
    struct counts *counts = vcpu->strategy_state;

    for (unsigned k = 0; k < TRACE_KIND_COUNT; k++)
        if (counts->kind[k])
            fprintf(stderr, "count: %s %" PRIu64 "\n", trace_kinds[k].name, counts->kind[k]);
    fprintf(stderr, "count: from user mode %" PRIu64 "\n", counts->user);
    free(counts);
}

const struct strategy_ops hv_strategy = {
    .abi = STRATEGY_ABI,
    .name = "count",
    .summary = "counts every exit and passes it on",
    .needs = CAP_GUEST_KERNEL,
    .attach = count_attach,
    .detach = count_detach,
    .on_exit = count_on_exit,
};
