/*
 * segment.c - segment descriptors and the registers that are loaded from them.
 *
 * A descriptor is read from the GDT or LDT at supervisor privilege, unpacked into a struct
 * x86_descriptor, checked by whoever needs it, and finally copied into the hidden part of a
 * segment register (SDM vol. 3, 3.4 and 3.5). Loading a register commits last: a fault anywhere
 * before leaves it alone.
 *
 * Called by sysseg.c (MOV, POP, LDS, LLDT, LTR), far.c, gate.c, return.c, interrupt.c.
 * Next: stack.c.
 */
#include "isa/x86/system.h"

uint64_t
x86_table_address(const struct x86_cpu *cpu, uint64_t base, uint64_t offset)
{
    return x86_long_mode(cpu) ? base + offset : (uint32_t)(base + offset);
}

int
x86_table_read(struct x86_cpu *cpu, uint64_t base, uint64_t offset, unsigned size, uint64_t *value)
{
    return x86_read_linear(cpu, x86_table_address(cpu, base, offset), size, ACCESS_SYSTEM, value);
}

/* --- descriptors ---------------------------------------------------------------------------- */

/*
 * The eight bytes (SDM vol. 3, 3.4.5, 3.5, 5.8.3 and 6.11):
 *          63-56      55-52    51-48        47-40       39-32        31-16      15-0
 * segment  base31:24  G D L A  limit19:16   P DPL S typ base23:16    base15:0   limit15:0
 * gate     offset31:16                      P DPL 0 typ count / IST  selector   offset15:0
 * Descriptors of 16 bytes continue with bits 63:32 of the base or of the offset.
 */
void
x86_descriptor_unpack(uint64_t low, uint64_t high, struct x86_descriptor *d)
{
    unsigned type = (low >> 40) & SEG_TYPE;
    bool system = !((low >> 40) & SEG_S);

    *d = (struct x86_descriptor){.attr = (low >> 40) & 0xf0ffu};
    if (system && (type & 0x4u)) {
        /* Types 4-7 and c-f are gates; bit 3 says that the offset has more than 16 bits. */
        d->attr &= 0xffu;
        d->selector = (low >> 16) & 0xffffu;
        d->count = (low >> 32) & 0x1fu;
        d->base = low & 0xffffu;
        if (type & 0x8u)
            d->base |= ((low >> 48) << 16) | (high << 32);
        return;
    }
    d->base = ((low >> 16) & 0xffffffu) | ((low >> 56) << 24);
    if (system)
        d->base |= high << 32;
    d->limit = (low & 0xffffu) | ((low >> 32) & 0xf0000u);
    if (d->attr & SEG_G)
        d->limit = (d->limit << 12) | 0xfffu;
}

/* In long mode, system descriptors of the GDT and LDT have 16 bytes (SDM vol. 3, 3.5.2). */
static bool
descriptor_is_wide(const struct x86_cpu *cpu, uint64_t low)
{
    if (!x86_long_mode(cpu) || ((low >> 40) & SEG_S))
        return false;
    switch ((low >> 40) & SEG_TYPE) {
    case SYS_LDT:
    case SYS_TSS:
    case SYS_TSS_BUSY:
    case SYS_CALL: return true;
    default: return false;
    }
}

int
x86_find_descriptor(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *d, bool *found)
{
    uint64_t base = cpu->r.gdtr.base, limit = cpu->r.gdtr.limit, low, high = 0;
    unsigned offset = selector & 0xfff8u;

    *found = false;
    if (selector_is_null(selector))
        return EMU_OK;
    if (selector & SELECTOR_TI) {
        if (!(cpu->r.ldtr.attr & SEG_P))
            return EMU_OK;
        base = cpu->r.ldtr.base;
        limit = cpu->r.ldtr.limit;
    }
    if (offset + 7 > limit)
        return EMU_OK;
    TRY(x86_table_read(cpu, base, offset, 8, &low));
    if (descriptor_is_wide(cpu, low)) {
        if (offset + 15 > limit)
            return EMU_OK;
        TRY(x86_table_read(cpu, base, offset + 8, 8, &high));
        /* The type field of the second half must be 0, so that the upper half cannot be taken
         * for a descriptor of its own (SDM vol. 3, 5.8.3.1 and 7.2.3). */
        if ((high >> 40) & 0x1fu)
            return EMU_OK;
    }
    x86_descriptor_unpack(low, high, d);
    d->linear = x86_table_address(cpu, base, offset);
    *found = true;
    return EMU_OK;
}

