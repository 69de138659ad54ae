/*
 * decode.c - from bytes to a struct x86_insn: prefixes, opcode, ModRM, SIB, displacement,
 * immediates (SDM vol. 2, 2.1 and 2.2).
 *
 * Called by x86_fetch_insn() (emulate.c) and by the soft engine when its cache misses. What can be
 * decided without the processor's state is decided here once, so that execution need not ask:
 * LOCK on an instruction that does not take it, forms that do not exist in 64-bit mode, register
 * forms of memory-only instructions. Such an instruction gets exec_undefined.
 *
 * Next: opcodes.c (the table), operand.h.
 */
#include <string.h>

#include "isa/x86/exec.h"

/* The bytes being decoded. Reading past `avail` sets `starved` and gives zeroes. */
struct cursor {
    const uint8_t *bytes;
    unsigned pos, avail;
    bool starved;
};

static uint8_t
next_byte(struct cursor *c)
{
    if (c->pos >= c->avail) {
        c->starved = true;
        return 0;
    }
    return c->bytes[c->pos++];
}

/* A little-endian constant of 1, 2, 4 or 8 bytes, zero-extended. */
static uint64_t
next_const(struct cursor *c, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)next_byte(c) << (8 * i);
    return value;
}

static uint64_t
sign_extend(uint64_t value, unsigned size)
{
    unsigned shift = 64 - 8 * size;

    return (uint64_t)((int64_t)(value << shift) >> shift);
}

/* REX: 0100 W R X B (SDM vol. 2, 2.2.1.2). */
#define REX_W 0x8u
#define REX_R 0x4u
#define REX_X 0x2u
#define REX_B 0x1u

#define MODRM_MOD(m) ((m) >> 6)
#define MODRM_REG(m) ((m) >> 3 & 7)
#define MODRM_RM(m)  ((m)&7)

/* Reads the legacy prefixes and REX; returns the first opcode byte. *rex is 0 if there is none. */
static uint8_t
decode_prefixes(struct cursor *c, unsigned code_size, struct x86_insn *in, uint8_t *rex)
{
    *rex = 0;
    for (;;) {
        uint8_t byte = next_byte(c);
        if (c->starved)
            return 0;
        switch (byte) {
        case 0x66: in->prefixes |= PREFIX_OPSIZE; break;
        case 0x67: in->prefixes |= PREFIX_ADSIZE; break;
        case 0xf0: in->prefixes |= PREFIX_LOCK; break;
        /* Of F2 and F3 the last one counts. */
        case 0xf2: in->prefixes = (in->prefixes & (uint8_t)~PREFIX_REP) | PREFIX_REPNE; break;
        case 0xf3: in->prefixes = (in->prefixes & (uint8_t)~PREFIX_REPNE) | PREFIX_REP; break;
        /* In 64-bit mode ES CS SS DS overrides are ignored (SDM vol. 2, 2.1.1, group 2). */
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
            if (code_size != 8) {
                in->seg = byte >> 3 & 3;
                in->prefixes |= PREFIX_SEGMENT;
            }
            break;
        case 0x64:
        case 0x65:
            in->seg = byte == 0x64 ? X86_FS : X86_GS;
            in->prefixes |= PREFIX_SEGMENT;
            break;
        default:
            if (code_size == 8 && (byte & 0xf0) == 0x40) {
                *rex = byte;
                continue;
            }
            return byte;
        }
        *rex = 0; /* a REX that is not the last prefix is ignored (SDM vol. 2, 2.2.1) */
    }
}

/* 16-bit addressing (SDM vol. 2, table 2-1). */
static void
decode_memory16(struct cursor *c, unsigned mod, unsigned rm, struct x86_insn *in)
{
    static const struct {
        uint8_t base, index, seg;
    } forms[8] = {
        {X86_RBX, X86_RSI, X86_DS},    {X86_RBX, X86_RDI, X86_DS},    {X86_RBP, X86_RSI, X86_SS},
        {X86_RBP, X86_RDI, X86_SS},    {X86_RSI, X86_NO_REG, X86_DS}, {X86_RDI, X86_NO_REG, X86_DS},
        {X86_RBP, X86_NO_REG, X86_SS}, {X86_RBX, X86_NO_REG, X86_DS},
    };
    bool direct = mod == 0 && rm == 6;

    in->base = direct ? X86_NO_REG : forms[rm].base;
    in->index = forms[rm].index;
    if (!(in->prefixes & PREFIX_SEGMENT))
        in->seg = direct ? X86_DS : forms[rm].seg;
    if (mod == 1)
        in->disp = (int8_t)next_byte(c);
    else if (mod == 2 || direct)
        in->disp = (int16_t)next_const(c, 2);
}

