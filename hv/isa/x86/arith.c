/*
 * arith.c - multiplication, division and decimal adjustment.
 *
 * The double-width operand is AX for bytes, else rDX:rAX; 128-bit C arithmetic does the rest.
 */
#include "isa/x86/exec.h"
#include "isa/x86/operand.h"

typedef unsigned __int128 u128;
typedef __int128 s128;

static int64_t
sign_extend(uint64_t value, unsigned size)
{
    unsigned shift = 64 - 8 * size;

    return (int64_t)(value << shift) >> shift;
}

/* Writes a double-width product to AX or rDX:rAX. */
static void
write_double(struct x86_cpu *cpu, unsigned size, u128 value)
{
    if (size == 1) {
        gpr_write(cpu, X86_RAX, 2, (uint64_t)value);
    } else {
        gpr_write(cpu, X86_RAX, size, (uint64_t)value);
        gpr_write(cpu, X86_RDX, size, (uint64_t)(value >> (8 * size)));
    }
}

static u128
read_double(const struct x86_cpu *cpu, unsigned size)
{
    if (size == 1)
        return gpr_read(cpu, X86_RAX, 2);
    return (u128)gpr_read(cpu, X86_RDX, size) << (8 * size) | gpr_read(cpu, X86_RAX, size);
}

/* CF and OF say that the upper half matters; SF ZF AF PF are undefined (SDM vol. 2, MUL): kept. */
static void
set_multiply_flags(struct x86_cpu *cpu, bool overflow)
{
    flags_assign(cpu, FLAG_CF | FLAG_OF, overflow ? FLAG_CF | FLAG_OF : 0);
}

int
exec_mul(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size;
    uint64_t b;

    TRY(operand_read(cpu, in, 0, &b));
    u128 product = (u128)gpr_read(cpu, X86_RAX, size) * b;
    write_double(cpu, size, product);
    set_multiply_flags(cpu, product >> (8 * size));
    return EMU_OK;
}

int
exec_imul(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size;
    uint64_t b;

    TRY(operand_read(cpu, in, 0, &b));
    s128 product = (s128)sign_extend(gpr_read(cpu, X86_RAX, size), size) * sign_extend(b, size);
    write_double(cpu, size, (u128)product);
    set_multiply_flags(cpu, product != sign_extend((uint64_t)product, size));
    return EMU_OK;
}

/* Operand 0 = a * b, cut to its size. */
static int
multiply_into(struct x86_cpu *cpu, const struct x86_insn *in, uint64_t a, uint64_t b)
{
    unsigned size = in->operand[0].size;
    s128 product = (s128)sign_extend(a, size) * sign_extend(b, size);

    TRY(operand_write(cpu, in, 0, (uint64_t)product & x86_size_mask(size)));
    set_multiply_flags(cpu, product != sign_extend((uint64_t)product, size));
    return EMU_OK;
}

int
exec_imul2(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t a, b;

    TRY(operand_read(cpu, in, 0, &a));
    TRY(operand_read(cpu, in, 1, &b));
    return multiply_into(cpu, in, a, b);
}

int
exec_imul3(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t a;

    TRY(operand_read(cpu, in, 1, &a));
    return multiply_into(cpu, in, a, in->imm);
}

/* Division: #DE if the divisor is zero or the quotient does not fit. Flags are undefined: kept. */
int
exec_div(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size;
    uint64_t divisor;

    TRY(operand_read(cpu, in, 0, &divisor));
    u128 dividend = read_double(cpu, size);
    if (!divisor || dividend / divisor > x86_size_mask(size))
        return x86_raise(cpu, VEC_DE);
    uint64_t quotient = (uint64_t)(dividend / divisor);
    uint64_t remainder = (uint64_t)(dividend % divisor);
    if (size == 1) {
        gpr_write(cpu, X86_RAX, 2, quotient | remainder << 8);
    } else {
        gpr_write(cpu, X86_RAX, size, quotient);
        gpr_write(cpu, X86_RDX, size, remainder);
    }
    return EMU_OK;
}

