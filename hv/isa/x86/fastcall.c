/*
 * fastcall.c - the instructions by which a program asks for its kernel: SYSCALL, SYSENTER and
 * their returns, SWAPGS, INT n and its short forms, BOUND.
 *
 * SYSCALL and SYSENTER read no descriptor: selectors come from MSRs, and the hidden parts of CS
 * and SS are fixed, flat segments (SDM vol. 3, 5.8.7 and 5.8.8). Where Intel and AMD differ this
 * follows Intel: SYSCALL and SYSRET exist in 64-bit mode only.
 *
 * Called through the opcode table; INT n goes on in interrupt.c.
 */
#include "isa/x86/exec.h"
#include "isa/x86/operand.h"
#include "isa/x86/system.h"

/* --- SYSCALL, SYSENTER and back ----------------------------------------------------------------- */

static struct x86_segment
flat_segment(uint16_t selector, uint16_t type, unsigned dpl)
{
    return (struct x86_segment){
        .limit = 0xffffffffu,
        .selector = selector_with_rpl(selector, dpl),
        .attr = type | SEG_S | SEG_P | SEG_G | SEG_ACCESSED | dpl << SEG_DPL_SHIFT,
    };
}

/* SS is the descriptor behind CS's in all four instructions but SYSRET. */
static void
enter_flat(struct x86_cpu *cpu, uint16_t cs, uint16_t ss, unsigned cpl, bool to_64bit)
{
    uint16_t size = to_64bit ? SEG_L : SEG_DB;

    cpu->r.seg[X86_CS] = flat_segment(cs, SEG_CODE | SEG_READABLE | size, cpl);
    cpu->r.seg[X86_SS] = flat_segment(ss, SEG_WRITABLE | SEG_DB, cpl);
    x86_update_mode(cpu);
}

static void
tell(struct x86_cpu *cpu, enum x86_transfer what, unsigned from_cpl)
{
    if (cpu->hooks.transfer)
        cpu->hooks.transfer(cpu->hooks.ctx, what, 0, from_cpl);
}

/* STAR (SDM vol. 3, 5.8.8):  63-48 CS of SYSRET   47-32 CS of SYSCALL   31-0 not used */
int
exec_syscall(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint16_t cs = (uint16_t)(cpu->r.star >> 32) & ~SELECTOR_RPL;
    unsigned from_cpl = cpu->cpl;

    (void)in;
    if (!x86_is_64bit(cpu) || !(cpu->r.efer & EFER_SCE))
        return x86_ud(cpu);
    cpu->r.gpr[X86_RCX] = cpu->next_rip;
    cpu->r.gpr[X86_R11] = cpu->r.rflags;
    cpu->r.rflags = (cpu->r.rflags & ~cpu->r.sfmask) | FLAG_ONE;
    if (!(cpu->r.rflags & FLAG_TF))
        cpu->step_trap = false; /* masked with the other flags: no trap before the kernel */
    cpu->next_rip = cpu->r.lstar;
    enter_flat(cpu, cs, cs + 8, 0, true);
    tell(cpu, X86_T_SYSCALL, from_cpl);
    return EMU_OK;
}

/* Flags that SYSRET takes from R11: all but RF and VM. */
#define SYSRET_FLAGS (FLAGS_ALL & ~(FLAG_RF | FLAG_VM))

int
exec_sysret(struct x86_cpu *cpu, const struct x86_insn *in)
{
    bool to_64bit = in->opsize == 8;
    uint16_t base = (uint16_t)(cpu->r.star >> 48);
    uint64_t rip = cpu->r.gpr[X86_RCX];
    unsigned from_cpl = cpu->cpl;

    if (!x86_is_64bit(cpu) || !(cpu->r.efer & EFER_SCE))
        return x86_ud(cpu);
    if (cpu->cpl != 0)
        return x86_gp0(cpu);
    if (cpu->intercepts & INTERCEPT_PRIVILEGED) { /* here, because #UD comes before CPL */
        cpu->intercepted = INTERCEPT_PRIVILEGED;
        return EMU_INTERCEPT;
    }
    if (to_64bit && !x86_canonical(rip))
        return x86_gp0(cpu); /* still in ring 0, on the user's stack: Intel's behaviour */
    cpu->r.rflags = (cpu->r.gpr[X86_R11] & SYSRET_FLAGS) | FLAG_ONE;
    cpu->next_rip = to_64bit ? rip : (uint32_t)rip;
    enter_flat(cpu, to_64bit ? base + 16 : base, base + 8, 3, to_64bit);
    tell(cpu, X86_T_SYSRET, from_cpl);
    return EMU_OK;
}

