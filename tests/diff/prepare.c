/*
 * prepare.c - makes sure that an instruction finds what it needs: operand codes, and the MOVs that
 * put an address, a count, a selector or a return address where the instruction will look.
 *
 * Without them most random instructions would fault; one in a few dozen still goes without.
 * Called by encode.c.
 */
#include "tests/diff/generate.h"

#include <string.h>

#include "isa/x86/exec.h"

bool
gen_is_long(const struct gen *g)
{
    return g->c->mode == DIFF_LONG64;
}

bool
gen_knows(const struct gen *g, unsigned reg)
{
    return g->known >> reg & 1;
}

/* --- operand codes ---------------------------------------------------------------------------- */

/* The nth code, or "" . */
const char *
op_code(const struct x86_opcode *op, unsigned n)
{
    const char *code = op->operands;

    while (n-- && code) {
        code = strchr(code, ',');
        if (code)
            code++;
    }
    return code ? code : "";
}

/* Codes that are a register or a constant by themselves begin with the same letters. */
bool
op_is_fixed(const char *code)
{
    static const char *const fixed[] = {"AL", "AX", "CL", "DX", "rAX", "eAX", "1"};

    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        if (!strncmp(code, fixed[i], strlen(fixed[i])))
            return true;
    return false;
}

bool
op_has(const struct x86_opcode *op, const char *letters)
{
    for (unsigned n = 0; *op_code(op, n); n++)
        if (strchr(letters, *op_code(op, n)) && !op_is_fixed(op_code(op, n)))
            return true;
    return false;
}

unsigned
plan_size(const struct plan *p, char letter)
{
    switch (letter) {
    case 'b': return 1;
    case 'w': return 2;
    case 'd': return 4;
    case 'q': return p->rex & 8 ? 16 : 8; /* CMPXCHG8B and 16B */
    case 'v': return p->opsize;
    case 'z': return p->opsize == 2 ? 2 : 4;
    case 'y': return p->opsize == 8 ? 8 : 4;
    case 'p': return p->opsize + 2;
    case 'a': return p->opsize * 2;
    case 's': return 10;
    default: return 0;
    }
}

/* --- what must be right before ---------------------------------------------------------------------- */

/* SHLD and SHRD of 16 bits by more than 16 have an undefined result (SDM vol. 2, SHLD). */
static bool
prepare_count(struct gen *g, const struct plan *p)
{
    bool is_double = p->row->op->exec == exec_shld || p->row->op->exec == exec_shrd;

    if (!strstr(p->row->op->operands, "CL") || !is_double || p->opsize != 2)
        return true;
    if (gen_knows(g, X86_RCX) && (g->value[X86_RCX] & 31) <= 16)
        return true;
    return gen_set_register(g, X86_RCX, (gen_value(g) & 0xffffffe0) | rng_below(g->rng, 17));
}

static bool
prepare_string(struct gen *g, const struct plan *p)
{
    const struct x86_opcode *op = p->row->op;
    uint64_t mask = p->adsize == 8 ? ~UINT64_C(0) : p->adsize == 4 ? 0xffffffff : 0xffff;
    uint64_t base = diff_data_base(g->c) & mask;
    /* A repeated one with 32-bit addresses in 64-bit mode may or may not clear the upper halves of
     * its registers when it does nothing: processors differ, the manual is silent. */
    bool clear = gen_is_long(g) && p->adsize == 4 && p->repeat;

    if (!(op->flags & OP_REP) || (!clear && rng_one_in(g->rng, 30)))
        return true;
    for (unsigned reg = X86_RSI; reg <= X86_RDI; reg++) {
        if (!op_has(op, reg == X86_RSI ? "X" : "Y"))
            continue;
        if (gen_knows(g, reg) && (g->value[reg] & mask) - base < DIFF_DATA_SIZE &&
            !(clear && g->value[reg] >> 32))
            continue;
        if (!gen_set_register(g, reg, gen_address(g, 8) & (clear ? 0xffffffff : ~UINT64_C(0))))
            return false;
    }
    if (p->repeat && !(gen_knows(g, X86_RCX) && g->value[X86_RCX] < 0x100) &&
        (clear || !rng_one_in(g->rng, 30)))
        return gen_set_register(g, X86_RCX, rng_below(g->rng, 20));
    return true;
}

/* FLD and FSTP of 80 bits, FBLD and FBSTP. */
bool
op_takes_ten(const struct diff_row *row)
{
    return row->memory_only && ((row->opcode == 0xdb && (row->reg == 5 || row->reg == 7)) ||
                                (row->opcode == 0xdf && (row->reg == 4 || row->reg == 6)));
}