/* 32- and 64-bit addressing (SDM vol. 2, tables 2-2 and 2-3). */
static void
decode_memory32(struct cursor *c, unsigned mod, unsigned rm, uint8_t rex, unsigned code_size,
                struct x86_insn *in)
{
    in->base = (uint8_t)(rm | (rex & REX_B) << 3);
    if (rm == 4) {
        uint8_t sib = next_byte(c);
        in->scale = sib >> 6;
        in->index = (uint8_t)((sib >> 3 & 7) | (rex & REX_X) << 2);
        if (in->index == X86_RSP)
            in->index = X86_NO_REG;
        in->base = (uint8_t)((sib & 7) | (rex & REX_B) << 3);
        if ((sib & 7) == 5 && mod == 0)
            in->base = X86_NO_REG;
    } else if (rm == 5 && mod == 0) {
        in->base = code_size == 8 ? X86_RIP : X86_NO_REG;
    }
    if (!(in->prefixes & PREFIX_SEGMENT))
        in->seg = in->base == X86_RSP || in->base == X86_RBP ? X86_SS : X86_DS;
    if (mod == 1)
        in->disp = (int8_t)next_byte(c);
    else if (mod == 2 || (mod == 0 && (in->base == X86_NO_REG || in->base == X86_RIP)))
        in->disp = (int32_t)next_const(c, 4);
}

/* Size letter of an operand code (SDM vol. 2, A.2.2), in bytes. */
static uint8_t
operand_size(char letter, const struct x86_insn *in, unsigned code_size)
{
    switch (letter) {
    case 'b': return 1;
    case 'w': return 2;
    case 'd': return 4;
    case 'q': return 8;
    case 'v': return in->opsize;
    case 'z': return in->opsize == 2 ? 2 : 4;
    case 'y': return in->opsize == 8 ? 8 : 4;
    case 'r': return code_size == 8 ? 8 : 4; /* MOV CR, DR: the size of the mode */
    default: return 0;                       /* a structure: 'p', 's', 'a', or none */
    }
}

static struct x86_operand
gpr_operand(unsigned reg, uint8_t size, uint8_t rex)
{
    /* Without REX the byte registers 4-7 are AH CH DH BH. */
    if (size == 1 && reg >= 4 && reg < 8 && !rex)
        return (struct x86_operand){OPERAND_GPR_HI, size, (uint8_t)(reg - 4)};
    return (struct x86_operand){OPERAND_GPR, size, (uint8_t)reg};
}

/* Fixed registers: "AL", "CL", "DX", "rAX" (2, 4 or 8 bytes), "eAX" (2 or 4), and "1". */
static bool
decode_fixed(const char *code, struct x86_insn *in, struct x86_operand *op)
{
    if (code[0] == '1') {
        in->imm = 1;
        *op = (struct x86_operand){OPERAND_IMM, 1, 0};
    } else if (!strncmp(code, "AL", 2)) {
        *op = (struct x86_operand){OPERAND_GPR, 1, X86_RAX};
    } else if (!strncmp(code, "AX", 2)) {
        *op = (struct x86_operand){OPERAND_GPR, 2, X86_RAX};
    } else if (!strncmp(code, "CL", 2)) {
        *op = (struct x86_operand){OPERAND_GPR, 1, X86_RCX};
    } else if (!strncmp(code, "DX", 2)) {
        *op = (struct x86_operand){OPERAND_GPR, 2, X86_RDX};
    } else if (!strncmp(code, "rAX", 3)) {
        *op = (struct x86_operand){OPERAND_GPR, in->opsize, X86_RAX};
    } else if (!strncmp(code, "eAX", 3)) {
        *op = (struct x86_operand){OPERAND_GPR, in->opsize == 2 ? 2 : 4, X86_RAX};
    } else {
        return false;
    }
    return true;
}

/* Immediates: Ib Iw Iz Iv; "sIb" and "sIz" are sign-extended to the operand size. */
static struct x86_operand
decode_immediate(struct cursor *c, const char *code, struct x86_insn *in)
{
    bool extend = code[0] == 's';
    uint8_t size = operand_size(code[extend ? 2 : 1], in, 0);
    uint64_t value = next_const(c, size);

    if (extend)
        in->imm = sign_extend(value, size) & x86_size_mask(in->opsize);
    else if (in->noperands && in->operand[0].kind == OPERAND_IMM)
        in->imm2 = (uint16_t)value; /* ENTER Iw,Ib */
    else
        in->imm = value;
    return (struct x86_operand){OPERAND_IMM, extend ? in->opsize : size, 0};
}

