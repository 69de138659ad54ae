/*
 * flags.c - instructions that read or write RFLAGS as such.
 *
 * POPF is the classical virtualization hole: above CPL 0 it silently keeps IOPL, and above IOPL it
 * silently keeps IF (SDM vol. 2, POPF; Popek & Goldberg 1974; Robin & Irvine 2000).
 */
#include "isa/x86/exec.h"
#include "isa/x86/operand.h"

static unsigned
iopl(const struct x86_cpu *cpu)
{
    return cpu->r.rflags >> FLAG_IOPL_SHIFT & 3;
}

int
exec_pushf(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return stack_push(cpu, in->opsize, cpu->r.rflags & ~(uint64_t)(FLAG_RF | FLAG_VM));
}

int
exec_popf(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint32_t mask = FLAGS_ALL & ~(FLAG_RF | FLAG_VM | FLAG_VIF | FLAG_VIP);
    uint64_t value;

    TRY(stack_peek(cpu, in->opsize, &value));
    if (cpu->cpl > 0)
        mask &= ~FLAG_IOPL;
    if (cpu->mode != MODE_REAL && cpu->cpl > iopl(cpu))
        mask &= ~FLAG_IF;
    if (in->opsize == 2)
        mask &= 0xffff;
    stack_drop(cpu, in->opsize);
    flags_assign(cpu, mask, (uint32_t)value & mask);
    cpu->r.rflags &= ~(uint64_t)FLAG_RF;
    x86_update_mode(cpu); /* TF and AC */
    return EMU_OK;
}

#define FLAGS_LOW (FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF | FLAG_CF)

/* SALC: AL becomes all ones or zero, as CF says. Undocumented for decades, and always there. */
int
exec_salc(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    gpr_write(cpu, X86_RAX, 1, cpu->r.rflags & FLAG_CF ? 0xff : 0);
    return EMU_OK;
}

int
exec_lahf(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    uint64_t ah = (cpu->r.rflags & FLAGS_LOW) | FLAG_ONE;
    cpu->r.gpr[X86_RAX] = (cpu->r.gpr[X86_RAX] & ~UINT64_C(0xff00)) | ah << 8;
    return EMU_OK;
}

int
exec_sahf(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    flags_assign(cpu, FLAGS_LOW, cpu->r.gpr[X86_RAX] >> 8 & FLAGS_LOW);
    return EMU_OK;
}

int
exec_flag(struct x86_cpu *cpu, const struct x86_insn *in)
{
    switch (in->opcode) {
    case 0xf5: cpu->r.rflags ^= FLAG_CF; break;
    case 0xf8: cpu->r.rflags &= ~(uint64_t)FLAG_CF; break;
    case 0xf9: cpu->r.rflags |= FLAG_CF; break;
    case 0xfc: cpu->r.rflags &= ~(uint64_t)FLAG_DF; break;
    default: cpu->r.rflags |= FLAG_DF; break;
    }
    return EMU_OK;
}

int
exec_cli(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    if (cpu->mode != MODE_REAL && cpu->cpl > iopl(cpu))
        return x86_gp0(cpu);
    cpu->r.rflags &= ~(uint64_t)FLAG_IF;
    return EMU_OK;
}

/* STI holds interrupts off for one more instruction, if they were off (SDM vol. 2, STI). */
int
exec_sti(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    if (cpu->mode != MODE_REAL && cpu->cpl > iopl(cpu))
        return x86_gp0(cpu);
    if (!(cpu->r.rflags & FLAG_IF))
        cpu->next_shadow = X86_SHADOW_STI;
    cpu->r.rflags |= FLAG_IF;
    return EMU_OK;
}

/* CLAC and STAC: SMAP's exception for the kernel's copies from and to user memory. */
int
exec_clac(struct x86_cpu *cpu, const struct x86_insn *in)
{
    if (cpu->cpl) /* not #GP (SDM vol. 2, CLAC) */
        return x86_ud(cpu);
    if (in->modrm == 0xcb)
        cpu->r.rflags |= FLAG_AC;
    else
        cpu->r.rflags &= ~(uint64_t)FLAG_AC;
    x86_update_mode(cpu);
    return EMU_OK;
}
