/*
 * fast.c - the commonest instructions once more, with the place and size of their operands fixed.
 *
 * What decode.c finds in the table below runs without asking each time whether an operand is a
 * register or memory and how wide it is: the compiler knows. Nothing here computes anything by
 * itself; each function is the general one's shape (alu.c, move.c, branch.c, pushpop.c) with
 * constants filled in, and tests/diff runs both against the host's processor.
 *
 * Called by x86_decode(). To read the interpreter, skip this file.
 */
#include "isa/x86/alu.h"
#include "isa/x86/condition.h"
#include "isa/x86/exec.h"
#include "isa/x86/operand.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* The operand n, whose kind and size the caller knows. */
ALWAYS_INLINE int
read_known(struct x86_cpu *cpu, const struct x86_insn *in, unsigned n, unsigned kind, unsigned size,
           uint64_t *value)
{
    if (kind == OPERAND_MEM)
        return mem_read(cpu, in->seg, x86_effective_address(cpu, in), size, value);
    *value = kind == OPERAND_GPR ? gpr_read(cpu, in->operand[n].reg, size)
                                 : in->imm & x86_size_mask(size);
    return EMU_OK;
}

/* --- moves: destination, source, size ----------------------------------------------------------- */

ALWAYS_INLINE int
move(struct x86_cpu *cpu, const struct x86_insn *in, unsigned to, unsigned from, unsigned size)
{
    uint64_t value;

    TRY(read_known(cpu, in, 1, from, size, &value));
    if (to == OPERAND_MEM)
        return mem_write(cpu, in->seg, x86_effective_address(cpu, in), size, value);
    gpr_write(cpu, in->operand[0].reg, size, value);
    return EMU_OK;
}

/* --- arithmetic on a register: register op= register, memory or immediate ------------------------ */

ALWAYS_INLINE int
alu(struct x86_cpu *cpu, const struct x86_insn *in, alu_fn compute, unsigned from, unsigned size,
    bool keep)
{
    uint64_t a = gpr_read(cpu, in->operand[0].reg, size), b, r;
    uint32_t flags;

    TRY(read_known(cpu, in, 1, from, size, &b));
    r = compute(cpu, a, b, size, &flags);
    if (keep)
        gpr_write(cpu, in->operand[0].reg, size, r);
    flags_assign(cpu, FLAGS_ARITH, flags);
    return EMU_OK;
}

ALWAYS_INLINE int
count(struct x86_cpu *cpu, const struct x86_insn *in, alu_fn compute, unsigned size)
{
    uint32_t flags;
    uint64_t r = compute(cpu, gpr_read(cpu, in->operand[0].reg, size), 1, size, &flags);

    gpr_write(cpu, in->operand[0].reg, size, r);
    flags_assign(cpu, FLAGS_ARITH & ~FLAG_CF, flags & ~FLAG_CF);
    return EMU_OK;
}

ALWAYS_INLINE int
load_address(struct x86_cpu *cpu, const struct x86_insn *in, unsigned size)
{
    gpr_write(cpu, in->operand[0].reg, size, x86_effective_address(cpu, in));
    return EMU_OK;
}

/* --- the stack and branches, while code and stack have one width ---------------------------------- */

ALWAYS_INLINE int
push(struct x86_cpu *cpu, uint64_t value, unsigned size)
{
    uint64_t sp = (cpu->r.gpr[X86_RSP] - size) & x86_size_mask(size);

    TRY(mem_write(cpu, X86_SS, sp, size, value));
    cpu->r.gpr[X86_RSP] = sp;
    return EMU_OK;
}

ALWAYS_INLINE int
push_register(struct x86_cpu *cpu, const struct x86_insn *in, unsigned size)
{
    if (cpu->stack_size != size)
        return exec_push(cpu, in);
    return push(cpu, gpr_read(cpu, in->operand[0].reg, size), size);
}

ALWAYS_INLINE int
pop_register(struct x86_cpu *cpu, const struct x86_insn *in, unsigned size)
{
    uint64_t value;

    if (cpu->stack_size != size)
        return exec_pop(cpu, in);
    TRY(mem_read(cpu, X86_SS, cpu->r.gpr[X86_RSP] & x86_size_mask(size), size, &value));
    gpr_write(cpu, X86_RSP, size, cpu->r.gpr[X86_RSP] + size);
    gpr_write(cpu, in->operand[0].reg, size, value);
    return EMU_OK;
}

ALWAYS_INLINE int
branch(struct x86_cpu *cpu, uint64_t target, unsigned size)
{
    target &= x86_size_mask(size);
    if (size == 8 ? !x86_canonical(target) : target > cpu->code_last)
        return x86_gp0(cpu);
    cpu->next_rip = target;
    return EMU_OK;
}

