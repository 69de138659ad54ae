/*
 * info_tables.c - `info gdt` and `info idt`: descriptors and gates, decoded, what is wrong marked.
 *
 * Tables may be anywhere and as long as their limit says; what cannot be read is said, and alike
 * entries are one line.
 *
 * Called through commands_info.c. Next: info_walk.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "debugger/decode.h"
#include "debugger/info.h"
#include "debugger/paint.h"
#include "isa/x86/system.h"
#include "loader/symbols.h"

/* --- GDT and LDT ------------------------------------------------------------------------------------ */

struct table_view {
    struct debugger *debugger;
    struct observer *observer;
    struct x86_table table;
    bool ldt, long_mode;
    unsigned nulls; /* empty entries in a row that are not printed yet */
    unsigned first_null;
    unsigned printed; /* entries that were not empty */
};

/* A table that goes on for longer is none: its limit was never set, or its base is wrong. */
#define TABLE_LINES 64u

/* Which registers hold this selector now? */
static char *
users(const struct table_view *v, unsigned selector, char *text, size_t size)
{
    static const char *const names[] = {"es", "cs", "ss", "ds", "fs", "gs"};
    const struct x86_regs *r = &v->observer->cpu.r;

    text[0] = 0;
    selector |= v->ldt ? SELECTOR_TI : 0;
    for (unsigned i = 0; i < X86_NSEG; i++)
        if ((r->seg[i].selector & ~SELECTOR_RPL) == selector && r->seg[i].attr & SEG_P)
            decode_add(text, size, " %s", names[i]);
    if ((r->tr.selector & ~SELECTOR_RPL) == selector)
        decode_add(text, size, " tr");
    if (r->ldtr.attr & SEG_P && (r->ldtr.selector & ~SELECTOR_RPL) == selector)
        decode_add(text, size, " ldtr");
    return text;
}

/* What no processor would take: SDM vol. 3, 3.4.5, 3.5 and 7.2.3. */
static const char *
descriptor_problem(const struct x86_descriptor *x, bool long_mode, bool upper_type, bool cut)
{
    unsigned type = x->attr & SEG_TYPE;
    bool tss = !(x->attr & SEG_S) && (type == SYS_TSS || type == SYS_TSS_BUSY);

    if (cut)
        return "its second half lies behind the limit";
    if (upper_type)
        return "bits 44-40 of its second half are not 0";
    if (!(x->attr & SEG_P))
        return NULL;
    if (attr_is_code(x->attr) && long_mode && x->attr & SEG_L && x->attr & SEG_DB)
        return "L and D are both set: reserved";
    if (tss && x->limit < 0x67)
        return "the limit is below 0x67: too short for a TSS";
    if (!(x->attr & SEG_S) && long_mode && !x86_canonical(x->base))
        return "the base is not canonical";
    if (!(x->attr & SEG_S) && long_mode && type != SYS_LDT && !tss && type != SYS_CALL)
        return "this type does not exist in long mode";
    return NULL;
}

static void
flush_nulls(struct table_view *v)
{
    if (v->nulls == 1)
        fprintf(v->debugger->out, "  %04x  null\n", v->first_null);
    else if (v->nulls)
        fprintf(v->debugger->out, "  %04x  null, and %u more up to %04x\n", v->first_null,
                v->nulls - 1, v->first_null + 8 * (v->nulls - 1));
    v->nulls = 0;
}

/* One entry at `offset`; returns how many bytes it takes. */
static unsigned
print_descriptor(struct table_view *v, unsigned offset, const uint64_t words[2], bool two)
{
    FILE *out = v->debugger->out;
    struct x86_descriptor x;
    char text[DECODE_SIZE], used[64];
    unsigned type = words[0] >> 40 & 0x1f;
    bool wide = v->long_mode && !(type & SEG_S) &&
                (type == SYS_LDT || type == SYS_TSS || type == SYS_TSS_BUSY || type == SYS_CALL);
    bool gate = !(type & SEG_S) && type & 4;
    const char *bad;

    if (!words[0]) {
        v->first_null = v->nulls++ ? v->first_null : offset;
        return 8;
    }
    flush_nulls(v);
    x86_descriptor_unpack(words[0], wide && two ? words[1] : 0, &x);
    bad = descriptor_problem(&x, v->long_mode, wide && two && words[1] >> 40 & 0x1f, wide && !two);
    decode_attr(x.attr, v->long_mode, text, sizeof(text));
    if (gate)
        fprintf(out, "  %04x  %04x:%011" PRIx64 "              %u   %s", offset, x.selector, x.base,
                attr_dpl(x.attr), text);
    else
        fprintf(out, "  %04x  %016" PRIx64 "  %08x  %u   %s", offset, x.base, x.limit,
                attr_dpl(x.attr), text);
    if (*users(v, offset, used, sizeof(used)))
        fprintf(out, "  %s<-%s%s", paint_on(v->debugger, PAINT_NAME), used, paint_off(v->debugger));
    fputc('\n', out);
    if (bad)
        fprintf(out, "        %s!! %s%s\n", paint_on(v->debugger, PAINT_BAD), bad,
                paint_off(v->debugger));
    return wide ? 16 : 8;
}