int
exec_idiv(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size, bits = 16 * size;
    uint64_t raw;

    TRY(operand_read(cpu, in, 0, &raw));
    s128 divisor = sign_extend(raw, size);
    s128 dividend = (s128)(read_double(cpu, size) << (128 - bits)) >> (128 - bits);
    /* The most negative dividend by -1 does not fit in 128 bits either: C must not divide it. */
    if (!divisor || (divisor == -1 && (u128)dividend == (u128)1 << 127))
        return x86_raise(cpu, VEC_DE);
    s128 quotient = dividend / divisor, remainder = dividend % divisor;
    if (quotient != sign_extend((uint64_t)quotient, size))
        return x86_raise(cpu, VEC_DE);
    if (size == 1) {
        gpr_write(cpu, X86_RAX, 2, (uint8_t)quotient | (uint64_t)(uint8_t)remainder << 8);
    } else {
        gpr_write(cpu, X86_RAX, size, (uint64_t)quotient);
        gpr_write(cpu, X86_RDX, size, (uint64_t)remainder);
    }
    return EMU_OK;
}

/* --- decimal -------------------------------------------------------------------------------- */

/* DAA and DAS (SDM vol. 2, DAA): both digits of AL are brought back to 0-9. OF is undefined. */
int
exec_daa(struct x86_cpu *cpu, const struct x86_insn *in)
{
    bool subtract = in->opcode == 0x2f;
    uint8_t al = (uint8_t)cpu->r.gpr[X86_RAX], old = al;
    bool cf = cpu->r.rflags & FLAG_CF, af = cpu->r.rflags & FLAG_AF, carry = false;

    if ((al & 0xf) > 9 || af) {
        carry = cf || (subtract ? al < 6 : al > 0xf9);
        al = (uint8_t)(subtract ? al - 6 : al + 6);
        af = true;
    }
    if (old > 0x99 || cf) {
        al = (uint8_t)(subtract ? al - 0x60 : al + 0x60);
        carry = true;
    }
    gpr_write(cpu, X86_RAX, 1, al);
    flags_assign(cpu, FLAGS_ARITH & ~FLAG_OF,
                 flags_szp(al, 1) | (carry ? FLAG_CF : 0) | (af ? FLAG_AF : 0));
    return EMU_OK;
}

/* AAA and AAS: one unpacked digit in AL, the carry into AH. OF SF ZF PF are undefined. */
int
exec_aaa(struct x86_cpu *cpu, const struct x86_insn *in)
{
    bool subtract = in->opcode == 0x3f;
    uint16_t ax = (uint16_t)cpu->r.gpr[X86_RAX];
    bool adjust = (ax & 0xf) > 9 || cpu->r.rflags & FLAG_AF;

    if (adjust)
        ax = (uint16_t)(subtract ? ax - 0x106 : ax + 0x106);
    gpr_write(cpu, X86_RAX, 2, ax & 0xff0f);
    flags_assign(cpu, FLAG_CF | FLAG_AF, adjust ? FLAG_CF | FLAG_AF : 0);
    return EMU_OK;
}

/* AAM: AL in the base of the immediate. A base of zero is a division by zero. */
int
exec_aam(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint8_t al = (uint8_t)cpu->r.gpr[X86_RAX], base = (uint8_t)in->imm;

    if (!base)
        return x86_raise(cpu, VEC_DE);
    gpr_write(cpu, X86_RAX, 2, (uint64_t)(al / base) << 8 | al % base);
    flags_assign(cpu, FLAG_SF | FLAG_ZF | FLAG_PF, flags_szp(al % base, 1));
    return EMU_OK;
}

int
exec_aad(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint16_t ax = (uint16_t)cpu->r.gpr[X86_RAX];
    uint8_t al = (uint8_t)((ax >> 8) * in->imm + ax);

    gpr_write(cpu, X86_RAX, 2, al);
    flags_assign(cpu, FLAG_SF | FLAG_ZF | FLAG_PF, flags_szp(al, 1));
    return EMU_OK;
}