ALWAYS_INLINE int
call(struct x86_cpu *cpu, const struct x86_insn *in, unsigned size)
{
    uint64_t after = cpu->next_rip;

    if (cpu->stack_size != size)
        return exec_call(cpu, in);
    TRY(branch(cpu, after + in->imm, size));
    return push(cpu, after, size);
}

ALWAYS_INLINE int
ret(struct x86_cpu *cpu, const struct x86_insn *in, unsigned size)
{
    uint64_t target;

    if (cpu->stack_size != size)
        return exec_ret(cpu, in);
    TRY(mem_read(cpu, X86_SS, cpu->r.gpr[X86_RSP] & x86_size_mask(size), size, &target));
    TRY(branch(cpu, target, size));
    gpr_write(cpu, X86_RSP, size, cpu->r.gpr[X86_RSP] + size);
    return EMU_OK;
}

ALWAYS_INLINE int
jump_if(struct x86_cpu *cpu, const struct x86_insn *in, unsigned condition)
{
    if (!condition_holds(cpu->r.rflags, condition))
        return EMU_OK;
    return branch(cpu, cpu->next_rip + in->imm, in->opsize);
}

/* --- the functions --------------------------------------------------------------------------------- */

#define FAST(name, body)                                                                           \
    static int name(struct x86_cpu *cpu, const struct x86_insn *in)                                \
    {                                                                                              \
        return body;                                                                               \
    }