/* One operand code: decodes what belongs to it and appends it to in->operand. */
static void
decode_operand(struct cursor *c, const char *code, uint8_t rex, unsigned code_size,
               struct x86_insn *in)
{
    struct x86_operand *op = &in->operand[in->noperands];
    uint8_t size = operand_size(code[1], in, code_size);
    unsigned reg = MODRM_REG(in->modrm) | (rex & REX_R) << 1;
    unsigned rm = MODRM_RM(in->modrm) | (rex & REX_B) << 3;

    if (decode_fixed(code, in, op)) {
        in->noperands++;
        return;
    }
    switch (code[0]) {
    case 'E':
    case 'M':
        if (MODRM_MOD(in->modrm) == 3)
            *op = gpr_operand(rm, size, rex);
        else
            *op = (struct x86_operand){OPERAND_MEM, size, 0};
        break;
    case 'G': *op = gpr_operand(reg, size, rex); break;
    case 'R': *op = (struct x86_operand){OPERAND_GPR, size, (uint8_t)rm}; break;
    case 'Z': /* register in the low three bits of the opcode */
        *op = gpr_operand((in->opcode & 7) | (rex & REX_B) << 3, size, rex);
        break;
    case 'S': *op = (struct x86_operand){OPERAND_SREG, 2, MODRM_REG(in->modrm)}; break;
    case 'C': *op = (struct x86_operand){OPERAND_CR, size, (uint8_t)reg}; break;
    case 'D': *op = (struct x86_operand){OPERAND_DR, size, (uint8_t)reg}; break;
    case 'I':
    case 's': *op = decode_immediate(c, code, in); break;
    case 'J':
        size = code[1] == 'b' ? 1 : in->opsize == 2 ? 2 : 4;
        in->imm = sign_extend(next_const(c, size), size);
        *op = (struct x86_operand){OPERAND_REL, in->opsize, 0};
        break;
    case 'O': /* an absolute offset, as wide as the address size */
        in->imm = next_const(c, in->adsize);
        *op = (struct x86_operand){OPERAND_MOFFS, size, 0};
        break;
    case 'A': /* far pointer: offset, then selector */
        in->imm = next_const(c, in->opsize == 2 ? 2 : 4);
        in->imm2 = (uint16_t)next_const(c, 2);
        *op = (struct x86_operand){OPERAND_IMM, in->opsize, 0};
        break;
    default: return; /* X, Y: string operands are implied */
    }
    in->noperands++;
}

static bool
has_modrm(const struct x86_opcode *row)
{
    if (row->flags & (OP_GROUP | OP_MODRM))
        return true;
    for (const char *p = row->operands; p && *p; p++)
        if ((p == row->operands || p[-1] == ',') && strchr("EGMRSCD", *p) && p[1] != 'X')
            return true;
    return false;
}

static void
decode_sizes(const struct x86_opcode *row, uint8_t rex, unsigned code_size, struct x86_insn *in)
{
    bool small = in->prefixes & PREFIX_OPSIZE;

    if (code_size == 8) {
        if (row->flags & OP_FORCE64 || rex & REX_W)
            in->opsize = 8;
        else if (row->flags & OP_DEF64)
            in->opsize = small ? 2 : 8;
        else
            in->opsize = small ? 2 : 4;
        in->adsize = in->prefixes & PREFIX_ADSIZE ? 4 : 8;
        return;
    }
    in->opsize = (code_size == 2) == small ? 4 : 2;
    in->adsize = (code_size == 2) == !!(in->prefixes & PREFIX_ADSIZE) ? 4 : 2;
}

/* The row that a mandatory prefix or the key (insn.h) selects instead of `row`. */
static const struct x86_opcode *
find_variant(const struct x86_opcode *row, const struct x86_insn *in, uint8_t key)
{
    for (unsigned i = 0; i < x86_variant_count; i++) {
        const struct x86_variant *v = &x86_variants[i];
        if (v->opcode == in->opcode && (!v->prefix || in->prefixes & v->prefix) &&
            (key & v->key_mask) == v->key)
            return &v->row;
    }
    return row;
}

/* The row that the ModRM byte or a prefix makes of the map's. */
static const struct x86_opcode *
select_row(const struct x86_opcode *row, const struct x86_insn *in, uint8_t rex, unsigned code_size)
{
    if (row->flags & OP_X87)
        return x87_row((uint8_t)in->opcode, in->modrm);
    if (!(row->flags & OP_VARIANT))
        return row;
    if (in->opcode == 0x90)
        return find_variant(row, in, rex & REX_B);
    return find_variant(row, in, in->opcode == 0x63 ? (uint8_t)code_size : in->modrm);
}

