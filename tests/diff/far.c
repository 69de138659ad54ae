/*
 * far.c - far jumps, calls, returns and IRET to other code segments: what a random operand would
 * hardly ever make succeed. 64-bit code goes to 32- and 16-bit code and back, through the selectors
 * that Linux gives to every program and those of diff_ldt, and to many that must fault.
 *
 * Called by generate.c, which has no other way to reach these rows.
 */
#include "tests/diff/generate.h"

#include "isa/x86/exec.h"

/* Where the stack pointer is put, aligned; the frame is stored there. */
#define FRAME 0x1000u

static const struct diff_row *
find_row(x86_exec_fn exec, uint16_t opcode)
{
    for (unsigned i = 0; i < diff_row_count; i++)
        if (diff_rows[i].op->exec == exec && diff_rows[i].opcode == opcode)
            return &diff_rows[i];
    return NULL;
}

/* A code segment, mostly; and where only fill is, seen from there. */
static uint16_t
choose_target(struct gen *g, uint64_t *offset)
{
    static const uint16_t flat[] = {SEL_CODE64, SEL_CODE64, SEL_CODE32};
    static const uint8_t ldt[] = {LDT_CODE16, LDT_CODE32, LDT_EXECUTE};
    uint16_t selector = flat[rng_below(g->rng, 3)];
    uint64_t base = DIFF_CODE;

    if (g->host->ldt && rng_one_in(g->rng, 2)) {
        selector = SEL_LDT(ldt[rng_below(g->rng, 3)]);
        base = 0;
    }
    if (rng_one_in(g->rng, 8))
        selector = gen_selector(g);
    if (rng_one_in(g->rng, 16))
        selector &= (uint16_t)~3u; /* another RPL */
    if (gen_is_long(g) && g->c->high && rng_one_in(g->rng, 2))
        base += DIFF_HIGH;
    *offset = base + 0x10 + rng_below(g->rng, 0x300);
    if (rng_one_in(g->rng, 30))
        *offset = gen_value(g);
    return selector;
}

/* Stores `n` values of `size` bytes where the stack pointer will be. */
static bool
put_frame(struct gen *g, const uint64_t *values, unsigned n, unsigned size)
{
    uint64_t at = diff_data_base(g->c) + FRAME;

    for (unsigned i = 0; i < n; i++)
        if (!gen_set_memory(g, at + i * size, values[i], size))
            return false;
    return gen_set_register(g, X86_RSP, at);
}

/* The operand-size prefixes that make an instruction without ModRM `size` bytes wide. */
static unsigned
put_prefixes(const struct gen *g, unsigned size, uint8_t *bytes)
{
    unsigned n = 0;

    if ((size == 2) != (g->c->mode == DIFF_COMPAT16))
        bytes[n++] = 0x66;
    if (size == 8)
        bytes[n++] = 0x48;
    return n;
}

static unsigned
choose_size(struct gen *g)
{
    unsigned pick = rng_below(g->rng, 6);

    if (gen_is_long(g))
        return pick < 3 ? 8 : pick < 5 ? 4 : 2;
    return g->c->segmented && pick < 3 ? 2 : 4;
}

static bool
far_return(struct gen *g)
{
    uint64_t frame[2];
    unsigned size = choose_size(g), n;
    bool drops = rng_one_in(g->rng, 3);
    uint8_t bytes[8];

    frame[1] = choose_target(g, &frame[0]);
    if (!put_frame(g, frame, 2, size))
        return false;
    n = put_prefixes(g, size, bytes);
    bytes[n++] = drops ? 0xca : 0xcb;
    if (drops) {
        bytes[n++] = (uint8_t)rng_below(g->rng, 64);
        bytes[n++] = 0;
    }
    return gen_append(g, find_row(exec_ret_far, drops ? 0xca : 0xcb), bytes, n);
}

static bool
interrupt_return(struct gen *g)
{
    uint64_t frame[5];
    unsigned size = choose_size(g), n;
    uint8_t bytes[8];

    frame[1] = choose_target(g, &frame[0]);
    frame[2] = gen_value(g) & (FLAGS_ALL & ~(FLAG_TF | FLAG_AC | FLAG_NT | FLAG_VM | FLAG_RF));
    if (rng_one_in(g->rng, 8))
        frame[2] |= FLAG_NT;
    if (rng_one_in(g->rng, 8))
        frame[2] |= FLAG_RF;
    frame[3] = gen_address(g, 8);
    frame[4] = rng_one_in(g->rng, 3) ? gen_selector(g) : SEL_DATA;
    if (!put_frame(g, frame, gen_is_long(g) ? 5 : 3, size))
        return false;
    n = put_prefixes(g, size, bytes);
    bytes[n++] = 0xcf;
    return gen_append(g, find_row(exec_iret, 0xcf), bytes, n);
}

/* FF /5 and FF /3: the far pointer in memory, addressed absolutely. */
static bool
far_indirect(struct gen *g, bool call)
{
    uint64_t offset, at = diff_data_base(g->c) + FRAME + 0x100;
    unsigned size = choose_size(g), n;
    uint16_t selector = choose_target(g, &offset);
    uint8_t bytes[16];

    if (!gen_set_memory(g, at, offset, size) || !gen_set_memory(g, at + size, selector, 2) ||
        !gen_set_register(g, X86_RBX, at) ||
        !gen_set_register(g, X86_RSP, diff_data_base(g->c) + FRAME))
        return false;
    n = put_prefixes(g, size, bytes);
    bytes[n++] = 0xff;
    /* [RBX], [EBX] or [BX]: mod 00 with rm 3 or 7 */
    bytes[n++] = (uint8_t)((call ? 3 : 5) << 3 | (g->c->mode == DIFF_COMPAT16 ? 7 : 3));
    return gen_append(g, find_row(call ? exec_call_far : exec_jmp_far, 0xff), bytes, n);
}

/* EA and 9A: the far pointer in the instruction; in 64-bit mode #UD. */
static bool
far_direct(struct gen *g, bool call)
{
    uint64_t offset;
    unsigned size = choose_size(g), n, width;
    uint16_t selector = choose_target(g, &offset);
    uint8_t bytes[16];

    if (!gen_set_register(g, X86_RSP, diff_data_base(g->c) + FRAME))
        return false;
    n = put_prefixes(g, size, bytes);
    bytes[n++] = call ? 0x9a : 0xea;
    width = size == 2 ? 2 : 4;
    for (unsigned i = 0; i < width; i++)
        bytes[n++] = (uint8_t)(offset >> (8 * i));
    bytes[n++] = (uint8_t)selector;
    bytes[n++] = (uint8_t)(selector >> 8);
    return gen_append(g, find_row(call ? exec_call_far : exec_jmp_far, call ? 0x9a : 0xea), bytes,
                      n);
}

bool
gen_far(struct gen *g)
{
    g->end = true;
    switch (rng_below(g->rng, 6)) {
    case 0: return far_return(g);
    case 1: return interrupt_return(g);
    case 2: return far_indirect(g, false);
    case 3: return far_indirect(g, true);
    case 4: return far_direct(g, false);
    default: return far_direct(g, true);
    }
}
