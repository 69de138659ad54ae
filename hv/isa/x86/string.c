/*
 * string.c - string instructions, and the ports.
 *
 * With a REP prefix one iteration is one step: rCX counts down and rip stays until it is zero, so
 * that a fault or an interrupt finds a state to restart from (SDM vol. 2, REP).
 */
#include "isa/x86/exec.h"
#include "isa/x86/operand.h"

/* Element size: byte opcodes are even. INS and OUTS move at most 4 bytes. */
static unsigned
element_size(const struct x86_insn *in)
{
    return in->opcode & 1 ? in->opsize : 1;
}

/* rSI or rDI, in the address size. */
static uint64_t
index_read(const struct x86_cpu *cpu, const struct x86_insn *in, enum x86_gpr reg)
{
    return gpr_read(cpu, reg, in->adsize);
}

static void
index_advance(struct x86_cpu *cpu, const struct x86_insn *in, enum x86_gpr reg, unsigned size)
{
    uint64_t step = cpu->r.rflags & FLAG_DF ? -(uint64_t)size : size;

    gpr_write(cpu, reg, in->adsize, gpr_read(cpu, reg, in->adsize) + step);
}

static bool
repeats(const struct x86_insn *in)
{
    return in->prefixes & (PREFIX_REP | PREFIX_REPNE);
}

/* REP with rCX = 0: nothing happens, no access and no fault of one. */
static bool
repeat_is_over(const struct x86_cpu *cpu, const struct x86_insn *in)
{
    return repeats(in) && !gpr_read(cpu, X86_RCX, in->adsize);
}

/* One iteration is done: count it; stay on this instruction if there are more. */
static void
repeat_count(struct x86_cpu *cpu, const struct x86_insn *in, bool stop)
{
    if (!repeats(in))
        return;
    uint64_t left = gpr_read(cpu, X86_RCX, in->adsize) - 1;
    gpr_write(cpu, X86_RCX, in->adsize, left);
    if (left & x86_size_mask(in->adsize) && !stop) {
        cpu->next_rip = cpu->r.rip;
        cpu->rep_retired = cpu->retired + 1;
    }
}

/* REPE goes on while ZF is set, REPNE while it is clear (CMPS and SCAS only). */
static bool
compare_stops(const struct x86_cpu *cpu, const struct x86_insn *in)
{
    return !(cpu->r.rflags & FLAG_ZF) == !(in->prefixes & PREFIX_REPNE);
}

int
exec_movs(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = element_size(in);
    uint64_t value;

    if (repeat_is_over(cpu, in))
        return EMU_OK;
    TRY(mem_read(cpu, in->seg, index_read(cpu, in, X86_RSI), size, &value));
    TRY(mem_write(cpu, X86_ES, index_read(cpu, in, X86_RDI), size, value));
    index_advance(cpu, in, X86_RSI, size);
    index_advance(cpu, in, X86_RDI, size);
    repeat_count(cpu, in, false);
    return EMU_OK;
}

int
exec_stos(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = element_size(in);

    if (repeat_is_over(cpu, in))
        return EMU_OK;
    TRY(mem_write(cpu, X86_ES, index_read(cpu, in, X86_RDI), size, cpu->r.gpr[X86_RAX]));
    index_advance(cpu, in, X86_RDI, size);
    repeat_count(cpu, in, false);
    return EMU_OK;
}

int
exec_lods(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = element_size(in);
    uint64_t value;

    if (repeat_is_over(cpu, in))
        return EMU_OK;
    TRY(mem_read(cpu, in->seg, index_read(cpu, in, X86_RSI), size, &value));
    gpr_write(cpu, X86_RAX, size, value);
    index_advance(cpu, in, X86_RSI, size);
    repeat_count(cpu, in, false);
    return EMU_OK;
}

int
exec_cmps(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = element_size(in);
    uint64_t a, b;

    if (repeat_is_over(cpu, in))
        return EMU_OK;
    /* If both fault, processors report rDI's (tests/diff; the manual does not say). */
    TRY(mem_read(cpu, X86_ES, index_read(cpu, in, X86_RDI), size, &b));
    TRY(mem_read(cpu, in->seg, index_read(cpu, in, X86_RSI), size, &a));
    flags_assign(cpu, FLAGS_ARITH, flags_of_sub(a, b, (a - b) & x86_size_mask(size), size));
    index_advance(cpu, in, X86_RSI, size);
    index_advance(cpu, in, X86_RDI, size);
    repeat_count(cpu, in, compare_stops(cpu, in));
    return EMU_OK;
}

