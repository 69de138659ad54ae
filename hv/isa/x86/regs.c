/*
 * regs.c - the registers by name, their state after RESET, and which states cannot exist.
 *
 * The debugger finds registers through x86_reg_table; the loaders start from x86_regs_reset(); an
 * engine asks x86_regs_invalid() before it takes a state, so that a mistake is explained here and
 * not as "the processor refused to enter the guest".
 *
 * Sections are those of the SDM's editions before 2023 (VM entry is chapter 26 there).
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "isa/x86/cpu.h"
#include "isa/x86/regs.h"

/* --- names ---------------------------------------------------------------------------------- */

#define REG(name, member, group)                                                                   \
    {                                                                                              \
        name, offsetof(struct x86_regs, member), sizeof(((struct x86_regs *)0)->member), group     \
    }
/* The four parts of a segment register; the selector has the register's own name. */
#define SEG(name, member)                                                                          \
    REG(name, member.selector, "segment"), REG(name ".base", member.base, "segment"),              \
        REG(name ".limit", member.limit, "segment"), REG(name ".attr", member.attr, "segment")

/* clang-format off */
const struct reg_desc x86_reg_table[] = {
    REG("rax", gpr[X86_RAX], "general"), REG("rbx", gpr[X86_RBX], "general"),
    REG("rcx", gpr[X86_RCX], "general"), REG("rdx", gpr[X86_RDX], "general"),
    REG("rsi", gpr[X86_RSI], "general"), REG("rdi", gpr[X86_RDI], "general"),
    REG("rbp", gpr[X86_RBP], "general"), REG("rsp", gpr[X86_RSP], "general"),
    REG("r8",  gpr[X86_R8],  "general"), REG("r9",  gpr[X86_R9],  "general"),
    REG("r10", gpr[X86_R10], "general"), REG("r11", gpr[X86_R11], "general"),
    REG("r12", gpr[X86_R12], "general"), REG("r13", gpr[X86_R13], "general"),
    REG("r14", gpr[X86_R14], "general"), REG("r15", gpr[X86_R15], "general"),
    REG("rip", rip, "general"), REG("rflags", rflags, "general"),

    SEG("cs", seg[X86_CS]), SEG("ss", seg[X86_SS]), SEG("ds", seg[X86_DS]),
    SEG("es", seg[X86_ES]), SEG("fs", seg[X86_FS]), SEG("gs", seg[X86_GS]),
    SEG("ldtr", ldtr), SEG("tr", tr),
    REG("gdtr.base", gdtr.base, "segment"), REG("gdtr.limit", gdtr.limit, "segment"),
    REG("idtr.base", idtr.base, "segment"), REG("idtr.limit", idtr.limit, "segment"),

    REG("cr0", cr0, "control"), REG("cr2", cr2, "control"), REG("cr3", cr3, "control"),
    REG("cr4", cr4, "control"), REG("cr8", cr8, "control"),
    REG("pdpte0", pdpte[0], "control"), REG("pdpte1", pdpte[1], "control"),
    REG("pdpte2", pdpte[2], "control"), REG("pdpte3", pdpte[3], "control"),
    REG("shadow", shadow, "control"), REG("halted", halted, "control"),
    REG("nmi_blocked", nmi_blocked, "control"),

    REG("dr0", dr[0], "debug"), REG("dr1", dr[1], "debug"), REG("dr2", dr[2], "debug"),
    REG("dr3", dr[3], "debug"), REG("dr6", dr[6], "debug"), REG("dr7", dr[7], "debug"),

    REG("efer", efer, "msr"), REG("star", star, "msr"), REG("lstar", lstar, "msr"),
    REG("cstar", cstar, "msr"), REG("sfmask", sfmask, "msr"),
    REG("kernel_gs_base", kernel_gs_base, "msr"), REG("sysenter_cs", sysenter_cs, "msr"),
    REG("sysenter_esp", sysenter_esp, "msr"), REG("sysenter_eip", sysenter_eip, "msr"),
    REG("apic_base", apic_base, "msr"), REG("pat", pat, "msr"),
    REG("misc_enable", misc_enable, "msr"), REG("tsc_aux", tsc_aux, "msr"),
    REG("tsc_offset", tsc_offset, "msr"),
};
/* clang-format on */
const unsigned x86_reg_count = sizeof(x86_reg_table) / sizeof(x86_reg_table[0]);

