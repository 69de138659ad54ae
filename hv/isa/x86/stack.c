/*
 * stack.c - stacks that are filled before they are switched to.
 *
 * A far call or an event pushes a frame, perhaps onto the stack of an inner ring that the TSS
 * names (SDM vol. 3, 5.8.5 and 6.12.1). So that a fault changes nothing, the frame is checked as
 * a whole before its first byte is written, and SS:RSP are committed last.
 *
 * Called by far.c, gate.c, return.c, iret.c, interrupt.c, sysseg.c. Next: far.c.
 */
#include "isa/x86/system.h"

uint64_t
x86_stack_move(uint64_t sp, int64_t delta, unsigned width)
{
    switch (width) {
    case 2: return (sp & ~UINT64_C(0xffff)) | (uint16_t)(sp + delta);
    case 4: return (uint32_t)(sp + delta);
    default: return sp + delta;
    }
}

static uint64_t
stack_offset(uint64_t sp, int64_t delta, unsigned width)
{
    return (sp + delta) & x86_size_mask(width);
}

void
x86_stack_current(const struct x86_cpu *cpu, struct x86_stack *s)
{
    *s = (struct x86_stack){
        .ss = cpu->r.seg[X86_SS],
        .sp = cpu->r.gpr[X86_RSP],
        .width = cpu->stack_size,
        .cpl = cpu->cpl,
        .check_alignment = cpu->alignment_check,
    };
}

/*
 * Where the TSS keeps stack pointers (SDM vol. 3, 7.2.1, 7.6 and 7.7), for ring n:
 *   16-bit  n * 4 + 2: SP, SS (2 bytes each)
 *   32-bit  n * 8 + 4: ESP, SS (4 and 2 bytes)
 *   64-bit  n * 8 + 4: RSP; interrupt stack i at i * 8 + 0x1c; the new SS is null
 */
static int
tss_read(struct x86_cpu *cpu, unsigned offset, unsigned size, uint64_t *value)
{
    return x86_table_read(cpu, cpu->r.tr.base, offset, size, value);
}

static int
tss_check(struct x86_cpu *cpu, unsigned offset, unsigned size)
{
    if ((uint64_t)offset + size - 1 > cpu->r.tr.limit)
        return raise_selector(cpu, VEC_TS, cpu->r.tr.selector);
    return EMU_OK;
}

static int
stack_inner_long(struct x86_cpu *cpu, unsigned cpl, unsigned ist, struct x86_stack *s)
{
    unsigned offset = ist ? ist * 8 + 0x1c : cpl * 8 + 4;

    TRY(tss_check(cpu, offset, 8));
    TRY(tss_read(cpu, offset, 8, &s->sp));
    s->width = 8;
    x86_segment_set_null(&s->ss, cpl, cpl);
    return EMU_OK;
}

int
x86_stack_inner(struct x86_cpu *cpu, unsigned cpl, unsigned ist, struct x86_stack *s)
{
    bool wide = cpu->r.tr.attr & (SYS_TSS & ~SYS_TSS16); /* a 32-bit TSS */
    unsigned size = wide ? 4 : 2, offset = wide ? cpl * 8 + 4 : cpl * 4 + 2;
    uint64_t selector;

    *s = (struct x86_stack){.cpl = cpl};
    if (x86_long_mode(cpu))
        return stack_inner_long(cpu, cpl, ist, s);
    TRY(tss_check(cpu, offset, size + 2));
    TRY(tss_read(cpu, offset, size, &s->sp));
    TRY(tss_read(cpu, offset + size, 2, &selector));
    if (selector_is_null(selector))
        return x86_raise_error(cpu, VEC_TS, 0);
    TRY(x86_stack_segment(cpu, selector, cpl, VEC_TS, &s->ss));
    s->width = s->ss.attr & SEG_DB ? 4 : 2;
    s->error = selector_error(selector);
    return EMU_OK;
}

int
x86_stack_ist(struct x86_cpu *cpu, unsigned ist, struct x86_stack *s)
{
    struct x86_segment ss = s->ss;

    TRY(stack_inner_long(cpu, s->cpl, ist, s));
    s->ss = ss;
    return EMU_OK;
}

/* Is [offset, offset + size) within the segment? An expand-down segment has the bytes above its
 * limit, up to 64 KiB or 4 GiB by its B bit (SDM vol. 3, 5.3). */
