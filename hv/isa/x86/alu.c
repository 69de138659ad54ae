/*
 * alu.c - add, subtract, logic, compare, increment: the instructions that programs are made of.
 *
 * All have the same shape: read, compute, write back, set flags; only then may flags change,
 * because the write can fault. Each exec function is the shape with one computation in it.
 */
#include "isa/x86/exec.h"
#include "isa/x86/operand.h"

/* One computation: the result of a and b (both cut to size), and the six flags it leaves. */
typedef uint64_t (*alu_fn)(const struct x86_cpu *cpu, uint64_t a, uint64_t b, unsigned size,
                           uint32_t *flags);

static inline uint64_t
add_carry(uint64_t a, uint64_t b, uint64_t carry, unsigned size, uint32_t *flags)
{
    uint64_t r = (a + b + carry) & x86_size_mask(size);

    *flags = flags_of_add(a, b, r, size);
    return r;
}

static inline uint64_t
sub_borrow(uint64_t a, uint64_t b, uint64_t borrow, unsigned size, uint32_t *flags)
{
    uint64_t r = (a - b - borrow) & x86_size_mask(size);

    *flags = flags_of_sub(a, b, r, size);
    return r;
}

static inline uint64_t
alu_add(const struct x86_cpu *cpu, uint64_t a, uint64_t b, unsigned size, uint32_t *flags)
{
    (void)cpu;
    return add_carry(a, b, 0, size, flags);
}

static inline uint64_t
alu_adc(const struct x86_cpu *cpu, uint64_t a, uint64_t b, unsigned size, uint32_t *flags)
{
    return add_carry(a, b, cpu->r.rflags & FLAG_CF, size, flags);
}

static inline uint64_t
alu_sub(const struct x86_cpu *cpu, uint64_t a, uint64_t b, unsigned size, uint32_t *flags)
{
    (void)cpu;
    return sub_borrow(a, b, 0, size, flags);
}

static inline uint64_t
alu_sbb(const struct x86_cpu *cpu, uint64_t a, uint64_t b, unsigned size, uint32_t *flags)
{
    return sub_borrow(a, b, cpu->r.rflags & FLAG_CF, size, flags);
}

/* AND, OR, XOR clear CF and OF; AF is undefined and comes out clear, as on the processors we know. */
static inline uint64_t
alu_and(const struct x86_cpu *cpu, uint64_t a, uint64_t b, unsigned size, uint32_t *flags)
{
    (void)cpu;
    *flags = flags_szp(a & b, size);
    return a & b;
}

static inline uint64_t
alu_or(const struct x86_cpu *cpu, uint64_t a, uint64_t b, unsigned size, uint32_t *flags)
{
    (void)cpu;
    *flags = flags_szp(a | b, size);
    return a | b;
}

static inline uint64_t
alu_xor(const struct x86_cpu *cpu, uint64_t a, uint64_t b, unsigned size, uint32_t *flags)
{
    (void)cpu;
    *flags = flags_szp(a ^ b, size);
    return a ^ b;
}

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
