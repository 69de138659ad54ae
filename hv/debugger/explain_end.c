/*
 * explain_end.c - why the machine could not go on, walked back to what was first.
 *
 * A triple fault is tried again on an observer: the instruction at rip raises the first exception; the
 * interpreter tries to deliver it, and whatever it meets; each time the tables are read to find the
 * bit that was bad (decode_gate.c). Nothing of it changes the machine.
 *
 * Called by explain.c and commands_explain.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "debugger/explain.h"
#include "debugger/paint.h"
#include "engine/engine.h"
#include "loader/symbols.h"
#include "strategy/strategy.h"

/* --- the chain of faults -------------------------------------------------------------------------- */

/* SDM vol. 3, table 6-4. */
static bool
is_contributory(unsigned vector)
{
    return vector == VEC_DE || (vector >= VEC_TS && vector <= VEC_GP);
}

/* Does the second of two make a double fault (SDM vol. 3, table 6-5)? */
static bool
makes_double_fault(unsigned first, unsigned second)
{
    if (is_contributory(first))
        return is_contributory(second);
    return first == VEC_PF && (second == VEC_PF || is_contributory(second));
}

static char *
fault_text(const struct x86_fault *f, char *text, size_t size)
{
    const char *name = x86_vector_name(f->vector);
    char code[DECODE_SIZE];

    if (name)
        snprintf(text, size, "%s", name);
    else
        snprintf(text, size, "interrupt 0x%x", f->vector);
    if (f->vector == VEC_PF)
        decode_add(text, size, " at 0x%" PRIx64, f->address);
    if (f->has_error && f->vector != VEC_DF) {
        decode_add(text, size, ", error 0x%x", f->error);
        if (*decode_error_code(f->vector, f->error, code, sizeof(code)))
            decode_add(text, size, " (%s)", code);
    }
    return text;
}

/* Tries to deliver one event after the other until one arrives or there is a shutdown. */
static void
walk_chain(const struct subject *s, struct observer *o, enum x86_event type, struct x86_fault what)
{
    char text[DECODE_SIZE], why[2 * DECODE_SIZE];
    unsigned step = 1;

    for (; step < 6; step++) {
        explain_say(s, step == 1 ? "First" : "Then", "%s%s",
                    step == 1 ? "" : "so the processor tries ",
                    fault_text(&what, text, sizeof(text)));
        int emu = x86_deliver_event(&o->cpu, type, &what, o->cpu.r.rip);
        struct x86_fault next = o->cpu.fault;
        if (emu != EMU_FAULT) {
            explain_say(s, "",
                        emu == EMU_OK ? "It could be delivered: the memory has changed since."
                                      : "A device lies in its way; this cannot be tried again.");
            return;
        }
        decode_delivery_problem(o, what.vector, type, &next, why, sizeof(why));
        explain_say(s, "Bad", "%s", why);
        explain_say(s, "", "so delivering it raises %s", fault_text(&next, text, sizeof(text)));
        if (type == X86_EVENT_EXCEPTION && what.vector == VEC_DF)
            break;
        if (type == X86_EVENT_EXCEPTION && makes_double_fault(what.vector, next.vector))
            next = (struct x86_fault){.vector = VEC_DF, .has_error = true};
        what = next;
        type = X86_EVENT_EXCEPTION;
    }
    explain_say(s, "End",
                "A fault while the double fault is delivered is a triple fault: the "
                "processor gives up and shuts down.");
}

/* The interrupt that was handed over last before the exit; false: there was none. */
static bool
injected_before(const struct subject *s, uint8_t *vector)
{
    struct trace opened, *trace;
    struct error err = {""};
    bool close, found = false;
    uint64_t at;

    if (machine_trace(s->machine, &opened, &trace, &close, &err))
        return false;
    if (trace_find_exit(trace, s->number, &at))
        at = 0;
    for (; at > 0 && !found; at--) {
        const struct trace_event *e = &trace->events[at - 1];
        if (trace->kind[e->kind].class == TRACE_CLASS_EXIT)
            break;
        found = e->kind == TRACE_INJECT;
        *vector = (uint8_t)e->address;
    }
    if (close)
        trace_close(trace);
    return found;
}

