/*
 * alu.h - the computations of alu.c: result and flags of two values of one size.
 *
 * Inline, for alu.c and fast.c, which put operands around them.
 */
#ifndef HV_ISA_X86_ALU_H
#define HV_ISA_X86_ALU_H

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

#endif