bool
op_uses_stack(const struct x86_opcode *op)
{
    static const x86_exec_fn users[] = {exec_push,  exec_pop,       exec_call,    exec_ret,
                                        exec_enter, exec_pusha,     exec_popa,    exec_pushf,
                                        exec_popf,  exec_push_sreg, exec_pop_sreg};

    for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
        if (op->exec == users[i])
            return true;
    return false;
}

/* What a POP of some kind will find: a code address, flags, a selector. */
static bool
prepare_popped(struct gen *g, const struct plan *p)
{
    const struct x86_opcode *op = p->row->op;
    static const uint8_t push_rax[2] = {0x66, 0x50};
    uint64_t value;

    if (op->exec == exec_ret)
        value = gen_fill(g);
    else if (op->exec == exec_popf)
        value = (gen_value(g) & (FLAGS_ALL & ~(FLAG_TF | FLAG_AC))) |
                (rng_one_in(g->rng, 30) ? FLAG_TF : 0) | (rng_one_in(g->rng, 50) ? FLAG_AC : 0);
    else if (op->exec == exec_pop_sreg)
        value = gen_selector(g);
    else
        return true;
    if (rng_one_in(g->rng, 20))
        return true;
    bool small = p->opsize == 2;
    bool prefix = small != (g->c->mode == DIFF_COMPAT16);
    return gen_set_register(g, X86_RAX, value) &&
           gen_append(g, gen_row(0x50), push_rax + !prefix, 1 + prefix);
}

static bool
prepare_memory(struct gen *g, struct plan *p)
{
    const struct x86_opcode *op = p->row->op;

    if (op->exec == exec_jmp || op->exec == exec_call)
        return rng_one_in(g->rng, 20) || gen_set_memory(g, p->target, gen_fill(g), p->opsize);
    if (op->exec == exec_load_far)
        return gen_set_memory(g, p->target + p->opsize, gen_selector(g), 2);
    if (op->exec == exec_mov_sreg && op->operands[0] == 'S')
        return gen_set_memory(g, p->target, gen_selector(g), 2);
    if (op->exec == exec_lar || op->exec == exec_lsl || op->exec == exec_verr)
        return gen_set_memory(g, p->target, gen_selector(g), 2);
    /* A bit offset in a register reaches up to 2^63 bits away: keep it near. */
    if (op->exec == exec_bit && op_has(op, "G") && !rng_one_in(g->rng, 30)) {
        p->target = diff_data_base(g->c) + 0x800 + rng_below(g->rng, 0x1000);
        return gen_set_register(g, p->reg,
                                (uint64_t)(int64_t)((int)rng_below(g->rng, 0x4000) - 0x2000));
    }
    return true;
}

static bool
prepare_register(struct gen *g, const struct plan *p)
{
    const struct x86_opcode *op = p->row->op;

    if (op->exec == exec_jmp || op->exec == exec_call)
        return rng_one_in(g->rng, 20) || gen_set_register(g, p->rm, gen_fill(g));
    if ((op->exec == exec_mov_sreg && op->operands[0] == 'S') || op->exec == exec_lar ||
        op->exec == exec_lsl || op->exec == exec_verr || op->exec == exec_verw ||
        op->exec == exec_arpl)
        return gen_set_register(g, p->rm, gen_selector(g) | (gen_value(g) & 0xffff0000));
    return true;
}

bool
prepare_row(struct gen *g, struct plan *p)
{
    const struct x86_opcode *op = p->row->op;

    if (rule_reads(p->row) & g->undefined) {
        static const uint8_t add_al[2] = {0x04, 0x5a};
        if (!gen_append(g, gen_row(add_al[0]), add_al, 2))
            return false;
        g->known &= (uint16_t) ~(1u << X86_RAX);
        g->undefined = 0;
    }
    if (op_uses_stack(op) && !g->stack_ok && !rng_one_in(g->rng, 30)) {
        if (!gen_set_register(g, X86_RSP,
                              diff_data_base(g->c) + 0x800 + 8 * rng_below(g->rng, 0x200)))
            return false;
        g->stack_ok = true;
    }
    if ((op->exec == exec_leave || op->exec == exec_enter) && !rng_one_in(g->rng, 100) &&
        !gen_set_register(g, X86_RBP, diff_data_base(g->c) + 0x800 + 8 * rng_below(g->rng, 0x200)))
        return false;
    if (op->exec == exec_xlat && !gen_set_register(g, X86_RBX, gen_address(g, 256)))
        return false;
    if ((op->exec == exec_div || op->exec == exec_idiv) && rng_one_in(g->rng, 2) &&
        !gen_set_register(g, X86_RDX, rng_below(g->rng, 3)))
        return false;
    if (!prepare_count(g, p) || !prepare_string(g, p) || !prepare_popped(g, p))
        return false;
    if (!p->has_modrm)
        return true;
    return p->memory ? prepare_memory(g, p) : prepare_register(g, p);
}
