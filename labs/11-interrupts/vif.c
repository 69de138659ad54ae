/*
 * vif.c - lab 11: when a VMM hands over an interrupt, and when it must not. A plug-in of hv.
 *
 *     make
 *     hv run --engine soft --strategy ./vif.so --append mask kernel
 *
 * hv asks lab_can_inject() when the interrupt controller has a request: after each exit, until it was
 * taken. If the answer is yes, lab_inject() hands it over. shared.h is the contract with the guest.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/vm.h"
#include "engine/engine.h"
#include "isa/x86/cpu.h"
#include "shared.h"
#include "strategy/strategy.h"

struct lab {
    bool shares;     /* the guest has called HC_SHARE, */
    uint64_t page;   /* and there struct shared lies: guest-physical */
    uint64_t period; /* of HC_CLOCK in ns; 0: it was never called */
    uint64_t start;  /* guest time of that call */
    uint64_t taken;  /* interrupts that were handed over since then */
};

/* A mistake of yours must not be silent. The first of them is printed, once. */
__attribute__((unused)) static void
not_yet(const char *what)
{
    static bool said;

    if (!said)
        fprintf(stderr, "lab: %s is not written yet\n", what);
    said = true;
}

/* The guest's memory: never by pointer, as the guest may change its mind about where that is. */
__attribute__((unused)) static uint8_t
get_masked(struct vcpu *vcpu)
{
    const struct lab *lab = vcpu->strategy_state;
    uint8_t masked = 1;

    ram_read(&vcpu->vm->ram, lab->page + offsetof(struct shared, masked), &masked, 1);
    return masked;
}

__attribute__((unused)) static void
set_masked(struct vcpu *vcpu, uint8_t masked)
{
    const struct lab *lab = vcpu->strategy_state;

    ram_write(&vcpu->vm->ram, lab->page + offsetof(struct shared, masked), &masked, 1);
}

__attribute__((unused)) static void
set_waiting(struct vcpu *vcpu, uint8_t waiting)
{
    const struct lab *lab = vcpu->strategy_state;

    ram_write(&vcpu->vm->ram, lab->page + offsetof(struct shared, waiting), &waiting, 1);
}

static void
set_ticks(struct vcpu *vcpu, uint64_t ticks)
{
    const struct lab *lab = vcpu->strategy_state;

    ram_write(&vcpu->vm->ram, lab->page + offsetof(struct shared, ticks), &ticks, 8);
}

/*
 * HOLE 1 - the virtual interrupt flag.
 *
 * may_interrupt   an interrupt waits: may the guest take it now?
 * returns         true if the guest has not masked interrupts (get_masked) and the processor can take one
 *                 (vcpu->vm->engine_ops->can_inject(vcpu)): both
 * on_delivery     is called when an interrupt is about to be handed over: masks, as the processor
 *                 clears IF on its way through an interrupt gate. The handler unmasks at its end
 * hint            the real IF is set nearly always here, so the processor says yes nearly always. Its flag
 *                 is the VMM's now, and the guest's is the one in memory
 */
static bool
may_interrupt(struct vcpu *vcpu)
{
    not_yet("may_interrupt (hole 1)");
    return vcpu->vm->engine_ops->can_inject(vcpu);
}

static void
on_delivery(struct vcpu *vcpu)
{
    (void)vcpu;
}
/* END 1 */

/*
 * HOLE 2 - the window.
 *
 * on_refusal   is called when an interrupt waits and may_interrupt() has said no
 * does         what makes the guest come back as soon as it unmasks. See unmask() in shared.h
 * on_taken     is called when the interrupt is handed over: nothing waits any more
 * hint         VT-x has a bit for the same purpose, "interrupt-window exiting": exit as soon as IF is
 *              set. A flag in memory has no such bit, so the guest helps. If on_taken() does nothing, every
 *              unmask is an exit for ever after
 */
static void
on_refusal(struct vcpu *vcpu)
{
    (void)vcpu;
    not_yet("on_refusal (hole 2)");
}

static void
on_taken(struct vcpu *vcpu)
{
    (void)vcpu;
}
/* END 2 */

/*
 * HOLE 3 - sleep.
 *
 * hc_wait   HC_WAIT: unmasks and puts the processor to sleep, in one step
 * returns   0
 * does      vcpu->halted = true is sleep: hv lets guest time pass until a device is due, and an interrupt that
 *           is handed over ends it. One that waits already is handed over before the guest goes on
 * hint      why one step? If the guest unmasked first, the interrupt could come in between, be handled, and
 *           then the guest would go to sleep waiting for it: a lost wake-up. (STI takes effect one
 *           instruction late for the same reason: STI; HLT is a pair.)
 */