static void
say_table_registers(const struct subject *s)
{
    const struct x86_regs *r = &s->regs;

    explain_say(s, "Tables",
                "IDT 0x%" PRIx64 " limit 0x%x, GDT 0x%" PRIx64 " limit 0x%x, TSS 0x%" PRIx64
                " limit 0x%x, CR3 0x%" PRIx64 ", RSP 0x%" PRIx64,
                r->idtr.base, r->idtr.limit, r->gdtr.base, r->gdtr.limit, r->tr.base, r->tr.limit,
                r->cr3, r->gpr[X86_RSP]);
}

static void
walk_back(const struct subject *s)
{
    struct observer *o;
    uint8_t vector;
    int emu;

    if (!s->has_regs) {
        explain_say(s, "",
                    "A recording has neither registers nor memory: 'hv debug' on the guest "
                    "itself walks the fault back to the bad bit.");
        return;
    }
    if (!(s->regs.cr0 & CR0_PE) && s->regs.rip == 0xfff0 &&
        s->regs.seg[X86_CS].base == 0xffff0000u) {
        explain_say(s, "",
                    "The host has put the processor into its state after RESET, as SVM leaves it "
                    "undefined (APM vol. 2, 15.14.3): use --engine soft to see what was before.");
        return;
    }
    o = observer_open(&s->machine->vm->ram, &s->regs, false);
    if (!o)
        return;
    say_table_registers(s);
    emu = x86_emulate_one(&o->cpu);
    if (emu == EMU_FAULT) {
        struct x86_fault first = o->cpu.fault;
        walk_chain(s, o, X86_EVENT_EXCEPTION, first);
    } else if (injected_before(s, &vector)) {
        /* The instruction is innocent, and what trying it has changed must not count. */
        observer_close(o);
        if (!(o = observer_open(&s->machine->vm->ram, &s->regs, false)))
            return;
        explain_say(s, "",
                    "The instruction at rip is not to blame: an interrupt was being delivered.");
        walk_chain(s, o, X86_EVENT_EXTERNAL, (struct x86_fault){.vector = vector});
    } else {
        explain_say(s, "",
                    "The instruction at rip does not fault when it is tried again, and no "
                    "interrupt was handed over: the first exception is not known.");
    }
    observer_close(o);
}

/* --- the other ends ------------------------------------------------------------------------------- */

static void
say_shutdown(const struct subject *s)
{
    char a[DECODE_SIZE];

    explain_say(s, "Why",
                "An exception could not be delivered, the double fault that came of it could "
                "not either: a triple fault.");
    walk_back(s);
    /* A deprivileged guest's is found where its exceptions are delivered: no processor shuts down. */
    explain_say(s, "VMM", "%s ends the run.",
                where_text(s->exit.kind == TRACE_SHUTDOWN ? where_exit(TRACE_SHUTDOWN)
                                                          : where_is(AT_TRAP_FINISH),
                           a, sizeof(a)));
    explain_say(s, "Manual",
                "SDM vol. 3, 6.14 (64-bit IDT), 6.15 (#DF), 25.2 (triple fault); "
                "'info idt', 'info gdt' and 'info walk ADDRESS' show the tables");
}

static void
say_refused_entry(const struct subject *s)
{
    const char *invalid = s->has_regs ? x86_regs_invalid(&s->regs) : NULL;
    char a[DECODE_SIZE];

    explain_say(s, "Why",
                "Before it enters a guest the processor checks the guest's state, and it did "
                "not like it (hardware's reason 0x%" PRIx64 ").",
                s->here ? s->exit.failure.code : 0);
    if (invalid)
        explain_say(s, "Bad", "%s", invalid);
    else if (s->has_regs)
        explain_say(s, "", "%s finds nothing wrong with it: perhaps the host's VMX controls are.",
                    where_text(where_is(AT_REGS_INVALID), a, sizeof(a)));
    explain_say(s, "Manual", "SDM vol. 3, 26.3.1 (checks on the guest state area) and 26.7");
}

