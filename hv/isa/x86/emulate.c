/*
 * emulate.c - one instruction: fetch, decode, execute, commit.
 *
 * x86_emulate_one() is the careful path, and all that the trap strategy needs. The soft engine
 * keeps decoded instructions and calls exec itself while cpu->attention is zero (engine/soft.c);
 * whenever breakpoints, single step, an interrupt shadow or a device are involved, it comes here.
 *
 * Next: decode.c, opcodes.c, then the semantics: alu.c, string.c, system.c ...
 */
#include "isa/x86/exec.h"
#include "isa/x86/mem.h"
#include "isa/x86/operand.h"

/* --- faults --------------------------------------------------------------------------------- */

int
x86_raise(struct x86_cpu *cpu, enum x86_vector vector)
{
    cpu->fault = (struct x86_fault){.vector = (uint8_t)vector};
    return EMU_FAULT;
}

int
x86_raise_error(struct x86_cpu *cpu, enum x86_vector vector, uint32_t error)
{
    cpu->fault = (struct x86_fault){.vector = (uint8_t)vector, .has_error = true, .error = error};
    return EMU_FAULT;
}

int
x86_gp0(struct x86_cpu *cpu)
{
    return x86_raise_error(cpu, VEC_GP, 0);
}

int
x86_ud(struct x86_cpu *cpu)
{
    return x86_raise(cpu, VEC_UD);
}

int
x86_unimplemented(struct x86_cpu *cpu, const char *what)
{
    cpu->unimplemented = what;
    return EMU_UNIMPLEMENTED;
}

int
exec_undefined(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    return x86_ud(cpu);
}

/*
 * Rows that need a look at the processor before they execute. Privilege comes before an
 * intercept: the guest's own #GP wins (APM vol. 2, 15.7).
 */
int
exec_checked(struct x86_cpu *cpu, const struct x86_insn *in)
{
    const struct x86_opcode *op = in->op;
    uint32_t intercept = op->intercept;

    if (op->flags & OP_PROTECTED && cpu->mode == MODE_REAL)
        return x86_ud(cpu);
    if (op->flags & OP_CPL0) {
        if (cpu->cpl)
            return x86_gp0(cpu);
        intercept |= INTERCEPT_PRIVILEGED;
    }
    if (intercept & cpu->intercepts) {
        cpu->intercepted = intercept & cpu->intercepts;
        return EMU_INTERCEPT;
    }
    return op->exec(cpu, in);
}

/* --- the derived state ---------------------------------------------------------------------- */

/* Up to where offsets into a segment need no check by x86_linear(). */
static uint64_t
segment_room(const struct x86_cpu *cpu, unsigned sreg)
{
    const struct x86_segment *seg = &cpu->r.seg[sreg];
    uint16_t simple = SEG_P | SEG_WRITABLE;

    if (cpu->alignment_check)
        return 0;
    if (cpu->mode == MODE_LONG64)
        return ~UINT64_C(0);
    if (cpu->mode != MODE_REAL && (seg->attr & (simple | SEG_CODE | SEG_EXPAND)) != simple)
        return 0;
    if (seg->attr & SEG_EXPAND && !(seg->attr & SEG_CODE))
        return 0;
    return (uint64_t)seg->limit + 1;
}