/* Control registers are 0, 2, 3, 4 and 8, debug registers 0 to 7. Another is #UD even for a program
 * that may use none (SDM vol. 2, MOV). */
static bool
names_no_register(const struct x86_insn *in)
{
    for (unsigned i = 0; i < in->noperands; i++) {
        unsigned reg = in->operand[i].reg;
        if (in->operand[i].kind == OPERAND_CR && !(reg < 16 && 0x011du >> reg & 1))
            return true;
        if (in->operand[i].kind == OPERAND_DR && reg > 7)
            return true;
    }
    return false;
}

/* What no processor state can make valid; `flags` are the row's and those of its group. */
static bool
is_undefined(const struct x86_opcode *row, uint16_t flags, unsigned code_size,
             const struct x86_insn *in)
{
    bool memory = in->noperands && in->operand[0].kind == OPERAND_MEM;
    bool mod3 = MODRM_MOD(in->modrm) == 3;

    if (!row->exec || names_no_register(in))
        return true;
    if (flags & (code_size == 8 ? OP_NO64 : OP_ONLY64))
        return true;
    if ((flags & OP_MEM_ONLY && mod3) || (flags & OP_REG_ONLY && !mod3))
        return true;
    if (flags & OP_NP && in->prefixes & (PREFIX_OPSIZE | PREFIX_REP | PREFIX_REPNE))
        return true;
    return in->prefixes & PREFIX_LOCK && !(flags & OP_LOCK && memory);
}

int
x86_decode(const uint8_t *bytes, unsigned avail, unsigned code_size, struct x86_insn *in)
{
    struct cursor c = {bytes, 0, avail > X86_INSN_MAX ? X86_INSN_MAX : avail, false};
    const struct x86_opcode *row;
    uint8_t rex, byte;

    *in = (struct x86_insn){.seg = X86_DS, .base = X86_NO_REG, .index = X86_NO_REG};
    byte = decode_prefixes(&c, code_size, in, &rex);
    row = &x86_opcodes_1byte[byte];
    in->opcode = byte;
    if (byte == 0x0f) {
        byte = next_byte(&c);
        in->opcode = (uint16_t)(0x100 | byte);
        row = &x86_opcodes_0f[byte];
        if (byte == 0x38) {
            byte = next_byte(&c);
            in->opcode = (uint16_t)(0x200 | byte);
            row = &x86_opcodes_0f38[byte];
        }
    }
    if (rex)
        in->prefixes |= PREFIX_REX | (rex & REX_W ? PREFIX_REX_W : 0);
    bool modrm = has_modrm(row);
    if (modrm)
        in->modrm = next_byte(&c);
    row = select_row(row, in, rex, code_size);
    uint16_t group_flags = row->flags;
    if (row->flags & OP_GROUP)
        row = &row->group[MODRM_REG(in->modrm)];
    in->op = row;
    decode_sizes(row, rex, code_size, in);
    /* MOV to and from CR and DR ignores mod: always a register (SDM vol. 2, MOV). An undefined opcode
     * of a group has its displacement all the same: it counts for the limit of 15 bytes. */
    char first = row->operands ? *row->operands : '\0';
    bool no_memory = first == 'R' || first == 'C' || first == 'D';
    if (modrm && MODRM_MOD(in->modrm) != 3 && !no_memory) {
        if (in->adsize == 2)
            decode_memory16(&c, MODRM_MOD(in->modrm), MODRM_RM(in->modrm), in);
        else
            decode_memory32(&c, MODRM_MOD(in->modrm), MODRM_RM(in->modrm), rex, code_size, in);
    }
    for (const char *code = row->operands; code && *code;) {
        decode_operand(&c, code, rex, code_size, in);
        code = strchr(code, ',');
        if (!code++)
            break;
    }
    if (c.starved)
        return avail >= X86_INSN_MAX ? -1 : 0;
    in->length = (uint8_t)c.pos;
    in->careful = row->flags & OP_CAREFUL;
    bool undefined = is_undefined(row, row->flags | group_flags, code_size, in);
    if (undefined)
        in->exec = exec_undefined;
    else if (row->intercept || row->flags & (OP_CPL0 | OP_PROTECTED))
        in->exec = exec_checked;
    else if (!(in->exec = x86_fast_form(in)))
        in->exec = row->exec;
    return (int)c.pos;
}
