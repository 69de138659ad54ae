/*
 * shift.c - shifts and rotates, single and double.
 *
 * The count is cut to 5 bits, or 6 with 64-bit operands (SDM vol. 2, SAL/SAR/SHL/SHR). A count of
 * zero changes no flag. Where the manual leaves a flag undefined (OF for counts over 1, AF after
 * shifts) we set what the formula for count 1 gives, and AF to zero.
 */
#include "isa/x86/exec.h"
#include "isa/x86/operand.h"

/* Reads the operands; a count of zero still reads and writes the destination, flags stay. */
static int
read_shift(struct x86_cpu *cpu, const struct x86_insn *in, uint64_t *value, unsigned *count)
{
    uint64_t raw;

    TRY(operand_read(cpu, in, in->noperands - 1u, &raw));
    TRY(operand_read_rmw(cpu, in, 0, value));
    *count = raw & (in->operand[0].size == 8 ? 63 : 31);
    return EMU_OK;
}

/* Writes the result; flags only for a count that is not zero. */
static int
write_shift(struct x86_cpu *cpu, const struct x86_insn *in, uint64_t result, unsigned count,
            uint32_t mask, uint32_t flags)
{
    TRY(operand_write(cpu, in, 0, result & x86_size_mask(in->operand[0].size)));
    if (count)
        flags_assign(cpu, mask, flags);
    return EMU_OK;
}

static uint32_t
carry_overflow(bool carry, bool overflow)
{
    return (carry ? FLAG_CF : 0) | (overflow ? FLAG_OF : 0);
}

int
exec_shl(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size, bits = 8 * size, count;
    uint64_t value, result;

    TRY(read_shift(cpu, in, &value, &count));
    result = count < bits ? value << count & x86_size_mask(size) : 0;
    bool carry = count && count <= bits && value >> (bits - count) & 1;
    return write_shift(cpu, in, result, count, FLAGS_ARITH,
                       flags_szp(result, size) |
                           carry_overflow(carry, carry != sign_bit(result, size)));
}

int
exec_shr(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size, bits = 8 * size, count;
    uint64_t value, result;

    TRY(read_shift(cpu, in, &value, &count));
    result = count < bits ? value >> count : 0;
    bool carry = count && count <= bits && value >> (count - 1) & 1;
    return write_shift(cpu, in, result, count, FLAGS_ARITH,
                       flags_szp(result, size) | carry_overflow(carry, sign_bit(value, size)));
}

int
exec_sar(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size, bits = 8 * size, count;
    uint64_t value, result;

    TRY(read_shift(cpu, in, &value, &count));
    int64_t wide = (int64_t)(value << (64 - bits)) >> (64 - bits);
    result = (uint64_t)(wide >> (count < 63 ? count : 63)) & x86_size_mask(size);
    bool carry = count && wide >> (count - 1) & 1;
    return write_shift(cpu, in, result, count, FLAGS_ARITH,
                       flags_szp(result, size) | carry_overflow(carry, false));
}

/* --- rotates: only CF and OF change --------------------------------------------------------- */

int
exec_rol(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size, bits = 8 * size, count;
    uint64_t value, result;

    TRY(read_shift(cpu, in, &value, &count));
    unsigned turn = count % bits;
    result = turn ? (value << turn | value >> (bits - turn)) & x86_size_mask(size) : value;
    bool carry = result & 1;
    return write_shift(cpu, in, result, count, FLAG_CF | FLAG_OF,
                       carry_overflow(carry, carry != sign_bit(result, size)));
}

int
exec_ror(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size, bits = 8 * size, count;
    uint64_t value, result;

    TRY(read_shift(cpu, in, &value, &count));
    unsigned turn = count % bits;
    result = turn ? (value >> turn | value << (bits - turn)) & x86_size_mask(size) : value;
    bool top = sign_bit(result, size), next = result >> (bits - 2) & 1;
    return write_shift(cpu, in, result, count, FLAG_CF | FLAG_OF, carry_overflow(top, top != next));
}

/* RCL and RCR rotate through CF: bits + 1 positions, one bit at a time, as the manual describes. */
int
exec_rcl(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size, count;
    uint64_t value;

    TRY(read_shift(cpu, in, &value, &count));
    unsigned turns = count % (8 * size + 1);
    bool carry = cpu->r.rflags & FLAG_CF;
    for (unsigned i = 0; i < turns; i++) {
        bool out = sign_bit(value, size);
        value = (value << 1 | carry) & x86_size_mask(size);
        carry = out;
    }
    return write_shift(cpu, in, value, turns, FLAG_CF | FLAG_OF,
                       carry_overflow(carry, carry != sign_bit(value, size)));
}

int
exec_rcr(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size, bits = 8 * size, count;
    uint64_t value;

    TRY(read_shift(cpu, in, &value, &count));
    unsigned turns = count % (bits + 1);
    bool carry = cpu->r.rflags & FLAG_CF;
    for (unsigned i = 0; i < turns; i++) {
        bool out = value & 1;
        value = value >> 1 | (uint64_t)carry << (bits - 1);
        carry = out;
    }
    bool top = sign_bit(value, size), next = value >> (bits - 2) & 1;
    return write_shift(cpu, in, value, turns, FLAG_CF | FLAG_OF,
                       carry_overflow(carry, top != next));
}

/* --- double shifts -------------------------------------------------------------------------- */

/*
 * SHLD and SHRD shift operand 0 and fill with bits of operand 1. A 16-bit count over 16 has an
 * undefined result (SDM vol. 2, SHLD); we shift the 48-bit value dest:src:dest, as processors do.
 */
static int
shift_double(struct x86_cpu *cpu, const struct x86_insn *in, bool left)
{
    unsigned size = in->operand[0].size, bits = 8 * size, count;
    uint64_t dest, src, result;
    bool carry;

    TRY(read_shift(cpu, in, &dest, &count));
    TRY(operand_read(cpu, in, 1, &src));
    if (!count)
        return write_shift(cpu, in, dest, 0, 0, 0);
    if (size == 2) { /* 48 bits: what is shifted in after src is dest again */
        uint64_t wide = left ? dest << 32 | src << 16 | dest : dest | src << 16 | dest << 32;
        result = (left ? wide << count >> 32 : wide >> count) & 0xffff;
        carry = (left ? wide >> (48 - count) : wide >> (count - 1)) & 1;
    } else if (left) {
        result = dest << count | src >> (bits - count);
        carry = dest >> (bits - count) & 1;
    } else {
        result = dest >> count | src << (bits - count);
        carry = dest >> (count - 1) & 1;
    }
    result &= x86_size_mask(size);
    return write_shift(cpu, in, result, count, FLAGS_ARITH,
                       flags_szp(result, size) |
                           carry_overflow(carry, sign_bit(dest, size) != sign_bit(result, size)));
}

int
exec_shld(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return shift_double(cpu, in, true);
}

int
exec_shrd(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return shift_double(cpu, in, false);
}
