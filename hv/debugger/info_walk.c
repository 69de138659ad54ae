/*
 * info_walk.c - `info walk ADDRESS`, a page walk drawn level by level, and `info tlb`.
 *
 * Two walks stand side by side where the guest's page tables are not those that the processor uses:
 * the shadows of strategy trap, the copy of the root that a paravirtual user runs on.
 *
 * Called through commands_info.c. Next: info_exits.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "debugger/decode.h"
#include "debugger/expr.h"
#include "debugger/info.h"
#include "debugger/paint.h"
#include "engine/engine.h"
#include "engine/soft.h"
#include "strategy/strategy.h"

#define COLUMN 40

/* One of the walks: whose tables, and how far it came. */
struct walked {
    const char *whose;
    struct observer *observer;
    struct x86_walk walk;
    bool found;
};

static bool
has_long_entries(const struct x86_cpu *cpu)
{
    return cpu->r.efer & EFER_LMA || cpu->r.cr4 & CR4_PAE;
}

static void
walk_address(struct walked *w, const char *whose, struct observer *o, uint64_t linear)
{
    bool canonical = !x86_long_mode(&o->cpu) || x86_canonical(linear);

    memset(w, 0, sizeof(*w));
    w->whose = whose;
    w->observer = o;
    w->found = canonical && x86_page_look(&o->cpu, linear, &w->walk);
}

/* Row `step` of one column: the entry in one line, its bits in the next. */
static void
step_text(const struct walked *w, unsigned step, unsigned line, char *text, size_t size)
{
    const struct x86_walk_step *s = &w->walk.step[step];
    char bits[DECODE_SIZE];

    text[0] = 0;
    if (step >= w->walk.steps)
        return;
    if (line == 0)
        snprintf(text, size, "at 0x%" PRIx64 ": %0*" PRIx64, s->entry_gpa,
                 has_long_entries(&w->observer->cpu) ? 16 : 8, s->entry);
    else
        snprintf(text, size, "  %s",
                 decode_entry(s->entry, s->level, has_long_entries(&w->observer->cpu), bits,
                              sizeof(bits)));
}

/* What is at the end: the page and its rights, or why there is none. */
static void
end_text(const struct walked *w, unsigned line, char *text, size_t size)
{
    const struct x86_walk *k = &w->walk;
    bool memory = w->found && w->observer->cpu.mem.page(w->observer->cpu.mem.ctx, k->gpa).host;

    text[0] = 0;
    if (!w->found) {
        snprintf(text, size, "%s", line ? "" : "not mapped");
        return;
    }
    if (line == 0)
        snprintf(text, size, "physical 0x%" PRIx64 ", %s", k->gpa,
                 memory ? "memory" : "no memory: a device");
    else if (k->steps)
        snprintf(text, size, "%s: %s, %s%s%s",
                 k->page_size == 0x1000     ? "4 KiB"
                 : k->page_size == 0x200000 ? "2 MiB"
                 : k->page_size == 0x400000 ? "4 MiB"
                                            : "1 GiB",
                 k->writable ? "writable" : "read-only", k->user ? "user" : "kernel",
                 k->executable ? "" : ", NX", k->dirty ? ", dirty" : "");
    else
        snprintf(text, size, "paging is off");
}

static void
print_row(FILE *out, const char *head, const char *left, const char *right)
{
    if (*right)
        fprintf(out, "%-12s %-*s  %s\n", head, COLUMN, left, right);
    else
        fprintf(out, "%-12s %s\n", head, left);
}

static const struct x86_walk_step *
step_of(const struct walked *w, unsigned columns, unsigned step)
{
    for (unsigned i = 0; i < columns; i++)
        if (step < w[i].walk.steps)
            return &w[i].walk.step[step];
    return NULL;
}

