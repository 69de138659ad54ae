/*
 * iret.c - IRET: back from an interrupt or exception (SDM vol. 2, IRET; vol. 3, 6.12.1, 6.14.3).
 *
 * Frame, top of the stack first, in slots of the operand size: rip, CS, flags; and to an outer
 * ring, or in 64-bit mode always, RSP and SS. Left out: the return to virtual-8086 mode and the
 * return to another task (NT), which long mode does not have.
 *
 * Called through the opcode table. Next: interrupt.c, which builds the frame.
 */
#include "isa/x86/exec.h"
#include "isa/x86/system.h"

/* The flags as the image gives them, as far as this program may change them. */
static uint64_t
load_flags(const struct x86_cpu *cpu, unsigned size, uint64_t image)
{
    uint32_t mask = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT;
    unsigned iopl = (cpu->r.rflags & FLAG_IOPL) >> FLAG_IOPL_SHIFT;
    bool real = cpu->mode == MODE_REAL;

    if (size > 2)
        mask |= FLAG_RF | FLAG_AC | FLAG_ID;
    if (real || cpu->cpl <= iopl)
        mask |= FLAG_IF;
    if (real || cpu->cpl == 0)
        mask |= FLAG_IOPL;
    if (!real && cpu->cpl == 0 && size > 2)
        mask |= FLAG_VIF | FLAG_VIP;
    return (cpu->r.rflags & ~(uint64_t)mask) | (image & mask);
}

/* What all kinds have in common, at the very end. */
static int
finish(struct x86_cpu *cpu, uint64_t flags, unsigned from_cpl)
{
    cpu->r.rflags = flags;
    cpu->r.nmi_blocked = 0; /* SDM vol. 3, 6.7.1 */
    x86_update_mode(cpu);
    if (cpu->hooks.transfer)
        cpu->hooks.transfer(cpu->hooks.ctx, X86_T_IRET, 0, from_cpl);
    return EMU_OK;
}

static int
real_iret(struct x86_cpu *cpu, unsigned size, uint64_t rip, uint16_t selector, uint64_t image)
{
    uint64_t flags = load_flags(cpu, size, image);

    if (rip > cpu->r.seg[X86_CS].limit)
        return x86_gp0(cpu);
    x86_segment_set_real(&cpu->r.seg[X86_CS], selector);
    cpu->r.gpr[X86_RSP] = x86_stack_move(cpu->r.gpr[X86_RSP], 3 * size, cpu->stack_size);
    cpu->next_rip = rip;
    return finish(cpu, flags, 0);
}

int
x86_iret(struct x86_cpu *cpu, unsigned size, uint64_t next_rip)
{
    struct x86_return to = {.switch_stack = false};
    uint64_t cs, image, ss, flags;
    unsigned from_cpl = cpu->cpl;

    (void)next_rip; /* where the task would go on that a return from a nested task leaves */
    if (cpu->mode != MODE_REAL && cpu->r.rflags & FLAG_NT) {
        if (x86_long_mode(cpu))
            return x86_gp0(cpu);
        return x86_unimplemented(cpu, "hardware task switch (IRET with NT set)");
    }
    TRY(x86_stack_peek(cpu, size, size, &cs)); /* CS is what processors read first, mostly */
    TRY(x86_stack_peek(cpu, 0, size, &to.rip));
    TRY(x86_stack_peek(cpu, 2 * size, size, &image));
    to.cs_selector = (uint16_t)cs;
    if (cpu->mode == MODE_REAL)
        return real_iret(cpu, size, to.rip, to.cs_selector, image);
    if (image & FLAG_VM && cpu->cpl == 0 && !x86_long_mode(cpu))
        return x86_unimplemented(cpu, "virtual-8086 mode");
    TRY(x86_return_check_code(cpu, &to));
    if (to.cpl > cpu->cpl || x86_is_64bit(cpu)) {
        TRY(x86_stack_peek(cpu, 3 * size, size, &to.sp));
        TRY(x86_stack_peek(cpu, 4 * size, size, &ss));
        to.ss_selector = (uint16_t)ss;
        to.switch_stack = true;
    }
    TRY(x86_return_check_rest(cpu, &to));
    flags = load_flags(cpu, size, image);
    x86_return_commit(cpu, &to, to.switch_stack ? 0 : 3 * size);
    return finish(cpu, flags, from_cpl);
}

int
exec_iret(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return x86_iret(cpu, in->opsize, cpu->next_rip);
}
