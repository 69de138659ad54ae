/*
 * generate.c - random cases: registers to start from, then a sequence of instructions.
 *
 * Values come from a small pool (0, 1, all ones, powers of two, addresses) more often than from
 * the whole range, so that comparisons are sometimes equal and carries go all the way. What comes
 * out depends on the random numbers and the opcode table alone.
 *
 * Next: encode.c, one instruction.
 */
#include "tests/diff/generate.h"

#include <string.h>

#include "isa/x86/exec.h"

/* --- values -------------------------------------------------------------------------------------- */

uint64_t
gen_value(struct gen *g)
{
    uint64_t random = rng_next(g->rng);

    switch (rng_below(g->rng, 8)) {
    case 0: return 0;
    case 1: return rng_below(g->rng, 4) - 1u; /* -1 as 32 bits, 0, 1, 2 */
    case 2: return ~UINT64_C(0) >> rng_below(g->rng, 64);
    case 3: return UINT64_C(1) << rng_below(g->rng, 64);
    case 4: return ~(UINT64_C(1) << rng_below(g->rng, 64));
    case 5: return random & 0xff;
    case 6: return (uint32_t)random;
    default: return random;
    }
}

uint64_t
gen_address(struct gen *g, unsigned size)
{
    uint64_t base = diff_data_base(g->c);
    uint32_t near = rng_below(g->rng, 24);

    switch (rng_below(g->rng, 40)) {
    case 0: return base + near - 12;             /* the lower edge */
    case 1: return base + DIFF_DATA_SIZE - near; /* the upper edge */
    case 2: return base + DIFF_RW_SIZE - near;   /* where it becomes read only */
    case 3: return base + DIFF_RW_SIZE + rng_below(g->rng, 0x800);
    case 4:
    case 5: return base + 0x1000 - near; /* between two pages */
    default: return base + 0x40 + rng_below(g->rng, DIFF_RW_SIZE - 0x80 - size);
    }
}

uint64_t
gen_fill(struct gen *g)
{
    uint64_t base = diff_code_base(g->c);

    if (g->c->start > 0x100 && rng_one_in(g->rng, 2))
        return base + 0x10 + rng_below(g->rng, g->c->start - 0x20u);
    uint32_t after = g->c->start + DIFF_BYTES + 16u;
    if (after >= DIFF_CODE_SIZE)
        return base + 0x10;
    return base + after + rng_below(g->rng, DIFF_CODE_SIZE - after);
}

uint16_t
gen_selector(struct gen *g)
{
    static const uint16_t selectors[] = {
        0,          0,          1,    2,    3,    SEL_DATA, SEL_DATA, SEL_DATA, SEL_DATA & ~3u,
        SEL_CODE32, SEL_CODE64, 0x08, 0x10, 0x18, 0x1b,     0x40,     0x50,     0x83,
        0xfff3,     0xfff7};
    unsigned pick = rng_below(g->rng, 3);

    if (g->host->ldt && pick)
        return (uint16_t)SEL_LDT(rng_below(g->rng, DIFF_LDT_COUNT + 1)) &
               (pick == 2 ? 0xffffu : 0xfffcu | rng_below(g->rng, 4));
    return selectors[rng_below(g->rng, sizeof(selectors) / sizeof(selectors[0]))];
}

/* --- appending ------------------------------------------------------------------------------------ */

const struct diff_row *
gen_row(uint16_t opcode)
{
    for (unsigned i = 0; i < diff_row_count; i++)
        if (diff_rows[i].opcode == opcode)
            return &diff_rows[i];
    return NULL;
}

bool
gen_append(struct gen *g, const struct diff_row *row, const uint8_t *bytes, unsigned n)
{
    struct diff_case *c = g->c;

    if (!row || c->ninsns == DIFF_INSNS || c->length + n > DIFF_BYTES ||
        c->start + c->length + n > DIFF_CODE_SIZE)
        return false;
    memcpy(c->code + c->length, bytes, n);
    c->insn[c->ninsns++] = (struct diff_insn){c->length, (uint8_t)n, row};
    c->length = (uint8_t)(c->length + n);
    return true;
}