int
exec_scas(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = element_size(in);
    uint64_t a = gpr_read(cpu, X86_RAX, size), b;

    if (repeat_is_over(cpu, in))
        return EMU_OK;
    TRY(mem_read(cpu, X86_ES, index_read(cpu, in, X86_RDI), size, &b));
    flags_assign(cpu, FLAGS_ARITH, flags_of_sub(a, b, (a - b) & x86_size_mask(size), size));
    index_advance(cpu, in, X86_RDI, size);
    repeat_count(cpu, in, compare_stops(cpu, in));
    return EMU_OK;
}

/* --- ports ---------------------------------------------------------------------------------- */

/*
 * May this program touch these ports? In protected mode with CPL > IOPL the TSS's I/O permission
 * bitmap decides: a set bit in any of the ports' places is #GP(0) (SDM vol. 1, 19.5.2).
 */
static int
check_port(struct x86_cpu *cpu, uint16_t port, unsigned size)
{
    uint64_t base, bits;
    unsigned iopl = cpu->r.rflags >> FLAG_IOPL_SHIFT & 3;

    if (cpu->mode == MODE_REAL || cpu->cpl <= iopl)
        return EMU_OK;
    const struct x86_segment *tr = &cpu->r.tr;
    if (!(tr->attr & SEG_P) || (tr->attr & SEG_TYPE) < SYS_TSS || tr->limit < 0x67)
        return x86_gp0(cpu);
    TRY(x86_read_linear(cpu, tr->base + 0x66, 2, ACCESS_SYSTEM, &base));
    /* Two bytes are always read, because the ports may straddle them. */
    if (base + port / 8 + 1 > tr->limit)
        return x86_gp0(cpu);
    TRY(x86_read_linear(cpu, tr->base + base + port / 8, 2, ACCESS_SYSTEM, &bits));
    return bits >> (port & 7) & ((1u << size) - 1) ? x86_gp0(cpu) : EMU_OK;
}

static unsigned
port_element_size(const struct x86_insn *in)
{
    return !(in->opcode & 1) ? 1 : in->opsize == 2 ? 2 : 4;
}

int
exec_in(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[0].size;
    uint64_t port, value;

    TRY(operand_read(cpu, in, 1, &port));
    TRY(check_port(cpu, (uint16_t)port, size));
    TRY(x86_port_read(cpu, (uint16_t)port, size, &value));
    gpr_write(cpu, X86_RAX, size, value);
    return EMU_OK;
}

int
exec_out(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->operand[1].size;
    uint64_t port;

    TRY(operand_read(cpu, in, 0, &port));
    TRY(check_port(cpu, (uint16_t)port, size));
    return x86_port_write(cpu, (uint16_t)port, size, gpr_read(cpu, X86_RAX, size));
}

/* The destination is checked before the port is read: a port may change by being read. */
int
exec_ins(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = port_element_size(in);
    uint16_t port = (uint16_t)cpu->r.gpr[X86_RDX];
    uint64_t to = index_read(cpu, in, X86_RDI), linear, value;

    TRY(check_port(cpu, port, size)); /* even if rCX is zero */
    if (repeat_is_over(cpu, in))
        return EMU_OK;
    TRY(x86_linear(cpu, X86_ES, to, size, ACCESS_WRITE, &linear));
    TRY(x86_probe_linear(cpu, linear, size, ACCESS_WRITE));
    TRY(x86_port_read(cpu, port, size, &value));
    TRY(mem_write(cpu, X86_ES, to, size, value));
    index_advance(cpu, in, X86_RDI, size);
    repeat_count(cpu, in, false);
    return EMU_OK;
}

int
exec_outs(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = port_element_size(in);
    uint16_t port = (uint16_t)cpu->r.gpr[X86_RDX];
    uint64_t value;

    TRY(check_port(cpu, port, size)); /* even if rCX is zero */
    if (repeat_is_over(cpu, in))
        return EMU_OK;
    TRY(mem_read(cpu, in->seg, index_read(cpu, in, X86_RSI), size, &value));
    TRY(x86_port_write(cpu, port, size, value));
    index_advance(cpu, in, X86_RSI, size);
    repeat_count(cpu, in, false);
    return EMU_OK;
}
