/*
 * x87_env.c - control and status words, and the unit's state in memory.
 *
 * FNSTENV and FNSAVE have four layouts (SDM vol. 1, figures 8-9 to 8-12): by operand size, and
 * one pair for real mode, where the pointers are linear addresses in pieces. Words 0 to 2 are
 * FCW, FSW and FTW in all of them. Named by x87_table.c.
 */
#include <string.h>

#include "isa/x86/operand.h"
#include "isa/x86/x87_exec.h"

#define ENV_WORDS 7
#define ENV_MAX   28
#define REG_SIZE  10

/* --- memory --------------------------------------------------------------------------------- */

/* Where the operand is in linear memory; both of its pages can be accessed. */
static int
find_memory(struct x86_cpu *cpu, const struct x86_insn *in, unsigned size, unsigned align,
            unsigned how, uint64_t *linear)
{
    uint64_t offset = x86_effective_address(cpu, in), unused;

    TRY(x86_linear(cpu, in->seg, offset, align, how, linear));
    TRY(x86_linear(cpu, in->seg, offset + size - 1, 1, how, &unused));
    TRY(x86_probe_linear(cpu, *linear, 1, how));
    if ((*linear & 0xfff) + size <= 0x1000)
        return EMU_OK;
    return x86_probe_linear(cpu, ((*linear | 0xfff) + 1) & cpu->linear_mask, 1, how);
}

int
x87_read_memory(struct x86_cpu *cpu, const struct x86_insn *in, uint8_t *bytes, unsigned size,
                unsigned align)
{
    uint64_t linear, value;

    TRY(find_memory(cpu, in, size, align, 0, &linear));
    for (unsigned at = 0, unit; at < size; at += unit) {
        unit = size - at < 8 ? size - at : 8;
        TRY(x86_read_linear(cpu, (linear + at) & cpu->linear_mask, unit, 0, &value));
        store_bytes(bytes + at, value, unit);
    }
    return EMU_OK;
}

int
x87_write_memory(struct x86_cpu *cpu, const struct x86_insn *in, const uint8_t *bytes,
                 unsigned size, unsigned align)
{
    uint64_t linear;

    TRY(find_memory(cpu, in, size, align, ACCESS_WRITE, &linear));
    for (unsigned at = 0, unit; at < size; at += unit) {
        unit = size - at < 8 ? size - at : 8;
        TRY(x86_write_linear(cpu, (linear + at) & cpu->linear_mask, unit, 0,
                             load_bytes(bytes + at, unit)));
    }
    return EMU_OK;
}

/* --- control and status --------------------------------------------------------------------- */

int
x87_init(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    (void)cpu;
    (void)in;
    x87_set_top(f, 0); /* the registers keep their values, though all are empty */
    f->fcw = FCW_INIT;
    f->fsw = 0;
    f->tags = 0;
    f->fop = 0;
    f->fip = f->fdp = 0;
    return EMU_OK;
}

int
x87_clex(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    (void)cpu;
    (void)in;
    f->fsw &= FSW_CONDITION | FSW_TOP;
    return EMU_OK;
}

/* Unmasking an exception whose flag is set makes it pending (SDM vol. 2, FLDCW): x87_put(). */
int
x87_ldcw(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    uint64_t value;

    TRY(operand_read(cpu, in, 0, &value));
    f->fcw = (uint16_t)((value & FCW_VALID) | FCW_ONE);
    return EMU_OK;
}

int
x87_stcw(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    return operand_write(cpu, in, 0, f->fcw);
}

/* FNSTSW m16, FNSTSW AX. */
int
x87_stsw(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    if (in->noperands)
        return operand_write(cpu, in, 0, f->fsw);
    gpr_write(cpu, X86_RAX, 2, f->fsw);
    return EMU_OK;
}

/* --- the environment ------------------------------------------------------------------------ */

/* Two bits a physical register: 0 valid, 1 zero, 2 special, 3 empty (SDM vol. 1, 8.1.7). */
static uint16_t
full_tags(const struct x87 *f)
{
    uint16_t tags = 0;

    for (unsigned i = 0; i < 8; i++) {
        const struct x87_reg *r = &f->st[i];
        unsigned exponent = r->sign_exponent & 0x7fff, tag = 0;
        if (x87_empty(f, i))
            tag = 3;
        else if (!exponent && !r->significand)
            tag = 1;
        else if (!exponent || exponent == 0x7fff || !(r->significand >> 63))
            tag = 2;
        tags |= (uint16_t)(tag << 2 * ((x87_top(f) + i) & 7));
    }
    return tags;
}

static uint8_t
abridged_tags(uint16_t full)
{
    uint8_t tags = 0;

    for (unsigned i = 0; i < 8; i++)
        if ((full >> 2 * i & 3) != 3)
            tags |= (uint8_t)(1u << i);
    return tags;
}

