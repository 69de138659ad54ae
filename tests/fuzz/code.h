/*
 * code.h - random code with a purpose: pieces of a few instructions, each of which does what a
 * VMM or a kernel must be ready for. Used for programs (apps.c) and for kernels (kernels.c).
 */
#ifndef TESTS_FUZZ_CODE_H
#define TESTS_FUZZ_CODE_H

#include <stddef.h>
#include <stdint.h>

#define CODE_PIECE 192 /* bytes that one piece may take */

struct code {
    uint64_t state;          /* of code_random() */
    uint8_t *start, *at;     /* where it is written */
    size_t size;             /* bytes in all */
    uint64_t base;           /* the linear address at which it will run */
    const uint64_t *address; /* more that are worth trying, besides code.c's own */
    unsigned addresses;
};

/* A piece: appends some instructions. Lists of them end with NULL; one that is in a list more than
 * once comes more often. */
typedef void (*code_piece)(struct code *code);

/* What can be tried at CPL 3, and the same by a program of minios, mostly in children. */
extern const code_piece code_any[], code_program[];
/* The same without what is privileged, or a return. */
extern const code_piece code_plain[];
/* What only a kernel would try: control registers, MSRs, tables, ports, interrupts. */
extern const code_piece code_kernel[];

void code_begin(struct code *code, uint64_t seed, void *to, size_t size, uint64_t base);
/* Pieces up to the end, from one list or, if it is not NULL, the other. */
void code_fill(struct code *code, const code_piece *list, const code_piece *other);

/* The next 64 bits, and a number below n. */
uint64_t code_random(struct code *code);
uint64_t code_pick(struct code *code, unsigned n);
/* An address, a number, a selector: edges more often than others. */
uint64_t code_address(struct code *code);
uint64_t code_number(struct code *code);
uint64_t code_selector(struct code *code);

/* Appends the low `size` bytes of value. */
void code_put(struct code *code, uint64_t value, unsigned size);
/* mov reg, value; reg as in enum x86_gpr. */
void code_load(struct code *code, unsigned reg, uint64_t value);
/* push value; RAX is lost. */
void code_push(struct code *code, uint64_t value);

#endif
