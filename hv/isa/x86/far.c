/*
 * far.c - far JMP and CALL: control to another code segment (SDM vol. 3, 5.8; vol. 2, JMP, CALL).
 *
 * The selector may name a code segment, entered directly at the same privilege; a call gate
 * (gate.c); or a task, which is left out. Real mode has none of this: CS gets a new base.
 * Each function assigns cpu->next_rip and changes cpu->r only when nothing can fail any more.
 *
 * Called through the opcode table. Next: gate.c, return.c.
 */
#include "isa/x86/exec.h"
#include "isa/x86/operand.h"
#include "isa/x86/system.h"

/* --- entering a code segment directly --------------------------------------------------------- */

/*
 * Conforming code runs with the privilege of its caller, who must not have more than it; other
 * code is entered by its own ring only, with a selector that does not ask for less privilege.
 */
static int
check_direct(struct x86_cpu *cpu, uint16_t selector, const struct x86_descriptor *code)
{
    unsigned dpl = attr_dpl(code->attr);
    bool allowed;

    if (attr_is_conforming(code->attr))
        allowed = dpl <= cpu->cpl;
    else
        allowed = dpl == cpu->cpl && selector_rpl(selector) <= cpu->cpl;
    if (!allowed || x86_code_is_reserved(cpu, code))
        return raise_selector(cpu, VEC_GP, selector);
    if (!(code->attr & SEG_P))
        return raise_selector(cpu, VEC_NP, selector);
    return EMU_OK;
}

static void
commit(struct x86_cpu *cpu, const struct x86_segment *cs, uint64_t rip)
{
    cpu->r.seg[X86_CS] = *cs;
    cpu->next_rip = rip;
    x86_update_mode(cpu);
}

/* A jump or call to a TSS or a task gate: its checks, then the admission (SDM vol. 3, 7.3). */
static int
switch_task(struct x86_cpu *cpu, uint16_t selector, const struct x86_descriptor *d)
{
    unsigned dpl = attr_dpl(d->attr);

    if (dpl < cpu->cpl || dpl < selector_rpl(selector))
        return raise_selector(cpu, VEC_GP, selector);
    if (!(d->attr & SEG_P))
        return raise_selector(cpu, VEC_NP, selector);
    return x86_unimplemented(cpu, "hardware task switch (far JMP or CALL to a TSS or task gate)");
}

enum target { TARGET_NONE, TARGET_CODE, TARGET_GATE, TARGET_TASK };

/* What a far pointer may name; in long mode only code and 64-bit call gates. */
static enum target
classify(const struct x86_cpu *cpu, const struct x86_descriptor *d)
{
    bool legacy = !x86_long_mode(cpu);

    if (d->attr & SEG_S)
        return attr_is_code(d->attr) ? TARGET_CODE : TARGET_NONE;
    switch (d->attr & SEG_TYPE) {
    case SYS_CALL: return TARGET_GATE;
    case SYS_CALL16: return legacy ? TARGET_GATE : TARGET_NONE;
    case SYS_TSS:
    case SYS_TSS16:
    case SYS_TASK_GATE: return legacy ? TARGET_TASK : TARGET_NONE;
    default: return TARGET_NONE;
    }
}

static int
fetch_target(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *d)
{
    if (selector_is_null(selector))
        return x86_gp0(cpu);
    return x86_fetch_descriptor(cpu, selector, VEC_GP, d);
}

/* Real mode: the offset must lie within CS, whose limit does not change. */
static int
real_enter(struct x86_cpu *cpu, uint16_t selector, uint64_t offset)
{
    struct x86_segment cs = cpu->r.seg[X86_CS];

    if (offset > cs.limit)
        return x86_gp0(cpu);
    x86_segment_set_real(&cs, selector);
    commit(cpu, &cs, offset);
    return EMU_OK;
}

/* --- JMP -------------------------------------------------------------------------------------- */

static int
direct_jump(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *code, uint64_t offset)
{
    struct x86_segment cs;

    TRY(check_direct(cpu, selector, code));
    TRY(x86_code_check_rip(cpu, code, &offset));
    TRY(x86_descriptor_use(cpu, selector_with_rpl(selector, cpu->cpl), code, &cs));
    commit(cpu, &cs, offset);
    return EMU_OK;
}

