/*
 * fpu.c - WAIT, and the instructions that save and load the state of x87 and SSE together.
 *
 * SSE has no more than its state: a kernel that saves and restores it works, what computes is #UD,
 * and so is MMX; CPUID claims neither. #NM and #UD come as CR0.EM, CR0.TS, CR0.MP and CR4.OSFXSR
 * say (SDM vol. 3, 2.5 and table 9-2).
 *
 * The state is the FXSAVE image (SDM vol. 1, table 10-2): x87 in the first 160 bytes (x87.h) but for
 * MXCSR at 24 and MXCSR_MASK at 28; XMM registers from 160. Next: x87.c.
 */
#include <string.h>

#include "isa/x86/exec.h"
#include "isa/x86/operand.h"
#include "isa/x86/x87.h"

#define FX_MXCSR   24
#define FX_MASK    28
#define FX_XMM8    288
#define FX_END     416 /* from here to 463 reserved, then the program's own */
#define MXCSR_MASK 0xffffu

/* WAIT looks at MP and TS together, and not at EM (SDM vol. 3, 2.5, CR0.MP). */
int
exec_wait(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    if ((cpu->r.cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS))
        return x86_raise(cpu, VEC_NM);
    return x87_check_pending(cpu);
}

/* EMMS is MMX: #UD with EM set. It empties the registers; like all of MMX it makes TOP 0 (SDM vol. 1,
 * 9.6.2). */
int
exec_emms(struct x86_cpu *cpu, const struct x86_insn *in)
{
    struct x87 f;

    (void)in;
    if (cpu->r.cr0 & CR0_EM)
        return x86_ud(cpu);
    TRY(x87_check(cpu));
    TRY(x87_check_pending(cpu));
    x87_get(cpu, &f);
    x87_set_top(&f, 0);
    f.tags = 0;
    x87_put(cpu, &f);
    return EMU_OK;
}

/* LDMXCSR and STMXCSR are SSE: #UD with EM or without OSFXSR, #NM with TS. */
static int
check_sse(struct x86_cpu *cpu)
{
    if (cpu->r.cr0 & CR0_EM || !(cpu->r.cr4 & CR4_OSFXSR))
        return x86_ud(cpu);
    return cpu->r.cr0 & CR0_TS ? x86_raise(cpu, VEC_NM) : EMU_OK;
}

int
exec_ldmxcsr(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t value;

    TRY(check_sse(cpu));
    TRY(operand_read(cpu, in, 0, &value));
    if (value & ~(uint64_t)MXCSR_MASK)
        return x86_gp0(cpu);
    store_bytes(cpu->r.fx + FX_MXCSR, value, 4);
    return EMU_OK;
}

int
exec_stmxcsr(struct x86_cpu *cpu, const struct x86_insn *in)
{
    TRY(check_sse(cpu));
    return operand_write(cpu, in, 0, load_bytes(cpu->r.fx + FX_MXCSR, 4));
}

/* Both FXSAVE and FXRSTOR want 512 bytes aligned to 16. Gives their linear address. */
static int
fx_area(struct x86_cpu *cpu, const struct x86_insn *in, unsigned how, uint64_t *linear)
{
    uint64_t offset = x86_effective_address(cpu, in), last;

    TRY(x87_check(cpu));
    TRY(x86_linear(cpu, in->seg, offset, 1, how, linear));
    if (*linear & 15)
        return x86_gp0(cpu);
    TRY(x86_linear(cpu, in->seg, offset + 511, 1, how, &last));
    TRY(x86_probe_linear(cpu, *linear, 1, how));
    return x86_probe_linear(cpu, last, 1, how);
}

/* Up to where an image is the processor's; XMM8-15 exist in 64-bit mode only. The rest is reserved
 * or the program's own. */
static unsigned
fx_size(const struct x86_cpu *cpu)
{
    return x86_is_64bit(cpu) ? FX_END : FX_XMM8;
}

/* Without REX.W the pointers have 32 bits; then come selectors, which are not kept (x87.h). */
static void
fx_cut_pointers(const struct x86_insn *in, uint8_t *image)
{
    struct x87 f;

    if (in->opsize == 8)
        return;
    memcpy(&f, image, sizeof(f));
    f.fip = (uint32_t)f.fip;
    f.fdp = (uint32_t)f.fdp;
    memcpy(image, &f, sizeof(f));
}

int
exec_fxsave(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint8_t image[FX_END];
    uint64_t linear;

    TRY(fx_area(cpu, in, ACCESS_WRITE, &linear));
    memcpy(image, cpu->r.fx, sizeof(image));
    fx_cut_pointers(in, image);
    store_bytes(image + FX_MASK, MXCSR_MASK, 4);
    for (unsigned at = 0; at < fx_size(cpu); at += 8)
        TRY(x86_write_linear(cpu, (linear + at) & cpu->linear_mask, 8, 0,
                             load_bytes(image + at, 8)));
    return EMU_OK;
}

/* The x87 part of an image that a program has made, as the unit would hold it. */
static void
load_x87(struct x86_cpu *cpu, const uint8_t *image)
{
    struct x87 f;

    memcpy(&f, image, sizeof(f));
    f.fcw = (f.fcw & FCW_VALID) | FCW_ONE;
    f.fop &= 0x7ff;
    f.reserved = 0;
    for (unsigned i = 0; i < 8; i++)
        memset(f.st[i].reserved, 0, sizeof(f.st[i].reserved));
    x87_put(cpu, &f);
}

int
exec_fxrstor(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint8_t image[FX_END] = {0};
    uint64_t linear, value;

    TRY(fx_area(cpu, in, 0, &linear));
    for (unsigned at = 0; at < fx_size(cpu); at += 8) {
        TRY(x86_read_linear(cpu, (linear + at) & cpu->linear_mask, 8, 0, &value));
        store_bytes(image + at, value, 8);
    }
    if (load_bytes(image + FX_MXCSR, 4) & ~(uint64_t)MXCSR_MASK)
        return x86_gp0(cpu);
    fx_cut_pointers(in, image);
    load_x87(cpu, image);
    memcpy(cpu->r.fx + sizeof(struct x87), image + sizeof(struct x87),
           fx_size(cpu) - sizeof(struct x87));
    return EMU_OK;
}