static unsigned
env_unit(const struct x86_insn *in)
{
    return in->opsize == 2 ? 2 : 4;
}

/* Words of the 32-bit layouts whose upper half is reserved: all ones. */
#define HALF UINT32_C(0xffff0000)
static const uint32_t reserved[2][ENV_WORDS] = {
    {HALF, HALF, HALF, 0, 0, 0, HALF},    /* protected mode, 64-bit mode */
    {HALF, HALF, HALF, HALF, 0, HALF, 0}, /* real mode */
};

/* The environment in this mode's layout; returns its size, 14 or 28 bytes. */
static unsigned
pack_env(const struct x86_cpu *cpu, const struct x86_insn *in, const struct x87 *f, uint8_t *bytes)
{
    unsigned unit = env_unit(in);
    bool real = cpu->mode == MODE_REAL;
    uint32_t fip = (uint32_t)f->fip, fdp = (uint32_t)f->fdp, fop = f->fop;
    uint32_t words[ENV_WORDS] = {f->fcw, f->fsw, full_tags(f), fip, 0, fdp, 0};

    if (real) { /* bits 31-16 of an address lie in bits 27-12 of the next word */
        words[3] = fip & 0xffff;
        words[4] = (fip >> 16) << 12 | fop;
        words[5] = fdp & 0xffff;
        words[6] = (fdp >> 16) << 12;
    } else if (unit == 4) {
        words[4] = fop << 16; /* above the selector, which is 0 */
    }
    for (unsigned i = 0; i < ENV_WORDS; i++)
        store_bytes(bytes + i * unit, words[i] | reserved[real][i], unit);
    return ENV_WORDS * unit;
}

/* The reverse. FSW may name another TOP; the physical registers stay where they are. */
static void
unpack_env(const struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f,
           const uint8_t *bytes)
{
    unsigned unit = env_unit(in);
    uint32_t words[ENV_WORDS];

    for (unsigned i = 0; i < ENV_WORDS; i++)
        words[i] = (uint32_t)load_bytes(bytes + i * unit, unit);
    f->fcw = (uint16_t)((words[0] & FCW_VALID) | FCW_ONE);
    x87_set_top(f, (words[1] & FSW_TOP) >> FSW_TOP_SHIFT);
    f->fsw = (uint16_t)words[1];
    f->tags = abridged_tags((uint16_t)words[2]);
    f->fip = words[3];
    f->fdp = words[5];
    f->fop = unit == 4 ? words[4] >> 16 & 0x7ff : 0;
    if (cpu->mode == MODE_REAL) {
        f->fip = (words[3] & 0xffff) | (words[4] >> 12 & 0xffff) << 16;
        f->fdp = (words[5] & 0xffff) | (words[6] >> 12 & 0xffff) << 16;
        f->fop = words[4] & 0x7ff;
    }
}

int
x87_ldenv(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    uint8_t bytes[ENV_MAX];

    TRY(x87_read_memory(cpu, in, bytes, ENV_WORDS * env_unit(in), env_unit(in)));
    unpack_env(cpu, in, f, bytes);
    return EMU_OK;
}

/* Masks everything after it has stored: a handler can compute (SDM vol. 2, FSTENV). */
int
x87_stenv(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    uint8_t bytes[ENV_MAX];
    unsigned size = pack_env(cpu, in, f, bytes);

    TRY(x87_write_memory(cpu, in, bytes, size, env_unit(in)));
    f->fcw |= FSW_EXCEPTIONS;
    return EMU_OK;
}

/* FRSTOR and FNSAVE: the environment, then ST(0) to ST(7). */
int
x87_rstor(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    uint8_t bytes[ENV_MAX + 8 * REG_SIZE];
    unsigned env = ENV_WORDS * env_unit(in);

    TRY(x87_read_memory(cpu, in, bytes, env + 8 * REG_SIZE, env_unit(in)));
    unpack_env(cpu, in, f, bytes);
    for (unsigned i = 0; i < 8; i++) {
        f->st[i] = (struct x87_reg){0};
        memcpy(&f->st[i], bytes + env + i * REG_SIZE, REG_SIZE);
    }
    return EMU_OK;
}

int
x87_save(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f)
{
    uint8_t bytes[ENV_MAX + 8 * REG_SIZE];
    unsigned env = pack_env(cpu, in, f, bytes);

    for (unsigned i = 0; i < 8; i++)
        memcpy(bytes + env + i * REG_SIZE, &f->st[i], REG_SIZE);
    TRY(x87_write_memory(cpu, in, bytes, env + 8 * REG_SIZE, env_unit(in)));
    return x87_init(cpu, in, f);
}