static bool
segment_holds(const struct x86_segment *seg, uint64_t offset, unsigned size)
{
    uint64_t last = offset + size - 1;

    if (!(seg->attr & SEG_CODE) && (seg->attr & SEG_EXPAND))
        return offset > seg->limit && last <= (seg->attr & SEG_DB ? 0xffffffffu : 0xffffu);
    return last <= seg->limit;
}

/* Where `size` bytes at `offset` of the stack are; #SS if they are not all there. In 64-bit mode
 * (width 8) only the canonical form counts. */
static int
stack_linear(struct x86_cpu *cpu, const struct x86_stack *s, uint64_t offset, unsigned size,
             uint64_t *linear)
{
    if (s->width == 8) {
        *linear = offset;
        if (x86_canonical(offset) && x86_canonical(offset + size - 1))
            return EMU_OK;
        return x86_raise_error(cpu, VEC_SS, s->error);
    }
    *linear = (uint32_t)(s->ss.base + offset);
    if (segment_holds(&s->ss, offset, size))
        return EMU_OK;
    return x86_raise_error(cpu, VEC_SS, s->error);
}

static int
reserve_one(struct x86_cpu *cpu, const struct x86_stack *s, uint64_t offset, unsigned size)
{
    uint64_t linear;

    TRY(stack_linear(cpu, s, offset, size, &linear));
    TRY(x86_probe_linear(cpu, linear, size, ACCESS_WRITE));
    if (s->check_alignment && (linear & (size - 1)))
        return x86_raise_error(cpu, VEC_AC, 0);
    return EMU_OK;
}

/*
 * Pushes are explicit accesses at the privilege of the new stack (SDM vol. 3, 4.6.1), which
 * matters for the U/S bit and for SMAP; and the stack may be a 64-bit one although the program
 * was in compatibility mode. So memory is reached with the CPL and the width of the stack, and
 * the processor's own are put back after it.
 */
struct pusher {
    uint64_t linear_mask;
    uint8_t cpl;
};

static struct pusher
pusher_become(struct x86_cpu *cpu, const struct x86_stack *s)
{
    struct pusher saved = {cpu->linear_mask, cpu->cpl};

    cpu->linear_mask = s->width == 8 ? ~UINT64_C(0) : 0xffffffffu;
    cpu->cpl = s->cpl;
    return saved;
}

static void
pusher_leave(struct x86_cpu *cpu, struct pusher saved)
{
    cpu->linear_mask = saved.linear_mask;
    cpu->cpl = saved.cpl;
}

/* Each push is checked on its own: a 16-bit stack pointer may wrap between two of them. */
int
x86_stack_reserve(struct x86_cpu *cpu, const struct x86_stack *s, unsigned count, unsigned size)
{
    struct pusher saved = pusher_become(cpu, s);
    int rc = EMU_OK;

    for (unsigned i = 1; i <= count && rc == EMU_OK; i++)
        rc = reserve_one(cpu, s, stack_offset(s->sp, -(int64_t)i * size, s->width), size);
    pusher_leave(cpu, saved);
    return rc;
}

int
x86_stack_push(struct x86_cpu *cpu, struct x86_stack *s, unsigned size, uint64_t value)
{
    uint64_t linear, sp = x86_stack_move(s->sp, -(int64_t)size, s->width);
    struct pusher saved;
    int rc;

    TRY(stack_linear(cpu, s, sp & x86_size_mask(s->width), size, &linear));
    saved = pusher_become(cpu, s);
    rc = x86_write_linear(cpu, linear, size, ACCESS_WRITE, value & x86_size_mask(size));
    pusher_leave(cpu, saved);
    if (rc == EMU_OK)
        s->sp = sp;
    return rc;
}

void
x86_stack_commit(struct x86_cpu *cpu, const struct x86_stack *s)
{
    cpu->r.seg[X86_SS] = s->ss;
    cpu->r.gpr[X86_RSP] = s->sp;
}

int
x86_stack_peek(struct x86_cpu *cpu, unsigned offset, unsigned size, uint64_t *value)
{
    return x86_read(cpu, X86_SS, stack_offset(cpu->r.gpr[X86_RSP], offset, cpu->stack_size), size,
                    value);
}