const struct reg_desc *
x86_reg_find(const char *name)
{
    for (unsigned i = 0; i < x86_reg_count; i++)
        if (!strcmp(x86_reg_table[i].name, name))
            return &x86_reg_table[i];
    return NULL;
}

uint64_t
x86_reg_value(const struct x86_regs *r, const struct reg_desc *reg)
{
    uint64_t value = 0;

    memcpy(&value, (const char *)r + reg->offset, reg->size);
    return value;
}

/* --- RESET ---------------------------------------------------------------------------------- */

/* x87 and MXCSR after RESET (SDM vol. 3, table 9-1), by FXSAVE offset: every exception unmasked, eight
 * registers in use that hold 0. Whoever computes begins with FNINIT. */
#define FX_FCW   0x00u
#define FX_FTW   0x04u
#define FX_MXCSR 0x18u

void
x86_regs_reset(struct x86_regs *r)
{
    memset(r, 0, sizeof(*r));
    r->rip = 0xfff0;
    r->rflags = FLAG_ONE;
    r->gpr[X86_RDX] = 0x600; /* family 6; steppings differ, and nobody looks */
    for (unsigned i = 0; i < X86_NSEG; i++)
        r->seg[i] = (struct x86_segment){.limit = 0xffff,
                                         .attr = SEG_P | SEG_S | SEG_WRITABLE | SEG_ACCESSED};
    /* The base is not selector * 16: the first fetch is from ffff:fff0, 16 bytes below 4 GiB,
     * where the ROM is (SDM vol. 3, 9.1.4). */
    r->seg[X86_CS].selector = 0xf000;
    r->seg[X86_CS].base = 0xffff0000;
    r->seg[X86_CS].attr |= SEG_CODE;
    r->ldtr = (struct x86_segment){.limit = 0xffff, .attr = SEG_P | SYS_LDT};
    r->tr = (struct x86_segment){.limit = 0xffff, .attr = SEG_P | SYS_TSS_BUSY};
    r->gdtr.limit = r->idtr.limit = 0xffff;
    r->cr0 = CR0_ET | CR0_NW | CR0_CD;
    r->dr[6] = DR6_INIT;
    r->dr[7] = DR7_INIT;
    r->apic_base = 0xfee00900;             /* at its place, enabled, bootstrap processor */
    r->pat = UINT64_C(0x0007040600070406); /* SDM vol. 3, table 11-12 */
    r->misc_enable = 1;                    /* fast strings */
    const uint16_t fcw = 0x0040;
    const uint32_t mxcsr = 0x1f80;
    memcpy(r->fx + FX_FCW, &fcw, sizeof(fcw));
    r->fx[FX_FTW] = 0xff;
    memcpy(r->fx + FX_MXCSR, &mxcsr, sizeof(mxcsr));
}

/* SDM vol. 2, FINIT: every exception masked, no register in use, TOP 0. */
void
x86_regs_fninit(struct x86_regs *r)
{
    const uint16_t fcw = 0x037f;

    memset(r->fx, 0, FX_MXCSR); /* FSW, tags, FOP, FIP, FDP */
    memcpy(r->fx + FX_FCW, &fcw, sizeof(fcw));
}

/* --- states that cannot exist ----------------------------------------------------------------- */

static bool
long_mode(const struct x86_regs *r)
{
    return r->efer & EFER_LMA;
}