static void
print_table(struct table_view *v)
{
    FILE *out = v->debugger->out;
    unsigned limit = v->table.limit, offset = 0;
    uint64_t words[2], bad;

    fprintf(out, "%s%s%s at %016" PRIx64 ", limit %04x: room for %u entries\n",
            paint_on(v->debugger, PAINT_TITLE), v->ldt ? "LDT" : "GDT", paint_off(v->debugger),
            v->table.base, limit, (limit + 1) / 8);
    fprintf(out, "%s  sel   base              limit     DPL what%s\n",
            paint_on(v->debugger, PAINT_DIM), paint_off(v->debugger));
    while (offset + 7 <= limit) {
        bool two = offset + 15 <= limit;
        words[1] = 0;
        if (observer_read(v->observer, v->table.base + offset, words, 8, &bad)) {
            flush_nulls(v);
            fprintf(out, "  %04x  %s!! cannot be read: 0x%" PRIx64 " is not in memory%s\n", offset,
                    paint_on(v->debugger, PAINT_BAD), bad, paint_off(v->debugger));
            return;
        }
        if (words[0] && v->printed++ == TABLE_LINES) {
            flush_nulls(v);
            fprintf(out, "  %04x  and so on up to the limit: it looks like no table any more\n",
                    offset);
            return;
        }
        two = two && !observer_read(v->observer, v->table.base + offset + 8, words + 1, 8, NULL);
        offset += print_descriptor(v, offset, words, two);
    }
    flush_nulls(v);
}

static bool
is_paravirt(const struct debugger *d)
{
    return d->machine->strategy && !strcmp(d->machine->strategy, "paravirt");
}

int
info_gdt(struct debugger *d, const char *arguments, struct error *err)
{
    struct table_view v = {.debugger = d};
    const struct x86_regs *r;
    int rc = info_of_machine(d, "descriptor tables", err);

    (void)arguments;
    if (rc)
        return rc;
    if (!(v.observer = observer_of(d->machine, err)))
        return -ENODATA;
    if (is_paravirt(d))
        fprintf(d->out, "A paravirtual kernel loads no GDT: the real one is the VMM's.\n"
                        "The register still says what the loader left in it:\n");
    r = &v.observer->cpu.r;
    v.long_mode = x86_long_mode(&v.observer->cpu);
    v.table = r->gdtr;
    print_table(&v);
    if (r->ldtr.attr & SEG_P && !selector_is_null(r->ldtr.selector)) {
        v.table = (struct x86_table){r->ldtr.base,
                                     r->ldtr.limit > 0xffff ? 0xffff : (uint16_t)r->ldtr.limit};
        v.ldt = true;
        print_table(&v);
    }
    observer_close(v.observer);
    return 0;
}

/* --- IDT ---------------------------------------------------------------------------------------------- */

/* A run of gates that differ in nothing but an evenly spaced handler. */
struct run {
    unsigned first, count;
    struct x86_descriptor gate; /* the first */
    uint64_t stride, last;
    bool bad;
    char problem[DECODE_SIZE];
};

static void
print_run(struct debugger *d, const struct run *run, bool long_mode)
{
    FILE *out = d->out;
    const char *type = decode_gate_type(run->gate.attr & (SEG_S | SEG_TYPE), long_mode);
    const char *name = run->first < 32 ? x86_vector_name(run->first) : NULL;
    unsigned last = run->first + run->count - 1;
    char text[DECODE_SIZE], range[16];

    if (!run->count)
        return;
    if (run->count == 1)
        snprintf(range, sizeof(range), "%3u", run->first);
    else
        snprintf(range, sizeof(range), "%3u-%u", run->first, last);
    if (!(run->gate.attr & SEG_P) && !run->gate.base && !run->gate.selector) {
        fprintf(out, "  %-8s%-6.4s not present\n", range, run->count == 1 && name ? name : "");
        return;
    }
    symbols_format(d->machine->symbols, run->gate.base, text, sizeof(text));
    fprintf(out, "  %-8s%-4.4s %04x:%016" PRIx64 "  %u   %u   %-14s %s\n", range,
            run->count == 1 && name ? name : "", run->gate.selector, run->gate.base,
            attr_dpl(run->gate.attr), run->gate.count & 7, type ? type : "(no gate)",
            strncmp(text, "0x", 2) ? text : "");
    if (run->count > 1 && run->stride)
        fprintf(out, "          each %" PRIu64 " bytes behind the one before\n", run->stride);
    if (run->bad)
        fprintf(out, "          %s!! %s%s\n", paint_on(d, PAINT_BAD), run->problem, paint_off(d));
}

