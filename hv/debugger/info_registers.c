/*
 * info_registers.c - `info registers`, `info sregs`, `info msr`.
 *
 * What has changed since the stop before is marked with '*', and with colour.
 *
 * Called through commands_info.c. Next: info_tables.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "debugger/decode.h"
#include "debugger/explain.h"
#include "debugger/info.h"
#include "debugger/paint.h"
#include "isa/x86/system.h"
#include "loader/symbols.h"

int
info_regs(struct debugger *d, struct x86_regs *regs, struct error *err)
{
    struct machine *m = d->machine;

    if (!m->vm)
        return error_set(err, ENODATA,
                         "a recording has no registers but rip: 'hv debug' on the guest itself has "
                         "them");
    return m->ops->get_regs(m, regs, err);
}

/* Since the stop before. */
static bool
has_changed(const struct debugger *d, const struct x86_regs *regs, const struct reg_desc *row)
{
    const struct machine *m = d->machine;

    return m->before_known && x86_reg_value(&m->before, row) != x86_reg_value(regs, row);
}

/* What a register's value means, beside the number. */
static char *
meaning(struct debugger *d, const struct reg_desc *row, uint64_t value, char *text, size_t size)
{
    static const struct {
        const char *name;
        const struct bit_name *bits;
    } named[] = {
        {"cr0", decode_cr0}, {"cr4", decode_cr4}, {"efer", decode_efer}, {"dr6", decode_dr6}};
    uint64_t offset;

    text[0] = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(named); i++)
        if (!strcmp(row->name, named[i].name))
            return decode_bits(named[i].bits, value, text, size);
    if (!strcmp(row->name, "rflags"))
        return decode_flags(value, text, size);
    /* Small numbers are seldom addresses, even where a symbol is. */
    if (row->size == 8 && value >= 0x1000 && symbols_name(d->machine->symbols, value, &offset))
        symbols_format(d->machine->symbols, value, text, size);
    return text;
}

static void
print_register(struct debugger *d, const struct x86_regs *regs, const struct reg_desc *row)
{
    uint64_t value = x86_reg_value(regs, row);
    bool changed = has_changed(d, regs, row);
    char text[DECODE_SIZE];

    fprintf(d->out, "%s%c %-14s %0*" PRIx64 "%s", changed ? paint_on(d, PAINT_CHANGED) : "",
            changed ? '*' : ' ', row->name, row->size * 2, value, changed ? paint_off(d) : "");
    meaning(d, row, value, text, sizeof(text));
    if (*text)
        fprintf(d->out, "%*s%s", 18 - row->size * 2, "", text);
    fprintf(d->out, "\n");
}

static int
print_named(struct debugger *d, const struct x86_regs *regs, const char *arguments,
            struct error *err)
{
    while (*arguments) {
        size_t length = strcspn(arguments, " \t"), skip = *arguments == '$';
        unsigned i, found = 0;
        char name[32];
        snprintf(name, sizeof(name), "%.*s", (int)(length - skip), arguments + skip);
        for (i = 0; i < x86_reg_count; i++) {
            const struct reg_desc *row = &x86_reg_table[i];
            size_t n = strlen(name);
            /* "cs" is the selector and its hidden part; "control" is a group. */
            if (!strcmp(row->name, name) || !strcmp(row->group, name) ||
                (!strncmp(row->name, name, n) && row->name[n] == '.')) {
                print_register(d, regs, row);
                found++;
            }
        }
        if (!found)
            return error_set(err, EINVAL,
                             "there is no register '%s'; groups of them are general, segment, "
                             "control, debug and msr",
                             name);
        arguments += length;
        arguments += strspn(arguments, " \t");
    }
    return 0;
}

int
info_registers(struct debugger *d, const char *arguments, struct error *err)
{
    struct x86_regs regs;
    char text[DECODE_SIZE];
    int rc = info_regs(d, &regs, err);

    if (rc || *arguments)
        return rc ? rc : print_named(d, &regs, arguments, err);
    /* Two columns: the sixteen, then where the guest is and in which mode. */
    for (unsigned i = 0; i < 16; i++) {
        const struct reg_desc *row = &x86_reg_table[i];
        bool changed = has_changed(d, &regs, row);
        fprintf(d->out, "%s%c %-4s %016" PRIx64 "%s%s", changed ? paint_on(d, PAINT_CHANGED) : "",
                changed ? '*' : ' ', row->name, x86_reg_value(&regs, row),
                changed ? paint_off(d) : "", i % 2 ? "\n" : "    ");
    }
    fprintf(d->out, "  rip  %016" PRIx64 "    %s\n", regs.rip,
            symbols_format(d->machine->symbols, regs.rip, text, sizeof(text)));
    fprintf(d->out, "  rflags %08" PRIx64 "          %s\n", regs.rflags,
            decode_flags(regs.rflags, text, sizeof(text)));
    fprintf(d->out, "  CPL %u, %s mode, paging %s%s%s\n", x86_cpl(&regs),
            !(regs.cr0 & CR0_PE)            ? "real"
            : !(regs.efer & EFER_LMA)       ? "protected"
            : regs.seg[X86_CS].attr & SEG_L ? "64-bit"
                                            : "compatibility",
            regs.cr0 & CR0_PG ? "on" : "off", regs.halted ? ", halted" : "",
            regs.shadow ? ", interrupts are held off for one instruction" : "");
    return 0;
}

