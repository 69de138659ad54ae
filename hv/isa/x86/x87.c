/*
 * x87.c - one x87 instruction from check to commit, the register stack, and exceptions.
 *
 * exec_x87() is the function of every row in x87_table.c. Next: x87_arith.c, x87_move.c, x87_env.c;
 * fpu.c has WAIT and the instructions that save the state together with SSE's.
 */
#include <string.h>

#include "isa/x86/exec.h"
#include "isa/x86/operand.h"
#include "isa/x86/x87.h"

/* --- the unit and its instructions ---------------------------------------------------------- */

void
x87_get(const struct x86_cpu *cpu, struct x87 *f)
{
    memcpy(f, cpu->r.fx, sizeof(*f));
}

void
x87_put(struct x86_cpu *cpu, struct x87 *f)
{
    f->fsw &= (uint16_t) ~(FSW_ES | FSW_BUSY);
    if (f->fsw & ~f->fcw & FSW_EXCEPTIONS)
        f->fsw |= FSW_ES | FSW_BUSY;
    memcpy(cpu->r.fx, f, sizeof(*f));
}

/* There is no unit to be used (EM), or the state is another task's (TS); SDM vol. 3, 2.5. */
int
x87_check(struct x86_cpu *cpu)
{
    return cpu->r.cr0 & (CR0_EM | CR0_TS) ? x86_raise(cpu, VEC_NM) : EMU_OK;
}

/*
 * With CR0.NE set a pending exception is #MF. With NE clear the processor would assert FERR#, which a
 * PC turns into IRQ 13, and stop until that interrupt comes (SDM vol. 1, 8.7): a way of MS-DOS
 * that is left out here, and said so, for to go on as if nothing had happened would be wrong.
 */
int
x87_check_pending(struct x86_cpu *cpu)
{
    if (!(load_bytes(cpu->r.fx + offsetof(struct x87, fsw), 2) & FSW_ES))
        return EMU_OK;
    if (cpu->r.cr0 & CR0_NE)
        return x86_raise(cpu, VEC_MF);
    return x86_unimplemented(cpu, "an unmasked x87 exception while CR0.NE is clear (FERR# and "
                                  "IRQ 13): set CR0.NE to have it as #MF");
}

/* FIP, FDP and FOP tell a handler what failed (SDM vol. 1, 8.1.8 and 8.1.9). Every instruction
 * writes them here, as the first processors did; newer ones do so for unmasked exceptions only. */
static void
note_pointers(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    bool real = cpu->mode == MODE_REAL;

    f->fip = cpu->r.rip + (real ? cpu->seg_base[X86_CS] : 0);
    f->fop = (uint16_t)((in->opcode & 7u) << 8 | in->modrm);
    if (in->modrm < 0xc0)
        f->fdp = x86_effective_address(cpu, in) + (real ? cpu->seg_base[in->seg] : 0);
}

int
exec_x87(struct x86_cpu *cpu, const struct x86_insn *in)
{
    const struct x87_form *form = x87_form(in);
    struct x87 f;

    TRY(x87_check(cpu));
    if (!(form->flags & X87_NOWAIT))
        TRY(x87_check_pending(cpu));
    x87_get(cpu, &f);
    TRY(form->fn(cpu, in, &f));
    if (!(form->flags & X87_CONTROL))
        note_pointers(cpu, in, &f);
    x87_put(cpu, &f);
    return EMU_OK;
}

/* --- the stack ------------------------------------------------------------------------------ */

void
x87_set_top(struct x87 *f, unsigned top)
{
    struct x87_reg old[8];
    unsigned by = top - x87_top(f);

    memcpy(old, f->st, sizeof(old));
    for (unsigned i = 0; i < 8; i++)
        f->st[i] = old[(i + by) & 7];
    f->fsw = (uint16_t)((f->fsw & ~FSW_TOP) | (top & 7) << FSW_TOP_SHIFT);
}

void
x87_write(struct x87 *f, unsigned i, struct x87_reg value)
{
    f->st[i] = value;
    f->tags |= (uint8_t)(1u << ((x87_top(f) + i) & 7));
}

void
x87_push(struct x87 *f, struct x87_reg value)
{
    x87_set_top(f, x87_top(f) - 1);
    x87_write(f, 0, value);
}

void
x87_free(struct x87 *f, unsigned i)
{
    f->tags &= (uint8_t) ~(1u << ((x87_top(f) + i) & 7));
}

void
x87_pop(struct x87 *f)
{
    x87_free(f, 0);
    x87_set_top(f, x87_top(f) + 1);
}

void
x87_pop_by(struct x87 *f, const struct x87_form *form)
{
    if (form->flags & (X87_POP | X87_POP2))
        x87_pop(f);
    if (form->flags & X87_POP2)
        x87_pop(f);
}

/* --- exceptions ----------------------------------------------------------------------------- */

/* SDM vol. 1, 8.5.1.1: C1 tells over from under. */
bool
x87_underflow(struct x87 *f)
{
    f->fsw = (uint16_t)((f->fsw & ~FSW_C1) | FSW_IE | FSW_SF);
    return f->fcw & FSW_IE;
}

bool
x87_overflow(struct x87 *f)
{
    f->fsw |= FSW_IE | FSW_SF | FSW_C1;
    return f->fcw & FSW_IE;
}

unsigned
x87_compute(struct x87 *f, const struct x86_insn *in, struct x87_host *h)
{
    h->fcw = f->fcw;
    h->fsw = f->fsw & FSW_CONDITION;
    x87_host_run(x87_form(in)->op, h);
    f->fsw = (uint16_t)((f->fsw & ~FSW_CONDITION) | (h->fsw & (FSW_CONDITION | FSW_EXCEPTIONS)));
    return h->fsw & FSW_EXCEPTIONS & ~(unsigned)f->fcw;
}
