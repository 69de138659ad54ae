/*
 * bits.c - single bits, bit scans, byte order.
 */
#include "isa/x86/exec.h"
#include "isa/x86/operand.h"

enum bit_op { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

/* BT BTS BTR BTC: encoded in bits 4:3 of 0F A3/AB/B3/BB, or in ModRM.reg of 0F BA. */
static enum bit_op
bit_op(const struct x86_insn *in)
{
    return in->opcode == 0x1ba ? in->modrm >> 3 & 3 : in->opcode >> 3 & 3;
}

/*
 * A bit index in a register addresses a string of bits: with a memory operand it may lie outside
 * the operand, before or after it (SDM vol. 2, BT). Gives the address of the unit that holds it.
 */
static uint64_t
bit_string_address(const struct x86_cpu *cpu, const struct x86_insn *in, uint64_t index)
{
    unsigned size = in->operand[0].size;
    unsigned shift = 64 - 8 * size;
    int64_t signed_index = (int64_t)(index << shift) >> shift;
    unsigned log_bits = size == 8 ? 6 : size == 4 ? 5 : 4;
    uint64_t offset = x86_effective_address(cpu, in) + (uint64_t)(signed_index >> log_bits) * size;

    return in->adsize == 8 ? offset : offset & x86_size_mask(in->adsize);
}

/* CF is the bit; the other flags are undefined but ZF, which stays (SDM vol. 2, BT): all stay. */
int
exec_bit(struct x86_cpu *cpu, const struct x86_insn *in)
{
    enum bit_op op = bit_op(in);
    unsigned size = in->operand[0].size;
    bool memory = in->operand[0].kind == OPERAND_MEM;
    uint64_t index, value, address = 0;

    TRY(operand_read(cpu, in, 1, &index));
    if (memory) {
        address = in->opcode == 0x1ba ? x86_effective_address(cpu, in)
                                      : bit_string_address(cpu, in, index);
        TRY((op == BIT_TEST ? mem_read : mem_read_rmw)(cpu, in->seg, address, size, &value));
    } else {
        TRY(operand_read(cpu, in, 0, &value));
    }
    uint64_t bit = UINT64_C(1) << (index & (8 * size - 1));
    uint64_t result = op == BIT_SET ? value | bit : op == BIT_RESET ? value & ~bit : value ^ bit;
    if (op != BIT_TEST) {
        if (memory)
            TRY(mem_write(cpu, in->seg, address, size, result));
        else
            TRY(operand_write(cpu, in, 0, result));
    }
    flags_assign(cpu, FLAG_CF, value & bit ? FLAG_CF : 0);
    return EMU_OK;
}

/* BSF and BSR of zero leave the destination as it was and set ZF; other flags are undefined. */
static int
bit_scan(struct x86_cpu *cpu, const struct x86_insn *in, bool forward)
{
    uint64_t value;

    TRY(operand_read(cpu, in, 1, &value));
    if (value) {
        unsigned bit = (unsigned)(forward ? __builtin_ctzll(value) : 63 - __builtin_clzll(value));
        TRY(operand_write(cpu, in, 0, bit));
    }
    flags_assign(cpu, FLAG_ZF, value ? 0 : FLAG_ZF);
    return EMU_OK;
}

int
exec_bsf(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return bit_scan(cpu, in, true);
}

int
exec_bsr(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return bit_scan(cpu, in, false);
}

/* TZCNT and LZCNT: CF if the source is zero, ZF if the result is. */
static int
write_count(struct x86_cpu *cpu, const struct x86_insn *in, uint64_t source, unsigned count)
{
    TRY(operand_write(cpu, in, 0, count));
    flags_assign(cpu, FLAG_CF | FLAG_ZF, (source ? 0 : FLAG_CF) | (count ? 0 : FLAG_ZF));
    return EMU_OK;
}

int
exec_tzcnt(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t value;

    TRY(operand_read(cpu, in, 1, &value));
    return write_count(cpu, in, value,
                       value ? (unsigned)__builtin_ctzll(value) : 8u * in->operand[1].size);
}

int
exec_lzcnt(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned bits = 8u * in->operand[1].size;
    uint64_t value;

    TRY(operand_read(cpu, in, 1, &value));
    return write_count(cpu, in, value,
                       value ? (unsigned)__builtin_clzll(value) - (64 - bits) : bits);
}

/* POPCNT clears every arithmetic flag but ZF. */
int
exec_popcnt(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t value;

    TRY(operand_read(cpu, in, 1, &value));
    TRY(operand_write(cpu, in, 0, (uint64_t)__builtin_popcountll(value)));
    flags_assign(cpu, FLAGS_ARITH, value ? 0 : FLAG_ZF);
    return EMU_OK;
}

static uint64_t
swap_bytes(uint64_t value, unsigned size)
{
    switch (size) {
    case 2: return __builtin_bswap16((uint16_t)value);
    case 4: return __builtin_bswap32((uint32_t)value);
    default: return __builtin_bswap64(value);
    }
}

/* BSWAP of a 16-bit register is undefined; processors leave zero. */
int
exec_bswap(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t value;

    TRY(operand_read(cpu, in, 0, &value));
    return operand_write(cpu, in, 0,
                         in->operand[0].size == 2 ? 0 : swap_bytes(value, in->operand[0].size));
}

int
exec_movbe(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t value;

    TRY(operand_read(cpu, in, 1, &value));
    return operand_write(cpu, in, 0, swap_bytes(value, in->operand[0].size));
}