static void
print_segment(struct debugger *d, const char *name, const struct x86_segment *seg,
              const struct x86_segment *before, bool long_mode)
{
    bool changed = d->machine->before_known && memcmp(seg, before, sizeof(*seg));
    char text[DECODE_SIZE];

    fprintf(d->out, "%s%c %-5s %04x  %016" PRIx64 "  %08x  %u  %s%s\n",
            changed ? paint_on(d, PAINT_CHANGED) : "", changed ? '*' : ' ', name, seg->selector,
            seg->base, seg->limit, attr_dpl(seg->attr),
            seg->attr & SEG_P ? decode_attr(seg->attr, long_mode, text, sizeof(text))
                              : "nothing loaded (a null selector)",
            changed ? paint_off(d) : "");
}

int
info_sregs(struct debugger *d, const char *arguments, struct error *err)
{
    static const char *const names[] = {"es", "cs", "ss", "ds", "fs", "gs"};
    static const uint8_t order[] = {X86_CS, X86_SS, X86_DS, X86_ES, X86_FS, X86_GS};
    static const char *const control[] = {"cr0", "cr2", "cr3", "cr4", "cr8", "efer"};
    const struct x86_regs *before = &d->machine->before;
    struct x86_regs regs;
    bool long_mode;
    int rc = info_regs(d, &regs, err);

    (void)arguments;
    if (rc)
        return rc;
    long_mode = regs.efer & EFER_LMA;
    fprintf(d->out, "%s  name  sel   base              limit     DPL what%s\n",
            paint_on(d, PAINT_DIM), paint_off(d));
    for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
        print_segment(d, names[order[i]], &regs.seg[order[i]], &before->seg[order[i]], long_mode);
    print_segment(d, "ldtr", &regs.ldtr, &before->ldtr, long_mode);
    print_segment(d, "tr", &regs.tr, &before->tr, long_mode);
    fprintf(d->out, "  gdtr        %016" PRIx64 "  %08x     'info gdt' shows it\n", regs.gdtr.base,
            regs.gdtr.limit);
    fprintf(d->out, "  idtr        %016" PRIx64 "  %08x     'info idt' shows it\n", regs.idtr.base,
            regs.idtr.limit);
    for (unsigned c = 0; c < ARRAY_SIZE(control); c++)
        print_register(d, &regs, x86_reg_find(control[c]));
    return 0;
}

/* The MSRs by the manual's names; FS and GS have their bases there, too. */
int
info_msr(struct debugger *d, const char *arguments, struct error *err)
{
    static const struct {
        uint32_t index;
        const char *row; /* of x86_reg_table */
    } msrs[] = {
        {0x1b, "apic_base"},     {0x174, "sysenter_cs"},         {0x175, "sysenter_esp"},
        {0x176, "sysenter_eip"}, {0x1a0, "misc_enable"},         {0x277, "pat"},
        {0xc0000080, "efer"},    {0xc0000081, "star"},           {0xc0000082, "lstar"},
        {0xc0000083, "cstar"},   {0xc0000084, "sfmask"},         {0xc0000100, "fs.base"},
        {0xc0000101, "gs.base"}, {0xc0000102, "kernel_gs_base"}, {0xc0000103, "tsc_aux"},
    };
    struct x86_regs regs;
    char text[DECODE_SIZE];
    int rc = info_regs(d, &regs, err);

    (void)arguments;
    if (!rc)
        rc = info_of_machine(d, "MSRs", err);
    if (rc)
        return rc;
    fprintf(d->out, "%s  msr       name                 value%s\n", paint_on(d, PAINT_DIM),
            paint_off(d));
    for (unsigned m = 0; m < ARRAY_SIZE(msrs); m++) {
        const struct reg_desc *row = x86_reg_find(msrs[m].row);
        const char *name = x86_msr_name(msrs[m].index);
        uint64_t value = x86_reg_value(&regs, row);
        bool changed = has_changed(d, &regs, row);
        meaning(d, row, value, text, sizeof(text));
        fprintf(d->out, "%s%c %08x  %-20s %016" PRIx64 "%s%s%s\n",
                changed ? paint_on(d, PAINT_CHANGED) : "", changed ? '*' : ' ', msrs[m].index,
                name ? name : "", value, changed ? paint_off(d) : "", *text ? "  " : "", text);
    }
    return 0;
}
