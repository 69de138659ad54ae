/*
 * names.c - where our opcode table names an instruction otherwise than Zydis, and why.
 *
 * Our rows have one name for the forms that differ in operand size only (CBW, CWDE and CDQE); Zydis
 * has one for each. And our processor is one without SSE, VMX and so on: what it does not claim
 * through CPUID it must not decode.
 */
#include "tests/decode/names.h"

#include <string.h>

#include "isa/x86/exec.h"

/* ours, then the names that Zydis has for it */
static const char *const aliases[][8] = {
    {"cbw", "cwde", "cdqe"},
    {"cwd", "cdq", "cqo"},
    {"pushf", "pushfd", "pushfq"},
    {"popf", "popfd", "popfq"},
    {"pusha", "pushad"},
    {"popa", "popad"},
    {"iret", "iretd", "iretq"},
    {"jcxz", "jecxz", "jrcxz"},
    {"ins", "insw", "insd"},
    {"outs", "outsw", "outsd"},
    {"movs", "movsw", "movsd", "movsq"},
    {"cmps", "cmpsw", "cmpsd", "cmpsq"},
    {"stos", "stosw", "stosd", "stosq"},
    {"lods", "lodsw", "lodsd", "lodsq"},
    {"scas", "scasw", "scasd", "scasq"},
    {"cmpxchg8b", "cmpxchg16b"},
    {"fxsave", "fxsave64"},
    {"fxrstor", "fxrstor64"},
    {"xchg", "nop"},
    {"prefetchw", "prefetch", "prefetchwt1", "nop"},
    {"prefetchnta", "nop"},
    {"prefetcht0", "nop"},
    {"prefetcht1", "nop"},
    {"prefetcht2", "nop"},
};

bool
name_agrees(const struct x86_insn *in, ZydisMnemonic mnemonic)
{
    const char *ours = in->op->name, *theirs = ZydisMnemonicGetString(mnemonic);

    if (!ours) /* not in the table */
        return false;
    if (!strcmp(ours, theirs))
        return true;
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        for (unsigned k = 1; !strcmp(aliases[i][0], ours) && k < 8 && aliases[i][k]; k++)
            if (!strcmp(aliases[i][k], theirs))
                return true;
    return false;
}

bool
name_is_ours(ZydisISAExt ext, ZydisMnemonic mnemonic)
{
    (void)mnemonic;
    switch (ext) {
    case ZYDIS_ISA_EXT_BASE:
    case ZYDIS_ISA_EXT_LONGMODE:
    case ZYDIS_ISA_EXT_LZCNT:
    case ZYDIS_ISA_EXT_MOVBE:
    case ZYDIS_ISA_EXT_PAUSE:
    case ZYDIS_ISA_EXT_RDPID:
    case ZYDIS_ISA_EXT_RDTSCP:
    case ZYDIS_ISA_EXT_RDWRFSGS:
    case ZYDIS_ISA_EXT_SMAP:
    case ZYDIS_ISA_EXT_CLFSH:
    case ZYDIS_ISA_EXT_X87: return true;
    default: return false;
    }
}

/* An instruction that only some processors have, in an opcode that is a NOP on all others. */
static bool
is_nop_elsewhere(const ZydisDecodedInstruction *insn)
{
    return insn->meta.isa_ext == ZYDIS_ISA_EXT_CET || insn->meta.isa_ext == ZYDIS_ISA_EXT_MPX ||
           insn->meta.isa_ext == ZYDIS_ISA_EXT_CLDEMOTE;
}

/* Ours decodes, Zydis does not. */
static const char *
explain_ours(const struct x86_insn *in)
{
    if (in->exec == exec_mov_sreg)
        return "MOV Sreg: exec_mov_sreg() raises #UD for CS and for registers that do not exist";
    if (in->exec == exec_nop && (in->opcode == 0x11a || in->opcode == 0x11b))
        return "0F 1A and 1B: MPX is not there, so they are NOPs in every form (SDM vol. 1, 17.4)";
    return NULL;
}

/* Zydis 4.0.0 takes SIB base 101 for R13D when mod is 00, under 67 with REX.B; there is no base then
 * (SDM vol. 2, table 2-5: "not decoded"). tests/diff holds our reading against the processor. */
static bool
is_zydis_sib(const struct x86_insn *in, const ZydisDecodedInstruction *insn)
{
    return in->prefixes & PREFIX_ADSIZE && in->base == X86_NO_REG && insn->raw.modrm.mod == 0 &&
           insn->raw.modrm.rm == 4 && insn->raw.sib.base == 5;
}

/* 3E before an indirect branch: for Zydis NOTRACK only. Without CET it overrides the segment. */
static bool
is_notrack(const struct x86_insn *in, const ZydisDecodedInstruction *insn)
{
    return insn->attributes & ZYDIS_ATTRIB_HAS_NOTRACK && in->prefixes & PREFIX_SEGMENT;
}

/* Both decode, or Zydis alone. */
static const char *
explain_zydis(const struct x86_insn *in, const ZydisDecodedInstruction *insn, unsigned code_size,
              const char *what)
{
    bool size = !strncmp(what, "size", 4);

    if (is_zydis_sib(in, insn) && !strcmp(what, "base"))
        return "Zydis 4.0.0: SIB base 101 with mod 00, 67 and REX.B has no base";
    if (is_notrack(in, insn) && !strcmp(what, "segment"))
        return "3E before an indirect branch is a segment override where CET is not";
    switch (insn->mnemonic) {
    case ZYDIS_MNEMONIC_SYSCALL:
    case ZYDIS_MNEMONIC_SYSRET:
        return code_size != 8 ? "SYSCALL and SYSRET: 64-bit mode only on Intel" : NULL;
    case ZYDIS_MNEMONIC_RSM: return "RSM: #UD outside SMM, and there is none (SDM vol. 3, 31.14)";
    case ZYDIS_MNEMONIC_MOV:
        if (in->exec == exec_mov_sreg && size)
            return "MOV Ev,Sw: exec_mov_sreg() stores 16 bits whatever the operand size";
        return NULL;
    case ZYDIS_MNEMONIC_SLDT:
    case ZYDIS_MNEMONIC_STR:
    case ZYDIS_MNEMONIC_SMSW: return size ? "SLDT STR SMSW: store 16 bits" : NULL;
    case ZYDIS_MNEMONIC_LAR:
    case ZYDIS_MNEMONIC_LSL: return size ? "LAR LSL: only 16 bits of the source are used" : NULL;
    case ZYDIS_MNEMONIC_CLFLUSH:
        return size ? "CLFLUSH: Zydis says 64 bytes, what is checked is one" : NULL;
    case ZYDIS_MNEMONIC_MOVSXD:
        return size && in->opsize == 2 ? "MOVSXD of 16 bits loads 16 (SDM vol. 2; so do processors)"
                                       : NULL;
    default: break;
    }
    if (in->exec == exec_nop && insn->mnemonic == ZYDIS_MNEMONIC_NOP && in->modrm >= 0xc0)
        return "NOP with ModRM that names registers: which ones is nothing";
    if (in->exec == exec_nop && is_nop_elsewhere(insn))
        return "a NOP on a processor without CET, MPX, CLDEMOTE";
    return NULL;
}

const char *
name_explain(const struct x86_insn *in, const ZydisDecodedInstruction *insn, unsigned code_size,
             const char *what)
{
    return insn ? explain_zydis(in, insn, code_size, what) : explain_ours(in);
}
