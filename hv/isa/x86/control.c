/*
 * control.c - control and debug registers, GDTR and IDTR, and the TLB.
 *
 * Every bit that changes how memory is translated flushes the TLB here and nowhere else; what the
 * processor does not implement (CR0_ALL, CR4_ALL, EFER_ALL in regs.h) is #GP(0).
 */
#include "isa/x86/exec.h"
#include "isa/x86/operand.h"

#define CR0_PAGING_BITS (CR0_PG | CR0_WP | CR0_PE)
#define CR4_PAGING_BITS (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP | CR4_SMAP)
#define CR4_PAE_BITS    (CR4_PAE | CR4_PSE | CR4_PGE | CR4_SMEP)

/* Long mode begins when paging is switched on with EFER.LME, and ends with it (SDM vol. 3, 9.8.5). */
static int
write_cr0(struct x86_cpu *cpu, uint64_t value)
{
    struct x86_regs *r = &cpu->r;
    uint64_t old = r->cr0, efer = r->efer;

    if (value >> 32 || (value & (CR0_PG | CR0_PE)) == CR0_PG ||
        (value & (CR0_NW | CR0_CD)) == CR0_NW)
        return x86_gp0(cpu);
    value = (value & CR0_ALL) | CR0_ET;
    if (value & ~old & CR0_PG) {
        if (efer & EFER_LME) {
            if (!(r->cr4 & CR4_PAE) || r->seg[X86_CS].attr & SEG_L)
                return x86_gp0(cpu);
            efer |= EFER_LMA;
        } else if (r->cr4 & CR4_PAE) {
            TRY(x86_load_pdptes(cpu, r->cr3));
        }
    } else if (old & ~value & CR0_PG) {
        if (x86_is_64bit(cpu))
            return x86_gp0(cpu);
        efer &= ~(uint64_t)EFER_LMA;
    }
    r->cr0 = value;
    r->efer = efer;
    if ((old ^ value) & CR0_PAGING_BITS)
        x86_tlb_flush_all(cpu);
    x86_update_mode(cpu);
    return EMU_OK;
}

static int
write_cr3(struct x86_cpu *cpu, uint64_t value)
{
    if (x86_long_mode(cpu)) {
        if (value >> 40) /* above MAXPHYADDR */
            return x86_gp0(cpu);
    } else {
        value &= 0xffffffff;
        if (cpu->paging && cpu->r.cr4 & CR4_PAE)
            TRY(x86_load_pdptes(cpu, value));
    }
    cpu->r.cr3 = value;
    x86_tlb_flush_nonglobal(cpu);
    return EMU_OK;
}

static int
write_cr4(struct x86_cpu *cpu, uint64_t value)
{
    uint64_t changed = cpu->r.cr4 ^ value;

    if (value & ~(uint64_t)CR4_ALL)
        return x86_gp0(cpu);
    if (x86_long_mode(cpu) && !(value & CR4_PAE))
        return x86_gp0(cpu);
    if (cpu->paging && value & CR4_PAE && !x86_long_mode(cpu) && changed & CR4_PAE_BITS)
        TRY(x86_load_pdptes(cpu, cpu->r.cr3));
    cpu->r.cr4 = value;
    if (changed & CR4_PAGING_BITS)
        x86_tlb_flush_all(cpu);
    x86_update_mode(cpu);
    return EMU_OK;
}

int
x86_write_cr(struct x86_cpu *cpu, unsigned cr, uint64_t value)
{
    switch (cr) {
    case 0: return write_cr0(cpu, value);
    case 2: cpu->r.cr2 = value; return EMU_OK;
    case 3: return write_cr3(cpu, value);
    case 4: return write_cr4(cpu, value);
    case 8:
        if (value & ~UINT64_C(0xf))
            return x86_gp0(cpu);
        cpu->r.cr8 = value;
        return EMU_OK;
    default: return x86_ud(cpu);
    }
}

int
exec_mov_to_cr(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned cr = in->operand[0].reg;
    uint64_t value;

    TRY(operand_read(cpu, in, 1, &value));
    if (cr == 8 && !x86_is_64bit(cpu))
        return x86_ud(cpu);
    return x86_write_cr(cpu, cr, value);
}

int
exec_mov_from_cr(struct x86_cpu *cpu, const struct x86_insn *in)
{
    const struct x86_regs *r = &cpu->r;
    uint64_t value;

    switch (in->operand[1].reg) {
    case 0: value = r->cr0; break;
    case 2: value = r->cr2; break;
    case 3: value = r->cr3; break;
    case 4: value = r->cr4; break;
    case 8: value = r->cr8; break;
    default: return x86_ud(cpu);
    }
    return operand_write(cpu, in, 0, value);
}

/* LMSW writes the low four bits of CR0 and can set PE but never clear it (SDM vol. 2, LMSW). */
int
exec_lmsw(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t value, mask = CR0_PE | CR0_MP | CR0_EM | CR0_TS;

    TRY(operand_read(cpu, in, 0, &value));
    return write_cr0(cpu, (cpu->r.cr0 & ~(mask & ~(uint64_t)CR0_PE)) | (value & mask));
}

