/*
 * branch.c - near jumps, calls and returns, and loops. Far ones are in far.c.
 *
 * A branch assigns cpu->next_rip; the target must lie within CS, or be canonical in 64-bit mode.
 */
#include "isa/x86/condition.h"
#include "isa/x86/exec.h"
#include "isa/x86/operand.h"

/* A relative target: from the next instruction. */
static int
branch_relative(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return branch_near(cpu, cpu->next_rip + in->imm, in->opsize);
}

int
exec_jcc(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return condition_holds(cpu->r.rflags, in->opcode) ? branch_relative(cpu, in) : EMU_OK;
}

int
exec_jmp(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t target;

    if (in->operand[0].kind == OPERAND_REL)
        return branch_relative(cpu, in);
    TRY(operand_read(cpu, in, 0, &target));
    return branch_near(cpu, target, in->opsize);
}

/* The return address is stored before the target is checked: a fault of the stack comes first, and
 * what is on it afterwards does not matter, as the stack pointer has not moved. */
int
exec_call(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t after = cpu->next_rip, target, linear;
    uint64_t slot = (stack_pointer(cpu) - in->opsize) & x86_size_mask(cpu->stack_size);
    int result;

    if (in->operand[0].kind == OPERAND_REL) {
        result = branch_relative(cpu, in);
    } else {
        TRY(operand_read(cpu, in, 0, &target));
        result = branch_near(cpu, target, in->opsize);
    }
    if (result) {
        TRY(x86_linear(cpu, X86_SS, slot, in->opsize, ACCESS_WRITE, &linear));
        TRY(x86_probe_linear(cpu, linear, in->opsize, ACCESS_WRITE));
        return result;
    }
    return stack_push(cpu, in->opsize, after);
}

/* RET, and RET n, which drops n bytes of arguments as well. */
int
exec_ret(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t target;

    TRY(stack_peek(cpu, in->opsize, &target));
    TRY(branch_near(cpu, target, in->opsize));
    stack_drop(cpu, in->opsize + (in->noperands ? in->imm : 0));
    return EMU_OK;
}

/* LOOPNE LOOPE LOOP count in rCX, whose width is the address size. */
int
exec_loop(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t count = (gpr_read(cpu, X86_RCX, in->adsize) - 1) & x86_size_mask(in->adsize);
    bool zero = cpu->r.rflags & FLAG_ZF;
    bool taken = count && (in->opcode == 0xe2 || zero == (in->opcode == 0xe1));

    if (taken)
        TRY(branch_relative(cpu, in));
    gpr_write(cpu, X86_RCX, in->adsize, count);
    return EMU_OK;
}

int
exec_jcxz(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return gpr_read(cpu, X86_RCX, in->adsize) ? EMU_OK : branch_relative(cpu, in);
}