static void
say_internal_error(const struct subject *s)
{
    const char *text = s->here ? s->exit.failure.text : NULL;

    explain_say(s, "Why", "%s", text ? text : "The engine gave up, and does not say more.");
    explain_say(s, "", "Engine soft carries every instruction out by itself: try --engine soft.");
    explain_say(s, "Manual", "Linux, Documentation/virt/kvm/api.rst, KVM_EXIT_INTERNAL_ERROR");
}

bool
explain_end(const struct subject *s)
{
    bool here = s->here && s->machine->ended;

    if (s->exit.kind == TRACE_SHUTDOWN || (here && s->machine->result.end == RUN_SHUTDOWN)) {
        say_shutdown(s);
        return true;
    }
    switch (s->exit.kind) {
    case TRACE_FAIL_ENTRY: say_refused_entry(s); return true;
    case TRACE_INTERNAL_ERROR: say_internal_error(s); return true;
    case TRACE_UNIMPLEMENTED:
        explain_say(s, "Why",
                    "The interpreter leaves this out%s%s. A machine with KVM has it: try "
                    "--engine kvm.",
                    s->here && s->exit.failure.text ? ": " : "",
                    s->here && s->exit.failure.text ? s->exit.failure.text : "");
        return true;
    default: break;
    }
    if (here && s->machine->result.end == RUN_REFUSED) {
        explain_say(s, "Why", "Strategy %s cannot go on with what the guest did: %s",
                    s->machine->strategy, s->machine->result.message.message);
        explain_say(s, "Manual", "docs/STRATEGIES.md; docs/HYPERCALLS.md");
        return true;
    }
    return false;
}

/* HLT for ever: which of the conditions of a wake-up is missing. */
static void
say_halted(const struct subject *s)
{
    const struct vm *vm = s->machine->vm;

    explain_say(s, "Why", "The guest executed HLT, and nothing can wake it.");
    if (vm && s->has_regs && !vm->strategy->can_inject && !(s->regs.rflags & FLAG_IF))
        explain_say(s, "Bad", "RFLAGS.IF (bit 9) is clear: no interrupt is delivered.");
    else if (vm && vm->strategy->can_inject && !vm->strategy->can_inject(s->machine->vcpu))
        explain_say(s, "Bad",
                    "The guest's own interrupt flag is clear, as the strategy keeps it "
                    "('info strategy').");
    else
        explain_say(s, "Bad",
                    "No device will raise an interrupt ('info irq', 'info devices pit'), and "
                    "nobody can type.");
    explain_say(s, "Manual", "SDM vol. 2, HLT");
}

void
explain_machine_end(struct debugger *d)
{
    const struct machine *m = d->machine;
    struct subject s;
    struct error err = {""};
    char place[DECODE_SIZE];

    fprintf(d->out, "%sthe machine has ended: %s%s\n", paint_on(d, PAINT_TITLE),
            run_end_text(m->result.end), paint_off(d));
    if (!m->now.exits || subject_open(&s, d, m->now.exits, &err)) {
        paint_paragraph(d, "", m->result.message.message);
        return;
    }
    s.edge = s.edge == EDGE_NONE ? EDGE_OUT : s.edge;
    symbols_format(m->symbols, s.exit.rip, place, sizeof(place));
    explain_say(&s, "Where", "at %s, after exit %" PRIu64 " (%s)", place, s.number,
                trace_kinds[s.exit.kind].name);
    if (m->result.end == RUN_HALTED)
        say_halted(&s);
    else if (m->result.end == RUN_POWER_OFF || m->result.end == RUN_RESET)
        explain_exit(&s);
    else if (!explain_end(&s))
        paint_paragraph(d, "Why",
                        m->result.message.message[0] ? m->result.message.message
                                                     : run_end_text(m->result.end));
}
