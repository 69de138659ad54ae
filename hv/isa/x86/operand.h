/*
 * operand.h - reading and writing the operands of a decoded instruction, and the flags.
 *
 * Inline, because every instruction goes through here. Sizes are in bytes: 1, 2, 4, 8.
 * Values travel as uint64_t, zero-extended from their size.
 * Next: mem.h (what a memory operand does), alu.c (a first user).
 */
#ifndef HV_ISA_X86_OPERAND_H
#define HV_ISA_X86_OPERAND_H

#include "isa/x86/mem.h"

static inline uint64_t
gpr_read(const struct x86_cpu *cpu, unsigned reg, unsigned size)
{
    switch (size) {
    case 1: return (uint8_t)cpu->r.gpr[reg];
    case 2: return (uint16_t)cpu->r.gpr[reg];
    case 4: return (uint32_t)cpu->r.gpr[reg];
    default: return cpu->r.gpr[reg];
    }
}

/* A 32-bit write clears the upper half; 8- and 16-bit writes leave the rest (SDM vol. 1, 3.4.1.1). */
static inline void
gpr_write(struct x86_cpu *cpu, unsigned reg, unsigned size, uint64_t value)
{
    uint64_t *r = &cpu->r.gpr[reg];

    switch (size) {
    case 1: *r = (*r & ~UINT64_C(0xff)) | (uint8_t)value; break;
    case 2: *r = (*r & ~UINT64_C(0xffff)) | (uint16_t)value; break;
    case 4: *r = (uint32_t)value; break;
    default: *r = value;
    }
}

/* The offset of the memory operand within its segment, cut to the address size. */
static inline uint64_t
x86_effective_address(const struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t offset = (uint64_t)(int64_t)in->disp;

    if (in->base < 16)
        offset += cpu->r.gpr[in->base];
    else if (in->base == X86_RIP)
        offset += cpu->next_rip;
    if (in->index < 16)
        offset += cpu->r.gpr[in->index] << in->scale;
    return in->adsize == 8 ? offset : in->adsize == 4 ? (uint32_t)offset : (uint16_t)offset;
}

static inline __attribute__((always_inline)) int
operand_read(struct x86_cpu *cpu, const struct x86_insn *in, unsigned n, uint64_t *value)
{
    const struct x86_operand *op = &in->operand[n];

    switch (op->kind) {
    case OPERAND_GPR: *value = gpr_read(cpu, op->reg, op->size); return EMU_OK;
    case OPERAND_GPR_HI: *value = (uint8_t)(cpu->r.gpr[op->reg] >> 8); return EMU_OK;
    case OPERAND_MEM:
        return mem_read(cpu, in->seg, x86_effective_address(cpu, in), op->size, value);
    case OPERAND_MOFFS: return mem_read(cpu, in->seg, in->imm, op->size, value);
    default: *value = in->imm; return EMU_OK;
    }
}

/* The same for an operand that will be written back: its page must be writable. */
static inline __attribute__((always_inline)) int
operand_read_rmw(struct x86_cpu *cpu, const struct x86_insn *in, unsigned n, uint64_t *value)
{
    const struct x86_operand *op = &in->operand[n];

    if (op->kind == OPERAND_MEM)
        return mem_read_rmw(cpu, in->seg, x86_effective_address(cpu, in), op->size, value);
    return operand_read(cpu, in, n, value);
}

static inline __attribute__((always_inline)) int
operand_write(struct x86_cpu *cpu, const struct x86_insn *in, unsigned n, uint64_t value)
{
    const struct x86_operand *op = &in->operand[n];

    switch (op->kind) {
    case OPERAND_GPR: gpr_write(cpu, op->reg, op->size, value); return EMU_OK;
    case OPERAND_GPR_HI:
        cpu->r.gpr[op->reg] = (cpu->r.gpr[op->reg] & ~UINT64_C(0xff00)) | (value & 0xff) << 8;
        return EMU_OK;
    case OPERAND_MOFFS: return mem_write(cpu, in->seg, in->imm, op->size, value);
    default: return mem_write(cpu, in->seg, x86_effective_address(cpu, in), op->size, value);
    }
}

