/*
 * sysseg.c - the instructions that load, store and inspect segment registers and descriptors.
 *
 * MOV, PUSH and POP of a segment register, LDS and its kin, LLDT LTR SLDT STR, and the four that
 * ask about a descriptor without loading it: LAR LSL VERR VERW; ARPL. The loads themselves are in
 * segment.c. Called through the opcode table. Next: far.c.
 */
#include "isa/x86/exec.h"
#include "isa/x86/operand.h"
#include "isa/x86/system.h"

/* --- segment registers ---------------------------------------------------------------------- */

/* A 16-bit register is stored as 16 bits in memory, and zero-extended into a general register of
 * the operand size (SDM vol. 2, MOV, SLDT, STR). */
static int
store_selector(struct x86_cpu *cpu, const struct x86_insn *in, uint16_t selector)
{
    if (in->operand[0].kind == OPERAND_MEM)
        return mem_write(cpu, in->seg, x86_effective_address(cpu, in), 2, selector);
    gpr_write(cpu, in->operand[0].reg, in->opsize, selector);
    return EMU_OK;
}

/* Loading SS holds off interrupts and debug traps until the next instruction has loaded the stack
 * pointer; of several such loads in a row only the first does (SDM vol. 3, 6.8.3). */
static void
shadow_after_ss(struct x86_cpu *cpu)
{
    if (!(cpu->r.shadow & X86_SHADOW_MOVSS))
        cpu->next_shadow = X86_SHADOW_MOVSS;
}

int
exec_mov_sreg(struct x86_cpu *cpu, const struct x86_insn *in)
{
    bool load = in->operand[0].kind == OPERAND_SREG;
    unsigned sreg = in->operand[load ? 0 : 1].reg;
    uint64_t selector;

    if (sreg >= X86_NSEG || (load && sreg == X86_CS))
        return x86_ud(cpu);
    if (!load)
        return store_selector(cpu, in, cpu->r.seg[sreg].selector);
    TRY(operand_read(cpu, in, 1, &selector));
    TRY(x86_load_segment(cpu, sreg, (uint16_t)selector));
    if (sreg == X86_SS)
        shadow_after_ss(cpu);
    return EMU_OK;
}

/* Bits 5-3 of the opcode byte: 06 0e 16 1e for ES CS SS DS, 0f a0 and a8 for FS and GS. */
static unsigned
sreg_of_opcode(const struct x86_insn *in)
{
    return (in->opcode >> 3) & 0x7u;
}

/* With a 32-bit operand the selector is stored as 16 bits and the upper half of the slot is left as
 * it was: what all recent processors do, and the SDM allows (vol. 2, PUSH). */
int
exec_push_sreg(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t selector = cpu->r.seg[sreg_of_opcode(in)].selector, sp;

    if (in->opsize != 4)
        return stack_push(cpu, in->opsize, selector);
    sp = (stack_pointer(cpu) - 4) & x86_size_mask(cpu->stack_size);
    TRY(mem_write(cpu, X86_SS, sp, 2, selector));
    gpr_write(cpu, X86_RSP, cpu->stack_size, sp);
    return EMU_OK;
}

/* The slot has the operand's size, but only 16 bits of it are read. The width of the stack
 * pointer that moves is that of the old SS. */
int
exec_pop_sreg(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned sreg = sreg_of_opcode(in), width = cpu->stack_size;
    uint64_t selector;

    TRY(stack_peek(cpu, 2, &selector));
    TRY(x86_load_segment(cpu, sreg, (uint16_t)selector));
    cpu->r.gpr[X86_RSP] = x86_stack_move(cpu->r.gpr[X86_RSP], in->opsize, width);
    if (sreg == X86_SS)
        shadow_after_ss(cpu);
    return EMU_OK;
}

static unsigned
sreg_of_far_load(const struct x86_insn *in)
{
    switch (in->opcode) {
    case 0x0c4: return X86_ES;
    case 0x0c5: return X86_DS;
    case 0x1b2: return X86_SS;
    case 0x1b4: return X86_FS;
    default: return X86_GS;
    }
}

int
exec_load_far(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t offset, selector;

    TRY(operand_read_at(cpu, in, 0, in->opsize, &offset));
    TRY(operand_read_at(cpu, in, in->opsize, 2, &selector));
    TRY(x86_load_segment(cpu, sreg_of_far_load(in), (uint16_t)selector));
    gpr_write(cpu, in->operand[0].reg, in->opsize, offset);
    return EMU_OK;
}

/* --- LDTR and TR ---------------------------------------------------------------------------- */

/* CR4.UMIP keeps user programs from reading where the kernel's tables are (SDM vol. 3, 2.5). */
static int
check_umip(struct x86_cpu *cpu)
{
    return cpu->cpl && (cpu->r.cr4 & CR4_UMIP) ? x86_gp0(cpu) : EMU_OK;
}

int
exec_sldt(struct x86_cpu *cpu, const struct x86_insn *in)
{
    TRY(check_umip(cpu));
    return store_selector(cpu, in, cpu->r.ldtr.selector);
}

int
exec_str(struct x86_cpu *cpu, const struct x86_insn *in)
{
    TRY(check_umip(cpu));
    return store_selector(cpu, in, cpu->r.tr.selector);
}