bool
gen_set_register(struct gen *g, unsigned reg, uint64_t value)
{
    uint8_t bytes[12];
    unsigned n = 0, size = 4;

    if (g->c->mode == DIFF_COMPAT16)
        bytes[n++] = 0x66;
    if (gen_is_long(g) && (reg & 8 || value >> 32)) {
        size = value >> 32 ? 8 : 4;
        bytes[n++] = (uint8_t)(0x40 | (size == 8) << 3 | reg >> 3);
    }
    bytes[n++] = (uint8_t)(0xb8 | (reg & 7));
    for (unsigned i = 0; i < size; i++)
        bytes[n++] = (uint8_t)(value >> (8 * i));
    if (!gen_append(g, gen_row((uint16_t)(0xb8 | (reg & 7))), bytes, n))
        return false;
    g->value[reg] = size == 8 ? value : (uint32_t)value;
    g->known |= (uint16_t)(1u << reg);
    return true;
}

bool
gen_set_memory(struct gen *g, uint64_t address, uint64_t value, unsigned size)
{
    static const uint8_t adsize[DIFF_MODES] = {8, 4, 2};
    uint8_t bytes[12];
    unsigned n = 0;

    if (!gen_set_register(g, X86_RAX, value))
        return false;
    if ((size == 2) != (g->c->mode == DIFF_COMPAT16))
        bytes[n++] = 0x66;
    if (size == 8)
        bytes[n++] = 0x48;
    bytes[n++] = 0xa3; /* MOV moffs, rAX */
    for (unsigned i = 0; i < adsize[g->c->mode]; i++)
        bytes[n++] = (uint8_t)(address >> (8 * i));
    return gen_append(g, gen_row(0xa3), bytes, n);
}

/* --- cases ---------------------------------------------------------------------------------------- */

static void
start_segments(struct gen *g)
{
    static const uint8_t data[] = {LDT_DATA16,   LDT_DATA16, LDT_DATA32, LDT_DATA32,
                                   LDT_READONLY, LDT_DOWN,   LDT_SMALL,  LDT_SMALL};
    struct diff_case *c = g->c;
    uint16_t *seg = c->in.seg;

    if (c->mode == DIFF_LONG64) {
        uint64_t base = c->high ? DIFF_HIGH : 0;
        seg[X86_CS] = SEL_CODE64;
        seg[X86_SS] = SEL_DATA;
        c->in.fs_base = g->host->fsgsbase ? base + rng_below(g->rng, 0x10000) : 0;
        c->in.gs_base = g->host->fsgsbase ? base + DIFF_DATA + rng_below(g->rng, 0x1000) : 0;
        return;
    }
    for (unsigned i = 0; i < X86_NSEG; i++)
        seg[i] = SEL_DATA;
    seg[X86_CS] = SEL_CODE32;
    if (c->segmented) {
        seg[X86_CS] = SEL_LDT(c->mode == DIFF_COMPAT16 ? LDT_CODE16 : LDT_CODE32);
        seg[X86_SS] = SEL_LDT(rng_one_in(g->rng, 3) ? LDT_DATA32 : LDT_DATA16);
        for (unsigned i = 0; i < X86_NSEG; i++)
            if (i != X86_CS && i != X86_SS)
                seg[i] = SEL_LDT(data[rng_below(g->rng, rng_one_in(g->rng, 3) ? 8 : 4)]);
    }
    if (!g->host->fsgsbase)
        seg[X86_FS] = seg[X86_GS] = 0;
}

/* Registers of every kind: zero, numbers near one, infinities, NaNs, denormals, nonsense. */
static struct x87_reg
fpu_value(struct gen *g)
{
    static const uint16_t exponents[] = {0, 1, 0x3ffe, 0x3fff, 0x4000, 0x403e, 0x7ffe, 0x7fff};
    struct x87_reg r = {.significand = gen_value(g)};

    r.sign_exponent = rng_one_in(g->rng, 2) ? exponents[rng_below(g->rng, 8)]
                                            : (uint16_t)(0x3fff - 70 + rng_below(g->rng, 140));
    if (!rng_one_in(g->rng, 12)) /* a number that the processor would make */
        r.significand |= UINT64_C(1) << 63;
    if (rng_one_in(g->rng, 6))
        r = (struct x87_reg){0};
    if (rng_one_in(g->rng, 6))
        r.significand &= UINT64_C(0xff) << 56;
    r.sign_exponent |= (uint16_t)(rng_below(g->rng, 2) << 15);
    return r;
}

