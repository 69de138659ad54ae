/*
 * compare.c - one instruction, decoded by the interpreter and by Zydis: do they agree?
 *
 * Compared are whether it is an instruction, its length, its mnemonic, and every operand: register,
 * immediate, and of a memory operand base, index, scale, displacement, segment and size.
 * The table in names.c says which names differ on purpose.
 */
#include "tests/decode/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <Zydis/Zydis.h>

#include "isa/x86/exec.h"
#include "tests/decode/names.h"

struct zydis {
    ZydisDecoder decoder;
    ZydisMachineMode mode;
    unsigned code_size;
};

struct zydis *
zydis_open(unsigned code_size)
{
    struct zydis *z = calloc(1, sizeof(*z));

    if (!z)
        return NULL;
    z->code_size = code_size;
    z->mode = code_size == 8   ? ZYDIS_MACHINE_MODE_LONG_64
              : code_size == 4 ? ZYDIS_MACHINE_MODE_LEGACY_32
                               : ZYDIS_MACHINE_MODE_LEGACY_16;
    ZydisStackWidth stack = code_size == 8   ? ZYDIS_STACK_WIDTH_64
                            : code_size == 4 ? ZYDIS_STACK_WIDTH_32
                                             : ZYDIS_STACK_WIDTH_16;
    if (ZYAN_FAILED(ZydisDecoderInit(&z->decoder, z->mode, stack))) {
        free(z);
        return NULL;
    }
    return z;
}

void
zydis_close(struct zydis *z)
{
    free(z);
}

/* --- operands ------------------------------------------------------------------------------------ */

/* Our number of a Zydis general register; X86_NO_REG for none, X86_RIP for RIP and EIP. */
static unsigned
register_number(ZydisRegister reg)
{
    switch (ZydisRegisterGetClass(reg)) {
    case ZYDIS_REGCLASS_INVALID: return X86_NO_REG;
    case ZYDIS_REGCLASS_IP: return X86_RIP;
    case ZYDIS_REGCLASS_GPR8:
        if (reg >= ZYDIS_REGISTER_SPL)
            return 4u + (unsigned)(reg - ZYDIS_REGISTER_SPL);
        return (unsigned)(reg - ZYDIS_REGISTER_AL) & 3u; /* AL to BL, AH to BH */
    default: return (unsigned)ZydisRegisterGetId(reg);
    }
}

static const char *
compare_register(const struct x86_operand *ours, ZydisRegister reg)
{
    bool high = reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH;
    ZydisRegisterClass class = ZydisRegisterGetClass(reg);
    static const struct {
        ZydisRegisterClass class;
        uint8_t kind, size;
    } classes[] = {
        {ZYDIS_REGCLASS_GPR8, OPERAND_GPR, 1},     {ZYDIS_REGCLASS_GPR16, OPERAND_GPR, 2},
        {ZYDIS_REGCLASS_GPR32, OPERAND_GPR, 4},    {ZYDIS_REGCLASS_GPR64, OPERAND_GPR, 8},
        {ZYDIS_REGCLASS_SEGMENT, OPERAND_SREG, 2}, {ZYDIS_REGCLASS_CONTROL, OPERAND_CR, 0},
        {ZYDIS_REGCLASS_DEBUG, OPERAND_DR, 0},
    };

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (classes[i].class != class)
            continue;
        if (ours->kind != (high ? OPERAND_GPR_HI : classes[i].kind))
            return "kind of operand";
        if (classes[i].size && ours->size != classes[i].size)
            return "size of a register";
        return ours->reg == register_number(reg) ? NULL : "register";
    }
    return "kind of operand";
}

static const char *
compare_memory(const struct zydis *z, const struct x86_insn *in, const struct x86_operand *ours,
               const ZydisDecodedOperand *op, const ZydisDecodedInstruction *insn)
{
    static const uint8_t segments[] = {X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS};
    unsigned seg = segments[op->mem.segment - ZYDIS_REGISTER_ES];
    uint64_t mask = x86_size_mask(in->adsize);

    if (in->adsize * 8u != insn->address_width)
        return "address size";
    /* ES CS SS DS do not matter in 64-bit mode, but for which exception an access raises. */
    if (in->seg != seg && op->mem.type != ZYDIS_MEMOP_TYPE_AGEN)
        return "segment";
    if (op->mem.type == ZYDIS_MEMOP_TYPE_MEM && op->size && ours->size &&
        op->size != ours->size * 8u && in->exec != exec_cmpxchg8b)
        return "size of memory";
    if (ours->kind == OPERAND_MOFFS)
        return ((uint64_t)op->mem.disp.value ^ in->imm) & mask ? "offset" : NULL;
    if (ours->kind != OPERAND_MEM)
        return "kind of operand";
    if (in->base != register_number(op->mem.base))
        return "base";
    if (in->index != register_number(op->mem.index))
        return "index";
    if (in->index != X86_NO_REG && 1u << in->scale != op->mem.scale)
        return "scale";
    (void)z;
    return ((uint64_t)op->mem.disp.value ^ (uint64_t)(int64_t)in->disp) & mask ? "displacement"
                                                                               : NULL;
}