int
exec_lldt(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t selector;

    TRY(operand_read(cpu, in, 0, &selector));
    return x86_load_ldtr(cpu, (uint16_t)selector);
}

int
exec_ltr(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t selector;

    TRY(operand_read(cpu, in, 0, &selector));
    return x86_load_tr(cpu, (uint16_t)selector);
}

/* --- questions about a descriptor ----------------------------------------------------------- */

/* Is the descriptor within reach of CPL and RPL? Conforming code always is. */
static bool
is_visible(const struct x86_cpu *cpu, uint16_t selector, const struct x86_descriptor *d)
{
    unsigned dpl = attr_dpl(d->attr);

    return attr_is_conforming(d->attr) || (cpu->cpl <= dpl && selector_rpl(selector) <= dpl);
}

/*
 * The system descriptors that LAR and LSL know, as bits (SDM vol. 2, tables in LAR and LSL):
 * TSS and LDT have a limit; gates have access rights only, interrupt and trap gates not even that.
 */
#define BIT(n)         (1u << (n))
#define LSL_TYPES_LONG (BIT(SYS_LDT) | BIT(SYS_TSS) | BIT(SYS_TSS_BUSY))
#define LSL_TYPES      (LSL_TYPES_LONG | BIT(SYS_TSS16) | BIT(SYS_TSS16_BUSY))
#define LAR_TYPES_LONG (LSL_TYPES_LONG | BIT(SYS_CALL))
#define LAR_TYPES      (LSL_TYPES | BIT(SYS_CALL) | BIT(SYS_CALL16) | BIT(SYS_TASK_GATE))

/* Reads the descriptor that operand n names; *ok: it exists, is visible and, if it is a system
 * descriptor, its type is one of `types`. */
static int
inspect(struct x86_cpu *cpu, const struct x86_insn *in, unsigned n, unsigned types,
        struct x86_descriptor *d, bool *ok)
{
    uint64_t selector;

    TRY(operand_read(cpu, in, n, &selector));
    TRY(x86_find_descriptor(cpu, (uint16_t)selector, d, ok));
    if (*ok && !is_visible(cpu, (uint16_t)selector, d))
        *ok = false;
    if (*ok && !(d->attr & SEG_S) && !(types & BIT(d->attr & SEG_TYPE)))
        *ok = false;
    return EMU_OK;
}

/*
 * LAR answers the second doubleword of the descriptor, as it is in memory, in bits 23:20 and
 * 15:8. Bits 19:16 are undefined by the SDM; this gives the limit's, as processors do.
 */
int
exec_lar(struct x86_cpu *cpu, const struct x86_insn *in)
{
    struct x86_descriptor d;
    uint64_t high;
    bool ok;

    TRY(inspect(cpu, in, 1, x86_long_mode(cpu) ? LAR_TYPES_LONG : LAR_TYPES, &d, &ok));
    if (ok) {
        TRY(x86_table_read(cpu, d.linear, 4, 4, &high));
        gpr_write(cpu, in->operand[0].reg, in->opsize, high & 0x00ffff00u);
    }
    flags_assign(cpu, FLAG_ZF, ok ? FLAG_ZF : 0);
    return EMU_OK;
}

int
exec_lsl(struct x86_cpu *cpu, const struct x86_insn *in)
{
    struct x86_descriptor d;
    bool ok;

    TRY(inspect(cpu, in, 1, x86_long_mode(cpu) ? LSL_TYPES_LONG : LSL_TYPES, &d, &ok));
    if (ok)
        gpr_write(cpu, in->operand[0].reg, in->opsize, d.limit);
    flags_assign(cpu, FLAG_ZF, ok ? FLAG_ZF : 0);
    return EMU_OK;
}

int
exec_verr(struct x86_cpu *cpu, const struct x86_insn *in)
{
    struct x86_descriptor d;
    bool ok;

    TRY(inspect(cpu, in, 0, 0, &d, &ok));
    ok = ok && (!attr_is_code(d.attr) || (d.attr & SEG_READABLE));
    flags_assign(cpu, FLAG_ZF, ok ? FLAG_ZF : 0);
    return EMU_OK;
}

int
exec_verw(struct x86_cpu *cpu, const struct x86_insn *in)
{
    struct x86_descriptor d;
    bool ok;

    TRY(inspect(cpu, in, 0, 0, &d, &ok));
    ok = ok && attr_is_writable_data(d.attr);
    flags_assign(cpu, FLAG_ZF, ok ? FLAG_ZF : 0);
    return EMU_OK;
}

/* Raises the RPL of a selector to that of the caller's, so that a kernel does not use a caller's
 * pointer with its own privilege (SDM vol. 3, 5.10.4). */
int
exec_arpl(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t to, from;
    bool raise;

    TRY(operand_read(cpu, in, 0, &to)); /* a load: it is written only if it changes */
    TRY(operand_read(cpu, in, 1, &from));
    raise = selector_rpl((uint16_t)to) < selector_rpl((uint16_t)from);
    if (raise)
        TRY(operand_write(cpu, in, 0, selector_with_rpl(to, selector_rpl((uint16_t)from))));
    flags_assign(cpu, FLAG_ZF, raise ? FLAG_ZF : 0);
    return EMU_OK;
}
