/*
 * emulate.c - lab 4: the interpreter routines of a trap-and-emulate VMM.
 *
 * This is the reference. Each carries out one instruction on the virtual processor vmm->cpu. What you need of it:
 *
 *   cpu->r.rflags      FLAG_IF, FLAG_IOPL ... (isa/x86/regs.h)
 *   cpu->r.rip         still points at the instruction; in->length is its length in bytes
 *   cpu->r.gpr[X86_RSP]
 *   cpu->r.gdtr        .base, .limit
 *   cpu->r.shadow      X86_SHADOW_STI: no interrupt before the next instruction is done; 0: none
 *   cpu->cpl           the virtual CPL: 0 in the guest's kernel, 3 in its programs
 *
 *   x86_read_linear(cpu, linear, size, 0, &value)       memory by linear address: size bytes (1, 2, 4, 8)
 *   x86_write_linear(cpu, linear, size, 0, value)       EMU_OK; anything else is to be returned as it is
 *   x86_raise_error(cpu, VEC_GP, 0)                     returns EMU_FAULT: the guest gets #GP(0)
 *
 * `value` is a uint64_t, however small the size. Linear addresses are those that instructions use.
 *
 * Each returns EMU_OK when the instruction is done and rip behind it. When it faults, nothing of the
 * virtual processor has changed: so first everything that can fault, then the change.
 * SDM is Intel's manual.
 */
#include "emulate.h"

/* May this code change IF? IOPL, two bits of RFLAGS, is the highest CPL that may. Above it CLI and STI are
 * #GP(0) (SDM vol. 2, CLI). */
static bool
may_change_if(const struct x86_cpu *cpu)
{
    return cpu->cpl <= (cpu->r.rflags & FLAG_IOPL) >> FLAG_IOPL_SHIFT;
}

/* Given, as an example. PUSHF: RSP -= 8, and the flags go there, without VM and RF (SDM vol. 2, PUSHF). */
int
emulate_pushf(struct vmm *vmm, const struct x86_insn *in)
{
    struct x86_cpu *cpu = &vmm->cpu;
    uint64_t rsp = cpu->r.gpr[X86_RSP] - 8;
    int emu = x86_write_linear(cpu, rsp, 8, 0, cpu->r.rflags & ~(uint64_t)(FLAG_VM | FLAG_RF));

    if (emu) /* the guest's stack is not there: its #PF, and RSP is what it was */
        return emu;
    cpu->r.gpr[X86_RSP] = rsp;
    cpu->r.rip += in->length;
    return EMU_OK;
}

/* HOLE 1 */
int
emulate_cli(struct vmm *vmm, const struct x86_insn *in)
{
    struct x86_cpu *cpu = &vmm->cpu;

    if (!may_change_if(cpu))
        return x86_raise_error(cpu, VEC_GP, 0);
    cpu->r.rflags &= ~(uint64_t)FLAG_IF;
    cpu->r.rip += in->length;
    return EMU_OK;
}
/* END 1 */

/* HOLE 2 */
int
emulate_sti(struct vmm *vmm, const struct x86_insn *in)
{
    struct x86_cpu *cpu = &vmm->cpu;

    if (!may_change_if(cpu))
        return x86_raise_error(cpu, VEC_GP, 0);
    if (!(cpu->r.rflags & FLAG_IF))
        cpu->r.shadow = X86_SHADOW_STI;
    cpu->r.rflags |= FLAG_IF;
    cpu->r.rip += in->length;
    return EMU_OK;
}
/* END 2 */

/* HOLE 3 */
int
emulate_hlt(struct vmm *vmm, const struct x86_insn *in)
{
    struct x86_cpu *cpu = &vmm->cpu;

    if (cpu->cpl != 0)
        return x86_raise_error(cpu, VEC_GP, 0);
    cpu->r.rip += in->length;
    return EMU_HALT;
}
/* END 3 */

/* HOLE 4 */
int
emulate_lgdt(struct vmm *vmm, const struct x86_insn *in)
{
    struct x86_cpu *cpu = &vmm->cpu;
    uint64_t operand = vmm_operand(vmm, in), limit, base;
    int emu;

    if (cpu->cpl != 0)
        return x86_raise_error(cpu, VEC_GP, 0);
    if ((emu = x86_read_linear(cpu, operand, 2, 0, &limit)) ||
        (emu = x86_read_linear(cpu, operand + 2, 8, 0, &base)))
        return emu;
    if (!x86_canonical(base))
        return x86_raise_error(cpu, VEC_GP, 0);
    cpu->r.gdtr.limit = (uint16_t)limit;
    cpu->r.gdtr.base = base;
    cpu->r.rip += in->length;
    return EMU_OK;
}
/* END 4 */

/* HOLE 5 */
#define POPF_FLAGS (FLAGS_ARITH | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_AC | FLAG_ID)
int
emulate_popf(struct vmm *vmm, const struct x86_insn *in)
{
    struct x86_cpu *cpu = &vmm->cpu;
    uint64_t mask = POPF_FLAGS, value;
    int emu = x86_read_linear(cpu, cpu->r.gpr[X86_RSP], 8, 0, &value);

    if (emu)
        return emu;
    if (!may_change_if(cpu))
        mask &= ~(uint64_t)FLAG_IF;
    if (cpu->cpl != 0)
        mask &= ~(uint64_t)FLAG_IOPL;
    cpu->r.rflags = (cpu->r.rflags & ~mask) | (value & mask);
    cpu->r.gpr[X86_RSP] += 8;
    cpu->r.rip += in->length;
    x86_update_mode(cpu);
    return EMU_OK;
}
/* END 5 */
