/*
 * dispatcher.c - lab 3: what becomes of an exit, decided by a table of yours.
 *
 *     make
 *     hv run --engine soft --strategy ./dispatcher.so --append cpuid guest
 *
 * This is the reference. hv asks a strategy first, at every exit: lab_on_exit() below. What the strategy does not handle
 * it passes on to hv's own exit table (hv/core/dispatch.c).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/vm.h"
#include "engine/engine.h"
#include "isa/x86/cpu.h"
#include "strategy/strategy.h"

#define CPUID_HYPERVISOR 0x40000000u /* where a hypervisor says its name */
#define MSR_EXITS        0x4c414200u /* an MSR that no processor has: how many exits so far */
#define HC_COUNT         0x300u      /* hypercall: how many exits of one kind so far */
#define POLLS_MAX        100u        /* this many equal reads in a row are a storm */

/* All that the dispatcher remembers. */
struct lab {
    uint64_t count[TRACE_KIND_COUNT]; /* exits of each kind so far, this one too */
    uint64_t base;                    /* MSR_EXITS was written: what to add */
    uint64_t polled_port, polls;      /* the last port that was read, and how often in a row */
};

/* A handler looks at vcpu->exit and does what is to be done. */
typedef enum strategy_verdict (*handler)(struct vcpu *vcpu, struct lab *lab,
                                         struct run_result *result);

/* Ends the machine with a sentence. */
static enum strategy_verdict
end(struct run_result *result, enum run_end why, const char *sentence)
{
    result->end = why;
    error_set(&result->message, EPROTO, "%s", sentence);
    return STRATEGY_END;
}

/* --- handlers ----------------------------------------------------------------------------------- */

/* HOLE 2 */
static enum strategy_verdict
on_cpuid(struct vcpu *vcpu, struct lab *lab, struct run_result *result)
{
    const struct engine_ops *ops = vcpu->vm->engine_ops;
    static const char name[12] __attribute__((nonstring)) = "LabVMM-lab03";
    static const unsigned in[3] = {X86_RBX, X86_RCX, X86_RDX};
    struct x86_regs regs;
    uint32_t letters;

    (void)lab;
    if (vcpu->exit.cpuid.leaf != CPUID_HYPERVISOR)
        return STRATEGY_PASS;
    if (ops->get_regs(vcpu, &regs, &result->message))
        return STRATEGY_END;
    regs.gpr[X86_RAX] = CPUID_HYPERVISOR;
    for (unsigned i = 0; i < 3; i++) {
        memcpy(&letters, name + 4 * i, sizeof(letters));
        regs.gpr[in[i]] = letters;
    }
    regs.rip += 2;
    return ops->set_regs(vcpu, &regs, &result->message) ? STRATEGY_END : STRATEGY_HANDLED;
}
/* END 2 */

/* HOLE 3 */
static enum strategy_verdict
on_msr(struct vcpu *vcpu, struct lab *lab, struct run_result *result)
{
    const struct engine_ops *ops = vcpu->vm->engine_ops;
    struct x86_regs regs;
    uint64_t all = 0;

    if (vcpu->exit.msr.index != MSR_EXITS)
        return STRATEGY_PASS;
    for (unsigned k = 0; k < TRACE_KIND_COUNT; k++)
        all += lab->count[k];
    if (ops->get_regs(vcpu, &regs, &result->message))
        return STRATEGY_END;
    if (vcpu->exit.msr.write) {
        lab->base = vcpu->exit.msr.value - all;
    } else {
        regs.gpr[X86_RAX] = (uint32_t)(lab->base + all);
        regs.gpr[X86_RDX] = (lab->base + all) >> 32;
    }
    regs.rip += 2;
    return ops->set_regs(vcpu, &regs, &result->message) ? STRATEGY_END : STRATEGY_HANDLED;
}
/* END 3 */

/* HOLE 4 */
static enum strategy_verdict
on_hypercall(struct vcpu *vcpu, struct lab *lab, struct run_result *result)
{
    uint64_t kind = vcpu->exit.hypercall.args[0];

    (void)result;
    if (vcpu->exit.hypercall.number != HC_COUNT)
        return STRATEGY_PASS;
    vcpu->exit.hypercall.result = kind < TRACE_KIND_COUNT ? lab->count[kind] : (uint64_t)-EINVAL;
    return STRATEGY_HANDLED;
}
/* END 4 */

/* HOLE 5 */
static enum strategy_verdict
on_io(struct vcpu *vcpu, struct lab *lab, struct run_result *result)
{
    char sentence[100];

    if (vcpu->exit.access.write || vcpu->exit.access.address != lab->polled_port)
        lab->polls = 0;
    if (vcpu->exit.access.write)
        return STRATEGY_PASS;
    lab->polled_port = vcpu->exit.access.address;
    if (++lab->polls < POLLS_MAX)
        return STRATEGY_PASS;
    snprintf(sentence, sizeof(sentence), "port 0x%" PRIx64 " was read %u times in a row",
             lab->polled_port, POLLS_MAX);
    return end(result, RUN_REFUSED, sentence);
}
/* END 5 */

/* --- the table ------------------------------------------------------------------------------------ */

/* NULL: nobody of ours. */
static const handler handlers[TRACE_KIND_COUNT] = {
    [TRACE_IO] = on_io,
    [TRACE_CPUID] = on_cpuid,
    [TRACE_MSR] = on_msr,
    [TRACE_HYPERCALL] = on_hypercall,
};

/* HOLE 1 */
static enum strategy_verdict
dispatch(struct vcpu *vcpu, struct lab *lab, struct run_result *result)
{
    handler handle = handlers[vcpu->exit.kind];

    lab->count[vcpu->exit.kind]++;
    return handle ? handle(vcpu, lab, result) : STRATEGY_PASS;
}
/* END 1 */

/* --- strategy_ops ----------------------------------------------------------------------------------- */

static enum strategy_verdict
lab_on_exit(struct vcpu *vcpu, struct run_result *result)
{
    return dispatch(vcpu, vcpu->strategy_state, result);
}

/* Which instructions shall leave the guest? Ports, device memory and HLT always do. */
static int
lab_attach(struct vcpu *vcpu, struct error *err)
{
    vcpu->strategy_state = calloc(1, sizeof(struct lab));
    if (!vcpu->strategy_state)
        return error_set(err, ENOMEM, "no memory");
    return vcpu->vm->engine_ops->intercept(
        vcpu, INTERCEPT_CPUID | INTERCEPT_MSR | INTERCEPT_HYPERCALL, 0, err);
}

static void
lab_detach(struct vcpu *vcpu)
{
    struct lab *lab = vcpu->strategy_state;

    for (unsigned k = 0; lab && k < TRACE_KIND_COUNT; k++)
        if (lab->count[k])
            fprintf(stderr, "lab: %s %" PRIu64 "\n", trace_kinds[k].name, lab->count[k]);
    free(lab);
    vcpu->strategy_state = NULL;
}

const struct strategy_ops hv_strategy = {
    .abi = STRATEGY_ABI,
    .name = "lab3",
    .summary = "a dispatcher of the student's own",
    .needs = CAP_GUEST_KERNEL | CAP_INTERCEPT_INSN,
    .attach = lab_attach,
    .detach = lab_detach,
    .on_exit = lab_on_exit,
};