static const char *
control_invalid(const struct x86_regs *r)
{
    if (r->cr0 & ~(uint64_t)CR0_ALL)
        return "CR0 has a reserved bit set; SDM vol. 3, 2.5";
    if ((r->cr0 & CR0_PG) && !(r->cr0 & CR0_PE))
        return "CR0.PG is set but CR0.PE is clear: paging needs protected mode; "
               "SDM vol. 3, 2.5 and 4.1.1";
    if ((r->cr0 & CR0_NW) && !(r->cr0 & CR0_CD))
        return "CR0.NW is set but CR0.CD is clear: the cache cannot be on and not written "
               "through; SDM vol. 3, 2.5";
    if (r->efer & ~(uint64_t)(EFER_ALL | 0x7000 /* SVME, LMSLE, FFXSR: AMD */))
        return "EFER has a reserved bit set; SDM vol. 3, 2.2.1";
    if ((r->cr0 & CR0_PG) && (r->efer & EFER_LME) && !(r->cr4 & CR4_PAE))
        return "CR0.PG is set and EFER.LME is set but CR4.PAE is clear: long mode needs PAE; "
               "SDM vol. 3, 4.1.1";
    if (long_mode(r) && !((r->efer & EFER_LME) && (r->cr0 & CR0_PG)))
        return "EFER.LMA is set without both EFER.LME and CR0.PG: the processor sets LMA when "
               "paging is turned on with LME set; SDM vol. 3, 9.8.5";
    if (!long_mode(r) && (r->efer & EFER_LME) && (r->cr0 & CR0_PG))
        return "EFER.LME and CR0.PG are set but EFER.LMA is clear: long mode is active then; "
               "SDM vol. 3, 9.8.5";
    if ((r->cr4 & CR4_PCIDE) && !long_mode(r))
        return "CR4.PCIDE is set outside long mode; SDM vol. 3, 4.10.1";
    if (r->cr4 >> 32)
        return "CR4 has a reserved bit set; SDM vol. 3, 2.5";
    if (r->cr3 >> 52)
        return "CR3 has a bit set above the physical address; SDM vol. 3, 4.5";
    if ((r->cr0 & CR0_PG) && !long_mode(r) && r->cr3 >> 32)
        return "CR3 has a bit set above 31 outside long mode; SDM vol. 3, 4.3";
    if (r->cr8 > 0xf)
        return "CR8 is above 15: it holds a priority of four bits; SDM vol. 3, 10.8.6";
    return NULL;
}

/* PAE paging holds the four top entries in the processor, so they must be good ones. */
static const char *
pdpte_invalid(const struct x86_regs *r)
{
    const uint64_t reserved = UINT64_C(0xfff00000000001e6);

    if (!(r->cr0 & CR0_PG) || !(r->cr4 & CR4_PAE) || long_mode(r))
        return NULL;
    for (unsigned i = 0; i < 4; i++)
        if ((r->pdpte[i] & 1) && (r->pdpte[i] & reserved))
            return "a present PDPTE has a reserved bit set; SDM vol. 3, 4.4.1";
    return NULL;
}

static const char *
debug_and_msr_invalid(const struct x86_regs *r)
{
    uint32_t mxcsr;

    if (r->dr[6] >> 32)
        return "DR6 has a bit set above 31; SDM vol. 3, 17.2.3";
    if (r->dr[7] >> 32)
        return "DR7 has a bit set above 31; SDM vol. 3, 17.2.4 and 26.3.1.1";
    for (unsigned i = 0; i < 8; i++) {
        unsigned type = r->pat >> (8 * i) & 0xff;
        if (type > 7 || type == 2 || type == 3)
            return "IA32_PAT has an entry that is no memory type (0, 1, 4, 5, 6 or 7); "
                   "SDM vol. 3, 11.12.2";
    }
    if (!x86_canonical(r->lstar) || !x86_canonical(r->cstar))
        return "IA32_LSTAR or IA32_CSTAR is not a canonical address; SDM vol. 3, 5.8.8";
    if (!x86_canonical(r->kernel_gs_base))
        return "IA32_KERNEL_GS_BASE is not a canonical address; SDM vol. 3, 3.4.4.1";
    if (!x86_canonical(r->sysenter_esp) || !x86_canonical(r->sysenter_eip))
        return "IA32_SYSENTER_ESP or IA32_SYSENTER_EIP is not a canonical address; "
               "SDM vol. 3, 26.3.1.1";
    memcpy(&mxcsr, r->fx + FX_MXCSR, sizeof(mxcsr));
    if (mxcsr & ~0x3ffffu) /* bits 16 and 17 are AMD's */
        return "MXCSR has a reserved bit set; SDM vol. 1, 10.2.3";
    return NULL;
}

/* Granularity and limit must tell the same (SDM vol. 3, 26.3.1.2): a limit in bytes that comes
 * from a descriptor has its low 12 bits set if G is, and fits in 20 bits if G is not. */
static bool
limit_invalid(const struct x86_segment *s)
{
    if (!(s->attr & SEG_P))
        return false;
    return s->attr & SEG_G ? (s->limit & 0xfff) != 0xfff : s->limit > 0xfffff;
}

