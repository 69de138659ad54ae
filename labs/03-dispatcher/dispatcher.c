/*
 * dispatcher.c - lab 3: what becomes of an exit, decided by a table of yours.
 *
 *     make
 *     hv run --engine soft --strategy ./dispatcher.so --append cpuid guest
 *
 * hv asks a strategy first, at every exit: lab_on_exit() below. What the strategy does not handle
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

/*
 * HOLE 2 - CPUID: the hypervisor says its name.
 *
 * exit      vcpu->exit.cpuid.leaf. Leaf CPUID_HYPERVISOR is ours; all others are the processor's
 * does      EAX = CPUID_HYPERVISOR (the highest leaf of ours), EBX ECX EDX = the 12 letters
 *           "LabVMM-lab03", four a register, the first in the lowest byte; then the guest goes on
 *           behind the instruction
 * returns   STRATEGY_HANDLED; STRATEGY_PASS for a leaf that is not ours; STRATEGY_END if the engine
 *           fails (it fills result->message)
 * hint      the engine has the registers, and vcpu->vm->engine_ops the routines: struct x86_regs regs;
 *           get_regs(vcpu, &regs, &result->message); change regs.gpr[X86_RAX] ..., regs.rip;
 *           set_regs() the same way. Both return 0, or fail. An exit at an intercepted instruction comes
 *           BEFORE it: rip points at it, and nobody moves rip but you. CPUID is 2 bytes long (0F A2).
 *           In 64-bit mode CPUID clears the upper halves of the four registers
 */
static enum strategy_verdict
on_cpuid(struct vcpu *vcpu, struct lab *lab, struct run_result *result)
{
    (void)vcpu, (void)lab;
    return end(result, RUN_FAILED, "on_cpuid (hole 2) is not written yet");
}
/* END 2 */

/*
 * HOLE 3 - RDMSR and WRMSR: a register that does not exist.
 *
 * exit      vcpu->exit.msr.index, .write, .value (what is written: EDX:EAX)
 * does      reading MSR_EXITS: EDX:EAX = base + all exits so far, of all kinds, this one too
 *           writing it: from now on it counts from the written value: the write itself counts as 0,
 *           the next exit is 1 more
 * returns   as on_cpuid(); other MSRs are the processor's: STRATEGY_PASS
 * hint      both instructions are 2 bytes long. Only 32 bits go into each of the two registers; the
 *           upper halves become 0
 */
static enum strategy_verdict
on_msr(struct vcpu *vcpu, struct lab *lab, struct run_result *result)
{
    (void)vcpu, (void)lab;
    return end(result, RUN_FAILED, "on_msr (hole 3) is not written yet");
}
/* END 3 */

/*
 * HOLE 4 - a hypercall: how many exits of one kind?
 *
 * exit      vcpu->exit.hypercall.number (RAX) and .args[0] (RBX): a kind, from 0 to
 *           TRACE_KIND_COUNT - 1
 * does      .result = the count, or -EINVAL for a kind that is none
 * returns   STRATEGY_HANDLED; STRATEGY_PASS if the number is not HC_COUNT: hv answers -ENOSYS then
 * hint      a hypercall is an exit too, but here .result and the guest's rip are the engine's business.
 *           args[0] is any 64 bits that a guest likes. As an index of your array it is a loaded gun
 */
static enum strategy_verdict
on_hypercall(struct vcpu *vcpu, struct lab *lab, struct run_result *result)
{
    (void)vcpu, (void)lab;
    return end(result, RUN_FAILED, "on_hypercall (hole 4) is not written yet");
}
/* END 4 */

/*
 * HOLE 5 - ports: the VMM stays in control.
 *
 * exit      vcpu->exit.access.address (the port), .write
 * does      counts reads of one port that follow each other with no other port access between them. The
 *           read that makes it POLLS_MAX ends the machine: RUN_REFUSED, with a sentence that has
 *           in it: "port 0x5f0 was read 100 times in a row" (with the true port)
 * returns   STRATEGY_PASS: whose the port is, the bus knows
 * hint      this is Popek and Goldberg's second condition, resource control: a guest that polls keeps
 *           the VMM busy, at about a microsecond a time, and does nothing. end() takes a sentence:
 *           snprintf() makes one
 */
static enum strategy_verdict
on_io(struct vcpu *vcpu, struct lab *lab, struct run_result *result)
{
    (void)vcpu, (void)lab, (void)result;
    fprintf(stderr, "lab: on_io (hole 5) is not written yet\n");
    return STRATEGY_PASS;
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

/*
 * HOLE 1 - the dispatcher.
 *
 * exit      vcpu->exit.kind, always below TRACE_KIND_COUNT
 * does      counts the exit in lab->count[], then asks the handler that the table has for this kind
 * returns   the handler's verdict; STRATEGY_PASS if there is none
 * hint      two lines. Count first: a handler may want to know, and may end the machine
 */
static enum strategy_verdict
dispatch(struct vcpu *vcpu, struct lab *lab, struct run_result *result)
{
    (void)vcpu, (void)lab, (void)handlers;
    return end(result, RUN_FAILED, "dispatch (hole 1) is not written yet");
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