static void
print_walks(struct debugger *d, const struct walked *w, unsigned columns, uint64_t linear)
{
    char text[2][DECODE_SIZE] = {"", ""}, head[32];
    const struct x86_walk_step *s;
    const unsigned bits = has_long_entries(&w[0].observer->cpu) ? 9 : 10;

    fprintf(d->out, "%slinear 0x%" PRIx64 "%s\n", paint_on(d, PAINT_TITLE), linear, paint_off(d));
    for (unsigned i = 0; i < columns; i++)
        snprintf(text[i], DECODE_SIZE, "%s, CR3 0x%" PRIx64, w[i].whose, w[i].observer->cpu.r.cr3);
    print_row(d->out, "", text[0], text[1]);
    for (unsigned step = 0; (s = step_of(w, columns, step)); step++) {
        snprintf(head, sizeof(head), "%*s%s[%" PRIu64 "]", (int)step, "",
                 decode_table_name(s->level),
                 linear >> (12 + bits * (s->level - 1u)) & ((1u << bits) - 1));
        for (unsigned line = 0; line < 2; line++) {
            for (unsigned i = 0; i < columns; i++)
                step_text(&w[i], step, line, text[i], DECODE_SIZE);
            print_row(d->out, line ? "" : head, text[0], text[1]);
        }
    }
    for (unsigned line = 0; line < 2; line++) {
        for (unsigned i = 0; i < columns; i++)
            end_text(&w[i], line, text[i], DECODE_SIZE);
        if (*text[0] || *text[1])
            print_row(d->out, line ? "" : "  page", text[0], text[1]);
    }
    if (w[0].walk.steps && !w[0].found) {
        decode_walk_end(w[0].observer, linear, text[0], DECODE_SIZE);
        paint_paragraph(d, "why", text[0]);
    } else if (x86_long_mode(&w[0].observer->cpu) && !x86_canonical(linear)) {
        paint_paragraph(d, "why", "the address is not canonical: bits 63-47 must all be equal");
    }
}

/* The processor's own registers, where the guest believes in others. */
static struct observer *
real_observer(struct debugger *d, const struct x86_regs *guest)
{
    struct vm *vm = d->machine->vm;
    struct x86_regs real;
    struct error ignored;

    if (!vm->strategy->get_regs || vm->engine_ops->get_regs(d->machine->vcpu, &real, &ignored) ||
        real.cr3 == guest->cr3)
        return NULL;
    return observer_open(&vm->ram, &real, true);
}

int
info_walk(struct debugger *d, const char *arguments, struct error *err)
{
    struct observer *guest, *real;
    struct walked w[2];
    struct value value;
    bool trap;
    int rc;

    if (!*arguments)
        return error_set(err, EINVAL, "which address? 'info walk $rip', 'info walk kmain'");
    if ((rc = info_of_machine(d, "page tables", err)) ||
        (rc = expr_evaluate_all(d, arguments, &value, err)))
        return rc;
    guest = observer_of(d->machine, err);
    if (!guest)
        return -ENODATA;
    trap = !strcmp(d->machine->strategy, "trap");
    real = real_observer(d, &guest->cpu.r);
    walk_address(&w[0], real ? "the guest's tables" : "the guest's page tables", guest, value.bits);
    if (real)
        walk_address(&w[1], trap ? "the shadow" : "the processor's", real, value.bits);
    print_walks(d, w, real ? 2 : 1, value.bits);
    observer_close(guest);
    observer_close(real);
    return 0;
}

/* --- TLB ------------------------------------------------------------------------------------------ */

static void
print_translation(struct debugger *d, const struct x86_tlb_entry *e, bool user)
{
    uint64_t page = e->read != X86_TLB_NONE    ? e->read
                    : e->write != X86_TLB_NONE ? e->write
                                               : e->exec;

    fprintf(d->out, "  %016" PRIx64 "  %010" PRIx64 "  %c%c%c  %s%s\n",
            (uint64_t)((int64_t)(page << 12 << 4) >> 4), e->gpa, e->read == page ? 'r' : '-',
            e->write == page ? 'w' : '-', e->exec == page ? 'x' : '-', user ? "user" : "kernel",
            e->global ? ", global" : "");
}

int
info_tlb(struct debugger *d, const char *arguments, struct error *err)
{
    unsigned count = 0;
    int rc = info_of_machine(d, "TLB", err);

    (void)arguments;
    if (rc)
        return rc;
    if (!d->machine->vm)
        return error_set(err, ENODATA,
                         "a recording has no TLB: 'hv debug' on the guest itself has one");
    if (strcmp(d->machine->engine, "soft"))
        return error_set(err, ENOTSUP,
                         "engine %s does not show its TLB, as no processor does: --engine soft has "
                         "one to look into; 'info walk ADDRESS' walks the tables in memory",
                         d->machine->engine);
    const struct x86_cpu *cpu = &d->machine->vcpu->engine->cpu;
    fprintf(d->out, "%s  linear            physical    may  for%s\n", paint_on(d, PAINT_DIM),
            paint_off(d));
    for (unsigned user = 0; user < 2; user++)
        for (unsigned i = 0; i < X86_TLB_SIZE; i++) {
            const struct x86_tlb_entry *e = &cpu->tlb[user][i];
            if (e->read == X86_TLB_NONE && e->write == X86_TLB_NONE && e->exec == X86_TLB_NONE)
                continue;
            print_translation(d, e, user);
            count++;
        }
    fprintf(d->out, "%u translations; w is missing until a page's dirty bit is set\n", count);
    return 0;
}
