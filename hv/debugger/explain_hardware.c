/*
 * explain_hardware.c - why a guest that runs unmodified leaves for the VMM, and what is done about it.
 *
 * The reasons are those of the processor's virtualization: intercepts of SVM (APM vol. 2, 15.9) and
 * execution controls of VMX (SDM vol. 3, 24.6), which engine soft imitates. Also what is the same
 * under every strategy: an exit that the strategy passed on.
 *
 * Called by explain.c and by the other strategies. Next: explain_trap.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "debugger/explain.h"
#include "device/device.h"
#include "engine/engine.h"
#include "strategy/strategy.h"

struct reason {
    const char *why;   /* it left the guest */
    const char *guest; /* what the guest sees */
    const char *manual;
};

/* clang-format off */
static const struct reason reasons[TRACE_KIND_COUNT] = {
    [TRACE_IO] = {
        "Ports belong to devices, and the guest's devices are programs in the VMM. Every port is "
        "intercepted (SVM: the I/O permission map; VMX: unconditional I/O exiting).",
        "The instruction ends as on a real machine; only time passes.",
        "SDM vol. 3, 25.1.3 and 27.2.1 (exit qualification for I/O); APM vol. 2, 15.10"},
    [TRACE_MMIO] = {
        "No memory is at that physical address, so the second level of page tables has nothing "
        "there (an EPT violation or nested page fault). The VMM takes it for a device's register.",
        "The instruction ends as on a real machine, with the device's answer.",
        "SDM vol. 3, 28.2.3; APM vol. 2, 15.25.6"},
    [TRACE_HLT] = {
        "The guest has nothing to do. HLT is intercepted, so that the host's processor need not "
        "sleep with it: the VMM waits for the next interrupt instead.",
        "It sleeps until an interrupt, as on a real machine.",
        "SDM vol. 2, HLT; vol. 3, 24.6.2 (HLT exiting); APM vol. 2, 15.9"},
    [TRACE_HYPERCALL] = {
        "VMCALL and VMMCALL do nothing but leave the guest: they are a guest's way to call its VMM.",
        "The result is in RAX; the guest goes on behind the instruction.",
        "SDM vol. 3, 30.3 (VMCALL); APM vol. 3, VMMCALL"},
    [TRACE_MSR] = {
        "Model-specific registers are the processor's own settings. The bitmap of intercepted "
        "MSRs is set for this one, so the VMM can say what the guest finds.",
        "It reads or writes its own copy; the host's register is untouched.",
        "SDM vol. 2, RDMSR and WRMSR; vol. 3, 24.6.9; vol. 4; APM vol. 2, 15.11"},
    [TRACE_CPUID] = {
        "The VMM decides what processor the guest believes to have. VMX leaves no choice: CPUID "
        "always exits.",
        "EAX, EBX, ECX, EDX hold what the VMM's processor claims to be ('info cpuid').",
        "SDM vol. 2, CPUID; vol. 3, 25.1.2; APM vol. 2, 15.9"},
    [TRACE_CR] = {
        "Control registers decide the processor's mode and whose page tables are used, and this "
        "access to one was intercepted.",
        "The register reads as the guest wrote it.",
        "SDM vol. 3, 2.5 and 25.1.3; APM vol. 2, 15.8"},
    [TRACE_DR] = {
        "Debug registers were intercepted: the VMM may be using them itself.",
        "The register reads as the guest wrote it.", "SDM vol. 3, 17.2 and 25.1.3"},
    [TRACE_INVLPG] = {
        "The guest changed a page table and drops the translation that the TLB had. The VMM had "
        "asked to be told.",
        "The next access walks the page tables again.", "SDM vol. 3, 4.10.4; vol. 2, INVLPG"},
    [TRACE_DTABLE] = {
        "GDTR, IDTR, LDTR and TR say where the processor's own tables are; the access was "
        "intercepted.",
        "The register is as the guest set it.", "SDM vol. 3, 2.4; APM vol. 2, 15.9"},
    [TRACE_TSC] = {
        "Time was asked for, and the VMM wants to say which.",
        "EDX:EAX hold the guest's time.", "SDM vol. 3, 17.17; vol. 2, RDTSC"},
    [TRACE_INSTRUCTION] = {
        "The instruction is one of those that this strategy intercepts.",
        "The instruction does what the manual says.", "APM vol. 2, 15.9; SDM vol. 3, 25.1.3"},
    [TRACE_EXCEPTION] = {
        "The exception's bit is set in the bitmap of intercepted exceptions.",
        "Nothing, unless the VMM hands the exception on.", "SDM vol. 3, 24.6.3; APM vol. 2, 15.12"},
    [TRACE_INTR_WINDOW] = {
        "An interrupt waited, but the guest had IF clear or had just executed STI or MOV SS. The "
        "VMM asked to be told as soon as it can be delivered: now.",
        "The interrupt comes next, as if it had been pending at the pin.",
        "SDM vol. 3, 25.2 (interrupt-window exiting); APM vol. 2, 15.21.4"},
    [TRACE_KICK] = {
        "Nothing that the guest did: the VMM called the processor back, because a device was due, "
        "somebody typed, or the user asked for it.",
        "Nothing; perhaps an interrupt comes next.",
        "SDM vol. 3, 25.2 (external interrupts); APM vol. 2, 15.13"},
    [TRACE_LIMIT] = {
        "The number of instructions that the run was allowed is used up.", "Nothing.", NULL},
    [TRACE_DEBUG] = {
        "The debugger stopped the guest: a step or a breakpoint.", "Nothing.", "SDM vol. 3, 17.3"},
    [TRACE_SYSTEM_EVENT] = {
        "The guest asked to be switched off or reset.", "It is not there any more to see it.", NULL},
};
/* clang-format on */

