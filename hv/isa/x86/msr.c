/*
 * msr.c - model-specific registers, the time-stamp counter, HLT and hypercalls.
 *
 * One table says which MSRs there are, where each is kept and what may be written; an index that
 * it lacks is #GP(0), as on hardware (SDM vol. 4).
 */
#include <stddef.h>

#include "isa/x86/exec.h"
#include "isa/x86/operand.h"

#define MSR_TSC     0x10u
#define MSR_EFER    0xc0000080u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define MSR_PAT     0x277u

enum msr_rule { MSR_ANY, MSR_CANONICAL, MSR_WORD, MSR_READ_ONLY };

struct msr {
    uint32_t index;
    const char *name;
    uint16_t offset; /* in struct x86_regs */
    enum msr_rule rule;
};

#define AT(member) offsetof(struct x86_regs, member)
/* clang-format off */
static const struct msr msrs[] = {
    {MSR_TSC,     "IA32_TIME_STAMP_COUNTER", 0,                    MSR_ANY}, /* read_tsc, write_tsc */
    {0x1b,        "IA32_APIC_BASE",          AT(apic_base),        MSR_READ_ONLY},
    {0x174,       "IA32_SYSENTER_CS",        AT(sysenter_cs),      MSR_WORD},
    {0x175,       "IA32_SYSENTER_ESP",       AT(sysenter_esp),     MSR_CANONICAL},
    {0x176,       "IA32_SYSENTER_EIP",       AT(sysenter_eip),     MSR_CANONICAL},
    {0x1a0,       "IA32_MISC_ENABLE",        AT(misc_enable),      MSR_READ_ONLY},
    {MSR_PAT,     "IA32_PAT",                AT(pat),              MSR_ANY}, /* write_pat */
    {MSR_EFER,    "IA32_EFER",               AT(efer),             MSR_ANY}, /* write_efer */
    {0xc0000081,  "IA32_STAR",               AT(star),             MSR_ANY},
    {0xc0000082,  "IA32_LSTAR",              AT(lstar),            MSR_CANONICAL},
    {0xc0000083,  "IA32_CSTAR",              AT(cstar),            MSR_CANONICAL},
    {0xc0000084,  "IA32_FMASK",              AT(sfmask),           MSR_WORD},
    {MSR_FS_BASE, "IA32_FS_BASE",            AT(seg[X86_FS].base), MSR_CANONICAL},
    {MSR_GS_BASE, "IA32_GS_BASE",            AT(seg[X86_GS].base), MSR_CANONICAL},
    {0xc0000102,  "IA32_KERNEL_GS_BASE",     AT(kernel_gs_base),   MSR_CANONICAL},
    {0xc0000103,  "IA32_TSC_AUX",            AT(tsc_aux),          MSR_WORD},
};
/* clang-format on */

static const struct msr *
find_msr(uint32_t index)
{
    for (unsigned i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++)
        if (msrs[i].index == index)
            return &msrs[i];
    return NULL;
}

const char *
x86_msr_name(uint32_t index)
{
    const struct msr *msr = find_msr(index);

    return msr ? msr->name : NULL;
}

static uint64_t
clock_ticks(const struct x86_cpu *cpu)
{
    return cpu->hooks.tsc ? cpu->hooks.tsc(cpu->hooks.ctx) : 0;
}

static uint64_t
read_tsc(const struct x86_cpu *cpu)
{
    return clock_ticks(cpu) + cpu->r.tsc_offset;
}

/* LMA is the processor's own; LME may not change while paging is on (SDM vol. 3, 9.8.5). */
static int
write_efer(struct x86_cpu *cpu, uint64_t value)
{
    uint64_t old = cpu->r.efer;

    if (value & ~(uint64_t)EFER_ALL || (cpu->paging && (old ^ value) & EFER_LME))
        return x86_gp0(cpu);
    cpu->r.efer = (value & ~(uint64_t)EFER_LMA) | (old & EFER_LMA);
    if ((old ^ value) & EFER_NXE)
        x86_tlb_flush_all(cpu);
    x86_update_mode(cpu);
    return EMU_OK;
}

/* Each byte of the PAT names a memory type: 0, 1, 4, 5, 6 or 7 (SDM vol. 3, 11.12.2). */
static bool
pat_is_valid(uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        unsigned type = value >> (8 * i) & 0xff;
        if (type > 7 || type == 2 || type == 3)
            return false;
    }
    return true;
}