static int64_t
hc_wait(struct vcpu *vcpu)
{
    (void)vcpu;
    not_yet("hc_wait (hole 3)");
    return -ENOSYS;
}
/* END 3 */

/*
 * HOLE 4 - lost ticks.
 *
 * ticks_now   how many periods of the timer have passed since HC_CLOCK: whole ones, rounded down
 * given       lab->period and lab->start in ns; vcpu->vm->engine_ops->time(vcpu) is the guest's time now, in ns
 * hint        below it counts interrupts. The 8259 has one bit for a request: two ticks while the guest
 *             is masked are one interrupt, and a clock that counts them goes slow. What does not get lost?
 */
static uint64_t
ticks_now(struct vcpu *vcpu)
{
    const struct lab *lab = vcpu->strategy_state;

    not_yet("ticks_now (hole 4)");
    return lab->taken;
}
/* END 4 */

/* --- given: what hv calls ------------------------------------------------------------------------- */

static bool
lab_can_inject(struct vcpu *vcpu)
{
    const struct lab *lab = vcpu->strategy_state;

    if (!lab->shares)
        return vcpu->vm->engine_ops->can_inject(vcpu);
    if (may_interrupt(vcpu))
        return true;
    if (!vcpu->halted)
        on_refusal(vcpu);
    return false;
}

static int
lab_inject(struct vcpu *vcpu, uint8_t vector, struct error *err)
{
    struct lab *lab = vcpu->strategy_state;

    if (lab->shares) {
        lab->taken++;
        on_delivery(vcpu);
        on_taken(vcpu);
        if (lab->period)
            set_ticks(vcpu, ticks_now(vcpu));
    }
    return vcpu->vm->engine_ops->inject(vcpu, vector, err);
}

static int64_t
hc_share(struct vcpu *vcpu, uint64_t address)
{
    struct lab *lab = vcpu->strategy_state;
    struct shared shared;

    if (address % 8 || ram_read(&vcpu->vm->ram, address, &shared, sizeof(shared)))
        return -EFAULT;
    lab->page = address;
    lab->shares = true;
    return 0;
}

static int64_t
hc_clock(struct vcpu *vcpu, uint64_t period)
{
    struct lab *lab = vcpu->strategy_state;

    if (!period || !lab->shares)
        return -EINVAL;
    lab->period = period;
    lab->start = vcpu->vm->engine_ops->time(vcpu);
    lab->taken = 0;
    set_ticks(vcpu, 0);
    return 0;
}

static enum strategy_verdict
lab_on_exit(struct vcpu *vcpu, struct run_result *result)
{
    const struct lab *lab = vcpu->strategy_state;
    struct vm_exit *exit = &vcpu->exit;
    int64_t rc;

    (void)result;
    if (exit->kind != TRACE_HYPERCALL)
        return STRATEGY_PASS;
    switch (exit->hypercall.number) {
    case HC_SHARE: rc = hc_share(vcpu, exit->hypercall.args[0]); break;
    case HC_EVENTS: rc = 0; break;
    case HC_WAIT: rc = lab->shares ? hc_wait(vcpu) : -EINVAL; break;
    case HC_CLOCK: rc = hc_clock(vcpu, exit->hypercall.args[0]); break;
    default: return STRATEGY_PASS;
    }
    exit->hypercall.result = (uint64_t)rc;
    return STRATEGY_HANDLED;
}

static int
lab_attach(struct vcpu *vcpu, struct error *err)
{
    vcpu->strategy_state = calloc(1, sizeof(struct lab));
    if (!vcpu->strategy_state)
        return error_set(err, ENOMEM, "no memory");
    return vcpu->vm->engine_ops->intercept(vcpu, INTERCEPT_HYPERCALL, 0, err);
}

static void
lab_detach(struct vcpu *vcpu)
{
    free(vcpu->strategy_state);
    vcpu->strategy_state = NULL;
}

const struct strategy_ops hv_strategy = {
    .abi = STRATEGY_ABI,
    .name = "vif",
    .summary = "a virtual interrupt flag, in memory that VMM and guest share",
    .needs = CAP_GUEST_KERNEL | CAP_INTERCEPT_INSN,
    .attach = lab_attach,
    .detach = lab_detach,
    .on_exit = lab_on_exit,
    .can_inject = lab_can_inject,
    .inject = lab_inject,
};
