/*
 * hardware.c - hardware assistance: the guest runs as it is, and the processor itself keeps the
 * guest's privileged state apart from the host's.
 *
 * There is nothing to emulate here: the strategy only says which operations leave the guest, as a
 * VMM fills the intercept vectors of SVM (APM vol. 2, 15.9) or the execution controls of VMX (SDM
 * vol. 3, 24.6), and passes every exit on to the exit table. On engine kvm the Linux kernel chooses
 * the intercepts and answers most of them itself (docs/ENGINES.md).
 *
 * Called by core/run.c. Next: engine/soft.c or engine/kvm.c.
 */
#include "core/vm.h"
#include "engine/engine.h"
#include "isa/x86/cpu.h"
#include "strategy/strategies.h"
#include "strategy/strategy.h"

/* What VMX forces out (CPUID) and what a plain VMM wants to see. No exception is intercepted:
 * the guest handles its own. */
#define HARDWARE_INTERCEPTS (INTERCEPT_CPUID | INTERCEPT_MSR | INTERCEPT_HYPERCALL)

static int
hardware_attach(struct vcpu *vcpu, struct error *err)
{
    const struct engine_ops *engine = vcpu->vm->engine_ops;

    if (!(engine->caps & CAP_INTERCEPT_INSN))
        return 0; /* the host's kernel has chosen */
    return engine->intercept(vcpu, HARDWARE_INTERCEPTS, 0, err);
}

static void
hardware_detach(struct vcpu *vcpu)
{
    (void)vcpu;
}

static enum strategy_verdict
hardware_on_exit(struct vcpu *vcpu, struct run_result *result)
{
    (void)vcpu;
    (void)result;
    return STRATEGY_PASS;
}

/* Nothing is kept between two exits. */
static unsigned
hardware_state(struct vcpu *vcpu, struct state_part *parts)
{
    (void)vcpu;
    (void)parts;
    return 0;
}

const struct strategy_ops strategy_hardware = {
    .abi = STRATEGY_ABI,
    .name = "hardware",
    .summary = "the guest runs unmodified, the processor (or soft, in its place) exits to the VMM",
    .needs = CAP_GUEST_KERNEL,
    .attach = hardware_attach,
    .detach = hardware_detach,
    .on_exit = hardware_on_exit,
    .state = hardware_state,
};
