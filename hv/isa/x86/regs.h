/*
 * regs.h - the architectural state of one x86 processor: what software can see.
 *
 * Every engine fills and reads this one structure; the debugger, the gdb stub and the tracer
 * name its members through x86_reg_table (regs.c). What is only a cache (decoded mode, TLB) is
 * not here but in cpu.h, so that copying a struct x86_regs is a snapshot of the processor.
 *
 * Manuals: SDM = Intel 64 and IA-32 Architectures Software Developer's Manual,
 *          APM = AMD64 Architecture Programmer's Manual.
 * Next: cpu.h.
 */
#ifndef HV_ISA_X86_REGS_H
#define HV_ISA_X86_REGS_H

#include <stdint.h>

/* General registers, in the order of their encoding (SDM vol. 2, 2.1.5). */
/* clang-format off */
enum x86_gpr {
    X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI,
    X86_R8, X86_R9, X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15,
};
/* clang-format on */

/* Segment registers, in the order of their encoding; X86_NSEG counts them. */
enum x86_sreg { X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS, X86_NSEG };

/*
 * RFLAGS (SDM vol. 1, 3.4.3):
 *  21 20  19  18 17 16  14 13-12 11 10 9  8  7  6  4  2  1 0
 *  ID VIP VIF AC VM RF  NT IOPL  OF DF IF TF SF ZF AF PF 1 CF
 */
#define FLAG_CF         0x00000001u
#define FLAG_ONE        0x00000002u /* always set */
#define FLAG_PF         0x00000004u
#define FLAG_AF         0x00000010u
#define FLAG_ZF         0x00000040u
#define FLAG_SF         0x00000080u
#define FLAG_TF         0x00000100u
#define FLAG_IF         0x00000200u
#define FLAG_DF         0x00000400u
#define FLAG_OF         0x00000800u
#define FLAG_IOPL       0x00003000u
#define FLAG_NT         0x00004000u
#define FLAG_RF         0x00010000u
#define FLAG_VM         0x00020000u
#define FLAG_AC         0x00040000u
#define FLAG_VIF        0x00080000u
#define FLAG_VIP        0x00100000u
#define FLAG_ID         0x00200000u
#define FLAGS_ARITH     (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)
#define FLAGS_ALL       0x003f7fd5u /* every bit that software can change */
#define FLAG_IOPL_SHIFT 12

/* CR0 (SDM vol. 3, 2.5). */
#define CR0_PE 0x00000001u
#define CR0_MP 0x00000002u
#define CR0_EM 0x00000004u
#define CR0_TS 0x00000008u
#define CR0_ET 0x00000010u /* always set */
#define CR0_NE 0x00000020u
#define CR0_WP 0x00010000u
#define CR0_AM 0x00040000u
#define CR0_NW 0x20000000u
#define CR0_CD 0x40000000u
#define CR0_PG 0x80000000u
#define CR0_ALL                                                                                    \
    (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD |     \
     CR0_PG)

/* CR3: bits 3 and 4 are cache hints; the rest is the page-table root. */
#define CR3_PWT 0x08u
#define CR3_PCD 0x10u

/* CR4 (SDM vol. 3, 2.5); CR4_ALL is what this processor implements. */
#define CR4_VME        0x000001u
#define CR4_PVI        0x000002u
#define CR4_TSD        0x000004u
#define CR4_DE         0x000008u
#define CR4_PSE        0x000010u
#define CR4_PAE        0x000020u
#define CR4_MCE        0x000040u
#define CR4_PGE        0x000080u
#define CR4_PCE        0x000100u
#define CR4_OSFXSR     0x000200u
#define CR4_OSXMMEXCPT 0x000400u
#define CR4_UMIP       0x000800u
#define CR4_FSGSBASE   0x010000u
#define CR4_PCIDE      0x020000u
#define CR4_OSXSAVE    0x040000u
#define CR4_SMEP       0x100000u
#define CR4_SMAP       0x200000u
#define CR4_ALL                                                                                    \
    (CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT |      \
     CR4_UMIP | CR4_FSGSBASE | CR4_SMEP | CR4_SMAP)

/* EFER (SDM vol. 3, 2.2.1). */
#define EFER_SCE 0x001u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define EFER_NXE 0x800u
#define EFER_ALL (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)

/* DR6 and DR7 (SDM vol. 3, 17.2). */
#define DR6_INIT 0xffff0ff0u
#define DR6_BD   0x2000u
#define DR6_BS   0x4000u
#define DR7_INIT 0x400u
#define DR7_GD   0x2000u

/*
 * Segment attributes, laid out as VMX and struct kvm_segment do (SDM vol. 3, 24.4.1):
 *  15 14  13 12  11-8 7 6-5 4 3-0
 *  G  D/B L  AVL 0    P DPL S type
 * A segment register that holds a null selector has P clear.
 */
#define SEG_TYPE       0x000fu
#define SEG_ACCESSED   0x0001u
#define SEG_WRITABLE   0x0002u /* of a data segment; the same bit makes code readable */
#define SEG_READABLE   0x0002u
#define SEG_EXPAND     0x0004u /* of a data segment: expand-down; of code: conforming */
#define SEG_CONFORMING 0x0004u
#define SEG_CODE       0x0008u
#define SEG_S          0x0010u /* code or data; clear: a system descriptor */
#define SEG_DPL        0x0060u
#define SEG_DPL_SHIFT  5
#define SEG_P          0x0080u
#define SEG_AVL        0x1000u
#define SEG_L          0x2000u
#define SEG_DB         0x4000u
#define SEG_G          0x8000u

