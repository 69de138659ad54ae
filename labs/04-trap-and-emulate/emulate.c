/*
 * emulate.c - lab 4: the interpreter routines of a trap-and-emulate VMM.
 *
 * Each carries out one instruction on the virtual processor vmm->cpu. What you need of it:
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

/*
 * HOLE 1 - CLI: the guest wants no interrupts.
 *
 * does      clears the virtual IF
 * errors    #GP(0) if may_change_if() says no: a program must not switch off its kernel's timer
 * hint      the real IF stays set, always: the VMM must get control back. So an interrupt may come at any
 *           time, and vmm.c asks the *virtual* IF whether the guest may have it
 */
int
emulate_cli(struct vmm *vmm, const struct x86_insn *in)
{
    (void)in, (void)may_change_if;
    return vmm_not_yet(vmm, "emulate_cli (hole 1)");
}
/* END 1 */

/*
 * HOLE 2 - STI: the guest takes interrupts again, from the instruction after the next one.
 *
 * does      sets the virtual IF. If it was clear, cpu->r.shadow becomes X86_SHADOW_STI: interrupts are
 *           held off for one more instruction (SDM vol. 3, 6.8.3)
 * errors    as CLI
 * hint      why one more? "sti; hlt" must not lose the interrupt that comes in between, and "sti; ret" of
 *           a handler must not grow the stack at each turn
 */
int
emulate_sti(struct vmm *vmm, const struct x86_insn *in)
{
    (void)in;
    return vmm_not_yet(vmm, "emulate_sti (hole 2)");
}
/* END 2 */

/*
 * HOLE 3 - HLT: nothing to do until an interrupt comes.
 *
 * does      moves rip behind HLT: the handler's IRETQ goes back there. Then returns EMU_HALT instead of
 *           EMU_OK, and vmm.c lets guest time pass
 * errors    #GP(0) at a CPL other than 0, whatever IOPL is
 * hint      a real HLT here would stop the host's processor for a guest that has nothing to do
 */
int
emulate_hlt(struct vmm *vmm, const struct x86_insn *in)
{
    (void)in;
    return vmm_not_yet(vmm, "emulate_hlt (hole 3)");
}
/* END 3 */

/*
 * HOLE 4 - LGDT: the guest says where its descriptors are.
 *
 * operand   10 bytes at vmm_operand(vmm, in): a 16-bit limit, then a 64-bit base (SDM vol. 2, LGDT)
 * does      fills cpu->r.gdtr.limit and .base
 * errors    #GP(0) at a CPL other than 0, before the operand is read; what x86_read_linear() returns if the
 *           operand cannot be read; #GP(0) if the base is not canonical: !x86_canonical(base)
 * hint      the real GDT is the VMM's and stays. The guest's is data, that the VMM looks things up in when
 *           the guest loads a selector. Both reads come before the first assignment: if the second
 *           faults, GDTR is what it was
 */
int
emulate_lgdt(struct vmm *vmm, const struct x86_insn *in)
{
    (void)in;
    return vmm_not_yet(vmm, "emulate_lgdt (hole 4)");
}
/* END 4 */

/*
 * HOLE 5 - POPF: flags from the stack, as far as this code may have them.
 *
 * operand   8 bytes at RSP
 * does      takes from them all of the bits in POPF_FLAGS; IOPL only at CPL 0, IF only if
 *           may_change_if(). All other flags stay as they are. RSP += 8
 * errors    what x86_read_linear() returns. POPF itself NEVER faults: a program that may not change IF
 *           is not told (SDM vol. 2, POPF). That silence is the hole for which flat.c patches the guest
 * hint      may_change_if() looks at the OLD flags: ask it before you change them. Afterwards call
 *           x86_update_mode(cpu): the interpreter keeps a copy of what AC means
 */
#define POPF_FLAGS (FLAGS_ARITH | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_AC | FLAG_ID)
int
emulate_popf(struct vmm *vmm, const struct x86_insn *in)
{
    (void)in;
    return vmm_not_yet(vmm, "emulate_popf (hole 5)");
}
/* END 5 */