#define FAST_ALU(op, keep)                                                                         \
    FAST(op##_rr4, alu(cpu, in, alu_##op, OPERAND_GPR, 4, keep))                                   \
    FAST(op##_rr8, alu(cpu, in, alu_##op, OPERAND_GPR, 8, keep))                                   \
    FAST(op##_ri4, alu(cpu, in, alu_##op, OPERAND_IMM, 4, keep))                                   \
    FAST(op##_ri8, alu(cpu, in, alu_##op, OPERAND_IMM, 8, keep))                                   \
    FAST(op##_rm4, alu(cpu, in, alu_##op, OPERAND_MEM, 4, keep))                                   \
    FAST(op##_rm8, alu(cpu, in, alu_##op, OPERAND_MEM, 8, keep))

/* clang-format off */
FAST(mov_rr4, move(cpu, in, OPERAND_GPR, OPERAND_GPR, 4))
FAST(mov_rr8, move(cpu, in, OPERAND_GPR, OPERAND_GPR, 8))
FAST(mov_ri4, move(cpu, in, OPERAND_GPR, OPERAND_IMM, 4))
FAST(mov_ri8, move(cpu, in, OPERAND_GPR, OPERAND_IMM, 8))
FAST(mov_rm1, move(cpu, in, OPERAND_GPR, OPERAND_MEM, 1))
FAST(mov_rm4, move(cpu, in, OPERAND_GPR, OPERAND_MEM, 4))
FAST(mov_rm8, move(cpu, in, OPERAND_GPR, OPERAND_MEM, 8))
FAST(mov_mr1, move(cpu, in, OPERAND_MEM, OPERAND_GPR, 1))
FAST(mov_mr4, move(cpu, in, OPERAND_MEM, OPERAND_GPR, 4))
FAST(mov_mr8, move(cpu, in, OPERAND_MEM, OPERAND_GPR, 8))
FAST_ALU(add, true)
FAST_ALU(sub, true)
FAST_ALU(and, true)
FAST_ALU(or, true)
FAST_ALU(xor, true)
FAST(cmp_rr4, alu(cpu, in, alu_sub, OPERAND_GPR, 4, false))
FAST(cmp_rr8, alu(cpu, in, alu_sub, OPERAND_GPR, 8, false))
FAST(cmp_ri4, alu(cpu, in, alu_sub, OPERAND_IMM, 4, false))
FAST(cmp_ri8, alu(cpu, in, alu_sub, OPERAND_IMM, 8, false))
FAST(cmp_rm4, alu(cpu, in, alu_sub, OPERAND_MEM, 4, false))
FAST(cmp_rm8, alu(cpu, in, alu_sub, OPERAND_MEM, 8, false))
FAST(test_rr4, alu(cpu, in, alu_and, OPERAND_GPR, 4, false))
FAST(test_rr8, alu(cpu, in, alu_and, OPERAND_GPR, 8, false))
FAST(inc_r4, count(cpu, in, alu_add, 4))
FAST(inc_r8, count(cpu, in, alu_add, 8))
FAST(dec_r4, count(cpu, in, alu_sub, 4))
FAST(dec_r8, count(cpu, in, alu_sub, 8))
FAST(lea_4, load_address(cpu, in, 4))
FAST(lea_8, load_address(cpu, in, 8))
FAST(push_4, push_register(cpu, in, 4))
FAST(push_8, push_register(cpu, in, 8))
FAST(pop_4, pop_register(cpu, in, 4))
FAST(pop_8, pop_register(cpu, in, 8))
FAST(call_4, call(cpu, in, 4))
FAST(call_8, call(cpu, in, 8))
FAST(ret_4, ret(cpu, in, 4))
FAST(ret_8, ret(cpu, in, 8))
FAST(jump_o, jump_if(cpu, in, 0))
FAST(jump_no, jump_if(cpu, in, 1))
FAST(jump_b, jump_if(cpu, in, 2))
FAST(jump_nb, jump_if(cpu, in, 3))
FAST(jump_z, jump_if(cpu, in, 4))
FAST(jump_nz, jump_if(cpu, in, 5))
FAST(jump_be, jump_if(cpu, in, 6))
FAST(jump_nbe, jump_if(cpu, in, 7))
FAST(jump_s, jump_if(cpu, in, 8))
FAST(jump_ns, jump_if(cpu, in, 9))
FAST(jump_p, jump_if(cpu, in, 10))
FAST(jump_np, jump_if(cpu, in, 11))
FAST(jump_l, jump_if(cpu, in, 12))
FAST(jump_nl, jump_if(cpu, in, 13))
FAST(jump_le, jump_if(cpu, in, 14))
FAST(jump_nle, jump_if(cpu, in, 15))

/* --- the table ------------------------------------------------------------------------------------- */

#define R OPERAND_GPR
#define M OPERAND_MEM
#define I OPERAND_IMM
#define ALU_FORMS(op)                                                                              \
    {exec_##op, {R, R}, 4, op##_rr4}, {exec_##op, {R, R}, 8, op##_rr8},                                \
    {exec_##op, {R, I}, 4, op##_ri4}, {exec_##op, {R, I}, 8, op##_ri8},                                \
    {exec_##op, {R, M}, 4, op##_rm4}, {exec_##op, {R, M}, 8, op##_rm8}

static const struct {
    x86_exec_fn general;
    uint8_t kind[2]; /* of operands 0 and 1; OPERAND_NONE: there is none */
    uint8_t size;    /* of all operands; without operands, the operand size */
    x86_exec_fn fast;
} forms[] = {
    {exec_mov, {R, R}, 4, mov_rr4}, {exec_mov, {R, R}, 8, mov_rr8},
    {exec_mov, {R, I}, 4, mov_ri4}, {exec_mov, {R, I}, 8, mov_ri8},
    {exec_mov, {R, M}, 1, mov_rm1}, {exec_mov, {R, M}, 4, mov_rm4}, {exec_mov, {R, M}, 8, mov_rm8},
    {exec_mov, {M, R}, 1, mov_mr1}, {exec_mov, {M, R}, 4, mov_mr4}, {exec_mov, {M, R}, 8, mov_mr8},
    ALU_FORMS(add), ALU_FORMS(sub), ALU_FORMS(and), ALU_FORMS(or), ALU_FORMS(xor), ALU_FORMS(cmp),
    {exec_test, {R, R}, 4, test_rr4}, {exec_test, {R, R}, 8, test_rr8},
    {exec_inc, {R}, 4, inc_r4}, {exec_inc, {R}, 8, inc_r8},
    {exec_dec, {R}, 4, dec_r4}, {exec_dec, {R}, 8, dec_r8},
    {exec_lea, {R, M}, 4, lea_4}, {exec_lea, {R, M}, 8, lea_8},
    {exec_push, {R}, 4, push_4}, {exec_push, {R}, 8, push_8},
    {exec_pop, {R}, 4, pop_4}, {exec_pop, {R}, 8, pop_8},
    {exec_call, {OPERAND_REL}, 4, call_4}, {exec_call, {OPERAND_REL}, 8, call_8},
    {exec_ret, {OPERAND_NONE}, 4, ret_4}, {exec_ret, {OPERAND_NONE}, 8, ret_8},
};

static const x86_exec_fn jumps[16] = {
    jump_o, jump_no, jump_b, jump_nb, jump_z, jump_nz, jump_be, jump_nbe,
    jump_s, jump_ns, jump_p, jump_np, jump_l, jump_nl, jump_le, jump_nle,
};
/* clang-format on */

/* Do the operands' sizes agree? LEA's memory operand has none. */
static bool
sizes_are(const struct x86_insn *in, unsigned size)
{
    if (!in->noperands)
        return in->opsize == size;
    return in->operand[0].size == size &&
           (in->noperands < 2 || in->operand[1].size == size || in->op->exec == exec_lea);
}

x86_exec_fn
x86_fast_form(const struct x86_insn *in)
{
    if (in->op->exec == exec_jcc && in->opsize > 2)
        return jumps[in->opcode & 15];
    for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (forms[i].general == in->op->exec && forms[i].kind[0] == in->operand[0].kind &&
            forms[i].kind[1] == in->operand[1].kind && sizes_are(in, forms[i].size))
            return forms[i].fast;
    return NULL;
}
