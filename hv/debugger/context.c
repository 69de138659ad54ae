/*
 * context.c - what is shown at a stop: where the machine stands, why, and what changed; at most 12
 * lines.
 *
 *   exit 17 out: io, guest kernel -> VMM                    which edge of which exit
 *     write byte 0x48 'H' to port 0x3f8: uart, ...          its operands
 *     0xffffffff80101234 console_put+0x1c (console.c:40)    where the guest is
 *     => out dx, al
 *     40    outb(COM1, c);                                  the source line
 *     changed: rax 0x0 -> 0x48  rflags +ZF                  since the stop before
 *
 * What is not known (a recording has no registers) is left out.
 *
 * Called through debugger_show_stop() by whatever moved the machine. Next: explain.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "debugger/display.h"
#include "debugger/explain.h"
#include "debugger/info.h"
#include "debugger/paint.h"
#include "debugger/source.h"
#include "debugger/stops.h"
#include "engine/engine.h"
#include "loader/symbols.h"
#include "strategy/strategy.h"
#include "tracer/describe.h"

#define LINE_WIDTH    79
#define CHANGED_LINES 3
#define SOURCE_WIDTH  72

/* --- which domain ------------------------------------------------------------------------------- */

/* Who goes on after the exit: as the strategy sees it, or the processor, or the recording. */
static const char *
guest_after(const struct subject *s)
{
    struct machine *m = s->machine;
    bool user = s->exit.user;

    if (s->has_event && s->entry.kind == TRACE_ENTRY)
        user = s->entry.to != TRACE_ACTOR_GUEST_KERNEL;
    else if (m->vm && m->vm->strategy->in_user)
        user = m->vm->strategy->in_user(m->vcpu);
    else if (s->has_regs)
        user = x86_cpl(&s->regs) == 3;
    return user ? "guest user" : "guest kernel";
}

/* When: the count of instructions, where the engine counts. */
static void
end_title(struct debugger *d)
{
    char count[32];

    fputs(paint_off(d), d->out);
    if (d->machine->now.icount)
        fprintf(d->out, "%s  (%s instruction%s)%s", paint_on(d, PAINT_DIM),
                describe_count(d->machine->now.icount, count, sizeof(count)),
                d->machine->now.icount == 1 ? "" : "s", paint_off(d));
    fputc('\n', d->out);
}

static void
show_edge(const struct subject *s)
{
    struct debugger *d = s->debugger;
    char text[DECODE_SIZE], more[DECODE_SIZE];

    if (s->edge == EDGE_IN)
        fprintf(d->out, "%sexit %" PRIu64 " in: %s, %s -> %s", paint_on(d, PAINT_TITLE), s->number,
                trace_kinds[s->exit.kind].name, subject_other(s), guest_after(s));
    else
        fprintf(d->out, "%sexit %" PRIu64 " out: %s, %s -> %s", paint_on(d, PAINT_TITLE), s->number,
                trace_kinds[s->exit.kind].name, subject_guest(s), subject_other(s));
    end_title(d);
    if (*decode_exit(s, text, sizeof(text)))
        fprintf(d->out, "  %s\n", describe_clean(text));
    if (*explain_cause(s, more, sizeof(more)))
        fprintf(d->out, "  %s\n", more);
}

/* --- why ------------------------------------------------------------------------------------------ */

static void
show_end(struct debugger *d)
{
    const struct run_result *result = &d->machine->result;

    fprintf(d->out, "%sthe machine has ended: %s%s", paint_on(d, PAINT_TITLE),
            run_end_text(result->end), paint_off(d));
    if (result->end == RUN_POWER_OFF)
        fprintf(d->out, ", status %d", result->status);
    fprintf(d->out, "\n");
    if (result->message.message[0])
        paint_paragraph(d, "", result->message.message);
    if (result->end == RUN_SHUTDOWN || result->end == RUN_FAILED || result->end == RUN_REFUSED)
        fprintf(d->out, "  'explain' says why\n");
}

static void
show_why(struct debugger *d, const struct stop *stop)
{
    const struct machine *m = d->machine;
    const struct stop_entry *entry;
    const char *name;
    unsigned irq;

    switch (stop->why) {
    case STOP_POINT:
        entry = stops_find(d->stops, stop->point, NULL);
        fprintf(d->out, "%s%s %u", paint_on(d, PAINT_TITLE),
                entry ? stops_type_name(entry->type) : "stop", stop->point);
        if (stop->address)
            fprintf(d->out, ", 0x%" PRIx64, stop->address);
        fprintf(d->out, "%s\n", paint_off(d));
        break;
    case STOP_INJECT:
        name = decode_address_name(m, TRACE_INJECT, stop->point);
        fprintf(d->out, "%sinject: VMM -> guest, vector 0x%x%s%s", paint_on(d, PAINT_TITLE),
                stop->point, name ? " " : "", name ? name : "");
        if (!name && (name = info_irq_source(m, stop->point, &irq)))
            fprintf(d->out, " (IRQ %u: %s)", irq, name);
        fprintf(d->out, " is about to be delivered%s\n", paint_off(d));
        break;
    case STOP_INTERRUPTED: fprintf(d->out, "interrupted\n"); break;
    case STOP_BEGINNING: fprintf(d->out, "the beginning: nothing has happened before\n"); break;
    case STOP_END: show_end(d); break;
    case STOP_DONE:
    case STOP_EDGE: break;
    }
}