/* Exceptions that have been recorded are masked: none is pending (SDM vol. 1, 8.1.3.3). */
static void
start_fpu(struct gen *g)
{
    struct x87 *f = &g->c->in.fpu;

    *f = (struct x87){.fcw = 0x37f, .mxcsr = 0x1f80, .mxcsr_mask = 0xffff};
    if (rng_one_in(g->rng, 3)) {
        f->fcw = (uint16_t)(0x40 | (rng_next(g->rng) & 0xf3f));
        f->fsw = (uint16_t)(rng_next(g->rng) & (FSW_CONDITION | FSW_EXCEPTIONS));
        f->fsw &= f->fcw | (uint16_t)~FSW_EXCEPTIONS;
    }
    f->fsw |= (uint16_t)(rng_below(g->rng, 8) << FSW_TOP_SHIFT);
    f->tags = rng_one_in(g->rng, 3) ? (uint8_t)rng_next(g->rng) : 0xff;
    for (unsigned i = 0; i < 8; i++)
        f->st[i] = fpu_value(g);
}

static void
start_registers(struct gen *g)
{
    struct diff_regs *in = &g->c->in;
    bool narrow = g->c->mode != DIFF_LONG64;

    for (unsigned i = 0; i < 16; i++) {
        uint64_t value = gen_value(g);
        if (rng_below(g->rng, 5) < 2)
            value = gen_address(g, 16);
        else if (rng_one_in(g->rng, 8))
            value = rng_below(g->rng, 64);
        in->gpr[i] = narrow ? i < 8 ? (uint32_t)value : 0 : value;
    }
    if (!rng_one_in(g->rng, 40))
        in->gpr[X86_RSP] = diff_data_base(g->c) + 0x600 + rng_below(g->rng, 0x200) * 8;
    if (rng_one_in(g->rng, 10))
        in->gpr[X86_RSP] += rng_below(g->rng, 8);
    in->rip = diff_code_base(g->c) + g->c->start;
    in->rflags = FLAG_ONE | FLAG_IF | (rng_next(g->rng) & FLAGS_ARITH) |
                 (rng_one_in(g->rng, 3) ? FLAG_DF : 0) | (rng_one_in(g->rng, 40) ? FLAG_AC : 0) |
                 (rng_one_in(g->rng, 60) ? FLAG_TF : 0);
    start_fpu(g);
    memcpy(g->value, in->gpr, sizeof(g->value));
    g->known = narrow ? 0xff : 0xffff;
    g->stack_ok = g->fs_gs_ok = true;
}

static void
choose_mode(struct gen *g)
{
    struct diff_case *c = g->c;
    uint32_t pick = rng_below(g->rng, 16);

    c->mode = pick < 11 ? DIFF_LONG64 : pick < 14 || !g->host->ldt ? DIFF_COMPAT32 : DIFF_COMPAT16;
    c->high = c->mode == DIFF_LONG64 && rng_one_in(g->rng, 3);
    c->segmented = c->mode == DIFF_COMPAT16 ||
                   (c->mode == DIFF_COMPAT32 && g->host->ldt && rng_one_in(g->rng, 2));
    c->start = 0x400;
    if (rng_one_in(g->rng, 60)) /* across two pages, or to the end of the last one */
        c->start = (uint16_t)((rng_one_in(g->rng, 2) ? 0x1000 : 0x2000) - 1 -
                              rng_below(g->rng, 40));
}

static const struct diff_row *
choose_row(struct gen *g)
{
    for (;;) {
        const struct diff_row *row = &diff_rows[rng_below(g->rng, diff_row_count)];
        if (row->modes >> g->c->mode & 1)
            return row;
    }
}

void
generate_case(struct diff_rng *rng, const struct diff_host *h, struct diff_case *c)
{
    struct gen g = {.rng = rng, .host = h, .c = c};
    unsigned want = 1 + rng_below(rng, 8);

    memset(c, 0, sizeof(*c));
    choose_mode(&g);
    start_segments(&g);
    start_registers(&g);
    for (unsigned i = 0; i < want && !g.end; i++)
        if (!(rng_one_in(rng, 100) ? gen_far(&g) : encode_row(&g, choose_row(&g))))
            break;
}

void
generate_data(struct diff_rng *rng, uint8_t *data)
{
    struct gen g = {.rng = rng};

    for (unsigned i = 0; i < DIFF_DATA_SIZE; i += 8) {
        uint64_t value = gen_value(&g);
        memcpy(data + i, &value, sizeof(value));
    }
}