int
x86_far_jump(struct x86_cpu *cpu, uint16_t selector, uint64_t offset, unsigned size)
{
    struct x86_descriptor d;

    offset &= x86_size_mask(size);
    if (cpu->mode == MODE_REAL)
        return real_enter(cpu, selector, offset);
    TRY(fetch_target(cpu, selector, &d));
    switch (classify(cpu, &d)) {
    case TARGET_CODE: return direct_jump(cpu, selector, &d, offset);
    case TARGET_GATE: return x86_gate_jump(cpu, selector, &d);
    case TARGET_TASK: return switch_task(cpu, selector, &d);
    default: return raise_selector(cpu, VEC_GP, selector);
    }
}

/* --- CALL ------------------------------------------------------------------------------------- */

/* CS and the return address go onto the present stack; the slot of CS has the operand's size. */
static int
push_return(struct x86_cpu *cpu, struct x86_stack *stack, unsigned size, uint64_t return_rip)
{
    TRY(x86_stack_push(cpu, stack, size, cpu->r.seg[X86_CS].selector));
    return x86_stack_push(cpu, stack, size, return_rip);
}

static int
real_call(struct x86_cpu *cpu, uint16_t selector, uint64_t offset, unsigned size,
          uint64_t return_rip)
{
    struct x86_stack stack;

    x86_stack_current(cpu, &stack);
    TRY(x86_stack_reserve(cpu, &stack, 2, size));
    if (offset > cpu->r.seg[X86_CS].limit)
        return x86_gp0(cpu);
    TRY(push_return(cpu, &stack, size, return_rip));
    x86_stack_commit(cpu, &stack);
    return real_enter(cpu, selector, offset);
}

static int
direct_call(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *code, uint64_t offset,
            unsigned size, uint64_t return_rip)
{
    struct x86_stack stack;
    struct x86_segment cs;

    TRY(check_direct(cpu, selector, code));
    x86_stack_current(cpu, &stack);
    /* The return address is pushed as the new code would push it: in 64-bit mode without SS. */
    if (x86_long_mode(cpu))
        stack.width = code->attr & SEG_L ? 8 : stack.ss.attr & SEG_DB ? 4 : 2;
    TRY(x86_stack_reserve(cpu, &stack, 2, size));
    TRY(x86_code_check_rip(cpu, code, &offset));
    TRY(x86_descriptor_use(cpu, selector_with_rpl(selector, cpu->cpl), code, &cs));
    TRY(push_return(cpu, &stack, size, return_rip));
    x86_stack_commit(cpu, &stack);
    commit(cpu, &cs, offset);
    return EMU_OK;
}

int
x86_far_call(struct x86_cpu *cpu, uint16_t selector, uint64_t offset, unsigned size,
             uint64_t return_rip)
{
    struct x86_descriptor d;

    offset &= x86_size_mask(size);
    if (cpu->mode == MODE_REAL)
        return real_call(cpu, selector, offset, size, return_rip);
    TRY(fetch_target(cpu, selector, &d));
    switch (classify(cpu, &d)) {
    case TARGET_CODE: return direct_call(cpu, selector, &d, offset, size, return_rip);
    case TARGET_GATE: return x86_gate_call(cpu, selector, &d, return_rip);
    case TARGET_TASK: return switch_task(cpu, selector, &d);
    default: return raise_selector(cpu, VEC_GP, selector);
    }
}

/* --- the instructions ------------------------------------------------------------------------- */

/* A far pointer: in the instruction (EA, 9A), or in memory with the selector last (FF /5, /3). */
static int
read_pointer(struct x86_cpu *cpu, const struct x86_insn *in, uint16_t *selector, uint64_t *offset)
{
    uint64_t value;

    if (in->operand[0].kind != OPERAND_MEM) {
        *selector = in->imm2;
        *offset = in->imm;
        return EMU_OK;
    }
    TRY(operand_read_at(cpu, in, 0, in->opsize, offset));
    TRY(operand_read_at(cpu, in, in->opsize, 2, &value));
    *selector = (uint16_t)value;
    return EMU_OK;
}

int
exec_jmp_far(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint16_t selector;
    uint64_t offset;

    TRY(read_pointer(cpu, in, &selector, &offset));
    return x86_far_jump(cpu, selector, offset, in->opsize);
}

int
exec_call_far(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint16_t selector;
    uint64_t offset;

    TRY(read_pointer(cpu, in, &selector, &offset));
    return x86_far_call(cpu, selector, offset, in->opsize, cpu->next_rip);
}

int
exec_ret_far(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return x86_far_return(cpu, in->opsize, in->noperands ? (uint16_t)in->imm : 0);
}