/* Does gate `vector` continue the run? Exceptions have names, so each has its own line. */
static bool
continues(const struct run *run, const struct x86_descriptor *gate, bool bad, unsigned vector)
{
    bool empty = !(gate->attr & SEG_P) && !gate->base && !gate->selector;
    bool run_empty = !(run->gate.attr & SEG_P) && !run->gate.base && !run->gate.selector;

    if (!run->count || empty != run_empty)
        return false;
    if (empty)
        return true;
    return vector >= 32 && run->first >= 32 && !bad && !run->bad && gate->attr == run->gate.attr &&
           gate->selector == run->gate.selector && gate->count == run->gate.count &&
           (run->count == 1 || gate->base - run->last == run->stride);
}

static int
real_mode_table(struct debugger *d, struct observer *o)
{
    const struct x86_regs *r = &o->cpu.r;
    uint16_t entry[2], last[2] = {0};
    unsigned same = 0;

    fprintf(d->out, "%sinterrupt vector table%s at %" PRIx64 " (real mode), limit %04x\n",
            paint_on(d, PAINT_TITLE), paint_off(d), r->idtr.base, r->idtr.limit);
    for (unsigned vector = 0; vector < 256 && vector * 4 + 3 <= r->idtr.limit; vector++) {
        if (observer_read(o, r->idtr.base + vector * 4, entry, sizeof(entry), NULL))
            break;
        if (vector && !memcmp(entry, last, sizeof(entry))) {
            same++;
            continue;
        }
        if (same)
            fprintf(d->out, "          and the next %u\n", same);
        same = 0;
        fprintf(d->out, "  %02x  %04x:%04x\n", vector, entry[1], entry[0]);
        memcpy(last, entry, sizeof(last));
    }
    if (same)
        fprintf(d->out, "          and the next %u\n", same);
    return 0;
}

static void
print_gates(struct debugger *d, struct observer *o)
{
    bool long_mode = x86_long_mode(&o->cpu);
    struct run run = {0};

    for (unsigned vector = 0; vector < 256; vector++) {
        struct x86_descriptor gate;
        char problem[DECODE_SIZE] = "";
        int rc = decode_gate(o, vector, &gate);
        if (rc == -ERANGE)
            break;
        if (rc == -EFAULT)
            gate = (struct x86_descriptor){.attr = SEG_P};
        bool empty = !(gate.attr & SEG_P) && !gate.base && !gate.selector;
        bool bad = !empty &&
                   decode_gate_problem(o, vector, X86_EVENT_EXTERNAL, problem, sizeof(problem));
        if (continues(&run, &gate, bad, vector)) {
            if (run.count == 1)
                run.stride = gate.base - run.gate.base;
            run.last = gate.base;
            run.count++;
            continue;
        }
        print_run(d, &run, long_mode);
        run = (struct run){
            .first = vector, .count = 1, .gate = gate, .last = gate.base, .bad = bad};
        memcpy(run.problem, problem, sizeof(problem));
        if (rc == -EFAULT)
            break; /* what follows is not there either, or not of interest */
    }
    print_run(d, &run, long_mode);
}

int
info_idt(struct debugger *d, const char *arguments, struct error *err)
{
    struct observer *o;
    const struct x86_regs *r;
    int rc = info_of_machine(d, "descriptor tables", err);

    (void)arguments;
    if (rc)
        return rc;
    if (!(o = observer_of(d->machine, err)))
        return -ENODATA;
    r = &o->cpu.r;
    if (o->cpu.mode == MODE_REAL) {
        real_mode_table(d, o);
        observer_close(o);
        return 0;
    }
    /* A handler's ring is at most the program's, so ask as for the outermost. */
    o->cpu.cpl = 3;
    fprintf(d->out, "%sIDT%s at %016" PRIx64 ", limit %04x: room for %u gates\n",
            paint_on(d, PAINT_TITLE), paint_off(d), r->idtr.base, r->idtr.limit,
            (r->idtr.limit + 1u) / (x86_long_mode(&o->cpu) ? 16 : 8));
    fprintf(d->out, "%s  vector       handler                DPL IST type           name%s\n",
            paint_on(d, PAINT_DIM), paint_off(d));
    print_gates(d, o);
    if (is_paravirt(d))
        fprintf(d->out, "  A paravirtual kernel has no IDT: HC_SET_TRAPS gave the VMM a table "
                        "('info strategy').\n");
    observer_close(o);
    return 0;
}