/* Which device a port or address belongs to, and who calls it. */
static void
say_asked(const struct subject *s)
{
    char where[DECODE_SIZE];
    const struct bus_range *range = subject_device(s);

    where_text(where_is(AT_ACCESS), where, sizeof(where));
    if (range)
        explain_say(s, "",
                    "The allocator's map says that device '%s' (%s) has 0x%" PRIx64 " to 0x%" PRIx64
                    ": %s calls it.",
                    range->device->ops->name, range->device->ops->summary, range->first,
                    range->last, where);
    else if (s->machine->vm)
        explain_say(s, "",
                    "The allocator's map has no device at 0x%" PRIx64
                    ": a read gives all ones, a write is dropped; %s counts it.",
                    s->exit.access.address, where);
    else
        explain_say(s, "",
                    "The allocator's map says which device that is; %s calls it ('info exit "
                    "%" PRIu64 "' shows the call).",
                    where, s->number);
}

/* By the exit table: which function, and what it asks. */
static void
say_vmm(const struct subject *s)
{
    const char *did = s->edge == EDGE_OUT ? "will" : "did";
    const struct where *handler = where_exit(s->exit.kind);
    char where[DECODE_SIZE], dispatch[DECODE_SIZE];
    const struct vm *vm = s->machine->vm;

    where_text(handler, where, sizeof(where));
    where_text(where_is(AT_DISPATCH), dispatch, sizeof(dispatch));
    if (!strategy_find(s->machine->strategy)) { /* what it does, its author knows */
        explain_say(
            s, "VMM",
            "Strategy %s, a plug-in, is asked first: its on_exit. What it passes on goes to "
            "the exit table of %s, which has %s for it.",
            s->machine->strategy, dispatch, handler ? where : "nobody");
        return;
    }
    if (handler)
        explain_say(s, "VMM",
                    "Strategy %s passes it on; the exit table of %s has %s for it, which "
                    "%s the work.",
                    s->machine->strategy, dispatch, where, s->edge == EDGE_OUT ? "will do" : "did");
    else
        explain_say(s, "VMM", "Nobody %s handle it: %s ends the run.", did, dispatch);
    switch (s->exit.kind) {
    case TRACE_IO:
    case TRACE_MMIO: say_asked(s); break;
    case TRACE_HLT:
        explain_say(s, "",
                    "It marks the processor as halted; %s lets time pass until a device "
                    "raises an interrupt.",
                    where_text(where_is(AT_IDLE), where, sizeof(where)));
        break;
    case TRACE_KICK:
    case TRACE_INTR_WINDOW:
        explain_say(s, "",
                    "There is nothing to carry out: %s and %s do what is due before the "
                    "next entry.",
                    where_text(where_is(AT_HOUSEKEEPING), where, sizeof(where)),
                    where_text(where_is(AT_OFFER_INTERRUPT), dispatch, sizeof(dispatch)));
        break;
    case TRACE_HYPERCALL:
        explain_say(s, "",
                    "No strategy knows a hypercall here: the result is -ENOSYS (-38), as KVM "
                    "answers it.");
        break;
    default:
        if (handler && !strcmp(handler->function, "handle_emulate") && vm &&
            vm->engine_ops->emulate)
            explain_say(s, "",
                        "Engine %s carries the instruction out as the processor would have "
                        "done: the interpreter, %s.",
                        vm->engine_ops->name,
                        where_text(where_is(AT_EMULATE_ONE), where, sizeof(where)));
    }
}

/* What will be different in the guest, with the live values. */
static void
say_guest(const struct subject *s, const struct reason *reason)
{
    const struct vm_exit *x = &s->exit;
    uint32_t id[4];

    if (reason->guest)
        explain_say(s, "Guest", "%s", reason->guest);
    if (x->kind == TRACE_CPUID && s->machine->vm && !strcmp(s->machine->engine, "soft")) {
        x86_cpuid(&s->regs, x->cpuid.leaf, x->cpuid.subleaf, id);
        explain_say(s, "", "Of leaf 0x%x: EAX 0x%x, EBX 0x%x, ECX 0x%x, EDX 0x%x.", x->cpuid.leaf,
                    id[0], id[1], id[2], id[3]);
    }
    if (x->kind == TRACE_MSR && !x86_msr_name(x->msr.index) && s->edge == EDGE_OUT)
        explain_say(s, "", "hv's processor has no MSR 0x%x: the guest will get #GP(0).",
                    x->msr.index);
    if (s->edge == EDGE_IN && s->has_regs && s->regs.rip == x->rip &&
        (x->kind == TRACE_IO || x->kind == TRACE_MMIO) && !x->access.write)
        explain_say(s, "",
                    "rip is still at the instruction: the engine completes it with the value "
                    "0x%" PRIx64 " as it enters the guest, as KVM does.",
                    x->access.value);
    else if (s->edge == EDGE_IN && s->has_regs)
        explain_say(s, "", "It goes on at 0x%" PRIx64 ".", s->regs.rip);
}

void
explain_hardware(const struct subject *s)
{
    const struct reason *reason = &reasons[s->exit.kind];
    const struct bus_range *range = subject_device(s);

    if (reason->why)
        explain_say(s, "Why", "%s", reason->why);
    if (s->machine->engine && !strcmp(s->machine->engine, "kvm") && s->exit.kind != TRACE_KICK)
        explain_say(s, "",
                    "On engine kvm the host's kernel chose the intercepts and answers most "
                    "exits itself; this one came as far as hv.");
    say_vmm(s);
    say_guest(s, reason);
    if (reason->manual && range && range->device->ops->manual)
        explain_say(s, "Manual", "%s; %s", reason->manual, range->device->ops->manual);
    else if (reason->manual)
        explain_say(s, "Manual", "%s", reason->manual);
}