int
x86_fetch_descriptor(struct x86_cpu *cpu, uint16_t selector, enum x86_vector vector,
                     struct x86_descriptor *d)
{
    bool found;

    TRY(x86_find_descriptor(cpu, selector, d, &found));
    return found ? EMU_OK : raise_selector(cpu, vector, selector);
}

/* Rewrites byte 5 of the descriptor, where the type is. */
static int
descriptor_set_type_bit(struct x86_cpu *cpu, struct x86_descriptor *d, uint16_t bit)
{
    if (d->attr & bit)
        return EMU_OK;
    TRY(x86_write_linear(cpu, x86_table_address(cpu, d->linear, 5), 1, ACCESS_WRITE | ACCESS_SYSTEM,
                         (d->attr | bit) & 0xffu));
    d->attr |= bit;
    return EMU_OK;
}

static void
segment_from_descriptor(struct x86_segment *seg, uint16_t selector, const struct x86_descriptor *d)
{
    *seg = (struct x86_segment){
        .base = d->base, .limit = d->limit, .selector = selector, .attr = d->attr};
}

int
x86_descriptor_use(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *d,
                   struct x86_segment *seg)
{
    TRY(descriptor_set_type_bit(cpu, d, SEG_ACCESSED));
    segment_from_descriptor(seg, selector, d);
    return EMU_OK;
}

/* --- code segments that control is about to enter --------------------------------------------- */

bool
x86_code_is_reserved(const struct x86_cpu *cpu, const struct x86_descriptor *code)
{
    return x86_long_mode(cpu) && (code->attr & (SEG_L | SEG_DB)) == (SEG_L | SEG_DB);
}

int
x86_code_check_rip(struct x86_cpu *cpu, const struct x86_descriptor *code, uint64_t *rip)
{
    if (x86_long_mode(cpu) && (code->attr & SEG_L))
        return x86_canonical(*rip) ? EMU_OK : x86_gp0(cpu);
    *rip = (uint32_t)*rip;
    return *rip <= code->limit ? EMU_OK : x86_gp0(cpu);
}

/* --- segment registers ------------------------------------------------------------------------ */

/*
 * Real mode gives a new base only: limit and attributes stay, which is what makes 'big real mode'
 * (SDM vol. 3, 9.9.2, asks for 64 KiB limits before leaving protected mode for this reason).
 * A register that was left null becomes an ordinary one.
 */
void
x86_segment_set_real(struct x86_segment *seg, uint16_t selector)
{
    seg->selector = selector;
    seg->base = (uint32_t)selector << 4;
    if (!(seg->attr & SEG_P)) {
        seg->attr = SEG_P | SEG_S | SEG_WRITABLE | SEG_ACCESSED;
        seg->limit = 0xffff;
    }
}

/* The base becomes 0, as on Intel's processors (AMD's older ones keep it); it can be seen in
 * 64-bit mode only, where FS and GS can be used although they are null. */
void
x86_segment_set_null(struct x86_segment *seg, uint16_t selector, unsigned dpl)
{
    *seg = (struct x86_segment){.selector = selector, .attr = dpl << SEG_DPL_SHIFT};
}

int
x86_stack_segment(struct x86_cpu *cpu, uint16_t selector, unsigned cpl, enum x86_vector vector,
                  struct x86_segment *seg)
{
    struct x86_descriptor d;

    TRY(x86_fetch_descriptor(cpu, selector, vector, &d));
    if (selector_rpl(selector) != cpl || attr_dpl(d.attr) != cpl || !attr_is_writable_data(d.attr))
        return raise_selector(cpu, vector, selector);
    if (!(d.attr & SEG_P))
        return raise_selector(cpu, VEC_SS, selector);
    return x86_descriptor_use(cpu, selector, &d, seg);
}

/* SS: null only in 64-bit mode, above ring 3, and with RPL = CPL (SDM vol. 2, MOV). */
static int
check_stack_register(struct x86_cpu *cpu, uint16_t selector, struct x86_segment *seg)
{
    if (!selector_is_null(selector))
        return x86_stack_segment(cpu, selector, cpu->cpl, VEC_GP, seg);
    if (!x86_is_64bit(cpu) || cpu->cpl == 3 || selector_rpl(selector) != cpu->cpl)
        return x86_gp0(cpu);
    x86_segment_set_null(seg, selector, cpu->cpl);
    return EMU_OK;
}

