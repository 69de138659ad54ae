/*
 * move.c - data transfer: moves, exchanges, conversions, and what depends on a condition.
 */
#include "isa/x86/condition.h"
#include "isa/x86/exec.h"
#include "isa/x86/operand.h"

int
exec_mov(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t value;

    TRY(operand_read(cpu, in, 1, &value));
    return operand_write(cpu, in, 0, value);
}

/* Values travel zero-extended, so MOVZX is a move between sizes. */
int
exec_movzx(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return exec_mov(cpu, in);
}

int
exec_movsx(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned shift = 64 - 8u * in->operand[1].size;
    uint64_t value;

    TRY(operand_read(cpu, in, 1, &value));
    return operand_write(cpu, in, 0, (uint64_t)((int64_t)(value << shift) >> shift));
}

int
exec_lea(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return operand_write(cpu, in, 0, x86_effective_address(cpu, in));
}

int
exec_xchg(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t a, b;

    TRY(operand_read_rmw(cpu, in, 0, &a));
    TRY(operand_read(cpu, in, 1, &b));
    TRY(operand_write(cpu, in, 0, b));
    return operand_write(cpu, in, 1, a); /* a register: cannot fail */
}

/* The source gets the old destination; the memory operand, which may fault, is written first. */
int
exec_xadd(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size;
    uint64_t a, b, sum;

    TRY(operand_read_rmw(cpu, in, 0, &a));
    TRY(operand_read(cpu, in, 1, &b));
    sum = (a + b) & x86_size_mask(size);
    if (in->operand[0].kind == OPERAND_MEM) {
        TRY(operand_write(cpu, in, 0, sum));
        operand_write(cpu, in, 1, a);
    } else { /* XADD r, r: the sum stays (SDM vol. 2, XADD) */
        operand_write(cpu, in, 1, a);
        operand_write(cpu, in, 0, sum);
    }
    flags_assign(cpu, FLAGS_ARITH, flags_of_add(a, b, sum, size));
    return EMU_OK;
}

/* CMPXCHG writes the destination in either case: a read-only page faults even if it is not equal. */
int
exec_cmpxchg(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size;
    uint64_t dest, source, accumulator = gpr_read(cpu, X86_RAX, size);

    TRY(operand_read_rmw(cpu, in, 0, &dest));
    TRY(operand_read(cpu, in, 1, &source));
    if (dest == accumulator) {
        TRY(operand_write(cpu, in, 0, source));
    } else {
        /* Memory is written back; a 32-bit register destination keeps its upper half. */
        if (in->operand[0].kind == OPERAND_MEM)
            TRY(operand_write(cpu, in, 0, dest));
        gpr_write(cpu, X86_RAX, size, dest);
    }
    uint64_t difference = (accumulator - dest) & x86_size_mask(size);
    flags_assign(cpu, FLAGS_ARITH, flags_of_sub(accumulator, dest, difference, size));
    return EMU_OK;
}

/* CMPXCHG8B / CMPXCHG16B: rDX:rAX with memory, rCX:rBX as the new value; only ZF changes. */
int
exec_cmpxchg8b(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned half = in->opsize == 8 ? 8 : 4;
    uint64_t mask = in->adsize == 8 ? ~UINT64_C(0) : x86_size_mask(in->adsize);
    uint64_t low_at = x86_effective_address(cpu, in), high_at = (low_at + half) & mask;
    uint64_t low, high, linear;

    if (half == 8) { /* the 16 bytes must be aligned (SDM vol. 2, CMPXCHG16B) */
        TRY(x86_linear(cpu, in->seg, low_at, 1, ACCESS_RMW, &linear));
        if (linear & 15)
            return x86_gp0(cpu);
    } else { /* one access of eight bytes, which #AC wants aligned as such */
        TRY(x86_linear(cpu, in->seg, low_at, 8, ACCESS_RMW, &linear));
    }
    TRY(mem_read_rmw(cpu, in->seg, low_at, half, &low));
    TRY(mem_read_rmw(cpu, in->seg, high_at, half, &high));
    bool equal = low == gpr_read(cpu, X86_RAX, half) && high == gpr_read(cpu, X86_RDX, half);
    TRY(mem_write(cpu, in->seg, low_at, half, equal ? gpr_read(cpu, X86_RBX, half) : low));
    TRY(mem_write(cpu, in->seg, high_at, half, equal ? gpr_read(cpu, X86_RCX, half) : high));
    if (!equal) {
        gpr_write(cpu, X86_RAX, half, low);
        gpr_write(cpu, X86_RDX, half, high);
    }
    flags_assign(cpu, FLAG_ZF, equal ? FLAG_ZF : 0);
    return EMU_OK;
}

/* The source is read even if the condition is false, and a 32-bit destination is cleared above. */
int
exec_cmovcc(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t value;

    TRY(operand_read(cpu, in, 1, &value));
    if (!condition_holds(cpu->r.rflags, in->opcode))
        TRY(operand_read(cpu, in, 0, &value));
    return operand_write(cpu, in, 0, value);
}

int
exec_setcc(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return operand_write(cpu, in, 0, condition_holds(cpu->r.rflags, in->opcode));
}

/* CBW CWDE CDQE: the lower half of rAX is sign-extended into all of it. */
int
exec_cbw(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned half = in->opsize / 2u, shift = 64 - 8 * half;
    int64_t value = (int64_t)(cpu->r.gpr[X86_RAX] << shift) >> shift;

    gpr_write(cpu, X86_RAX, in->opsize, (uint64_t)value);
    return EMU_OK;
}

/* CWD CDQ CQO: rDX becomes the sign of rAX. */
int
exec_cwd(struct x86_cpu *cpu, const struct x86_insn *in)
{
    bool negative = sign_bit(gpr_read(cpu, X86_RAX, in->opsize), in->opsize);

    gpr_write(cpu, X86_RDX, in->opsize, negative ? ~UINT64_C(0) : 0);
    return EMU_OK;
}

/* XLAT: AL = byte at rBX + AL. */
int
exec_xlat(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t mask = in->adsize == 8 ? ~UINT64_C(0) : x86_size_mask(in->adsize);
    uint64_t offset = (cpu->r.gpr[X86_RBX] + (uint8_t)cpu->r.gpr[X86_RAX]) & mask;
    uint64_t value;

    TRY(mem_read(cpu, in->seg, offset, 1, &value));
    gpr_write(cpu, X86_RAX, 1, value);
    return EMU_OK;
}

/* NOP, PAUSE, ENDBR, prefetches, fences, CLFLUSH, WBINVD: nothing that software could see here. */
int
exec_nop(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)cpu;
    (void)in;
    return EMU_OK;
}

/* There is no cache to flush, but it faults as a load of one byte would (SDM vol. 2, CLFLUSH). */
int
exec_clflush(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t linear;

    TRY(x86_linear(cpu, in->seg, x86_effective_address(cpu, in), 1, 0, &linear));
    return x86_probe_linear(cpu, linear, 1, 0);
}
