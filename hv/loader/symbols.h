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

/* The function or object that holds address: its name (valid until close) and the distance from
 * its start. NULL: none. symbols may be NULL. */
const char *symbols_name(const struct symbols *symbols, uint64_t address, uint64_t *offset);
/* The address of a name. */
bool symbols_address(const struct symbols *symbols, const char *name, uint64_t *address);
/* Source line of an address; file is valid until close. False: not known. */
bool symbols_line(struct symbols *symbols, uint64_t address, const char **file, int *line);
/* "kmain+0x1c (minios.c:40)", "kmain+0x1c", or "0x101234". Returns text. */
char *symbols_format(struct symbols *symbols, uint64_t address, char *text, size_t size);
/* What the file loads at address: at most size bytes, 0 if nothing. symbols may be NULL. */
size_t symbols_bytes(const struct symbols *symbols, uint64_t address, void *bytes, size_t size);
/* 32 or 64, as the file's format is; 0: there is no ELF file. symbols may be NULL. */
unsigned symbols_bits(const struct symbols *symbols);
/* The GNU build-id that the linker gave the file, in hexadecimal: tells whether a recording was
 * made with this very file. False, and an empty text, if it has none or size (> 0) is too small. */
bool symbols_build_id(const struct symbols *symbols, char *text, size_t size);

#endif