/* Virtual-8086 mode: every segment is base = selector * 16, 64 KiB, writable, DPL 3. */
static const char *
v86_invalid(const struct x86_regs *r)
{
    const unsigned attr = SEG_P | SEG_DPL | SEG_S | SEG_WRITABLE | SEG_ACCESSED;

    for (unsigned i = 0; i < X86_NSEG; i++) {
        const struct x86_segment *s = &r->seg[i];
        if (s->base != (uint64_t)s->selector << 4 || s->limit != 0xffff || s->attr != attr)
            return "RFLAGS.VM is set but a segment is not base = selector * 16, limit ffff, "
                   "attributes f3; SDM vol. 3, 26.3.1.2";
    }
    return NULL;
}

/* CS and SS in real and protected mode. What real mode leaves in CS is allowed in protected mode
 * too: it stays there until the first far jump (SDM vol. 3, 9.9.1), with whatever RPL. */
static const char *
code_and_stack_invalid(const struct x86_regs *r)
{
    const struct x86_segment *cs = &r->seg[X86_CS], *ss = &r->seg[X86_SS];
    unsigned cs_dpl = (cs->attr & SEG_DPL) >> SEG_DPL_SHIFT, cpl = x86_cpl(r);

    if (!(cs->attr & SEG_P) || !(cs->attr & SEG_S))
        return "CS holds no code segment (P or S is clear); SDM vol. 3, 26.3.1.2";
    if (!(cs->attr & SEG_ACCESSED))
        return "CS holds a code segment that was never accessed: loading sets the bit; "
               "SDM vol. 3, 26.3.1.2";
    if (!(cs->attr & SEG_CODE) && cpl)
        return "CS holds a data segment at a CPL that is not 0; SDM vol. 3, 26.3.1.2";
    if (!(cs->attr & SEG_CODE) && (r->cr0 & CR0_PE) && long_mode(r))
        return "CS holds a data segment in long mode; SDM vol. 3, 26.3.1.2";
    if ((cs->attr & SEG_CODE) && !(cs->attr & SEG_CONFORMING) && cs_dpl != cpl)
        return "the DPL of CS is not that of SS, the CPL: a code segment that is not "
               "conforming runs at its own DPL; SDM vol. 3, 26.3.1.2";
    if ((cs->attr & SEG_CODE) && (cs->attr & SEG_CONFORMING) && cs_dpl > cpl)
        return "CS is conforming and its DPL is above the CPL (the DPL of SS); "
               "SDM vol. 3, 26.3.1.2";
    if (long_mode(r) && (cs->attr & SEG_L) && (cs->attr & SEG_DB))
        return "CS.L and CS.D are both set: no such code segment in long mode; "
               "SDM vol. 3, 5.2.1";
    if ((ss->attr & SEG_P) && (ss->attr & (SEG_S | SEG_CODE | SEG_WRITABLE | SEG_ACCESSED)) !=
                                  (SEG_S | SEG_WRITABLE | SEG_ACCESSED))
        return "SS holds no writable data segment; SDM vol. 3, 26.3.1.2";
    if (!(r->cr0 & CR0_PE) && cpl)
        return "the DPL of SS is not 0 in real mode: the CPL is 0 there; SDM vol. 3, 26.3.1.2";
    return NULL;
}

static const char *
data_segments_invalid(const struct x86_regs *r)
{
    for (unsigned i = 0; i < X86_NSEG; i++) {
        const struct x86_segment *s = &r->seg[i];
        if (limit_invalid(s))
            return "a segment's limit does not agree with its G bit (G set: the low 12 bits "
                   "are ones; clear: at most fffff); SDM vol. 3, 26.3.1.2";
        if ((s->attr & SEG_P) && !(s->attr & SEG_S))
            return "a segment register holds a system descriptor; SDM vol. 3, 26.3.1.2";
        bool wide = i == X86_FS || i == X86_GS;
        if (wide ? !x86_canonical(s->base) : (s->attr & SEG_P) && s->base >> 32)
            return wide ? "the base of FS or GS is not canonical; SDM vol. 3, 26.3.1.2"
                        : "the base of CS, SS, DS or ES is above 4 GiB; SDM vol. 3, 26.3.1.2";
    }
    return NULL;
}

