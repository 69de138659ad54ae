/*
 * x87_move.c - x87 instructions that load, store, or rearrange the register stack.
 *
 * Named by x87_table.c. Next: x87_env.c.
 */
#include <string.h>

#include "isa/x86/condition.h"
#include "isa/x86/operand.h"
#include "isa/x86/x87_exec.h"

/* In bytes. 80-bit and BCD operands have no size letter; they are aligned to 8 (SDM vol. 3,
 * table 6-7). */
static unsigned
memory_size(const struct x86_insn *in)
{
    return in->operand[0].size ? in->operand[0].size : 10;
}

static unsigned
memory_align(const struct x86_insn *in)
{
    return in->operand[0].size ? in->operand[0].size : 8;
}

/* --- load ----------------------------------------------------------------------------------- */

/* Pushes, if the register that becomes ST(0) is empty. */
static int
push_checked(struct x87 *f, struct x87_reg value)
{
    if (x87_empty(f, 7)) {
        f->fsw &= (uint16_t)~FSW_C1;
        x87_push(f, value);
    } else if (x87_overflow(f)) {
        x87_push(f, X87_INDEFINITE);
    }
    return EMU_OK;
}

int
x87_load(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    struct x87_host h = {.pushed = 0};

    TRY(x87_read_memory(cpu, in, h.memory, memory_size(in), memory_align(in)));
    if (!x87_empty(f, 7))
        return push_checked(f, h.st[0]);
    x87_compute(f, in, &h);
    if (h.pushed == 1) /* with a denormal unmasked too, but not with a signalling NaN */
        x87_push(f, h.st[0]);
    return EMU_OK;
}

int
x87_load_st(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    unsigned i = in->modrm & 7;

    (void)cpu;
    if (!x87_empty(f, i))
        return push_checked(f, f->st[i]);
    if (x87_underflow(f))
        x87_push(f, X87_INDEFINITE);
    return EMU_OK;
}

int
x87_constant(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    struct x87_host h = {.pushed = 0};

    (void)cpu;
    if (x87_empty(f, 7))
        x87_compute(f, in, &h);
    return push_checked(f, h.st[0]);
}

/* --- store ---------------------------------------------------------------------------------- */

/* To memory. A result that does not fit is not stored if that exception is unmasked: nothing in
 * memory could be scaled back (SDM vol. 1, 8.5.4). */
int
x87_store(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    struct x87_host h = {.st = {f->st[0]}};

    f->fsw &= (uint16_t)~FSW_C1;
    if (x87_empty(f, 0)) {
        if (!x87_underflow(f))
            return EMU_OK;
        h.st[0] = X87_INDEFINITE;
    }
    if (x87_compute(f, in, &h) & (X87_BEFORE | FSW_OE | FSW_UE))
        return EMU_OK;
    TRY(x87_write_memory(cpu, in, h.memory, memory_size(in), memory_align(in)));
    x87_pop_by(f, x87_form(in));
    return EMU_OK;
}

int
x87_store_st(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    struct x87_reg value = f->st[0];

    (void)cpu;
    f->fsw &= (uint16_t)~FSW_C1;
    if (x87_empty(f, 0)) {
        if (in->opcode == 0xd9) { /* FSTPNCE, "no check empty": nothing but the pop */
            x87_pop(f);
            return EMU_OK;
        }
        if (!x87_underflow(f))
            return EMU_OK;
        value = X87_INDEFINITE;
    }
    x87_write(f, in->modrm & 7, value);
    x87_pop_by(f, x87_form(in));
    return EMU_OK;
}

/* --- within the stack ----------------------------------------------------------------------- */

int
x87_exchange(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    unsigned i = in->modrm & 7;
    struct x87_reg first = f->st[0], second = f->st[i];

    (void)cpu;
    f->fsw &= (uint16_t)~FSW_C1;
    if (x87_empty(f, 0) || x87_empty(f, i)) {
        if (!x87_underflow(f))
            return EMU_OK;
        if (x87_empty(f, 0))
            first = X87_INDEFINITE;
        if (x87_empty(f, i))
            second = X87_INDEFINITE;
    }
    x87_write(f, 0, second);
    x87_write(f, i, first);
    return EMU_OK;
}

/* FCMOVcc: DA is B, E, BE, U; DB the opposites. */
int
x87_cmov(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    static const uint8_t conditions[4] = {0x2, 0x4, 0x6, 0xa}; /* as of Jcc */
    unsigned i = in->modrm & 7;
    unsigned condition = conditions[in->modrm >> 3 & 3] | (in->opcode == 0xdb);

    if (x87_empty(f, 0) || x87_empty(f, i)) {
        if (x87_underflow(f))
            x87_write(f, 0, X87_INDEFINITE);
        return EMU_OK;
    }
    if (condition_holds(cpu->r.rflags, condition))
        x87_write(f, 0, f->st[i]);
    return EMU_OK;
}

/* FFREE; FFREEP, which is in no manual, pops too. */
int
x87_free_st(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    (void)cpu;
    f->fsw &= (uint16_t)~FSW_C1;
    x87_free(f, in->modrm & 7);
    x87_pop_by(f, x87_form(in));
    return EMU_OK;
}

/* FINCSTP and FDECSTP turn the stack; no register becomes empty. */
int
x87_incstp(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    (void)cpu;
    (void)in;
    f->fsw &= (uint16_t)~FSW_C1;
    x87_set_top(f, x87_top(f) + 1);
    return EMU_OK;
}

int
x87_decstp(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    (void)cpu;
    (void)in;
    f->fsw &= (uint16_t)~FSW_C1;
    x87_set_top(f, x87_top(f) - 1);
    return EMU_OK;
}

/* FNOP; FENI, FDISI and FSETPM meant something to the 8087 and the 80287. */
int
x87_nop(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    (void)cpu;
    (void)in;
    (void)f;
    return EMU_OK;
}
