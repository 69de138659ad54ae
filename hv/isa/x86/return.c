/*
 * return.c - the way back to an outer ring, for RETF and IRET (SDM vol. 3, 5.8.6; vol. 2, RET).
 *
 * The frame names the code segment; its RPL is the ring to return to, never an inner one. On the
 * way out SS:SP come from the frame too, and data segments of inner rings are dropped, so that
 * the outer program cannot use what the inner one had loaded.
 *
 * Called through exec_ret_far (far.c) and by iret.c. Next: iret.c.
 */
#include "isa/x86/system.h"

int
x86_return_check_code(struct x86_cpu *cpu, struct x86_return *to)
{
    uint16_t selector = to->cs_selector;
    unsigned rpl = selector_rpl(selector), dpl;

    if (selector_is_null(selector))
        return x86_gp0(cpu);
    if (rpl < cpu->cpl)
        return raise_selector(cpu, VEC_GP, selector);
    TRY(x86_fetch_descriptor(cpu, selector, VEC_GP, &to->code));
    dpl = attr_dpl(to->code.attr);
    if (!attr_is_code(to->code.attr) || x86_code_is_reserved(cpu, &to->code) ||
        (attr_is_conforming(to->code.attr) ? dpl > rpl : dpl != rpl))
        return raise_selector(cpu, VEC_GP, selector);
    if (!(to->code.attr & SEG_P))
        return raise_selector(cpu, VEC_NP, selector);
    to->cpl = rpl;
    return EMU_OK;
}

/* A null SS may be returned to in 64-bit code above ring 3 only. */
static int
check_stack(struct x86_cpu *cpu, struct x86_return *to)
{
    bool to_64bit = x86_long_mode(cpu) && (to->code.attr & SEG_L);

    if (!selector_is_null(to->ss_selector))
        return x86_stack_segment(cpu, to->ss_selector, to->cpl, VEC_GP, &to->ss);
    if (!to_64bit || to->cpl == 3)
        return x86_gp0(cpu);
    x86_segment_set_null(&to->ss, to->ss_selector, to->cpl);
    return EMU_OK;
}

int
x86_return_check_rest(struct x86_cpu *cpu, struct x86_return *to)
{
    if (to->switch_stack)
        TRY(check_stack(cpu, to));
    TRY(x86_code_check_rip(cpu, &to->code, &to->rip));
    return x86_descriptor_use(cpu, to->cs_selector, &to->code, &to->cs);
}

/*
 * The pseudo-code of IRET: a register is dropped if it is null (which clears its RPL) or if its
 * DPL is below the new CPL and it is data or non-conforming code. A base that was set by other
 * means, as FS and GS have in 64-bit mode, is not touched.
 */
static void
drop_inner_segments(struct x86_cpu *cpu, unsigned cpl)
{
    static const uint8_t sregs[] = {X86_ES, X86_DS, X86_FS, X86_GS};

    for (unsigned i = 0; i < sizeof(sregs); i++) {
        struct x86_segment *seg = &cpu->r.seg[sregs[i]];
        if (seg->attr & SEG_P && (attr_dpl(seg->attr) >= cpl || attr_is_conforming(seg->attr)))
            continue;
        seg->selector = 0;
        seg->attr = 0;
    }
}

/* Width of the stack pointer of the code and stack that are returned to. */
static unsigned
return_width(const struct x86_cpu *cpu, const struct x86_return *to)
{
    if (x86_long_mode(cpu) && (to->cs.attr & SEG_L))
        return 8;
    return to->ss.attr & SEG_DB ? 4 : 2;
}

void
x86_return_commit(struct x86_cpu *cpu, const struct x86_return *to, unsigned release)
{
    uint64_t *rsp = &cpu->r.gpr[X86_RSP];
    bool outward = to->cpl > cpu->cpl;

    cpu->r.seg[X86_CS] = to->cs;
    cpu->next_rip = to->rip;
    if (to->switch_stack) {
        /* With a 16-bit stack only SP is loaded: the rest of ESP stays, as on real processors. */
        unsigned width = return_width(cpu, to);
        cpu->r.seg[X86_SS] = to->ss;
        *rsp = width == 2 ? (*rsp & ~UINT64_C(0xffff)) | (uint16_t)to->sp
                          : to->sp & x86_size_mask(width);
        *rsp = x86_stack_move(*rsp, release, width);
    } else {
        *rsp = x86_stack_move(*rsp, release, cpu->stack_size);
    }
    if (outward)
        drop_inner_segments(cpu, to->cpl);
    x86_update_mode(cpu);
}

/* --- RETF ------------------------------------------------------------------------------------- */

static int
real_return(struct x86_cpu *cpu, uint16_t selector, uint64_t rip, unsigned release)
{
    if (rip > cpu->r.seg[X86_CS].limit)
        return x86_gp0(cpu);
    x86_segment_set_real(&cpu->r.seg[X86_CS], selector);
    cpu->r.gpr[X86_RSP] = x86_stack_move(cpu->r.gpr[X86_RSP], release, cpu->stack_size);
    cpu->next_rip = rip;
    x86_update_mode(cpu);
    return EMU_OK;
}

/* `release` is what the caller had pushed for a call gate: those bytes are dropped from the inner
 * stack, where they lie between CS and SP, and from the outer one too. */
int
x86_far_return(struct x86_cpu *cpu, unsigned size, unsigned release)
{
    struct x86_return to = {.switch_stack = false};
    uint64_t cs, ss;

    TRY(x86_stack_peek(cpu, size, size, &cs)); /* CS is what processors read first */
    TRY(x86_stack_peek(cpu, 0, size, &to.rip));
    to.cs_selector = (uint16_t)cs;
    if (cpu->mode == MODE_REAL)
        return real_return(cpu, to.cs_selector, to.rip, 2 * size + release);
    TRY(x86_return_check_code(cpu, &to));
    if (to.cpl > cpu->cpl) {
        TRY(x86_stack_peek(cpu, 2 * size + release, size, &to.sp));
        TRY(x86_stack_peek(cpu, 3 * size + release, size, &ss));
        to.ss_selector = (uint16_t)ss;
        to.switch_stack = true;
    }
    TRY(x86_return_check_rest(cpu, &to));
    x86_return_commit(cpu, &to, to.switch_stack ? release : 2 * size + release);
    return EMU_OK;
}