int
exec_sysenter(struct x86_cpu *cpu, const struct x86_insn *in)
{
    bool wide = x86_long_mode(cpu);
    uint16_t cs = (uint16_t)cpu->r.sysenter_cs & ~SELECTOR_RPL;
    unsigned from_cpl = cpu->cpl;

    (void)in;
    if (cpu->mode == MODE_REAL || cs == 0)
        return x86_gp0(cpu);
    cpu->r.rflags &= ~(uint64_t)(FLAG_VM | FLAG_IF);
    cpu->r.gpr[X86_RSP] = wide ? cpu->r.sysenter_esp : (uint32_t)cpu->r.sysenter_esp;
    cpu->next_rip = wide ? cpu->r.sysenter_eip : (uint32_t)cpu->r.sysenter_eip;
    enter_flat(cpu, cs, cs + 8, 0, wide);
    tell(cpu, X86_T_SYSCALL, from_cpl);
    return EMU_OK;
}

/* To CS + 16, or with REX.W to 64-bit code at CS + 32. */
int
exec_sysexit(struct x86_cpu *cpu, const struct x86_insn *in)
{
    bool to_64bit = in->opsize == 8;
    uint16_t cs = (uint16_t)cpu->r.sysenter_cs & ~SELECTOR_RPL;
    uint64_t rip = cpu->r.gpr[X86_RDX], rsp = cpu->r.gpr[X86_RCX];
    unsigned from_cpl = cpu->cpl;

    if (cpu->mode == MODE_REAL || cs == 0 || cpu->cpl != 0)
        return x86_gp0(cpu);
    if (to_64bit && (!x86_canonical(rip) || !x86_canonical(rsp)))
        return x86_gp0(cpu);
    cs += to_64bit ? 32 : 16;
    cpu->r.gpr[X86_RSP] = to_64bit ? rsp : (uint32_t)rsp;
    cpu->next_rip = to_64bit ? rip : (uint32_t)rip;
    enter_flat(cpu, cs, cs + 8, 3, to_64bit);
    tell(cpu, X86_T_SYSRET, from_cpl);
    return EMU_OK;
}

int
exec_swapgs(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t base = cpu->r.seg[X86_GS].base;

    (void)in;
    if (!x86_is_64bit(cpu))
        return x86_ud(cpu);
    if (cpu->cpl != 0)
        return x86_gp0(cpu);
    cpu->r.seg[X86_GS].base = cpu->r.kernel_gs_base;
    cpu->r.kernel_gs_base = base;
    x86_update_mode(cpu);
    return EMU_OK;
}

/* --- INT n, INT3, INTO, INT1, BOUND ------------------------------------------------------------- */

/* The return address is that of the next instruction: these are traps. */
static int
interrupt(struct x86_cpu *cpu, enum x86_event type, uint8_t vector)
{
    struct x86_fault what = {.vector = vector};

    TRY(x86_deliver_event(cpu, type, &what, cpu->next_rip));
    cpu->next_rip = cpu->r.rip;
    return EMU_OK;
}

int
exec_int(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return interrupt(cpu, X86_EVENT_SOFTWARE, (uint8_t)in->imm);
}

int
exec_int3(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    return interrupt(cpu, X86_EVENT_SOFTWARE, VEC_BP);
}

/* INT1 is #DB without a cause in DR6. Its gate's DPL is not checked, and faults on the way say
 * EXT, as for an event from outside (SDM vol. 2, INT). */
int
exec_int1(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    return interrupt(cpu, X86_EVENT_EXCEPTION, VEC_DB);
}

int
exec_into(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    if (!(cpu->r.rflags & FLAG_OF))
        return EMU_OK;
    return interrupt(cpu, X86_EVENT_SOFTWARE, VEC_OF);
}

static int64_t
sign_extend(uint64_t value, unsigned size)
{
    return size == 2 ? (int16_t)value : (int32_t)value;
}

/* The bounds lie in memory, lower first; all three numbers are signed. #BR is a fault. */
int
exec_bound(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned size = in->opsize;
    uint64_t index, lower, upper;

    TRY(operand_read(cpu, in, 0, &index));
    TRY(operand_read_at(cpu, in, 0, size, &lower));
    if (sign_extend(index, size) < sign_extend(lower, size))
        return x86_raise(cpu, VEC_BR); /* without reading the upper bound */
    TRY(operand_read_at(cpu, in, size, size, &upper));
    if (sign_extend(index, size) > sign_extend(upper, size))
        return x86_raise(cpu, VEC_BR);
    return EMU_OK;
}