/* ES, DS, FS, GS: data, or code that can be read; and within reach of both CPL and RPL, unless
 * it is conforming code (SDM vol. 3, 5.6). */
static int
check_data_register(struct x86_cpu *cpu, uint16_t selector, struct x86_segment *seg)
{
    struct x86_descriptor d;

    if (selector_is_null(selector)) {
        x86_segment_set_null(seg, selector, 0);
        return EMU_OK;
    }
    TRY(x86_fetch_descriptor(cpu, selector, VEC_GP, &d));
    if (!(d.attr & SEG_S) || (attr_is_code(d.attr) && !(d.attr & SEG_READABLE)))
        return raise_selector(cpu, VEC_GP, selector);
    if (!attr_is_conforming(d.attr) &&
        (selector_rpl(selector) > attr_dpl(d.attr) || cpu->cpl > attr_dpl(d.attr)))
        return raise_selector(cpu, VEC_GP, selector);
    if (!(d.attr & SEG_P))
        return raise_selector(cpu, VEC_NP, selector);
    return x86_descriptor_use(cpu, selector, &d, seg);
}

int
x86_load_segment(struct x86_cpu *cpu, unsigned sreg, uint16_t selector)
{
    struct x86_segment seg = cpu->r.seg[sreg];

    if (cpu->mode == MODE_REAL)
        x86_segment_set_real(&seg, selector);
    else if (sreg == X86_SS)
        TRY(check_stack_register(cpu, selector, &seg));
    else
        TRY(check_data_register(cpu, selector, &seg));
    cpu->r.seg[sreg] = seg;
    x86_update_mode(cpu);
    return EMU_OK;
}

/* --- LDTR and TR ------------------------------------------------------------------------------ */

/* Both live in the GDT, and in long mode have a 64-bit base. */
static int
fetch_system_segment(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *d)
{
    if (selector & SELECTOR_TI)
        return raise_selector(cpu, VEC_GP, selector);
    TRY(x86_fetch_descriptor(cpu, selector, VEC_GP, d));
    if (d->attr & SEG_S)
        return raise_selector(cpu, VEC_GP, selector);
    return EMU_OK;
}

static int
check_system_segment(struct x86_cpu *cpu, uint16_t selector, const struct x86_descriptor *d)
{
    if (!(d->attr & SEG_P))
        return raise_selector(cpu, VEC_NP, selector);
    if (!x86_canonical(d->base))
        return raise_selector(cpu, VEC_GP, selector);
    return EMU_OK;
}

int
x86_load_ldtr(struct x86_cpu *cpu, uint16_t selector)
{
    struct x86_descriptor d;

    if (selector_is_null(selector)) {
        x86_segment_set_null(&cpu->r.ldtr, selector, 0);
        return EMU_OK;
    }
    TRY(fetch_system_segment(cpu, selector, &d));
    if ((d.attr & SEG_TYPE) != SYS_LDT)
        return raise_selector(cpu, VEC_GP, selector);
    TRY(check_system_segment(cpu, selector, &d));
    segment_from_descriptor(&cpu->r.ldtr, selector, &d);
    return EMU_OK;
}

/* LTR wants an available TSS and marks it busy; long mode has no 16-bit one (SDM vol. 3, 7.2). */
int
x86_load_tr(struct x86_cpu *cpu, uint16_t selector)
{
    struct x86_descriptor d;
    unsigned type;

    if (selector_is_null(selector))
        return x86_gp0(cpu);
    TRY(fetch_system_segment(cpu, selector, &d));
    type = d.attr & SEG_TYPE;
    if (type != SYS_TSS && (type != SYS_TSS16 || x86_long_mode(cpu)))
        return raise_selector(cpu, VEC_GP, selector);
    TRY(check_system_segment(cpu, selector, &d));
    TRY(descriptor_set_type_bit(cpu, &d, SYS_TSS_BUSY & ~SYS_TSS));
    segment_from_descriptor(&cpu->r.tr, selector, &d);
    return EMU_OK;
}
