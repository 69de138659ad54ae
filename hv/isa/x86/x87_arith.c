/*
 * x87_arith.c - x87 instructions that compute or compare.
 *
 * Each asks three questions in this order: is there a stack fault? what does the host's processor
 * say of the operation? is an exception unmasked that keeps the result from being stored?
 * Named by x87_table.c. Next: x87_move.c.
 */
#include <string.h>

#include "isa/x86/operand.h"
#include "isa/x86/x87_exec.h"

/* The register that an instruction names besides ST(0): ModRM.rm, where it names one. */
static unsigned
other(const struct x86_insn *in)
{
    /* D9 F0 to FF work on ST(0) and ST(1). */
    return in->opcode == 0xd9 ? 1 : in->modrm & 7;
}

/* The memory operand of fixed size, into h. */
static int
read_operand(struct x86_cpu *cpu, const struct x86_insn *in, struct x87_host *h)
{
    unsigned size = in->operand[0].size;
    uint64_t value;

    TRY(mem_read(cpu, in->seg, x86_effective_address(cpu, in), size, &value));
    memcpy(h->memory, &value, size);
    return EMU_OK;
}

/* FPREM, FSIN and others say by C2 that they are not complete; an empty register is (C2 = 0). */
static bool
underflow(struct x87 *f, const struct x86_insn *in)
{
    if (x87_form(in)->flags & X87_C2)
        f->fsw &= (uint16_t)~FSW_C2;
    return x87_underflow(f);
}

/* Stores the result in st(to), and pops; what was wrong with it decides whether. */
static int
finish(struct x87 *f, const struct x86_insn *in, unsigned to, struct x87_reg result,
       unsigned unmasked)
{
    if (unmasked & X87_BEFORE)
        return EMU_OK;
    x87_write(f, to, result);
    x87_pop_by(f, x87_form(in));
    return EMU_OK;
}

/* --- arithmetic ----------------------------------------------------------------------------- */

/* st(to) = ST(0) op ST(i). */
int
x87_arith(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    unsigned i = other(in), to = x87_form(in)->flags & X87_TO_STI ? i : 0;
    struct x87_host h = {.st = {f->st[0], f->st[i]}};

    (void)cpu;
    if (x87_empty(f, 0) || x87_empty(f, i))
        return finish(f, in, to, X87_INDEFINITE, underflow(f, in) ? 0 : FSW_IE);
    unsigned unmasked = x87_compute(f, in, &h);
    return finish(f, in, to, h.st[0], unmasked);
}

int
x87_arith_memory(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    struct x87_host h = {.st = {f->st[0]}};

    TRY(read_operand(cpu, in, &h));
    if (x87_empty(f, 0))
        return finish(f, in, 0, X87_INDEFINITE, underflow(f, in) ? 0 : FSW_IE);
    unsigned unmasked = x87_compute(f, in, &h);
    return finish(f, in, 0, h.st[0], unmasked);
}

/* FYL2X, FYL2XP1, FPATAN: the result takes the place of both operands. */
int
x87_arith_pop(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    struct x87_host h = {.st = {f->st[0], f->st[1]}};
    unsigned unmasked;

    (void)cpu;
    if (x87_empty(f, 0) || x87_empty(f, 1)) {
        unmasked = underflow(f, in) ? 0 : FSW_IE;
        h.st[0] = X87_INDEFINITE;
    } else {
        unmasked = x87_compute(f, in, &h);
    }
    if (unmasked & X87_BEFORE)
        return EMU_OK;
    x87_pop(f);
    x87_write(f, 0, h.st[0]);
    return EMU_OK;
}

/* ST(0) = op ST(0). FSIN and FCOS leave an operand of 2^63 or more as it is, and set C2. */
int
x87_unary(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    struct x87_host h = {.st = {f->st[0]}};

    (void)cpu;
    if (x87_empty(f, 0))
        return finish(f, in, 0, X87_INDEFINITE, underflow(f, in) ? 0 : FSW_IE);
    unsigned unmasked = x87_compute(f, in, &h);
    return finish(f, in, 0, h.st[0], unmasked);
}