/* UMIP takes these away from user programs (SDM vol. 3, 2.5). */
static bool
umip_forbids(const struct x86_cpu *cpu)
{
    return cpu->r.cr4 & CR4_UMIP && cpu->cpl > 0 && cpu->mode != MODE_REAL;
}

/* SMSW stores 16 bits to memory, but all of CR0 that the register has room for. */
int
exec_smsw(struct x86_cpu *cpu, const struct x86_insn *in)
{
    if (umip_forbids(cpu))
        return x86_gp0(cpu);
    if (in->operand[0].kind == OPERAND_MEM)
        return mem_write(cpu, in->seg, x86_effective_address(cpu, in), 2, cpu->r.cr0);
    return operand_write(cpu, in, 0, cpu->r.cr0);
}

int
exec_clts(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    cpu->r.cr0 &= ~(uint64_t)CR0_TS;
    return EMU_OK;
}

/* --- debug registers (SDM vol. 3, 17.2) ------------------------------------------------------- */

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE makes them #UD. -1: #UD. */
static int
debug_register(const struct x86_cpu *cpu, unsigned reg)
{
    if (reg >= 8 || ((reg == 4 || reg == 5) && cpu->r.cr4 & CR4_DE))
        return -1;
    return (int)(reg == 4 || reg == 5 ? reg + 2 : reg);
}

/* DR7.GD guards all debug registers: #DB with DR6.BD before the access. */
static int
debug_guard(struct x86_cpu *cpu)
{
    if (!(cpu->r.dr[7] & DR7_GD))
        return EMU_OK;
    x86_raise(cpu, VEC_DB);
    cpu->fault.dr6 = DR6_BD;
    return EMU_FAULT;
}

int
exec_mov_from_dr(struct x86_cpu *cpu, const struct x86_insn *in)
{
    int reg = debug_register(cpu, in->operand[1].reg);

    if (reg < 0)
        return x86_ud(cpu);
    TRY(debug_guard(cpu));
    return operand_write(cpu, in, 0, cpu->r.dr[reg]);
}

int
exec_mov_to_dr(struct x86_cpu *cpu, const struct x86_insn *in)
{
    int reg = debug_register(cpu, in->operand[0].reg);
    uint64_t value;

    TRY(operand_read(cpu, in, 1, &value));
    if (reg < 0)
        return x86_ud(cpu);
    TRY(debug_guard(cpu));
    if (reg >= 6 && value >> 32)
        return x86_gp0(cpu);
    if (reg == 6)
        value = (value & 0xe00f) | DR6_INIT;
    else if (reg == 7)
        value = (value & 0xffff2bff) | DR7_INIT;
    cpu->r.dr[reg] = value;
    x86_tlb_flush_all(cpu); /* pages with a data breakpoint leave the fast path */
    x86_update_mode(cpu);
    return EMU_OK;
}

/* --- descriptor-table registers ---------------------------------------------------------------- */

/* SGDT and SIDT: limit (16 bits), then base (32 bits, or 64 in 64-bit mode). */
int
exec_sgdt(struct x86_cpu *cpu, const struct x86_insn *in)
{
    const struct x86_table *t = in->modrm >> 3 & 1 ? &cpu->r.idtr : &cpu->r.gdtr;
    unsigned size = x86_is_64bit(cpu) ? 8 : 4;
    uint64_t mask = in->adsize == 8 ? ~UINT64_C(0) : x86_size_mask(in->adsize);
    uint64_t at = x86_effective_address(cpu, in), linear;

    if (umip_forbids(cpu))
        return x86_gp0(cpu);
    TRY(x86_linear(cpu, in->seg, (at + 2) & mask, size, ACCESS_WRITE, &linear));
    TRY(x86_probe_linear(cpu, linear, size, ACCESS_WRITE));
    TRY(mem_write(cpu, in->seg, at, 2, t->limit));
    return mem_write(cpu, in->seg, (at + 2) & mask, size, t->base);
}

/* LGDT and LIDT; with 16-bit operands the base has 24 bits, as on the 80286. */
int
exec_lgdt(struct x86_cpu *cpu, const struct x86_insn *in)
{
    struct x86_table *t = in->modrm >> 3 & 1 ? &cpu->r.idtr : &cpu->r.gdtr;
    uint64_t limit, base;

    TRY(operand_read_at(cpu, in, 0, 2, &limit));
    TRY(operand_read_at(cpu, in, 2, x86_is_64bit(cpu) ? 8 : 4, &base));
    if (x86_is_64bit(cpu) ? !x86_canonical(base) : false)
        return x86_gp0(cpu);
    if (in->opsize == 2 && !x86_is_64bit(cpu))
        base &= 0xffffff;
    *t = (struct x86_table){base, (uint16_t)limit};
    return EMU_OK;
}

/* INVLPG never faults on its operand: it names an address, it does not access it. */
int
exec_invlpg(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t linear = (cpu->seg_base[in->seg] + x86_effective_address(cpu, in)) & cpu->linear_mask;

    if (!x86_is_64bit(cpu) || x86_canonical(linear))
        x86_tlb_flush_page(cpu, linear);
    return EMU_OK;
}
