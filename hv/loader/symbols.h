/*
 * symbols.h - from an address in the guest to the name and line that a person reads.
 *
 * Reads an ELF file's symbol table and DWARF line table with elfutils' libdw.
 */
#ifndef HV_LOADER_SYMBOLS_H
#define HV_LOADER_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct symbols;

/* Opens path; a file without symbols gives an empty set, not an error. *out is NULL and -errno is
 * returned if the file cannot be read. Free with symbols_close(). */
int symbols_open(const char *path, struct symbols **out, struct error *err);
void symbols_close(struct symbols *symbols);

/* Adds another file's, for addresses and names that the others do not know: a program beside its
 * kernel. offset: added to its addresses. 0 or -errno. */
int symbols_add(struct symbols *symbols, const char *path, uint64_t offset, struct error *err);

/* The function or object that holds address: its name (valid until close) and the distance from
 * its start. NULL: none. symbols may be NULL. */
const char *symbols_name(const struct symbols *symbols, uint64_t address, uint64_t *offset);
/* The address of a name. */
bool symbols_address(const struct symbols *symbols, const char *name, uint64_t *address);
/* Source line of an address; file is valid until close. False: not known. */
bool symbols_line(struct symbols *symbols, uint64_t address, const char **file, int *line);
/* The first instruction of a line of source. file: the end of its path, from a slash on ("main.c",
 * "minios/main.c"). If nothing was made from that very line, the next line of which something was;
 * *found: which, may be NULL. False: none. */
bool symbols_find_line(struct symbols *symbols, const char *file, int line, int *found,
                       uint64_t *address);
/* The addresses [*start, *end) around this one that belong to the same line, without a gap. False: no
 * line is known for it. */
bool symbols_line_range(struct symbols *symbols, uint64_t address, uint64_t *start, uint64_t *end);
/* Is this the first instruction of a line where one would stop (DWARF: is_stmt)? */
bool symbols_line_begins(struct symbols *symbols, uint64_t address);
/* The first instruction behind a function's prologue, which makes the frame; address itself if that
 * is not the start of a function with lines. */
uint64_t symbols_body(struct symbols *symbols, uint64_t address);
/* The function (or label in code) that holds address: [*start, *end). */
bool symbols_function(const struct symbols *symbols, uint64_t address, uint64_t *start,
                      uint64_t *end);
/* Name i in alphabetical order; NULL: there are no more. *function: it is no object and no label. */
const char *symbols_list(const struct symbols *symbols, size_t i, uint64_t *address,
                         bool *function);
/* File i of the source, as the compiler was given it; a name can come twice. NULL: no more. */
const char *symbols_file(struct symbols *symbols, size_t i);
/* "kmain+0x1c (minios.c:40)", "kmain+0x1c", or "0x101234". Returns text. */
char *symbols_format(struct symbols *symbols, uint64_t address, char *text, size_t size);
/* A function on the stack: where it goes on, and its registers as far as they are known. */
struct symbols_frame {
    uint64_t rip;
    uint64_t gpr[16]; /* in the order of enum x86_gpr */
    uint32_t known;   /* bit i: gpr[i] is */
    bool called;      /* rip is a return address: the call is before it */
    bool interrupted; /* ... or where an interrupt or an exception came */
    uint64_t cfa;     /* of what it called: where that one's frame begins; tells two frames apart */
};
typedef int symbols_read_fn(void *context, uint64_t address, void *to, size_t size);
/* The frame that called, or was interrupted by, this one, by the call frame information of the file.
 * read: of the guest's memory, 0 or not. False: the file does not tell. */
bool symbols_unwind(struct symbols *symbols, const struct symbols_frame *frame,
                    symbols_read_fn *read, void *context, struct symbols_frame *caller);
/* What the file loads at address: at most size bytes, 0 if nothing. symbols may be NULL. */
size_t symbols_bytes(const struct symbols *symbols, uint64_t address, void *bytes, size_t size);
/* 32 or 64, as the file's format is; 0: there is no ELF file. symbols may be NULL. */
unsigned symbols_bits(const struct symbols *symbols);
/* The GNU build-id that the linker gave the file, in hexadecimal: tells whether a recording was
 * made with this very file. False, and an empty text, if it has none or size (> 0) is too small. */
bool symbols_build_id(const struct symbols *symbols, char *text, size_t size);

#endif
