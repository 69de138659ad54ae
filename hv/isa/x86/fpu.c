/*
 * fpu.c - the state of x87 and SSE, without their arithmetic.
 *
 * A kernel that only saves and restores the state works; what computes ends in EMU_UNIMPLEMENTED
 * (x87) or #UD (MMX, SSE: CPUID does not claim them). #NM and #UD come as CR0.EM, CR0.TS, CR0.MP and
 * CR4.OSFXSR say (SDM vol. 3, 2.5 and table 9-2).
 *
 * The state is the FXSAVE image (SDM vol. 1, table 10-2): FCW at 0, FSW 2, FTW 4, FOP 6, FIP 8,
 * FDP 16, MXCSR 24, MXCSR_MASK 28, registers from 32.
 */
#include <string.h>

#include "isa/x86/exec.h"
#include "isa/x86/operand.h"

#define FX_FCW     0
#define FX_FSW     2
#define FX_FTW     4
#define FX_MXCSR   24
#define FX_MASK    28
#define MXCSR_MASK 0xffffu
#define FCW_INIT   0x037fu

/* x87: #NM if there is no unit to be used (EM), or the state is another task's (TS). */
static int
check_x87(struct x86_cpu *cpu)
{
    return cpu->r.cr0 & (CR0_EM | CR0_TS) ? x86_raise(cpu, VEC_NM) : EMU_OK;
}

static uint16_t
fx_word(const struct x86_cpu *cpu, unsigned at)
{
    return (uint16_t)load_bytes(cpu->r.fx + at, 2);
}

/* The operand of a memory form of D8-DF, in bytes from the effective address. */
static int
store_word(struct x86_cpu *cpu, const struct x86_insn *in, uint16_t value)
{
    return mem_write(cpu, in->seg, x86_effective_address(cpu, in), 2, value);
}

static void
fpu_init(struct x86_cpu *cpu)
{
    store_bytes(cpu->r.fx + FX_FCW, FCW_INIT, 2);
    store_bytes(cpu->r.fx + FX_FSW, 0, 2);
    cpu->r.fx[FX_FTW] = 0; /* abridged tag word: all empty */
    memset(cpu->r.fx + 6, 0, 18);
}

/* The control instructions of D9, DB, DD, DF; everything else computes. */
int
exec_x87(struct x86_cpu *cpu, const struct x86_insn *in)
{
    bool memory = in->modrm < 0xc0;
    unsigned reg = in->modrm >> 3 & 7;
    unsigned form = (in->opcode & 7u) << 8 | in->modrm;
    uint64_t value;

    TRY(check_x87(cpu));
    if (memory && in->opcode == 0xd9 && reg == 7) /* FNSTCW */
        return store_word(cpu, in, fx_word(cpu, FX_FCW));
    if (memory && in->opcode == 0xdd && reg == 7) /* FNSTSW m16 */
        return store_word(cpu, in, fx_word(cpu, FX_FSW));
    if (memory && in->opcode == 0xd9 && reg == 5) { /* FLDCW */
        TRY(mem_read(cpu, in->seg, x86_effective_address(cpu, in), 2, &value));
        store_bytes(cpu->r.fx + FX_FCW, value | 0x40, 2);
        return EMU_OK;
    }
    switch (form) {
    case 0x3e3: /* FNINIT */ fpu_init(cpu); return EMU_OK;
    case 0x3e2: /* FNCLEX */
        store_bytes(cpu->r.fx + FX_FSW, fx_word(cpu, FX_FSW) & 0x7f00, 2);
        return EMU_OK;
    case 0x7e0: /* FNSTSW AX */ gpr_write(cpu, X86_RAX, 2, fx_word(cpu, FX_FSW)); return EMU_OK;
    case 0x1d0: /* FNOP */
    case 0x3e0: /* FENI */
    case 0x3e1: /* FDISI */
    case 0x3e4: /* FSETPM */ return EMU_OK;
    default:
        return x86_unimplemented(cpu, "x87 arithmetic (build the guest with -mgeneral-regs-only, "
                                      "or use --engine kvm)");
    }
}

/* WAIT looks at MP and TS together (SDM vol. 3, 2.5, CR0.MP). */
int
exec_wait(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    return (cpu->r.cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS) ? x86_raise(cpu, VEC_NM) : EMU_OK;
}

/* EMMS is MMX: #UD with EM set. It empties the tags. */
int
exec_emms(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    if (cpu->r.cr0 & CR0_EM)
        return x86_ud(cpu);
    TRY(check_x87(cpu));
    cpu->r.fx[FX_FTW] = 0;
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

    TRY(check_x87(cpu));
    TRY(x86_linear(cpu, in->seg, offset, 1, how, linear));
    if (*linear & 15)
        return x86_gp0(cpu);
    TRY(x86_linear(cpu, in->seg, offset + 511, 1, how, &last));
    return x86_probe_linear(cpu, *linear, 512, how);
}

/* Bytes 464-511 are the program's own; XMM8-15 exist in 64-bit mode only. */
int
exec_fxsave(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t linear;

    TRY(fx_area(cpu, in, ACCESS_WRITE, &linear));
    store_bytes(cpu->r.fx + FX_MASK, MXCSR_MASK, 4);
    for (unsigned at = 0; at < 464; at += 8)
        TRY(x86_write_linear(cpu, linear + at, 8, 0, load_bytes(cpu->r.fx + at, 8)));
    return EMU_OK;
}

int
exec_fxrstor(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint8_t image[512] = {0};
    uint64_t linear, value;

    TRY(fx_area(cpu, in, 0, &linear));
    for (unsigned at = 0; at < 464; at += 8) {
        TRY(x86_read_linear(cpu, linear + at, 8, 0, &value));
        store_bytes(image + at, value, 8);
    }
    if (load_bytes(image + FX_MXCSR, 4) & ~(uint64_t)MXCSR_MASK)
        return x86_gp0(cpu);
    memcpy(cpu->r.fx, image, sizeof(image));
    return EMU_OK;
}