/* --- where ---------------------------------------------------------------------------------------- */

static void
show_place(struct debugger *d, uint64_t rip)
{
    struct machine *m = d->machine;
    char text[DECODE_SIZE], insn[DECODE_SIZE];
    const char *file;
    int line;

    symbols_format(m->symbols, rip, text, sizeof(text));
    if (strncmp(text, "0x", 2))
        fprintf(d->out, "  %s0x%" PRIx64 "%s %s\n", paint_on(d, PAINT_DIM), rip, paint_off(d),
                describe_clean(text));
    else
        fprintf(d->out, "  0x%" PRIx64 "\n", rip);
    if (*machine_instruction(m, rip, insn, sizeof(insn)))
        fprintf(d->out, "  => %s%s%s\n", paint_on(d, PAINT_NAME), insn, paint_off(d));
    if (m->symbols && symbols_line(m->symbols, rip, &file, &line) &&
        source_line(d, file, line, text, SOURCE_WIDTH)) {
        if (*text)
            fprintf(d->out, "  %-5d %s\n", line, describe_clean(text));
    }
}

/* --- what changed --------------------------------------------------------------------------------- */

struct changes {
    struct debugger *debugger;
    unsigned lines, column, left_out;
};

static void
add_change(struct changes *c, const char *text)
{
    FILE *out = c->debugger->out;
    unsigned width = (unsigned)strlen(text) + 2;

    if (c->left_out || (c->lines == CHANGED_LINES && c->column + width > LINE_WIDTH)) {
        c->left_out++;
        return;
    }
    if (!c->lines || c->column + width > LINE_WIDTH) {
        fprintf(out, "%s  %s", c->lines ? "\n" : "", c->lines ? "        " : "changed:");
        c->lines++;
        c->column = 10;
    }
    fprintf(out, "%s%s%s%s", c->column > 10 ? "  " : " ", paint_on(c->debugger, PAINT_CHANGED),
            text, paint_off(c->debugger));
    c->column += width;
}

static void
show_changes(struct debugger *d, const struct x86_regs *now)
{
    const struct x86_regs *before = &d->machine->before;
    struct changes c = {.debugger = d};
    char text[DECODE_SIZE], bits[DECODE_SIZE];

    for (unsigned i = 0; i < x86_reg_count; i++) {
        const struct reg_desc *r = &x86_reg_table[i];
        const struct bit_name *names;
        uint64_t a = x86_reg_value(before, r), b = x86_reg_value(now, r);
        /* Where the guest is, is said already; hidden parts follow their selector. */
        if (a == b || !strcmp(r->name, "rip") || strstr(r->name, ".limit") ||
            strstr(r->name, ".attr"))
            continue;
        names = !strcmp(r->name, "rflags") ? decode_rflags
                : !strcmp(r->name, "cr0")  ? decode_cr0
                : !strcmp(r->name, "cr4")  ? decode_cr4
                : !strcmp(r->name, "efer") ? decode_efer
                                           : NULL;
        if (names && *decode_bit_changes(names, a, b, bits, sizeof(bits)))
            snprintf(text, sizeof(text), "%s %.200s", r->name, bits);
        else
            snprintf(text, sizeof(text), "%s 0x%" PRIx64 " -> 0x%" PRIx64, r->name, a, b);
        add_change(&c, text);
    }
    if (c.left_out)
        fprintf(d->out, "  and %u more", c.left_out);
    if (c.lines)
        fprintf(d->out, "\n");
}

void
debugger_show_stop(struct debugger *d, const struct stop *stop)
{
    struct machine *m = d->machine;
    struct x86_regs regs;
    struct subject subject;
    struct error ignored;
    bool known = m->vm && m->ops->get_regs(m, &regs, &ignored) == 0;

    show_why(d, stop);
    if (m->now.edge != EDGE_NONE && subject_open(&subject, d, m->now.exits, &ignored) == 0) {
        if (m->ended) /* nobody goes back to the guest */
            subject.edge = EDGE_OUT;
        show_edge(&subject);
        show_place(d, subject.edge == EDGE_OUT || !known ? subject.exit.rip : regs.rip);
    } else if (known) {
        show_place(d, regs.rip);
    } else if (m->exit.rip) {
        show_place(d, m->exit.rip);
    }
    if (known && m->before_known)
        show_changes(d, &regs);
    displays_show(d);
}