int
x86_read_msr(struct x86_cpu *cpu, uint32_t index, uint64_t *value)
{
    const struct msr *msr = find_msr(index);

    if (!msr)
        return x86_gp0(cpu);
    *value = index == MSR_TSC ? read_tsc(cpu)
                              : *(const uint64_t *)((const uint8_t *)&cpu->r + msr->offset);
    return EMU_OK;
}

int
x86_write_msr(struct x86_cpu *cpu, uint32_t index, uint64_t value)
{
    const struct msr *msr = find_msr(index);

    if (!msr || msr->rule == MSR_READ_ONLY ||
        (msr->rule == MSR_CANONICAL && !x86_canonical(value)) ||
        (msr->rule == MSR_WORD && value >> 32) || (index == MSR_PAT && !pat_is_valid(value)))
        return x86_gp0(cpu);
    if (index == MSR_EFER)
        return write_efer(cpu, value);
    if (index == MSR_TSC) {
        cpu->r.tsc_offset = value - clock_ticks(cpu);
        return EMU_OK;
    }
    *(uint64_t *)((uint8_t *)&cpu->r + msr->offset) = value;
    if (index == MSR_FS_BASE || index == MSR_GS_BASE)
        x86_update_mode(cpu);
    return EMU_OK;
}

int
exec_rdmsr(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t value;

    (void)in;
    TRY(x86_read_msr(cpu, (uint32_t)cpu->r.gpr[X86_RCX], &value));
    gpr_write(cpu, X86_RAX, 4, value);
    gpr_write(cpu, X86_RDX, 4, value >> 32);
    return EMU_OK;
}

int
exec_wrmsr(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    return x86_write_msr(cpu, (uint32_t)cpu->r.gpr[X86_RCX],
                         gpr_read(cpu, X86_RDX, 4) << 32 | gpr_read(cpu, X86_RAX, 4));
}

/* CR4.TSD keeps the time from user programs. */
static int
check_tsc(struct x86_cpu *cpu)
{
    return cpu->r.cr4 & CR4_TSD && cpu->cpl ? x86_gp0(cpu) : EMU_OK;
}

int
exec_rdtsc(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint64_t tsc = read_tsc(cpu);

    (void)in;
    TRY(check_tsc(cpu));
    gpr_write(cpu, X86_RAX, 4, tsc);
    gpr_write(cpu, X86_RDX, 4, tsc >> 32);
    return EMU_OK;
}

int
exec_rdtscp(struct x86_cpu *cpu, const struct x86_insn *in)
{
    TRY(exec_rdtsc(cpu, in));
    gpr_write(cpu, X86_RCX, 4, cpu->r.tsc_aux);
    return EMU_OK;
}

int
exec_rdpid(struct x86_cpu *cpu, const struct x86_insn *in)
{
    return operand_write(cpu, in, 0, cpu->r.tsc_aux);
}

/* There are no performance counters: every index is out of range. */
int
exec_rdpmc(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    return x86_gp0(cpu);
}

/* RDFSBASE RDGSBASE WRFSBASE WRGSBASE: ModRM.reg 0 to 3 (SDM vol. 2, RDFSBASE). */
int
exec_fsgsbase(struct x86_cpu *cpu, const struct x86_insn *in)
{
    unsigned sreg = in->modrm & 0x08 ? X86_GS : X86_FS;
    uint64_t value;

    if (!(cpu->r.cr4 & CR4_FSGSBASE))
        return x86_ud(cpu);
    if (!(in->modrm & 0x10))
        return operand_write(cpu, in, 0, cpu->r.seg[sreg].base);
    TRY(operand_read(cpu, in, 0, &value));
    if (!x86_canonical(value))
        return x86_gp0(cpu);
    cpu->r.seg[sreg].base = value;
    x86_update_mode(cpu);
    return EMU_OK;
}

int
exec_hlt(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    cpu->r.halted = 1;
    return EMU_HALT;
}

/* VMCALL and VMMCALL are #UD unless somebody is there to answer (APM vol. 3, VMMCALL). */
int
exec_hypercall(struct x86_cpu *cpu, const struct x86_insn *in)
{
    (void)in;
    return cpu->intercepts & INTERCEPT_HYPERCALL ? EMU_HYPERCALL : x86_ud(cpu);
}
