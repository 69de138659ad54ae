/*
 * insn.h - one decoded instruction, and the opcode table that it is decoded with.
 *
 * decode.c fills a struct x86_insn from the bytes at CS:RIP; the soft engine keeps it in its
 * cache; the functions named exec_* (one per group of instructions: alu.c, string.c, system.c ...)
 * carry it out. Operand codes are those of the SDM vol. 2, Appendix A.2 (Eb, Gv, Iz ...), so that
 * the table can be laid beside the manual.
 *
 * Next: opcodes.c (the table), decode.c, operand.h (reading and writing operands).
 */
#ifndef HV_ISA_X86_INSN_H
#define HV_ISA_X86_INSN_H

#include <stdbool.h>
#include <stdint.h>

struct x86_cpu;

#define X86_INSN_MAX 15 /* bytes; longer is #GP (SDM vol. 2, 2.3.11) */

/* Prefixes seen. */
#define PREFIX_LOCK    0x01u
#define PREFIX_REP     0x02u /* F3 */
#define PREFIX_REPNE   0x04u /* F2 */
#define PREFIX_OPSIZE  0x08u /* 66 */
#define PREFIX_ADSIZE  0x10u /* 67 */
#define PREFIX_REX     0x20u
#define PREFIX_REX_W   0x40u
#define PREFIX_SEGMENT 0x80u

/* Where an operand is. */
enum x86_operand_kind {
    OPERAND_NONE,
    OPERAND_GPR,    /* reg: 0-15 */
    OPERAND_GPR_HI, /* reg: 0-3 for AH CH DH BH */
    OPERAND_MEM,    /* seg:base + index * scale + disp */
    OPERAND_MOFFS,  /* seg:imm, the absolute offset of MOV A0-A3 */
    OPERAND_IMM,    /* imm, already extended to the operand's size */
    OPERAND_REL,    /* imm, sign-extended, relative to the next instruction */
    OPERAND_SREG,
    OPERAND_CR,
    OPERAND_DR,
};

struct x86_operand {
    uint8_t kind; /* enum x86_operand_kind */
    uint8_t size; /* bytes */
    uint8_t reg;
};

#define X86_NO_REG 0xffu /* no base, or no index */
#define X86_RIP    0xfeu /* base: the address of the next instruction */

struct x86_insn;
struct x86_opcode;
typedef int (*x86_exec_fn)(struct x86_cpu *cpu, const struct x86_insn *in);

/* 56 bytes: with the tag of the soft engine's cache, one line of the host's. */
struct x86_insn {
    x86_exec_fn exec;
    const struct x86_opcode *op;
    uint64_t imm; /* immediate, relative offset or moffs */
    int32_t disp;
    uint16_t opcode;            /* map << 8 | byte; map 0: one byte, 1: 0F, 2: 0F38 */
    uint16_t imm2;              /* ENTER's level; a far pointer's selector */
    uint8_t length;             /* bytes */
    uint8_t prefixes;           /* PREFIX_* */
    uint8_t opsize;             /* effective operand size: 2, 4, 8 */
    uint8_t adsize;             /* effective address size: 2, 4, 8 */
    uint8_t modrm;              /* the byte itself; mod, reg, rm without REX */
    uint8_t seg;                /* segment of the memory operand */
    uint8_t base, index, scale; /* scale is a shift: 0-3 */
    bool careful;               /* the row has OP_CAREFUL */
    uint8_t noperands;
    struct x86_operand operand[3];
};

/* Properties of an opcode that decode.c and emulate.c check before exec runs. */
#define OP_LOCK      0x0001u /* LOCK is allowed if the first operand is memory */
#define OP_NO64      0x0002u /* #UD in 64-bit mode */
#define OP_ONLY64    0x0004u /* #UD outside it */
#define OP_CPL0      0x0008u /* privileged: #GP(0) above CPL 0 */
#define OP_PROTECTED 0x0010u /* #UD in real mode */
#define OP_DEF64     0x0020u /* operand size is 64 in 64-bit mode (stack) */
#define OP_FORCE64   0x0040u /* the same and 66 does not change it (near branches) */
#define OP_MEM_ONLY  0x0080u /* #UD if ModRM names a register */
#define OP_REG_ONLY  0x0100u /* #UD if ModRM names memory */
#define OP_REP       0x0200u /* string instruction: REP repeats it */
#define OP_GROUP     0x0400u /* exec depends on ModRM.reg: see x86_opcode.group */
#define OP_CAREFUL   0x0800u /* sets an interrupt shadow: only x86_execute() may run it */
#define OP_VARIANT   0x1000u /* a prefix or the whole ModRM byte selects another row */
#define OP_MODRM     0x2000u /* has a ModRM byte although no operand says so */
#define OP_NP        0x4000u /* #UD after 66, F2 or F3 ("NP" in the SDM): they select another row */
#define OP_X87       0x8000u /* opcode and ModRM select a row of x87_table.c */

struct x86_opcode {
    const char *name;               /* mnemonic in lower case, as Zydis prints it */
    const char *operands;           /* "Ev,Gv"; "" for none */
    x86_exec_fn exec;               /* NULL: #UD */
    uint16_t flags;                 /* OP_* */
    uint32_t intercept;             /* INTERCEPT_* bit that stops it, or 0 */
    const struct x86_opcode *group; /* OP_GROUP: eight rows, by ModRM.reg */
};

/* The opcode maps: one byte, 0F, 0F 38. A row whose exec is NULL and group is NULL is #UD. */
extern const struct x86_opcode x86_opcodes_1byte[256];
extern const struct x86_opcode x86_opcodes_0f[256];
extern const struct x86_opcode x86_opcodes_0f38[256];

/*
 * Rows that replace one of the maps' (OP_VARIANT) when a mandatory prefix is there or the key
 * matches: the ModRM byte; for opcode 63 the code size (8 in 64-bit mode); for 90 the bit REX.B.
 */
struct x86_variant {
    uint16_t opcode; /* map << 8 | byte */
    uint8_t prefix;  /* PREFIX_REP: F3 must be there; 0: it does not matter */
    uint8_t key_mask, key;
    struct x86_opcode row;
};
extern const struct x86_variant x86_variants[];
extern const unsigned x86_variant_count;

/*
 * Decodes up to `avail` bytes for a processor whose default size is `code_size` (2, 4, 8).
 * Returns the length; 0 if more than `avail` bytes are needed; -1 if over 15 bytes (#GP).
 * An undefined opcode decodes to one whose exec raises #UD.
 */
int x86_decode(const uint8_t *bytes, unsigned avail, unsigned code_size, struct x86_insn *in);

/* A function that does what in->op->exec does, for just this form of operands; NULL: there is none
 * (fast.c). */
x86_exec_fn x86_fast_form(const struct x86_insn *in);

/* The row of an opcode D8 to DF with this ModRM byte (x87_table.c). */
const struct x86_opcode *x87_row(uint8_t opcode, uint8_t modrm);

/* Prints `in`, whose bytes are given, at address rip, in Intel syntax (disasm.c, by Zydis).
 * Returns the length that Zydis found, 0 if it does not know the bytes. */
unsigned x86_disassemble(const uint8_t *bytes, unsigned avail, unsigned code_size, uint64_t rip,
                         char *text, unsigned text_size);

#endif