void
x86_update_mode(struct x86_cpu *cpu)
{
    const struct x86_regs *r = &cpu->r;

    if (!(r->cr0 & CR0_PE))
        cpu->mode = MODE_REAL;
    else if (!(r->efer & EFER_LMA))
        cpu->mode = MODE_PROTECTED;
    else
        cpu->mode = r->seg[X86_CS].attr & SEG_L ? MODE_LONG64 : MODE_COMPAT;
    bool long64 = cpu->mode == MODE_LONG64;
    cpu->cpl = (uint8_t)x86_cpl(r);
    cpu->code_size = long64 ? 8 : r->seg[X86_CS].attr & SEG_DB ? 4 : 2;
    cpu->stack_size = long64 ? 8 : r->seg[X86_SS].attr & SEG_DB ? 4 : 2;
    cpu->paging = r->cr0 & CR0_PG;
    cpu->linear_mask = long64 ? ~UINT64_C(0) : 0xffffffff;
    cpu->alignment_check = cpu->cpl == 3 && r->cr0 & CR0_AM && r->rflags & FLAG_AC;
    for (unsigned i = 0; i < X86_NSEG; i++) {
        cpu->seg_base[i] = long64 && i < X86_FS ? 0 : r->seg[i].base;
        cpu->seg_room[i] = segment_room(cpu, i);
    }
    cpu->code_last = long64 ? ~UINT64_C(0) : r->seg[X86_CS].limit;
    cpu->fetch.page = X86_TLB_NONE; /* who may fetch there has perhaps changed */
    cpu->tlb_now = cpu->tlb[cpu->cpl == 3];
    cpu->attention &= ATTENTION_REPLAY | ATTENTION_TRAP;
    uint32_t why = cpu->attention | (r->rflags & FLAG_TF ? ATTENTION_TF : 0) |
                   (r->rflags & FLAG_RF ? ATTENTION_RF : 0) | (r->dr[7] & 0xff ? ATTENTION_DR : 0) |
                   (r->shadow ? ATTENTION_SHADOW : 0) |
                   (cpu->window && r->rflags & FLAG_IF ? ATTENTION_WINDOW : 0);
    if (why)
        x86_call_attention(cpu, why);
}

void
x86_cpu_init(struct x86_cpu *cpu)
{
    *cpu = (struct x86_cpu){.mem.a20_mask = ~UINT64_C(0)};
    x86_regs_reset(&cpu->r);
    x86_tlb_flush_all(cpu);
    x86_update_mode(cpu);
}

/* --- fetch ---------------------------------------------------------------------------------- */

/* The instruction's bytes lie in two pages: gather them, faulting on the second page's address. */
static int
fetch_across(struct x86_cpu *cpu, uint64_t linear, unsigned room, struct x86_insn *in)
{
    uint8_t bytes[X86_INSN_MAX];
    unsigned first = 0x1000 - (unsigned)(linear & 0xfff);

    memcpy(bytes, cpu->fetch.host + (linear & 0xfff), first);
    TRY(x86_fetch_page(cpu, (linear + first) & cpu->linear_mask));
    memcpy(bytes + first, cpu->fetch.host, room - first);
    if (x86_decode(bytes, room, cpu->code_size, in) <= 0)
        return x86_gp0(cpu); /* over 15 bytes, or over the limit */
    return EMU_OK;
}

int
x86_fetch_insn(struct x86_cpu *cpu, struct x86_insn *in)
{
    uint64_t rip = cpu->r.rip, limit = cpu->code_last;
    uint64_t linear = (cpu->seg_base[X86_CS] + rip) & cpu->linear_mask;
    unsigned room = X86_INSN_MAX, here;

    if (!x86_is_64bit(cpu)) {
        if (rip > limit)
            return x86_gp0(cpu);
        if (limit - rip + 1 < room)
            room = (unsigned)(limit - rip + 1);
    }
    if (cpu->fetch.page != linear >> 12)
        TRY(x86_fetch_page(cpu, linear));
    here = 0x1000 - (unsigned)(linear & 0xfff);
    here = here < room ? here : room;
    int length = x86_decode(cpu->fetch.host + (linear & 0xfff), here, cpu->code_size, in);
    if (length > 0)
        return EMU_OK;
    if (length < 0 || here == room)
        return x86_gp0(cpu);
    return fetch_across(cpu, linear, room, in);
}

/* --- execute -------------------------------------------------------------------------------- */

/* Is an instruction breakpoint set at linear (DR7.R/Wn = 0)? Returns its DR6 bits. */
static uint32_t
code_breakpoints(const struct x86_cpu *cpu, uint64_t linear)
{
    uint32_t hit = 0;

    for (unsigned i = 0; i < 4; i++)
        if (cpu->r.dr[7] >> (2 * i) & 3 && !(cpu->r.dr[7] >> (16 + 4 * i) & 3) &&
            cpu->r.dr[i] == linear)
            hit |= 1u << i;
    return hit;
}

