/*
 * cpuid.c - what this processor claims to be, and nothing that is not there.
 *
 * No MMX, no SSE (their state can be saved, but nothing computes with it), no APIC, no MTRRs, no
 * machine check, no virtual-8086 mode. TZCNT works but BMI1 is not claimed, because the rest of
 * BMI1 needs VEX encodings.
 */
#include <string.h>

#include "isa/x86/exec.h"
#include "isa/x86/operand.h"

/* Leaf 1, EDX and ECX (SDM vol. 2, CPUID, tables 3-10 and 3-11). */
#define ID1_EDX_FPU        (1u << 0)
#define ID1_EDX_DE         (1u << 2)
#define ID1_EDX_PSE        (1u << 3)
#define ID1_EDX_TSC        (1u << 4)
#define ID1_EDX_MSR        (1u << 5)
#define ID1_EDX_PAE        (1u << 6)
#define ID1_EDX_CX8        (1u << 8)
#define ID1_EDX_SEP        (1u << 11)
#define ID1_EDX_PGE        (1u << 13)
#define ID1_EDX_CMOV       (1u << 15)
#define ID1_EDX_PAT        (1u << 16)
#define ID1_EDX_CLFSH      (1u << 19)
#define ID1_EDX_FXSR       (1u << 24)
#define ID1_ECX_CX16       (1u << 13)
#define ID1_ECX_MOVBE      (1u << 22)
#define ID1_ECX_POPCNT     (1u << 23)
#define ID1_ECX_HYPERVISOR (1u << 31)
/* Leaf 7, EBX and ECX. */
#define ID7_EBX_FSGSBASE (1u << 0)
#define ID7_EBX_SMEP     (1u << 7)
#define ID7_EBX_NO_FCS   (1u << 13) /* FCS and FDS are saved as 0 (SDM vol. 1, 8.1.8) */
#define ID7_EBX_SMAP     (1u << 20)
#define ID7_ECX_UMIP     (1u << 2)
#define ID7_ECX_RDPID    (1u << 22)
/* Leaf 80000001h, EDX and ECX. */
#define IDX_EDX_SYSCALL (1u << 11)
#define IDX_EDX_NX      (1u << 20)
#define IDX_EDX_1GB     (1u << 26)
#define IDX_EDX_RDTSCP  (1u << 27)
#define IDX_EDX_LM      (1u << 29)
#define IDX_ECX_LAHF    (1u << 0)
#define IDX_ECX_LZCNT   (1u << 5)

#define ID_SIGNATURE 0x000006f1u /* family 6, model 15, stepping 1 */

static const char brand[48] = "hv soft: an x86 processor to be read";

static void
put(uint32_t regs[4], uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
    regs[0] = eax;
    regs[1] = ebx;
    regs[2] = ecx;
    regs[3] = edx;
}

static void
features(uint32_t regs[4])
{
    put(regs, ID_SIGNATURE, 8u << 8 /* CLFLUSH line, in quadwords */ | 1u << 16,
        ID1_ECX_CX16 | ID1_ECX_MOVBE | ID1_ECX_POPCNT | ID1_ECX_HYPERVISOR,
        ID1_EDX_FPU | ID1_EDX_DE | ID1_EDX_PSE | ID1_EDX_TSC | ID1_EDX_MSR | ID1_EDX_PAE |
            ID1_EDX_CX8 | ID1_EDX_SEP | ID1_EDX_PGE | ID1_EDX_CMOV | ID1_EDX_PAT | ID1_EDX_CLFSH |
            ID1_EDX_FXSR);
}

void
x86_cpuid(const struct x86_regs *r, uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
    (void)r;
    memset(regs, 0, 4 * sizeof(regs[0]));
    switch (leaf) {
    case 0: put(regs, 7, 0x756e6547, 0x6c65746e, 0x49656e69); break; /* "GenuineIntel" */
    case 1: features(regs); break;
    case 7:
        if (subleaf == 0)
            put(regs, 0, ID7_EBX_FSGSBASE | ID7_EBX_SMEP | ID7_EBX_NO_FCS | ID7_EBX_SMAP,
                ID7_ECX_UMIP | ID7_ECX_RDPID, 0);
        break;
    /* The leaves of a hypervisor begin here: who we are. */
    case 0x40000000: put(regs, 0x40000000, 0x65542d76, 0x69686361, 0x2020676e); break;
    case 0x80000000: put(regs, 0x80000008, 0, 0, 0); break;
    case 0x80000001:
        put(regs, 0, 0, IDX_ECX_LAHF | IDX_ECX_LZCNT,
            IDX_EDX_SYSCALL | IDX_EDX_NX | IDX_EDX_1GB | IDX_EDX_RDTSCP | IDX_EDX_LM);
        break;
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: memcpy(regs, brand + 16 * (leaf - 0x80000002), 16); break;
    case 0x80000008: put(regs, 48u << 8 | 40u, 0, 0, 0); break; /* linear, physical bits */
    default: break;
    }
}

int
exec_cpuid(struct x86_cpu *cpu, const struct x86_insn *in)
{
    uint32_t leaf = (uint32_t)cpu->r.gpr[X86_RAX], subleaf = (uint32_t)cpu->r.gpr[X86_RCX];
    uint32_t regs[4];

    (void)in;
    x86_cpuid(&cpu->r, leaf, subleaf, regs);
    if (cpu->hooks.cpuid)
        cpu->hooks.cpuid(cpu->hooks.ctx, leaf, subleaf, regs);
    gpr_write(cpu, X86_RAX, 4, regs[0]);
    gpr_write(cpu, X86_RBX, 4, regs[1]);
    gpr_write(cpu, X86_RCX, 4, regs[2]);
    gpr_write(cpu, X86_RDX, 4, regs[3]);
    return EMU_OK;
}
