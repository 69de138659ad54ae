/* generate.h - what the two halves of the generator share: encode.c and generate.c. */
#ifndef TESTS_DIFF_GENERATE_H
#define TESTS_DIFF_GENERATE_H

#include "tests/diff/diff.h"

/* A sequence being made. The generator does not execute: it knows a register's value while no
 * instruction has been able to change it, and loads another where it needs one. */
struct gen {
    struct diff_rng *rng;
    const struct diff_host *host;
    struct diff_case *c;
    uint64_t value[16];
    uint16_t known;     /* bit n: register n holds value[n] */
    bool stack_ok;      /* the stack pointer points into the data pages */
    bool fs_gs_ok;      /* FS and GS have the bases that they started with */
    bool end;           /* nothing after this can be reached */
    uint32_t undefined; /* flags */
};

/* What has been decided about the instruction. */
struct plan {
    const struct diff_row *row;
    uint8_t rex;
    bool operand66, address67, lock;
    uint8_t repeat;  /* F2, F3 or 0 */
    uint8_t segment; /* prefix byte or 0 */
    unsigned opsize, adsize;
    bool has_modrm, memory;
    uint8_t mod, reg, rm; /* with the bits that REX adds */
    unsigned access;      /* bytes that the memory operand has; 0: not accessed */
    uint64_t target;      /* its address */
    uint8_t bytes[40];
    unsigned n;
    unsigned rip_at; /* a displacement relative to the end; 0: none */
    bool skips;      /* a jump over the instruction that gen_append_skipped() puts behind it */
};

/* --- encode.c ------------------------------------------------------------------------------------ */
/* Appends `row` with random operands, and what it needs before it; false if there was no room. */
bool encode_row(struct gen *g, const struct diff_row *row);

/* --- prepare.c ---------------------------------------------------------------------------------- */
bool gen_is_long(const struct gen *g);
bool gen_knows(const struct gen *g, unsigned reg);
/* The nth operand code of a row, "" if it has none; whether one begins with any of `letters`. */
const char *op_code(const struct x86_opcode *op, unsigned n);
bool op_has(const struct x86_opcode *op, const char *letters);
/* AL, CL, DX, rAX ..., 1: not encoded. */
bool op_is_fixed(const char *code);
bool op_takes_ten(const struct diff_row *row);
bool op_uses_stack(const struct x86_opcode *op);
/* Bytes that a size letter stands for. */
unsigned plan_size(const struct plan *p, char letter);
/* False: there was no room. */
bool prepare_row(struct gen *g, struct plan *p);

/* --- generate.c --------------------------------------------------------------------------------- */

/* A data address for an access of `size`: mostly inside, sometimes at an edge. */
uint64_t gen_address(struct gen *g, unsigned size);
/* An address in the code pages where there is only fill. */
uint64_t gen_fill(struct gen *g);
uint64_t gen_value(struct gen *g);
/* The row of a one-byte opcode. */
const struct diff_row *gen_row(uint16_t opcode);

/* Appends bytes that are one instruction of row `opcode`. */
bool gen_append(struct gen *g, const struct diff_row *row, const uint8_t *bytes, unsigned n);
/* MOV reg, value, so that the generator knows it. */
bool gen_set_register(struct gen *g, unsigned reg, uint64_t value);
/* Stores `size` bytes at an address, by way of the accumulator. */
bool gen_set_memory(struct gen *g, uint64_t address, uint64_t value, unsigned size);
/* A selector to load: ours, null ones, the kernel's, ones beyond the table. */
uint16_t gen_selector(struct gen *g);

/* --- far.c --------------------------------------------------------------------------------------- */
/* Ends a sequence with a transfer to another code segment; false: there was no room. */
bool gen_far(struct gen *g);

#endif
