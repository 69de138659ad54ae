/*
 * gate.c - call gates: entry points that a kernel offers to outer rings (SDM vol. 3, 5.8.3-5.8.5).
 *
 * The gate names code and offset; what the instruction says as offset is ignored. CALL through a
 * gate to non-conforming code of an inner ring switches to that ring's stack, which the TSS names,
 * and copies parameters there:
 *
 *   old stack          new stack (slots of the gate's size: 2, 4 or 8 bytes)
 *   | param 1  |       | old SS      |
 *   | param 2  |       | old SP      |
 *   +----------+ SP    | param 1     |
 *                      | param 2     |   (no parameters in long mode)
 *                      | old CS      |
 *                      | return rip  |
 *                      +-------------+ new SP
 *
 * Called by far.c. Next: return.c, the way back.
 */
#include "isa/x86/system.h"

#define GATE_MAX_PARAMS 31

/* Slots of the frame: 2 bytes for a 16-bit gate, 4 for a 32-bit one; in long mode always 8. */
static unsigned
gate_size(const struct x86_cpu *cpu, const struct x86_descriptor *gate)
{
    if (x86_long_mode(cpu))
        return 8;
    return (gate->attr & SEG_TYPE) == SYS_CALL16 ? 2 : 4;
}

/* The gate itself, and that its selector leads to code. */
static int
check_gate(struct x86_cpu *cpu, uint16_t selector, const struct x86_descriptor *gate,
           struct x86_descriptor *code)
{
    unsigned dpl = attr_dpl(gate->attr);

    if (dpl < cpu->cpl || dpl < selector_rpl(selector))
        return raise_selector(cpu, VEC_GP, selector);
    if (!(gate->attr & SEG_P))
        return raise_selector(cpu, VEC_NP, selector);
    if (selector_is_null(gate->selector))
        return x86_gp0(cpu);
    TRY(x86_fetch_descriptor(cpu, gate->selector, VEC_GP, code));
    if (!attr_is_code(code->attr))
        return raise_selector(cpu, VEC_GP, gate->selector);
    return EMU_OK;
}

/* Privilege has been checked; in long mode a gate leads to 64-bit code only. */
static int
check_code(struct x86_cpu *cpu, const struct x86_descriptor *gate,
           const struct x86_descriptor *code, bool privileged)
{
    if (!privileged || (x86_long_mode(cpu) && (code->attr & (SEG_L | SEG_DB)) != SEG_L))
        return raise_selector(cpu, VEC_GP, gate->selector);
    if (!(code->attr & SEG_P))
        return raise_selector(cpu, VEC_NP, gate->selector);
    return EMU_OK;
}

int
x86_gate_jump(struct x86_cpu *cpu, uint16_t selector, const struct x86_descriptor *gate)
{
    struct x86_descriptor code;
    struct x86_segment cs;
    uint64_t rip = gate->base;
    unsigned dpl;

    TRY(check_gate(cpu, selector, gate, &code));
    dpl = attr_dpl(code.attr);
    /* A jump never changes the CPL. */
    TRY(check_code(cpu, gate, &code,
                   attr_is_conforming(code.attr) ? dpl <= cpu->cpl : dpl == cpu->cpl));
    TRY(x86_code_check_rip(cpu, &code, &rip));
    TRY(x86_descriptor_use(cpu, selector_with_rpl(gate->selector, cpu->cpl), &code, &cs));
    cpu->r.seg[X86_CS] = cs;
    cpu->next_rip = rip;
    x86_update_mode(cpu);
    return EMU_OK;
}

/* Everything that the frame will hold, read before the first push: what is above, bottom first. */
struct frame {
    uint64_t slot[GATE_MAX_PARAMS + 4];
    unsigned count;
};

static void
frame_add(struct frame *f, uint64_t value)
{
    f->slot[f->count++] = value;
}

/* The parameter that was pushed first is the one furthest from the top of the old stack. */
static int
frame_add_params(struct x86_cpu *cpu, struct frame *f, unsigned count, unsigned size)
{
    for (unsigned i = count; i-- > 0;) {
        uint64_t value;
        TRY(x86_stack_peek(cpu, i * size, size, &value));
        frame_add(f, value);
    }
    return EMU_OK;
}

/* To an inner ring: its stack, SS:SP of the caller and the parameters. */
static int
prepare_inner(struct x86_cpu *cpu, const struct x86_descriptor *gate, unsigned cpl,
              struct x86_stack *stack, struct frame *frame)
{
    unsigned size = gate_size(cpu, gate);

    TRY(x86_stack_inner(cpu, cpl, 0, stack));
    frame_add(frame, cpu->r.seg[X86_SS].selector);
    frame_add(frame, cpu->r.gpr[X86_RSP]);
    if (size != 8)
        TRY(frame_add_params(cpu, frame, gate->count, size));
    return EMU_OK;
}

int
x86_gate_call(struct x86_cpu *cpu, uint16_t selector, const struct x86_descriptor *gate,
              uint64_t return_rip)
{
    struct x86_descriptor code;
    struct x86_segment cs;
    struct x86_stack stack;
    struct frame frame = {.count = 0};
    unsigned size = gate_size(cpu, gate), cpl = cpu->cpl;
    uint64_t rip = gate->base;

    TRY(check_gate(cpu, selector, gate, &code));
    TRY(check_code(cpu, gate, &code, attr_dpl(code.attr) <= cpl));
    if (!attr_is_conforming(code.attr) && attr_dpl(code.attr) < cpl) {
        cpl = attr_dpl(code.attr);
        TRY(prepare_inner(cpu, gate, cpl, &stack, &frame));
    } else {
        x86_stack_current(cpu, &stack);
        if (size == 8) /* the code is 64-bit code, and its stack is RSP */
            stack.width = 8;
    }
    frame_add(&frame, cpu->r.seg[X86_CS].selector);
    frame_add(&frame, return_rip);
    TRY(x86_stack_reserve(cpu, &stack, frame.count, size));
    TRY(x86_code_check_rip(cpu, &code, &rip));
    TRY(x86_descriptor_use(cpu, selector_with_rpl(gate->selector, cpl), &code, &cs));
    for (unsigned i = 0; i < frame.count; i++)
        TRY(x86_stack_push(cpu, &stack, size, frame.slot[i]));
    x86_stack_commit(cpu, &stack);
    cpu->r.seg[X86_CS] = cs;
    cpu->next_rip = rip;
    x86_update_mode(cpu);
    return EMU_OK;
}