static const char *
compare_operand(const struct zydis *z, const struct x86_insn *in, unsigned n,
                const ZydisDecodedOperand *op, const ZydisDecodedInstruction *insn)
{
    const struct x86_operand *ours = &in->operand[n];
    uint64_t value = n && in->operand[0].kind == OPERAND_IMM ? in->imm2 : in->imm;

    switch (op->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER: return compare_register(ours, op->reg.value);
    case ZYDIS_OPERAND_TYPE_MEMORY: return compare_memory(z, in, ours, op, insn);
    case ZYDIS_OPERAND_TYPE_POINTER:
        if (ours->kind != OPERAND_IMM || in->imm != op->ptr.offset || in->imm2 != op->ptr.segment)
            return "far pointer";
        return NULL;
    case ZYDIS_OPERAND_TYPE_IMMEDIATE:
        if (ours->kind != OPERAND_IMM && ours->kind != OPERAND_REL)
            return "kind of operand";
        if ((op->imm.value.u ^ value) & x86_size_mask(ours->size))
            return "immediate";
        return NULL;
    default: return "kind of operand";
    }
}

/* Which of Zydis' operands is our n-th: of x87 ours has memory alone, and no ST(i). */
static const ZydisDecodedOperand *
their_operand(const struct x86_insn *in, const ZydisDecodedInstruction *insn,
              const ZydisDecodedOperand *operands, unsigned n)
{
    while (in->exec == exec_x87 && n + 1 < insn->operand_count_visible &&
           operands[n].type != ZYDIS_OPERAND_TYPE_MEMORY)
        n++;
    return &operands[n];
}

/* Our table leaves out operands that nothing depends on (the second of a NOP, those of a string
 * instruction); the ones that it has are compared. */
static const char *
compare_operands(const struct zydis *z, const struct x86_insn *in,
                 const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands,
                 unsigned *count)
{
    if (in->noperands > insn->operand_count_visible)
        return "number of operands";
    for (unsigned i = 0; i < in->noperands; i++) {
        const char *what = compare_operand(z, in, i, their_operand(in, insn, operands, i), insn);
        if (what)
            return what;
        (*count)++;
    }
    return NULL;
}

/* --- one instruction ------------------------------------------------------------------------------ */

static const char *
extension(const ZydisDecodedInstruction *insn)
{
    if (insn->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY)
        return ZydisISAExtGetString(insn->meta.isa_ext);
    return insn->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX    ? "VEX"
           : insn->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX ? "EVEX"
           : insn->encoding == ZYDIS_INSTRUCTION_ENCODING_XOP  ? "XOP"
                                                               : "3DNow";
}

void
compare_bytes(const struct zydis *z, const uint8_t *bytes, unsigned avail, struct comparison *out)
{
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    struct x86_insn in;
    bool known = ZYAN_SUCCESS(ZydisDecoderDecodeFull(&z->decoder, bytes, avail, &insn, operands));
    int length = x86_decode(bytes, avail, z->code_size, &in);
    bool ours = length > 0 && in.exec != exec_undefined;

    *out = (struct comparison){.verdict = SAME, .length = known ? insn.length : 0};
    if (!known) {
        out->verdict = ours ? DIFFERENT : BOTH_BAD;
        out->what = "Zydis knows no such instruction";
    } else if (length > 0 && in.op->name && !strncmp(in.op->name, "ud", 2) &&
               name_agrees(&in, insn.mnemonic)) {
        out->what = (unsigned)length == insn.length ? NULL : "length";
    } else if (!ours && (insn.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY ||
                         !name_is_ours(insn.meta.isa_ext, insn.mnemonic))) {
        out->verdict = NOT_OURS;
        out->what = extension(&insn);
        return;
    } else if (!ours) {
        out->what = "ours is undefined";
    } else if (insn.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY) {
        out->what = "ours is not VEX, EVEX or XOP";
    } else if ((unsigned)length != insn.length) {
        out->what = "length";
    } else if (!name_agrees(&in, insn.mnemonic)) {
        out->what = "mnemonic";
    } else {
        out->what = compare_operands(z, &in, &insn, operands, &out->operands);
    }
    if (out->what && out->verdict != BOTH_BAD) {
        const char *why = name_explain(&in, known ? &insn : NULL, z->code_size, out->what);
        out->verdict = why ? EXPLAINED : DIFFERENT;
        out->what = why ? why : out->what;
    }
}

void
compare_report(const struct zydis *z, const uint8_t *bytes, unsigned avail,
               const struct comparison *c)
{
    struct x86_insn in;
    char text[120];
    int length = x86_decode(bytes, avail, z->code_size, &in);
    unsigned shown = c->length ? c->length : length > 0 ? (unsigned)length : avail;

    x86_disassemble(bytes, avail, z->code_size, 0, text, sizeof(text));
    printf("DIFFERENT (%s), %u-bit:", c->what, z->code_size * 8);
    for (unsigned i = 0; i < shown; i++)
        printf(" %02x", bytes[i]);
    printf("\n  Zydis: %u bytes, %s\n", c->length, text);
    printf("  ours:  %d bytes, %s %s%s, opsize %u adsize %u seg %u base %x index %x scale %u "
           "disp %x imm %llx\n",
           length, length > 0 && in.op->name ? in.op->name : "",
           length > 0 && in.op->name ? in.op->operands : "",
           length > 0 && in.exec == exec_undefined ? " (#UD)" : "", in.opsize, in.adsize, in.seg,
           in.base, in.index, in.scale, (unsigned)in.disp, (unsigned long long)in.imm);
}
