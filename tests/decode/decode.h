/*
 * decode.h - the interpreter's decoder against Zydis: what is counted, and who does what.
 *
 * compare.c decides about one instruction; text.c finds the code of a program; main.c is diff_decode.
 */
#ifndef TESTS_DECODE_DECODE_H
#define TESTS_DECODE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the two decoders said about the same bytes. */
enum verdict {
    SAME,      /* an instruction of ours: length, mnemonic and operands agree */
    NOT_OURS,  /* one that this processor does not claim, and decodes to #UD */
    BOTH_BAD,  /* #UD for both */
    EXPLAINED, /* they differ, and compare.c says why that is right */
    DIFFERENT,
};

struct comparison {
    enum verdict verdict;
    unsigned length;   /* Zydis'; 0 if it knows no instruction */
    const char *what;  /* DIFFERENT, EXPLAINED: in what; NOT_OURS: the extension's name */
    unsigned operands; /* that were compared too */
};

struct zydis; /* Zydis' decoder for one mode */

/* Modes by the default operand size, 2, 4 or 8, as in x86_decode(). */
struct zydis *zydis_open(unsigned code_size);
void zydis_close(struct zydis *z);
void compare_bytes(const struct zydis *z, const uint8_t *bytes, unsigned avail,
                   struct comparison *out);
/* Prints bytes, and what each of the two makes of them. */
void compare_report(const struct zydis *z, const uint8_t *bytes, unsigned avail,
                    const struct comparison *c);

/* The code of an ELF file: its .text section. The caller frees *code. False: a sentence on stderr. */
bool text_of_elf(const char *path, uint8_t **code, size_t *size);
/* Where the C library that this program runs with was loaded from; "" if that cannot be told. */
const char *text_libc_path(void);

#endif
