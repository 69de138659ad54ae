/*
 * alu.c - add, subtract, logic, compare, increment: the instructions that programs are made of.
 *
 * All have the same shape: read, compute, write back, set flags; only then may flags change,
 * because the write can fault. Each exec function is the shape with one computation in it.
 */
#include "isa/x86/alu.h"
#include "isa/x86/exec.h"
#include "isa/x86/operand.h"

/* operand 0 = operand 0 (compute) operand 1 */
static inline __attribute__((always_inline)) int
binary(struct x86_cpu *cpu, const struct x86_insn *in, alu_fn compute)
{
    unsigned size = in->operand[0].size;
    uint64_t a, b, r;
    uint32_t flags;

    TRY(operand_read(cpu, in, 1, &b));
    TRY(operand_read_rmw(cpu, in, 0, &a));
    r = compute(cpu, a, b & x86_size_mask(size), size, &flags);
    TRY(operand_write(cpu, in, 0, r));
    flags_assign(cpu, FLAGS_ARITH, flags);
    return EMU_OK;
}

/* The same without writing back: CMP and TEST. */
static inline __attribute__((always_inline)) int
compare(struct x86_cpu *cpu, const struct x86_insn *in, alu_fn compute)
{
    unsigned size = in->operand[0].size;
    uint64_t a, b;
    uint32_t flags;

    TRY(operand_read(cpu, in, 1, &b));
    TRY(operand_read(cpu, in, 0, &a));
    compute(cpu, a, b & x86_size_mask(size), size, &flags);
    flags_assign(cpu, FLAGS_ARITH, flags);
    return EMU_OK;
}

int
exec_add(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return binary(cpu, in, alu_add);
}

int
exec_adc(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return binary(cpu, in, alu_adc);
}

int
exec_sub(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return binary(cpu, in, alu_sub);
}

int
exec_sbb(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return binary(cpu, in, alu_sbb);
}

int
exec_and(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return binary(cpu, in, alu_and);
}

int
exec_or(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return binary(cpu, in, alu_or);
}

int
exec_xor(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return binary(cpu, in, alu_xor);
}

int
exec_cmp(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return compare(cpu, in, alu_sub);
}

int
exec_test(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return compare(cpu, in, alu_and);
}

/* --- one operand ---------------------------------------------------------------------------- */

/* INC and DEC leave CF as it was (SDM vol. 2, INC). */
int
exec_inc(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size;
    uint64_t a, r;
    uint32_t flags;

    TRY(operand_read_rmw(cpu, in, 0, &a));
    r = add_carry(a, 1, 0, size, &flags);
    TRY(operand_write(cpu, in, 0, r));
    flags_assign(cpu, FLAGS_ARITH & ~FLAG_CF, flags & ~FLAG_CF);
    return EMU_OK;
}

int
exec_dec(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size;
    uint64_t a, r;
    uint32_t flags;

    TRY(operand_read_rmw(cpu, in, 0, &a));
    r = sub_borrow(a, 1, 0, size, &flags);
    TRY(operand_write(cpu, in, 0, r));
    flags_assign(cpu, FLAGS_ARITH & ~FLAG_CF, flags & ~FLAG_CF);
    return EMU_OK;
}

/* NEG is 0 - operand: CF says whether it was not zero. */
int
exec_neg(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size;
    uint64_t a, r;
    uint32_t flags;

    TRY(operand_read_rmw(cpu, in, 0, &a));
    r = sub_borrow(0, a, 0, size, &flags);
    TRY(operand_write(cpu, in, 0, r));
    flags_assign(cpu, FLAGS_ARITH, flags);
    return EMU_OK;
}

/* NOT changes no flag. */
int
exec_not(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t a;

    TRY(operand_read_rmw(cpu, in, 0, &a));
    return operand_write(cpu, in, 0, ~a);
}