/* A second read or write of the same memory operand, `skip` bytes further on (LDS, BOUND, CMPXCHG16B). */
static inline __attribute__((always_inline)) int
operand_read_at(struct x86_cpu *cpu, const struct x86_insn *in, unsigned skip, unsigned size,
                uint64_t *value)
{
    uint64_t mask = in->adsize == 8 ? ~UINT64_C(0) : x86_size_mask(in->adsize);

    return mem_read(cpu, in->seg, (x86_effective_address(cpu, in) + skip) & mask, size, value);
}

/* --- flags ---------------------------------------------------------------------------------- */

static inline bool
sign_bit(uint64_t value, unsigned size)
{
    return value >> (size * 8 - 1) & 1;
}

/* PF: the low byte has an even number of ones (SDM vol. 1, 3.4.3.1). */
static inline uint32_t
parity_flag(uint64_t value)
{
    return __builtin_parity((uint8_t)value) ? 0 : FLAG_PF;
}

/* SF, ZF and PF of a result that is already cut to its size. */
static inline uint32_t
flags_szp(uint64_t result, unsigned size)
{
    return (uint32_t)!result << 6 | ((uint32_t)(result >> (size * 8 - 8)) & FLAG_SF) |
           parity_flag(result);
}

static inline void
flags_assign(struct x86_cpu *cpu, uint32_t mask, uint32_t bits)
{
    cpu->r.rflags = (cpu->r.rflags & ~(uint64_t)mask) | bits;
}

/*
 * All six flags of an addition or subtraction, from its carries: bit n of `carries` is the carry
 * (or borrow) out of bit n. CF is the last one; OF says that the last two differ; AF is out of bit 3.
 */
static inline uint32_t
flags_of_carries(uint64_t carries, uint64_t result, unsigned size)
{
    uint32_t last_two = carries >> (size * 8 - 2) & 3;

    return flags_szp(result, size) | last_two >> 1 | ((carries << 1) & FLAG_AF) |
           ((last_two + 1) & 2) << 10; /* 01 and 10 give FLAG_OF, 00 and 11 do not */
}

/* a + b (+ carry) = r, all cut to size. */
static inline uint32_t
flags_of_add(uint64_t a, uint64_t b, uint64_t r, unsigned size)
{
    return flags_of_carries((a & b) | ((a | b) & ~r), r, size);
}

/* a - b (- borrow) = r, all cut to size. */
static inline uint32_t
flags_of_sub(uint64_t a, uint64_t b, uint64_t r, unsigned size)
{
    return flags_of_carries((~a & b) | ((~a | b) & r), r, size);
}

/* --- the stack ------------------------------------------------------------------------------ */

/* The stack pointer, in the stack's width. */
static inline uint64_t
stack_pointer(const struct x86_cpu *cpu)
{
    return gpr_read(cpu, X86_RSP, cpu->stack_size);
}

/* Stores below the stack pointer and moves it: the last thing that an instruction may fail at. */
static inline int
stack_push(struct x86_cpu *cpu, unsigned size, uint64_t value)
{
    uint64_t sp = (stack_pointer(cpu) - size) & x86_size_mask(cpu->stack_size);

    TRY(mem_write(cpu, X86_SS, sp, size, value));
    gpr_write(cpu, X86_RSP, cpu->stack_size, sp);
    return EMU_OK;
}

/* Reads the top of the stack; the caller commits with stack_drop() when nothing can fail any more. */
static inline int
stack_peek(struct x86_cpu *cpu, unsigned size, uint64_t *value)
{
    return mem_read(cpu, X86_SS, stack_pointer(cpu), size, value);
}

static inline void
stack_drop(struct x86_cpu *cpu, uint64_t bytes)
{
    gpr_write(cpu, X86_RSP, cpu->stack_size, stack_pointer(cpu) + bytes);
}

/* A near branch: the new rip is cut to the operand size and must lie within CS. */
int branch_near(struct x86_cpu *cpu, uint64_t target, unsigned opsize);

#endif