/* Types of system descriptors (SDM vol. 3, 3.5). In long mode only 2, 9, b, c, e, f exist. */
#define SYS_TSS16      0x1u
#define SYS_LDT        0x2u
#define SYS_TSS16_BUSY 0x3u
#define SYS_CALL16     0x4u
#define SYS_TASK_GATE  0x5u
#define SYS_INT16      0x6u
#define SYS_TRAP16     0x7u
#define SYS_TSS        0x9u
#define SYS_TSS_BUSY   0xbu
#define SYS_CALL       0xcu
#define SYS_INT        0xeu
#define SYS_TRAP       0xfu

/* Exception vectors (SDM vol. 3, 6.3.1). */
/* clang-format off */
enum x86_vector {
    VEC_DE = 0, VEC_DB = 1, VEC_NMI = 2, VEC_BP = 3, VEC_OF = 4, VEC_BR = 5, VEC_UD = 6,
    VEC_NM = 7, VEC_DF = 8, VEC_TS = 10, VEC_NP = 11, VEC_SS = 12, VEC_GP = 13, VEC_PF = 14,
    VEC_MF = 16, VEC_AC = 17, VEC_MC = 18, VEC_XM = 19,
};
/* clang-format on */

/* Bits of a page fault's error code (SDM vol. 3, 4.7). */
#define PF_PRESENT 0x01u
#define PF_WRITE   0x02u
#define PF_USER    0x04u
#define PF_RSVD    0x08u
#define PF_FETCH   0x10u

struct x86_segment {
    uint64_t base;
    uint32_t limit; /* in bytes: the granularity bit is already applied */
    uint16_t selector;
    uint16_t attr; /* SEG_* */
};

struct x86_table {
    uint64_t base;
    uint16_t limit;
};

/*
 * The processor's registers. Everything that a snapshot must keep is here and nothing else.
 */
struct x86_regs {
    uint64_t gpr[16];
    uint64_t rip;
    uint64_t rflags;
    struct x86_segment seg[X86_NSEG];
    struct x86_segment ldtr, tr;
    struct x86_table gdtr, idtr;
    uint64_t cr0, cr2, cr3, cr4, cr8;
    uint64_t efer;
    uint64_t dr[8];
    uint64_t pdpte[4]; /* PAE: loaded with CR3, not read again (SDM vol. 3, 4.4.1) */
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t apic_base, pat, misc_enable, tsc_aux;
    uint64_t tsc_offset; /* guest TSC = the engine's clock + this */
    uint8_t shadow;      /* X86_SHADOW_*: interrupts are held off for one instruction */
    uint8_t halted;      /* HLT was executed and no event has woken it */
    uint8_t nmi_blocked; /* between an NMI and the next IRET */
    uint8_t fx[512] __attribute__((aligned(16))); /* x87, MMX, SSE: the FXSAVE image */
};

/* Interrupt shadow (SDM vol. 3, 6.8.3): after STI; after MOV SS or POP SS (also holds off #DB). */
#define X86_SHADOW_STI   0x01u
#define X86_SHADOW_MOVSS 0x02u

/* One row per register that a user can name; offset and size (1, 2, 4 or 8) are of struct
 * x86_regs, in bytes. "cs" is the selector; "cs.base", "cs.limit" and "cs.attr" are the rest. */
struct reg_desc {
    const char *name;
    uint16_t offset, size;
    const char *group; /* "general", "segment", "control", "debug", "msr" */
};
extern const struct reg_desc x86_reg_table[];
extern const unsigned x86_reg_count;
/* The row of that very name, or NULL. */
const struct reg_desc *x86_reg_find(const char *name);
/* What it holds, extended with zeros. */
uint64_t x86_reg_value(const struct x86_regs *r, const struct reg_desc *reg);

/* The state after RESET (SDM vol. 3, 9.1.1): real mode, CS base ffff0000, rip fff0. */
void x86_regs_reset(struct x86_regs *r);
/* The x87 unit as FNINIT leaves it, which firmware has executed when it starts a boot loader. */
void x86_regs_fninit(struct x86_regs *r);

/*
 * Says whether a processor could be in this state: the checks that VM entry makes on the guest
 * state (SDM vol. 3, 26.3.1). Returns NULL if so, else one sentence with the manual's section.
 */
const char *x86_regs_invalid(const struct x86_regs *r);

static inline unsigned
x86_cpl(const struct x86_regs *r)
{
    return (r->seg[X86_SS].attr & SEG_DPL) >> SEG_DPL_SHIFT;
}

/* How code is decoded, in bytes: 8 in 64-bit mode, else 4 or 2, as CS.D says (SDM vol. 3, 3.4.5). */
static inline unsigned
x86_code_size(const struct x86_regs *r)
{
    if (r->efer & EFER_LMA && r->seg[X86_CS].attr & SEG_L)
        return 8;
    return r->seg[X86_CS].attr & SEG_DB ? 4 : 2;
}

/* Where an offset in CS or SS lies: in 64-bit mode they have no base (SDM vol. 1, 3.4.2.1), outside of
 * it an address has 32 bits. */
static inline uint64_t
x86_regs_linear(const struct x86_regs *r, unsigned segment, uint64_t offset)
{
    return x86_code_size(r) == 8 ? offset : (uint32_t)(r->seg[segment].base + offset);
}

#endif