/* FXTRACT, FPTAN, FSINCOS: ST(0) becomes one result, and another is pushed. */
int
x87_split(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    struct x87_host h = {.st = {f->st[0]}};

    (void)cpu;
    if (x87_empty(f, 0) || !x87_empty(f, 7)) {
        bool masked = underflow(f, in);
        if (!x87_empty(f, 0))
            masked = x87_overflow(f);
        if (masked) {
            x87_write(f, 0, X87_INDEFINITE);
            x87_push(f, X87_INDEFINITE);
        }
        return EMU_OK;
    }
    if (x87_compute(f, in, &h) & X87_BEFORE)
        return EMU_OK;
    if (h.pushed != 1) /* FPTAN and FSINCOS of 2^63 or more: only C2 is set */
        return EMU_OK;
    x87_write(f, 0, h.st[1]);
    x87_push(f, h.st[0]);
    return EMU_OK;
}

/* --- comparisons ---------------------------------------------------------------------------- */

/* FCOMI, FUCOMI: C3 C2 C0 become ZF PF CF, and the other flags are cleared (SDM vol. 2, FCOMI). */
static void
compare_eflags(struct x86_cpu *cpu, const struct x87 *f)
{
    flags_assign(cpu, FLAGS_ARITH,
                 (f->fsw & FSW_C3 ? FLAG_ZF : 0) | (f->fsw & FSW_C2 ? FLAG_PF : 0) |
                     (f->fsw & FSW_C0 ? FLAG_CF : 0));
}

/*
 * An empty register compares as unordered. If the exception is not masked nothing is popped; the codes
 * or EFLAGS are set all the same, as processors do, though SDM vol. 2, FCOM and FCOMI say otherwise.
 */
static int
compare(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f, struct x87_host *h,
        bool empty)
{
    const struct x87_form *form = x87_form(in);
    uint16_t before = f->fsw & FSW_CONDITION;
    bool stored;

    if (empty) {
        stored = x87_underflow(f);
        before &= (uint16_t)~FSW_C1;
        f->fsw |= FSW_C0 | FSW_C2 | FSW_C3;
    } else {
        stored = !(x87_compute(f, in, h) & X87_BEFORE);
    }
    if (form->flags & X87_EFLAGS) { /* instead of the condition codes */
        compare_eflags(cpu, f);
        f->fsw = (uint16_t)((f->fsw & ~FSW_CONDITION) | before);
    }
    if (stored)
        x87_pop_by(f, form);
    return EMU_OK;
}

int
x87_compare(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    /* FCOMPP and FUCOMPP are DE D9 and DA E9: their rm names ST(1) too. */
    unsigned i = in->modrm & 7;
    struct x87_host h = {.st = {f->st[0], f->st[i]}};

    return compare(cpu, in, f, &h, x87_empty(f, 0) || x87_empty(f, i));
}

int
x87_compare_memory(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    struct x87_host h = {.st = {f->st[0]}};

    TRY(read_operand(cpu, in, &h));
    return compare(cpu, in, f, &h, x87_empty(f, 0));
}

/* FTST: with 0.0. */
int
x87_test(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    struct x87_host h = {.st = {f->st[0]}};

    return compare(cpu, in, f, &h, x87_empty(f, 0));
}

/*
 * FXAM: what kind of number ST(0) is, and C1 its sign (SDM vol. 2, FXAM):
 * C3 C2 C0: 000 unsupported, 001 NaN, 010 normal, 011 infinity, 100 zero, 101 empty, 110 denormal.
 */
int
x87_examine(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    uint64_t significand = f->st[0].significand;
    unsigned exponent = f->st[0].sign_exponent & 0x7fff;
    bool leading = significand >> 63;
    unsigned kind;

    (void)cpu;
    (void)in;
    if (x87_empty(f, 0))
        kind = FSW_C3 | FSW_C0;
    else if (exponent == 0)
        kind = significand ? FSW_C3 | FSW_C2 : FSW_C3;
    else if (!leading) /* unnormals, pseudo-NaNs and pseudo-infinities of the 8087 */
        kind = 0;
    else if (exponent == 0x7fff)
        kind = significand << 1 ? FSW_C0 : FSW_C2 | FSW_C0;
    else
        kind = FSW_C2;
    f->fsw = (uint16_t)((f->fsw & ~FSW_CONDITION) | kind |
                        (f->st[0].sign_exponent & 0x8000 ? FSW_C1 : 0));
    return EMU_OK;
}