static const char *
system_segments_invalid(const struct x86_regs *r)
{
    unsigned type = r->tr.attr & SEG_TYPE;

    if (!(r->tr.attr & SEG_P) || (r->tr.attr & SEG_S) ||
        (type != SYS_TSS_BUSY && (type != SYS_TSS16_BUSY || long_mode(r))))
        return "TR holds no busy TSS (attributes 8b; 83 outside long mode); "
               "SDM vol. 3, 26.3.1.2";
    if (limit_invalid(&r->tr) || limit_invalid(&r->ldtr))
        return "the limit of TR or LDTR does not agree with its G bit; SDM vol. 3, 26.3.1.2";
    if ((r->tr.selector & 4) || ((r->ldtr.attr & SEG_P) && (r->ldtr.selector & 4)))
        return "TR or LDTR comes from an LDT: both lie in the GDT; SDM vol. 3, 26.3.1.2";
    if ((r->ldtr.attr & SEG_P) && (r->ldtr.attr & (SEG_S | SEG_TYPE)) != SYS_LDT)
        return "LDTR holds no LDT descriptor (attributes 82); SDM vol. 3, 26.3.1.2";
    if (!x86_canonical(r->tr.base) || !x86_canonical(r->ldtr.base))
        return "the base of TR or LDTR is not canonical; SDM vol. 3, 26.3.1.2";
    if (!x86_canonical(r->gdtr.base) || !x86_canonical(r->idtr.base))
        return "the base of GDTR or IDTR is not canonical; SDM vol. 3, 26.3.1.3";
    return NULL;
}

static const char *
segments_invalid(const struct x86_regs *r)
{
    if (r->rflags & FLAG_VM)
        return v86_invalid(r);
    const char *why = code_and_stack_invalid(r);
    return why ? why : data_segments_invalid(r);
}

static const char *
flags_invalid(const struct x86_regs *r)
{
    if (r->rflags & ~(uint64_t)(FLAGS_ALL | FLAG_ONE))
        return "RFLAGS has a reserved bit set; SDM vol. 3, 26.3.1.4";
    if (!(r->rflags & FLAG_ONE))
        return "RFLAGS bit 1 is clear: it is always set; SDM vol. 3, 26.3.1.4";
    if ((r->rflags & FLAG_VM) && (long_mode(r) || !(r->cr0 & CR0_PE)))
        return "RFLAGS.VM is set in long mode or real mode: virtual-8086 mode is a part of "
               "protected mode; SDM vol. 3, 26.3.1.4";
    return NULL;
}

static const char *
rip_invalid(const struct x86_regs *r)
{
    if (!long_mode(r) || !(r->seg[X86_CS].attr & SEG_L))
        return r->rip >> 32 ? "RIP is above 32 bits outside 64-bit mode; SDM vol. 3, 26.3.1.4"
                            : NULL;
    return x86_canonical(r->rip) ? NULL : "RIP is not canonical; SDM vol. 3, 26.3.1.4";
}

static const char *
activity_invalid(const struct x86_regs *r)
{
    if (r->shadow & ~(X86_SHADOW_STI | X86_SHADOW_MOVSS))
        return "the interrupt shadow has an unknown bit set; SDM vol. 3, 24.4.2";
    if ((r->shadow & X86_SHADOW_STI) && (r->shadow & X86_SHADOW_MOVSS))
        return "interrupts are held off by STI and by MOV SS at once; SDM vol. 3, 26.3.1.5";
    if ((r->shadow & X86_SHADOW_STI) && !(r->rflags & FLAG_IF))
        return "interrupts are held off by STI but RFLAGS.IF is clear; SDM vol. 3, 26.3.1.5";
    if (r->halted && r->shadow)
        return "the processor is halted in an interrupt shadow: HLT ends it; "
               "SDM vol. 3, 26.3.1.5";
    if (r->halted && x86_cpl(r))
        return "the processor is halted at a CPL that is not 0: HLT is privileged; "
               "SDM vol. 3, 26.3.1.5";
    return NULL;
}

const char *
x86_regs_invalid(const struct x86_regs *r)
{
    /* What later checks rely on comes first: the mode, then the segments, then the rest. */
    static const char *(*const checks[])(const struct x86_regs *) = {
        control_invalid,  flags_invalid,           pdpte_invalid, debug_and_msr_invalid,
        segments_invalid, system_segments_invalid, rip_invalid,   activity_invalid,
    };
    const char *why = NULL;

    for (unsigned i = 0; !why && i < sizeof(checks) / sizeof(checks[0]); i++)
        why = checks[i](r);
    return why;
}
