/*
 * explain_inject.c - the way into the guest that is no exit's answer: an interrupt that is about to be
 * handed over, at a stop of `catch inject`.
 *
 * Called by commands_explain.c. Next: explain_end.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/vm.h"
#include "debugger/explain.h"
#include "debugger/info.h"
#include "debugger/paint.h"
#include "loader/symbols.h"
#include "strategy/paravirt/paravirt.h"
#include "strategy/strategy.h"

/* Who asks for the processor. */
static void
say_what(const struct subject *s, unsigned vector)
{
    unsigned irq;
    const char *device = info_irq_source(s->machine, vector, &irq);
    char place[DECODE_SIZE];

    explain_say(s, "What", "No exit, but the other way: the VMM interrupts the guest.");
    if (subject_strategy_is(s, "paravirt"))
        explain_say(s, "", "An event of the strategy's own timer or console waits: trap %u.",
                    vector);
    else if (device)
        explain_say(s, "",
                    "Device '%s' has raised line %u of the 8259 pair, which asserts INTR: "
                    "'info irq' shows the lines.",
                    device, irq);
    else
        explain_say(s, "", "The interrupt controller asserts INTR.");
    symbols_format(s->machine->symbols, s->regs.rip, place, sizeof(place));
    explain_say(s, "", "The %s is before the instruction at %s.", subject_guest(s), place);
}

static void
say_why(const struct subject *s)
{
    if (subject_strategy_is(s, "trap"))
        explain_say(
            s, "Why",
            "The guest can take it: its virtual IF is set, and it is not behind STI or MOV "
            "SS. The real IF does not count: while the kernel runs at CPL 3 it is always set.");
    else if (subject_strategy_is(s, "paravirt"))
        explain_say(
            s, "Why",
            "The guest can take it: 'masked' in the shared page is 0. That page is what the "
            "kernel has instead of IF, and it may change it without an exit.");
    else
        explain_say(s, "Why",
                    "The guest can take it: IF is set, and it is not behind STI or MOV SS. Were it "
                    "not, the VMM would ask for an exit as soon as it is (intr-window).");
}

static void
say_vmm(const struct subject *s)
{
    char offer[DECODE_SIZE], then[DECODE_SIZE];

    where_text(where_is(AT_OFFER_INTERRUPT), offer, sizeof(offer));
    if (subject_strategy_is(s, "trap"))
        explain_say(s, "VMM",
                    "%s acknowledges the controller, which names the vector; then %s does with the "
                    "virtual processor what the real one would do: gate, stack, frame.",
                    offer, where_text(where_is(AT_TRAP_INJECT), then, sizeof(then)));
    else if (subject_strategy_is(s, "paravirt"))
        explain_say(s, "VMM",
                    "%s takes the event; then %s puts a frame on the kernel's stack and masks "
                    "further events.",
                    offer, where_text(where_is(AT_PV_TRAP), then, sizeof(then)));
    else
        explain_say(s, "VMM",
                    "%s acknowledges the controller, which names the vector, and hands that to the "
                    "engine: on kvm the processor delivers it at the entry (SVM: EVENTINJ; VMX: "
                    "VM-entry interruption information), on soft %s does.",
                    offer, where_text(where_is(AT_DELIVER_EVENT), then, sizeof(then)));
}

/* Where it will find itself: by its own table. */
static void
say_guest(const struct subject *s, unsigned vector)
{
    struct observer *observer = NULL;
    struct x86_descriptor gate;
    char place[DECODE_SIZE], problem[DECODE_SIZE];
    uint64_t handler = 0;
    struct error err;

    if (subject_strategy_is(s, "paravirt")) {
        const struct paravirt *pv = paravirt_of(s->machine->vcpu);
        handler = vector < HC_TRAPS ? pv->trap[vector].address : 0;
        if (!handler)
            explain_say(s, "Guest", "Its trap table has no handler %u: the machine ends.", vector);
    } else if (!(s->regs.cr0 & CR0_PE)) {
        explain_say(s, "Guest", "It goes on where its interrupt vector table says (real mode).");
    } else if (!(observer = observer_of(s->machine, &err))) {
        explain_say(s, "Guest", "%s", err.message);
    } else if (decode_gate_problem(observer, vector, X86_EVENT_EXTERNAL, problem,
                                   sizeof(problem))) {
        explain_say(s, "Guest", "It will not get there: %s.", problem);
    } else if (!decode_gate(observer, vector, &gate)) {
        handler = gate.base;
    }
    if (handler)
        explain_say(s, "Guest",
                    "It goes on at %s, the handler that its own table has for %u, and finds there "
                    "where it was on its stack.",
                    symbols_format(s->machine->symbols, handler, place, sizeof(place)), vector);
    observer_close(observer);
}

void
explain_inject(struct debugger *d)
{
    struct machine *machine = d->machine;
    const struct vm *vm = machine->vm;
    struct subject subject = {.debugger = d, .machine = machine, .here = true}, *s = &subject;

    if (machine->ops->get_regs(machine, &s->regs, NULL))
        return;
    s->exit.user = vm->strategy->in_user ? vm->strategy->in_user(machine->vcpu)
                                         : x86_cpl(&s->regs) == 3;
    unsigned vector = vm->irq.vector(vm->irq.ctx);
    const char *name = decode_address_name(s->machine, TRACE_INJECT, vector);

    fprintf(d->out, "%sinject: vector 0x%x%s%s%s, on engine %s under strategy %s\n",
            paint_on(d, PAINT_TITLE), vector, name ? " " : "", name ? name : "", paint_off(d),
            s->machine->engine, s->machine->strategy);
    paint_paragraph(d, "When", "It is about to be handed over.");
    say_what(s, vector);
    say_why(s);
    say_vmm(s);
    say_guest(s, vector);
    if (subject_strategy_is(s, "paravirt"))
        explain_say(s, "Manual", "docs/HYPERCALLS.md; Barham et al. 2003 (Xen)");
    else
        explain_say(
            s, "Manual",
            "SDM vol. 3, 6.3.2 and 6.8.1, and VM entries, event injection; APM vol. 2, 15.20; "
            "Intel 8259A data sheet, interrupt sequence");
}
