/*
 * pushpop.c - PUSH and POP, all registers at once, and stack frames.
 */
#include "isa/x86/exec.h"
#include "isa/x86/operand.h"

int
exec_push(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t value;

    TRY(operand_read(cpu, in, 0, &value)); /* PUSH rSP stores the value from before */
    return stack_push(cpu, in->opsize, value);
}

/*
 * POP into memory computes its address after the stack pointer has moved (SDM vol. 2, POP); the
 * stack pointer goes back if the store faults. POP rSP leaves what was popped.
 */
int
exec_pop(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t value, old_sp = cpu->r.gpr[X86_RSP];

    TRY(stack_peek(cpu, in->opsize, &value));
    stack_drop(cpu, in->opsize);
    int result = operand_write(cpu, in, 0, value);
    if (result)
        cpu->r.gpr[X86_RSP] = old_sp;
    return result;
}

/* Eight pushes, of which the last may fault: the frame is probed before the first. */
int
exec_pusha(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->opsize;
    uint64_t mask = x86_size_mask(cpu->stack_size);
    uint64_t old_sp = cpu->r.gpr[X86_RSP], sp = stack_pointer(cpu), linear;

    for (unsigned i = 1; i <= 8; i++) {
        TRY(x86_linear(cpu, X86_SS, (sp - i * size) & mask, size, ACCESS_WRITE, &linear));
        TRY(x86_probe_linear(cpu, linear, size, ACCESS_WRITE));
    }
    for (unsigned i = 0; i < 8; i++)
        TRY(mem_write(cpu, X86_SS, (sp - (i + 1) * size) & mask, size,
                      i == X86_RSP ? old_sp : cpu->r.gpr[i]));
    gpr_write(cpu, X86_RSP, cpu->stack_size, sp - 8 * size);
    return EMU_OK;
}

int
exec_popa(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->opsize;
    uint64_t mask = x86_size_mask(cpu->stack_size), sp = stack_pointer(cpu), value[8];

    for (unsigned i = 0; i < 8; i++)
        TRY(mem_read(cpu, X86_SS, (sp + i * size) & mask, size, &value[i]));
    for (unsigned i = 0; i < 8; i++)
        if (7 - i != X86_RSP) /* the stored rSP is skipped */
            gpr_write(cpu, 7 - i, size, value[i]);
    gpr_write(cpu, X86_RSP, cpu->stack_size, sp + 8 * size);
    return EMU_OK;
}

static int
probe_slot(struct x86_cpu *cpu, uint64_t offset, unsigned size, unsigned how)
{
    uint64_t linear;

    TRY(x86_linear(cpu, X86_SS, offset, size, how, &linear));
    return x86_probe_linear(cpu, linear, size, how);
}

/* ENTER size, level (SDM vol. 2, ENTER): the frame pointer, `level` outer frame pointers, locals. */
int
exec_enter(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->opsize, level = in->imm2 & 31;
    uint64_t mask = x86_size_mask(cpu->stack_size), sp = stack_pointer(cpu), value;
    uint64_t bp = gpr_read(cpu, X86_RBP, cpu->stack_size), frame = (sp - size) & mask;
    uint64_t end = (sp - size * (level + 1) - (uint16_t)in->imm) & mask;
    uint64_t pointer = frame |
                       (cpu->r.gpr[X86_RSP] & ~mask); /* the whole rSP, on a 16-bit stack too */

    /* In the order in which the processor would fault: what is stored, what is read for it ... */
    TRY(probe_slot(cpu, frame, size, ACCESS_WRITE));
    for (unsigned i = 1; i < level; i++) {
        TRY(probe_slot(cpu, (bp - i * size) & mask, size, 0));
        TRY(probe_slot(cpu, (frame - i * size) & mask, size, ACCESS_WRITE));
    }
    if (level)
        TRY(probe_slot(cpu, (frame - level * size) & mask, size, ACCESS_WRITE));
    /* ... and the end of the new frame, which must be writable though nothing is stored there. */
    TRY(probe_slot(cpu, end, size, ACCESS_WRITE));
    TRY(mem_write(cpu, X86_SS, frame, size, cpu->r.gpr[X86_RBP]));
    for (unsigned i = 1; i < level; i++) {
        TRY(mem_read(cpu, X86_SS, (bp - i * size) & mask, size, &value));
        TRY(mem_write(cpu, X86_SS, (frame - i * size) & mask, size, value));
    }
    if (level)
        TRY(mem_write(cpu, X86_SS, (frame - level * size) & mask, size, pointer));
    gpr_write(cpu, X86_RBP, size, pointer);
    gpr_write(cpu, X86_RSP, cpu->stack_size, end);
    return EMU_OK;
}

int
exec_leave(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t bp = gpr_read(cpu, X86_RBP, cpu->stack_size), value;

    TRY(mem_read(cpu, X86_SS, bp, in->opsize, &value));
    gpr_write(cpu, X86_RSP, cpu->stack_size, bp + in->opsize);
    gpr_write(cpu, X86_RBP, in->opsize, value);
    return EMU_OK;
}