/* What the last instruction left to report: held-back device writes first, then its #DB trap. */
static int
take_pending(struct x86_cpu *cpu)
{
    struct x86_replay *replay = &cpu->replay;

    if (replay->written < replay->writes) {
        cpu->access = replay->write[replay->written++];
        if (replay->written == replay->writes)
            x86_replay_reset(cpu);
        return cpu->access.port ? EMU_IO : EMU_MMIO;
    }
    if (cpu->attention & ATTENTION_TRAP) {
        cpu->attention &= ~ATTENTION_TRAP;
        x86_raise(cpu, VEC_DB);
        cpu->fault.dr6 = cpu->trap_dr6;
        cpu->fault.trap = true;
        return EMU_FAULT;
    }
    return EMU_OK;
}

/* The instruction has succeeded: rip, RF and the shadow move on; traps become pending. */
static void
commit(struct x86_cpu *cpu, const struct x86_insn *in, bool resume_flag)
{
    cpu->retired++;
    cpu->r.rip = cpu->next_rip;
    cpu->r.shadow = cpu->next_shadow;
    /* RF lasts for one instruction, but IRET has just loaded a new one (SDM vol. 3, 17.3.1.1). */
    if (resume_flag && in->op->exec != exec_iret)
        cpu->r.rflags &= ~(uint64_t)FLAG_RF;
    cpu->trap_dr6 = cpu->pending_dr6 | (cpu->step_trap ? DR6_BS : 0);
    if (cpu->trap_dr6 && !(cpu->next_shadow & X86_SHADOW_MOVSS))
        x86_call_attention(cpu, ATTENTION_TRAP);
    if (cpu->replay.filled && !cpu->replay.writes)
        x86_replay_reset(cpu);
    if (cpu->r.shadow || cpu->attention & (ATTENTION_RF | ATTENTION_SHADOW))
        x86_update_mode(cpu);
}

int
x86_execute(struct x86_cpu *cpu, const struct x86_insn *in)
{
    bool resume_flag = cpu->r.rflags & FLAG_RF;
    int result;

    cpu->insn = in;
    if (cpu->attention & ATTENTION_DR && !resume_flag && !x86_between_iterations(cpu)) {
        uint64_t linear = (cpu->seg_base[X86_CS] + cpu->r.rip) & cpu->linear_mask;
        uint32_t hit = code_breakpoints(cpu, linear);
        if (hit) {
            x86_raise(cpu, VEC_DB);
            cpu->fault.dr6 = hit;
            return EMU_FAULT;
        }
    }
    cpu->next_rip = cpu->r.rip + in->length;
    if (!x86_is_64bit(cpu))
        cpu->next_rip = (uint32_t)cpu->next_rip;
    cpu->next_shadow = 0;
    cpu->step_trap = cpu->r.rflags & FLAG_TF;
    cpu->pending_dr6 = 0;
    cpu->replay.next = 0;
    cpu->replay.writes = 0;
    result = in->exec(cpu, in);
    if (result != EMU_OK && result != EMU_HALT) {
        cpu->replay.writes = 0; /* not committed: nothing leaves */
        return result;
    }
    commit(cpu, in, resume_flag);
    int pending = take_pending(cpu);
    return pending ? pending : result;
}

int
x86_emulate_one(struct x86_cpu *cpu)
{
    int pending = take_pending(cpu);

    if (pending)
        return pending;
    TRY(x86_fetch_insn(cpu, &cpu->fetched));
    return x86_execute(cpu, &cpu->fetched);
}

int
branch_near(struct x86_cpu *cpu, uint64_t target, unsigned opsize)
{
    target &= x86_size_mask(opsize);
    if (x86_is_64bit(cpu) ? !x86_canonical(target) : target > cpu->r.seg[X86_CS].limit)
        return x86_gp0(cpu);
    cpu->next_rip = target;
    return EMU_OK;
}
